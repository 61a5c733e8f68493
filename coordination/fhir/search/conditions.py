"""From the criteria of a search to a condition on the rows of one provider, chains included (CDS-60 to 62)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from coordination.fhir import registry
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Unreadable
from coordination.fhir.registry import (
    Computed,
    DateParam,
    Param,
    Provider,
    ReferenceParam,
    SpecialParam,
    StringParam,
    TokenParam,
    UriParam,
)
from coordination.fhir.search import dates, values
from coordination.fhir.search.asking import Asked

NOBODY = Q(pk__in=[])


def narrowed(provider: Provider, caller: Caller, criteria: Sequence[Asked]) -> QuerySet[Any]:
    """Return the rows of a provider that answer every criterion; no SQL yet."""
    rows = provider.rows(caller)
    for asked in criteria:
        rows = rows.filter(condition(provider, caller, asked))
    return rows


def condition(provider: Provider, caller: Caller, asked: Asked) -> Q:
    """Return the condition of one criterion; nothing answers a parameter that this table does not have."""
    if asked.chain:
        return _chained(provider, caller, asked)
    if asked.name == "_id":
        ids = [found for value in values.alternatives(asked.value) if (found := values.uuid_of(value))]
        return Q(pk__in=ids)
    param = provider.params_of(caller).get(asked.name)
    if param is None:
        return NOBODY
    if asked.modifier == "missing":
        return _missing(param, asked)
    return _any(provider, caller, param, asked)


def _any(provider: Provider, caller: Caller, param: Param, asked: Asked) -> Q:
    found = NOBODY
    for value in values.alternatives(asked.value):
        found |= _one(provider, caller, param, asked, value)
    return ~found if asked.modifier == "not" else found


def _one(provider: Provider, caller: Caller, param: Param, asked: Asked, value: str) -> Q:
    match param:
        case TokenParam():
            said = values.token(value)
            return param.build(said.system, said.code)
        case StringParam():
            return param.build(values.unescaped(value), asked.modifier if asked.modifier else "starts")
        case DateParam():
            return dates.condition(param, values.moment(value, asked.name))
        case UriParam() | SpecialParam():
            return param.build(value)
        case ReferenceParam():
            if asked.modifier == "identifier":
                return _by_identifier(caller, param, value)
            return _referring(param, asked, value)
    return NOBODY


def _missing(param: Param, asked: Asked) -> Q:
    if asked.value not in ("true", "false"):
        raise Unreadable(f"« {asked.name}:missing » attend true ou false.")
    if param.missing is None:
        raise Unreadable(f"Le modificateur « missing » n’est pas connu pour « {asked.name} ».")
    without = param.missing() if callable(param.missing) else param.missing
    return without if asked.value == "true" else ~without


def _referring(param: ReferenceParam, asked: Asked, value: str) -> Q:
    """`id`, `Type/id`, an address of this server, or `:Type` before the id."""
    if param.literal is not None:
        return param.literal(f"{asked.modifier}/{value}" if asked.modifier and "/" not in value else value)
    *before, last = value.rstrip("/").split("/")
    wanted = before[-1] if before else asked.modifier
    condition = NOBODY
    for type_name, tables in param.targets.items():
        found = registry.id_of(type_name, last) if wanted in ("", type_name) else None
        if found is not None:
            for build in tables.values():
                condition |= build([found])
    return condition


def _by_identifier(caller: Caller, param: ReferenceParam, value: str) -> Q:
    return _through(caller, param, "", Asked((), "identifier", "", value))


def _chained(provider: Provider, caller: Caller, asked: Asked) -> Q:
    (name, only), *rest = asked.chain
    param = provider.params_of(caller).get(name)
    if not isinstance(param, ReferenceParam):
        return NOBODY
    return _through(caller, param, only, Asked(tuple(rest), asked.name, asked.modifier, asked.value))


def _through(caller: Caller, param: ReferenceParam, only: str, asked: Asked) -> Q:
    """Those that refer to what answers `asked`, in any of the tables that a reference may lead to."""
    found = NOBODY
    for type_name, tables in param.targets.items():
        if only not in ("", type_name):
            continue
        for key, build in tables.items():
            target = registry.known_key(key)
            if target is not None and not isinstance(target, Computed) and caller.may(type_name, "s"):
                found |= build(narrowed(target, caller, [asked]).values("pk"))
    return found
