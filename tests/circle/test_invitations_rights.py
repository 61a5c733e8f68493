"""Who reads an invitation, and what he may do of it: the right of the act, before its page and its button."""

import re

import pytest
from django.urls import reverse

from circle import actions
from circle.errors import OtherProfession, ProfessionToChoose
from circle.models import Invitation
from habilitations.actions import vouch_profession
from habilitations.models import Habilitation, Trace, VouchedProfession
from tests.accounts.factories import PASSWORD
from tests.circle import factories as make
from tests.circle.test_invitations import ADDRESS, colleague, invited, invited_by_hand, newcomer
from tests.circle.test_views_invitations import link, row_of, text

pytestmark = pytest.mark.django_db
LIST = reverse("invitations:list")


def inside(entry, profession=make.NURSE, **details):
    user = make.account(profession, **details)
    make.add(entry, user.attachment.professional, wanted="oui")
    return user


def traced(user, entry):
    return list(
        Trace.objects.of_dossier(entry.dossier.pk)
        .filter(actor_id=user.pk, object_kind="invitation")
        .values_list("action", "outcome")
    )


# ---- The pages of one invitation ------------------------------------------------------------------


@pytest.mark.req("SEC-1", "SEC-9")
def test_the_page_that_sends_again_asks_for_the_right_to_invite(client, entry):
    """It shows a name and an address: reading them needs what sending again needs, and leaves a trace."""
    helper = inside(entry, "42")
    invitation = invited(entry)
    client.force_login(helper)
    page = client.get(reverse("invitations:resend", args=[invitation.pk]))
    assert page.status_code == 404 and ADDRESS not in text(page)
    assert client.post(reverse("invitations:resend", args=[invitation.pk]), {"email": ""}).status_code == 404
    client.force_login(entry.user)
    assert ADDRESS in text(client.get(reverse("invitations:resend", args=[invitation.pk])))
    assert ("lecture", "ok") in traced(entry.user, entry)


@pytest.mark.req("SEC-9")
def test_a_page_refused_to_a_member_is_traced(client, entry):
    helper = inside(entry, "42")
    assert not make.entry_of(helper, entry).abilities["inviter"]
    invitation = invited(entry)
    client.force_login(helper)
    assert client.get(reverse("invitations:resend", args=[invitation.pk])).status_code == 404
    assert traced(helper, entry) == [("lecture", "refus")]


# ---- The list --------------------------------------------------------------------------------------


@pytest.fixture
def house(matrix):
    return make.StructureFactory()


@pytest.mark.req("SEC-1")
def test_a_colleague_without_the_right_sees_nothing_of_his_structure(client, house):
    sender, other = make.coordinator(structure=house), make.account("42", structure=house)
    invitation = colleague(sender)
    client.force_login(other)
    assert ADDRESS not in text(client.get(LIST))
    for page in ("resend", "remind", "copy_link", "revoke", "confirm"):
        url = reverse(f"invitations:{page}", args=[invitation.pk])
        assert client.post(url, {"email": "a@b.example"}).status_code == 404
    assert client.get(reverse("invitations:resend", args=[invitation.pk])).status_code == 404


def test_a_colleague_who_may_invite_follows_for_the_structure(client, house):
    sender, other = make.coordinator(structure=house), make.coordinator(structure=house)
    invitation = colleague(sender)
    client.force_login(other)
    assert "Annuler" in row_of(text(client.get(LIST)), invitation)
    assert client.post(reverse("invitations:revoke", args=[invitation.pk])).status_code == 303
    assert Invitation.objects.get().revoked_at is not None


@pytest.mark.req("SEC-1")
def test_what_went_into_a_dossier_is_followed_from_inside_it_only(client, house):
    sender, other = make.coordinator(structure=house), make.coordinator(structure=house)
    entry = make.open_circle(sender)
    invitation = invited(entry)
    client.force_login(other)
    assert ADDRESS not in text(client.get(LIST))
    make.add(entry, other.attachment.professional, wanted="oui")
    assert "Annuler" in row_of(text(client.get(LIST)), invitation)


