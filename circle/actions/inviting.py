"""Inviting somebody, and following the letter: sent again, reminded of, revoked. Answers are in `accepting`.

Lock order: the dossier's row, then the member, then the invitation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from circle import history, letters, links, roles
from circle.actions.common import KIND, lock_circle, locked_member, record
from circle.discretion import names_the_person
from circle.errors import (
    AddressIsGranted,
    AlreadyInvited,
    InvitationClosed,
    InvitationNotPossible,
    MessageNamesPerson,
    RemindedToday,
)
from circle.granting import may_invite
from circle.invitation import REMINDER, Invitation
from circle.models import Change, Member
from coordination.common.identifiers import parse_email
from coordination.common.resending import require_same
from coordination.common.text import capital_family, capital_given, squeeze
from habilitations import actions as habilitations
from habilitations.access import hat_of
from habilitations.errors import NotAllowed
from habilitations.models import Habilitation
from habilitations.rubriques import Action
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def invite_member(entry, member, *, email: str, message: str = "") -> Invitation:
    """Invite by e-mail a professional of the circle who waits for an account. The member is there; rights wait.

    The answer is the same whether the address has an account or not. Raises NotAllowed (action right "inviter"),
    InvitationNotPossible, AlreadyInvited, InvalidEmail, AddressIsGranted, MessageNamesPerson, MemberUnknown,
    NotPresent. Source: issue 3 §3.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    entry.access.require(Action.INVITE, structure_id=member.own_structure_id)
    row = member.habilitation
    waits = row.state == Habilitation.State.ATTENTE or row.requested_at is not None
    if member.kind not in (roles.DIRECTORY, roles.MANUAL) or row.user_id or not waits:
        raise InvitationNotPossible
    message = _message(message, entry.dossier)
    _require_address_right(entry, member, email)
    # One whose time is over is answered by the new one.
    member.invitations.expired().update(revoked_at=timezone.now(), revoked_by=entry.user)
    person = member.professional or member
    profession, fonction = member.profession_codes
    invitation = _create(
        by=entry.user, hat=entry.access.hat, email=email, message=message, dossier_id=entry.dossier.pk, member=member,
        family_name=person.family_name, given_name=person.given_name, profession=profession, fonction=fonction,
    )  # fmt: skip
    record(entry, member, KIND.INVITATION, subject=history.SENT)
    return invitation


@transaction.atomic
def invite_colleague(
    *, by, email: str, family_name: str, given_name: str, profession: str, message: str = "", creation_key: UUID,
    via: Via = NOWHERE,
) -> Invitation:  # fmt: skip
    """Invite a colleague to use the application, without any dossier. The same answer whoever has an account.

    Raises NotAllowed (action right "inviter"), AlreadySent, AlreadyInvited, InvalidEmail. Source: issue 3 §3.
    """
    if not may_invite(by):
        raise NotAllowed("Votre profession ne permet pas d’inviter.")
    made = Invitation.objects.filter(invited_by=by, creation_key=creation_key).first()
    said = {
        "family_name": capital_family(family_name)[:120], "given_name": capital_given(given_name)[:120],
        "profession": profession,
    }  # fmt: skip
    if made:
        require_same(made, email=parse_email(email), message=_message(message), **said)
        return made
    Invitation.objects.expired().filter(invited_by=by, member=None, email=email.strip().lower()).update(
        revoked_at=timezone.now(), revoked_by=by
    )
    invitation = _create(
        by=by, hat=hat_of(by), email=email, message=_message(message), creation_key=creation_key, **said,
    )  # fmt: skip
    record_account(user=by, action="invitation", object_kind="invitation", object_id=invitation.pk, via=via)
    return invitation


@transaction.atomic
def resend_invitation(invitation: Invitation, *, by, entry=None, email: str = "", via: Via = NOWHERE) -> Invitation:
    """Send a new link for a new term; the links of before no longer serve. `email` corrects the address.

    `entry` is the door's, for an invitation into a dossier. Raises NotAllowed (another address than the one that was
    habilitated needs the right to habilitate), InvitationClosed, InvalidEmail, AlreadyInvited.
    """
    row = _followed(invitation, by, entry)
    if email:
        if row.member_id:
            _require_address_right(entry, row.member, email)
        row.email = parse_email(email)
    now = timezone.now()
    row.generation += 1
    row.sent_at, row.expires_at = now, now + _term()
    row.opened_at = row.reminded_at = row.asked_at = row.undelivered_told_at = None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        # Somebody else is invited at this address already.
        raise AlreadyInvited from error
    letters.stop_waiting_letters(row)
    letters.send_invitation(row)
    _note(row, by, entry, history.SENT_AGAIN, via)
    return row


@transaction.atomic
def remind_invitation(invitation: Invitation, *, by, entry=None, via: Via = NOWHERE) -> Invitation:
    """Write again with the same link; once a day at most.

    Raises NotAllowed, InvitationClosed, RemindedToday.
    """
    row = _followed(invitation, by, entry)
    if not row.is_valid:
        raise InvitationClosed
    if row.remindable_at > timezone.now():
        raise RemindedToday
    _remind(row)
    _note(row, by, entry, history.REMINDED, via)
    return row


