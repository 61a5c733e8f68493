"""Dates as people type them, and birth dates of which a part is unknown. Screens write dates with `french`."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone

from coordination.common.errors import DomainError
from coordination.common.french import MONTHS
from coordination.common.text import fold


def today() -> dt.date:
    """Return the day in France: `timezone.localdate` without looking for another zone, for what every page asks."""
    return timezone.now().astimezone(timezone.get_default_timezone()).date()


class InvalidDate(DomainError, ValueError):
    code = "invalid_date"
    message = "Cette date n’est pas valide : écrivez-la jour/mois/année, par exemple 14/03/1941."


class Precision(StrEnum):
    """How much of a birth date is known."""

    DAY = "jour"
    MONTH = "mois"
    YEAR = "annee"


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birth date to store and how much of it is known.

    The unknown part is filled by our reading of the Référentiel national d'identitovigilance (to confirm on
    its text): day unknown -> the 1st of the month; month alone unknown -> January; day and month unknown ->
    31 December of the year.
    """

    date: dt.date
    precision: Precision = Precision.DAY

    def __str__(self) -> str:
        return write_birth_date(self.date, self.precision)


# As people type them: without accents.
_TYPED_MONTHS = tuple(fold(month) for month in MONTHS)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_COMPACT = re.compile(r"(\d\d)(\d\d)(\d{4})", re.ASCII)
OLDEST = dt.date(1890, 1, 1)


def parse_date(text: str | None) -> dt.date:
    """Return the date typed as 14/03/1941, 14-3-1941, 14 mars 1941, 14031941 or 1941-03-14. Raises InvalidDate."""
    year, month, day = _parts(text)
    return _date(year, month, day)


def parse_birth_date(text: str | None, *, today: dt.date | None = None) -> BirthDate:
    """Return a birth date, possibly incomplete: 00/03/1941 or 03/1941, 00/00/1941 or 1941. Raises InvalidDate.

    A date to come or before 1890 is refused: it is a slip of the keyboard.
    """
    year, month, day = _birth_parts(text)
    birth = _complete(year, month, day)
    now = today or timezone.localdate()
    # A year alone is stored as its last day.
    if birth.date.year > now.year or (birth.precision is not Precision.YEAR and birth.date > now):
        raise InvalidDate("La date de naissance est dans le futur.")
    if birth.date < OLDEST:
        raise InvalidDate(f"La date de naissance est avant {OLDEST.year} : vérifiez l’année.")
    return birth


def write_birth_date(date: dt.date | None, precision: str = Precision.DAY) -> str:
    """Return "14/03/1941", "mars 1941" or "1941" according to what is known; "" for None."""
    if date is None:
        return ""
    if precision == Precision.YEAR:
        return str(date.year)
    if precision == Precision.MONTH:
        return f"{MONTHS[date.month - 1]} {date.year}"
    return f"{date:%d/%m/%Y}"


def _complete(year: int, month: int, day: int) -> BirthDate:
    if month == 0 and day == 0:
        return BirthDate(_date(year, 12, 31), Precision.YEAR)
    if month == 0:
        return BirthDate(_date(year, 1, day), Precision.YEAR)
    if day == 0:
        return BirthDate(_date(year, month, 1), Precision.MONTH)
    return BirthDate(_date(year, month, day))


def _birth_parts(text: str | None) -> tuple[int, int, int]:
    words = fold(text).split()
    if words and re.fullmatch(r"\d{4}", words[-1], re.ASCII):
        if len(words) == 1:
            return int(words[0]), 0, 0
        if len(words) == 2:
            return int(words[1]), _month(words[0]), 0
    return _parts(text)


def _parts(text: str | None) -> tuple[int, int, int]:
    raw = (text or "").strip()
    if not raw:
        raise InvalidDate("La date manque.")
    if match := re.fullmatch(_ISO, raw):
        return int(match[1]), int(match[2]), int(match[3])
    if match := re.fullmatch(_COMPACT, raw):
        return int(match[3]), int(match[2]), int(match[1])
    words = fold(raw).split()
    if len(words) != 3 or not _day_word(words[0]):
        raise InvalidDate
    if not re.fullmatch(r"\d{4}", words[2], re.ASCII):
        raise InvalidDate("Écrivez l’année sur 4 chiffres, par exemple 14/03/1941.")
    return int(words[2]), _month(words[1]), int(words[0].removesuffix("er"))


def _day_word(word: str) -> bool:
    return re.fullmatch(r"\d{1,2}|1er", word, re.ASCII) is not None


def _month(word: str) -> int:
    if re.fullmatch(r"\d{1,2}", word, re.ASCII):
        return int(word)
    # From three letters ("fev", "sept"); "jui" could be June or July.
    named = [rank for rank, name in enumerate(_TYPED_MONTHS, 1) if len(word) >= 3 and name.startswith(word)]
    if len(named) != 1:
        raise InvalidDate
    return named[0]


def _date(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise InvalidDate("Cette date n’existe pas dans le calendrier.") from error
