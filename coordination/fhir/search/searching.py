"""One search, from its parameters to the Bundle (CDS-50 to 65)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.db.models import QuerySet

from coordination.fhir import registry
from coordination.fhir.callers import Caller
from coordination.fhir.formats.elements import required
from coordination.fhir.outcomes import Forbidden, Issue, outcome
from coordination.fhir.registry import Computed, Provider, Resource
from coordination.fhir.search import asking, including, pages
from coordination.fhir.search.asking import Search
from coordination.fhir.search.conditions import narrowed

Rows = Callable[[Provider], QuerySet[Any]]


def search(
    caller: Caller, type_name: str, pairs: Iterable[tuple[str, str]], *, base: str, strict: bool = False
) -> Resource:
    """Return the searchset Bundle of what this caller may find.

    `pairs` are the parameters as they came, `base` the address of the API without a final slash. The `self` link says
    what was understood. Raises Forbidden (scope), Unreadable (400).
    """
    require_scope(caller, type_name, "s")
    pairs = list(pairs)
    token = next((value for name, value in pairs if name == pages.PAGE), "")
    if token:
        # What was asked first goes on, whatever is said beside.
        begun = pages.opened(token, owner=caller.owner, of=type_name)
        asked = asking.read(type_name, [(name, value) for name, value in begun["asked"]])
        return _bundle(caller, asked, base, begun=begun)
    return _bundle(caller, asking.read(type_name, pairs, strict=strict), base)


def require_scope(caller: Caller, type_name: str, letter: str) -> None:
    """Require one letter of the scopes on a type. Raises Unknown (a type that nobody answers for), Forbidden."""
    registry.for_type(type_name)
    if not caller.may(type_name, letter):
        raise Forbidden(f"Ce logiciel n’a pas reçu le droit de faire cela sur {type_name}.")


def ids_of(caller: Caller, type_name: str, asked: Search, *, most: int) -> list[tuple[Provider, UUID]]:
    """Return what answers, `most` at most: for conditional requests."""
    found: list[tuple[Provider, UUID]] = []
    for provider in registry.for_type(type_name):
        if isinstance(provider, Computed):
            continue
        rows = narrowed(provider, caller, asked.criteria).order_by("pk").values_list("pk", flat=True)
        found += [(provider, id) for id in rows[: most - len(found)]]
        if len(found) >= most:
            break
    return found


def _bundle(caller: Caller, asked: Search, base: str, *, begun: dict[str, Any] | None = None) -> Resource:
    # Built once: writing its SQL costs more than running it.
    rows = cache(lambda provider: narrowed(provider, caller, asked.criteria))
    link = [{"relation": "self", "url": _self(base, asked)}]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
    if asked.only_count or asked.count == 0:
        total = begun.get("total") if begun else _total(asked, rows)
        return bundle | ({} if total is None else {"total": total}) | {"link": link}
    matches, places, further = _matches(caller, asked, rows, begun)
    total = begun.get("total") if begun else _total(asked, rows, whole=None if further else places)
    if total is not None:
        bundle["total"] = total
    bundle["link"] = link
    if further:
        begins = {
            "owner": caller.owner, "of": asked.type, "asked": asked.understood, "total": total, "after": further,
        }  # fmt: skip
        formats = [value for name, value in asked.understood if name == "_format"][:1]
        link.append(pages.following(f"{base}/{asked.type}", begins, formats))
    named = {including.name_of(resource): resource for resource in matches}
    beside, said = including.brought(caller, named, asked.includes, asked.revincludes)
    entries = [entry(base, _shown(resource, asked), "match") for resource in matches]
    entries += [entry(base, resource, "include") for resource in beside.values()]
    said += [] if begun else asking.warnings(asked.ignored)
    if said:
        entries.append(entry_saying(said))
    if entries:
        bundle["entry"] = entries
    return bundle


def _self(base: str, asked: Search) -> str:
    query = urlencode(asked.understood)
    return f"{base}/{asked.type}?{query}" if query else f"{base}/{asked.type}"


def _total(asked: Search, rows: Rows, *, whole: int | None = None) -> int | None:
    """Count what answers, unless told not to, or where counting would cost more than the page (directories).

    `whole`: how many there are, when the first page holds them all.
    """
    providers = registry.for_type(asked.type)
    if registry.is_computed(asked.type):
        return None
    wanted = asked.total in ("accurate", "estimate") or asked.only_count
    if asked.total == "none" or (not wanted and not all(provider.counted for provider in providers)):
        return None
    return sum(rows(provider).count() for provider in providers) if whole is None else whole


def _matches(
    caller: Caller, asked: Search, rows: Rows, begun: dict[str, Any] | None
) -> tuple[list[Resource], int, list[Any] | None]:
    """Return the resources of one page, how many places it has, and where the next one begins: [provider number,
    place]."""
    number, place = begun["after"] if begun else (0, None)
    providers = registry.for_type(asked.type)
    found: list[Resource] = []
    left = asked.count
    while number < len(providers):
        provider = providers[number]
        if isinstance(provider, Computed):
            made, further = provider.find(caller, asked.criteria, after=place, count=left)
            return [*found, *made], asked.count, [number, further] if further else None
        # One more than asked for says whether there is a next page.
        places = _places(caller, provider, asked, rows, place, left + 1)
        found += _loaded(caller, provider, [pages.id_of(one) for one in places[:left]])
        if len(places) > left:
            return found, asked.count, [number, list(places[left - 1]) if left else place]
        left -= len(places)
        number, place = number + 1, None
    return found, asked.count - left, None


def _places(
    caller: Caller, provider: Provider, asked: Search, rows: Rows, after: Sequence[Any] | None, most: int
) -> list[tuple[Any, ...]]:
    known = provider.looked_up(caller, asked.criteria, most=most) if after is None and not asked.sort else None
    if known is not None:
        return [(id,) for id in known]
    return pages.Order.of(asked.sort, provider.sorts).page(rows(provider), after, most)


def _loaded(caller: Caller, provider: Provider, ids: Sequence[UUID]) -> list[Resource]:
    loaded = provider.load(caller, ids) if ids else {}
    return [loaded[id] for id in ids if id in loaded]


def _shown(resource: Resource, asked: Search) -> Resource:
    return only_elements(resource, asked.elements) if asked.elements else resource


# What a rule of R4 wants of each resource of a type, though none of these is mandatory by itself (app-2, app-3).
_TOGETHER: Final = {"Appointment": ("start", "end")}


def only_elements(resource: Resource, names: Iterable[str]) -> Resource:
    """Return the elements asked for by `_elements`, those FHIR wants in every answer, and the mark of a subset."""
    type_name = resource["resourceType"]
    # What R4 asks of each resource of the type is there too: the answer stays readable by who checks it.
    wanted = {"resourceType", "id", "meta", *_TOGETHER.get(type_name, ())}
    wanted = wanted.union(*(names for _, names in required(type_name)))
    for name in names:
        before, dot, last = name.rpartition(".")
        if not dot or before == type_name:
            wanted.add(last)
        elif before.split(".")[0] == type_name:
            wanted.add(before.split(".")[1])
    kept = {name: value for name, value in resource.items() if name.removeprefix("_") in wanted}
    meta = dict(kept.get("meta", {}))
    subset = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    meta["tag"] = [*meta.get("tag", []), subset]
    # Part of a resource does not conform to what the whole one does.
    meta.pop("profile", None)
    return kept | {"meta": meta}


def entry(base: str, resource: Resource, mode: str) -> Resource:
    """Return the entry of a searchset for a resource; `mode`: "match" or "include"."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def entry_saying(issues: Iterable[Issue]) -> Resource:
    """Return the entry that tells what was left out of an answer, or not understood."""
    # Every entry of a searchset has an identity; this one is of the answer, and is kept nowhere.
    return {"fullUrl": f"urn:uuid:{uuid4()}", "resource": outcome(issues), "search": {"mode": "outcome"}}
