"""Events to write, made by chance, and what is read back of them."""

from __future__ import annotations

import datetime as dt
import re

from hypothesis import strategies as st

from agenda.ics.events import Attendee, Class, Line, Part, Status

ZONES = ("Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Miquelon", "Pacific/Noumea", "UTC")
# What people and other software put in a field, and what an attacker would.
NASTY = st.lists(
    st.sampled_from([
        "\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\ufeff", "\ud800", "\\", "\\n", "\\N",
        ";", ",", ":", '"', "^", "^n", "é", "👩‍⚕️", " ", "\t", "END:VEVENT", "BEGIN:VALARM", "ATTENDEE:x", "a" * 80,
    ]),
    max_size=12,
).map("".join)  # fmt: skip
WORDS = st.one_of(st.text(max_size=200), NASTY)
MOMENTS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2031, 1, 1), timezones=st.just(dt.UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
ADDRESSES = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?@[a-z]{1,12}\.exemple\.fr", fullmatch=True)


def attendees():
    return st.builds(
        Attendee, address=ADDRESSES, name=WORDS, part=st.sampled_from(Part), required=st.booleans(), rsvp=st.booleans()
    )


@st.composite
def lines(draw, words=WORDS):
    start = draw(MOMENTS)
    return Line(
        uid=draw(words.filter(bool)),
        start=start,
        end=start + dt.timedelta(minutes=draw(st.integers(0, 5000))),
        zone=draw(st.sampled_from(ZONES)),
        last_modified=draw(MOMENTS),
        created=draw(st.none() | MOMENTS),
        sequence=draw(st.integers(0, 99)),
        all_day=draw(st.booleans()),
        summary=draw(words),
        description=draw(words),
        location=draw(words),
        url=draw(words),
        status=draw(st.sampled_from(Status)),
        busy=draw(st.booleans()),
        confidentiality=draw(st.sampled_from(Class)),
        categories=tuple(draw(st.lists(words, max_size=3))),
        priority=draw(st.integers(0, 9)),
        organizer=draw(st.none() | attendees()),
        attendees=tuple(draw(st.lists(attendees(), max_size=3))),
        recurrence_id=draw(st.none() | MOMENTS),
    )


def unfolded(body: bytes) -> list[str]:
    """Return the content lines of a calendar, once no line of it is too long and all end as they must."""
    assert body.endswith(b"\r\n")
    physical = body[:-2].split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in physical)
    # Each piece is whole characters: some readers decode before they unfold.
    for line in physical:
        line.decode()
    return re.sub("\r\n[ \t]", "", body.decode()).split("\r\n")[:-1]
