"""« Réduire pour ce dossier », a last day, a request answered: what is told of them in the history of the circle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from circle.actions.common import ANSWERED, KIND, lock_circle, locked_member, record, trace_right
from circle.errors import LastDayMoved
from circle.models import Member
from coordination.common.french import date_fr
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import actions as habilitations
from habilitations import catalog
from habilitations.actions.limits import EXTENSION, read_as, standing
from habilitations.actions.members import locked
from habilitations.models import AccessRequest, Habilitation
from habilitations.rubriques import Niveau, Rubric, Rubrique


@transaction.atomic
def limit_access(
    entry, member, *, ceilings: Mapping[Rubrique, Niveau], until: dt.date | None, seen: str | None = None
) -> Member:  # fmt: skip
    """Set what a member may do at most in this dossier, rubric by rubric, and until when; one line told for each.

    `seen`: the limits that were read, as `read_as` marks them. Raises MemberUnknown, NotPresent, ChangedMeanwhile, and
    the errors of `habilitations.actions.set_limits`.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    row = locked(member.habilitation)
    if seen is not None and seen != read_as(standing(row), row.access_until):
        raise ChangedMeanwhile
    changed = habilitations.set_limits(
        row, by=entry.user, access=entry.access, ceilings=ceilings, until=until,
        member_structure_id=member.own_structure_id,
    )  # fmt: skip
    for rubrique, (_, niveau) in changed.ceilings.items():
        record_ceiling(entry, member, rubrique, niveau)
    if changed.until:
        was, becomes = (date_fr(day) if day else "" for day in changed.until)
        record(entry, member, KIND.LAST_DAY, before=was, after=becomes)
    member.habilitation.refresh_from_db()
    return member


@transaction.atomic
def extend_access(entry, member, *, day: dt.date) -> Member:
    """Move the last day of a grant, read to be `day`, later by ninety days, from that day or from today.

    Raises LastDayMoved, and the same errors.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    row = locked(member.habilitation)
    if row.access_until is None or row.access_until != day:
        raise LastDayMoved(until=row.access_until)
    until = max(row.access_until, timezone.localdate()) + EXTENSION
    return limit_access(entry, member, ceilings=standing(row), until=until)


@transaction.atomic
def answer_request(entry, request: AccessRequest, *, accept: bool, answer: str = "") -> AccessRequest:
    """Answer the request of a member for a rubric. Raises the errors of `habilitations.actions.answer_request`."""
    lock_circle(entry)
    member = locked_member(entry, Member.objects.get(habilitation=request.habilitation_id))
    answered = habilitations.answer_request(
        request, accept=accept, answer=answer, by=entry.user, access=entry.access,
        member_structure_id=member.own_structure_id,
    )  # fmt: skip
    asked = catalog.last().find(answered.rubrique) or Rubric(answered.rubrique)
    # One act is one line of the journal: the answer says what it did.
    said = "acceptée, réduction levée" if accept else "refusée"
    trace_right(entry, member, f"{asked.label} : demande {said}", action=ANSWERED)
    if accept:
        record_ceiling(entry, member, asked, None, traced=True)
    return answered


def carry_oppositions(entry, row: Habilitation, member: Member) -> None:
    """Close to a member what the person opposes to another entry of the same structure, told as a reduction.

    Inside the caller's transaction and locks.
    """
    for one in habilitations.carry_oppositions(row, member.habilitation):
        record_ceiling(entry, member, catalog.last().rubric_of(one.rubrique), Niveau.AUCUN)


def record_ceiling(
    entry, member: Member, rubrique: Rubrique, niveau: Niveau | None, *, traced: bool = False
) -> None:  # fmt: skip
    """Tell a ceiling set, or lifted (None), in the history of the circle; `traced` as in `record`."""
    words = "" if niveau is None else niveau.label.lower()
    record(entry, member, KIND.REDUCED, subject=rubrique.label, after=words, traced=traced)
