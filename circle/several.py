"""Several people invited at once: lines pasted or read from a CSV file. Pure."""

from __future__ import annotations

import csv
from typing import NamedTuple

from coordination.common import nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email, parse_person_name
from coordination.common.text import fold, squeeze

MOST = 50
SEPARATORS = ("\t", ";", ",")
HEADINGS = frozenset({"email", "e-mail", "mail", "adresse", "adresse e-mail", "courriel"})


class Line(NamedTuple):
    """One line as read; `error` says why nobody is invited by it."""

    number: int
    text: str
    email: str = ""
    family_name: str = ""
    given_name: str = ""
    profession: str = ""
    error: str = ""


def read(text: str) -> list[Line]:
    """Return the people of a text, one a line: address, name, given name, profession (its code or its words)."""
    rows = [(n, line.strip()) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if rows and _cells(rows[0][1])[0].casefold() in HEADINGS:
        rows = rows[1:]
    seen: set[str] = set()
    found = []
    for rank, (number, line) in enumerate(rows):
        read_line = _read_line(number, line, seen)
        if rank >= MOST and not read_line.error:
            read_line = read_line._replace(error=f"{MOST} personnes à la fois au plus : cette ligne est laissée.")
        seen.add(read_line.email)
        found.append(read_line)
    return found


def _read_line(number: int, line: str, seen: set[str]) -> Line:
    cells = [squeeze(cell) for cell in _cells(line)] + [""] * 4
    said = Line(number, line[:200], family_name=cells[1], given_name=cells[2])
    try:
        email = parse_email(cells[0])
        parse_person_name(cells[1])
    except DomainError as error:
        return said._replace(error=str(error))
    profession = _professions().get(fold(cells[3]), "")
    said = said._replace(email=email, profession=profession)
    if not profession:
        return said._replace(error="Cette profession n’est pas dans la liste.")
    if email in seen:
        return said._replace(error="Cette adresse est déjà plus haut.")
    return said


def _cells(line: str) -> list[str]:
    separator = next((mark for mark in SEPARATORS if mark in line), ";")
    return next(csv.reader([line], delimiter=separator))


def _professions() -> dict[str, str]:
    choices = nomenclatures.choices("profession")
    return {fold(label): code for code, label in choices} | {fold(code): code for code, _ in choices}
