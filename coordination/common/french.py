"""How French screens write dates, numbers, telephones and identifiers (pure functions, used as template filters).

Rules: design system, section 7. Every function gives "" for None, so that an absent value prints nothing.
"""

from __future__ import annotations

import datetime as dt
import re

from django.utils import timezone
from django.utils.safestring import mark_safe

NBSP = "\u00a0"

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip

# Ordinary spaces before high punctuation or inside guillemets. Line ends are kept: a template may break there.
_BEFORE = re.compile(r" +([:;?!»])(?=[\s<.,)\u00a0»]|$)")
_AFTER = re.compile(r"« +")


def nbsp(text: str | None) -> str:
    """Return `text` with non-breaking spaces before ``: ; ? ! »`` and after ``«``; marked-safe text stays so."""
    if not text:
        return ""
    spaced = _AFTER.sub("«" + NBSP, _BEFORE.sub(NBSP + r"\1", str(text)))
    return mark_safe(spaced) if hasattr(text, "__html__") else spaced  # noqa: S308


def _local(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def date_fr(value: dt.date | dt.datetime | None) -> str:
    """Return 23/11/2026."""
    return f"{_local(value):%d/%m/%Y}" if value else ""


def near_date(value: dt.date | dt.datetime | None, *, today: dt.date | None = None) -> str:
    """Return "lun. 23/11" for a day less than six months away, else the full date with its year."""
    if not value:
        return ""
    day = _local(value)
    day = day.date() if isinstance(day, dt.datetime) else day
    today = today or timezone.localdate()
    if abs((day - today).days) > 183:
        return date_fr(day)
    return f"{_DAYS[day.weekday()][:3]}.{NBSP}{day:%d/%m}"


def long_date(value: dt.date | dt.datetime | None) -> str:
    """Return "lundi 23 novembre 2026" ("1er" for the first of a month)."""
    if not value:
        return ""
    day = _local(value)
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number}{NBSP}{MONTHS[day.month - 1]} {day.year}"


def time_fr(value: dt.time | dt.datetime | None) -> str:
    """Return 09:42."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = _local(value)
    return f"{value:%H:%M}"


def datetime_fr(value: dt.datetime | None) -> str:
    """Return "23/11/2026 à 09:42"."""
    return f"{date_fr(value)} à{NBSP}{time_fr(value)}" if value else ""


def interval_fr(start: dt.datetime | dt.time, end: dt.datetime | dt.time) -> str:
    """Return "15:00 à 16:00"."""
    return f"{time_fr(start)} à{NBSP}{time_fr(end)}"


def ago_fr(value: dt.datetime | None, *, now: dt.datetime | None = None) -> str:
    """Return how long ago, as the file active says it: "il y a 40 min", "il y a 2 h", "hier, 18:12", "ven. 20/11"."""
    if not value:
        return ""
    now = _local(now or timezone.now())
    then = _local(value)
    seconds = (now - then).total_seconds()
    if 0 <= seconds < 60:
        return "à l’instant"
    if 60 <= seconds < 3600:
        return f"il y a {int(seconds // 60)}{NBSP}min"
    if then.date() == now.date() and seconds >= 0:
        return f"il y a {int(seconds // 3600)}{NBSP}h"
    if (now.date() - then.date()).days == 1:
        return f"hier, {time_fr(then)}"
    return near_date(then, today=now.date())


def age_fr(birth: dt.date | None, *, today: dt.date | None = None) -> str:
    """Return "85 ans"; in months under two years, because that is how infants are spoken of."""
    if not birth:
        return ""
    today = today or timezone.localdate()
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if months < 0:
        return ""
    return f"{months}{NBSP}mois" if months < 24 else f"{months // 12}{NBSP}ans"


def number_fr(value: int | float | None) -> str:
    """Return 12 345,6 with non-breaking spaces."""
    if value is None:
        return ""
    return f"{value:,}".replace(",", NBSP).replace(".", ",")


def plural(count: int, singular: str, many: str | None = None) -> str:
    """Return the count and its noun: ``plural(1, "membre")`` "1 membre", ``plural(10, "membre")`` "10 membres".

    In French zero and one are singular. Give `many` when the plural is not a simple s.
    """
    noun = singular if abs(count) < 2 else many if many is not None else f"{singular}s"
    return f"{number_fr(count)}{NBSP}{noun}"


_FRENCH_PHONE = re.compile(r"(?:\+33|0033|0)([1-9])(\d\d)(\d\d)(\d\d)(\d\d)")


def phone_fr(value: str | None) -> str:
    """Return "05 36 49 10 21" from E.164 or national digits; another country keeps its international writing."""
    if not value:
        return ""
    digits = re.sub(r"[\s.\-()]", "", value)
    match = _FRENCH_PHONE.fullmatch(digits)
    if match:
        return NBSP.join((f"0{match[1]}", match[2], match[3], match[4], match[5]))
    if digits.startswith("+"):
        return _foreign_phone(digits) or value
    return value


def _foreign_phone(digits: str) -> str:
    # Imported here: the metadata of all countries weighs 10 MB and most processes never meet a foreign number.
    import phonenumbers

    try:
        number = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException:
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return written.replace(" ", NBSP)


def phone_href(value: str | None) -> str:
    """Return the `tel:` address of a number: "tel:+33536491021"."""
    if not value:
        return ""
    digits = re.sub(r"[^\d+]", "", value)
    match = _FRENCH_PHONE.fullmatch(digits)
    return "tel:+33" + "".join(match.groups()) if match else f"tel:{digits}"


def matricule_fr(value: str | None) -> str:
    """Return the INS matricule grouped as on a carte Vitale: "2 41 03 81 999 012 11"."""
    if not value:
        return ""
    raw = re.sub(r"\s", "", value)
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    groups = (raw[start:end] for start, end in zip(cuts, cuts[1:], strict=False))
    return NBSP.join(group for group in groups if group)


def rpps_fr(value: str | None) -> str:
    """Return an eleven-digit RPPS in groups that can be read aloud: "99 700 012 345"."""
    raw = re.sub(r"\s", "", value or "")
    if len(raw) != 11:
        return raw
    return NBSP.join((raw[:2], raw[2:5], raw[5:8], raw[8:]))
