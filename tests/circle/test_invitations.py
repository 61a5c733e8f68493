"""Invitations: one act, a link stored nowhere, an answer that public facts do not make."""

import datetime as dt
import re
import uuid

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from circle import actions, links, tracking
from circle.errors import (
    AddressIsGranted,
    AlreadyInvited,
    AlreadyMember,
    InvitationClosed,
    InvitationNotPossible,
    MessageNamesPerson,
    NothingToConfirm,
    OwnInvitation,
    RefusalNotProved,
    RemindedToday,
)
from circle.history import tell, told_of
from circle.models import Change, Invitation, Member
from coordination.accounts.models import User
from coordination.common.french import datetime_fr
from coordination.directory.actions import confirm_account
from coordination.directory.models import Attachment, Mailbox
from coordination.dossiers.models import Dossier
from coordination.outbox import delivery
from coordination.outbox.models import Message, State
from habilitations.access import hat_of, to_dossier
from habilitations.errors import GrantNotAllowed, LevelMissing, NotAllowed, RefusalStands
from habilitations.models import Habilitation, Trace, VouchedProfession
from tests.accounts.factories import PASSWORD
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
ADDRESS = "n.echantillon@ms-segala.example"
GRANTED, WAITS, NOT = Habilitation.State.OUI, Habilitation.State.ATTENTE, Habilitation.State.NON


def invited(entry, professional=None, *, email=ADDRESS, message="", wanted="oui", **details):
    """Add a professional of the directory who has no account, and invite in the same act."""
    member = make.add(entry, professional, wanted=wanted, invitation={"email": email, "message": message}, **details)
    return Invitation.objects.get(member=member)


def invited_by_hand(entry, *, email=ADDRESS, **fields):
    said = {"family_name": "SPÉCIMEN", "given_name": "Inès", "profession": make.NURSE, "email": email} | fields
    member = actions.add_manual_professional(
        entry, fields=said, role="PROV", wanted="oui", rests=make.team(), invitation={"email": email},
        creation_key=uuid.uuid4(), duplicate_reason="Homonyme",
    )  # fmt: skip
    return Invitation.objects.get(member=member)


def names(user):
    return {"family_name": user.family_name, "given_name": user.given_name}


def nurse_of(entry):
    """A nurse of the circle: she may invite, not habilitate."""
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    return make.entry_of(nurse, entry)


def colleague(by, *, email=ADDRESS, **details):
    said = {"family_name": "Calque", "given_name": "Nina", "profession": make.NURSE} | details
    return actions.invite_colleague(by=by, email=email, creation_key=uuid.uuid4(), **said)


def newcomer(invitation, **details):
    """Accept by the link of the letter, with a new account."""
    said = {"family_name": invitation.family_name, "given_name": invitation.given_name, "password": PASSWORD}
    return actions.accept_with_new_account(invitation, **(said | details))


def state(invitation):
    return Habilitation.objects.get(members__invitations=invitation).state


def leave(message):
    delivery.deliver(message.pk)
    message.refresh_from_db()
    return mail.outbox[-1] if mail.outbox else None


def letter(invitation):
    return Message.objects.filter(object_id=invitation.pk).order_by("-created_at").first()


def link_in(mailed):
    return re.search(r"http\S+/invitations/repondre/(\S+?)/", mailed.body)[1]


# ---- Inviting ------------------------------------------------------------------------------------


def test_one_act_adds_grants_and_invites(entry):
    invitation = invited(entry, message="À bientôt")
    member = invitation.member
    assert member.periods.current().exists() and state(invitation) == WAITS
    assert invitation.expires_at - invitation.sent_at == dt.timedelta(days=14)
    assert letter(invitation).to == ADDRESS
    told = [tell([told_of(change)]) for change in Change.objects.filter(member=member).with_names()]
    assert any("a envoyé une invitation" in line for line in told)


@pytest.mark.asvs("v5.0.0-2.3.3")
def test_an_act_that_fails_leaves_neither_member_nor_letter(entry):
    with pytest.raises(MessageNamesPerson):
        invited(entry, message=f"Pour Mme {entry.dossier.birth_name.title()}")
    assert Member.objects.filter(dossier_id=entry.dossier.pk).count() == 1
    assert not Message.objects.exists() and not Invitation.objects.exists()


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize(
    "said", ["Suivi de jeanne", "née le 14/03/1941", "14 03 1941", "née en 1941", "14 mars 1941", "le 14 mars"]
)
def test_a_message_does_not_say_who_is_followed(entry, said):
    with pytest.raises(MessageNamesPerson):
        invited(entry, message=said)


