"""The values of FHIR R4: the form of each primitive type, and days that exist."""

from __future__ import annotations

import base64
import binascii
import math
import re
from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from coordination.fhir import literal

MAX_STRING = 1024 * 1024
_YEAR_TO_DAY = r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01]))?)?"
_CLOCK = r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d|60)(?:\.\d+)?"
_ZONE = r"(?:Z|(?P<sign>[+-])(?P<zone_hour>0\d|1[0-3]):(?P<zone_minute>[0-5]\d)|(?P<edge>[+-]14:00))"
_DATE = re.compile(_YEAR_TO_DAY, re.ASCII)
_DATE_TIME = re.compile(rf"{_YEAR_TO_DAY}(?:T{_CLOCK}{_ZONE})?", re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
_CODE = re.compile(r"\S+( \S+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URI = re.compile(r"\S+")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
# Where its last dot is, at the least, in an OID of a system (prefix included).
_SHORT_OID = len("urn:oid:1.2.3")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# BCP 47, its shape: a language, then its script, its country and so on.
_LANGUAGE = re.compile(r"(?:[a-z]{2,3}|x)(?:-[A-Za-z0-9]{1,8})*")
_LOWEST = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}


def complaint(type_name: str, value: Any) -> str:
    """Return what is wrong with a value of this primitive type, as a French sentence, or nothing."""
    if type_name == "boolean":
        return "" if isinstance(value, bool) else "Un booléen est attendu : true ou false."
    if type_name in _LOWEST:
        return _integer(type_name, value)
    if type_name == "decimal":
        return _decimal(value)
    if not isinstance(value, str):
        return "Un texte est attendu."
    if not value.strip():
        return "Cette valeur est vide."
    if len(value) > MAX_STRING:
        return "Ce texte est trop long."
    check = _TEXTS.get(type_name)
    return check(value) if check else ""


def _integer(type_name: str, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "Un nombre entier est attendu."
    if not _LOWEST[type_name] <= value < 2**31:
        return "Ce nombre n’est pas dans les limites de son type."
    return ""


def _decimal(value: Any) -> str:
    if isinstance(value, Decimal):
        finite = value.is_finite()
    else:
        finite = isinstance(value, float) and math.isfinite(value)
    number = finite or (isinstance(value, int) and not isinstance(value, bool))
    return "" if number else "Un nombre est attendu."


def _day(value: str) -> str:
    match = _DATE.fullmatch(value)
    return _exists(match) if match else "Une date est attendue : AAAA, AAAA-MM ou AAAA-MM-JJ."


def _moment(value: str) -> str:
    match = _DATE_TIME.fullmatch(value)
    if match is None or (match["hour"] and not match["day"]):
        return "Une date est attendue, ou une date et une heure avec ses secondes et son fuseau."
    return _exists(match)


def _instant(value: str) -> str:
    match = _DATE_TIME.fullmatch(value)
    if match is None or not match["hour"] or not match["day"]:
        return "Un instant est attendu : une date et une heure avec ses secondes et son fuseau."
    return _exists(match)


def _exists(match: re.Match[str]) -> str:
    try:
        date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    except ValueError:
        return "Ce jour n’existe pas."
    return ""


def _shape(pattern: re.Pattern[str], sentence: str) -> Callable[[str], str]:
    return lambda value: "" if pattern.fullmatch(value) else sentence


def _bytes(value: str) -> str:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return "Du contenu en base 64 est attendu."
    return ""


def _uri(value: str) -> str:
    if not _URI.fullmatch(value):
        return "Une adresse (URI) ne contient pas d’espace."
    # A short OID is a branch of the tree, it names nobody's system; HAPI's validator refuses it too.
    if value.startswith("urn:oid:") and not (_OID.fullmatch(value) and value.rindex(".") >= _SHORT_OID):
        return "Cet OID est mal écrit ou trop court : urn:oid:1.2.250.1 est attendu."
    if value.startswith("urn:uuid:"):
        return _uuid(value)
    return ""


def _canonical(value: str) -> str:
    return _uri(value) or ("" if literal.is_canonical(value) else "Une adresse absolue est attendue (https://…).")


_uuid = _shape(_UUID, "Un UUID est attendu : urn:uuid:, en minuscules.")
_TEXTS: dict[str, Callable[[str], str]] = {
    "date": _day,
    "dateTime": _moment,
    "instant": _instant,
    "time": _shape(_TIME, "Une heure est attendue, avec ses secondes."),
    "code": _shape(_CODE, "Un code ne commence ni ne finit par une espace."),
    "id": _shape(_ID, "Un identifiant logique a de 1 à 64 lettres, chiffres, tirets et points."),
    "uri": _uri,
    "url": _uri,
    "canonical": _canonical,
    "oid": _shape(_OID, "Un OID est attendu : urn:oid:1.2.3."),
    "uuid": _uuid,
    "base64Binary": _bytes,
}


def is_language(value: str) -> bool:
    """Say whether this has the shape of a language of BCP 47, whoever speaks it."""
    return _LANGUAGE.fullmatch(value) is not None


def disorder(start: Any, end: Any) -> bool:
    """Say whether a period surely ends before it begins; what is no date says nothing."""
    first, last = _span(start), _span(end)
    if first is None or last is None:
        return False
    # A day without an hour may be a day anywhere: beside a moment, half a day is given.
    slack = 0 if ("T" in start) == ("T" in end) else 50400
    return first[0] > last[1] + slack


def _span(value: Any) -> tuple[int, int] | None:
    """The seconds (UTC) that a date or a moment may be, first and last."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None or _exists(match):
        return None
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    first = date(year, month, day).toordinal() * 86400
    if match["hour"]:
        moment = first + int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"]) - _offset(match)
        return moment, moment
    if match["day"]:
        days = 1
    else:
        days = monthrange(year, month)[1] if match["month"] else 365 + isleap(year)
    return first, first + days * 86400 - 1


def _offset(match: re.Match[str]) -> int:
    if edge := match["edge"]:
        return 50400 if edge[0] == "+" else -50400
    if not match["sign"]:
        return 0
    seconds = int(match["zone_hour"]) * 3600 + int(match["zone_minute"]) * 60
    return seconds if match["sign"] == "+" else -seconds
