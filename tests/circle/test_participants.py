"""Participants: stays and roles cut into pieces and put together again."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circle.fhir import codes
from circle.participants import NotKept, Piece, agrees, difference, pieces_of, spread, stays_of

TODAY = dt.date(2026, 11, 29)
ROLES = ["PROV", "PCP", "REFERENT", "313", "ECON"]


def day(count):
    return TODAY + dt.timedelta(days=count)


@st.composite
def lives(draw):
    """Stays of one member, the last one perhaps still going on, and the roles held in them."""
    bounds = sorted(draw(st.sets(st.integers(-60, 0), min_size=1, max_size=8)))
    stays = [(day(a), day(b)) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]
    if len(bounds) % 2:
        stays.append((day(bounds[-1]), None))
    held = []
    for starts_on, ends_on in stays:
        last = ends_on or day(30)
        cuts = sorted(draw(st.sets(st.integers(0, (last - starts_on).days), max_size=4)))
        days = [starts_on + dt.timedelta(days=one) for one in cuts]
        for first, end in zip(days, [*days[1:], ends_on], strict=False):
            if end is None or first < end:
                held.append((draw(st.sampled_from(ROLES)), first, end))
    return stays, held


@pytest.mark.req("CDS-26")
@given(lives())
def test_pieces_tell_the_stays_and_the_roles(life):
    stays, held = life
    pieces = pieces_of(stays, held)
    for when in (day(count) for count in range(-62, 32)):
        there = any(start <= when and (end is None or when < end) for start, end in stays)
        now = [p for p in pieces if p.starts_on <= when and (p.ends_on is None or when < p.ends_on)]
        assert len(now) == there
        role = next((code for code, start, end in held if start <= when and (end is None or when < end)), "")
        if now:
            assert now[0].role == role


@given(lives())
def test_what_is_read_of_what_was_built_changes_nothing(life):
    stays, held = life
    pieces = pieces_of(stays, held)
    found = difference(pieces, pieces, stays, TODAY)
    assert (found.leaves_on, found.enters, found.moved, found.roles, found.aside) == (None, [], [], [], [])
    assert agrees(pieces, pieces)
    # Without a word on roles either.
    silent = [Piece(p.starts_on, p.ends_on) for p in pieces]
    again = difference(silent, pieces, stays, TODAY)
    assert (again.leaves_on, again.enters, again.moved, again.roles) == (None, [], [], [])


@given(st.lists(st.builds(
    lambda a, length, role: Piece(day(a), day(a + length) if length is not None else None, role),
    st.integers(-40, 0), st.none() | st.integers(0, 20), st.none() | st.sampled_from(ROLES),
), max_size=5))  # fmt: skip
def test_spread_pieces_cover_the_same_days_once(pieces):
    found = spread(pieces)
    assert stays_of(found) == stays_of(pieces)
    for count in range(-42, 25):
        when = day(count)
        covering = [p for p in found if p.starts_on <= when and (p.ends_on is None or when < p.ends_on)]
        assert len(covering) <= 1
        named = [p.role for p in pieces if p.starts_on <= when and (p.ends_on is None or when < p.ends_on)]
        if covering:
            first = next((role for role in named if role is not None), None)
            assert covering[0].role == first


@pytest.mark.parametrize(
    ("asked", "element"),
    [
        ([Piece(day(-3), day(4_000))], "period.end"),
        ([Piece(day(3), day(3))], "period.end"),
        ([Piece(day(-30), None)], "period.end"),
    ],
)
def test_what_cannot_be_held_is_said_where_it_is(asked, element):
    with pytest.raises(NotKept) as refused:
        difference(asked, [Piece(day(-30), day(-10), "PROV")], [(day(-30), day(-10))], TODAY)
    assert refused.value.element == element


def test_a_planned_change_of_role_is_no_stay_of_the_future():
    stays, held = [(day(-5), None)], [("PROV", day(-5), day(4)), ("PCP", day(4), None)]
    pieces = pieces_of(stays, held)
    assert [p.starts_on for p in pieces] == [day(-5), day(4)]
    assert difference(pieces, pieces, stays, TODAY).roles == []
    called_off = difference([Piece(day(-5), None, "PROV")], pieces, stays, TODAY)
    assert called_off.roles == [(day(4), "PROV")]


@pytest.mark.req("CDS-25", "CDS-30")
@given(st.sampled_from(sorted(codes.roles.all_roles())))
def test_each_role_is_read_from_what_is_written_of_it(code):
    role = codes.roles.get(code)
    kind = sorted(role.kinds)[0]
    profession = sorted(role.professions)[0] if role.professions else ""
    assert codes.role_for(codes.role(code), kind, profession) == code


def test_the_closed_code_of_a_trusted_person_is_understood_and_never_written():
    said = [{"coding": [{"system": codes.R260, "code": "QUAL"}]}]
    assert codes.role_for(said, "aidant") == "NOK"
    assert codes.role("QUAL") == codes.role("NOK")
    hl7 = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleClass", "code": "ECON"}]}]
    assert codes.role_for(hl7, "aidant") == "ECON"
    assert codes.role_for([{"text": "chef"}], "aidant") is None
