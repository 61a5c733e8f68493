"""Towns, postal codes and départements met in a search text. Pure (reads the commune list)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
LONGEST_NAME = 7


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: first two figures of the postal code, then a range of communes and of postal codes."""

    department: str
    communes: tuple[str, str] | None = None
    postal_codes: tuple[str, str] | None = None
    label: str = ""

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
    """Return the places of exactly this name: towns (largest first), else a département."""
    if arrondissement := _arrondissement(phrase):
        return of_commune(arrondissement)
    found = communes.resolve(phrase)
    if found and found[0].insee in _WITH_ARRONDISSEMENTS:
        return of_commune(found[0])
    if found:
        return tuple(p for c in found[:40] for p in of_commune(c))
    department = _departments().get(phrase)
    return (department,) if department else ()


@lru_cache(maxsize=2048)
def beginning(phrase: str) -> tuple[Place, ...]:
    """Return the places of the three largest towns that begin with the phrase."""
    return tuple(p for c in communes.find(phrase, limit=3) for p in of_commune(c))


def of_commune(commune: communes.Commune) -> tuple[Place, ...]:
    """Return the place of a commune, and of its arrondissements when it has some.

    An arrondissement is also the postal codes of its own among the rows that name the whole town.
    """
    department = department_of(commune.postal_code)
    if not department:
        return ()
    own = Place(department, communes=(commune.insee, _after(commune.insee)), label=commune.name)
    if commune.is_arrondissement:
        whole = next(town for town, inner in _WITH_ARRONDISSEMENTS.items() if commune.insee.startswith(inner[0]))
        inside = (
            replace(own, communes=(whole, _after(whole)), postal_codes=(c, _after(c))) for c in commune.postal_codes
        )
        return (own, *inside)
    inner = _WITH_ARRONDISSEMENTS.get(commune.insee)
    return (Place(department, communes=inner, label=commune.name), own) if inner else (own,)


def _arrondissement(phrase: str) -> communes.Commune | None:
    """Return the arrondissement of "paris 13", "lyon 3e", "marseille 8 eme arrdt", None for anything else."""
    said = _ARRONDISSEMENT.fullmatch(phrase)
    if not said:
        return None
    # The list writes "lyon 3e arrondissement"; `resolve` turns "3", "03" and "3eme" into "3e".
    found = communes.resolve(f"{said[1]} {said[2]} arrondissement")
    return found[0] if found else None


def narrow(places: Sequence[Place], near: str, number: Place | None) -> tuple[Place, ...]:
    """Return the few places to search among homonyms: those of the number typed, else the near ones first."""
    if number:
        inside = [p for p in places if p.department == number.department]
        if inside and inside[0].label in _CITIES and (exactly := _of_postal_code(number)):
            return exactly
        return tuple(inside[:MAX_HOMONYMS]) or (number,)
    ranked = sorted(places, key=lambda p: not p.is_near(near))
    return tuple(ranked[:MAX_HOMONYMS])


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
            table[fold(department.name)] = place
    return table