def test_a_button_that_would_be_refused_is_not_shown(client, house):
    """A nurse may invite, not habilitate: « Confirmer » is for who may."""
    sender, nurse = make.coordinator(structure=house), make.account(structure=house)
    entry = make.open_circle(sender)
    make.add(entry, nurse.attachment.professional, wanted="oui")
    invitation = invited(entry)
    newcomer(invitation)
    confirm = reverse("invitations:confirm", args=[invitation.pk])
    sheet = reverse("circle:member", args=[entry.dossier.pk, invitation.member_id])
    for page in (LIST, sheet):
        client.force_login(nurse)
        said = text(client.get(page))
        assert "À confirmer" in said and confirm not in said and "Confirmez que" not in said
        client.force_login(sender)
        assert confirm in text(client.get(page))


@pytest.mark.req("SEC-1")
def test_the_reason_of_a_refusal_is_for_who_invited_and_who_habilitates(client, house):
    sender, nurse = make.coordinator(structure=house), make.account(structure=house)
    entry = make.open_circle(sender)
    make.add(entry, nurse.attachment.professional, wanted="oui")
    invitation = invited(entry)
    actions.refuse_invitation(invitation, reason="Je pars en retraite", is_mailed=True)
    sheet = reverse("circle:member", args=[entry.dossier.pk, invitation.member_id])
    for page in (LIST, sheet):
        client.force_login(nurse)
        said = text(client.get(page))
        assert "Refusée" in said and "retraite" not in said
        client.force_login(sender)
        assert "retraite" in text(client.get(page))


# ---- Who may invite and not confirm ---------------------------------------------------------------


def test_who_may_not_confirm_is_told_who_does(client, matrix):
    nurse = make.account()
    client.force_login(nurse)
    said = text(client.get(reverse("invitations:invite")))
    assert "Vous confirmerez" not in said and "sa structure, ou un administrateur, confirmera" in said
    invitation = colleague(nurse)
    invitee = newcomer(invitation).invitation.accepted_by
    row = row_of(text(client.get(LIST)), invitation)
    assert "Sa structure, ou un administrateur, doit confirmer" in row
    assert reverse("invitations:confirm", args=[invitation.pk]) not in row
    client.force_login(invitee)
    said = text(client.get(reverse("invitations:awaiting")))
    assert f"la structure où vous exercez, ou un administrateur (invitation de {nurse.get_full_name()}" in said


def test_who_is_vouched_for_by_his_structure_waits_for_nobody(client, matrix):
    """Else the nurse's invitation would stay « À confirmer », which nobody can."""
    nurse = make.account()
    invitation = colleague(nurse)
    invitee = newcomer(invitation).invitation.accepted_by
    how = VouchedProfession.How.ADMINISTRATOR
    vouch_profession(invitee, profession=make.NURSE, fonction="", structure=None, how=how, by=None)
    client.force_login(nurse)
    assert "Acceptée" in row_of(text(client.get(LIST)), invitation)
    assert invitation.email not in text(client.get(LIST + "?etat=a-confirmer"))
    client.force_login(invitee)
    assert "Rien de plus n’est attendu de vous" in text(client.get(reverse("invitations:awaiting")))


# ---- Which rights open ----------------------------------------------------------------------------


def accepted_by_a_doctor(entry):
    doctor = make.account(make.DOCTOR)
    invitation = invited_by_hand(entry, email=doctor.email)
    actions.accept_invitation(invitation, by=doctor)
    return invitation, doctor


def test_confirming_says_which_profession_decides(client, entry):
    """Invited as a nurse, accepted by an account vouched for as a doctor: the doctor's rights would open."""
    invitation, doctor = accepted_by_a_doctor(entry)
    client.force_login(entry.user)
    row = row_of(text(client.get(LIST)), invitation)
    assert "Profession confirmée de ce compte : médecin, et non infirmier" in row
    page = text(client.get(reverse("invitations:confirm", args=[invitation.pk])))
    assert "et non infirmier" in page and "Ce que cette personne verra" in page and "Droits des médecins" in page
    assert "checked" not in page.split("Droits de cette personne")[1].split("</fieldset>")[0], "nobody chose yet"
    url = reverse("invitations:confirm", args=[invitation.pk])
    for nothing in ({}, {"rights": ""}, {"rights": "60/"}, {"rights": "n’importe quoi"}):
        page = client.post(url, nothing)
        assert page.status_code == 422 and "dites s’il entre avec les droits de la sienne, médecin" in text(page)
    assert Invitation.objects.get().confirmed_at is None
    assert client.post(url, {"rights": "10/"}).status_code == 303
    assert make.entry_of(doctor, entry).access.profile == "medecin"


