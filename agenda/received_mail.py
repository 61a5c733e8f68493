"""A mail that answers an invitation, as it came: to which addresses, from whom, and its calendar part. Pure.

Anybody may write to such an address, and nothing is proved before its secret is looked at: what is read before is
bounded, and read in a time that grows with its size and no faster. What does not read is refused in one way, whatever
is wrong in it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded

from agenda.ics.errors import ReplyRefused

# A mail program may quote the whole thread, and a picture of its company (28,000 lines of base64).
MOST_BYTES: Final = 2 * 1024 * 1024
MOST_LINES: Final = 50_000
MOST_PARTS: Final = 20
# Of a header that is read. The others may be longer (the servers on the way write what they please).
LONGEST_HEADER: Final = 4 * 1024
MOST_RECIPIENTS: Final = 20
MOST_ADDRESSES: Final = 50
LONGEST_ADDRESS: Final = 254
# Who received it, by the mail server's word first.
_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_READ = frozenset({"from", "content-type", "content-transfer-encoding"} | {name.lower() for name in _TO})
# Addresses are the words with one @ outside of quotes: `email.utils.getaddresses` takes minutes on « a@a@a@… ».
_QUOTED = re.compile(r'"[^"]*"?')
_BETWEEN = re.compile(r"[\s<>,;:()\[\]]+")
_CALENDARS = frozenset({"text/calendar", "application/ics"})
# Those of mail programs. Python knows others, which take long to decode (punycode).
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


@dataclass(frozen=True, slots=True)
class Letter:
    """`recipients` and `sender` in small letters; `sender` empty when there is not exactly one."""

    recipients: tuple[str, ...]
    sender: str
    _message: Message = field(repr=False)

    def calendar(self) -> bytes:
        """Return its first calendar part, in UTF-8. Raises ReplyRefused."""
        try:
            return next(_calendars(self._message))
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # no part, or one made to break the library
            raise ReplyRefused from None


def read(raw: bytes) -> Letter:
    """Return to whom and from whom a mail is; its parts are not looked at yet. Raises ReplyRefused."""
    if not _is_bounded(raw):
        raise ReplyRefused
    try:
        message = BytesParser(policy=_Short()).parsebytes(raw)
        senders = _addresses(message, ("From",))
        recipients = _addresses(message, _TO)[:MOST_ADDRESSES]
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # the parser of the standard library raises many things on headers made to break it
        raise ReplyRefused from None
    return Letter(tuple(recipients), senders[0] if len(senders) == 1 else "", message)


def _is_bounded(raw: bytes) -> bool:
    """Say whether the parser may be given it: each line is compared to the boundary of each part it is in."""
    if len(raw) > MOST_BYTES:
        return False
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    return lines <= MOST_LINES and raw.lower().count(b"content-type:") <= MOST_PARTS


class _Short(Compat32):
    """Headers as they are written. `policy.default` understands them all, in a time that is that of their square."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        if sum(map(len, sourcelines)) <= LONGEST_HEADER:
            return super().header_source_parse(sourcelines)
        name = sourcelines[0].partition(":")[0]
        if name.lower() in _READ:
            raise ReplyRefused
        return name, ""


def _addresses(message: Message, names: tuple[str, ...]) -> list[str]:
    said = [str(value) for name in names for value in message.get_all(name, [])]
    if len(said) > MOST_RECIPIENTS:
        raise ReplyRefused
    words = (word for value in said for word in _BETWEEN.split(_QUOTED.sub(" ", value.lower())))
    return list(dict.fromkeys(word for word in words if word.count("@") == 1 and len(word) <= LONGEST_ADDRESS))


def _calendars(message: Message) -> Iterator[bytes]:
    for number, part in enumerate(message.walk()):
        if number == MOST_PARTS:
            return
        if part.get_content_type() in _CALENDARS:
            body = part.get_payload(decode=True)
            charset = codecs.lookup(str(part.get_content_charset() or "utf-8")).name
            if isinstance(body, bytes) and charset in _CHARSETS:
                yield body.decode(charset, "replace").encode()
