"""What answers come to: which time suits, the best of them, when nothing more is to be waited for."""

import datetime as dt
import uuid

import pytest

from agenda.voting import IF_NEEDED, NO, YES, Outcome, Voter, outcome

FIRST, SECOND, THIRD = times = [uuid.UUID(int=number) for number in (1, 2, 3)]
STARTS = {time: dt.datetime(2026, 12, day, 10, tzinfo=dt.UTC) for time, day in zip(times, (1, 2, 3), strict=True)}


def voter(*choices, required=True):
    return Voter(uuid.uuid4(), required, bool(choices), dict(zip(times, choices, strict=False)))


@pytest.mark.parametrize(
    ("voters", "quorum", "expected"),
    [
        ([voter(YES, YES, YES)], 0, (Outcome.FOUND, [FIRST, SECOND, THIRD])),
        ([voter(IF_NEEDED, NO, YES), voter(YES, YES, YES)], 0, (Outcome.FOUND, [THIRD, FIRST])),
        ([voter(YES, NO, NO), voter()], 0, (Outcome.WAITING, [])),
        ([voter(YES, NO, NO), voter(NO, YES, YES)], 0, (Outcome.NONE, [])),
        # Who is only wished is not waited for, and counts.
        ([voter(YES, YES, NO), voter(NO, YES, NO, required=False)], 0, (Outcome.FOUND, [SECOND, FIRST])),
        ([voter(YES, NO, NO), voter(required=False)], 0, (Outcome.FOUND, [FIRST])),
        # A quorum waits for them while they can still make it, and no longer.
        ([voter(YES, NO, NO), voter(required=False)], 2, (Outcome.WAITING, [])),
        ([voter(YES, NO, NO), voter(NO, NO, NO, required=False)], 2, (Outcome.NONE, [])),
        ([voter(IF_NEEDED, NO, NO), voter(YES, NO, NO, required=False)], 2, (Outcome.NONE, [])),
    ],
)
def test_answers_give_the_times_that_suit_the_best_first(voters, quorum, expected):
    assert outcome(STARTS, voters, quorum) == expected


def test_a_time_that_is_past_is_no_longer_one():
    left = {time: start for time, start in STARTS.items() if time != FIRST}
    assert outcome(left, [voter(YES, IF_NEEDED, NO)]) == (Outcome.FOUND, [SECOND])
