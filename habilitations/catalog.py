"""The profiles and the rubrics with the names administrators gave them: what any version of the matrix is read with.

Codes never change, so an old version and an old trace still find their words; a profile closed, or a rubric withdrawn,
keeps its own. Pure: `habilitations/published.py` reads the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from habilitations import profiles, rubriques
from habilitations.rubriques import NAVIGATION, Rubric, Rubrique

# Found elsewhere in the code, or reached by no profession: they cannot be closed.
TECHNICAL = frozenset({"inconnu", "admin_technique", "dpo", "personne", "representant_legal", "aidant"})
# The code stands on these: who it is and with whom, from whom a discreet member is hidden, who read.
NEVER_WITHDRAWN = frozenset({Rubrique.IDENTITE, Rubrique.CERCLE, Rubrique.MEDICAL, Rubrique.JOURNAL})
# Where a rubric stands in the navigation: {value: title}, in the order of the screen.
GROUPS = {
    "personne": "La personne",
    "echanges": "Échanges",
    "accompagnement": "Accompagnement",
    "pieces": "Pièces et traces",
}
# The icons a new rubric may take: {name in the sprite: what it shows}.
ICONS = {
    "folder": "Dossier", "journal-text": "Cahier", "chat-left-text": "Bulle", "clipboard2-pulse": "Évaluation",
    "check2-square": "Case cochée", "calendar3": "Calendrier", "calendar-check": "Rendez-vous", "activity": "Courbe",
    "heart-pulse": "Santé", "house-heart": "Logement", "people": "Personnes", "person-vcard": "Fiche",
    "signpost": "Parcours", "clock-history": "Historique",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """A row of the matrix. `gathers`: whom, in the plural; `reduced`: rule 7, he never gets the whole circle."""

    code: str
    label: str
    gathers: str = ""
    reduced: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A column of the matrix and a line of the navigation. `rank` is its place in its group."""

    rubrique: Rubrique | Rubric
    label: str
    short: str
    group: str
    icon: str
    rank: int
    description: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, eq=False)
class Catalog:
    """Everything at one moment; `number` is the last change it holds, 0 for what the product is shipped with.

    profiles: {code: Profile} in the order of the rows; entries: {code: Entry} in the order of the columns.
    """

    number: int = 0
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @cached_property
    def rubrics(self) -> tuple[Rubrique | Rubric, ...]:
        """The rubrics in use, in the order of the matrix: what previews, combs and grids are made of."""
        return tuple(entry.rubrique for entry in self.entries.values() if not entry.withdrawn)

    @cached_property
    def every(self) -> tuple[Rubrique | Rubric, ...]:
        """The rubrics, those withdrawn too: what versions and traces may name."""
        return tuple(entry.rubrique for entry in self.entries.values())

    @cached_property
    def withdrawn(self) -> frozenset[str]:
        return frozenset(code for code, entry in self.entries.items() if entry.withdrawn)

    @cached_property
    def reduced(self) -> frozenset[str]:
        """Rule 7: the circle is health data. These get function and phone of a few, not the whole list."""
        return frozenset(code for code, profile in self.profiles.items() if profile.reduced)

    @cached_property
    def labels(self) -> dict[str, str]:
        return {code: entry.label for code, entry in self.entries.items()}

    @cached_property
    def navigation(self) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
        """(title, entries) of each group that has rubrics in use, in the order of the screen."""
        shown = sorted((e for e in self.entries.values() if not e.withdrawn), key=lambda entry: entry.rank)
        groups = ((title, tuple(e for e in shown if e.group == group)) for group, title in GROUPS.items())
        return tuple((title, entries) for title, entries in groups if entries)

    def grouped(self, among: Collection[str]) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return (title, (code, name) pairs) of these rubrics in use, by the groups of the navigation: for a list."""
        groups = ((title, [e for e in entries if e.rubrique in among]) for title, entries in self.navigation)
        return [(title, [(str(e.rubrique), e.label) for e in kept]) for title, kept in groups if kept]

    @cached_property
    def ranks(self) -> dict[str, int]:
        """The place of each profile among the rows."""
        return {code: rank for rank, code in enumerate(self.profiles)}

    def find(self, code: str) -> Rubrique | Rubric | None:
        """Return a rubric, withdrawn or not, by its code."""
        entry = self.entries.get(code)
        return entry.rubrique if entry else None

    def rubric_of(self, code: str) -> Rubrique | Rubric:
        """Return the rubric of a code kept in a row, one made since this catalogue was read included."""
        return self.find(code) or Rubric(code)

    def rubric_label(self, code: str) -> str:
        """Return the name of a rubric; its code when it is none of ours."""
        return self.labels.get(code, code)

    def profile_name(self, code: str) -> str:
        """Return the name of a profile; its code when it has none."""
        found = self.profiles.get(code)
        return found.label if found else code

    def gathers(self, code: str) -> str:
        """Return whom a profile gathers ("médecins"), "" when nobody said."""
        found = self.profiles.get(code)
        return found.gathers if found else ""

    def in_words(self, codes: Iterable[str]) -> str:
        """Return "médecins, psychologues et éducateurs" for the profiles that have words, in the order of the rows."""
        wanted = set(codes)
        # Both kinds of coordinators have the same name for who reads: it is said once.
        if {"coordinateur_sante", "coordinateur_social"} <= wanted:
            wanted.remove("coordinateur_sante")
        said = [profile.gathers for code, profile in self.profiles.items() if code in wanted and profile.gathers]
        return " et ".join(filter(None, [", ".join(said[:-1]), said[-1]])) if said else ""


def _shipped_entries() -> dict[str, Entry]:
    places = {
        line.rubrique: (group, line.icon, rank)
        for group, (_, lines) in zip(GROUPS, NAVIGATION, strict=True)
        for rank, line in enumerate(lines, start=1)
    }
    labels = {rubrique: rubriques.shipped_label(rubrique) for rubrique in Rubrique}
    return {
        rubrique.value: Entry(rubrique, label, rubriques.SHORT.get(rubrique, label), *places[rubrique])
        for rubrique, label in labels.items()
    }


SHIPPED = Catalog(
    profiles={
        code: Profile(code, label, profiles.GATHERS.get(code, ""), code in profiles.REDUCED)
        for code, label in profiles.NAMES.items()
    },
    entries=_shipped_entries(),
)
# The one read with the last decision of this process: for the words of a page, which has just asked for a decision.
_last = SHIPPED


def last() -> Catalog:
    """Return the catalogue this process read last. For words only: what opens or closes is asked of the matrix."""
    return _last


def keep_last(read: Catalog) -> None:
    """Make the labels of the code those of this catalogue."""
    global _last
    if read is not _last:
        _last = read
        rubriques.labels = read.labels
