"""Addresses, telephones, towns: from the columns of national files to what screens show and searches compare."""

from __future__ import annotations

import re
from functools import lru_cache

from coordination.common.phones import phone_or_none

_POSTAL = re.compile(r"^\s*(\d{5})\s+(.+)$")
_CEDEX = re.compile(r"\s+CEDEX\b.*$", re.IGNORECASE)
# French numbers that keep +33; the others (overseas, foreign) need the tables of the phone library.
_MAINLAND = re.compile(r"0(?:[12345789]|6(?!39|9))\d{8}")
_OVERSEAS = ("0262", "0263", "0269", "0508", "0590", "0594", "0596")
# "2,6E+13": a spreadsheet has been through the file and numbers are lost.
SCIENTIFIC = re.compile(r"^\d[.,]\d+E\+\d+$")


def phone(text: str) -> str:
    """Return the E.164 form, or "" for what is not a telephone number (nine digits, eleven, letters)."""
    if not text:
        return ""
    if len(text) == 10 and _MAINLAND.fullmatch(text) and not text.startswith(_OVERSEAS):
        return f"+33{text[1:]}"
    return _phone(text)


@lru_cache(maxsize=4096)
def _phone(text: str) -> str:
    return (phone_or_none(text) or "")[:20]


def street(number: str, repeat: str, kind: str, name: str, *around: str) -> str:
    """Return one line: complements, number, kind of street, street, mention."""
    line = " ".join(part for part in (number, repeat, kind, name) if part)
    before, after = (around[:-1], around[-1:]) if around else ((), ())
    return ", ".join(part for part in (*before, line, *after) if part)


def split_route_line(line: str) -> tuple[str, str]:
    """Return (postal code, town) of "31059 TOULOUSE CEDEX 9"; the CEDEX mention is dropped.

    The code of a CEDEX is no commune's (directories.md E): the INSEE code finds the town.
    """
    found = _POSTAL.match(line)
    if not found:
        return "", _CEDEX.sub("", line).strip()
    return found[1], _CEDEX.sub("", found[2]).strip()


def email(text: str) -> str:
    """Return the address in lower case, or "" when it cannot be one."""
    lowered = text.strip().lower()
    return lowered if "@" in lowered and " " not in lowered and len(lowered) <= 254 else ""
