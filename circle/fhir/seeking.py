"""Search parameters of members entered by hand: few rows, those of the dossiers that the caller reads (CDS-59, 62)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Func, OuterRef, Q, TextField
from django.utils import timezone

from circle import roles
from circle.fhir import codes
from circle.models import RoleHolding
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email
from coordination.common.phones import phone_or_none
from coordination.common.text import fold
from coordination.fhir.registry import NEVER, Param, ReferenceParam, StringParam, TokenParam
from coordination.fhir.search import sent
from coordination.fhir.search.values import uuid_of

_R4 = "http://hl7.org/fhir/SearchParameter"
NOBODY = Q(pk__in=[])
_UNREACHED = Q(phone="", mobile="", email="")
# As `text.fold` writes letters; these tables have no folded column, and few rows are read.
_PLAIN = (
    "translate(lower(%(expressions)s), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ-’''', 'aaaaaaceeeeiiiinooooouuuuyy   ')"
)  # fmt: skip


def words_in(columns: Iterable[str], text: str, how: str) -> Q:
    """Return the condition that one of these columns says this text, as FHIR compares.

    Without case nor accents: the beginning of the column, any part of it ("contains"), or "exact".
    """
    columns = list(columns)
    if how == "exact":
        return _any(Q(**{column: text}) for column in columns)
    wanted = fold(text)
    if not wanted:
        return NOBODY
    lookup = "contains" if how == "contains" else "startswith"
    plain = [Func(F(column), template=_PLAIN, output_field=TextField()) for column in columns]
    return _any(_compared(one, lookup, wanted) for one in plain)


def _compared(plain: Any, lookup: str, wanted: str) -> Q:
    # Compared as `plain LIKE 'wanted%'`; a Q takes any boolean expression.
    found: Any = TextField().get_lookup(lookup)
    return Q(found(plain, wanted))


def _any(conditions: Iterable[Q]) -> Q:
    found = NOBODY
    for one in conditions:
        found |= one
    return found


def _identified(resource_type: str, *, own: bool) -> TokenParam:
    """`own`: one has an identifier of ours besides."""

    def build(system: str | None, code: str) -> Q:
        found = sent.of_token(resource_type, "identifier", system, code)
        if own and code and system in (None, settings.FHIR_IDENTIFIER_SYSTEM_MEMBER):
            id = uuid_of(code)
            found |= Q(pk=id) if id else NOBODY
        return found

    missing = NEVER if own else partial(sent.without, resource_type, "identifier")
    return TokenParam(f"{_R4}/{resource_type}-identifier", build=build, missing=missing)


def _related(system: str | None, code: str) -> Q:
    """By the role (TRE_R260) shown today, or by the relation (TRE_R216)."""
    found = Q(relation=code) if code and system in (None, codes.R216) else NOBODY
    if not code or system not in (None, codes.R260):
        return found
    wanted = roles.canonical(code)
    shown = [one for one in roles.all_roles() if codes.related_role(one)["coding"][0]["code"] == wanted]
    held = RoleHolding.objects.on_day(timezone.localdate()).filter(dossier=OuterRef("dossier"), member=OuterRef("pk"))
    # Who holds none is shown with the role he was sent with, else as an aidant.
    named = sent.of_token("RelatedPerson", "relationship", None, code)
    silent = ~sent.holding("RelatedPerson") if wanted == roles.CAREGIVER else NOBODY
    return found | Q(Exists(held.filter(role__in=shown))) | (~Exists(held) & (named | silent))


def _reached(system: str | None, code: str) -> Q:
    phone = phone_or_none(code) if system in (None, "phone") else None
    try:
        email = parse_email(code) if system in (None, "email") else ""
    except DomainError:
        email = ""
    found = Q(phone=phone) | Q(mobile=phone) if phone else NOBODY
    return found | (Q(email=email) if email else NOBODY)


def _does(system: str | None, code: str) -> Q:
    return Q(profession=code) if code else ~Q(profession="")


def _string(definition: str, *columns: str) -> StringParam:
    """By words of these columns; without a value when all of them are empty."""
    empty = Q(**dict.fromkeys(columns, ""))
    return StringParam(definition, build=lambda text, how: words_in(columns, text, how), missing=empty)


RELATED: dict[str, Param] = {
    "identifier": _identified("RelatedPerson", own=True),
    "name": _string(f"{_R4}/RelatedPerson-name", "family_name", "given_name"),
    "relationship": TokenParam(f"{_R4}/RelatedPerson-relationship", build=_related, missing=NEVER),
    "patient": ReferenceParam(
        f"{_R4}/RelatedPerson-patient", path="patient",
        targets={"Patient": {"dossiers.dossier": lambda ids: Q(dossier__in=ids)}}, missing=NEVER,
    ),
    "address": _string(f"{_R4}/individual-address", "address", "postal_code", "town"),
    "telecom": TokenParam(f"{_R4}/individual-telecom", build=_reached, missing=_UNREACHED),
    **{name: _string("", column) for name, column in (("family", "family_name"), ("given", "given_name"))},
}  # fmt: skip
PRACTITIONER: dict[str, Param] = {
    "identifier": _identified("Practitioner", own=False),
    "name": _string(f"{_R4}/Practitioner-name", "family_name", "given_name"),
    "family": _string(f"{_R4}/individual-family", "family_name"),
    "given": _string(f"{_R4}/individual-given", "given_name"),
}
ROLE: dict[str, Param] = {
    "identifier": _identified("PractitionerRole", own=False),
    "practitioner": ReferenceParam(
        f"{_R4}/PractitionerRole-practitioner", path="practitioner",
        targets={"Practitioner": {"circle.manual_professional": lambda ids: Q(pk__in=ids)}}, missing=NEVER,
    ),
    "role": TokenParam(f"{_R4}/PractitionerRole-role", build=_does, missing=Q(profession="")),
    "telecom": TokenParam(f"{_R4}/PractitionerRole-telecom", build=_reached, missing=_UNREACHED),
    "address": _string("", "address", "postal_code", "town"),
    "name": _string("", "family_name", "given_name"),
}  # fmt: skip
