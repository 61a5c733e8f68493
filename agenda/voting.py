"""What the answers to proposed times come to. Pure.

A time suits when every indispensable one says yes, or yes if needed. The best has the most « oui », then is the
earliest; with a quorum, so many « oui » at least (issue 5 §1, AGD-27).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

YES, IF_NEEDED, NO = "oui", "si_besoin", "non"


@dataclass(frozen=True, slots=True)
class Voter:
    """One whose answers count: `choices` {time: answer}; none until he answers."""

    id: UUID
    required: bool
    answered: bool
    choices: Mapping[UUID, str]


class Outcome(StrEnum):
    """WAITING for answers; FOUND: a time suits; NONE: no answer still to come would make one suit."""

    WAITING = "waiting"
    FOUND = "found"
    NONE = "none"


def outcome(times: Mapping[UUID, dt.datetime], voters: Sequence[Voter], quorum: int = 0) -> tuple[Outcome, list[UUID]]:
    """Return what the answers come to, and the times that suit, the best first. `times`: {time: its start}."""
    needed = [voter for voter in voters if voter.required]
    if not all(voter.answered for voter in needed):
        return Outcome.WAITING, []
    possible = [time for time in times if all(voter.choices.get(time) in (YES, IF_NEEDED) for voter in needed)]
    yes = {time: sum(voter.choices.get(time) == YES for voter in voters) for time in possible}
    reached = [time for time in possible if yes[time] >= quorum]
    if reached:
        return Outcome.FOUND, sorted(reached, key=lambda time: (-yes[time], times[time]))
    to_come = sum(not voter.answered for voter in voters)
    if any(yes[time] + to_come >= quorum for time in possible):
        return Outcome.WAITING, []
    return Outcome.NONE, []
