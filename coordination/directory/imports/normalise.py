"""Addresses, telephones, towns: from the columns of national files to what screens show and searches compare."""

from __future__ import annotations

import re
from functools import lru_cache

from coordination.common import communes
from coordination.common.phones import phone_or_none

_POSTAL = re.compile(r"^\s*(\d{5})\s+(.+)$")
_CEDEX = re.compile(r"\s+CEDEX\b.*$", re.IGNORECASE)
# Four first digits of the French numbers that keep +33; the others (overseas, foreign) need the tables of the
# phone library.
_OVERSEAS = {"0262", "0263", "0269", "0508", "0590", "0594", "0596", "0639", "0690", "0691", "0692", "0693", "0694",
             "0696", "0697"}  # fmt: skip
_MAINLAND = {f"{start:04d}" for start in range(100, 800)} - _OVERSEAS | {f"{start:04d}" for start in range(900, 1000)}
# "2,6E+13": a spreadsheet has been through the file and numbers are lost.
SCIENTIFIC = re.compile(r"^\d[.,]\d+E\+\d+$")


def phone(text: str) -> str:
    """Return the E.164 form, or "" for what is not a telephone number (nine digits, eleven, letters)."""
    if len(text) == 10 and text[:4] in _MAINLAND and text.isdigit() and text.isascii():
        return f"+33{text[1:]}"
    return _phone(text) if text else ""


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


@lru_cache(maxsize=4096)
def commune(town: str, postal_code: str) -> str:
    """Return the INSEE code of a written town, "" when it is not sure."""
    found = communes.resolve(town, postal_code) if town and postal_code else ()
    return found[0].insee if len(found) == 1 else ""


def email(text: str) -> str:
    """Return the address in lower case, or "" when it cannot be one."""
    lowered = text.strip().lower()
    return lowered if "@" in lowered and " " not in lowered and len(lowered) <= 254 else ""


def finess_phone(text: str) -> tuple[str, str]:
    """Return (E.164, "") for a telephone number, ("", what was given) for what is not one (directories.md B.2)."""
    digits = re.sub(r"[\s.\-/]", "", text)
    found = phone(digits) if len(digits) == 10 else ""
    return (found, "") if found or not text else ("", text[:40])


STREET_TYPES = {
    "R": "Rue", "AV": "Avenue", "BD": "Boulevard", "PL": "Place", "CHE": "Chemin", "RTE": "Route", "ALL": "Allée",
    "IMP": "Impasse", "QU": "Quai", "SQ": "Square", "CRS": "Cours", "FG": "Faubourg", "LOT": "Lotissement",
    "RES": "Résidence", "PAS": "Passage", "LD": "Lieu-dit", "ESP": "Esplanade", "PROM": "Promenade",
}  # fmt: skip


def street_type(code: str) -> str:
    """Return the label of a FINESS street type, written "AV  ", "av" or "AV"; the code itself when unknown."""
    cleaned = code.strip().upper()
    return STREET_TYPES.get(cleaned, cleaned)
