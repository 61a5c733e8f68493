"""Any sequence of acts on the roles of a circle: never two holders, nothing lost, and what is undone is as before."""

import datetime as dt
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from circle.plans import Blocked, Board, Part

DAY = dt.timedelta(days=1)
START = dt.date(2026, 3, 2)
PEOPLE = [UUID(int=n) for n in range(1, 5)]
UNIQUE = ("PCP", "REFERENT")
PARTS = [Part(role, exclusive=True) for role in UNIQUE] + [Part("PROV"), Part("353")]
USUAL = Part("PROV")

person = st.sampled_from(PEOPLE)
part = st.sampled_from(PARTS)
later = st.integers(-4, 12)


def picture(board):
    """Return what is held and planned from today on, whatever the rows it is written in."""
    held = [h for h in board.held if h.beyond(board.today)]
    return sorted((h.member, h.role, max(h.starts_on, board.today), h.ends_on or dt.date.max) for h in held)


def pasts(board, *, but):
    """Return what the others held until today."""
    return {
        h.key: (h.starts_on, min(h.ends_on or board.today, board.today))
        for h in board.held
        if h.member != but and h.starts_on < board.today
    }


class Circle(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.board = Board([], today=START, present=set(PEOPLE))
        self.made = 0
        self.removals = {}

    def attempt(self, act):
        """Do an act on a copy, as a transaction does: what is blocked changes nothing."""
        trial = self.board.copy()
        trial.present = set(self.board.present)
        try:
            done = act(trial)
        except Blocked:
            return None
        for held in trial.held:
            if held.key is None:
                self.made += 1
                held.key = UUID(int=self.made)
        self.board = trial
        return done

    @rule(who=person, what=part, days=later, becomes=st.one_of(st.none(), part))
    def give(self, who, what, days, becomes):
        if not (who in self.board.present and becomes != what):
            return
        day = self.board.today + days * DAY
        before = self.board.copy()
        given = self.attempt(lambda board: board.give(who, what, day, successor=becomes))
        if given is not None:
            assert pasts(before, but=who) == pasts(self.board, but=who), "nobody else's past is written again"
            held = self.board.on(who, day)
            assert held.role == what.code
            assert held.ends_on is None or self.board.heir(held), "his for good, or until a hand-over he was told of"

    @rule(who=person, days=later)
    def take_away(self, who, days):
        if who not in self.board.present:
            return
        day = self.board.today + days * DAY
        self.attempt(lambda board: board.clear(who, day))
        assert self.board.of(who, day) == []

    @rule(data=st.data())
    def call_off(self, data):
        plans = [h for h in self.board.held if h.lasts and self.board.is_plan(h)]
        if not plans:
            return
        planned = data.draw(st.sampled_from(plans))
        member, day = planned.member, planned.starts_on
        heart = self.board.plan_on(member, day)
        assert heart is not None
        self.attempt(lambda board: board.call_off(board.find(heart.key)))
        assert not self.board.find(heart.key).lasts

    @rule(who=person)
    def remove(self, who):
        if who not in self.board.present:
            return
        before = self.board.copy()
        self.board.present.discard(who)
        self.attempt(lambda board: board.clear(who, board.today))
        assert self.board.of(who, self.board.today) == []
        self.removals[who] = (self.board.today, self.board.cuts_since(before), picture(before), picture(self.board))

    @rule(who=person)
    def undo(self, who):
        if who not in self.removals:
            return
        left_on, cuts, before, as_left = self.removals.pop(who)
        nothing_moved = self.board.today == left_on and picture(self.board) == as_left
        self.board.present.add(who)
        old = self.board.copy()
        restored = self.attempt(lambda board: board.restore(who, cuts, USUAL, left_on=left_on))
        if nothing_moved:
            assert picture(self.board) == before
        wanted = {c.key for c in cuts if self.board.find(c.key).member == who and c.ends_on != c.starts_on}
        found = {h.key for h in self.board.held if h.member == who and h.lasts}
        said = [h.key for h in restored.lost]
        told_or_usual = [key for key in wanted - found if key in said or self.board.find(key).role == USUAL.code]
        assert set(told_or_usual) == wanted - found, "what is not given back is said"
        for held in old.held:
            if held.member != who and held.starts_on < self.board.today:
                now = self.board.find(held.key)
                past = lambda h: min(h.ends_on or self.board.today, self.board.today)  # noqa: E731
                assert past(held) == past(now), "nobody else's past is written again"

    @rule(days=st.integers(1, 5))
    def days_pass(self, days):
        self.board.today += days * DAY

    @precondition(lambda self: self.board.present)
    @rule(data=st.data(), days=st.integers(1, 9))
    def plan_and_call_off(self, data, days):
        """Planning a hand-over and calling it off leaves everybody as before."""
        who = data.draw(st.sampled_from(sorted(self.board.present)))
        day, before = self.board.today + days * DAY, self.board.copy()
        if any(h.beyond(self.board.today) and (self.board.is_plan(h) or h.ends_on) for h in self.board.held):
            return
        given = self.attempt(lambda board: board.give(who, PARTS[0], day, successor=USUAL))
        if not (given and given.placed):
            return
        self.attempt(lambda board: board.call_off(board.plan_on(who, day)))
        assert picture(self.board) == picture(before)

    @rule(data=st.data(), days=st.integers(1, 9))
    def move_and_move_back(self, data, days):
        handed = [h for h in self.board.held if h.lasts and self.board.is_plan(h) and self.board.former(h)]
        if not handed:
            return
        planned = data.draw(st.sampled_from(handed))
        first, day, before = planned.starts_on, self.board.today + days * DAY, self.board.copy()
        if day < first:
            return
        moved = self.attempt(lambda board: board.give(planned.member, Part(planned.role, True), day))
        if not (moved is not None and self.board.find(planned.key).starts_on == day):
            return
        self.attempt(lambda board: board.give(planned.member, Part(planned.role, True), first))
        assert picture(self.board) == picture(before)

    @rule(data=st.data(), days=st.integers(-4, 12))
    def move_and_say_no_more(self, data, days):
        """A hand-over moved without another word leaves the former holder what he was to become."""
        handed = [h for h in self.board.held if h.lasts and self.board.is_plan(h) and self.board.former(h)]
        if not handed:
            return
        planned = data.draw(st.sampled_from(handed))
        first, day = planned.starts_on, self.board.today + days * DAY
        if day == first or self.board.planned(planned.member, planned.role, day) is not planned:
            return
        former = self.board.former(planned)
        becomes = self.board.on(former.member, first)
        outlived = becomes is not None and not becomes.beyond(day)
        moved = self.attempt(lambda board: board.give(planned.member, Part(planned.role, True), day))
        if moved is None:
            return
        assert days >= 0
        assert self.board.find(planned.key).starts_on == self.board.find(former.key).ends_on == day
        after = self.board.on(former.member, day)
        assert outlived or (after and after.role) == (becomes and becomes.role)

    @invariant()
    def one_holder_and_one_role_at_a_time(self):
        held = [h for h in self.board.held if h.lasts]
        assert all(h.ends_on is None or h.ends_on >= h.starts_on for h in self.board.held)
        for rank, one in enumerate(held):
            for two in held[rank + 1 :]:
                same = one.member == two.member or (one.role == two.role and one.exclusive)
                assert not (same and one.meets(two)), (one, two)


Circle.TestCase.settings = settings(max_examples=200, stateful_step_count=20, deadline=None)
TestCircle = Circle.TestCase