@pytest.mark.req("SEC-22", "SECT-6")
def test_the_letter_names_the_inviter_and_nobody_followed(entry):
    structure = make.StructureFactory(name="DAC EXEMPLE DU TARN")
    by = make.coordinator(structure=structure, family_name="PATRON", given_name="Élise")
    make.add(entry, by.attachment.professional, wanted="oui")
    mine = make.entry_of(by, entry)
    Message.objects.all().delete()
    sent = leave(letter(invited(mine, message="Merci d'avance")))
    html = sent.alternatives[0][0]
    for text in (sent.subject, sent.body, html):
        assert "PATRON Élise" in text or text == html
        for word in (
            entry.dossier.birth_name,
            "Jeanne",
            "1941",
            str(entry.dossier.pk),
            "médical",
            "soigne",
            "maladie",
        ):
            assert word.casefold() not in text.casefold()
    assert "DAC EXEMPLE DU TARN" in sent.body and "Merci d'avance" in sent.body


@pytest.mark.req("SECT-21")
def test_inviting_says_nothing_of_who_has_an_account(entry):
    known = make.UserFactory(email="connu@cabinet.example")
    first = invited(entry, email=known.email)
    second = invited(entry, email="inconnu@cabinet.example")
    assert state(first) == state(second) == WAITS
    assert letter(first).text == letter(second).text


def test_only_who_waits_for_an_account_is_invited(entry):
    with_account = make.account()
    member = make.add(entry, with_account.attachment.professional, wanted="oui")
    with pytest.raises(InvitationNotPossible):
        actions.invite_member(entry, member, email=ADDRESS)
    with pytest.raises(InvitationNotPossible):
        actions.invite_member(entry, make.add(entry), email=ADDRESS)
    with pytest.raises(InvitationNotPossible):
        actions.invite_member(entry, make.relative(entry), email=ADDRESS)


def test_who_may_not_invite_invites_nobody(entry):
    help_ = make.account("42")
    make.add(entry, help_.attachment.professional, wanted="oui")
    with pytest.raises(LevelMissing):
        actions.invite_member(make.entry_of(help_, entry), make.add(entry, wanted="oui"), email=ADDRESS)
    with pytest.raises(NotAllowed):
        colleague(help_)


def test_a_nurse_who_may_not_grant_invites_and_the_access_still_waits_for_a_decision(entry):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    invitation = invited(make.entry_of(nurse, entry))
    assert state(invitation) == NOT
    answered = newcomer(invitation)
    assert not answered.enters and state(invitation) == NOT


def test_one_open_invitation_per_member(entry):
    invitation = invited(entry)
    with pytest.raises(AlreadyInvited):
        actions.invite_member(entry, invitation.member, email="autre@cabinet.example")
    with pytest.raises(IntegrityError, match="one_open_invitation_per_member"), transaction.atomic():
        Invitation.objects.create(
            dossier_id=invitation.dossier_id, member=invitation.member, email="a@b.example", family_name="X",
            invited_by=entry.user, expires_at=timezone.now() + dt.timedelta(days=1),
        )  # fmt: skip


BROKEN = {
    "invitation_is_closed_once": {"refused_at": timezone.now(), "revoked_at": timezone.now()},
    "accepted_invitation_has_an_account": {"accepted_at": timezone.now()},
    "confirmed_invitation_was_accepted": {"confirmed_at": timezone.now()},
    "declined_invitation_was_accepted": {"declined_at": timezone.now()},
    "invitation_reason_is_of_a_refusal": {"refusal_reason": "non"},
    "invitation_expires_after_it_was_sent": {"generation": 0},
    "invitation_to_a_dossier_has_its_member": {"member": None},
}


@pytest.mark.req("REL-8")
@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses_what_cannot_be(entry, name):
    invitation = invited(entry)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(**BROKEN[name])


# ---- The link ------------------------------------------------------------------------------------


