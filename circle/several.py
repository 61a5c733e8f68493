"""Several people invited at once: lines pasted or read from a CSV file. Pure."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple

from circle.roles import DOCTOR, PCP, PROFESSIONALS, REFERENT, all_roles
from circle.roles import label as role_label
from coordination.common import nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email, parse_person_name
from coordination.common.nomenclatures import synonyms
from coordination.common.text import capital_family, fold, squeeze

MOST = 50
# Characters of a name.
LONGEST = 120
SEPARATORS = ("\t", ";", ",")
# The columns in the order of lines without a heading; a heading puts them in any order.
EMAIL, FAMILY, GIVEN, PROFESSION, STRUCTURE = "email", "family_name", "given_name", "profession", "structure"
ROLE = "role"
ORDER = (EMAIL, FAMILY, GIVEN, PROFESSION, STRUCTURE)
HEADINGS = {
    **dict.fromkeys(("email", "e mail", "mail", "adresse", "adresse e mail", "adresse mail", "courriel"), EMAIL),
    **dict.fromkeys(("nom", "nom de famille"), FAMILY),
    "prenom": GIVEN,
    **dict.fromkeys(("profession", "metier"), PROFESSION),
    **dict.fromkeys(("role", "fonction", "poste"), ROLE),
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
    # A role of the circle, when the words named one: « coordinatrice », « secrétaire ».
    role: str = ""
    error: str = ""


def read(text: str) -> list[Line]:
    """Return the people of a text, one a line: address, name, given name, profession (its code or words), structure.

    The words of a profession may be those of a role, in its column or in one of its own. A first line that names the
    columns says their order.
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
    # As stored: capitals may be longer than what was typed.
    if max(len(capital_family(said.family_name)), len(said.given_name)) > LONGEST:
        return said._replace(error=f"Ce nom est trop long : {LONGEST} caractères au plus.")
    trades = [words for name in (PROFESSION, ROLE) if (words := cells.get(name, ""))]
    said = _with_trade(said._replace(email=email), trades)
    if said.error:
        return said
    if email in seen:
        return said._replace(error="Cette adresse est déjà plus haut.")
    return said


def _cells(line: str) -> list[str]:
    separator = next((mark for mark in SEPARATORS if mark in line), ";")
    return next(csv.reader([line], delimiter=separator))


def _with_trade(said: Line, trades: Sequence[str]) -> Line:
    """Return the line with the profession and the role that these words name, or with what is not understood.

    A role alone goes with the profession that says so, as in the form of one person: « coordinatrice » is
    « caractérisé par son rôle », « médecin traitant » a doctor.
    """
    if not trades:
        return said._replace(error="Il manque la profession.")
    for words in trades:
        profession, named = _understood(words)
        if not (profession or named):
            return said._replace(error=_unknown(words))
        if len(named) > 1:
            return said._replace(error=_ambiguous(words, named))
        said = said._replace(profession=said.profession or profession, role=said.role or "".join(named))
    return said if said.profession else said._replace(profession=DOCTOR if said.role == PCP else synonyms.BY_ROLE)


def _understood(words: str) -> tuple[str, list[str]]:
    """Return (profession, roles) named by these words, taken whole, else one after the other."""
    profession, named = _profession(words), _roles(words)
    if profession or named:
        # « aide-soignant » is both: the profession says it.
        return profession, [] if profession else named
    parts = fold(words).split()
    met = synonyms.find_terms(parts)
    if sum(found.end - found.start for found in met) < len(parts):
        return "", []
    each = [(_profession(found.term.phrase), _roles(found.term.phrase)) for found in met]
    return next((code for code, _ in each if code), ""), next((found for code, found in each if not code), [])


def _roles(words: str) -> list[str]:
    """Return the roles of a professional that these words name: the one of this name, else what they may mean."""
    known = {code: role for code, role in all_roles().items() if code.isdigit() or code in (PCP, REFERENT)}
    said = fold(words)
    exact = [code for code, role in known.items() if said in (fold(role.label), fold(role.feminine))]
    term = synonyms.lookup(words)
    return exact or [code for target in (term.targets if term else ()) for code in target.roles if code in known]


def _profession(words: str) -> str:
    """Return the code these words name: those of the list, else everyday ones (« kiné », « IDE »), else ""."""
    known = _professions()
    term = synonyms.lookup(words)
    meant = [target.profession for target in term.targets] if term else []
    everyday = (code for code in meant if code != synonyms.BY_ROLE and code in known.values())
    return known.get(fold(words)) or next(everyday, "")


def _unknown(words: str) -> str:
    said = words[:60]
    if fold(words) in _relatives():
        return f"« {said} » désigne un proche : il s’ajoute un par un, par « Ajouter un professionnel ou un aidant »."
    return f"« {said} » n’est ni une profession ni un rôle connu. Écrivez le nom entier, comme « Aide-soignant »."


def _ambiguous(words: str, named: Sequence[str]) -> str:
    those = " ou ".join(f"« {role_label(code)} »" for code in named)
    return f"« {words[:60]} » peut dire {those} : écrivez l’un d’eux."


@cache
def _relatives() -> frozenset[str]:
    of_person = [role for role in all_roles().values() if not role.kinds & PROFESSIONALS]
    links = nomenclatures.concepts("relation", active_only=True)
    said = [(role.label, role.feminine) for role in of_person] + [(link.label, link.feminine) for link in links]
    return frozenset(fold(word) for pair in said for word in pair)


@cache
def _professions() -> dict[str, str]:
    """Return {words or code: code}; people write « infirmière » as often as « infirmier »."""
    choices = nomenclatures.choices("profession")
    feminine = {fold(nomenclatures.label("profession", code, feminine=True)): code for code, _ in reversed(choices)}
    return feminine | {fold(label): code for code, label in choices} | {fold(code): code for code, _ in choices}
