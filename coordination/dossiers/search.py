"""What a person types to find a dossier: names in any order, a birth date, a matricule INS. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from coordination.common.dates import InvalidDate, parse_date
from coordination.common.text import fold

_DATE = re.compile(r"\b(?:\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{8})\b")
# As the form of identity takes a birth date of which the day is unknown.
_MONTH = re.compile(r"(?<![\w/.-])(0?[1-9]|1[0-2])[/.-]((?:189|19\d|20\d)\d)\b")
_YEAR = re.compile(r"\b(?:189|19\d|20\d)\d\b")
_MATRICULE = re.compile(r"\b[1-478](?:[\s.]?[\dAB]){14}\b", re.IGNORECASE)
LONGEST = 100
# A name, a used name, two given names.
MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was understood. It identifies someone: it stays out of `repr`, so out of logs."""

    words: tuple[str, ...] = field(default=(), repr=False)
    birth_date: dt.date | None = field(default=None, repr=False)
    birth_year: int | None = field(default=None, repr=False)
    birth_month: int | None = field(default=None, repr=False)
    matricule: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.words or self.birth_date or self.birth_year or self.matricule)

    @property
    def is_usual(self) -> bool:
        """Say whether the statement of this search is worth keeping: its values change, its shape hardly does."""
        return not self.birth_year and len(self.words) <= MOST_WORDS

    @property
    def values(self) -> dict[str, str | dt.date]:
        """Return what changes from one search to the next of the same shape, by name (common.prepared)."""
        found: dict[str, str | dt.date] = {f"word_{rank}": word for rank, word in enumerate(self.words)}
        if self.birth_date:
            found["birth_date"] = self.birth_date
        if self.matricule:
            found["matricule"] = self.matricule
        return found

    @classmethod
    def of(cls, birth_date: dt.date | None = None, matricule: str = "", **words: str) -> Wanted:
        """Return the search of these `values`."""
        return cls(words=tuple(words.values()), birth_date=birth_date, matricule=matricule)


def parse(text: str | None) -> Wanted:
    """Return what the text asks for; nothing understood gives a false value.

    >>> parse("MARTIN 14/03/1941") == Wanted(words=("martin",), birth_date=dt.date(1941, 3, 14))
    True
    """
    text = (text or "")[:LONGEST]
    if found := _MATRICULE.search(text):
        return Wanted(matricule=re.sub(r"[\s.]", "", found[0]).upper())
    birth_date, text = _take_date(text)
    year = month = None
    if birth_date is None and (found := _MONTH.search(text)):
        month, year, text = int(found[1]), int(found[2]), text.replace(found[0], " ")
    elif birth_date is None and (found := _YEAR.search(text)):
        year, text = int(found[0]), text.replace(found[0], " ")
    return Wanted(tuple(fold(text).split()), birth_date, year, month)


def _take_date(text: str) -> tuple[dt.date | None, str]:
    """Return the first date and the text without it: digits alone, or the whole text in words (14 mars 1941)."""
    if found := _DATE.search(text):
        try:
            return parse_date(found[0]), text.replace(found[0], " ")
        except InvalidDate:
            return None, text
    try:
        return parse_date(text), ""
    except InvalidDate:
        return None, text