def test_the_link_is_stored_nowhere(entry):
    invitation = invited(entry)
    token = links.token_of(invitation, links.MAILED)
    stored = letter(invitation)
    assert "repondre" not in stored.text + stored.html and token not in stored.text + stored.html
    sent = leave(stored)
    assert link_in(sent) == token
    assert stored.text == stored.html == ""


@pytest.mark.asvs("v5.0.0-9.1.1")
def test_a_link_is_read_only_if_it_is_ours():
    assert links.read("n:importe-quoi") is None
    invitation = Invitation(generation=3)
    read = links.read(links.token_of(invitation, links.COPIED))
    assert read == (invitation.pk, 3, links.COPIED, "") and not read.proves(invitation.email)


@pytest.mark.req("SEC-4")
def test_a_mailed_link_proves_only_the_address_it_was_mailed_to(entry):
    invitation = invited(entry)
    token = links.token_of(invitation, links.MAILED)
    read = links.read(token)
    assert read.proves(ADDRESS) and read.proves(ADDRESS.upper()) and not read.proves("autre@cabinet.example")
    assert ADDRESS not in str(signing.b64_decode(token.partition(":")[0].encode()))


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("moment", ["waiting", "put back", "in hand", "reminder"])
def test_a_letter_to_the_former_address_never_carries_the_new_link(entry, moment):
    """Who reads the wrong mailbox would otherwise become the person of the right one."""
    invitation = invited(entry, email="faux@cabinet.example")
    if moment == "reminder":
        Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=2))
        actions.remind_invitation(invitation, by=entry.user, entry=entry)
    former = letter(invitation)
    Message.objects.filter(pk=former.pk).update(state=State.A_REESSAYER)
    actions.resend_invitation(invitation, by=entry.user, entry=entry, email=ADDRESS)
    former.refresh_from_db()
    assert former.state == State.ECHEC and "renvoyée" in former.last_error
    if moment != "waiting":
        # Somebody puts it back in the queue, or a worker held it.
        Message.objects.filter(pk=former.pk).update(state=State.EN_FILE, last_error="", dismissed_at=None)
    assert leave(former) is None and former.state == State.ECHEC
    current = Message.objects.get(object_id=invitation.pk, to=ADDRESS)
    assert links.read(link_in(leave(current))).proves(ADDRESS)


def test_sending_again_voids_the_former_link_and_a_reminder_keeps_it(entry):
    invitation = invited(entry)
    first = links.token_of(invitation, links.MAILED)
    Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=2))
    actions.remind_invitation(invitation, by=entry.user, entry=entry)
    assert link_in(leave(letter(invitation))) == first
    with pytest.raises(RemindedToday):
        actions.remind_invitation(invitation, by=entry.user, entry=entry)
    actions.copy_link(invitation, by=entry.user, entry=entry)
    again = actions.resend_invitation(invitation, by=entry.user, entry=entry, email="juste@cabinet.example")
    assert again.generation == 2 and letter(invitation).to == "juste@cabinet.example"
    assert link_in(leave(letter(invitation))) != first


def test_the_clock_reminds_once(entry, settings):
    invitation = invited(entry)
    assert actions.remind_due() == 0
    Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=settings.INVITATION_REMINDER_DAYS, hours=1))
    assert actions.remind_due() == 1
    assert actions.remind_due() == 0
    assert letter(invitation).kind == "circle.invitation_reminder"


def test_until_when_a_link_serves_is_said_to_the_minute(client, entry):
    """It ends in the middle of its last day: a day alone would promise more."""
    invitation = invited(entry)
    until = datetime_fr(invitation.expires_at)
    assert until in letter(invitation).text and until in letter(invitation).html
    assert until in tracking.tell(Invitation.objects.with_delivery().with_names().get(pk=invitation.pk)).detail
    Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=2))
    actions.remind_invitation(invitation, by=entry.user, entry=entry)
    assert letter(invitation).kind == "circle.invitation_reminder"
    assert until in letter(invitation).text and until in letter(invitation).html
    page = reverse("invitations:answer", args=[links.token_of(invitation, links.COPIED)])
    assert until in client.get(page, follow=True).text


@pytest.mark.parametrize("status", ["pause", "clos"])
def test_nobody_is_reminded_of_a_dossier_where_nobody_may_answer(entry, settings, status):
    invited(entry)
    Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=settings.INVITATION_REMINDER_DAYS, hours=1))
    Dossier.objects.update(status=status, closing_reason="fin")
    assert actions.remind_due() == 0
    Dossier.objects.update(status="actif", closing_reason="")
    assert actions.remind_due() == 1