@transaction.atomic
def copy_link(invitation: Invitation, *, by, entry=None, via: Via = NOWHERE) -> str:
    """Return the link to hand over by another way, the generation kept; traced. It proves no address.

    Raises NotAllowed, InvitationClosed.
    """
    row = _followed(invitation, by, entry)
    if not row.is_valid:
        raise InvitationClosed
    _note(row, by, entry, history.LINK_COPIED, via)
    return links.address_of(row, links.COPIED)


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by, entry=None, via: Via = NOWHERE) -> Invitation:
    """Cancel an invitation: its links no longer serve, a letter not yet left does not leave.

    Who was typed by hand waits for nobody any more. Raises NotAllowed, InvitationClosed.
    """
    row = _followed(invitation, by, entry)
    revoke(row, by)
    if row.member_id and row.member.kind == roles.MANUAL and row.member.habilitation.ended_at is None:
        habilitations.stop_waiting(row.member.habilitation, by=by)
    _note(row, by, entry, history.REVOKED, via)
    return row


def close_invitations(entry, member: Member) -> None:
    """Revoke what a member was invited by: he leaves, or his access is closed. Inside the caller's locks."""
    for row in member.invitations.open().select_for_update(of=("self",)):
        revoke(row, entry.user)
        record(entry, member, KIND.INVITATION, subject=history.REVOKED)


def close_answered(habilitation_ids: Collection[UUID], by) -> None:
    """Revoke the invitations of members whose account is known by another way. Inside the caller's transaction.

    One that is being answered at this moment is left to its answer, which finds the row taken.
    """
    rows = Invitation.objects.open().filter(member__habilitation__in=habilitation_ids).select_related("member")
    for row in rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
        revoke(row, by)
        Change.objects.create(
            dossier_id=row.dossier_id, member=row.member, by=by, kind=KIND.INVITATION, subject=history.ANSWERED
        )


def remind_due() -> int:
    """Remind once of the invitations that nobody has answered; return how many. For the clock (Celery beat)."""
    limit = timezone.now() - timedelta(days=settings.INVITATION_REMINDER_DAYS)
    done = 0
    for key in list(Invitation.objects.to_remind(limit).values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            rows = Invitation.objects.to_remind(limit).select_related("invited_by").filter(pk=key)
            row = rows.select_for_update(skip_locked=True, of=("self",)).first()
            if row is not None:
                _remind(row)
                done += 1
    return done


def tell_undelivered() -> int:
    """Tell each inviter, once per address, of the letters that the servers refuse; return how many. For the clock."""
    done = 0
    for key in list(Invitation.objects.undelivered_untold().values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            rows = Invitation.objects.valid().filter(pk=key, undelivered_told_at=None).select_related("invited_by")
            row = rows.select_for_update(skip_locked=True, of=("self",)).first()
            if row is not None:
                row.undelivered_told_at = timezone.now()
                row.save(update_fields=["undelivered_told_at"])
                letters.tell_of_undelivered(row)
                done += 1
    return done


def locked_invitation(invitation: Invitation) -> Invitation:
    """Return an invitation as stored now, locked."""
    rows = Invitation.objects.with_names()
    return rows.select_for_update(of=("self",)).get(pk=invitation.pk)


def _create(*, by, hat, email: str, message: str, **details) -> Invitation:
    now = timezone.now()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                invited_by=by, email=parse_email(email), message=message, structure_id=hat.structure_id,
                structure_name=hat.structure_name, sent_at=now, expires_at=now + _term(), **details,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyInvited from error
    letters.send_invitation(invitation)
    return invitation


def _term() -> timedelta:
    return timedelta(days=settings.INVITATION_DAYS)


def _message(text: str, dossier=None) -> str:
    text = squeeze(text)[:600]
    if dossier is not None and names_the_person(text, dossier):
        raise MessageNamesPerson
    return text


def _require_address_right(entry, member: Member, email: str) -> None:
    """Refuse to send a habilitation that waits to another address, unless one may habilitate that member.

    Who granted it granted it to whom the letter was for: another address is another grant.
    """
    if member.habilitation.state != Habilitation.State.ATTENTE:
        return
    last = member.invitations.order_by("-sent_at", "-id").first()
    if last is None or last.email.lower() == parse_email(email).lower():
        return
    if not entry.access.may(Action.GRANT, structure_id=member.own_structure_id):
        raise AddressIsGranted


def _followed(invitation: Invitation, by, entry) -> Invitation:
    """Return the open invitation, locked, once `by` may follow it.

    In a dossier: who may invite there today. Without one: who sent it, or somebody of the structure he sent it for.
    """
    if invitation.dossier_id is not None:
        if entry is None or entry.dossier.pk != invitation.dossier_id:
            raise NotAllowed
        lock_circle(entry)
        entry.access.require(Action.INVITE)
    elif by.pk != invitation.invited_by_id:
        mine = hat_of(by).structure_id
        if mine is None or mine != invitation.structure_id or not may_invite(by):
            raise NotAllowed
    row = locked_invitation(invitation)
    if not row.is_open:
        raise InvitationClosed
    return row


def _remind(row: Invitation) -> None:
    row.reminded_at = timezone.now()
    row.save(update_fields=["reminded_at"])
    letters.send_invitation(row, kind=REMINDER)


def revoke(row: Invitation, by) -> None:
    """Close a locked invitation; the caller writes why in the history."""
    row.revoked_at, row.revoked_by = timezone.now(), by
    row.save(update_fields=["revoked_at", "revoked_by"])


def _note(row: Invitation, by, entry, what: str, via: Via) -> None:
    """Write the act in the history of the circle and in the journal."""
    if row.dossier_id is None:
        record_account(user=by, action=what, object_kind="invitation", object_id=row.pk, via=via)
        return
    entry.trace(what, object_kind="invitation", object_id=row.pk)
    record(entry, row.member, KIND.INVITATION, subject=what)
