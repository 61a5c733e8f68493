"""Search parameters of Patient, on the dossiers that the caller may open: few, whatever the size of the table.

Text is compared without case nor marks, whatever the collation of the database: by patterns made here.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Case, DateField, F, Func, Q, QuerySet, When

from coordination.common.identifiers import clean_identifier
from coordination.common.text import fold
from coordination.dossiers.models import DatePrecision, Dossier, IdentityStatus, Sex
from coordination.fhir.numbers import INS_SYSTEMS
from coordination.fhir.search import sent
from coordination.fhir.search.values import uuid_of

NOBODY = Q(pk__in=[])
GENDERS = "http://hl7.org/fhir/administrative-gender"
_MARKED = {
    "a": "aàáâãäå", "c": "cç", "e": "eèéêë", "i": "iìíîï", "n": "nñ", "o": "oòóôõöø", "u": "uùúûü", "y": "yýÿ",
}  # fmt: skip
FAMILY = ("birth_name", "used_name")
GIVEN = ("birth_given_names", "first_given_name", "used_given_name")
_ONE_GIVEN = ("first_given_name", "used_given_name")


def with_birth(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return dossiers with the first and the last day that may be that of the birth, by how much of it is known.

    The day that stands for a month or a year (`common.dates.BirthDate`) is no day to compare with.
    """
    of_month, of_year = (Q(birth_date_precision=one) for one in (DatePrecision.MONTH, DatePrecision.YEAR))
    first = Case(
        When(of_month, then=_day("date_trunc('month', %(expressions)s)::date")),
        When(of_year, then=_day("date_trunc('year', %(expressions)s)::date")),
        default=F("birth_date"),
    )
    last = Case(
        When(of_month, then=_day("(date_trunc('month', %(expressions)s) + interval '1 month -1 day')::date")),
        When(of_year, then=_day("(date_trunc('year', %(expressions)s) + interval '1 year -1 day')::date")),
        default=F("birth_date"),
    )
    return rows.alias(born_from=first, born_by=last)


def _day(template: str) -> Func:
    return Func(F("birth_date"), template=template, output_field=DateField())


def identified(system: str | None, code: str) -> Q:
    """By our identifier, by INS once qualified (INS-4), or by one that a client sent (CDS-58)."""
    found = sent.of_token("Patient", "identifier", system, code)
    if system in (None, settings.FHIR_IDENTIFIER_SYSTEM_PATIENT):
        known = uuid_of(code)
        found |= Q(pk=known) if known else NOBODY
    if code and (system is None or system in INS_SYSTEMS):
        qualified = Q(ins_matricule=clean_identifier(code), identity_status=IdentityStatus.QUAL)
        found |= qualified & Q(ins_oid=INS_SYSTEMS[system]) if system else qualified
    return found


def numbered(system: str | None, code: str) -> dict[str, str] | None:
    """Return the values by which `keys_numbered` finds what `identified` does; None where only the latter does.

    Of one number of one register: an INS, or that of a system which is not ours.
    """
    if not system or not code or system == settings.FHIR_IDENTIFIER_SYSTEM_PATIENT:
        return None
    if oid := INS_SYSTEMS.get(system):
        return {"ins": clean_identifier(code), "oid": oid}
    return {"said": sent.said_by_token("identifier", system, code)}


def keys_numbered(*, said: str = "", ins: str = "", oid: str = "") -> QuerySet[Any]:
    """Return the keys of the dossiers of one number (`numbered`), whoever may know of them."""
    if oid:
        qualified = Dossier.objects.filter(ins_matricule=ins, ins_oid=oid, identity_status=IdentityStatus.QUAL)
        return qualified.values("pk")
    return sent.keys_saying("Patient", said)


def family(text: str, how: str) -> Q:
    """By the name of birth or the name in use."""
    return _named(FAMILY, FAMILY, text, how)


def given(text: str, how: str) -> Q:
    """By any given name."""
    return _named(GIVEN, _ONE_GIVEN, text, how)


def name(text: str, how: str) -> Q:
    """By any of the names."""
    return family(text, how) | given(text, how)


def address(text: str, how: str) -> Q:
    """By any part of the address."""
    return _named(("address", "town", "postal_code"), ("address", "town", "postal_code"), text, how)


def birth_place(text: str, how: str) -> Q:
    """By any part of the place, or by the beginning of its INSEE code (§9.19 of the digest)."""
    found = _named(("birth_place",), ("birth_place",), text, how)
    return found | Q(birth_place_code__startswith=text.strip().upper()) if text.strip() else found


def gender(system: str | None, code: str) -> Q:
    """By administrative gender."""
    if system not in (None, GENDERS) or (code and code not in Sex.values):
        return NOBODY
    return Q(sex=code) if code else Q()


def active(system: str | None, code: str) -> Q:
    """By whether the dossier is open."""
    closed = Q(status=Dossier.Status.CLOS)
    return {"true": ~closed, "false": closed}.get(code, NOBODY)


def _named(columns: tuple[str, ...], written: tuple[str, ...], text: str, how: str) -> Q:
    """Begins a word of one of the columns, is anywhere in it, or is exactly one of those `written`."""
    if how == "exact":
        return _any({column: text for column in written}) if text else NOBODY
    if not (wanted := fold(text)):
        return NOBODY
    pattern = "[^[:alnum:]]*".join("".join(_either(letter) for letter in word) for word in wanted.split())
    begins = "" if how == "contains" else "(^|[^[:alnum:]])"
    return _any({f"{column}__regex": begins + pattern for column in columns})


def _any(conditions: dict[str, Any]) -> Q:
    return Q(*conditions.items(), _connector=Q.OR)


def _either(letter: str) -> str:
    """Return a class of the ways of writing a folded letter: small or capital, with or without a mark."""
    every = _MARKED.get(letter, letter)
    return f"[{every}{every.upper()}]"