def test_the_inviter_is_told_once_that_a_letter_was_refused(entry):
    invitation = invited(entry)
    assert actions.tell_undelivered() == 0
    Message.objects.filter(object_id=invitation.pk).update(state=State.ECHEC, last_error="Refusé.")
    assert actions.tell_undelivered() == 1
    assert actions.tell_undelivered() == 0
    told = Message.objects.get(kind="circle.undelivered")
    assert told.to == entry.user.email and invitation.email not in told.text
    actions.resend_invitation(invitation, by=entry.user, entry=entry)
    assert actions.tell_undelivered() == 0


def test_a_letter_not_yet_left_does_not_leave_once_revoked(entry):
    invitation = invited(entry)
    actions.revoke_invitation(invitation, by=entry.user, entry=entry)
    message = letter(invitation)
    leave(message)
    assert message.state == State.ECHEC and "annulée" in message.last_error and mail.outbox == []


# ---- Answers -------------------------------------------------------------------------------------


def directory_person(email=""):
    person = make.listed()
    person.email = email
    person.save()
    return person


def test_who_is_proved_by_the_directory_enters_at_once(entry):
    person = directory_person(ADDRESS)
    invitation = invited(entry, person)
    answered = newcomer(invitation)
    user = answered.invitation.accepted_by
    assert answered.enters and state(invitation) == GRANTED
    assert Attachment.objects.get(user=user).professional == person
    assert hat_of(user).national_id == person.national_id
    assert EmailAddress.objects.get(user=user).verified
    assert to_dossier(user, entry.dossier.pk) is not None
    assert invitation.member.periods.count() == 1
    trace = Trace.objects.of_dossier(entry.dossier.pk).last()
    assert (trace.actor_id, trace.action, trace.object_kind) == (user.pk, "acceptation", "invitation")


def test_an_mss_mailbox_proves_too(entry):
    person = make.listed()
    Mailbox.objects.create(kind=Mailbox.Kind.PERSON, address=ADDRESS, national_id=person.national_id)
    assert newcomer(invited(entry, person)).enters


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("how", ["stranger", "local", "place", "organisation", "other rpps", "attached"])
def test_public_facts_prove_nobody(entry, how):
    person = make.listed(source="local") if how == "local" else make.listed()
    details = {}
    if how in ("local", "other rpps", "attached"):
        person.email = ADDRESS
        person.save()
    if how == "place":
        person.activities.update(email=ADDRESS)
    if how == "organisation":
        Mailbox.objects.create(kind=Mailbox.Kind.ORGANISATION, address=ADDRESS, national_id=person.national_id)
    if how == "other rpps":
        details = {"rpps": "10000000001"}
    invitation = invited(entry, person)
    if how == "attached":
        Attachment.objects.create(user=make.UserFactory(), professional=person)
    answered = newcomer(invitation, **details)
    assert not answered.enters and state(invitation) == WAITS
    user = answered.invitation.accepted_by
    assert not hat_of(user).profession and to_dossier(user, entry.dossier.pk) is None


def test_who_waits_enters_once_the_inviter_confirms(entry):
    invitation = invited(entry)
    user = newcomer(invitation).invitation.accepted_by
    assert state(invitation) == WAITS
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    assert state(invitation) == GRANTED
    vouched = VouchedProfession.objects.get(user=user)
    assert (vouched.how, vouched.vouched_by, vouched.profession, vouched.national_id) == (
        "invitation", entry.user, make.NURSE, "",
    )  # fmt: skip
    assert Message.objects.filter(kind="circle.dossier_opened", to=user.email).count() == 1
    with pytest.raises(NothingToConfirm):
        actions.confirm_invitee(invitation, by=entry.user, entry=entry)


@pytest.mark.req("SEC-4")
def test_a_confirmation_opens_one_dossier_not_what_waits_for_the_professional_elsewhere(entry):
    person = make.listed()
    elsewhere = make.open_circle(make.coordinator())
    other = make.add(elsewhere, person, wanted="oui")
    invitation = invited(entry, person)
    user = newcomer(invitation).invitation.accepted_by
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    other.habilitation.refresh_from_db()
    assert other.habilitation.state == WAITS and to_dossier(user, elsewhere.dossier.pk) is None


