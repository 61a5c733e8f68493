"""The answers to the times proposed for a meeting, as a table: who says what of which time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from agenda.actions.votes import is_voter, times_of
from agenda.forms.votes import moment_of_time
from agenda.models import Answer, Appointment, Participation, Proposal

ANSWER, NEED = Participation.Status, Participation.Need
KINDS = {Answer.Choice.YES: "ok", Answer.Choice.IF_NEEDED: "att", Answer.Choice.NO: "refus"}


@dataclass(frozen=True, slots=True)
class Time:
    """One time: how many « oui », for how many who answer."""

    pk: UUID
    moment: str
    yes: int
    of: int


@dataclass(frozen=True, slots=True)
class Line:
    """One of the invited: what he says of each time, (words, kind of tag), in their order."""

    pk: UUID
    name: str
    need: str
    state: str
    state_kind: str
    comment: str
    answers: list[tuple[str, str]] = field(default_factory=list)
    # Neither an account nor an address: somebody tells him.
    is_unreachable: bool = False
    may_leave: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    times: list[Time]
    lines: list[Line]
    # {pk, moment, by, word} of other moments that are not put to the vote.
    others: list[dict]


def of(meeting: Appointment, people: Sequence[Participation], names: dict[UUID, str]) -> Vote:
    """Return the vote of a meeting; `names` leaves out whom the reader may not know. Three SQL statements."""
    times = times_of(meeting)
    said: dict[UUID, dict[UUID, str]] = {}
    for answer in Answer.objects.filter(proposal__appointment=meeting):
        said.setdefault(answer.participation_id, {})[answer.proposal_id] = answer.choice
    lines = [_line(meeting, one, names[one.pk], times, said.get(one.pk, {})) for one in people if one.pk in names]
    voters = [one for one in people if is_voter(one)]
    drawn = [
        Time(
            time.pk,
            moment_of_time(time, meeting.zone),
            sum(said.get(one.pk, {}).get(time.pk) == Answer.Choice.YES for one in voters),
            len(voters),
        )
        for time in times
    ]
    return Vote(drawn, lines, _others(meeting, names))


def _line(meeting, one: Participation, name: str, times: Sequence[Proposal], said: dict[UUID, str]) -> Line:
    answers = not (one.is_the_person or one.room_id)
    waits = answers and one.status == ANSWER.NEEDS_ACTION
    fixed = meeting.status not in (Appointment.Status.PROPOSED, Appointment.Status.PENDING)
    state = one.get_status_display() if answers and (waits or fixed) else ""
    return Line(
        pk=one.pk,
        name=name,
        need=one.get_need_display() if answers else "",
        state=state,
        state_kind={ANSWER.ACCEPTED: "ok", ANSWER.DECLINED: "refus"}.get(one.status, "att"),
        comment=one.comment,
        answers=[_word(said.get(time.pk)) if answers else ("", "") for time in times],
        is_unreachable=answers and one.user_id is None and not one.email,
        may_leave=one.user_id is None or one.user_id != meeting.organizer_id,
    )


def _word(choice: str | None) -> tuple[str, str]:
    return (Answer.Choice(choice).label, KINDS[Answer.Choice(choice)]) if choice else ("Sans réponse", "auc")


def _others(meeting: Appointment, names: dict[UUID, str]) -> list[dict]:
    rows = meeting.proposals.filter(withdrawn_at=None).exclude(proposed_by=None).select_related("proposed_by")
    return [
        {
            "pk": row.pk,
            "moment": moment_of_time(row, meeting.zone),
            "by": names.get(row.proposed_by_id, "Un participant"),
            "word": row.proposed_by.comment,
        }
        for row in rows.order_by("starts_at")
    ]
