"""The last gesture on a resource: what was sent put back beside what the product says, then `meta`. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from coordination.fhir.keeping import OURS, Resource, overlay

# {element: what reads its value from a resource}, of the elements that the product knows.
Says = Mapping[str, Callable[[Resource], Any]]
# {list: the places of those of its items that the product knows}.
Ours = Mapping[str, Callable[[Sequence[Any]], Iterable[int]]]
# Of what a client says in `meta`, what is given back; profiles are told apart.
GIVEN_BACK = ("tag", "security", "source")


def with_sent(built: Resource, sent: Resource | None, says: Says, ours: Ours) -> Resource:
    """Return `built` with what was sent of it, for a resource that everybody sees.

    An element that still says the same is given back as it was sent; another is the product's, followed by the items
    of the list sent that the product does not know. The narrative is given back while all that is under it is: it
    would say what is no more.
    """
    if not sent:
        return built
    content = dict(sent)
    changed = [name for name, read in says.items() if name in content and read({name: content[name]}) != read(built)]
    for name in changed:
        if others := without(content[name], ours[name]) if name in ours else []:
            built = built | {name: [*built.get(name, []), *others]}
        content.pop(name)
        content.pop(f"_{name}", None)
    if changed:
        content.pop("text", None)
    return overlay(content, built, says)


def with_own(built: Resource, sent: Resource | None, *, alone: bool) -> Resource:
    """Return what a partner sent of a row of the directory, beside what the directory says (its own view of it).

    What it sent is its own; what it did not say is the directory's, unless it made the row `alone`. Identifiers are
    put together, and what is over is over for everybody.
    """
    if not sent:
        return built
    own = {name: value for name, value in sent.items() if name not in OURS}
    whole = {name: built[name] for name in ("resourceType", "id")} | own if alone else built | own
    if not alone and "identifier" in own:
        known = {(one.get("system"), one.get("value")) for one in own["identifier"]}
        more = [one for one in built.get("identifier", []) if (one["system"], one["value"]) not in known]
        whole["identifier"] = [*own["identifier"], *more]
    if built.get("active") is False:
        whole["active"] = False
    return whole


def without(items: Any, ours: Callable[[Sequence[Any]], Iterable[int]]) -> list[Any]:
    """Return the items of a list that the product does not know."""
    known = set(ours(items))
    return [item for place, item in enumerate(items) if place not in known]


def stamped(
    resource: Resource, sent: Resource | None, *, profiles: Sequence[str], at: Iterable[dt.datetime | dt.date | None]
) -> Resource:
    """Return the resource with its `meta`: profiles, version, date, and the client's own tags.

    The version is made of the content: it changes when, and only when, this caller would read something else,
    whoever changed it (a load of the national files writes no version). The date is the latest of `at`.
    """
    content = {name: value for name, value in resource.items() if name != "meta"}
    said = (sent or {}).get("meta", {})
    back = {name: said[name] for name in GIVEN_BACK if name in said}
    # A label of confidentiality that comes or goes is another version too: who has the former one is told.
    told = content | {"profile": list(profiles)} | ({"meta": back} if back else {})
    meta: Resource = {
        "versionId": version_of(told),
        "lastUpdated": instant(max(moment for one in at if (moment := _moment(one)))),
    } | ({"profile": list(profiles)} if profiles else {})
    return content | {"meta": meta | back}


def version_of(content: Resource) -> str:
    """Return what names a content: the same for the same."""
    plain = orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(plain, digest_size=10).hexdigest()


def same_content(one: Resource, other: Resource) -> bool:
    """Say whether two resources say the same, `meta` and narrative apart from what the client may say of them."""
    kept = [{name: value for name, value in each.items() if name not in OURS} for each in (one, other)]
    said = [{n: v for n, v in each.get("meta", {}).items() if n in GIVEN_BACK} for each in (one, other)]
    return kept[0] == kept[1] and said[0] == said[1]


def instant(at: dt.datetime) -> str:
    """Return a moment as FHIR writes an instant, in universal time."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(said: dt.datetime | dt.date | None) -> dt.datetime | None:
    """Days of the national files have no hour: they begin at midnight, universal time."""
    if said is None or isinstance(said, dt.datetime):
        return said
    return dt.datetime.combine(said, dt.time(), dt.UTC)
