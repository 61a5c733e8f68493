"""The participants of a circle: stays and roles cut into pieces, compared with what is asked. Pure.

A participant is one member, from a day to another, in one role (CDS-26): a stay during which the role changed makes
several. [starts_on, ends_on) as everywhere in the circle; a stay that ends on the day it began keeps that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

# A departure is known this long ahead at most; beyond, it is a slip of the keyboard, or a program's « never ».
FURTHEST = dt.timedelta(days=3_653)

Stay = tuple[dt.date, dt.date | None]
HeldRole = tuple[str, dt.date, dt.date | None]


class NotKept(Exception):
    """What is asked cannot be held. `said` is the French sentence, `element` what it is about in the participant."""

    def __init__(self, said: str, element: str = "period") -> None:
        self.said, self.element = said, element
        super().__init__(said)


@dataclass(frozen=True, slots=True)
class Piece:
    """One member in one role for a time. `role`: a code, "" for none, None when nothing is said of it."""

    starts_on: dt.date
    ends_on: dt.date | None
    role: str | None = None

    def meets(self, other: Piece) -> bool:
        """Say whether there is a day on both."""
        return _before(self.starts_on, other.ends_on) and _before(other.starts_on, self.ends_on)


def pieces_of(stays: Iterable[Stay], held: Iterable[HeldRole]) -> list[Piece]:
    """Return the pieces of a member, in order, from his stays and the roles he held."""
    ordered = sorted(held, key=lambda one: one[1])
    if not ordered:
        return [Piece(*stay, "") for stay in sorted(stays, key=_stay_order)]
    found: list[Piece] = []
    for starts_on, ends_on in sorted(stays, key=_stay_order):
        found += _merged(_cut(starts_on, ends_on, ordered))
    return found


def _cut(starts_on: dt.date, ends_on: dt.date | None, held: Sequence[HeldRole]) -> list[Piece]:
    found: list[Piece] = []
    day: dt.date | None = starts_on
    for code, begins, ends in held:
        if day is None or not _before(day, ends) or not _before(begins, ends_on):
            continue
        first = max(begins, day)
        if first > day:
            found.append(Piece(day, first, ""))
        day = _earliest(ends, ends_on)
        found.append(Piece(first, day, code))
    if day is not None and (_before(day, ends_on) or not found):
        found.append(Piece(day, ends_on, ""))
    return found


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Put together what follows without a change of role."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].ends_on == piece.starts_on and found[-1].role == piece.role:
            found[-1] = Piece(found[-1].starts_on, piece.ends_on, piece.role)
        else:
            found.append(piece)
    return found


def spread(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the same days in the same roles without two pieces on one day: the first that names a role wins.

    A member has one role at a time here; FHIR lets several participants name him on the same days.
    """
    ordered = sorted(pieces, key=lambda piece: _stay_order((piece.starts_on, piece.ends_on)))
    if not any(one.meets(other) for one, other in pairwise(ordered)) and not _some_meet(ordered):
        return ordered
    days = sorted({p.starts_on for p in pieces} | {p.ends_on for p in pieces if p.ends_on})
    bounds: list[tuple[dt.date, dt.date | None]] = [*pairwise(days), (days[-1], None)]
    found = []
    for first, last in bounds:
        here = [piece for piece in pieces if piece.meets(Piece(first, last))]
        if here:
            found.append(Piece(first, last, next((p.role for p in here if p.role is not None), None)))
    alone = [p for p in pieces if p.starts_on == p.ends_on and not any(p.starts_on == f.starts_on for f in found)]
    return sorted([*_merged(found), *set(alone)], key=lambda piece: _stay_order((piece.starts_on, piece.ends_on)))


def _some_meet(ordered: Sequence[Piece]) -> bool:
    latest: Piece | None = None
    for piece in ordered:
        if latest is not None and latest.meets(piece):
            return True
        if latest is None or latest.ends_on is not None and (piece.ends_on is None or piece.ends_on > latest.ends_on):
            latest = piece
    return False


def agrees(wanted: Sequence[Piece], standing: Sequence[Piece]) -> bool:
    """Say whether both tell the same days, and the same roles wherever `wanted` names one."""
    return stays_of(wanted) == stays_of(standing) and not _differing(spread(wanted), standing)


def _differing(wanted: Sequence[Piece], standing: Sequence[Piece]) -> list[tuple[Piece, Piece]]:
    return [(w, s) for w in wanted for s in standing if w.role is not None and w.meets(s) and w.role != s.role]


