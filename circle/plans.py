"""Who holds which role from when to when in one dossier, and what becomes of what is planned. Pure.

A plan is a holding that begins after today. A unique role is handed over where one holding ends the day another
member's begins; there is nothing else to a plan than these rows, so that moving it or calling it off gives each
the role he would have had without it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID


class Part(NamedTuple):
    """A role to give, and whether one member at a time may hold it."""

    code: str
    exclusive: bool = False


class Blocked(Exception):
    """What stands in the way: the holding of somebody else, or another plan."""

    def __init__(self, held: Held) -> None:
        self.held = held
        super().__init__(held)


@dataclass(slots=True, eq=False)
class Held:
    """One role held by one member, [starts_on, ends_on); `key` is None until it is stored.

    An end on the day of the start is a role that never took effect: nothing is erased, nothing is held.
    """

    key: UUID | None
    member: UUID
    role: str
    exclusive: bool
    starts_on: dt.date
    ends_on: dt.date | None = None

    def beyond(self, day: dt.date) -> bool:
        """Say whether it lasts after a day, or begins later."""
        return self.ends_on is None or self.ends_on > max(day, self.starts_on)

    def covers(self, day: dt.date) -> bool:
        return self.starts_on <= day and self.beyond(day)

    @property
    def lasts(self) -> bool:
        return self.beyond(self.starts_on)

    def meets(self, other: Held) -> bool:
        """Say whether there is a day on both."""
        first, second = sorted((self, other), key=lambda held: held.starts_on)
        return first.lasts and second.lasts and first.beyond(second.starts_on)


class Given(NamedTuple):
    """What giving a role placed anew: nothing when a plan was only moved or called off."""

    placed: Held | None = None
    former: Held | None = None
    successor: Held | None = None


class Cut(NamedTuple):
    """What a removal did to one holding: its days before, and its days after."""

    key: UUID
    starts_on: dt.date
    ends_on: dt.date | None
    cut_starts_on: dt.date
    cut_ends_on: dt.date | None


class Restored(NamedTuple):
    """`lost`: what could not be given back; `usual_from`: the day from which the usual role fills the place."""

    lost: Sequence[Held] = ()
    usual_from: dt.date | None = None


class Board:
    """The roles of one dossier. `present`: the members who are in the circle; the others get nothing back."""

    def __init__(self, held: Iterable[Held], *, today: dt.date, present: Collection[UUID]) -> None:
        self.held, self.today, self.present = list(held), today, present

    def copy(self) -> Board:
        return Board((replace(held) for held in self.held), today=self.today, present=self.present)

    # ---- reading -----------------------------------------------------------------------------------

    def find(self, key: UUID) -> Held:
        return next(held for held in self.held if held.key == key)

    def of(self, member: UUID, day: dt.date) -> list[Held]:
        """Return what a member holds beyond a day, first first."""
        return _in_order(held for held in self.held if held.member == member and held.beyond(day))

    def on(self, member: UUID, day: dt.date) -> Held | None:
        return next((held for held in self.of(member, day) if held.starts_on <= day), None)

    def others(self, role: str, member: UUID, day: dt.date) -> list[Held]:
        """Return who else holds a role beyond a day, first first."""
        return _in_order(
            held for held in self.held if held.role == role and held.member != member and held.beyond(day)
        )

    def planned(self, member: UUID, role: str, day: dt.date) -> Held | None:
        """Return the plan that giving a member a role from a day on would move; None when there is none to move."""
        current = self.on(member, day)
        if current and current.role == role:
            return current if self.is_plan(current) and current.starts_on < day else None
        later = self.of(member, max(day, self.today))
        return next((held for held in later if held.role == role and self.is_plan(held)), None)

    def is_plan(self, held: Held) -> bool:
        return held.starts_on > self.today

    def former(self, held: Held) -> Held | None:
        """Return the holding that a unique role is handed over from."""
        return self._beside(held, lambda other: other.ends_on == held.starts_on)

    def heir(self, held: Held) -> Held | None:
        """Return the holding that a unique role is handed over to."""
        return self._beside(held, lambda other: other.starts_on == held.ends_on)

    def _beside(self, held: Held, touches) -> Held | None:
        if not held.exclusive:
            return None
        found = (other for other in self.held if other.role == held.role and other.member != held.member)
        return next((other for other in found if other.lasts and touches(other)), None)

    # ---- giving ------------------------------------------------------------------------------------

    def give(self, member: UUID, part: Part, day: dt.date, *, successor: Part | None = None) -> Given:
        """Give a member a role from a day on, whatever was planned for him later.

        `successor` is what the holder of a unique role becomes; None when no hand-over was agreed, or when the one
        that is moved stands as it was agreed. A plan of the same role is moved to that day; asking a role already
        held calls off what would end it. Raises Blocked.
        """
        planned = self.planned(member, part.code, day)
        current = self.on(member, day)
        if planned is None and current and current.role == part.code:
            self._keep(current)
            return Given()
        if planned and self.former(planned):
            return self._move(planned, day, successor)
        if planned:
            self.call_off(planned)
        return self._place(member, part, day, successor)

    def clear(self, member: UUID, day: dt.date) -> None:
        """End all that a member holds from a day on; roles he was to take over stay where they were."""
        while later := self.of(member, day):
            last = later[-1]
            if last.starts_on >= day:
                self._release(last)
            else:
                last.ends_on = day

    def call_off(self, planned: Held) -> None:
        """Call off a plan: the member goes on with what he has, and so does who was to hand the role over."""
        day, heir = planned.starts_on, self.heir(planned)
        own = next((h for h in self.held if h.member == planned.member and h.lasts and h.ends_on == day), None)
        self._release(planned)
        later = [held for held in self.of(planned.member, day) if held is not own]
        if heir and later and later[0].starts_on == heir.starts_on:
            # What he was to become after handing over in his turn.
            self._release(later.pop(0))
        if own:
            taken = self.others(own.role, own.member, day) if own.exclusive else []
            own.ends_on = _earliest(later[:1] + taken[:1])

    def plan_on(self, member: UUID, day: dt.date) -> Held | None:
        """Return the plan that changes a member's role on that day, be it somebody else's taking over from him."""
        leaving = next((h for h in self.held if h.member == member and h.lasts and h.ends_on == day), None)
        heir = self.heir(leaving) if leaving else None
        own = next((h for h in self.of(member, self.today) if h.starts_on == day), None)
        found = heir or own
        return found if found and self.is_plan(found) else None

    def _keep(self, current: Held) -> None:
        while current.ends_on is not None:
            heir = self.heir(current)
            if heir and self.is_plan(heir):
                self.call_off(heir)
                continue
            others = self.others(current.role, current.member, current.ends_on) if current.exclusive else []
            if others:
                raise Blocked(others[0])
            for later in reversed(self.of(current.member, current.ends_on)):
                self._release(later)
            current.ends_on = None

    def _move(self, planned: Held, day: dt.date, successor: Part | None) -> Given:
        """Move a hand-over to another day, with all that begins or ends with it."""
        former = self.former(planned)
        assert former is not None
        own = next((h for h in self.of(planned.member, min(day, self.today)) if h.ends_on == planned.starts_on), None)
        after = self.of(former.member, planned.starts_on)
        becomes = after.pop(0) if after and after[0].starts_on == planned.starts_on else None
        if day < self.today or former.starts_on > day or (former.starts_on == day and self.is_plan(former)):
            raise Blocked(former)
        if after and after[0].starts_on <= day:
            raise Blocked(after[0])
        for between in reversed(self.of(planned.member, day)):
            if between is not planned and day <= between.starts_on < planned.starts_on:
                self._release(between)
        if day < planned.starts_on:
            own = self.on(planned.member, day)
        elif own and own.exclusive and self.others(own.role, own.member, planned.starts_on):
            # His own unique role goes to somebody else on the day first agreed.
            own = None
        if own:
            own.ends_on = day
        planned.starts_on = former.ends_on = day
        placed = self._become(former.member, becomes, successor, day)
        if planned.ends_on and not self.heir(planned):
            # His own later plan: the role is now asked for good.
            self._keep(planned)
        return Given(former=former, successor=placed) if placed else Given()

    def _become(self, member: UUID, becomes: Held | None, successor: Part | None, day: dt.date) -> Held | None:
        """Make the former holder's next role begin on the new day; return the one that replaces it, if any."""
        if becomes is None:
            return self._follow(member, successor, day) if successor else None
        if successor and successor.code != becomes.role:
            becomes.ends_on = becomes.starts_on
            return self._follow(member, successor, day)
        if becomes.beyond(day):
            becomes.starts_on = day
        else:
            becomes.ends_on = becomes.starts_on
        return None

    def _place(self, member: UUID, part: Part, day: dt.date, successor: Part | None) -> Given:
        others = self.others(part.code, member, day) if part.exclusive else []
        former = others[0] if others else None
        if former:
            begins = former.starts_on == day and self.is_plan(former)
            # A hand-over is of today at the soonest: what others held until now is not written again.
            if successor is None or begins or not former.covers(day) or day < self.today:
                raise Blocked(former)
            if others[1:]:
                # Somebody else is to take over later: one plan at a time.
                raise Blocked(others[1])
        self.clear(member, day)
        follows = None
        if former and successor:
            former.ends_on = day
            follows = self._follow(former.member, successor, day)
        placed = self._add(member, part, day)
        return Given(placed, former, follows)

    def _follow(self, member: UUID, part: Part, day: dt.date) -> Held | None:
        if not part.code:
            return None
        taken = self.others(part.code, member, day) if part.exclusive else []
        if taken:
            raise Blocked(taken[0])
        return self._add(member, part, day, _earliest(self.of(member, day)[:1]))

    def _add(self, member: UUID, part: Part, day: dt.date, ends_on: dt.date | None = None) -> Held:
        held = Held(None, member, part.code, part.exclusive, day, ends_on)
        self.held.append(held)
        return held

    def _release(self, held: Held) -> None:
        """Make a holding never take effect; a unique role that was only planned goes back to who was to hand it over.

        What has begun is not given back: somebody's past is not written again.
        """
        day = held.starts_on
        former = self.former(held) if self.is_plan(held) else None
        held.ends_on = day
        if former is None or former.member not in self.present:
            return
        later = self.of(former.member, day)
        becomes = later.pop(0) if later and later[0].starts_on == day else None
        former.ends_on = _earliest(later[:1] + self.others(held.role, former.member, day)[:1])
        if becomes and former.ends_on and becomes.beyond(former.ends_on):
            becomes.starts_on = former.ends_on
        elif becomes:
            self._release(becomes)

    # ---- undoing a removal -------------------------------------------------------------------------

    def cuts_since(self, before: Board) -> list[Cut]:
        """Return what changed in the holdings that stood before."""
        found = []
        for old in before.held:
            assert old.key is not None
            new = self.find(old.key)
            if (old.starts_on, old.ends_on) != (new.starts_on, new.ends_on):
                found.append(Cut(old.key, old.starts_on, old.ends_on, new.starts_on, new.ends_on))
        return found

    def restore(self, member: UUID, cuts: Iterable[Cut], usual: Part, *, left_on: dt.date) -> Restored:
        """Give back exactly what a removal took, as far as nobody holds it by now.

        What others hold is touched only where it stands as the removal left it, and never in the past. Where all
        cannot be given back, the role held at the removal is, until the day somebody else is to take it; `usual`
        fills the rest.
        """
        cuts = list(cuts)
        own = [cut for cut in cuts if self.find(cut.key).member == member]
        theirs = [cut for cut in cuts if cut not in own]
        ways = [[*own, *theirs], own] if theirs and all(map(self._untouched, theirs)) else [own]
        if any(self._apply(way) for way in ways):
            return Restored()
        own.sort(key=lambda cut: cut.starts_on)
        return self._restore_in_part(member, own, usual, left_on)

    def _untouched(self, cut: Cut) -> bool:
        held = self.find(cut.key)
        as_left = (held.starts_on, held.ends_on) == (cut.cut_starts_on, cut.cut_ends_on)
        return as_left and held.member in self.present and (cut.ends_on is None or cut.ends_on >= self.today)

    def _apply(self, cuts: Iterable[Cut]) -> bool:
        touched = [(self.find(cut.key), cut) for cut in cuts]
        old = [(held, held.starts_on, held.ends_on) for held, _ in touched]
        for held, cut in touched:
            held.starts_on, held.ends_on = cut.starts_on, cut.ends_on
        if all(self._is_alone(held) for held, _ in touched):
            return True
        for held, starts_on, ends_on in old:
            held.starts_on, held.ends_on = starts_on, ends_on
        return False

    def _is_alone(self, held: Held) -> bool:
        return not any(other is not held and held.meets(other) and _exclude(held, other) for other in self.held)

    def _restore_in_part(self, member: UUID, cuts: Sequence[Cut], usual: Part, left_on: dt.date) -> Restored:
        begun = next((cut for cut in cuts if cut.starts_on <= left_on), None)
        lost = [self._as_before(cut) for cut in cuts if cut is not begun]
        lost = [held for held in lost if held.lasts and held.role != usual.code]
        day: dt.date | None = self.today
        if begun:
            current = self.find(begun.key)
            taken = self.others(current.role, member, left_on) if current.exclusive else []
            day = _earliest(taken[:1])
            if day is None or day > self.today:
                current.starts_on, current.ends_on = begun.starts_on, day
            else:
                day = self.today
                lost.insert(0, self._as_before(begun))
        if day is None or not usual.code or (usual.exclusive and self.others(usual.code, member, day)):
            return Restored(lost)
        self._add(member, usual, day)
        return Restored(lost, day)

    def _as_before(self, cut: Cut) -> Held:
        return replace(self.find(cut.key), starts_on=cut.starts_on, ends_on=cut.ends_on)


def _exclude(one: Held, other: Held) -> bool:
    return one.member == other.member or (one.role == other.role and one.exclusive and other.exclusive)


def _in_order(held: Iterable[Held]) -> list[Held]:
    return sorted(held, key=lambda one: one.starts_on)


def _earliest(held: Iterable[Held]) -> dt.date | None:
    return min((one.starts_on for one in held), default=None)
