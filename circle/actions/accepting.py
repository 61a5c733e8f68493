"""What the person invited answers, by the link received, and what is confirmed of who accepted.

Public facts prove nobody: a name and an RPPS are on the web. What proves is the mailbox that the letter reached, when
the national directory gives it to the professional; else somebody who knows the person says so.
"""

from __future__ import annotations

from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from circle import history, letters
from circle.actions.adding import main_activity
from circle.actions.common import KIND, lock_circle
from circle.actions.inviting import locked_invitation, revoke
from circle.errors import (
    InvitationClosed,
    NothingToConfirm,
    NumberHasAccount,
    OtherProfession,
    OwnInvitation,
    ProfessionToChoose,
    RefusalNotProved,
)
from circle.granting import may_vouch
from circle.invitation import Invitation
from circle.models import Change
from circle.tracking import profession_said
from coordination.accounts.actions import create_account
from coordination.accounts.models import User
from coordination.common.text import fold, person_name
from coordination.directory.actions import confirm_account, lock_account
from coordination.directory.models import Attachment, Mailbox, Professional, Source
from coordination.directory.search import profession_label
from coordination.dossiers.models import Dossier
from habilitations import actions as habilitations
from habilitations.access import hat_of, to_dossier
from habilitations.errors import AlreadyHabilitated, NotAllowed, RefusalStands
from habilitations.models import Habilitation, VouchedProfession
from habilitations.rubriques import Action, Niveau
from habilitations.traces import NOWHERE, Via, record_account, record_link

How = VouchedProfession.How


class Answered(NamedTuple):
    """`enters`: the dossier is open to the account at once; else somebody is to confirm who it is."""

    invitation: Invitation
    enters: bool


@transaction.atomic
def accept_invitation(
    invitation: Invitation, *, by: User, rpps: str = "", profession: str = "", via: Via = NOWHERE
) -> Answered:
    """Bind the account to the member invited, and open what the inviter granted if the person is proved to be the one.

    Same member row, same period. Proved: an account vouched for as this professional; or the address invited,
    verified, being the one the national directory gives him. Any difference waits for somebody to confirm, that of the
    `profession` he says he has included; it gives no right by itself.
    Raises InvitationClosed, OwnInvitation. Source: issue 3 §3.
    """
    row = _locked_for_answer(invitation, opens=True)
    if by.pk == row.invited_by_id:
        raise OwnInvitation
    if row.member_id and row.member.habilitation.user_id not in (None, by.pk):
        raise InvitationClosed
    lock_account(by)
    row.accepted_at, row.accepted_by = timezone.now(), by
    row.declared_name = person_name(by.family_name, by.given_name)
    row.declared_rpps, row.declared_profession = rpps, profession
    # Answered before anything is bound: what is bound closes the invitations that still wait.
    row.save()
    is_proved = _prove(row, by)
    try:
        enters = _bind(row, by, is_proved=is_proved)
    except RefusalStands:
        # Whoever wants to confirm will read why it cannot be; the person invited does not.
        enters = is_proved = False
    if is_proved:
        row.confirmed_at = row.accepted_at
        row.save(update_fields=["confirmed_at"])
    _note(row, history.ACCEPTED, by=by, via=via)
    return Answered(row, enters)


@transaction.atomic
def accept_with_new_account(
    invitation: Invitation, *, family_name: str, given_name: str, password: str, rpps: str = "", profession: str = "",
    via: Via = NOWHERE,
) -> Answered:  # fmt: skip
    """Open the account of somebody whose mailbox received the letter, and accept by it: both or neither.

    The link that came by mail proves the address: only its holder may call. One account for one RPPS number: the
    person signs in with hers, whatever the address invited. Raises EmailTaken, NumberHasAccount, InvitationClosed.
    """
    if rpps and Attachment.objects.filter(professional__rpps=rpps).exists():
        raise NumberHasAccount
    user = create_account(
        email=invitation.email, family_name=family_name, given_name=given_name, password=password, by=None
    )
    return accept_invitation(invitation, by=user, rpps=rpps, profession=profession, via=via)


