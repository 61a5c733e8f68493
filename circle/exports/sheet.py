"""« Fiche du cercle »: what goes on a fridge. One page, no access, no refusal, no discreet member (design, §10)."""

from __future__ import annotations

import calendar
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from circle import roles
from circle.lines import MemberRow
from coordination.common.errors import DomainError
from coordination.common.french import date_fr, nbsp, phone_fr, time_fr
from habilitations.rubriques import Rubrique

TITLE = "Fiche du cercle de soins"
# Beyond, two columns; a group of more than LONGEST_GROUP lines fills a page and may then be cut.
ONE_COLUMN = 22
LONGEST_GROUP = 40
VALID_MONTHS = 3
TIMEOUT = 15
# The second draws Greek and Cyrillic; it comes inside typst.
FONTS = ("Atkinson Hyperlegible Next", "Libertinus Serif")
TYPESETTER = Path(__file__).with_name("typesetter.py")
# One thread, one arena: the memory limit of the typesetter counts what each of them reserves.
ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
EMERGENCY_NUMBER = {"name": "Samu", "role": "Urgence médicale", "phones": ["15"]}
GROUPS = (("person", "Professionnels"), ("structure", "Structures"), ("relative", "Proches et aidants"))


class Sheet(NamedTuple):
    """A printed sheet: PDF bytes and how many pages of paper it asks."""

    content: bytes
    pages: int


class SheetNotMade(DomainError):
    code = "sheet_not_made"
    message = "La fiche n’a pas pu être préparée. Réessayez dans un instant."


def make_sheet(entry, rows: Iterable[MemberRow], *, reader: str, at: dt.datetime) -> Sheet:
    """Return the sheet of a circle as this reader sees it today.

    `entry`: the door's; `rows`: circle.rows.rows_of; `reader`: "NOM Prénom" of who prints; `at`: local time.
    Raises SheetNotMade when typesetting fails or takes too long.
    """
    person, born = head(entry)
    groups = grouped(rows)
    lines = sum(len(group["lines"]) for group in groups)
    return _set_in_type(
        {
            "layouts": ["one", "two"] if lines <= ONE_COLUMN else ["two"],
            "timestamp": int(at.timestamp()),
            "data": {
                "title": TITLE,
                "fonts": FONTS,
                "longest_group": LONGEST_GROUP,
                "person": person,
                "born": born,
                "groups": groups,
                "foot": foot(reader, at),
            },
        }
    )


def head(entry) -> tuple[str, str]:
    """Return the name and the birth date; neither for who may not read the identity, on paper as on the screen."""
    dossier = entry.dossier
    if not entry.access.can_read(Rubrique.IDENTITE):
        return "", ""
    born = dossier.birth_date_written
    return dossier.full_name, nbsp(f"Date de naissance : {born}")


def grouped(rows: Iterable[MemberRow]) -> list[dict]:
    """Return [{"title", "lines": [{"name", "role", "phones"}]}]: whom to call first, then the groups of the list.

    Nobody stands twice: who is to be called in an emergency, or the référent, is not said again below.
    """
    kept = [row for row in rows if not row.discreet]
    emergency = [row for row in kept if row.role_code == roles.ECON] + [r for r in kept if r.role_code == roles.PCP]
    referents = [row for row in kept if row.role_code == roles.REFERENT]
    said = {row.id for row in emergency + referents}
    rest = [row for row in kept if row.id not in said]
    groups = [
        {"title": "En cas d’urgence", "lines": [*_lines(emergency, both_phones=True), EMERGENCY_NUMBER]},
        {"title": "Référent du parcours", "lines": [_referent_line(row) for row in referents]},
    ]
    groups += [{"title": title, "lines": _lines([r for r in rest if r.shape == shape])} for shape, title in GROUPS]
    return [group for group in groups if group["lines"]]


def _lines(rows: Sequence[MemberRow], *, both_phones: bool = False) -> list[dict]:
    return [{"name": row.name, "role": _role(row), "phones": _phones(row, both_phones)} for row in rows]


def _referent_line(row: MemberRow) -> dict:
    # The title of the group says the role already.
    trade = ", ".join(filter(None, (row.profession, row.structure_name)))
    return {"name": row.name, "role": trade, "phones": _phones(row, both=True)}


def _role(row: MemberRow) -> str:
    if row.kind == roles.PERSON and row.role and row.relation:
        return f"{row.role}, {row.relation[0].lower()}{row.relation[1:]}"
    return row.role or row.profession or row.relation


def _phones(row: MemberRow, both: bool) -> list[str]:
    """Return the numbers to print; those of the « liste rouge » stay out of a paper that anyone may read."""
    if row.unlisted:
        return []
    numbers = list(dict.fromkeys(phone_fr(number) for number in (row.mobile, row.phone) if number))
    return numbers if both else numbers[:1]


def foot(reader: str, at: dt.datetime) -> str:
    """Return the sentence at the foot: when, by whom, until when it may be trusted."""
    until = _months_later(at.date(), VALID_MONTHS)
    return (
        f"Imprimée le {date_fr(at)} à {time_fr(at)} par {reader}, selon ses droits. "
        f"À remettre à jour avant le {date_fr(until)}."
    )


def _months_later(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or the last of that month when it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def _set_in_type(asked: dict) -> Sheet:
    try:
        done = subprocess.run(  # noqa: S603 - our own program; what people typed goes by standard input
            [sys.executable, "-I", str(TYPESETTER)],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=TIMEOUT,
            env=ENVIRONMENT,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        # What typst complained of quotes the text, and a name must not reach the logs.
        raise SheetNotMade from None
    pages, _, content = done.stdout.partition(b"\n")
    return Sheet(content=content, pages=int(pages))
