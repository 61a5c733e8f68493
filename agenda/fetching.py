"""Fetching somebody's own calendar where he says it is: an ICS address, or a CalDAV collection.

The address is his, hence anybody's: https and public hosts only, at each redirect again; bounded in size and in time
(`coordination.partners.wire`). The password goes to the site it was given for and to no other.
"""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from agenda.ics import caldav
from agenda.ics.errors import (
    AddressRefused,
    CalendarNotFound,
    CalendarRefused,
    CalendarTooLarge,
    CertificateRefused,
    PasswordAsked,
    PasswordRefused,
    SiteTooSlow,
    SiteUnreachable,
)
from agenda.ics.happening import Span
from agenda.ics.reading import MOST_BYTES
from coordination.partners import wire

MOST_REDIRECTS: Final = 4
# For all of it, redirects included; a task that fetches one calendar has this long and a little more.
SECONDS: Final = 45.0
AGENT: Final = "Coordination"
# The content of an XML answer is longer than the calendars in it.
_MOST_OF_ANSWER = MOST_BYTES + MOST_BYTES // 2
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 405, 410})
_SAFE = "/;:@&=+$,-_.!~*'()%?[]"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a calendar is. `etag`: that of the last answer, so that what has not changed is not sent again."""

    address: str
    user: str = ""
    password: str = field(default="", repr=False)
    caldav: bool = False
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`body`: an iCalendar to read, None when nothing has changed since `etag`."""

    body: bytes | None
    etag: str = ""


def fetch(source: Source, window: Span, *, within: float | None = None) -> Fetched:
    """Return the calendar of a source; of a CalDAV collection, what it has within the window.

    `within`: seconds for all of it, when somebody waits in front of a page; 45 otherwise.
    Raises NotFetched (AddressRefused, CalendarNotFound, PasswordAsked, PasswordRefused, CertificateRefused,
    SiteTooSlow, SiteUnreachable), CalendarTooLarge, and CalendarRefused for what is no calendar.
    """
    answer = _answered(source, window, SECONDS if within is None else within)
    if answer.status == 304 and source.etag:
        return Fetched(None, source.etag)
    body = _plain(answer, _MOST_OF_ANSWER if source.caldav else MOST_BYTES)
    if source.caldav:
        if answer.status != 207:
            raise CalendarRefused()
        body = caldav.calendars_in(body)
        if len(body) > MOST_BYTES:
            raise _too_large()
        return Fetched(body)
    if not body.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper().startswith(b"BEGIN:VCALENDAR"):
        raise CalendarRefused()
    return Fetched(body, _etag(answer))


def normal(address: str) -> str:
    """Return an address as it is called: webcal is https, what browsers write for people is written for servers.

    Raises AddressRefused for what is not an address that may be called.
    """
    said = address.strip()
    try:
        parts = urlsplit(said)
        scheme = {"webcal": "https", "webcals": "https"}.get(parts.scheme, parts.scheme)
        host = parts.netloc.encode("idna").decode() if not parts.netloc.isascii() else parts.netloc
        path, query = quote(parts.path, safe=_SAFE), quote(parts.query, safe=_SAFE)
        written = urlunsplit((scheme, host, path, query, ""))
    except (ValueError, UnicodeError):
        raise AddressRefused() from None
    if not said.isprintable() or not wire.is_allowed(written.partition("?")[0]):
        raise AddressRefused()
    return written


def _answered(source: Source, window: Span, within: float) -> wire.Received:
    """Return the answer at the end of the redirects, when it is one."""
    url = first = normal(source.address)
    until = time.monotonic() + within
    for _ in range(MOST_REDIRECTS + 1):
        left = until - time.monotonic()
        if left <= 0:
            raise SiteTooSlow()
        answer = _asked(url, source, window, known=_origin(url) == _origin(first), seconds=left)
        if answer.status not in _REDIRECTS:
            _check(answer.status, asked_as_caldav=source.caldav)
            return answer
        url = normal(urljoin(url, answer.headers.get("location", "")))
    raise CalendarNotFound()


def _asked(url: str, source: Source, window: Span, *, known: bool, seconds: float) -> wire.Received:
    headers = {"User-Agent": AGENT, "Accept": "text/calendar, */*;q=0.1"}
    if source.user and known:
        pair = base64.b64encode(f"{source.user}:{source.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    method, body, most = "GET", b"", MOST_BYTES
    if source.caldav:
        method, body, most = "REPORT", caldav.query(window), _MOST_OF_ANSWER
        headers |= {"Accept": "application/xml", "Content-Type": "application/xml; charset=utf-8", "Depth": "1"}
    elif source.etag:
        headers["If-None-Match"] = source.etag
    return _exchanged(method, url, headers, body, most, seconds)


def _exchanged(
    method: str, url: str, headers: Mapping[str, str], body: bytes, most: int, seconds: float
) -> wire.Received:
    base, _, query = url.partition("?")
    try:
        return wire.exchange(method, base, headers=headers, body=body, most=most, query=query, within=seconds)
    except wire.NotAllowed:
        raise AddressRefused() from None
    except wire.TooLong:
        raise _too_large() from None
    except wire.NotTrusted:
        raise CertificateRefused() from None
    except wire.TooSlow:
        raise SiteTooSlow() from None
    except wire.Unreachable:
        raise SiteUnreachable() from None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _check(status: int, *, asked_as_caldav: bool) -> None:
    if status in (401, 403):
        raise PasswordRefused() if asked_as_caldav else PasswordAsked()
    if status in _GONE:
        raise CalendarNotFound()
    if status in (408, 425, 429) or status >= 500:
        raise SiteUnreachable()
    if not (200 <= status < 300 or status == 304):
        raise CalendarRefused()


def _plain(answer: wire.Received, most: int) -> bytes:
    """Return the content of an answer, opened if it was compressed although we did not ask for it."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        return answer.body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise CalendarRefused()
    # 47: a header of gzip or of zlib. One byte more than allowed tells that there is more.
    opener = zlib.decompressobj(47)
    try:
        opened = opener.decompress(answer.body, most + 1)
    except zlib.error:
        raise CalendarRefused() from None
    if len(opened) > most:
        raise _too_large()
    return opened


def _too_large() -> CalendarTooLarge:
    return CalendarTooLarge(limit=f"{MOST_BYTES // 1024 // 1024} Mo")


def _etag(answer: wire.Received) -> str:
    said = answer.headers.get("etag", "")
    return said if len(said) <= 200 and said.isascii() and said.isprintable() else ""
