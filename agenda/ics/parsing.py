"""Content lines and components out of bytes that anybody wrote, in time that grows as their size and no more.

The library is not asked: it keeps what it has read of time zones for the whole process, under the names their writer
gave them, and takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from agenda.ics.errors import CalendarRefused, CalendarTooLarge, CalendarTooLong

MOST_COMPONENTS: Final = 50_000
# Lines kept of all components: what a process has in memory while it reads.
MOST_LINES: Final = 200_000
DEEPEST: Final = 8

_FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
_CALENDAR = re.compile(rb"\s*BEGIN:VCALENDAR\s", re.IGNORECASE)
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Content:
    """One content line. `params`: by names in capitals, without their quotes."""

    name: str
    params: Mapping[str, str]
    value: str


@dataclass(slots=True)
class Component:
    """A component and the lines it has of its own, those of what it holds left out. `broken`: those that are none."""

    name: str
    within: str = ""
    lines: list[Content] = field(default_factory=list)
    broken: int = 0

    def all(self, name: str) -> list[Content]:
        return [line for line in self.lines if line.name == name]

    def one(self, name: str) -> Content | None:
        """Return the first line of a name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        """Return the value of the first line of a name, "" when there is none."""
        found = self.one(name)
        return found.value.strip() if found else ""


def components(body: bytes, names: frozenset[str], *, most: int) -> Iterator[Component]:
    """Yield the components of a calendar as they end, each with its lines of these names (in capitals).

    What is cut before its end is yielded too: an agenda half received has said something. Raises CalendarTooLarge
    when there are more than `most` bytes, CalendarTooLong, CalendarRefused when it does not begin as a calendar.
    """
    if len(body) > most:
        raise CalendarTooLarge(limit=_in_words(most))
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not _CALENDAR.match(body):
        raise CalendarRefused()
    opened: list[Component] = []
    begun = kept = 0
    for name, rest in _lines(body, names):
        if name == "BEGIN":
            begun += 1
            opened.append(Component(rest[1:].strip().upper(), opened[-1].name if opened else ""))
        elif name == "END":
            yield from _closed(opened, rest[1:].strip().upper())
        elif opened:
            kept += 1
            _keep(opened[-1], name, rest)
        if begun > MOST_COMPONENTS or kept > MOST_LINES or len(opened) > DEEPEST:
            raise CalendarTooLong()
    yield from reversed(opened)


def _in_words(size: int) -> str:
    return f"{size // 1024 // 1024} Mo" if size >= 1024 * 1024 else f"{size // 1024} ko"


def _lines(body: bytes, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, what follows it) of the lines of these names, unfolded."""
    either = "|".join(sorted(names | {"BEGIN", "END"}))
    wanted = re.compile(rf"^({either})([;:][^\n]*)", re.MULTILINE | re.IGNORECASE | re.ASCII)
    whole = _FOLD.sub(b"", body).replace(b"\r", b"\n").decode("utf-8", "replace")
    for found in wanted.finditer(whole):
        yield found[1].upper(), found[2]


def _closed(opened: list[Component], name: str) -> Iterator[Component]:
    """Yield what an END closes: what was left open inside it too, nothing when it closes nothing."""
    if not any(component.name == name for component in opened):
        return
    while opened:
        component = opened.pop()
        yield component
        if component.name == name:
            return


def _keep(component: Component, name: str, rest: str) -> None:
    line = read_line(name, rest)
    if line is None:
        component.broken += 1
    else:
        component.lines.append(line)


def read_line(name: str, rest: str) -> Content | None:
    """Return a content line from its name and what follows it (;PARAM=value:value); None when it is not one."""
    params: dict[str, str] = {}
    place = 0
    while found := _PARAMETER.match(rest, place):
        params[found[1].upper()] = found[2].replace('"', "").strip()
        place = found.end()
    return Content(name, params or _NONE, rest[place + 1 :]) if rest[place : place + 1] == ":" else None


def unescaped(value: str) -> str:
    """Return the text that a value of type TEXT says (RFC 5545 §3.3.11)."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
