"""Blocks of activity lines worked on column by column: each step runs in C over a few thousand values.

Nothing here knows files or tables; `rpps_lines` puts the pieces together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import add, ne

from coordination.common.text import fold
from coordination.directory.imports import normalise
from coordination.directory.imports.staging import MASK, hash64

# Longest code of each nomenclature that the directory keeps.
CODE_LENGTHS = {
    "Code profession": 4,
    "Code catégorie professionnelle": 1,
    "Code type savoir-faire": 5,
    "Code savoir-faire": 10,
    "Code mode exercice": 1,
    "Code secteur d'activité": 6,
    "Code rôle": 8,
    "Code genre activité": 6,
}


class Table:
    """Columns by name; one that an older file does not have is read as empty."""

    def __init__(self, rows: list[list[str]], index: dict[str, int]) -> None:
        self._columns: list[tuple[str, ...]] = list(zip(*rows, strict=True))
        self._index = index
        self._empty = ("",) * len(rows)

    def __getitem__(self, name: str) -> tuple[str, ...]:
        position = self._index.get(name)
        return self._empty if position is None or not self._columns else self._columns[position]

    def place(self, name: str) -> tuple[str, ...]:
        return self[f"{name} (coord. structure)"]


class Folded(dict[str, str]):
    """Name -> folded name, remembered as long as memory allows."""

    LIMIT = 50_000

    def __missing__(self, name: str) -> str:
        folded = self[name] = fold(name)
        return folded

    def shrink(self) -> None:
        if len(self) > self.LIMIT:
            self.clear()


def is_suspect(table: Table) -> bool:
    """True when some line of the block may be wrong: then only is each one looked at (`content_fault`)."""
    national = table["Identification nationale PP"]
    joined = "".join(national)
    numbers = map(add, table["Type d'identifiant PP"], table["Identifiant PP"])
    return (
        set(map(len, national)) != {12}
        or not (joined.isascii() and joined.isdigit())
        or any(map(ne, national, numbers))
        or not all(table["Nom d'exercice"])
        or any(max(map(len, table[name]), default=0) > longest for name, longest in CODE_LENGTHS.items())
    )


def content_fault(table: Table) -> str:
    """Say what is wrong with the only line of `table`; "" when nothing is."""
    national, kind = table["Identification nationale PP"][0], table["Type d'identifiant PP"][0]
    if not national:
        return "sans identification nationale"
    if not (national.isascii() and national.isalnum()) or len(national) > 30:
        return "identification nationale mal formée"
    if kind and national != kind + table["Identifiant PP"][0]:
        return "identification nationale différente du type et du numéro"
    if national[0] == "8" and not (len(national) == 12 and national.isdigit()):
        return "numéro RPPS mal formé"
    if not table["Nom d'exercice"][0]:
        return "sans nom d'exercice"
    long = [name for name, longest in CODE_LENGTHS.items() if len(table[name][0]) > longest]
    return f"{long[0]} trop long" if long else ""


@dataclass(slots=True)
class People:
    """Lines of one person brought together: columns that depend on its other lines."""

    # Number of the person's first line, and whether this line is it.
    numbers: list[int]
    first: list[str]
    hashes: list[int]
    line_hashes: list[int]
    savoir_faire: list[str]
    specialities: list[str]
    # Lines that only add a savoir-faire to an activity already there.
    doubles: set[int]


def group_people(table: Table, numbers: list[int], hashes: list[int], keys: list[int]) -> People:
    """Group neighbouring lines by person; alone, a line is its own person."""
    national, kinds, codes = (
        table["Identification nationale PP"], table["Code type savoir-faire"], table["Code savoir-faire"],
    )  # fmt: skip
    known = [
        f"{profession},{kind},{code}" if code and kind else ""
        for profession, kind, code in zip(table["Code profession"], kinds, codes, strict=True)
    ]
    people = People(list(numbers), ["t"] * len(numbers), list(hashes), list(hashes), known, list(codes), set())
    same = [index for index in range(1, len(national)) if national[index] == national[index - 1]]
    first = -1
    activities: dict[int, int] = {}
    for index in same:
        if first < 0 or national[first] != national[index]:
            first = index - 1
            activities = {keys[first]: first}
        _join(people, first, index)
        kept = activities.setdefault(keys[index], index)
        if kept != index:
            people.doubles.add(index)
            people.line_hashes[kept] = (people.line_hashes[kept] + hashes[index]) & MASK
            # The speciality of the order comes before any other savoir-faire.
            if codes[index] and (not people.specialities[kept] or (kinds[index] == "S" and kinds[kept] != "S")):
                people.specialities[kept] = codes[index]
    return people


def _join(people: People, first: int, index: int) -> None:
    people.numbers[index] = people.numbers[first]
    people.first[index] = "f"
    people.hashes[first] = (people.hashes[first] + people.hashes[index]) & MASK
    told = people.savoir_faire[index]
    people.savoir_faire[index] = ""
    if told and told not in people.savoir_faire[first].split(";"):
        people.savoir_faire[first] = f"{people.savoir_faire[first]};{told}".lstrip(";")


def place_columns(table: Table, watch_zeros: Callable[[int, int], None]) -> list[Sequence[str]]:
    """Return name, address, postal code, town, commune, telephone and mail of each line's structure."""
    names = [legal or trade for legal, trade in
             zip(table["Raison sociale site"], table["Enseigne commerciale site"], strict=True)]  # fmt: skip
    postals, towns = _postals_and_towns(table)
    watch_zeros(*_zeros(table, postals))
    mails = [normalise.email(mail) if mail else "" for mail in table.place("Adresse e-mail")]
    return [names, _addresses(table), postals, towns, table.place("Code commune"), _phones(table), mails]


