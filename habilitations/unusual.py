"""Accesses worth a question: what is pointed out in the journal of a dossier (issue 3 §5). Pure.

Pointed out is not wrong: a night call, a new colleague. Only readings and writings that were let through are judged;
a refusal already says what it is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

FIRST, HOURS, WEEKEND, MANY = "first", "hours", "weekend", "many"


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings JOURNAL_*: each rule is off at 0 (or, for the hours, when both are the same).

    `opens`, `closes`: usual hours, local. `weekend`: whether Saturday and Sunday are usual days. `new_days`: how long
    a member counts as new to a circle. `many`: how many dossiers opened within `many_minutes` are many.
    """

    opens: int = 7
    closes: int = 21
    weekend: bool = True
    new_days: int = 30
    many: int = 30
    many_minutes: int = 30


@dataclass(frozen=True, slots=True)
class Facts:
    """What is judged: local time of the access; `is_first`: this person had not opened this dossier for `new_days`.

    `member_since`: when this person's own habilitation was opened; None when somebody else's, a structure's, let in.
    `dossiers`: how many dossiers the person opened in the minutes before.
    """

    at: dt.datetime
    is_first: bool
    member_since: dt.datetime | None
    dossiers: int


def unusual(facts: Facts, limits: Limits) -> tuple[str, ...]:
    """Return what is unusual, in the order of the screen: FIRST, HOURS, WEEKEND, MANY; () when nothing is."""
    said = (
        (FIRST, _is_new(facts, limits)), (HOURS, _is_late(facts, limits)), (WEEKEND, _is_weekend(facts, limits)),
        (MANY, _is_quick(facts, limits)),
    )  # fmt: skip
    return tuple(kind for kind, held in said if held)


def _is_new(facts: Facts, limits: Limits) -> bool:
    if not (limits.new_days and facts.is_first):
        return False
    return facts.member_since is None or facts.at - facts.member_since < dt.timedelta(days=limits.new_days)


def _is_late(facts: Facts, limits: Limits) -> bool:
    return limits.opens != limits.closes and not limits.opens <= facts.at.hour < limits.closes


def _is_weekend(facts: Facts, limits: Limits) -> bool:
    return not limits.weekend and facts.at.weekday() >= 5


def _is_quick(facts: Facts, limits: Limits) -> bool:
    return bool(limits.many) and facts.dossiers >= limits.many