@transaction.atomic
def refuse_invitation(
    invitation: Invitation, *, reason: str = "", by: User | None = None, is_mailed: bool = False, via: Via = NOWHERE
) -> None:
    """Say no, without an account and without a reason if one wishes. The member stays in the circle, without access.

    `is_mailed`: by the link that the mailbox invited received; else `by` must own that address. A copied link proves
    nothing, and a refusal closes what somebody granted. Raises InvitationClosed, RefusalNotProved.
    """
    row = _locked_for_answer(invitation)
    if not may_refuse(row, by=by, is_mailed=is_mailed):
        raise RefusalNotProved
    row.refused_at, row.refusal_reason = timezone.now(), " ".join(reason.split())[:300]
    row.save(update_fields=["refused_at", "refusal_reason"])
    if row.member_id:
        habilitations.stop_waiting(row.member.habilitation, by=by)
    _note(row, history.REFUSED, by=by, via=via)


def may_refuse(invitation: Invitation, *, by: User | None, is_mailed: bool) -> bool:
    """Say whether this is the person of the mailbox invited: the mailed link, or an account that owns the address."""
    return is_mailed or (by is not None and _owns(by, invitation.email))


@transaction.atomic
def ask_for_new_link(invitation: Invitation) -> None:
    """The holder of a link that no longer serves asks for another: the inviter is told, once per link.

    Expired or replaced, he sends one; called off, he invites again if he wishes.
    """
    row = locked_invitation(invitation)
    if row.asked_at is None and row.may_be_asked_again and _is_as_read(row, invitation):
        row.asked_at = timezone.now()
        row.save(update_fields=["asked_at"])
        letters.tell_of_new_link(row)


@transaction.atomic
def send_to_address(invitation: Invitation) -> None:
    """Send the letter again, same link, to the address invited: for who holds a link copied by the inviter.

    Raises InvitationClosed.
    """
    row = locked_invitation(invitation)
    if not row.is_valid or not _is_as_read(row, invitation):
        raise InvitationClosed
    letters.send_invitation(row)


def note_opening(invitation: Invitation) -> None:
    """Write that somebody has the page in front of him; never called for a bare GET, which scanners do."""
    Invitation.objects.valid().filter(pk=invitation.pk, opened_at=None).update(opened_at=timezone.now())


@transaction.atomic
def confirm_invitee(
    invitation: Invitation, *, by: User, entry=None, rights: tuple[str, str] | None = None, via: Via = NOWHERE
) -> Invitation:
    """Say that who accepted is the person meant, of the profession invited: what waited opens.

    Rights come from a profession that somebody vouched for. When that of the account is not the one invited, `rights`
    is the (profession, fonction) that the person who confirms read and chose: without it, or if it is no longer that
    of the account, nothing opens. When none was invited, or the person says another, it is the one that who confirms
    vouches for.

    In a dossier, who may habilitate this member; without one, who sent the invitation. Nobody confirms himself. The
    account is not attached to the professional of the directory: what waits for him in other dossiers stays closed.
    Raises NotAllowed, OwnInvitation, NothingToConfirm, OtherProfession, ProfessionToChoose, AlreadyHabilitated,
    RefusalStands (the person refused that account, under another entry of the circle).
    """
    row = _locked_for_confirmation(invitation, by, entry)
    user = row.accepted_by
    lock_account(user)
    profession, fonction = _chosen_rights(locked_invitation(row), rights)
    row.confirmed_at, row.confirmed_by = timezone.now(), by
    row.save(update_fields=["confirmed_at", "confirmed_by"])
    if row.member_id:
        habilitations.bind_account(row.member.habilitation, user, by=by)
    if not VouchedProfession.objects.current().filter(user=user).exists():
        habilitations.vouch_profession(
            user, profession=profession, fonction=fonction, structure=None, how=How.INVITER, by=by
        )
    if row.member_id and Habilitation.objects.granting().filter(pk=row.member.habilitation_id).exists():
        letters.tell_of_opened_dossier(user, row.dossier_id)
    _close_siblings(row, by)
    _note(row, history.CONFIRMED, by=by, via=via, entry=entry)
    return row


