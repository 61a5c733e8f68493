"""What the journal points out as « À vérifier »: on plain values."""

import datetime as dt

import pytest

from habilitations.unusual import FIRST, HOURS, MANY, WEEKEND, Facts, Limits, unusual

NOON = dt.datetime(2026, 11, 25, 12)
LONG_AGO = NOON - dt.timedelta(days=400)


def judged(limits=None, **facts):
    usual = {"at": NOON, "is_first": False, "member_since": LONG_AGO, "dossiers": 1}
    return unusual(Facts(**usual | facts), limits or Limits())


def test_an_ordinary_access_is_not_pointed_out():
    assert judged() == ()


@pytest.mark.parametrize(
    ("is_first", "since", "held"),
    [
        (True, NOON - dt.timedelta(days=2), True),
        (True, NOON - dt.timedelta(days=30), False),
        (True, LONG_AGO, False),
        (True, None, True),
        (False, None, False),
        (False, NOON, False),
    ],
)
def test_first_access_of_somebody_who_is_not_of_the_circle_for_long(is_first, since, held):
    assert judged(is_first=is_first, member_since=since) == ((FIRST,) if held else ())
    assert judged(Limits(new_days=0), is_first=is_first, member_since=since) == ()


@pytest.mark.parametrize(("hour", "held"), [(6, True), (7, False), (20, False), (21, True), (23, True), (0, True)])
def test_outside_the_usual_hours(hour, held):
    at = NOON.replace(hour=hour)
    assert judged(at=at) == ((HOURS,) if held else ())
    assert judged(Limits(opens=0, closes=0), at=at) == ()


def test_the_weekend_is_usual_unless_the_setting_says_no():
    saturday = dt.datetime(2026, 11, 28, 12)
    assert judged(at=saturday) == ()
    assert judged(Limits(weekend=False), at=saturday) == (WEEKEND,)
    assert judged(Limits(weekend=False)) == ()


@pytest.mark.parametrize(("dossiers", "held"), [(29, False), (30, True), (500, True)])
def test_many_dossiers_quickly(dossiers, held):
    assert judged(dossiers=dossiers) == ((MANY,) if held else ())
    assert judged(Limits(many=0), dossiers=dossiers) == ()


def test_all_that_is_unusual_is_said():
    assert judged(at=NOON.replace(hour=3), is_first=True, member_since=None, dossiers=99) == (FIRST, HOURS, MANY)
