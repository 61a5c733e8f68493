"""What the rooms declare to the engine: for each FHIR type, the tables that answer for it.

A provider is one FHIR type in one table. A type may have several (a professional of the directory and one entered by
hand are both a PractitionerRole): each answers for the ids it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import MethodNotAllowed, Unknown
from coordination.fhir.search.values import uuid_of

Resource = dict[str, Any]
# Of the national guide: create, read, update, vread, search-type, history-instance, history-type.
READ, SEARCH, CREATE, UPDATE = "read", "search-type", "create", "update"
VREAD, HISTORY, HISTORY_OF_TYPE = "vread", "history-instance", "history-type"
# Of « Gestion d’agendas partagés » besides.
PATCH, DELETE = "patch", "delete"


# ---- Search parameters. Each builder returns a condition on `Provider.rows`. ------------------------------------

# Of what every resource has.
NEVER: Final = Q(pk__in=[])


@dataclass(frozen=True)
class Param:
    """`definition`: canonical of the SearchParameter.

    `missing`: the rows without any value, NEVER where there are none. None where nobody knows: `:missing` is refused.
    """

    definition: str
    missing: Q | Callable[[], Q] | None = None
    documentation: str = ""
    type: ClassVar[str] = ""


@dataclass(frozen=True)
class TokenParam(Param):
    """`build(system, code)`: `system` None when none was said, "" when said to be absent (`|code`), `code` "" for any
    (`system|`). Several values are put together by the engine, and `:not` turns the whole round."""

    build: Callable[[str | None, str], Q] = field(kw_only=True)
    type = "token"


@dataclass(frozen=True)
class StringParam(Param):
    """`build(text, how)`: `how` is "starts", "contains" or "exact"; `text` as it was sent (fold it yourself)."""

    build: Callable[[str, str], Q] = field(kw_only=True)
    type = "string"


@dataclass(frozen=True)
class DateParam(Param):
    """A moment or a period, in columns that are dates or moments.

    `low` and `high` are the columns of its beginning and end (the same for a moment); an empty `low` is « since
    always », an empty `high` « still going on ». `inside` puts the condition where the columns are (a member's
    period: an Exists); without it they are columns of `rows`. `is_day`: the columns are days, else moments (UTC).
    `open_ended` False: a row without value never matches (`start`, `end` of a period).
    """

    low: str = field(kw_only=True)
    high: str = field(kw_only=True)
    inside: Callable[[Q], Q] | None = None
    is_day: bool = True
    type = "date"


@dataclass(frozen=True)
class ReferenceParam(Param):
    """`targets`: {FHIR type: {provider key: build(ids)}} with `ids` a list or a subquery of that provider's keys.

    `path` is where the references are in a finished resource ("participant.member"), for `_include` and `_revinclude`.
    `literal(text)`: of references to what nobody keeps here, found as they are written ("Binary/1").
    """

    targets: Mapping[str, Mapping[str, Callable[[Any], Q]]] = field(kw_only=True)
    path: str = field(kw_only=True)
    literal: Callable[[str], Q] | None = None
    type = "reference"


@dataclass(frozen=True)
class UriParam(Param):
    build: Callable[[str], Q] = field(kw_only=True)
    type = "uri"


@dataclass(frozen=True)
class SpecialParam(Param):
    """A value of its own grammar (`near`). `build` raises Unreadable for what does not follow it."""

    build: Callable[[str], Q] = field(kw_only=True)
    type = "special"


# ---- Providers ---------------------------------------------------------------------------------------------------


class Provider:
    """One FHIR type in one table. `key` is unique in the house ("directory.activity").

    Reading: `rows` is what may be found by a caller, never what he may not know of, ordered by nothing; `load` makes
    the finished resources and leaves the traces. Writing: the actions of the room, inside the engine's transaction.
    """

    key: ClassVar[str]
    type: ClassVar[str]
    profile: ClassVar[str]
    interactions: ClassVar[frozenset[str]] = frozenset({READ, SEARCH, CREATE, UPDATE})
    documentation: ClassVar[str] = ""
    # {name of `_sort`: column of rows}; "_id" is there for every provider.
    sorts: ClassVar[Mapping[str, str]] = {}
    # `PUT [type]?criteria`: creates, or replaces the one that answers (FHIR R4 http, conditional update).
    conditional_update: ClassVar[bool] = False
    # Searches say how many answer, unless it would cost more than the page itself (two million professionals).
    counted: ClassVar[bool] = True
    # Several are created by sets (`create_many`); else one after the other, in the order of the Bundle.
    by_sets: ClassVar[bool] = False
    # What a reading asks of the row %(id)s, in SQL, in the very statement that says who calls: the account `u`.
    beside: ClassVar[str] = ""
    params: Mapping[str, Param] = {}

    def params_of(self, caller: Caller) -> Mapping[str, Param]:
        """Return `params` for one caller: where what he may be found by is his own (what he sent of the directory)."""
        return self.params

    def rows(self, caller: Caller) -> QuerySet[Any]:
        """Return what this caller may find; no SQL yet. The primary key is the FHIR id."""
        raise NotImplementedError

    def looked_up(self, caller: Caller, criteria: Sequence[Any], *, most: int) -> list[UUID] | None:
        """Return the ids of `rows` that answer the criteria (`search.asking.Asked`), in order, `most` at most.

        For what is asked all day long, by statements written once. None for all the rest, which the engine writes.
        """
        return None

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        """Return {id: finished resource} of those he may read now, traced; SQL in constant number.

        `included`: brought by another resource. Never raises for an id that is not its own.
        """
        raise NotImplementedError

    def read(self, caller: Caller, id: UUID) -> Resource:
        """Return one resource, traced. Raises Unknown (404), and the house's refusals (403)."""
        found = self.load(caller, [id]).get(id)
        if found is None:
            raise Unknown
        return found

    def has(self, caller: Caller, id: UUID) -> bool:
        """Say whether this id is one of this table's, whoever asks: which provider answers, not whether it may."""
        raise NotImplementedError

    def takes(self, resource: Resource) -> bool:
        """Say whether a new resource of the type is for this table; the first provider that takes it creates it."""
        return CREATE in self.interactions

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        """Create; return its id. `key` names the call: the same twice makes one object (REL-7)."""
        raise MethodNotAllowed("Cette ressource ne se crée pas.")

    def create_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[UUID]:
        """Create several, each (resource, key), as `create` would one after the other; return their ids in order.

        A room that writes them by sets refuses all of them when it refuses one, and need not say which.
        """
        return [self.create(caller, resource, key=key) for resource, key in sent]

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        """Replace. `expected`: the version the caller has read (If-Match), None when he said none.

        Raises VersionConflict when it is not the current one, checked behind the lock of the action.
        """
        raise MethodNotAllowed("Cette ressource ne se modifie pas.")

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        """Take away what this caller created and nothing else names; `expected` as for `update`.

        Raises Unknown, Forbidden (another's), StillNamed (409), VersionConflict.
        """
        raise MethodNotAllowed("Cette ressource ne se supprime pas.")

    def id_of(self, text: str) -> Any:
        """Return the id that a text of an address or of a reference says, None for what cannot be one."""
        return uuid_of(text)

    # Only for those whose `interactions` have vread and history.

    def version(self, caller: Caller, id: UUID, number: str) -> Resource:
        """Return one version, filtered by what the caller may see today. Raises Unknown."""
        raise Unknown

    def history(
        self, caller: Caller, id: UUID | None, *, since: Any, before: tuple[Any, ...] | None, count: int
    ) -> list[tuple[tuple[Any, ...], str, Resource]]:
        """Return (place, "POST" or "PUT", resource), newest first, `count` at most, after the place `before`.

        `place` is what names a line in the order of the history (moment, id, number), as plain JSON values. `id` None:
        of every resource the caller may read. `since`: a moment (UTC) or None.
        """
        return []


