"""Towns, postal codes and départements met in a search text. Pure (reads the commune list)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache

from coordination.common import communes
from coordination.common.text import fold

# Rows of the national files name the arrondissement or the whole town: both are meant.
_WITH_ARRONDISSEMENTS = {"75056": ("751", "752"), "69123": ("6938", "6939"), "13055": ("132", "133")}
# Their postal codes are 20..., their communes 2A... and 2B...
_CORSICA = ("2A", "2B")
_OVERSEAS = ("97", "98")
# Saint-Barthélemy and Saint-Martin have communes of their own and postal codes of Guadeloupe.
_ISLANDS = ("977", "978")
_CITIES = ("Paris", "Lyon", "Marseille")
_ARRONDISSEMENT = re.compile(r"(paris|lyon|marseille) (\d{1,2}) ?(?:er|e|eme|ieme)?(?: (?:arrondissement|arrdt|arr))?")
MAX_HOMONYMS = 4
MAX_LONGER = 3
MAX_PLACES = 6
DWARFED = 10
# Between two meanings of one name ("vienne", "mayenne"), a département comes as a town of this size would.
LIKE_A_TOWN = 10_000
MOST_NAMES = 60
LONGEST_NAME = 7


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: first two figures of the postal code, then a range of communes and of postal codes."""

    department: str
    communes: tuple[str, str] | None = None
    postal_codes: tuple[str, str] | None = None
    label: str = ""
    population: int = field(default=0, compare=False)
    # Its name only begins as what was typed: "Saint-Sulpice-la-Pointe" for "saint sulpice".
    is_longer: bool = field(default=False, compare=False)

    @property
    def lexeme(self) -> str:
        """This place as a query on the words of a structure: whole codes as they are, the others as beginnings."""
        said = [_lexeme("com", self.communes), _lexeme("cp", self.postal_codes)]
        return " & ".join(filter(None, said)) or f"dep{self.department.lower()}"

    @property
    def around(self) -> str:
        """What `near_of` gives for an address in this place."""
        codes = self.communes or self.postal_codes
        return codes[0][:3] if codes and codes[0].startswith(_OVERSEAS) else self.department

    def is_near(self, near: str) -> bool:
        """Return whether this place is in the département (or overseas collectivity) `near_of` gave."""
        return bool(near) and self.around.startswith(near)


@dataclass(frozen=True, slots=True)
class PlaceSpan:
    """Words `start` to `end` (not included) that name one of `places`."""

    start: int
    end: int
    places: tuple[Place, ...]


def _after(code: str) -> str:
    return code[:-1] + chr(ord(code[-1]) + 1)


def _lexeme(kind: str, codes: tuple[str, str] | None) -> str:
    # A range is always that of one beginning: "751" to "752" is every arrondissement of Paris.
    if not codes:
        return ""
    return f"{kind}{codes[0].lower()}" + ("" if len(codes[0]) == 5 else ":*")


def department_of(postal_code: str | None) -> str:
    """Return the two figures by which the index of activities cuts France, "" when unknown."""
    return (postal_code or "")[:2]


def near_of(code: str | None) -> str:
    """Return the beginning of the postal codes around a postal code or a département: "81", "20", "974"."""
    code = (code or "").upper()
    if code in _CORSICA:
        return "20"
    return code[:3] if code.startswith(_OVERSEAS) else code[:2]


def around(near: str) -> Place:
    """Return the place of all the postal codes that begin as `near_of` says."""
    return Place(near[:2], postal_codes=(near, _after(near)) if len(near) > 2 else None)


def of_number(word: str) -> Place | None:
    """Return the place of a postal code, of its beginning, or of a département code; None for another number."""
    code = word.upper()
    if code in _CORSICA:
        return Place("20", communes=(code, _after(code)), label=code)
    if not code.isdigit() or not 2 <= len(code) <= 5 or code[:2] in ("00", "99", "96"):
        return None
    if len(code) == 2:
        return Place(code, label=code)
    if code in _ISLANDS:
        return Place("97", communes=(code, _after(code)), label=code)
    return Place(code[:2], postal_codes=(code, _after(code)), label=code)


@lru_cache(maxsize=4096)
def of_town(phrase: str) -> tuple[Place, ...]:
    """Return the places that bear this name: towns, then longer names that begin with it, then a département.

    Only whole words begin a longer name: "albi" is not Albias, but "saint sulpice" may be Saint-Sulpice-la-Pointe.
    Empty when neither a town nor a département has exactly this name. `narrow` keeps the few to search.
    """
    if arrondissement := _arrondissement(phrase):
        return of_commune(arrondissement)
    found = communes.resolve(phrase)
    if found and found[0].insee in _WITH_ARRONDISSEMENTS:
        return of_commune(found[0])
    department = _departments().get(phrase)
    towns = [p for c in found[:MOST_NAMES] for p in of_commune(c)]
    longer = [replace(p, is_longer=True) for c in _longer(phrase) for p in of_commune(c)] if found else []
    return tuple(dict.fromkeys([*towns, *([department] if department else []), *longer]))