def test_who_may_not_grant_confirms_nobody(entry):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    invitation = invited(entry)
    newcomer(invitation)
    with pytest.raises(NotAllowed):
        actions.confirm_invitee(invitation, by=nurse, entry=make.entry_of(nurse, entry))


def test_somebody_typed_by_hand_becomes_the_account_on_the_same_row(entry):
    invitation = invited_by_hand(entry)
    member = invitation.member
    period = member.periods.get()
    user = newcomer(invitation).invitation.accepted_by
    member.habilitation.refresh_from_db()
    assert member.habilitation.user == user and state(invitation) == WAITS
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    assert state(invitation) == GRANTED and member.periods.get() == period
    assert Member.objects.filter(dossier_id=entry.dossier.pk).count() == 2


def test_an_account_that_exists_is_used(entry):
    user = make.account()
    invitation = invited_by_hand(entry, email=user.email, **names(user))
    before = User.objects.count()
    answered = actions.accept_invitation(invitation, by=user)
    assert answered.enters and state(invitation) == GRANTED and User.objects.count() == before


@pytest.mark.parametrize("difference", ["address", "profession", "name", "person"])
def test_any_difference_waits_for_somebody(entry, difference):
    user = make.account(make.DOCTOR if difference == "profession" else make.NURSE)
    email = "autre@cabinet.example" if difference == "address" else user.email
    said = {} if difference == "name" else names(user)
    invitation = invited(entry, email=email) if difference == "person" else invited_by_hand(entry, email=email, **said)
    answered = actions.accept_invitation(invitation, by=user)
    assert not answered.enters and state(invitation) == WAITS
    # Nothing that happens to the account elsewhere opens it: somebody must look.
    assert Habilitation.objects.get(members=invitation.member).user is None


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("way", ["sent again", "invited again"])
def test_who_may_not_grant_moves_no_grant_to_another_address(entry, way):
    """He would open the dossier to whom he wants, with the grant that somebody else gave."""
    nurse, friend = nurse_of(entry), make.account()
    invitation = invited_by_hand(entry, **names(friend))
    if way == "invited again":
        past = timezone.now() - dt.timedelta(days=20)
        Invitation.objects.update(sent_at=past, expires_at=past + dt.timedelta(days=14))
        with pytest.raises(AddressIsGranted):
            actions.invite_member(nurse, invitation.member, email=friend.email)
    with pytest.raises(AddressIsGranted):
        actions.resend_invitation(invitation, by=nurse.user, entry=nurse, email=friend.email)
    invitation.refresh_from_db()
    assert invitation.email == ADDRESS
    assert actions.resend_invitation(invitation, by=nurse.user, entry=nurse, email=ADDRESS.upper()).generation == 2
    assert actions.resend_invitation(invitation, by=entry.user, entry=entry, email=friend.email).email == friend.email


@pytest.mark.req("SEC-4")
def test_who_may_not_grant_does_not_say_whom_a_waiting_grant_is_for(entry):
    nurse, friend = nurse_of(entry), make.account()
    invitation = invited_by_hand(entry)
    with pytest.raises(GrantNotAllowed):
        actions.link_to_directory(nurse, invitation.member, professional=friend.attachment.professional)


@pytest.mark.req("SEC-4")
def test_another_name_is_not_bound_and_what_is_confirmed_elsewhere_opens_nothing_here(entry):
    invitation = invited_by_hand(entry, profession=make.DOCTOR)
    user = newcomer(invitation, family_name="TOUTAUTRE", given_name="Nom").invitation.accepted_by
    assert Habilitation.objects.get(members=invitation.member).user is None
    other = make.coordinator()
    elsewhere = colleague(other, email="encore@cabinet.example")
    actions.accept_invitation(elsewhere, by=user)
    actions.confirm_invitee(elsewhere, by=other)
    assert hat_of(user).profession == make.NURSE
    assert state(invitation) == WAITS and to_dossier(user, entry.dossier.pk) is None


def test_an_account_already_inside_stays_under_its_own_entry(entry):
    user = make.account()
    make.add(entry, user.attachment.professional, wanted="oui")
    invitation = invited_by_hand(entry, email=user.email, family_name="AUTRE")
    answered = actions.accept_invitation(invitation, by=user)
    assert answered.enters and Habilitation.objects.get(members=invitation.member).user is None


