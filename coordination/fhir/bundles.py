"""The transaction of a Bundle: all of it or nothing (flux 1c and 4c, CDS-37 to 49).

Entries are done in the order of their references, whatever their order in the Bundle: a circle after its members. A
transaction that fails answers 500 with what each entry had wrong, as the guide asks (§3.3; contradiction 15); 400 is
for a body that is not a Bundle to be processed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError

from coordination.common.errors import DomainError
from coordination.fhir import (
    answers,
    attempts,
    checking,
    conditional,
    profiles,
    references,
    registry,
    replays,
    validation,
    writing,
)
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.models import Replay
from coordination.fhir.outcomes import ERROR, WARNING, Forbidden, Issue, Refused, Unreadable, outcome
from coordination.fhir.profiles.bundles import TYPES
from coordination.fhir.registry import Resource
from coordination.fhir.search import values

METHODS: Final = {"POST": "c", "PUT": "u"}
# A circle of every member anybody ever had, and no more: one transaction holds its locks to the end.
MOST_ENTRIES: Final = 500


class Failed(Refused):
    """A transaction that was begun and undone (CDS-40)."""

    status = 500
    code = "transient"


@dataclass
class Entry:
    """One entry to do. `names` are the references that mean it inside this Bundle."""

    number: int
    method: str
    type: str
    id: str
    resource: Resource
    request: dict[str, Any]
    names: frozenset[str]
    written: writing.Written | None = None

    @property
    def at(self) -> str:
        return f"Bundle.entry[{self.number}].resource"

    @property
    def done(self) -> str:
        """The reference it has once written."""
        assert self.written is not None
        return f"{self.type}/{self.written.id}"


def transact(
    caller: Caller, bundle: Resource, *, base: str, prefer: dict[str, str], key: str = "", body: bytes = b""
) -> Answer:
    """Do the transaction; return its transaction-response Bundle.

    Raises Unreadable (400) for what is not a transaction, Forbidden (403) before anything is done when a scope is
    missing, Failed (500) when an entry is refused, Busy (503): then nothing is stored.
    """
    strict = prefer.get("handling") == "strict"
    entries, ignored = _to_do(caller, bundle, strict=strict)

    def write(do: Callable[[Caller, list[Entry], _Names, str, str], None]) -> Answer:
        replay = replays.begun(caller, key, b"POST transaction " + body)
        if isinstance(replay, Answer):
            return replay
        for entry in entries:
            # Of an attempt that was undone.
            entry.written = None
        do(caller, entries, _Names.of(bundle, entries), base, key)
        answer = Answer(200, _response(caller, bundle, entries, ignored, base, prefer))
        if isinstance(replay, Replay):
            replays.done(replay, answer, body=True)
        return answer

    one_by_one = partial(write, _do_one_by_one)
    if _may_go_by_sets(entries):
        return attempts.quick_or_plain(caller, partial(write, _do_by_sets), one_by_one)
    return attempts.attempt(caller, one_by_one)


def _to_do(caller: Caller, bundle: Resource, *, strict: bool) -> tuple[list[Entry], list[Issue]]:
    """Return the entries to do, and what is left aside; nothing is done yet."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
        raise Unreadable("Cette adresse attend un Bundle de type transaction.", expression="Bundle.type")
    around = validation.check_envelope(bundle)
    if any(issue.code != "invariant" for issue in around):
        raise Unreadable(*around)
    if around:
        raise Failed(*around)
    entries, ignored, problems = _entries(bundle)
    _require_scopes(caller, entries)
    problems += _problems(bundle, entries) + (ignored if strict else [])
    if any(issue.is_error or strict and issue in ignored for issue in problems):
        raise Failed(*(replace(issue, severity=ERROR) if issue in ignored else issue for issue in problems))
    return entries, ignored


def _entries(bundle: Resource) -> tuple[list[Entry], list[Issue], list[Issue]]:
    """Return (entries to do, what is left aside because no room keeps that type, what is wrong)."""
    said = bundle.get("entry", [])
    if not said:
        return [], [], [Issue(ERROR, "required", "Ce Bundle ne contient rien à faire.", "Bundle.entry")]
    if len(said) > MOST_ENTRIES:
        raise Unreadable(f"Un Bundle compte au plus {MOST_ENTRIES} entrées.", expression="Bundle.entry")
    entries: list[Entry] = []
    ignored: list[Issue] = []
    problems: list[Issue] = []
    for number, one in enumerate(said):
        at = f"Bundle.entry[{number}]"
        resource, request = one.get("resource"), one.get("request") or {}
        type_name = (resource or {}).get("resourceType", "")
        method = str(request.get("method", ""))
        if type_name and type_name not in registry.types():
            what = f"Ce serveur ne garde pas les ressources {type_name} : cette entrée est laissée de côté."
            ignored.append(Issue(WARNING, "not-supported", what, at))
        elif resource is None:
            problems.append(Issue(ERROR, "required", "Cette entrée n’a pas de ressource.", at))
        elif method not in METHODS:
            # CDS-42: nothing but POST and PUT in these Bundles; of its own types the profile says so.
            if type_name not in TYPES:
                what = "Une entrée d’une transaction se crée (POST) ou se met à jour (PUT)."
                problems.append(Issue(ERROR, "not-supported", what, f"{at}.request.method"))
        else:
            entries.append(_entry(number, one, resource, request, method, type_name, entries, problems))
    return entries, ignored, problems


