"""Resources brought beside the matches: `_include`, `_revinclude`, `:iterate` and `*` (CDS-63, CDS-64).

References are read in the finished resources, so that nothing is brought that the reader could not see named. Each
round asks each table once, and a type only after those that refer to it: the number of statements depends on the
tables, not on the matches, nor on who refers to what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final
from uuid import UUID

from coordination.fhir import keeping, registry
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import WARNING, Issue
from coordination.fhir.registry import Computed, ReferenceParam, Resource
from coordination.fhir.search.conditions import NOBODY

# Of one answer; beyond, the caller is told.
MOST: Final = 2000
ROUNDS: Final = 5
TOO_MANY = Issue(
    WARNING, "too-costly", f"Plus de {MOST} ressources liées : elles ne sont pas toutes dans cette réponse."
)
Name = tuple[str, UUID]


def name_of(resource: Resource) -> Name:
    """Return (type, id) of a finished resource."""
    return resource["resourceType"], registry.id_of(resource["resourceType"], resource["id"])


def brought(
    caller: Caller,
    matches: Mapping[Name, Resource],
    includes: Iterable[tuple[str, bool]],
    revincludes: Iterable[tuple[str, bool]],
) -> tuple[dict[Name, Resource], list[Issue]]:
    """Return {(type, id): resource} of what the matches lead to, or leads to them; and what was left out.

    `includes`, `revincludes`: (value of the parameter, whether it goes on from what was brought).
    """
    includes, revincludes = list(includes), list(revincludes)
    again = [value for value, goes_on in includes if goes_on]
    found: dict[Name, Resource] = {}
    last: Mapping[Name, Resource] = matches
    # What this answer has, or was asked for in vain.
    asked: set[Name] = set(matches)
    wanted = _forward(matches.values(), [value for value, _ in includes])
    for turn in range(ROUNDS):
        back = [value for value, goes_on in revincludes if goes_on or turn == 0]
        _backward(caller, last, back, wanted)
        last = _loaded(caller, wanted, again, asked)
        if not last:
            break
        found |= last
        if len(found) >= MOST:
            return dict(list(found.items())[:MOST]), [TOO_MANY]
    return found, []


def _loaded(caller: Caller, wanted: dict[str, list[UUID]], again: list[str], asked: set[Name]) -> dict[Name, Resource]:
    """Load one round; what it leads to `again`, and was not asked for yet, is loaded in the same one.

    What it leads to of a type that came before is left in `wanted`, for the next round.
    """
    found: dict[Name, Resource] = {}
    with keeping.reading_ahead(caller.memo, caller.owner) as ahead:
        for type_name in _referring_first():
            left = [id for id in dict.fromkeys(wanted.get(type_name, ())) if (type_name, id) not in asked]
            left, wanted[type_name] = left[:MOST], left[MOST:]
            if not left or not caller.may(type_name, "r"):
                continue
            if ahead.unread(type_name, left):
                ahead.read(*_all_wanted(caller, wanted | {type_name: left}))
            asked |= {(type_name, id) for id in left}
            loaded = _of_type(caller, type_name, left)
            found |= loaded
            for name, ids in _forward(loaded.values(), again).items():
                wanted.setdefault(name, []).extend(ids)
    return found


def _all_wanted(caller: Caller, wanted: Mapping[str, Iterable[UUID]]) -> tuple[frozenset[str], frozenset[UUID]]:
    """Return the types and the ids of a round, of which what clients sent is read at once.

    With the types that these lead to: who somebody entered by hand is, and where he works, have one id.
    """
    named = [name for name, ids in wanted.items() if ids and caller.may(name, "r")]
    types = frozenset(named).union(*(to for name in named for _, to in _references(name).values()))
    ids = (id for name in named for id in list(dict.fromkeys(wanted[name]))[:MOST])
    return types, frozenset(id for id in ids if isinstance(id, UUID))


def _of_type(caller: Caller, type_name: str, left: list[UUID]) -> dict[Name, Resource]:
    found: dict[Name, Resource] = {}
    for provider in registry.for_type(type_name):
        if not left:
            break
        loaded = provider.load(caller, left, included=True)
        found |= {(type_name, id): resource for id, resource in loaded.items()}
        left = [id for id in left if id not in loaded]
    return found


@cache
def _references(type_name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return {parameter: (where its references are, the types that they may be to, none for any)} of a type."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for provider in registry.for_type(type_name):
        for name, param in provider.params.items():
            if isinstance(param, ReferenceParam):
                known = found.get(name, (param.path, frozenset()))[1]
                found[name] = param.path, known | param.targets.keys()
    return found


@cache
def _referring_first() -> list[str]:
    """Return the types, each after those that refer to it, as far as none leads back to itself."""
    types = registry.types()
    done: dict[str, None] = {}
    seen: set[str] = set()

    def visit(type_name: str) -> None:
        if type_name in seen:
            return
        seen.add(type_name)
        for target in sorted({one for _, targets in _references(type_name).values() for one in targets}):
            if target in types:
                visit(target)
        done[type_name] = None

    for type_name in types:
        visit(type_name)
    return list(reversed(done))


def _forward(resources: Iterable[Resource], asked: Iterable[str]) -> dict[str, list[UUID]]:
    wanted: dict[str, list[UUID]] = {}
    asked = list(asked)
    paths: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for resource in resources:
        name = resource["resourceType"]
        if name not in paths:
            paths[name] = list(_paths(name, asked))
        for path, only in paths[name]:
            for type_name, id in references(resource, path):
                if not only or type_name in only:
                    wanted.setdefault(type_name, []).append(id)
    return wanted


def _paths(type_name: str, asked: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield (path, types) of the references of a type among what was asked ("Type:name", "Type:name:Target", "*").

    `types`: those that the parameter may lead to, none for any: who attends an appointment is at one path, and
    `Appointment:patient` brings the person alone.
    """
    every = _references(type_name)
    for value in asked:
        source, _, rest = value.partition(":")
        name, _, only = rest.partition(":")
        if value == "*" or (source == type_name and name == "*"):
            yield from every.values()
        elif source == type_name and name in every:
            path, types = every[name]
            yield path, frozenset({only}) if only else types


