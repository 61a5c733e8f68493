"""Busy times out of calendars that others wrote, well or badly; the library that repeats events judges ours."""

import contextlib
import datetime as dt
import time
import tracemalloc
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from agenda.ics import moments, reading
from agenda.ics.errors import CalendarRefused, CalendarTooLarge, CalendarTooLong
from agenda.ics.reading import busy_times, joined
from tests.agenda.test_ics_feed import event, feed

PARIS = ZoneInfo("Europe/Paris")
WINDOW = (dt.datetime(2026, 3, 2, tzinfo=PARIS), dt.datetime(2026, 4, 13, tzinfo=PARIS))


def calendar(*events, head=""):
    """Return a calendar of events, each the lines that it adds to a UID."""
    written = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\n{lines.strip()}\r\nEND:VEVENT\r\n" for number, lines in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{written}END:VCALENDAR\r\n".replace("\r\n\r\n", "\r\n").encode()


def read(*events, head="", zone=PARIS, window=WINDOW):
    """Return the spans as one reads them on a clock of Paris."""
    busy = busy_times(calendar(*events, head=head), zone, window)
    assert busy.unread == 0
    return [f"{start.astimezone(PARIS):%m-%d %H:%M}/{end.astimezone(PARIS):%m-%d %H:%M}" for start, end in busy.spans]


TEN = "DTSTART;TZID=Europe/Paris:20260310T100000\nDTEND;TZID=Europe/Paris:20260310T110000"


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        (TEN, ["03-10 10:00/03-10 11:00"]),
        ("DTSTART:20260310T090000Z\nDURATION:PT1H", ["03-10 10:00/03-10 11:00"]),
        ("DTSTART:20260310T100000\nDTEND:20260310T110000", ["03-10 10:00/03-10 11:00"]),
        ("DTSTART;VALUE=DATE:20260310", ["03-10 00:00/03-11 00:00"]),
        ("DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330", ["03-28 00:00/03-30 00:00"]),
        ("DTSTART;TZID=Indian/Reunion:20260310T100000\nDURATION:PT90M", ["03-10 07:00/03-10 08:30"]),
        ("DTSTART;TZID=Europe/Paris:20260328T220000\nDURATION:PT8H", ["03-28 22:00/03-29 07:00"]),
        ("DTSTART;TZID=Europe/Paris:20260328T220000\nDURATION:P1DT1H", ["03-28 22:00/03-29 23:00"]),
        ("DTSTART;TZID=Europe/Paris:20251224T080000\nDTEND;TZID=Europe/Paris:20260703T080000",
         ["03-02 00:00/04-13 00:00"]),
        ("DTSTART;TZID=Europe/Paris:20230101T080000\nDTEND;TZID=Europe/Paris:20280703T080000",
         ["03-02 00:00/04-13 00:00"]),
        # What takes no time.
        (f"{TEN}\nTRANSP:TRANSPARENT", []),
        (f"{TEN}\nSTATUS:CANCELLED", []),
        (f"{TEN}\nstatus:cancelled", []),
        (f"{TEN}\nX-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        (f"{TEN}\nTRANSP:OPAQUE\nSTATUS:TENTATIVE", ["03-10 10:00/03-10 11:00"]),
        ("DTSTART:20260310T090000Z", []),
        ("DTSTART:20260310T090000Z\nDTEND:20260310T090000Z", []),
        ("DTSTART:20260301T090000Z\nDTEND:20260301T100000Z", []),
        ("DTSTART:20260413T090000Z\nDTEND:20260413T100000Z", []),
        # A program that gives an hour its name in its own way.
        ("DTSTART;TZID=Romance Standard Time:20260310T100000\nDURATION:PT1H", ["03-10 10:00/03-10 11:00"]),
        ('DTSTART;TZID="/mozilla.org/20050126_1/Europe/Paris":20260310T100000\nDURATION:PT1H',
         ["03-10 10:00/03-10 11:00"]),
        ("DTSTART;TZID=europe/paris:20260310T100000\nDURATION:PT1H", ["03-10 10:00/03-10 11:00"]),
        # Alarms have lines of the same names.
        (f"{TEN}\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5H\nREPEAT:2\nEND:VALARM", ["03-10 10:00/03-10 11:00"]),
        ("DTSTART;TZID=Europe/Paris:20260310T10\n 0000\nDURA\n TION:PT1H", ["03-10 10:00/03-10 11:00"]),
    ],
)  # fmt: skip
def test_one_event(lines, spans):
    assert read(lines.replace("\n", "\r\n")) == spans
    assert read(lines) == spans, "lines that end as on Unix"


