"""The habilitation control of a member: oui, non, refus; its state lives in habilitations, its history here too."""

from __future__ import annotations

from circle import duplicates, history, letters, roles
from circle.actions.common import KIND, name_for, record
from circle.actions.inviting import close_invitations
from circle.errors import NamesakeRefused
from circle.models import Member
from coordination.common.french import date_fr
from habilitations import actions as habilitations
from habilitations.errors import RefusalStands
from habilitations.models import Consent, Habilitation
from habilitations.rubriques import Action

OUI, NON, REFUS = "oui", "non", "refus"


def answer_arrival(
    entry, member: Member, wanted: str, *, refusal: dict | None = None, is_invited: bool = False,
    rests: dict | None = None,
) -> None:  # fmt: skip
    """Do what the form of an addition says; who comes back under a refusal comes back with it."""
    if wanted != OUI and member.habilitation.state == Habilitation.State.REFUS:
        return
    answer(entry, member, wanted, refusal=refusal, is_invited=is_invited, rests=rests)


def answer(
    entry, member: Member, wanted: str, *, refusal: dict | None = None, withdrawal: dict | None = None,
    is_invited: bool = False, rests: dict | None = None,
) -> None:  # fmt: skip
    """Do what the control says for one member, under the circle's lock, and write the history.

    `refusal` {"refused_on", "collected", "comment"} for "refus"; `withdrawal` {"withdrawn_on", "collected"}
    when a refusal stands and another answer is wanted; `is_invited`: an invitation leaves in the same act, for which
    somebody typed by hand may wait; `rests` {"ground", "starts_on"...}, what an answer « oui » rests on, without which
    it opens nothing yet (`habilitations.actions.record_consent`). Who has an account and is let in is told by mail,
    without a name. Raises NamesakeRefused for "oui" while a hand-entered namesake is refused, unless the member says
    why he is somebody else, and the errors of habilitations.actions.
    """
    row = Habilitation.objects.get(pk=member.habilitation_id)
    before = row.state
    if wanted == REFUS:
        if before != REFUS or refusal:
            habilitations.record_refusal(row, by=entry.user, access=entry.access, **(refusal or _MISSING))
    else:
        if before == REFUS:
            _withdraw(entry, row, withdrawal)
        _grant(entry, member, row, wanted, is_invited=is_invited)
    row.refresh_from_db(fields=["state", "user", "requested_at"])
    if row.state != before:
        record(entry, member, KIND.STATE, before=before, after=row.state)
    if wanted == OUI:
        _let_in(entry, member, row, rests, changed=row.state != before)
    if row.state != Habilitation.State.OUI and not row.waits_for_answer:
        # A request answered « non » too: the letter would lead nowhere.
        close_invitations(entry, member)
    # The caller's member shows the state as it is now.
    member.habilitation.refresh_from_db()


def _let_in(entry, member: Member, row: Habilitation, rests: dict | None, *, changed: bool) -> None:
    """Note what the grant rests on; who can enter from now is told."""
    if rests and row.state in (Habilitation.State.OUI, Habilitation.State.ATTENTE):
        carry(entry, member, row, **rests)
    if changed and row.user_id and Habilitation.objects.granting().filter(pk=row.pk).exists():
        letters.tell_of_opened_dossier(row.user, row.dossier_id)


# What a refusal without its date and its way of being collected runs into: CollectedUnknown.
_MISSING = {"refused_on": None, "collected": ""}


def _refuse_refused_namesake(entry, member: Member) -> None:
    refused = duplicates.refused_namesakes(member)
    if refused:
        raise NamesakeRefused(shown=any(name_for(entry, typed) for typed in refused))


def _withdraw(entry, row: Habilitation, withdrawal: dict | None) -> None:
    if not withdrawal:
        standing = row.refusals.filter(withdrawn_at=None).first()
        raise RefusalStands(date=f"{standing.refused_on:%d/%m/%Y}" if standing else "…")
    habilitations.withdraw_refusal(row, by=entry.user, access=entry.access, **withdrawal)


def _grant(entry, member: Member, row: Habilitation, wanted: str, *, is_invited: bool) -> None:
    if wanted == OUI and not member.duplicate_reason:
        _refuse_refused_namesake(entry, member)
    structure_id = member.own_structure_id
    may_grant = entry.access.may(Action.GRANT, structure_id=structure_id)
    if wanted == OUI and not may_grant:
        if row.state not in (Habilitation.State.OUI, Habilitation.State.ATTENTE):
            habilitations.request_habilitation(
                row, by=entry.user, access=entry.access, member_kind=member.kind, is_invited=is_invited
            )
            record(entry, member, KIND.REQUESTED)
        return
    row.refresh_from_db()
    settled = wanted == NON and row.state == Habilitation.State.NON and row.requested_at is None
    if settled:
        return
    habilitations.set_state(
        row,
        wanted,
        by=entry.user,
        access=entry.access,
        member_kind=member.kind,
        member_structure_id=structure_id,
        is_invited=is_invited,
    )


def carry(entry, member: Member, row: Habilitation, **rests) -> Consent:
    """Record on what the sharing with a member rests, and write it in the history. Inside the caller's locks."""
    consent = habilitations.record_consent(
        row, by=entry.user, access=entry.access, may_be_team=member.kind != roles.PERSON, **rests
    )
    said = history.CONSENT if consent.is_express else history.TEAM
    until = date_fr(consent.last_day) if consent.last_day else ""
    record(entry, member, KIND.SHARING, subject=said, before=until, after=date_fr(consent.starts_on))
    return consent
