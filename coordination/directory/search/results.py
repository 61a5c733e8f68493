"""What a search answers: plain frozen objects, ready for a screen, with nothing left to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from coordination.common import nomenclatures
from coordination.common.text import fold

Ranges = tuple[tuple[int, int], ...]
# Beyond this, nobody reads the list: the screen says "plus de 50" and nothing is counted further.
MANY = 50
_GENERAL_MEDICINE = frozenset({"SM26", "SM53", "SM54"})


@dataclass(frozen=True, slots=True)
class ProfessionalResult:
    """One person with the workplace that answers best. `*_marks` are the (start, end) stretches to highlight."""

    id: UUID
    professional_id: UUID
    activity_id: UUID
    structure_id: UUID | None
    family_name: str
    given_name: str
    profession: str
    profession_code: str
    category: str
    town: str
    postal_code: str
    structure_name: str
    rpps: str
    adeli: str
    phone: str
    has_account: bool
    is_local: bool
    ceased: bool
    seen_on: date | None
    other_places: int
    family_marks: Ranges = ()
    given_marks: Ranges = ()
    town_marks: Ranges = ()
    kind: str = "professional"

    @property
    def speciality(self) -> str:
        """The part of `profession` after the trade, "" when there is none ("Médecin, cardiologie")."""
        return self.profession.partition(", ")[2]


@dataclass(frozen=True, slots=True)
class StructureResult:
    """One structure, never one merged into another."""

    id: UUID
    structure_id: UUID
    name: str
    short_name: str
    category: str
    category_label: str
    finess: str
    siret: str
    address: str
    town: str
    postal_code: str
    phone: str
    is_local: bool
    ceased: bool
    seen_on: date | None
    name_marks: Ranges = ()
    town_marks: Ranges = ()
    kind: str = "structure"


Result = ProfessionalResult | StructureResult


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind. `total` is how many there are, up to MANY; `is_more_than_counted` says there are others."""

    kind: str
    results: tuple[Result, ...] = ()
    total: int = 0
    is_more_than_counted: bool = False

    @property
    def others(self) -> int:
        """How many were found besides those given."""
        return max(0, self.total - len(self.results))


@dataclass(frozen=True, slots=True)
class SearchResults:
    """The answer to one text. `is_corrected`: nothing was found as typed, these are the nearest spellings.

    `unknown_place`: the town asked beside the text is in no list, so nothing was searched.
    """

    professionals: Group = Group("professional")
    structures: Group = Group("structure")
    is_corrected: bool = False
    unknown_place: str = ""

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(g for g in (self.professionals, self.structures) if g.results)

    @property
    def is_empty(self) -> bool:
        return not self.groups


@lru_cache(maxsize=2048)
def profession_label(code: str, speciality: str = "", *, feminine: bool = False, fonction: str = "") -> str:
    """Return what a person does, as screens say it: "Infirmière", "Médecin généraliste", "Médecin, cardiologie".

    `code` is a profession or a role: coordinators and secretaries have no profession code of their own.
    """
    if code == "10" and speciality in _GENERAL_MEDICINE:
        return "Médecin généraliste"
    concept = nomenclatures.find_profession_or_role(code)
    label = (concept.feminine if feminine else concept.label) if concept else ""
    if fonction and (code in ("", "99") or not label):
        # Code 99 says "see the role": trades without a profession code (aide à domicile, coordinateur...).
        label = nomenclatures.label("role", fonction, feminine=feminine) or label
    detail = nomenclatures.label("savoir_faire", speciality) if speciality else None
    if not detail:
        return label
    if not label:
        return detail
    # "ORL et chirurgie cervico-faciale" keeps its capitals: only a word begins with one.
    return f"{label}, {detail if detail[:2].isupper() else detail[0].lower() + detail[1:]}"


def trade(profession: str, fonction: str = "") -> str:
    """Return a profession and its function in words: "Infirmier, Coordonnateur de parcours"."""
    known = nomenclatures.find_profession_or_role(profession)
    said = [profession_label(profession) or (known.label if known else "")]
    if fonction:
        role = nomenclatures.label("role", fonction) or nomenclatures.label("fonction", fonction)
        said.append(role or "")
    return ", ".join(filter(None, said)) or "Profession inconnue"


def marks(shown: str, typed: Iterable[str]) -> Ranges:
    """Return the stretches of `shown` that begin a word and spell one of the typed words, folded, spaces apart.

    >>> marks("ÉCHANTILLON-ROC", ["echan"])
    ((0, 5),)
    """
    letters, origins, starts = _letters(shown)
    found: list[tuple[int, int]] = []
    for word in typed:
        for start in starts:
            if word and letters.startswith(word, start):
                found.append((origins[start], origins[start + len(word) - 1] + 1))
                break
    return _merge(found)


@lru_cache(maxsize=4096)
def _letters(shown: str) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """Return the folded letters without separators, where each comes from, and which ones begin a word."""
    letters: list[str] = []
    origins: list[int] = []
    starts: list[int] = []
    inside = False
    for position, character in enumerate(shown):
        folded = fold(character)
        if folded and not inside:
            starts.append(len(letters))
        inside = bool(folded)
        for letter in folded:
            letters.append(letter)
            origins.append(position)
    return "".join(letters), tuple(origins), tuple(starts)


def _merge(found: Sequence[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
