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

    def warnings(self) -> list[Issue]:
        said = "Le paramètre « {} » n’est pas connu de ce serveur : il a été ignoré."
        return [Issue(WARNING, "not-supported", said.format(name[:60])) for name in self.ignored]


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
    if strict and search.ignored:
        raise Unreadable(*(f"Le paramètre « {name[:60]} » n’est pas connu de ce serveur." for name in search.ignored))
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
    if modifier and (name not in ("_include", "_revinclude") or modifier not in ("iterate", "recurse")):
        raise Unreadable(f"Le modificateur « {modifier[:20]} » n’est pas connu pour {name}.")
    match name:
        case "_count":
            search.count = _count(value)
        case "_sort":
            search.sort = [part.strip() for part in value.split(",") if part.strip()]
            return _sorts_known(search)
        case "_elements":
            search.elements += [part.strip() for part in value.split(",") if part.strip()]
        case "_summary":
            return _summary(search, value)
        case "_total":
            search.total = value
        case "_include":
            # Of another type than the matches, it goes on from what they bring, said or not: the guide « Gestion
            # d’agendas partagés » writes it plainly of slots (agenda.md §3.4).
            further = registry.is_computed(search.type) and value.partition(":")[0] not in ("*", search.type)
            search.includes.append((value, bool(modifier) or further))
            return _include_known(search.type, value)
        case "_revinclude":
            search.revincludes.append((value, bool(modifier)))
            return _include_known("", value) and not registry.is_computed(value.partition(":")[0])
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


def _sorts_known(search: Search) -> bool:
    known = {"_id"}.union(*(provider.sorts for provider in registry.for_type(search.type)))
    return all(name.removeprefix("-") in known for name in search.sort)


def _include_known(of: str, value: str) -> bool:
    """Say whether an include names a reference we know; `*` is every one."""
    if value == "*":
        return True
    source, _, rest = value.partition(":")
    name = rest.partition(":")[0]
    if source not in registry.types():
        return False
    return name == "*" or isinstance(params_of(source).get(name), ReferenceParam)


def _criterion(type_name: str, key: str, value: str) -> Asked | None:
    *links, last = _split(key)
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


def _split(key: str) -> list[str]:
    return key.split(".")


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