class Computed(Provider):
    """A type that no table holds: its resources are made at each search, its ids are texts that tell how.

    It has no `rows`: no chain leads through it, and it is brought by what names it.
    """

    interactions = frozenset({READ, SEARCH})
    counted = False

    def find(
        self, caller: Caller, criteria: Sequence[Any], *, after: Any, count: int
    ) -> tuple[list[Resource], Any | None]:
        """Return (resources, place of the last one when there are more), `count` at most, after a place.

        `criteria`: what is asked (`search.asking.Asked`). A place is made of plain JSON values. A page may be shorter
        than asked for and still have a next one: what is looked through for one answer is bounded.
        """
        raise NotImplementedError

    def has(self, caller: Caller, id: Any) -> bool:
        return id is not None


_providers: dict[str, list[Provider]] = {}
_by_key: dict[str, Provider] = {}


def register(*providers: Provider) -> None:
    """Declare providers, in the order in which they are asked for a type; called from the `ready` of the rooms."""
    for provider in providers:
        if provider.key in _by_key:
            raise ValueError(f"{provider.key} is already registered")
        _by_key[provider.key] = provider
        _providers.setdefault(provider.type, []).append(provider)


def types() -> list[str]:
    """Return the FHIR types that some room answers for, in order."""
    return sorted(_providers)


