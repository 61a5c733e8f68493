"""Several people invited at once: lines pasted or read from a CSV file. Pure."""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from coordination.common import nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email, parse_person_name
from coordination.common.nomenclatures import synonyms
from coordination.common.text import fold, squeeze

MOST = 50
SEPARATORS = ("\t", ";", ",")
# The columns in the order of lines without a heading; a heading puts them in any order.
EMAIL, FAMILY, GIVEN, PROFESSION, STRUCTURE = "email", "family_name", "given_name", "profession", "structure"
ORDER = (EMAIL, FAMILY, GIVEN, PROFESSION, STRUCTURE)
HEADINGS = {
    **dict.fromkeys(("email", "e mail", "mail", "adresse", "adresse e mail", "adresse mail", "courriel"), EMAIL),
    **dict.fromkeys(("nom", "nom de famille"), FAMILY),
    "prenom": GIVEN,
    **dict.fromkeys(("profession", "metier"), PROFESSION),
    **dict.fromkeys(("structure", "etablissement", "cabinet"), STRUCTURE),
}


class Line(NamedTuple):
    """One line as read; `error` says why nobody is invited by it."""

    number: int
    text: str
    email: str = ""
    family_name: str = ""
    given_name: str = ""
    profession: str = ""
    structure: str = ""
    error: str = ""


def read(text: str) -> list[Line]:
    """Return the people of a text, one a line: address, name, given name, profession (its code or words), structure.

    A first line that names the columns says their order.
    """
    rows = [(n, line.strip()) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    order = _heading(rows[0][1]) if rows else None
    seen: set[str] = set()
    found = []
    for rank, (number, line) in enumerate(rows[1:] if order else rows):
        read_line = _read_line(number, line, order or ORDER, seen)
        if rank >= MOST and not read_line.error:
            read_line = read_line._replace(error=f"{MOST} personnes à la fois au plus : cette ligne est laissée.")
        seen.add(read_line.email)
        found.append(read_line)
    return found


def kept(text: str, numbers: Collection[int]) -> str:
    """Return these lines of a text as they were written, under its heading if it has one."""
    rows = [(n, line) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    heads = [line for _, line in rows[:1] if _heading(line)]
    return "\n".join([*heads, *(line.strip() for n, line in rows if n in numbers)])


def _heading(line: str) -> tuple[str, ...] | None:
    """Return the columns that a line names, None for a line about somebody. A column of no use to us is ""."""
    columns = tuple(HEADINGS.get(fold(cell), "") for cell in _cells(line))
    return columns if EMAIL in columns else None


def _read_line(number: int, line: str, order: tuple[str, ...], seen: set[str]) -> Line:
    cells = {name: squeeze(cell) for name, cell in zip(order, _cells(line), strict=False)}
    said = Line(
        number, line[:200], family_name=cells.get(FAMILY, ""), given_name=cells.get(GIVEN, ""),
        structure=cells.get(STRUCTURE, "")[:200],
    )  # fmt: skip
    try:
        email = parse_email(cells.get(EMAIL, ""))
        parse_person_name(said.family_name)
    except DomainError as error:
        return said._replace(error=str(error))
    trade = cells.get(PROFESSION, "")
    said = said._replace(email=email, profession=_profession(trade))
    if not said.profession:
        return said._replace(error=_unknown(trade))
    if email in seen:
        return said._replace(error="Cette adresse est déjà plus haut.")
    return said


def _cells(line: str) -> list[str]:
    separator = next((mark for mark in SEPARATORS if mark in line), ";")
    return next(csv.reader([line], delimiter=separator))


def _profession(words: str) -> str:
    """Return the code these words name: those of the list, else everyday ones (« kiné », « IDE »), else ""."""
    known = _professions()
    term = synonyms.lookup(words)
    meant = [target.profession for target in term.targets] if term else []
    everyday = (code for code in meant if code != synonyms.BY_ROLE and code in known.values())
    return known.get(fold(words)) or next(everyday, "")


def _unknown(words: str) -> str:
    if not words:
        return "Il manque la profession."
    return f"La profession « {words[:60]} » n’est pas dans la liste. Écrivez son nom entier, comme « Aide-soignant »."


@cache
def _professions() -> dict[str, str]:
    """Return {words or code: code}; people write « infirmière » as often as « infirmier »."""
    choices = nomenclatures.choices("profession")
    feminine = {fold(nomenclatures.label("profession", code, feminine=True)): code for code, _ in reversed(choices)}
    return feminine | {fold(label): code for code, label in choices} | {fold(code): code for code, _ in choices}