def stays_of(pieces: Iterable[Piece]) -> list[Stay]:
    """Return the stays of these pieces: what follows without a day between is one."""
    found: list[Stay] = []
    for piece in sorted(pieces, key=lambda one: _stay_order((one.starts_on, one.ends_on))):
        last = found[-1][1] if found else None
        if found and (last is None or piece.starts_on <= last):
            if last is not None:
                found[-1] = (found[-1][0], None if piece.ends_on is None else max(piece.ends_on, last))
        else:
            found.append((piece.starts_on, piece.ends_on))
    return found


# ---- What is asked against what stands ---------------------------------------------------------------------------


@dataclass(slots=True)
class Difference:
    """What must be done for one member.

    `leaves_on`: the present stay ends that day; `replans`: its planned end becomes `until`, None for none; `enters`:
    stays to add, those to come included; `moved`: (stay as it stands, as asked); `called_off`: stays that were to
    come; `roles`: [(day, code)] to give in the present stay, in order; `aside`: stays that nobody named, as they will
    be.
    """

    leaves_on: dt.date | None = None
    replans: bool = False
    until: dt.date | None = None
    called_off: list[Stay] = field(default_factory=list)
    enters: list[Stay] = field(default_factory=list)
    moved: list[tuple[Stay, Stay]] = field(default_factory=list)
    roles: list[tuple[dt.date, str]] = field(default_factory=list)
    aside: list[Stay] = field(default_factory=list)

    def is_met(self, wanted: Sequence[Piece], now: Iterable[Piece]) -> bool:
        """Say whether a member whose pieces are `now` is what was wanted, beside the stays that nobody named."""
        return agrees(wanted, [piece for piece in now if not any(_within(piece, stay) for stay in self.aside)])


def difference(
    wanted: Sequence[Piece], standing: Sequence[Piece], stays: Sequence[Stay], today: dt.date
) -> Difference:
    """Return what changes `standing` (whose stays are `stays`) into what is asked.

    A past stay that is not named stays as it was; a present one ends today (CDS-71), one to come is called off. Raises
    NotKept.
    """
    asked = spread(wanted)
    found = Difference()
    matched: set[int] = set()
    for stay in _split(stays_of(asked), stays):
        _check(stay, today)
        rank = _match(stay, stays, matched)
        if rank is None:
            if any(_overlaps(stay, other) for other in stays):
                raise NotKept("Ces dates se recoupent avec celles d’un autre séjour de ce membre.")
            _enters(found, stay, today)
            continue
        matched.add(rank)
        _of_stay(found, stay, stays[rank], today)
    for rank, stay in enumerate(stays):
        if rank not in matched:
            _left_aside(found, stay, today)
    found.roles = _roles(asked, standing, today)
    return found


def is_over(stay: Stay, today: dt.date) -> bool:
    return stay[1] is not None and stay[1] <= today


def is_under_way(stay: Stay, today: dt.date) -> bool:
    """Say whether a stay has begun and goes on, be its end planned."""
    return stay[0] <= today and not is_over(stay, today)


def _enters(found: Difference, stay: Stay, today: dt.date) -> None:
    found.enters.append(stay)
    if is_under_way(stay, today) and stay[1] is not None:
        found.replans, found.until = True, stay[1]


def _left_aside(found: Difference, stay: Stay, today: dt.date) -> None:
    if stay[0] > today:
        found.called_off.append(stay)
        return
    found.aside.append((stay[0], stay[1] if is_over(stay, today) else today))
    found.leaves_on = found.leaves_on if is_over(stay, today) else today


def _of_stay(found: Difference, asked: Stay, stands: Stay, today: dt.date) -> None:
    if asked == stands:
        return
    if stands[0] > today and asked[0] <= today:
        found.called_off.append(stands)
        _enters(found, asked, today)
    elif stands[0] > today:
        found.moved.append((stands, asked))
    elif asked[0] > today:
        raise NotKept("Ce séjour a commencé : sa date d’entrée n’est pas à venir.", "period.start")
    elif is_over(stands, today):
        if not is_over(asked, today):
            raise NotKept(
                "Ce membre a quitté le cercle de soins : s’il revient, ajoutez un participant à partir d’aujourd’hui.",
                "period.end",
            )
        found.moved.append((stands, asked))
    else:
        _of_present(found, asked, stands, today)


def _of_present(found: Difference, asked: Stay, stands: Stay, today: dt.date) -> None:
    if is_over(asked, today):
        found.leaves_on = asked[1]
    elif asked[1] != stands[1]:
        found.replans, found.until = True, asked[1]
    if asked[0] != stands[0]:
        # Until when is said apart.
        found.moved.append(((stands[0], None), (asked[0], None)))