def references(resource: Any, path: str) -> Iterator[Name]:
    """Yield (type, id) of the references to this server found at a path of a finished resource."""
    head, _, rest = path.partition(".")
    value = resource.get(head) if isinstance(resource, dict) else None
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            continue
        if rest:
            yield from references(one, rest)
        elif isinstance(said := one.get("reference"), str):
            type_name, _, id = said.partition("/")
            if known := registry.id_of(type_name, id):
                yield type_name, known


def _backward(
    caller: Caller, matches: Mapping[Name, Resource], asked: Iterable[str], wanted: dict[str, list[UUID]]
) -> None:
    """Add to `wanted` what refers to the matches."""
    targets: dict[str, list[UUID]] = {}
    for type_name, id in matches:
        targets.setdefault(type_name, []).append(id)
    for source, name in _referring(asked):
        if not caller.may(source, "s"):
            continue
        for provider in registry.for_type(source):
            param = provider.params_of(caller).get(name)
            if not isinstance(param, ReferenceParam) or isinstance(provider, Computed):
                continue
            condition = NOBODY
            for type_name, ids in targets.items():
                for build in param.targets.get(type_name, {}).values():
                    condition |= build(ids)
            if condition != NOBODY:
                rows = provider.rows(caller).filter(condition).order_by("pk")
                wanted.setdefault(source, []).extend(rows.values_list("pk", flat=True)[: MOST + 1])


def _referring(asked: Iterable[str]) -> Iterator[tuple[str, str]]:
    for value in asked:
        source, _, rest = value.partition(":")
        name = rest.partition(":")[0]
        for type_name in registry.types():
            if value != "*" and type_name != source:
                continue
            yield from ((type_name, key) for key in sorted(_references(type_name)) if name in ("", "*", key))
