"""Content lines of iCalendar: escaping, folding, moments. What is written here is what `icalendar` reads back equal.

Written by hand because a feed has thousands of events and the library makes an object of every value: the tests
compare both, and no text of a person can begin a line of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

PRODID: Final = "-//Coordination//Agenda partage//FR"
# RFC 5545 §3.1: octets of a line, its end not counted.
WIDTH: Final = 75

_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# Neither printed nor allowed (§3.1), halves of characters, and marks that some readers take for the end of a line.
_UNWRITTEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff]")
_SPECIAL = re.compile("[\\\\;,\x00-\x08\n\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")
_SAFE_OF_URI = ";/?:@&=+$,-_.!~*'()#[]%"


def clean(text: str) -> str:
    """Return a text without what iCalendar does not carry; every kind of line break is "\\n"."""
    return _UNWRITTEN.sub("", _BREAKS.sub("\n", text))


def escaped(text: str) -> str:
    """Return a value of type TEXT (RFC 5545 §3.3.11)."""
    if not _SPECIAL.search(text):
        return text
    return clean(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def quoted(text: str) -> str:
    """Return a value of parameter between quotes (RFC 6868 for what quotes cannot hold).

    A backslash means nothing there, and readers that know it badly take the closing quote for a part of the value.
    """
    held = clean(text).replace("\\", "/").replace("^", "^^").replace('"', "^'").replace("\n", "^n")
    return f'"{held}"'


def uri(address: str) -> str:
    """Return an address that holds on a line: what is not of an address is percent-encoded."""
    return quote(clean(address).replace("\n", ""), safe=_SAFE_OF_URI)


def mailto(address: str) -> str:
    return f"mailto:{quote(clean(address), safe='@+')}"


def folded(line: str) -> str:
    """Return a content line with its end, cut in pieces of 75 octets between characters (RFC 5545 §3.1)."""
    if len(line) <= WIDTH and line.isascii():
        return line + "\r\n"
    raw = line.encode()
    pieces, begin, room = [], 0, WIDTH
    while len(raw) - begin > room:
        end = begin + room
        # Not inside a character, nor inside an escape: some readers unescape before they unfold.
        while raw[end] & 0xC0 == 0x80 or (raw[end - 1] in b"\\^" and end - begin > 8):
            end -= 1
        pieces.append(raw[begin:end])
        begin, room = end, WIDTH - 1
    pieces.append(raw[begin:])
    return b"\r\n ".join(pieces).decode() + "\r\n"


def utc(moment: dt.datetime) -> str:
    """Return an aware moment in UTC, to the second: 20260329T080000Z."""
    here = moment.astimezone(dt.UTC)
    return f"{here.year:04}{here.month:02}{here.day:02}T{here.hour:02}{here.minute:02}{here.second:02}Z"


def date(day: dt.date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def timed(name: str, moment: dt.datetime, zone: str) -> str:
    """Return a property whose moment is told in its zone, in UTC when the hour happens twice there.

    `zone`: an IANA name. RFC 5545 §3.3.5: a local time that happens twice is the first one; the second has no other
    writing than UTC.
    """
    here = moment.astimezone(ZoneInfo(zone))
    if zone == "UTC" or here.fold:
        return f"{name}:{utc(moment)}"
    return (
        f"{name};TZID={zone}:{here.year:04}{here.month:02}{here.day:02}T{here.hour:02}{here.minute:02}{here.second:02}"
    )


def duration(length: dt.timedelta) -> str:
    """Return a positive length of time in hours, minutes and seconds (RFC 5545 §3.3.6)."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{seconds}S" * bool(seconds)
    return f"PT{parts or '0S'}"