@pytest.mark.req("REL-19")
@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        (f"{TEN}\nRRULE:FREQ=WEEKLY;COUNT=4",
         ["03-10 10:00/03-10 11:00", "03-17 10:00/03-17 11:00", "03-24 10:00/03-24 11:00", "03-31 10:00/03-31 11:00"]),
        (f"{TEN}\nRRULE:FREQ=WEEKLY;UNTIL=20260324T090000Z\nEXDATE;TZID=Europe/Paris:20260317T100000",
         ["03-10 10:00/03-10 11:00", "03-24 10:00/03-24 11:00"]),
        (f"{TEN}\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260310T090000Z,20260324T090000Z", ["03-17 10:00/03-17 11:00"]),
        (f"{TEN}\nRRULE:FREQ=WEEKLY;COUNT=2\nEXDATE;VALUE=DATE:20260317", ["03-10 10:00/03-10 11:00"]),
        (f"{TEN}\nRDATE;TZID=Europe/Paris:20260312T140000",
         ["03-10 10:00/03-10 11:00", "03-12 14:00/03-12 15:00"]),
        (f"{TEN}\nRDATE;VALUE=PERIOD:20260312T130000Z/PT2H,20260313T130000Z/20260313T133000Z",
         ["03-10 10:00/03-10 11:00", "03-12 14:00/03-12 16:00", "03-13 14:00/03-13 14:30"]),
        ("DTSTART;VALUE=DATE:20260310\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260311",
         ["03-10 00:00/03-11 00:00", "03-12 00:00/03-13 00:00"]),
        ("DTSTART:20260301T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20260406",
         ["03-08 10:00/03-08 11:00", "03-15 10:00/03-15 11:00", "03-22 10:00/03-22 11:00", "03-29 11:00/03-29 12:00",
          "04-05 11:00/04-05 12:00"]),
        ("DTSTART;TZID=Europe/Paris:20200101T100000\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=-1SU",
         ["03-29 10:00/03-29 11:00"]),
        ("DTSTART;TZID=Europe/Paris:20260310T100000\nRRULE:FREQ=DAILY", []),
    ],
)  # fmt: skip
def test_an_event_that_repeats(lines, spans):
    assert read(lines) == spans


def test_occurrences_told_apart_take_the_place_of_theirs():
    apart = "\n".join([
        f"{TEN}\nRRULE:FREQ=WEEKLY;COUNT=4", "END:VEVENT",
        "BEGIN:VEVENT", "UID:0", "RECURRENCE-ID;TZID=Europe/Paris:20260317T100000",
        "DTSTART;TZID=Europe/Paris:20260318T140000", "DURATION:PT30M", "END:VEVENT",
        "BEGIN:VEVENT", "UID:0", "RECURRENCE-ID:20260324T090000Z", "STATUS:CANCELLED", "DTSTART:20260324T090000Z",
        "DURATION:PT1H", "END:VEVENT",
        "BEGIN:VEVENT", "UID:0", "RECURRENCE-ID:20260331T080000Z", "TRANSP:TRANSPARENT", "DTSTART:20260331T080000Z",
        "DURATION:PT1H",
    ])  # fmt: skip
    assert read(apart) == ["03-10 10:00/03-10 11:00", "03-18 14:00/03-18 14:30"]


def test_times_are_joined_and_events_counted():
    busy = busy_times(
        calendar(TEN, TEN, TEN.replace("T11", "T12"), TEN.replace("T10", "T12").replace("T11", "T13")), PARIS, WINDOW
    )
    assert (len(busy.spans), busy.events, busy.unread, busy.guessed) == (1, 4, 0, 0)
    ten = dt.datetime(2026, 3, 10, 10, tzinfo=PARIS)
    assert busy.spans == ((ten, ten + dt.timedelta(hours=3)),)
    assert all(
        moment.tzinfo is dt.UTC or moment.utcoffset() == dt.timedelta(0) for span in busy.spans for moment in span
    )


