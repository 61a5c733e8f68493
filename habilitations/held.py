"""What one account may do in one dossier: the answer of `habilitations.access`, and every question put to it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from habilitations import acting
from habilitations.errors import NotAllowed
from habilitations.matrix import Matrix, least
from habilitations.rubriques import Action, Niveau, Rubric, Rubrique, Scope

T = TypeVar("T")
NO_CEILING: Mapping[str, Niveau] = {}


@dataclass(frozen=True)
class Hat:
    """The profession an account acts under, as vouched for. Empty strings when nobody vouched."""

    profession: str = ""
    fonction: str = ""
    national_id: str = ""
    structure_id: UUID | None = None
    structure_name: str = ""
    # Who says so: a VouchedProfession.How.
    how: str = ""


@dataclass(frozen=True)
class Access:
    """What one account may do in one dossier, now. Made by `to_dossier`, never by hand but in tests."""

    profile: str
    matrix: Matrix
    hat: Hat
    habilitation_id: UUID | None
    through_structure: UUID | None = None
    # The state of the dossier caps every right: a closed dossier is read-only.
    cap: Niveau = Niveau.ECRITURE
    # What was reduced for this member in this dossier: {rubric: the most he may do}.
    ceilings: Mapping[str, Niveau] = field(default_factory=dict)
    # Last day of the grant or of what it rests on, None without an end.
    until: dt.date | None = None
    # On what the grant rests: a Consent.Ground.
    ground: str = ""
    # For whom he acts, when he is here for another (SEC-15).
    on_behalf_of: acting.Principal | None = None
    # The instant at which an emergency access ends; None for every other way in.
    ends_at: dt.datetime | None = None

    def level(self, rubrique: str) -> Niveau:
        """Return the effective level: the least of cell, ceiling and state of the dossier (rule 2)."""
        return least((self.granted(rubrique), self.cap))

    def granted(self, rubrique: str) -> Niveau:
        """Return the level whatever the state of the dossier: the least of the cell and of the ceiling.

        Who had the medical rubric closed in this dossier loses its journal, which names discreet members (rule 7).
        """
        narrowed = self.ceilings or self.on_behalf_of
        if rubrique == Rubrique.JOURNAL and narrowed and self.granted(Rubrique.MEDICAL) < Niveau.LECTURE:
            return Niveau.AUCUN
        cell = self.cell(rubrique)
        return least((cell, self.ceilings.get(rubrique, cell))) if self.ceilings else cell

    def cell(self, rubrique: str) -> Niveau:
        """Return the cell of the matrix; for who acts for another, the least of his own and of what the other has."""
        own = self.matrix.level(self.profile, rubrique)
        return own if self.on_behalf_of is None else least((own, self.on_behalf_of.most(self.matrix, rubrique)))

    def can_read(self, rubrique: str) -> bool:
        return self.level(rubrique) >= Niveau.LECTURE

    def can_write(self, rubrique: str) -> bool:
        return self.level(rubrique) >= Niveau.ECRITURE

    def may(self, action: Action, *, structure_id: UUID | None = None) -> bool:
        """Say whether an action right is held, for a member of `structure_id` when the right is bounded.

        Every action needs a dossier that can be written, but those of _ALLOWED_ON_CLOSED; an emergency access gives
        none (SEC-8). The action right on refusals is half of the answer: ask `may_record_refusal` and
        `may_withdraw_refusal`, which also ask for the circle.
        """
        scope = self.matrix.scope(self.profile, action)
        if scope is None or self.ends_at:
            return False
        if self.cap < Niveau.ECRITURE and action not in _ALLOWED_ON_CLOSED:
            return False
        if self.on_behalf_of is not None and not self.on_behalf_of.may(self.matrix, action, structure_id):
            return False
        if scope == Scope.OWN_STRUCTURE:
            return structure_id is not None and structure_id == self.hat.structure_id
        return True

    def require(self, action: Action, *, structure_id: UUID | None = None) -> None:
        """Raise NotAllowed unless the action right is held."""
        if not self.may(action, structure_id=structure_id):
            raise NotAllowed

    @property
    def may_record_refusal(self) -> bool:
        """Say whether a refusal may be recorded: whatever the state of the dossier, since it only closes (SEC-5)."""
        writes = self.granted(Rubrique.CERCLE) >= Niveau.ECRITURE
        return writes and self.can_read(Rubrique.CERCLE) and self.may(Action.RECORD_REFUSAL)

    @property
    def may_withdraw_refusal(self) -> bool:
        """Say whether a refusal may be withdrawn: that opens a way in, and needs a dossier that can be written."""
        return self.can_write(Rubrique.CERCLE) and self.may(Action.RECORD_REFUSAL)

    @cached_property
    def abilities(self) -> dict[str, bool]:
        """Return {"read_cercle": True, "ajouter_membre": False...}: what templates ask, never recompute."""
        return dict(self._kept("abilities", self._abilities))

    def _kept(self, what: str, work_out: Callable[[], T]) -> T:
        # Asked without a structure, rights depend on these two alone; a ceiling belongs to one member of one dossier.
        key = what, self.profile, self.cap
        return work_out() if self.ceilings or self.on_behalf_of else self.matrix.keep(key, work_out)

    def _abilities(self) -> dict[str, bool]:
        every = self.matrix.catalog.every
        said = {f"read_{r.value}": self.can_read(r) for r in every}
        said |= {f"write_{r.value}": self.can_write(r) for r in every}
        said |= {a.value: self.may(a) for a in Action}
        return said

    @property
    def sees_discreet_members(self) -> bool:
        """Rule 7: a discreet member is shown only to those who may read the medical rubric."""
        return self.can_read(Rubrique.MEDICAL)

    @property
    def sees_whole_circle(self) -> bool:
        other = self.on_behalf_of.profile if self.on_behalf_of else self.profile
        reduced = self.matrix.reads_reduced_circle(self.profile) or self.matrix.reads_reduced_circle(other)
        return self.can_read(Rubrique.CERCLE) and not reduced

    def readable(self) -> tuple[Rubrique | Rubric, ...]:
        rubrics = lambda: tuple(r for r in self.matrix.rubrics if self.can_read(r))  # noqa: E731
        return self._kept("readable", rubrics)

    def writable(self) -> tuple[Rubrique | Rubric, ...]:
        return tuple(r for r in self.matrix.rubrics if self.can_write(r))


_ALLOWED_ON_CLOSED = frozenset(
    {Action.CLOSE_DOSSIER, Action.PRINT, Action.READ_JOURNAL, Action.EXPORT_DOSSIER, Action.RECORD_REFUSAL}
)