def test_nobody_accepts_nor_confirms_himself(entry):
    with pytest.raises(OwnInvitation):
        actions.accept_invitation(invited(entry, email=entry.user.email), by=entry.user)
    # Who may habilitate here, invited as somebody else: he is not the one who says that he is.
    colleague = make.coordinator()
    make.add(entry, colleague.attachment.professional, wanted="oui")
    invitation = invited_by_hand(entry, email=colleague.email)
    actions.accept_invitation(invitation, by=colleague)
    for act in (actions.confirm_invitee, actions.decline_invitee):
        with pytest.raises(OwnInvitation):
            act(invitation, by=colleague, entry=make.entry_of(colleague, entry))


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("kind", ["directory", "by hand"])
def test_the_wrong_person_is_told_no(entry, kind):
    invitation = invited(entry) if kind == "directory" else invited_by_hand(entry)
    user = newcomer(invitation).invitation.accepted_by
    actions.decline_invitee(invitation, by=entry.user, entry=entry)
    row = Habilitation.objects.get(members=invitation.member)
    assert row.user is None and row.state == (WAITS if kind == "directory" else NOT)
    told = told_now(invitation)
    assert told.label == "Écartée" and told.acts == () and user.family_name not in told.detail
    assert not Invitation.objects.to_confirm().exists() and not Invitation.objects.accepted().exists()
    change = Change.objects.filter(member=invitation.member).with_names().latest("at")
    assert "n’est pas" in tell([told_of(change)])
    trace = Trace.objects.of_dossier(entry.dossier.pk).last()
    assert (trace.actor_id, trace.action) == (entry.user.pk, "mise à l’écart")
    assert not Message.objects.filter(to=user.email, kind="circle.dossier_opened").exists()
    with pytest.raises(NothingToConfirm):
        actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    again = actions.invite_present(entry, invitation.member, email="juste@cabinet.example")
    assert again.is_open and state(again) == WAITS


def test_who_may_not_confirm_does_not_decline(entry):
    nurse = nurse_of(entry)
    invitation = invited(entry)
    newcomer(invitation)
    with pytest.raises(NotAllowed):
        actions.decline_invitee(invitation, by=nurse.user, entry=nurse)


def test_confirming_one_closes_the_other_invitations_of_the_member(entry):
    first = invited(entry)
    newcomer(first)
    second = actions.invite_present(entry, first.member, email="deux@cabinet.example")
    newcomer(second)
    third = actions.invite_present(entry, first.member, email="trois@cabinet.example")
    actions.confirm_invitee(first, by=entry.user, entry=entry)
    second.refresh_from_db()
    third.refresh_from_db()
    assert second.declined_at is not None and third.revoked_at is not None


def test_who_refuses_stays_in_the_circle_without_access(entry):
    invitation = invited(entry)
    actions.refuse_invitation(invitation, reason="Je ne suis plus cette personne", is_mailed=True)
    assert state(invitation) == NOT and invitation.member.periods.current().exists()
    change = Change.objects.filter(member=invitation.member).with_names().latest("at")
    assert change.by is None and "a refusé l’invitation" in tell([told_of(change)])
    trace = Trace.objects.of_dossier(entry.dossier.pk).last()
    assert (trace.actor_id, trace.actor_name, trace.action) == (None, "lien personnel", "refus")
    with pytest.raises(InvitationClosed):
        newcomer(invitation)


@pytest.mark.asvs("v5.0.0-2.3.1")
@pytest.mark.parametrize("close", ["revoked", "expired", "removed", "suspended", "dossier"])
def test_a_link_that_no_longer_serves_opens_nothing(entry, close):
    invitation = invited(entry, directory_person(ADDRESS))
    if close == "revoked":
        actions.revoke_invitation(invitation, by=entry.user, entry=entry)
    elif close == "expired":
        past = timezone.now() - dt.timedelta(days=20)
        Invitation.objects.update(sent_at=past, expires_at=past + dt.timedelta(days=14))
    elif close == "removed":
        actions.remove_member(entry, invitation.member, reason="fin")
    elif close == "dossier":
        Dossier.objects.update(status=Dossier.Status.PAUSE)
    else:
        actions.set_habilitation(entry, invitation.member, "non")
    before = User.objects.count()
    with pytest.raises(InvitationClosed):
        newcomer(invitation)
    assert User.objects.count() == before