@pytest.mark.parametrize(
    ("lines", "counted"),
    [
        ("SUMMARY:Sans début", 1),
        ("DTSTART:20260310", 0),
        ("DTSTART:20261310T100000\nDURATION:PT1H", 1),
        ("DTSTART:20260230\nDURATION:P1D", 1),
        ("DTSTART:hier", 1),
        ("DTSTART;TZID=Europe/Paris 20260310T100000", 1),
        ("DTSTART:20260310T100000\nDTEND:20260310T090000", 1),
        ("DTSTART:20260310T100000\nDTEND;VALUE=DATE:20260311", 1),
        ("DTSTART:20260310T100000\nDURATION:-PT1H", 1),
        ("DTSTART:20260310T100000\nDURATION:P", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nRRULE:FREQ=PARFOIS", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=0", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nEXDATE:demain", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nRECURRENCE-ID:demain", 1),
        (f"{TEN}\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260310T090000Z", 1),
        ("DTSTART:00010101T000000\nDURATION:PT1H", 1),
        ("DTSTART:99991231T230000\nDURATION:PT5H", 1),
        ("DTSTART:20260310T100000\nDURATION:P9999D\nRRULE:FREQ=DAILY", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nRRULE:FREQ=MINUTELY", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nRRULE:FREQ=HOURLY;COUNT=9;BYMINUTE=0,10,20,30,40", 1),
        ("DTSTART:20260310T100000\nDURATION:PT1H\nEXDATE:20260317T100000,,\nRDATE:,", 0),
    ],
)
def test_what_does_not_read_is_counted_and_the_rest_serves(lines, counted):
    busy = busy_times(calendar(lines, TEN.replace("0310", "0320")), PARIS, WINDOW)
    assert busy.unread == counted
    assert any(f"{start:%m%d}" == "0320" for start, _ in busy.spans)


# ---- Zones -------------------------------------------------------------------------------------------------------

CUSTOM = (
    "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)
NAMELESS = "DTSTART;TZID=Customized Time Zone:20260410T100000\nDURATION:PT1H"


def test_a_zone_without_a_name_is_known_by_its_offsets():
    assert read(NAMELESS, head=CUSTOM, zone=ZoneInfo("Indian/Reunion")) == ["04-10 10:00/04-10 11:00"]
    island = CUSTOM.replace("+0100", "+0400").replace("+0200", "+0400")
    assert read(NAMELESS, head=island) == ["04-10 08:00/04-10 09:00"]


def test_a_zone_that_nothing_tells_is_that_of_the_owner_and_it_is_said():
    busy = busy_times(calendar(NAMELESS, NAMELESS), PARIS, WINDOW)
    assert (busy.spans[0][0], busy.guessed) == (dt.datetime(2026, 4, 10, 8, tzinfo=dt.UTC), 1)


def test_a_calendar_may_say_its_zone_once():
    floating = "DTSTART:20260310T100000\nDURATION:PT1H"
    assert read(floating, head="X-WR-TIMEZONE:Indian/Reunion\r\n") == ["03-10 07:00/03-10 08:00"]
    assert read(floating, head="X-WR-TIMEZONE:Nulle part\r\n") == ["03-10 10:00/03-10 11:00"]


def test_a_definition_says_nothing_to_the_calendar_that_comes_after():
    """The library keeps what a stranger called Europe/Paris for everybody; nothing of ours asks it."""
    lying = CUSTOM.replace("Customized Time Zone", "Europe/Paris").replace("+0100", "+0900").replace("+0200", "+0900")
    assert read(TEN, head=lying) == ["03-10 10:00/03-10 11:00"]
    assert busy_times(calendar(NAMELESS, head=CUSTOM), PARIS, WINDOW).guessed == 0
    assert busy_times(calendar(NAMELESS), PARIS, WINDOW).guessed == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a" * 5000, "\x00", "Europe", ""])
def test_a_name_of_a_zone_is_no_path(name):
    assert moments.named_zone(name) is None


# ---- Free and busy told as such ----------------------------------------------------------------------------------


def test_a_calendar_of_busy_times_only():
    body = (
        "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nUID:1\r\nDTSTART:20260301T000000Z\r\nDTEND:20260501T000000Z\r\n"
        "FREEBUSY:20260310T090000Z/20260310T100000Z,20260311T090000Z/PT30M\r\n"
        "FREEBUSY;FBTYPE=FREE:20260312T090000Z/PT1H\r\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260313T090000Z/PT1H\r\n"
        "FREEBUSY:20270310T090000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    busy = busy_times(body.encode(), PARIS, WINDOW)
    assert [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in busy.spans] == [
        "10 09:00-10:00", "11 09:00-09:30", "13 09:00-10:00",
    ]  # fmt: skip
    assert busy_times(body.replace("PT30M", "longtemps").encode(), PARIS, WINDOW).unread == 1


def test_our_own_feed_is_read_back():
    lines = [event(uid=str(hour), hour=hour, busy=hour != 12) for hour in (9, 10, 12, 15)]
    busy = busy_times(feed(lines, name="Agenda"), ZoneInfo("Indian/Reunion"), WINDOW)
    assert [(start.astimezone(PARIS).hour, end.astimezone(PARIS).hour) for start, end in busy.spans] == [
        (9, 11),
        (15, 16),
    ]


# ---- Compared with the library that repeats events ---------------------------------------------------------------

RULES = st.builds(
    lambda freq, interval, more, end: f"RRULE:FREQ={freq};INTERVAL={interval}{more}{end}",
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 4),
    st.sampled_from(["", ";BYMONTH=3,4", ";WKST=SU"]),
    st.sampled_from(["", ";COUNT=5", ";COUNT=400", ";UNTIL=20260401T235959Z"]),
    # Where the start is none of those of its rule, RFC 5545 §3.8.5.3 does not say which ones are counted.
).filter(lambda rule: not ("BYMONTH" in rule and "COUNT" in rule))


@st.composite
def written(draw):
    zone = draw(st.sampled_from([";TZID=Europe/Paris", ";TZID=Indian/Reunion", ";TZID=America/New_York"]))
    day = dt.date(2025, 9, 1) + dt.timedelta(days=draw(st.integers(0, 250)))
    hour = draw(st.integers(6, 19))
    if draw(st.booleans()):
        lines = [
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + dt.timedelta(days=draw(st.integers(1, 4))):%Y%m%d}",
        ]
        rule = draw(st.none() | RULES)
        lines += [rule.split(";UNTIL")[0]] if rule else []
    else:
        lines = [f"DTSTART{zone}:{day:%Y%m%d}T{hour:02}0000", f"DURATION:PT{draw(st.integers(1, 200))}M"]
        if rule := draw(st.none() | RULES):
            lines.append(rule)
            without = [day + dt.timedelta(days=draw(st.integers(1, 60))) for _ in range(draw(st.integers(0, 3)))]
            lines += [f"EXDATE{zone}:{one:%Y%m%d}T{hour:02}0000" for one in without]
        lines += [f"RDATE{zone}:{day + dt.timedelta(days=70):%Y%m%d}T{hour:02}3000"] * draw(st.integers(0, 1))
    return "\n".join(lines)