def _entry(
    number: int, one: dict[str, Any], resource: Resource, request: dict[str, Any], method: str, type_name: str,
    before: list[Entry], problems: list[Issue],
) -> Entry:  # fmt: skip
    at = f"Bundle.entry[{number}].request.url"
    path = str(request.get("url", "")).split("?")[0].strip("/").split("/")
    id = path[-1] if method == "PUT" and len(path) > 1 else ""
    if path[-2 if id else -1] != type_name:
        problems.append(Issue(ERROR, "value", f"L’adresse d’une entrée {method} commence par {type_name}.", at))
    elif method == "PUT" and not id:
        problems.append(Issue(ERROR, "value", "Une mise à jour (PUT) nomme la ressource : Type/id.", at))
    if id and any((other.type, other.id.lower()) == (type_name, id.lower()) for other in before):
        problems.append(Issue(ERROR, "invariant", "Ce Bundle modifie deux fois la même ressource.", at))
    names = {str(one.get("fullUrl", ""))} - {""}
    if method == "POST" and resource.get("id"):
        # The guide's own example names its entries by type and id, not by fullUrl (contradiction 18).
        names.add(f"{type_name}/{resource['id']}")
    return Entry(number, method, type_name, id, resource, request, frozenset(names))


def _require_scopes(caller: Caller, entries: list[Entry]) -> None:
    missing = {entry.type for entry in entries if not caller.may(entry.type, METHODS[entry.method])}
    if missing:
        names = ", ".join(sorted(missing))
        raise Forbidden(f"Ce logiciel n’a pas reçu le droit d’écrire : {names}.")


def _problems(bundle: Resource, entries: list[Entry]) -> list[Issue]:
    found = profiles.check(bundle)
    for entry in entries:
        found += checking.issues_of(entry.resource, at=entry.at)
    return found


def _do_one_by_one(caller: Caller, entries: list[Entry], known: _Names, base: str, key: str) -> None:
    for entry in _in_order(entries):
        _do(caller, entry, known, base, key)


def _may_go_by_sets(entries: list[Entry]) -> bool:
    """Say whether nothing here depends on what else is written before: all to create, without any search."""
    return all(
        entry.method == "POST"
        and not entry.request.get("ifNoneExist")
        and not any("?" in said["reference"] for said, _ in references.each(entry.resource))
        for entry in entries
    )


def _do_by_sets(caller: Caller, entries: list[Entry], known: _Names, base: str, key: str) -> None:
    """Create the entries, those of one type together where nothing forbids it (PERF-12).

    Raises Failed for the first that is refused, or Again: then only one by one will say which it is.
    """
    order = list(_in_order(entries))
    for together in _sets(order):
        try:
            if len(together) == 1:
                _do(caller, together[0], known, base, key)
            else:
                _create(caller, together, known, base, key)
        except (Refused, DomainError, IntegrityError) as refusal:
            if together == [entry for entry in order if entry.written is None][:1]:
                raise
            raise attempts.Again from refusal


def _create(caller: Caller, together: list[Entry], known: _Names, base: str, key: str) -> None:
    sent = [(_resolved(caller, one, known, base), replays.key_of(caller, key, str(one.number))) for one in together]
    for entry, written in zip(together, writing.create_many(caller, sent), strict=True):
        entry.written = written