def _addresses(table: Table) -> list[str]:
    parts = [
        table.place(name) for name in ("Numéro Voie", "Indice répétition voie", "Libellé type de voie", "Libellé Voie")
    ]
    # Splitting then joining squeezes the blanks that missing parts leave.
    streets = list(map(" ".join, map(str.split, map(" ".join, zip(*parts, strict=True)))))
    around = [
        table.place(name)
        for name in ("Complément destinataire", "Complément point géographique", "Mention distribution")
    ]
    for index, told in enumerate(map("".join, zip(*around, strict=True))):
        if told:
            before = (around[0][index], around[1][index], streets[index], around[2][index])
            streets[index] = ", ".join(part for part in before if part)
    return streets


def _postals_and_towns(table: Table) -> tuple[Sequence[str], Sequence[str]]:
    postals, towns, lines = table.place("Code postal"), table.place("Libellé commune"), table.place("Bureau cedex")
    holes = [i for i, line in enumerate(lines) if line and not (postals[i] and towns[i])]
    if not holes:
        return postals, towns
    filled_postals, filled_towns = list(postals), list(towns)
    for index in holes:
        postal, town = normalise.split_route_line(lines[index])
        filled_postals[index] = postals[index] or postal
        filled_towns[index] = towns[index] or town
    return filled_postals, filled_towns


def _phones(table: Table) -> list[str]:
    first, second = table.place("Téléphone"), table.place("Téléphone 2")
    return [(normalise.phone(a) or normalise.phone(b)) if a or b else "" for a, b in zip(first, second, strict=True)]


def _zeros(table: Table, postals: Sequence[str]) -> tuple[int, int]:
    """Count postal codes that begin with a zero and those that lost theirs; abroad, four digits are usual."""
    kept = sum(map(str.startswith, postals, repeat("0")))
    lost = 0
    if 4 in set(map(len, postals)):
        countries = table.place("Code pays")
        lost = sum(
            len(postal) == 4 and postal.isdigit() and country in ("", "99000")
            for postal, country in zip(postals, countries, strict=True)
        )
    sirets = table["Numéro SIRET site"]
    if "E+" in "".join(sirets):
        lost += 1_000_000 * sum(map(bool, map(normalise.SCIENTIFIC.match, sirets)))
    return kept, lost


def fallback_key(table: Table, index: int) -> str:
    """Key of a structure without technical identifier (directories.md A.3): FINESS, SIRET, name and address."""
    finess, siret = table["Numéro FINESS site"][index], table["Numéro SIRET site"][index]
    if finess:
        return f"FINESS:{finess}"
    if siret:
        return f"SIRET:{siret}"
    legal, trade = table["Raison sociale site"][index], table["Enseigne commerciale site"][index]
    if not (legal or trade):
        return ""
    where = [table.place(name)[index] for name in ("Numéro Voie", "Libellé Voie", "Code postal", "Code commune")]
    return f"NOM:{hash64('|'.join(map(fold, (legal, trade, *where))).encode()):016x}"