def by_library(body):
    """Return what the same calendar says to `recurring-ical-events`, as joined spans within the window."""
    spans = []
    for found in recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between(*WINDOW):
        start, end = found.start, found.end
        if not isinstance(start, dt.datetime):
            start, end = (dt.datetime(day.year, day.month, day.day, tzinfo=PARIS) for day in (start, end))
        start, end = (moment.astimezone(dt.UTC) for moment in (start, end))
        if min(end, WINDOW[1]) > max(start, WINDOW[0]):
            spans.append((max(start, WINDOW[0].astimezone(dt.UTC)), min(end, WINDOW[1].astimezone(dt.UTC))))
    return tuple(joined(spans))


@pytest.mark.req("REL-19")
@given(st.lists(written(), min_size=1, max_size=4))
def test_what_repeats_is_what_the_library_repeats(events):
    body = calendar(*events)
    busy = busy_times(body, PARIS, WINDOW)
    assert busy.unread == 0
    assert busy.spans == by_library(body)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12))
def test_joined_times_cover_the_same_minutes_and_never_touch(pairs):
    zero = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    spans = [(zero + dt.timedelta(minutes=a), zero + dt.timedelta(minutes=a + b)) for a, b in pairs]
    together = list(joined(spans))
    minutes = {a + more for a, b in pairs for more in range(b)}
    assert {int((start - zero).seconds / 60) + more for start, end in together
            for more in range(int((end - start).seconds / 60))} == minutes  # fmt: skip
    assert all(one[1] < other[0] for one, other in zip(together, together[1:], strict=False))


# ---- What anybody may send ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"<html>BEGIN:VCALENDAR\r\n", b"BEGIN:VCARD\r\nEND:VCARD", b"\x1f\x8b\x08", b"BEGIN:VCALENDARS\r\n"]
)
def test_what_is_no_calendar_is_refused(body):
    with pytest.raises(CalendarRefused) as caught:
        busy_times(body, PARIS, WINDOW)
    assert caught.value.message == "Ce fichier n’est pas un calendrier au format iCalendar."


def test_an_empty_or_cut_calendar_is_one():
    assert busy_times(b"\xef\xbb\xbfbegin:vcalendar\nend:vcalendar", PARIS, WINDOW).spans == ()
    cut = calendar(TEN).split(b"END:VEVENT")[0]
    assert len(busy_times(cut, PARIS, WINDOW).spans) == 1


def test_a_calendar_of_5_mb_and_no_more():
    with pytest.raises(CalendarTooLarge) as caught:
        busy_times(b"BEGIN:VCALENDAR\r\n" + b" " * reading.MOST_BYTES, PARIS, WINDOW)
    assert caught.value.message == "Ce calendrier est trop gros : 5 Mo au plus."