@pytest.mark.req("SEC-1", "SEC-4")
def test_a_profession_confirmed_between_the_page_and_the_click_opens_nothing(client, entry):
    """The page said « infirmier »: what the click opens is that, or nothing."""
    invitation = invited(entry)
    user = newcomer(invitation).invitation.accepted_by
    how = VouchedProfession.How.ADMINISTRATOR
    vouch_profession(user, profession=make.DOCTOR, fonction="", structure=None, how=how, by=None)
    client.force_login(entry.user)
    page = client.post(reverse("invitations:confirm", args=[invitation.pk]))
    assert page.status_code == 422 and "Droits des médecins" in text(page)
    assert Habilitation.objects.get(members__invitations=invitation).state == "attente"


@pytest.mark.req("SEC-1", "SEC-4")
def test_a_wider_function_than_the_one_invited_waits_for_somebody(entry):
    """A nurse invited, a nurse who coordinates accepts: the same profession, and every rubric instead of some."""
    user = make.account(make.NURSE, make.COORDINATOR)
    invitation = invited_by_hand(entry, email=user.email, family_name=user.family_name, given_name=user.given_name)
    assert not actions.accept_invitation(invitation, by=user).enters
    with pytest.raises(OtherProfession):
        actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    actions.confirm_invitee(invitation, by=entry.user, entry=entry, rights=(make.NURSE, make.COORDINATOR))
    assert make.entry_of(user, entry).access.profile == "coordinateur_sante"


def test_who_is_of_another_profession_may_be_kept_out_from_the_same_page(client, entry):
    invitation, _ = accepted_by_a_doctor(entry)
    client.force_login(entry.user)
    page = text(client.get(reverse("invitations:confirm", args=[invitation.pk])))
    assert "Ne pas la laisser entrer" in page
    assert reverse("invitations:decline", args=[invitation.pk]) in page


def test_an_account_nobody_vouched_for_takes_the_profession_invited(client, entry):
    invitation = invited(entry)
    newcomer(invitation)
    client.force_login(entry.user)
    page = text(client.get(reverse("invitations:confirm", args=[invitation.pk])))
    assert "aucune de confirmée" in page and "sans numéro RPPS" in page and "Droits des infirmiers" in page


@pytest.mark.req("SEC-1", "SEC-9")
def test_the_page_that_confirms_asks_for_the_right_to_habilitate(client, entry):
    nurse = inside(entry)
    invitation, _ = accepted_by_a_doctor(entry)
    client.force_login(nurse)
    assert client.get(reverse("invitations:confirm", args=[invitation.pk])).status_code == 404
    assert traced(nurse, entry) == [("lecture", "refus")]


def test_the_invited_reads_the_rights_of_his_own_profession(client, entry):
    doctor = make.account(make.DOCTOR)
    invitation = invited_by_hand(entry, email=doctor.email)
    said = text(client.get(link(invitation)))
    assert "Droits des infirmiers" in said
    client.force_login(doctor)
    said = text(client.get(link(invitation)))
    assert "Droits des médecins" in said and "Votre profession confirmée est <strong>médecin" in said


def test_nothing_is_promised_that_accepting_does_not_do(client, entry):
    invitation = invited(entry)
    said = text(client.get(link(invitation)))
    assert "directement au dossier" not in said and "après votre identification" not in said
    assert "quelqu’un confirmera d’abord" in said
    nurse = inside(entry)
    person = make.listed()
    asked = make.add(make.entry_of(nurse, entry), person, wanted="oui", invitation={"email": "b@cabinet.example"})
    said = text(client.get(link(asked.invitations.get())))
    assert "Accepter n’ouvre pas encore le dossier" in said and "Ce que vous verrez" not in said