def _longer(phrase: str) -> Iterable[communes.Commune]:
    start = f"{communes.normalise(phrase)} "
    return (c for c in communes.find(phrase, limit=MOST_NAMES) if communes.normalise(c.name).startswith(start))


@lru_cache(maxsize=2048)
def beginning(phrase: str) -> tuple[Place, ...]:
    """Return the places of the towns that begin with the phrase, the largest first; `narrow` keeps a few."""
    return tuple(p for c in communes.find(phrase, limit=MOST_NAMES) for p in of_commune(c))


def of_commune(commune: communes.Commune) -> tuple[Place, ...]:
    """Return the place of a commune, and of its arrondissements when it has some.

    An arrondissement is also the postal codes of its own among the rows that name the whole town.
    """
    department = department_of(commune.postal_code)
    if not department:
        return ()
    own = Place(
        department, communes=(commune.insee, _after(commune.insee)), label=commune.name, population=commune.population
    )
    if commune.is_arrondissement:
        whole = next(town for town, inner in _WITH_ARRONDISSEMENTS.items() if commune.insee.startswith(inner[0]))
        inside = (
            replace(own, communes=(whole, _after(whole)), postal_codes=(c, _after(c))) for c in commune.postal_codes
        )
        return (own, *inside)
    inner = _WITH_ARRONDISSEMENTS.get(commune.insee)
    return (replace(own, communes=inner), own) if inner else (own,)


def _arrondissement(phrase: str) -> communes.Commune | None:
    """Return the arrondissement of "paris 13", "lyon 3e", "marseille 8 eme arrdt", None for anything else."""
    said = _ARRONDISSEMENT.fullmatch(phrase)
    if not said:
        return None
    # The list writes "lyon 3e arrondissement"; `resolve` turns "3", "03" and "3eme" into "3e".
    found = communes.resolve(f"{said[1]} {said[2]} arrondissement")
    return found[0] if found else None


def narrow(places: Sequence[Place], near: str, number: Place | None) -> tuple[Place, ...]:
    """Return the few places to search among homonyms: near ones first, then the largest.

    A number typed beside the name keeps those of its département. A longer name far away counts only when it is not
    dwarfed by the town of exactly this name: Paris-l'Hôpital is not what "paris" means.
    """
    if number:
        places = [p for p in places if p.department == number.department]
        if places and places[0].label in _CITIES and (exactly := _of_postal_code(number)):
            return exactly
    ranked = sorted(places, key=lambda p: (not p.is_near(near), -p.population))
    least = max((p.population for p in places if not p.is_longer), default=0) / DWARFED
    exact = [p for p in ranked if not p.is_longer][:MAX_HOMONYMS]
    longer = [p for p in ranked if p.is_longer and (number or p.is_near(near) or p.population >= least)][:MAX_LONGER]
    kept = {*exact, *longer}
    return tuple(p for p in ranked if p in kept)[:MAX_PLACES] or ((number,) if number else ())


def ranks(places: Sequence[Place]) -> dict[Place, int]:
    """Return the rank of each place among those of one reading; the parts of one town share theirs."""
    towns = {town: rank for rank, town in enumerate(dict.fromkeys((p.department, p.label) for p in places))}
    return {p: towns[p.department, p.label] for p in places}


def _of_postal_code(number: Place) -> tuple[Place, ...]:
    """Return the arrondissement of a whole postal code, () for the beginning of one."""
    found = (c for c in communes.by_postal(number.label) if c.is_arrondissement)
    return next((of_commune(c) for c in found), ())


def of_field(words: Sequence[str], near: str) -> tuple[Place, ...]:
    """Return where the words of the field « Ville / Code postal » say, () when they name no place."""
    town = next(iter(spans(words)), None)
    loose = [word for i, word in enumerate(words) if not (town and town.start <= i < town.end)]
    number = next((place for word in loose if (place := of_number(word))), None)
    if town:
        return narrow(town.places, near, number)
    begun = beginning(" ".join(word for word in words if not of_number(word)))
    if begun:
        return narrow(begun, near, number)
    return (number,) if number else ()


def spans(words: Sequence[str]) -> list[PlaceSpan]:
    """Return the stretches of words that name a town or a département, longest first taken, without overlap."""
    found, start = [], 0
    while start < len(words):
        for end in range(min(len(words), start + LONGEST_NAME), start, -1):
            phrase = " ".join(words[start:end])
            if not phrase.isdigit() and len(phrase) > 1 and (places := of_town(phrase)):
                # "saint sulpice la poi" is still being typed.
                if end < len(words) and (begun := beginning(" ".join(words[start:]))):
                    end, places = len(words), begun
                found.append(PlaceSpan(start, end, places))
                start = end
                break
        else:
            start += 1
    return found


@cache
def _departments() -> dict[str, Place]:
    table = {}
    for department in communes.departements():
        code = department.code
        place = of_number(code)
        if place:
            table[fold(department.name)] = replace(place, population=LIKE_A_TOWN)
    return table