HUGE = {
    "seconds for a century": calendar("DTSTART:19000101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"),
    "a rule that never falls": calendar(
        *["DTSTART:19000101T000000Z\nDURATION:PT1S\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] * 3000
    ),
    "counted from long ago": calendar(
        *["DTSTART:19000101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;COUNT=99999999"] * 3000
    ),
    "many events": calendar(*["DTSTART:20260310T090000Z\nDURATION:PT1H"] * 60_000)[: reading.MOST_BYTES],
    "many exceptions": calendar("DTSTART:20260310T090000Z\nDURATION:PT1H\nEXDATE:" + "20260310T090000Z," * 200_000),
    "exceptions of many": calendar(
        *["DTSTART:20260310T090000Z\nDURATION:PT1H\nEXDATE:" + "20260310T090000Z," * 4_000] * 70
    ),
    "dates of many": calendar(
        *["DTSTART:20260310T090000Z\nDURATION:PT1H\nRDATE:" + ",".join(["20260310T090000Z"] * 4_000)] * 70
    ),
    "one line": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART" + b";A=B" * 1_000_000,
    "quotes": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;A=" + b'"' * 4_000_000,
    "quotes and colons": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b'DTSTART;A=":"b:c\r\n' * 200_000,
    "folded": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:" + b"\r\n " * 1_500_000,
    "opened": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 300_000,
    "closed": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b"END:VTODO\r\n" * 400_000,
    "short lines": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b"UID:\r\n" * 800_000,
    "empty lines": b"BEGIN:VCALENDAR\r\n" + b"\n" * 5_000_000,
    "zones": calendar(*[f"DTSTART;TZID={number}/b/c:20260310T090000\nDURATION:PT1H" for number in range(40_000)]),
}


@pytest.mark.req("SECT-19")
@pytest.mark.parametrize("name", HUGE)
def test_no_calendar_takes_long_or_much_memory(name):
    """By processor time, with room for a slow machine: what grows faster than its size takes minutes."""
    began = time.thread_time()
    with contextlib.suppress(CalendarTooLong):
        busy_times(HUGE[name], PARIS, WINDOW)
    assert time.thread_time() - began < 8


@pytest.mark.req("SECT-19")
def test_a_large_calendar_holds_in_memory(monkeypatch):
    # Counting memory costs more time than reading.
    monkeypatch.setattr(reading, "SECONDS", 60)
    said = f"DESCRIPTION:{'Un long propos. ' * 12}\nEXDATE:20260317T090000Z\nSTATUS:CONFIRMED"
    body = calendar(*[f"{TEN}\n{said}"] * 3_000)
    assert len(body) > 1024 * 1024
    tracemalloc.start()
    try:
        assert busy_times(body, PARIS, WINDOW).events == 3_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of an agenda of 5 MB, a fifth.
    assert peak < 20 * 1024 * 1024


PIECES = [
    "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "TZID:x", "TZOFFSETTO:+0100", "DTSTART:20260310",
    "DTSTART;TZID=x:20260310T100000", "DTEND:20260310T110000Z", "DURATION:P1W", "DURATION:PT99999999S",
    "RRULE:FREQ=MINUTELY", "RRULE:FREQ=YEARLY;BYYEARDAY=-366", "RDATE;VALUE=PERIOD:20260310T090000Z/P1D", "EXDATE:",
    "RECURRENCE-ID:20260310", "FREEBUSY:20260310T090000Z/PT1H", "BEGIN:VFREEBUSY", "UID:1", " 0", "\t;=:\"",
    "X-WR-TIMEZONE:UTC", "END:VCALENDAR", "BEGIN:VCALENDAR",
]  # fmt: skip


@pytest.mark.req("SECT-19")
@given(
    st.binary(max_size=500).map(lambda raw: b"BEGIN:VCALENDAR\n" + raw)
    | st.lists(st.sampled_from(PIECES), max_size=40).map(lambda lines: "\n".join(["BEGIN:VCALENDAR", *lines]).encode())
    | st.tuples(st.sampled_from(PIECES), st.text(max_size=30)).map(
        lambda two: f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{two[0]}{two[1]}\nDURATION:PT1H".encode("utf-8", "replace")
    )
)
def test_whatever_comes_is_read_or_refused(body):
    try:
        busy = busy_times(body, PARIS, WINDOW)
    except CalendarRefused:
        return
    assert all(WINDOW[0] <= start < end <= WINDOW[1] for start, end in busy.spans)