@transaction.atomic
def decline_invitee(invitation: Invitation, *, by: User, entry=None, via: Via = NOWHERE) -> Invitation:
    """Say that who accepted is not the person meant: « Ce n’est pas elle ». Nothing opens, nobody is told of anybody.

    The member stays, free to be invited again; who was typed by hand waits for nobody any more. Same right as to
    confirm. Raises NotAllowed, OwnInvitation, NothingToConfirm.
    """
    row = _locked_for_confirmation(invitation, by, entry)
    _decline(row, by)
    if row.member_id and row.member.professional_id is None:
        held = habilitations.release_account(row.member.habilitation, row.accepted_by)
        habilitations.stop_waiting(held, by=by)
    _note(row, history.DECLINED, by=by, via=via, entry=entry)
    return row


def _chosen_rights(row: Invitation, rights: tuple[str, str] | None) -> tuple[str, str]:
    """Return the (profession, fonction) to vouch for; read once the account can no longer change its own.

    Raises OtherProfession or ProfessionToChoose rather than open by one that nobody chose.
    """
    if row.asks_profession:
        if rights is None or not profession_label(rights[0]):
            raise ProfessionToChoose
        return (row.profession, row.fonction) if rights[0] == row.profession else (rights[0], "")
    if rights != row.counting_profession and (rights is not None or row.is_of_another_profession):
        raise OtherProfession(profession=profession_said(row))
    return row.profession, row.fonction


def _decline(row: Invitation, by: User) -> None:
    row.declined_at, row.declined_by = timezone.now(), by
    row.save(update_fields=["declined_at", "declined_by"])


def _close_siblings(row: Invitation, by: User) -> None:
    """Close the other invitations of a member who has been recognized."""
    if not row.member_id:
        return
    others = row.member.invitations.exclude(pk=row.pk)
    for other in others.open().select_for_update(of=("self",)):
        revoke(other, by)
    for other in others.accepted().filter(confirmed_at=None).select_for_update(of=("self",)):
        _decline(other, by)


def _locked_for_confirmation(invitation: Invitation, by: User, entry) -> Invitation:
    if invitation.dossier_id is not None:
        if entry is None or entry.dossier.pk != invitation.dossier_id:
            raise NotAllowed
        lock_circle(entry)
    row = locked_invitation(invitation)
    if row.member_id:
        entry.access.require(Action.GRANT, structure_id=row.member.own_structure_id)
    elif by.pk != row.invited_by_id or not may_vouch(by):
        raise NotAllowed("Seul un coordinateur ou un médecin qui a envoyé l’invitation peut la confirmer.")
    if not row.is_to_confirm:
        raise NothingToConfirm
    if row.accepted_by_id == by.pk:
        raise OwnInvitation
    return row


def _locked_for_answer(invitation: Invitation, *, opens: bool = False) -> Invitation:
    """Return the invitation, locked; `opens`: nobody is let into a dossier that is closed or paused."""
    if invitation.dossier_id is not None:
        # As every writer of a circle does, whoever he is.
        rows = Dossier.objects.select_for_update(of=("self",), no_key=True).only("id", "status")
        if rows.get(pk=invitation.dossier_id).cap < Niveau.ECRITURE and opens:
            raise InvitationClosed("Cette invitation ne peut pas être acceptée en ce moment.")
    row = locked_invitation(invitation)
    if not row.is_valid or not _is_as_read(row, invitation):
        raise InvitationClosed
    if row.member_id and not row.member.habilitation.waits_for_answer:
        raise InvitationClosed
    return row


def _is_as_read(row: Invitation, read: Invitation) -> bool:
    """Say whether the invitation is still the one whose link was read: not sent again before the lock was taken."""
    return row.generation == read.generation and row.email == read.email


