"""What the three types of the directory have in common: everybody reads it, a partner's words are its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from coordination.common.prepared import Prepared, each_of
from coordination.common.statements import ids_in_one
from coordination.directory.models import Source
from coordination.fhir import french, keeping
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content, stamped, with_own
from coordination.fhir.outcomes import Forbidden, Unknown, VersionConflict
from coordination.fhir.registry import (
    CREATE,
    DELETE,
    READ,
    SEARCH,
    UPDATE,
    Param,
    Provider,
    Resource,
    TokenParam,
)
from habilitations import access
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action

# What no national file says, told to whoever finds it.
RECEIVED: Final = {"display": "Reçu d’un partenaire"}


_rows = Prepared(lambda model, *, ids: model._default_manager.filter(pk__in=each_of(ids)), one_plan=True)


def _is_anothers(caller: Caller, row: Any) -> bool:
    return row.partner not in ("", caller.owner) and getattr(row, "source", Source.PARTNER) == Source.PARTNER


def require_known_to_all(caller: Caller) -> None:
    """Let through who may add somebody to a circle: what he makes known here, others find. Raises NotAllowed."""
    held = caller.memo.get("held") or caller.memo.setdefault("held", access.held_by(caller.user))
    if not held.may(Action.ADD_MEMBER):
        raise NotAllowed("Votre profession ne permet pas de faire connaître un professionnel ou une structure.")


class DirectoryProvider(Provider):
    """Rows of one table of the directory.

    The national rows are not a client's to change: what it PUTs on them is kept for it alone, and survives the loads.
    What it POSTs is the national row when the directory knows its number, else a row that it alone has made, which
    it changes (decision 2026-11-29, directory in FHIR).
    """

    model: ClassVar[type[Model]]
    profiles: ClassVar[tuple[str, ...]]
    # What finds a row by an identifier: (system, code, owner).
    numbered: ClassVar[Callable[..., Q]]
    counted = False
    by_sets = True
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, DELETE})

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def has(self, caller: Caller, id: UUID) -> bool:
        return self.rows(caller).filter(pk=id).exists()

    def params_of(self, caller: Caller) -> Mapping[str, Param]:
        """Find by what this caller sent, never by what another did."""
        numbered = partial(self.numbered, owner=caller.owner)
        definition = self.params["identifier"].definition
        return {**self.params, "identifier": TokenParam(definition, build=numbered)}

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        rows = self.fetch(ids)
        sent = keeping.kept(self.type, [row.pk for row in rows], caller.owner, memo=caller.memo)
        built = self.build(rows)
        return {row.pk: self._finished(caller, row, built[row.pk], sent.get(row.pk)) for row in rows}

    def _finished(self, caller: Caller, row: Any, built: Resource, kept: Any) -> Resource:
        content = kept.content if kept else None
        whole = with_own(built, content, alone=self.is_own(caller, row))
        moments = [*self.moments(row), kept.at if kept else None]
        # Of what a client sent, it alone can say to what it conforms.
        profiles = content.get("meta", {}).get("profile", ()) if content else self.profiles
        finished = stamped(whole, content, profiles=profiles, at=moments)
        tags = finished["meta"].get("tag", [])
        if _is_anothers(caller, row) and RECEIVED not in tags:
            finished["meta"]["tag"] = [*tags, RECEIVED]
        return finished

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        resource = french.tidied(resource)
        row = self.known(caller, resource)
        if row is None:
            require_known_to_all(caller)
        if row is None or self.is_own(caller, row):
            row = self.change(caller, row, resource) if row else self.receive(caller, resource, key)
        keeping.keep(self.type, row.pk, resource, owner=caller.owner)
        return row.pk

    def create_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[UUID]:
        """Create several at once, unless the directory may know one of them: then one after the other."""
        said = [(french.tidied(resource), key) for resource, key in sent]
        if len(said) == 1 or not self.are_new(caller, [resource for resource, _ in said]):
            return super().create_many(caller, sent)
        require_known_to_all(caller)
        ids = [row.pk for row in self.receive_many(caller, said)]
        keeping.keep_many(self.type, zip(ids, (resource for resource, _ in said), strict=True), owner=caller.owner)
        return ids

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        row = self.lock(id)
        if row is None:
            raise Unknown
        current = self.load(caller, [id])[id]
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        resource = french.tidied(resource)
        if same_content(current, resource):
            return
        if self.is_own(caller, row):
            self.change(caller, row, resource)
        keeping.keep(self.type, id, resource, owner=caller.owner)

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        """Take away a row of this caller's alone; of the directory nothing is ever deleted."""
        row = self.lock(id)
        if row is None:
            raise Unknown
        if not self.is_own(caller, row):
            raise Forbidden("L’annuaire ne se supprime pas : un logiciel supprime ce qu’il est seul à avoir envoyé.")
        if expected is not None and expected != self.load(caller, [id])[id]["meta"]["versionId"]:
            raise VersionConflict
        row.delete()
        keeping.forget(self.type, [id])

    def lock(self, id: UUID) -> Any:
        return self.model._default_manager.select_for_update(of=("self",), no_key=True).filter(pk=id).first()

    def is_own(self, caller: Caller, row: Any) -> bool:
        """Say whether the row is this caller's alone; the national files may have taken it over since."""
        return row.partner == caller.owner

    # What each type says.

    def fetch(self, ids: Iterable[UUID]) -> list[Any]:
        found: list[Any] = _rows.instances(self.model, ids=ids_in_one(ids))
        return found

    def build(self, rows: Sequence[Any]) -> dict[UUID, Resource]:
        raise NotImplementedError

    def moments(self, row: Any) -> list[dt.datetime | dt.date | None]:
        raise NotImplementedError

    def known(self, caller: Caller, resource: Resource) -> Any:
        """Return the row that the directory has of what is sent, None when it has none."""
        raise NotImplementedError

    def are_new(self, caller: Caller, resources: Sequence[Resource]) -> bool:
        """Say whether the directory knows none of these, and no two are the same. One SQL statement at most."""
        return False

    def receive(self, caller: Caller, resource: Resource, key: UUID) -> Any:
        raise NotImplementedError

    def receive_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[Any]:
        """Receive several, each (resource, key), that are new (`are_new`), in their order."""
        return [self.receive(caller, resource, key) for resource, key in sent]

    def change(self, caller: Caller, row: Any, resource: Resource) -> Any:
        raise NotImplementedError
