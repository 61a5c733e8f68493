"""The matrix as plain values: (profile, rubric) -> level. Pure: knows neither Django's ORM nor FHIR.

Rules 1 and 2 of the default matrix: what is not written gives nothing; the effective right is the
smallest of all that limits it.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from habilitations.catalog import SHIPPED, Catalog
from habilitations.rubriques import Action, Niveau, Rubric, Rubrique, Scope

UNKNOWN_PROFILE = "inconnu"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Matrix:
    """One published version: levels, action rights and the profession -> profile table.

    levels:   {profile: {rubric value: Niveau}}; a missing profile or rubric means AUCUN.
    actions:  {profile: {action value: Scope}}; a missing action means refused.
    profiles: {(profession code, fonction code or ""): profile}.
    """

    number: int
    levels: Mapping[str, Mapping[str, Niveau]] = field(default_factory=dict)
    actions: Mapping[str, Mapping[str, Scope]] = field(default_factory=dict)
    profiles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # The names it is read with today, and what is withdrawn: not part of the version.
    catalog: Catalog = field(default=SHIPPED, compare=False)
    # What has been worked out of this version, which never changes: each page asks for the same few.
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def profile_of(self, profession: str, fonction: str = "") -> str:
        """Return the profile of a vouched profession held with a function; "inconnu" when no line says so.

        The exact pair wins over the profession alone: a nurse who coordinates is a coordinator here.
        """
        if not profession:
            return UNKNOWN_PROFILE
        exact = self.profiles.get((profession, fonction))
        return exact or self.profiles.get((profession, ""), UNKNOWN_PROFILE)

    def level(self, profile: str, rubrique: str) -> Niveau:
        """Return what a profile has; AUCUN when profile or cell is missing (rule 1), or the rubric withdrawn."""
        if rubrique in self.catalog.withdrawn:
            return Niveau.AUCUN
        return self.given(profile, rubrique)

    def given(self, profile: str, rubrique: str) -> Niveau:
        """Return what the version gives, whether or not the rubric is still in use.

        The journal names discreet members (rule 7): where the medical rubric is closed, it is closed too.
        """
        if rubrique == Rubrique.JOURNAL and self.written(profile, Rubrique.MEDICAL) < Niveau.LECTURE:
            return Niveau.AUCUN
        return self.written(profile, rubrique)

    def written(self, profile: str, rubrique: str) -> Niveau:
        """Return the cell as published: what the grid shows, and what who opens no dossier goes by."""
        return self.levels.get(profile, {}).get(rubrique, Niveau.AUCUN)

    @property
    def rubrics(self) -> tuple[Rubrique | Rubric, ...]:
        """The rubrics in use, in the order of the matrix."""
        return self.catalog.rubrics

    @property
    def edition(self) -> tuple[int, int]:
        """What everything worked out of this matrix depends on: its version, and the names it is read with."""
        return self.number, self.catalog.number

    def reads_reduced_circle(self, profile: str) -> bool:
        """Rule 7: say whether this profile never gets the whole circle."""
        return profile in self.catalog.reduced

    def row(self, profile: str) -> dict[str, Niveau]:
        """Return the levels of a profile on the rubrics in use, in the order of the matrix."""
        return {rubrique.value: self.level(profile, rubrique) for rubrique in self.rubrics}

    def keep(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """Return what `work_out` gives, asked once per version: it must depend on nothing but the key."""
        if key not in self._kept:
            self._kept[key] = work_out()
        return self._kept[key]

    def scope(self, profile: str, action: str) -> Scope | None:
        """Return how far a profile may go in an action, None when refused."""
        return self.actions.get(profile, {}).get(action)

    def may(self, profile: str, action: Action) -> bool:
        return self.scope(profile, action) is not None


def least(levels: Iterable[Niveau]) -> Niveau:
    """Return the smallest of the limits (rule 2); AUCUN when there is none to grant anything."""
    return min(levels, default=Niveau.AUCUN)
