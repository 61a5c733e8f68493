"""Where a week draws each event: one list per day, in order of time."""

import datetime as dt

import pytest

from agenda import service_types, week
from agenda.week import Event

MONDAY = dt.date(2026, 11, 23)


def at(day, hour, minute=0):
    return dt.datetime.combine(MONDAY + dt.timedelta(days=day), dt.time(hour, minute))


def event(day, start, end, title="Point", **said):
    return Event(at(day, *start), at(day, *end), title, **said)


def drawn(*events, day=0):
    return week.lay_out(events, MONDAY, today=MONDAY).days[day]


def test_a_block_begins_at_its_quarter_and_is_as_high_as_it_lasts():
    [block] = drawn(event(0, (9, 15), (10, 45))).blocks
    assert (block.row, block.span, block.lane) == (6, 6, 0)


def test_the_day_opens_earlier_and_closes_later_when_something_falls_there():
    laid = week.lay_out([event(2, (6, 30), (7, 0)), event(3, (19, 0), (20, 30))], MONDAY, today=MONDAY)
    assert laid.hours == range(6, 21)
    assert week.lay_out([], MONDAY, today=MONDAY).hours == range(8, 18)


def test_two_at_once_stand_side_by_side_and_a_third_after_them_alone():
    day = drawn(event(0, (9, 0), (10, 0), "A"), event(0, (9, 30), (10, 30), "B"), event(0, (11, 0), (12, 0), "C"))
    assert [(block.event.title, block.lane) for block in day.blocks] == [("A", 1), ("B", 2), ("C", 0)]
    assert day.lanes == 2


def test_blocks_that_must_be_read_never_cover_the_next_one():
    day = drawn(event(0, (9, 0), (9, 10), "A"), event(0, (9, 15), (9, 30), "B"))
    assert [(block.row, block.span, block.lane) for block in day.blocks] == [(5, 2, 1), (6, 2, 2)]


def test_what_lasts_a_day_or_more_fills_each_of_its_days():
    laid = week.lay_out([Event(at(-2, 15), at(1, 10), "Hospitalisation", week.BUSY)], MONDAY, today=MONDAY)
    assert [len(day.blocks) for day in laid.days] == [1, 1, 0, 0, 0, 0, 0]
    assert laid.days[0].blocks[0].row == 1
    assert laid.days[0].blocks[0].span == 40


def test_a_night_is_cut_at_midnight():
    laid = week.lay_out([Event(at(0, 22), at(1, 6), "Nuit")], MONDAY, today=MONDAY)
    assert laid.hours == range(0, 24)
    assert [(b.row, b.span) for day in laid.days[:2] for b in day.blocks] == [(89, 8), (1, 24)]


@pytest.mark.parametrize("many", [5, 60])
def test_rows_and_lanes_stay_within_the_classes_of_the_style_sheet(many):
    laid = week.lay_out([event(0, (23, 50), (23, 55), str(n)) for n in range(many)], MONDAY, today=MONDAY)
    blocks = laid.days[0].blocks
    assert all(1 <= b.row <= 96 and 1 <= b.span <= 96 and b.row + b.span <= 97 for b in blocks)
    assert max(b.lane for b in blocks) == week.MOST_LANES == laid.days[0].lanes


def test_hours_are_said_in_words():
    assert event(0, (9, 0), (10, 0)).hours == "09:00 à\u00a010:00"
    assert Event(at(0, 0), at(1, 0), "Absence", all_day=True).hours == "Toute la journée"
    assert Event(at(0, 0), at(3, 0), "Absence", all_day=True).hours == "Jusqu’au 25/11/2026"
    assert Event(at(0, 22), at(1, 6), "Nuit").hours == "22:00, jusqu’au 24/11 à 06:00"


def test_a_list_is_by_day_then_by_hour():
    days = week.by_day(
        [event(1, (9, 0), (10, 0), "C"), event(0, (11, 0), (12, 0), "B"), event(0, (9, 0), (9, 30), "A")]
    )
    assert [(day.day, [e.title for e in found]) for day, found in days] == [(23, ["A", "B"]), (24, ["C"])]


def test_types_of_appointment_are_neutral_words_with_a_duration():
    assert service_types.label_of("visite") == "Visite à domicile"
    assert service_types.label_of("inconnu") == ""
    assert all(5 <= kind.minutes <= 720 and len(kind.code) <= 40 for kind in service_types.every().values())