@pytest.mark.req("SEC-4")
def test_a_link_read_before_it_was_replaced_serves_nothing(entry):
    """The page was open when the inviter corrected the address: looked at again under the lock."""
    read = invited(entry, directory_person(ADDRESS), email="faux@cabinet.example")
    actions.resend_invitation(read, by=entry.user, entry=entry, email=ADDRESS)
    letters_before = Message.objects.count()
    for act in (
        newcomer,
        lambda row: actions.accept_invitation(row, by=make.account()),
        lambda row: actions.refuse_invitation(row, is_mailed=True),
        actions.send_to_address,
    ):
        with pytest.raises(InvitationClosed):
            act(read)
    actions.ask_for_new_link(read)
    assert Message.objects.count() == letters_before
    assert state(read) == WAITS and Invitation.objects.get().is_open


def test_the_letter_leaves_again_for_the_address_invited_only(entry):
    """Who holds a copied link has it sent to the mailbox that the inviter wrote."""
    read = invited(entry, directory_person(ADDRESS))
    before = Message.objects.count()
    actions.send_to_address(read)
    assert Message.objects.count() == before + 1
    assert Message.objects.latest("created_at").to == ADDRESS


@pytest.mark.req("SEC-4")
def test_a_copied_link_refuses_nothing(entry):
    """Whoever may copy it could close what somebody granted."""
    owner = make.UserFactory(email=ADDRESS)
    EmailAddress.objects.get_or_create(user=owner, email=ADDRESS, defaults={"verified": True, "primary": True})
    invitation = invited(entry)
    for by in (None, make.account()):
        with pytest.raises(RefusalNotProved):
            actions.refuse_invitation(invitation, by=by)
    assert state(invitation) == WAITS
    actions.refuse_invitation(invitation, by=owner)
    assert state(invitation) == NOT


def test_no_to_a_request_closes_the_invitation(entry):
    nurse = nurse_of(entry)
    invitation = invited(nurse)
    actions.set_habilitation(entry, invitation.member, "non")
    assert not Invitation.objects.open().exists()
    with pytest.raises(InvitationClosed):
        newcomer(invitation)


@pytest.mark.parametrize("way", ["attached", "linked"])
def test_a_member_bound_by_another_way_has_no_invitation_left(entry, way):
    if way == "attached":
        person = make.listed()
        invitation = invited(entry, person)
        confirm_account(make.UserFactory(), person.activities.first(), how="administration", by=entry.user)
    else:
        invitation = invited_by_hand(entry)
        actions.link_to_directory(entry, invitation.member, professional=make.account().attachment.professional)
    assert not Invitation.objects.open().exists()
    change = Change.objects.filter(member=invitation.member, subject="clôture").with_names().get()
    assert "est close" in tell([told_of(change)])
    with pytest.raises(InvitationClosed):
        newcomer(invitation)


def test_who_accepted_waits_for_nobody_once_the_member_is_another_account(entry):
    person = make.listed()
    invitation = invited(entry, person)
    newcomer(invitation)
    assert Invitation.objects.to_confirm().exists()
    Habilitation.objects.filter(members=invitation.member).update(user=make.UserFactory())
    assert not Invitation.objects.to_confirm().exists() and told_now(invitation).acts == ()
    with pytest.raises(NothingToConfirm):
        actions.confirm_invitee(invitation, by=entry.user, entry=entry)


@pytest.mark.req("SEC-5")
def test_a_refused_account_does_not_come_back_by_an_invitation(entry):
    user = make.account()
    member = make.add(entry, user.attachment.professional, wanted="oui")
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, member, "refus", refusal=refusal)
    actions.remove_member(entry, member, reason="fin")
    invitation = invited_by_hand(entry, email=user.email, **names(user))
    answered = actions.accept_invitation(invitation, by=user)
    assert not answered.enters and state(invitation) == WAITS
    assert Habilitation.objects.get(members=invitation.member).user is None
    with pytest.raises(RefusalStands):
        actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    assert to_dossier(user, entry.dossier.pk) is None


def test_a_removed_member_is_invited_again(entry):
    invitation = invited(entry)
    actions.remove_member(entry, invitation.member, reason="fin")
    again = actions.add_professional(
        entry, professional=invitation.member.professional, role="PROV", wanted="oui",
        invitation={"email": ADDRESS}, creation_key=uuid.uuid4(),
    )  # fmt: skip
    assert again == invitation.member
    assert again.invitations.open().count() == 1 and again.invitations.count() == 2