def for_type(name: str) -> list[Provider]:
    """Return the providers of a type. Raises Unknown for a type nobody answers for."""
    if name not in _providers:
        raise Unknown(f"Ce serveur ne connaît pas le type {name[:40]}.")
    return _providers[name]


def only_one(name: str) -> Provider | None:
    """Return the provider of a type that has one table, None for a type of several or of nobody."""
    providers = _providers.get(name, ())
    return providers[0] if len(providers) == 1 else None


def by_key(key: str) -> Provider:
    """Return the provider of a key that is known to be there."""
    return _by_key[key]


def known_key(key: str) -> Provider | None:
    """Return the provider of a key that a reference may lead to; None when no room of this installation has it."""
    return _by_key.get(key)


def is_computed(type_name: str) -> bool:
    """Say whether the resources of a type are made at each search."""
    return any(isinstance(provider, Computed) for provider in _providers.get(type_name, ()))


def id_of(type_name: str, text: str) -> Any:
    """Return the id that a text says for a type, None for what cannot be one or for a type nobody answers for."""
    providers = _providers.get(type_name)
    return providers[0].id_of(text) if providers else None


# ---- The compartment of a person ($everything) ---------------------------------------------------------------------

# Each room says which of its resources belong to some persons: (caller, patient ids) -> [(provider key, ids)].
Compartment = Callable[[Caller, Sequence[UUID]], Iterable[tuple[str, Sequence[UUID]]]]
_compartments: list[Compartment] = []


def add_compartment(found: Compartment) -> None:
    """Have a room say what it has of some persons."""
    _compartments.append(found)


def compartments() -> list[Compartment]:
    """Return what the rooms say of some persons."""
    return list(_compartments)


# ---- What goes with a resource that is taken away -------------------------------------------------------------------

# What each room does of its own that named it: (caller, FHIR type, id). Raises StillNamed to keep it.
Gone = Callable[[Caller, str, UUID], None]
_gone: list[Gone] = []


def when_gone(act: Gone) -> None:
    """Have a room told, in the same transaction, of a resource that a client takes away."""
    _gone.append(act)


def tell_gone(caller: Caller, type_name: str, id: UUID) -> None:
    """Tell the rooms of a resource that is taken away. Raises StillNamed."""
    for act in _gone:
        act(caller, type_name, id)


# ---- What a structure manages (export) -----------------------------------------------------------------------------

# The persons whose circle the caller's structure manages and that he may read: (caller) -> rows of Patients; and how
# some of them are entered for an export, each with one trace: (caller, ids).
Managed = Callable[[Caller], QuerySet[Any]]
Entering = Callable[[Caller, Sequence[UUID]], None]
_managed: list[Managed] = []
_entering: list[Entering] = []


def set_managed(found: Managed, enter: Entering) -> None:
    """Have the room of the dossiers say whom a structure manages, and how they are entered."""
    _managed[:], _entering[:] = [found], [enter]


def managed(caller: Caller) -> QuerySet[Any]:
    """Return the persons whose circle the caller's structure manages, as far as he may read them; no SQL yet."""
    return _managed[0](caller)


def enter_managed(caller: Caller, ids: Sequence[UUID]) -> None:
    """Enter these persons for an export; `load` then reads what the caller may, without another trace."""
    _entering[0](caller, ids)