# ---- The profession that the person invited says ---------------------------------------------------


def without_profession(entry):
    """A professional of the directory without a place of work: nothing says what he does."""
    someone = make.listed(family_name="SPÉCIMEN", given_name="Inès")
    someone.activities.all().delete()
    invitation = invited(entry, someone)
    assert invitation.profession == ""
    return invitation


def confirm_url(invitation):
    return reverse("invitations:confirm", args=[invitation.pk])


def test_the_page_of_the_link_asks_six_things_the_profession_among_them(client, entry):
    page = client.get(link(invited(entry)))
    form = page.content.decode().split("Créer votre compte")[1].split("</form>")[0]
    names = re.findall(r'<(?:input|select)[^>]*\sname="(\w+)"', form)
    assert names == ["family_name", "given_name", "profession", "rpps", "password1", "password2"]
    assert re.search(rf'value="{make.NURSE}"\s+selected', form)


@pytest.mark.req("SEC-1")
def test_what_the_person_says_gives_nothing_before_somebody_vouches(client, entry):
    invitation = without_profession(entry)
    sent = {"family_name": "Spécimen", "given_name": "Inès", "profession": make.DOCTOR, "rpps": "",
            "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip
    assert client.post(link(invitation), sent).status_code == 302
    invitation.refresh_from_db()
    user = invitation.accepted_by
    assert invitation.declared_profession == make.DOCTOR
    assert not VouchedProfession.objects.filter(user=user).exists()
    client.force_login(entry.user)
    assert "Cette personne dit être médecin. Rien ne le prouve" in row_of(text(client.get(LIST)), invitation)
    page = text(client.get(confirm_url(invitation)))
    assert "Droits des médecins" in page
    assert client.post(confirm_url(invitation), {"seen": make.DOCTOR}).status_code == 422
    # Changed by who confirms: what it opens is read first.
    page = client.post(confirm_url(invitation), {"profession": make.NURSE, "seen": make.DOCTOR})
    assert page.status_code == 200 and "Droits des infirmiers" in text(page)
    assert not VouchedProfession.objects.filter(user=user).exists()
    page = client.post(confirm_url(invitation), {"profession": make.NURSE, "seen": make.NURSE})
    assert page.status_code == 303
    vouched = VouchedProfession.objects.current().get(user=user)
    assert (vouched.profession, vouched.vouched_by) == (make.NURSE, entry.user)
    assert make.entry_of(user, entry).access.profile == "infirmier"


@pytest.mark.req("SEC-1")
def test_nobody_is_confirmed_without_a_profession_that_somebody_chose(entry):
    invitation = without_profession(entry)
    newcomer(invitation, profession=make.DOCTOR)
    for nothing in (None, ("", ""), ("9999", "")):
        with pytest.raises(ProfessionToChoose):
            actions.confirm_invitee(invitation, by=entry.user, entry=entry, rights=nothing)


@pytest.mark.req("SEC-1")
def test_another_profession_than_the_one_invited_waits_even_for_who_proves_his_address(client, entry):
    """The national directory gives this address to the nurse invited: without a difference she enters at once."""
    someone = make.listed(family_name="SPÉCIMEN", given_name="Inès")
    type(someone).objects.filter(pk=someone.pk).update(email=ADDRESS)
    invitation = invited(entry, someone)
    answered = newcomer(invitation, profession=make.DOCTOR)
    assert not answered.enters
    client.force_login(entry.user)
    page = text(client.get(confirm_url(invitation)))
    assert "Cette personne dit être médecin, et non infirmier comme dans l’invitation." in page
    assert "Droits des infirmiers" in page, "the one invited is proposed"
    actions.confirm_invitee(invitation, by=entry.user, entry=entry, rights=(make.NURSE, ""))
    assert make.entry_of(answered.invitation.accepted_by, entry).access.profile == "infirmier"


def test_the_same_profession_said_again_changes_nothing(entry):
    someone = make.listed(family_name="SPÉCIMEN", given_name="Inès")
    type(someone).objects.filter(pk=someone.pk).update(email=ADDRESS)
    assert newcomer(invited(entry, someone), profession=make.NURSE).enters