def _prove(row: Invitation, user: User) -> bool:
    """Say whether this account is shown to be the person invited, by something only that person has."""
    professional = row.member.professional if row.member_id else _declared(row)
    attachment = Attachment.objects.of(user).first()
    if hat_of(user).profession:
        return _is_same(row, user, professional, attachment)
    if professional is None or not _is_address_of(professional, row.email) or not _owns(user, row.email):
        return False
    if row.declared_rpps and row.declared_rpps != professional.rpps:
        return False
    if attachment is None and Attachment.objects.filter(professional=professional).exists():
        return False
    if attachment is not None and attachment.professional_id != professional.pk:
        return False
    activity = row.member.activity if row.member_id and row.member.activity_id else main_activity(professional)
    # What was invited, and what he says of himself: any difference waits for somebody.
    said = {row.profession, row.declared_profession} - {""}
    if activity is None or said - {activity.profession}:
        return False
    confirm_account(user, activity, how=How.DIRECTORY, by=None)
    return True


def _is_same(row: Invitation, user: User, professional, attachment) -> bool:
    """An account already vouched for: as the professional invited, else of the address, name and trade invited.

    The address alone is what an inviter wrote.
    """
    if professional is not None:
        return attachment is not None and attachment.professional_id == professional.pk
    hat = hat_of(user)
    return _agrees(row, user) and (row.profession, row.fonction) == (hat.profession, hat.fonction)


def _agrees(row: Invitation, user: User) -> bool:
    """Say whether the account has the address and the name that were invited."""
    same_family = fold(row.family_name) == fold(user.family_name)
    same_given = not row.given_name or fold(row.given_name) == fold(user.given_name)
    return same_family and same_given and _owns(user, row.email)


def _declared(row: Invitation) -> Professional | None:
    """Return the professional of the RPPS number that somebody typed by hand writes of himself."""
    if not row.declared_rpps:
        return None
    return Professional.objects.active().filter(rpps=row.declared_rpps).exclude(source=Source.LOCAL).first()


def _is_address_of(professional: Professional, email: str) -> bool:
    """Say whether the national files give this address to this person, alone: not what somebody typed here.

    The address of a place of work is shared by those who work there.
    """
    if professional.source == Source.LOCAL:
        return False
    given = {professional.email.lower(), professional.mss_address.lower()} - {""}
    if professional.national_id:
        boxes = Mailbox.objects.active().filter(kind=Mailbox.Kind.PERSON, national_id=professional.national_id)
        given |= {address.lower() for address in boxes.values_list("address", flat=True)}
    return email.lower() in given


def _owns(user: User, email: str) -> bool:
    return EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists()


def _bind(row: Invitation, user: User, *, is_proved: bool) -> bool:
    """Bind the account to the row of the member; return whether the dossier is open to it.

    Proved, or somebody typed by hand of that name, whose mailbox it is and whom nobody has vouched for yet: he then
    waits for his profession. Else nothing is bound before somebody has looked. Raises RefusalStands.
    """
    if not row.member_id:
        return is_proved
    is_simply_unvouched = row.member.professional_id is None and not hat_of(user).profession and _agrees(row, user)
    if is_proved or is_simply_unvouched:
        try:
            with transaction.atomic():
                habilitations.bind_account(row.member.habilitation, user, by=user)
        except AlreadyHabilitated:
            # He is there already under another entry: that one decides.
            pass
    return to_dossier(user, row.dossier_id) is not None


def _note(row: Invitation, what: str, *, by: User | None, via: Via, entry=None) -> None:
    if row.dossier_id is None:
        record_account(user=by, action=what, object_kind="invitation", object_id=row.pk, via=via)
        return
    if entry is not None:
        entry.trace(what, object_kind="invitation", object_id=row.pk)
    else:
        record_link(
            user=by, dossier_id=row.dossier_id, habilitation_id=row.member.habilitation_id, action=what,
            object_kind="invitation", object_id=row.pk, via=via,
        )  # fmt: skip
    Change.objects.create(dossier_id=row.dossier_id, member=row.member, by=by, kind=KIND.INVITATION, subject=what)
