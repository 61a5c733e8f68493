"""The habilitation control of a member: oui, non, refus; its state lives in habilitations, its history here too."""

from __future__ import annotations

from circle import duplicates, letters
from circle.actions.common import KIND, name_for, record
from circle.actions.inviting import close_invitations
from circle.errors import NamesakeRefused
from circle.models import Member
from habilitations import actions as habilitations
from habilitations.errors import RefusalStands
from habilitations.models import Habilitation
from habilitations.rubriques import Action

OUI, NON, REFUS = "oui", "non", "refus"


def answer_arrival(
    entry, member: Member, wanted: str, *, refusal: dict | None = None, is_invited: bool = False
) -> None:
    """Do what the form of an addition says; who comes back under a refusal comes back with it."""
    if wanted != OUI and member.habilitation.state == Habilitation.State.REFUS:
        return
    answer(entry, member, wanted, refusal=refusal, is_invited=is_invited)


def answer(
    entry, member: Member, wanted: str, *, refusal: dict | None = None, withdrawal: dict | None = None,
    is_invited: bool = False,
) -> None:  # fmt: skip
    """Do what the control says for one member, under the circle's lock, and write the history.

    `refusal` {"refused_on", "collected", "comment"} for "refus"; `withdrawal` {"withdrawn_on", "collected"}
    when a refusal stands and another answer is wanted; `is_invited`: an invitation leaves in the same act, for which
    somebody typed by hand may wait. Who has an account and is let in is told by mail, without a name. Raises
    NamesakeRefused for "oui" while a hand-entered namesake is refused, unless the member says why he is somebody
    else, and the errors of habilitations.actions.
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
        if row.state == Habilitation.State.OUI and row.user_id is not None:
            letters.tell_of_opened_dossier(row.user, row.dossier_id)
    if row.state != Habilitation.State.OUI and not row.waits_for_answer:
        # A request answered « non » too: the letter would lead nowhere.
        close_invitations(entry, member)
    # The caller's member shows the state as it is now.
    member.habilitation.refresh_from_db()


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
