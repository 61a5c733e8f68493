"""Towns and countries as people type them in a dossier's forms, turned into INSEE codes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coordination.common import communes, nomenclatures
from coordination.common.errors import DomainError
from coordination.common.text import fold, squeeze

_LABEL = re.compile(r"(.+?)\s*\(([\dAB]{1,5})\)")
_INSEE = re.compile(r"\d{5}|2[AB]\d{3}")
OFFERED = 6


class UnknownPlace(DomainError):
    code = "unknown_place"
    message = "Cette commune n’est pas dans la liste : vérifiez son nom et son code postal."


@dataclass(frozen=True, slots=True)
class Place:
    """A place to store: its name and its INSEE code (99xxx for a country)."""

    name: str
    code: str
    postal_code: str = ""


def town(text: str, postal_code: str = "", code: str = "") -> Place:
    """Return the commune of an address. `code` is the one chosen in the list, if the text still says it.

    Raises UnknownPlace, with the candidates when several communes answer.
    """
    chosen = communes.by_insee(code)
    name, inside = _parts(text)
    postal_code = postal_code or inside
    if chosen and _says(chosen, name) and (not postal_code or postal_code in chosen.postal_codes):
        return Place(chosen.name, chosen.insee, postal_code or chosen.postal_code)
    found = communes.resolve(name, postal_code)
    commune = _only(found)
    return Place(commune.name, commune.insee, postal_code or commune.postal_code)


def birth_place(text: str, code: str = "") -> Place:
    """Return a place of birth: a commune, a country, or an INSEE code typed as it stands on a document.

    A commune merged since keeps the code it had at the birth (INS reference): a well-formed code that
    today's list ignores is kept with the name typed. Raises UnknownPlace.
    """
    name, inside = _parts(text)
    if _INSEE.fullmatch(inside) and (listed := by_code(inside)):
        return listed
    if code and (listed := by_code(code)) and fold(name) in (fold(listed.name), ""):
        return listed
    country = _country(name)
    if country and not inside:
        return country
    if _INSEE.fullmatch(inside) and not communes.by_postal(inside):
        return Place(squeeze(name), inside)
    commune = _only(communes.resolve(name, inside))
    return Place(commune.name, commune.insee)


def by_code(code: str) -> Place | None:
    """Return the commune or country of an INSEE code, None for an unknown one."""
    if commune := communes.by_insee(code):
        return Place(commune.name, commune.insee, commune.postal_code)
    country = nomenclatures.get("pays", code)
    return Place(country.short, country.code) if country else None


def written(name: str, code: str) -> str:
    """Return a stored place as a form shows it: "Carmaux (81060)", "Portugal"."""
    if not name or not code or code.startswith("99"):
        return name
    return f"{name} ({code})"


def suggestions(text: str, *, countries: bool = False) -> list[Place]:
    """Return the places whose name begins with the text, for a list of suggestions."""
    found = [Place(c.name, c.insee, c.postal_code) for c in communes.find(text, OFFERED + 2)]
    if countries and fold(text):
        found += [Place(c.short, c.code) for c in nomenclatures.search_labels("pays", text, limit=3)]
    return found


def _parts(text: str) -> tuple[str, str]:
    """Return a name and the code written after it or instead of it."""
    text = squeeze(text)
    if match := _LABEL.fullmatch(text):
        return match[1], match[2]
    return ("", text.upper()) if _INSEE.fullmatch(text.upper()) else (text, "")


def _country(name: str) -> Place | None:
    wanted = fold(name)
    for concept in nomenclatures.search_labels("pays", name, limit=20) if wanted else ():
        if wanted in (fold(concept.label), fold(concept.short)):
            return Place(concept.short, concept.code)
    return None


def _says(commune: communes.Commune, name: str) -> bool:
    return not name or communes.normalise(name) == communes.normalise(commune.name)


def _only(found: tuple[communes.Commune, ...]) -> communes.Commune:
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownPlace
    names = ", ".join(commune.label for commune in found[:OFFERED])
    raise UnknownPlace(f"Plusieurs communes sont possibles : {names}. Précisez laquelle.")