def test_the_inviter_is_told_once_that_a_new_link_is_asked_for(entry):
    invitation = invited(entry)
    actions.ask_for_new_link(invitation)
    actions.ask_for_new_link(invitation)
    asked = Message.objects.get(kind="circle.new_link_asked")
    assert asked.to == entry.user.email and invitation.email not in asked.text


def test_who_has_an_account_is_told_that_a_dossier_is_opened(entry):
    user = make.account()
    make.add(entry, user.attachment.professional, wanted="oui")
    told = Message.objects.get(kind="circle.dossier_opened")
    assert told.to == user.email
    for word in (entry.dossier.birth_name, "Jeanne"):
        assert word.casefold() not in (told.subject + told.text + told.html).casefold()


def test_a_member_already_there_is_invited_and_habilitated_in_one_act(entry):
    member = make.by_hand(entry)
    invitation = actions.invite_present(entry, member, email=ADDRESS)
    assert state(invitation) == WAITS
    actions.revoke_invitation(invitation, by=entry.user, entry=entry)
    assert state(invitation) == NOT
    assert actions.invite_present(entry, member, email=ADDRESS).is_open


def test_linking_to_the_directory_keeps_the_account_that_accepted(entry):
    invitation = invited_by_hand(entry)
    user = newcomer(invitation).invitation.accepted_by
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    linked = actions.link_to_directory(entry, invitation.member, professional=make.listed())
    assert Habilitation.objects.get(members=linked).user == user and state(invitation) == GRANTED
    other = make.account()
    again = invited_by_hand(entry, email="autre@cabinet.example", family_name="CALQUE")
    newcomer(again)
    with pytest.raises(AlreadyMember):
        actions.link_to_directory(entry, again.member, professional=other.attachment.professional)


# ---- Without a dossier ---------------------------------------------------------------------------


def test_a_colleague_is_invited_without_a_dossier(coordinator):
    invitation = colleague(coordinator)
    with pytest.raises(AlreadyInvited):
        colleague(coordinator)
    answered = newcomer(invitation)
    user = answered.invitation.accepted_by
    assert not answered.enters
    actions.confirm_invitee(invitation, by=coordinator)
    assert hat_of(user).profession == make.NURSE


def test_an_address_already_invited_is_not_invited_by_a_correction(coordinator):
    colleague(coordinator)
    other = colleague(coordinator, email="autre@cabinet.example")
    with pytest.raises(AlreadyInvited):
        actions.resend_invitation(other, by=coordinator, email=ADDRESS.upper())


def test_a_colleague_of_the_same_structure_follows_but_does_not_confirm(matrix):
    structure = make.StructureFactory()
    first, second = make.coordinator(structure=structure), make.coordinator(structure=structure)
    stranger = make.coordinator()
    invitation = colleague(first)
    with pytest.raises(NotAllowed):
        actions.resend_invitation(invitation, by=stranger)
    newcomer(actions.resend_invitation(invitation, by=second))
    with pytest.raises(NotAllowed):
        actions.confirm_invitee(invitation, by=second)


# ---- What the list says --------------------------------------------------------------------------


def told_now(invitation):
    return tracking.tell(Invitation.objects.with_delivery().with_names().get(pk=invitation.pk))


def test_the_list_says_where_each_stands(entry):
    invitation = invited(entry)
    assert told_now(invitation).label == "En file"
    Message.objects.update(state=State.ECHEC, last_error="L’adresse est refusée par le serveur (code 550).")
    told = told_now(invitation)
    assert (told.label, told.detail) == ("Non remise", "L’adresse est refusée par le serveur (code 550).")
    assert tracking.CORRECT in told.acts
    Message.objects.update(state=State.ENVOYE, sent_at=timezone.now(), is_uncertain=True)
    assert told_now(invitation).label == "Remise incertaine"
    Message.objects.update(is_uncertain=False)
    assert told_now(invitation).label == "Envoyée"
    actions.note_opening(invitation)
    assert told_now(invitation).label.startswith("Ouverte le ")
    newcomer(invitation)
    assert told_now(invitation).label == "À confirmer"
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    assert told_now(invitation).label == "Acceptée"