def _sets(order: list[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries of one type together, where sets of it are written, each after those it refers to.

    `order` is such an order of them, one by one.
    """
    by_name = {name: entry.number for entry in order for name in entry.names}
    rounds: dict[int, int] = {}
    sets: dict[tuple[int, str | int], list[Entry]] = {}
    for entry in order:
        named = {by_name.get(said["reference"], entry.number) for said, _ in references.each(entry.resource)}
        rounds[entry.number] = 1 + max((rounds[number] for number in named - {entry.number}), default=0)
        goes_with = entry.type if any(one.by_sets for one in registry.for_type(entry.type)) else entry.number
        sets.setdefault((rounds[entry.number], goes_with), []).append(entry)
    yield from (sets[key] for key in sorted(sets, key=lambda key: key[0]))


def _in_order(entries: list[Entry]) -> Iterator[Entry]:
    """Yield the entries, each after those it refers to. Raises Failed when they refer to one another in a circle."""
    by_name = {name: entry for entry in entries for name in entry.names}
    done: set[int] = set()
    asked: set[int] = set()

    def visit(entry: Entry) -> Iterator[Entry]:
        if entry.number in done:
            return
        if entry.number in asked:
            raise Failed(Issue(ERROR, "business-rule", "Ces entrées se désignent en boucle.", entry.at))
        asked.add(entry.number)
        for said, _ in references.each(entry.resource):
            other = by_name.get(said["reference"])
            if other is not None and other is not entry:
                yield from visit(other)
        done.add(entry.number)
        yield entry

    for entry in entries:
        yield from visit(entry)


@dataclass(frozen=True)
class _Names:
    """What the references of a Bundle may mean: an entry to do, or one that is left aside."""

    entries: dict[str, Entry]
    aside: frozenset[str]

    @classmethod
    def of(cls, bundle: Resource, entries: list[Entry]) -> _Names:
        done = {name: entry for entry in entries for name in entry.names}
        every = {str(one["fullUrl"]) for one in bundle["entry"] if one.get("fullUrl")}
        return cls(done, frozenset(every - set(done)))


def _do(caller: Caller, entry: Entry, known: _Names, base: str, key: str) -> None:
    try:
        resource = _resolved(caller, entry, known, base)
        if entry.method == "PUT":
            expected = conditional.version_named(str(entry.request.get("ifMatch", "")))
            entry.written = writing.update(caller, entry.id, resource, expected=expected)
        else:
            named = replays.key_of(caller, key, str(entry.number))
            condition = str(entry.request.get("ifNoneExist", ""))
            entry.written = writing.create(caller, resource, key=named, if_none_exist=condition)
    except Failed:
        raise
    except Refused as refusal:
        raise Failed(*(_placed(issue, entry) for issue in refusal.issues)) from refusal
    except DomainError as refusal:
        raise Failed(Issue(ERROR, refusal.issue, refusal.message, entry.at)) from refusal


def _placed(issue: Issue, entry: Entry) -> Issue:
    return replace(issue, expression=entry.at + issue.expression.removeprefix(entry.type))


def _resolved(caller: Caller, entry: Entry, known: _Names, base: str) -> Resource:
    """Return the resource with its references to other entries, and those that are searches, as known here."""

    def change(said: str) -> str | None:
        other = known.entries.get(said)
        if other is not None and other.written is not None and not _is_held(caller, said):
            return other.done
        if said in known.aside:
            return ""
        if "?" in said and said.split("?")[0] in registry.types():
            return _searched(caller, said)
        if local := references.literal(said, base):
            return "/".join(local)
        if said.startswith(("urn:uuid:", "urn:oid:")):
            raise Refused(Issue(ERROR, "not-found", "Cette référence ne désigne aucune entrée de ce Bundle."))
        return None

    return references.rewritten(entry.resource, change)


def _is_held(caller: Caller, said: str) -> bool:
    """Say whether a reference `Type/id` is to something stored here: then it means that, and not an entry."""
    local = references.literal(said, "")
    uuid = values.uuid_of(local[1]) if local else None
    return bool(local and uuid and any(one.has(caller, uuid) for one in registry.for_type(local[0])))


def _searched(caller: Caller, said: str) -> str:
    type_name, _, criteria = said.partition("?")
    found = conditional.matching(caller, type_name, criteria, lock=False)
    if found is None:
        raise Refused(Issue(ERROR, "not-found", "Aucune ressource ne répond à cette référence."))
    return f"{type_name}/{found[1]}"


def _response(
    caller: Caller, bundle: Resource, entries: list[Entry], ignored: list[Issue], base: str, prefer: dict[str, str]
) -> Resource:
    """Return one entry for each of the Bundle, in its order (CDS-38)."""
    loaded = _loaded(caller, entries)
    by_number = {entry.number: entry for entry in entries}
    aside = {issue.expression: issue for issue in ignored}
    told = []
    for number in range(len(bundle["entry"])):
        entry = by_number.get(number)
        if entry is None:
            issue = aside[f"Bundle.entry[{number}]"]
            told.append({"response": {"status": "202 Accepted", "outcome": outcome([issue])}})
        else:
            resource = loaded.get((entry.type, entry.written.id)) if entry.written else None
            how = answers.preferred(prefer, readable=caller.may(entry.type, "r"))
            told.append(_told(entry, resource, base, how))
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": told}


def _loaded(caller: Caller, entries: list[Entry]) -> dict[tuple[str, UUID], Resource]:
    wanted: dict[registry.Provider, list[UUID]] = {}
    for entry in entries:
        if entry.written:
            wanted.setdefault(entry.written.provider, []).append(entry.written.id)
    return {
        (provider.type, id): resource
        for provider, ids in wanted.items()
        for id, resource in provider.load(caller, ids).items()
    }


def _told(entry: Entry, resource: Resource | None, base: str, how: str) -> Resource:
    assert entry.written is not None
    status = "201 Created" if entry.written.created else "200 OK"
    response: Resource = {"status": status, "location": entry.done}
    told: Resource = {"fullUrl": f"{base}/{entry.done}", "response": response}
    if resource is not None:
        response["location"] = answers.location("", resource)
        response["etag"] = answers.etag(resource)
        if moment := resource["meta"].get("lastUpdated"):
            response["lastModified"] = moment
        if how == "representation":
            told["resource"] = resource
    return told