def _check(stay: Stay, today: dt.date) -> None:
    if stay[1] is None:
        return
    if stay[1] > today + FURTHEST:
        raise NotKept(
            "Cette date est trop lointaine : un départ se prévoit dix ans à l’avance au plus.", "period.end"
        )  # fmt: skip
    if stay[0] > today and stay[1] <= stay[0]:
        raise NotKept("Le départ prévu suit l’entrée dans le cercle de soins.", "period.end")


def _split(asked: Iterable[Stay], stays: Sequence[Stay]) -> list[Stay]:
    """Cut what is asked where a stay that stands begins: who left and came back the same day has two."""
    starts = sorted(start for start, _ in stays)
    found: list[Stay] = []
    for first, last in asked:
        for cut in (day for day in starts if first < day and _before(day, last) and _ends(stays, day)):
            found.append((first, cut))
            first = cut
        found.append((first, last))
    return found


def _ends(stays: Iterable[Stay], day: dt.date) -> bool:
    return any(end == day for _, end in stays)


def _match(asked: Stay, stays: Sequence[Stay], taken: set[int]) -> int | None:
    free = [rank for rank in range(len(stays)) if rank not in taken]
    same = [rank for rank in free if stays[rank] == asked] or [r for r in free if stays[r][0] == asked[0]]
    return next(iter(same or [rank for rank in free if _overlaps(asked, stays[rank])]), None)


def _roles(asked: Sequence[Piece], standing: Sequence[Piece], today: dt.date) -> list[tuple[dt.date, str]]:
    """Return the roles to give in the present stay, from the first day on which they differ."""
    present = next((stay for stay in stays_of(asked) if is_under_way(stay, today)), None)
    if present is None:
        return []
    here = [piece for piece in asked if piece.meets(Piece(*present))]
    stand = [piece for piece in standing if piece.meets(Piece(*present))]
    differing = [max(w.starts_on, s.starts_on) for w, s in _differing(here, stand)]
    new = [piece.starts_on for piece in here if piece.role is not None and not any(piece.meets(s) for s in stand)]
    if not (differing or new):
        return []
    first = min([*differing, *new])
    days = []
    for piece in here:
        if piece.ends_on is not None and piece.ends_on <= first:
            continue
        day = max(piece.starts_on, first)
        if piece.role is not None:
            days.append((day, piece.role))
            continue
        # Nothing is said of these days: what stands there stays.
        days += [(max(s.starts_on, day), s.role) for s in stand if s.role is not None and s.meets(piece)]
    return days


def _within(piece: Piece, stay: Stay) -> bool:
    return stay[0] <= piece.starts_on and piece.ends_on is not None and (stay[1] is None or piece.ends_on <= stay[1])


def _overlaps(one: Stay, other: Stay) -> bool:
    return Piece(*one).meets(Piece(*other))


def _before(day: dt.date, end: dt.date | None) -> bool:
    return end is None or day < end


def _earliest(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    return min((day for day in (one, other) if day is not None), default=None)


def _stay_order(stay: Stay) -> tuple[dt.date, dt.date]:
    return stay[0], stay[1] or dt.date.max


# ---- What the database puts together ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One member as a version of the circle tells him (`circle_facts`): who, when he was there, in which roles."""

    id: UUID
    kind: str
    professional_id: str | None
    activity_id: str | None
    structure_id: str | None
    stays: tuple[Stay, ...]
    roles: tuple[HeldRole, ...]

    @property
    def pieces(self) -> list[Piece]:
        return pieces_of(self.stays, self.roles)

    def role_on(self, day: dt.date) -> str:
        """Return the role he holds on a day, "" for none or when he is not there."""
        here = (p for p in self.pieces if p.starts_on <= day and _before(day, p.ends_on))
        return next((piece.role or "" for piece in here), "")

    def is_there(self, day: dt.date) -> bool:
        return any(starts_on <= day and _before(day, ends_on) for starts_on, ends_on in self.stays)


def told(facts: dict[str, Any]) -> list[Told]:
    """Return the members of one version of a circle, in the order in which they came."""
    stays: dict[str, list[Stay]] = {}
    held: dict[str, list[HeldRole]] = {}
    for id, starts, ends in facts["stays"]:
        stays.setdefault(id, []).append((_day(starts), _day(ends) if ends else None))
    for id, code, starts, ends in facts["roles"]:
        held.setdefault(id, []).append((code, _day(starts), _day(ends) if ends else None))
    return [
        Told(UUID(id), kind, professional, activity, structure, tuple(stays[id]), tuple(held.get(id, ())))
        for id, kind, professional, activity, structure in facts["members"]
    ]


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
