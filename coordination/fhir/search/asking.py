"""Reading a search: which parameters were asked, what the engine does not know, what it must refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from coordination.fhir import registry
from coordination.fhir.formats.strict_json import UNWRITABLE
from coordination.fhir.outcomes import WARNING, Issue, Unreadable
from coordination.fhir.registry import Param, ReferenceParam

DEFAULT_COUNT: Final = 50
LARGEST_COUNT: Final = 200
# About the answer, not the question.
RESULT: Final = frozenset({
    "_count", "_sort", "_include", "_revinclude", "_elements", "_summary", "_total", "_format", "_pretty",
})  # fmt: skip
TOTALS: Final = frozenset({"none", "estimate", "accurate"})
MODIFIERS: Final = {
    "token": frozenset({"", "not", "missing"}),
    "string": frozenset({"", "exact", "contains", "missing"}),
    "date": frozenset({"", "missing"}),
    "reference": frozenset({"", "missing", "identifier"}),
    "uri": frozenset({"", "missing"}),
    "id": frozenset({""}),
    "special": frozenset({"", "missing"}),
}
# Longer chains and lists than anybody needs cost the database more than the answer is worth.
LONGEST_CHAIN: Final = 4
MOST_VALUES: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """One criterion: the path of a chain as (name, only type), then the name, the modifier and the text."""

    chain: tuple[tuple[str, str], ...]
    name: str
    modifier: str
    value: str


@dataclass
class Search:
    """What one search asks, sorted out. `ignored` names what the engine does not know."""

    type: str
    criteria: list[Asked] = field(default_factory=list)
    includes: list[tuple[str, bool]] = field(default_factory=list)
    revincludes: list[tuple[str, bool]] = field(default_factory=list)
    sort: list[str] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    total: str = ""
    only_count: bool = False
    understood: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def warnings(ignored: Iterable[str]) -> list[Issue]:
    """Return what is said of parameters that were not understood."""
    said = "Le paramètre « {} » n’est pas connu de ce serveur : il a été ignoré."
    return [Issue(WARNING, "not-supported", said.format(name[:60])) for name in ignored]


def require_understood(ignored: Sequence[str]) -> None:
    """Refuse parameters that are not understood (Prefer: handling=strict). Raises Unreadable."""
    if ignored:
        raise Unreadable(*(f"Le paramètre « {name[:60]} » n’est pas connu de ce serveur." for name in ignored))


def params_of(type_name: str) -> dict[str, Param]:
    """Return {name: parameter} of a type, of whichever of its tables."""
    known: dict[str, Param] = {}
    for provider in registry.for_type(type_name):
        for name, param in provider.params.items():
            known.setdefault(name, param)
    return known


def read(type_name: str, pairs: Iterable[tuple[str, str]], *, strict: bool = False) -> Search:
    """Return what is asked of a type by these (name, value) pairs.

    What is not known is noted in `ignored`; with `strict` (Prefer: handling=strict) it is refused. Raises Unreadable
    (400) for it, and always for a modifier that is not supported or a value that cannot be understood.
    """
    search = Search(type_name)
    for key, value in pairs:
        if UNWRITABLE.search(key + value):
            raise Unreadable("Cette recherche contient un caractère qui ne s’écrit pas.")
        if _take(search, key, value):
            search.understood.append((key, value))
        else:
            search.ignored.append(key)
    if strict:
        require_understood(search.ignored)
    return search


def _take(search: Search, key: str, value: str) -> bool:
    if not value:
        # FHIR: a parameter without a value is ignored.
        return True
    name, _, modifier = key.partition(":")
    if name in RESULT:
        return _take_result(search, name, modifier, value)
    asked = _criterion(search.type, key, value)
    if asked is None:
        return False
    search.criteria.append(asked)
    return True


def _take_result(search: Search, name: str, modifier: str, value: str) -> bool:
    if name in ("_include", "_revinclude") and modifier in ("", "iterate", "recurse"):
        return _take_include(search, name, bool(modifier), value)
    if modifier:
        raise Unreadable(f"Le modificateur « {modifier[:20]} » n’est pas connu pour {name}.")
    match name:
        case "_count":
            search.count = _count(value)
        case "_sort":
            return _take_sort(search, _listed(value))
        case "_elements":
            search.elements += _listed(value)
        case "_summary":
            return _summary(search, value)
        case "_total":
            search.total = value if value in TOTALS else ""
            return bool(search.total)
    return True


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _take_include(search: Search, name: str, goes_on: bool, value: str) -> bool:
    if name == "_revinclude":
        search.revincludes.append((value, goes_on))
        return _include_known(value) and not registry.is_computed(value.partition(":")[0])
    # Of another type than the matches, it goes on from what they bring, said or not: the guide « Gestion d’agendas
    # partagés » writes it plainly of slots (agenda.md §3.4).
    further = registry.is_computed(search.type) and value.partition(":")[0] not in ("*", search.type)
    search.includes.append((value, goes_on or further))
    return _include_known(value)


def _take_sort(search: Search, names: list[str]) -> bool:
    """By all of them, or by none: what is said to be ignored is not done in part."""
    known = {"_id"}.union(*(provider.sorts for provider in registry.for_type(search.type)))
    if not all(name.removeprefix("-") in known for name in names):
        return False
    search.sort = names
    return True


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Unreadable("« _count » attend un nombre entier.")
    return min(int(value), LARGEST_COUNT)


def _summary(search: Search, value: str) -> bool:
    if value == "count":
        search.only_count = True
        return True
    return value == "false"


def _include_known(value: str) -> bool:
    """Say whether an include names a reference we know; `*` is every one."""
    if value == "*":
        return True
    source, _, rest = value.partition(":")
    name = rest.partition(":")[0]
    if source not in registry.types():
        return False
    return name == "*" or isinstance(params_of(source).get(name), ReferenceParam)


def _criterion(type_name: str, key: str, value: str) -> Asked | None:
    *links, last = key.split(".")
    if len(links) >= LONGEST_CHAIN or len(value) > 20_000 or value.count(",") > MOST_VALUES:
        raise Unreadable("Cette recherche est trop longue.")
    types, chain = [type_name], []
    for link in links:
        name, _, only = link.partition(":")
        types = _targets(types, name, only)
        if not types:
            return None
        chain.append((name, only))
    name, _, modifier = last.partition(":")
    kinds = {kind for one in types if (kind := _kind(one, name))}
    if not kinds:
        return None
    if not any(modifier in MODIFIERS[kind] or _is_typed(types, name, modifier) for kind in kinds):
        raise Unreadable(f"Le modificateur « {modifier[:20]} » n’est pas connu pour « {name[:40]} ».")
    return Asked(tuple(chain), name, modifier, value)


def _kind(type_name: str, name: str) -> str:
    if name == "_id":
        return "id"
    param = params_of(type_name).get(name)
    return param.type if param else ""


def _targets(types: Sequence[str], name: str, only: str) -> list[str]:
    found: list[str] = []
    for one in types:
        param = params_of(one).get(name)
        if isinstance(param, ReferenceParam):
            found += [target for target in param.targets if only in ("", target)]
    return list(dict.fromkeys(found))


def _is_typed(types: Sequence[str], name: str, modifier: str) -> bool:
    return bool(modifier) and bool(_targets(types, name, modifier))
