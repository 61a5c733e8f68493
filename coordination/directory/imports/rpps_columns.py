"""Blocks of activity lines worked on column by column: each step runs in C over a few thousand values.

Nothing here knows files or tables; `rpps_lines` puts the pieces together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import compress
from operator import add, eq, ne

from coordination.common.text import fold
from coordination.directory.imports.runs import UNREADABLE
from coordination.directory.imports.staging import MASK

# RPPS, ADELI, and what other types may be.
_NATIONAL = re.compile(r"8\d{11}|0[0-9A-Z]{9}|[1-79][0-9A-Za-z]{8,28}", re.ASCII)

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

    def __init__(self, columns: list[tuple[str, ...]], index: dict[str, int]) -> None:
        self._columns, self._index = columns, index
        self._empty = ("",) * len(columns[0])

    def __getitem__(self, name: str) -> tuple[str, ...]:
        position = self._index.get(name)
        return self._empty if position is None else self._columns[position]

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
    """True when some line of the block may be wrong: then only is each one looked at (`fault`)."""
    national = table["Identification nationale PP"]
    joined = "".join(national)
    numbers = map(add, table["Type d'identifiant PP"], table["Identifiant PP"])
    return (
        set(map(len, national)) != {12}
        or not (joined.isascii() and joined.isdigit())
        or any(map(ne, national, numbers))
        or not all(table["Nom d'exercice"])
        or has_long_code(table)
    )


def has_long_code(table: Table) -> bool:
    """True when a code is longer than what the directory keeps of it."""
    return any(max(map(len, table[name]), default=0) > longest for name, longest in CODE_LENGTHS.items())


def fault(values: list[str], columns: list[str]) -> str:
    """Say what is wrong with one line; "" when nothing is."""
    if len(values) != len(columns):
        return f"{len(values)} colonnes au lieu de {len(columns)}"
    told = dict(zip(columns, values, strict=True))
    national, kind = told["Identification nationale PP"], told.get("Type d'identifiant PP")
    if not national:
        return "sans identification nationale"
    if not (national.isascii() and national.isalnum()) or len(national) > 30:
        return "identification nationale mal formée"
    if kind and national != kind + told.get("Identifiant PP", ""):
        return "identification nationale différente du type et du numéro"
    if national[0] == "8" and not (len(national) == 12 and national.isdigit()):
        return "numéro RPPS mal formé"
    if not told["Nom d'exercice"]:
        return "sans nom d'exercice"
    long = [name for name, longest in CODE_LENGTHS.items() if len(told.get(name, "")) > longest]
    return f"{long[0]} trop long" if long else ""


def about(values: list[str], width: int) -> set[str]:
    """Return whom a line at fault may be about: UNREADABLE when it does not tell, nobody when it names nobody.

    Rows without identity are met in the national file (directories.md A.3): whole, they hide no one.
    """
    if len(values) == width and not any(values[1:3]):
        return set()
    named = {values[2], values[0] + values[1]} if len(values) > 2 else set()
    return {number for number in named if _NATIONAL.fullmatch(number)} or {UNREADABLE}


@dataclass(slots=True)
class People:
    """Lines of one person brought together: columns that depend on its other lines."""

    # Number of the person's first line, and whether this line is it.
    numbers: list[int]
    first: list[bool]
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
    people = People(list(numbers), [True] * len(numbers), list(hashes), list(hashes), known, list(codes), set())
    same = compress(range(1, len(national)), map(eq, national[1:], national))
    first = -1
    activities: dict[int, int] = {}
    shown: dict[int, tuple[bool, bool, str]] = {}
    for index in same:
        if first < 0 or national[first] != national[index]:
            first = index - 1
            activities = {keys[first]: first}
        _join(people, first, index)
        kept = activities.setdefault(keys[index], index)
        if kept != index:
            people.doubles.add(index)
            people.line_hashes[kept] = (people.line_hashes[kept] + hashes[index]) & MASK
            shown[kept] = min(
                shown.get(kept) or _rank(kinds[kept], codes[kept]),
                _rank(kinds[index], codes[index]),
            )
            people.specialities[kept] = shown[kept][2]
    return people


def _rank(kind: str, code: str) -> tuple[bool, bool, str]:
    """Order of the savoir-faire of an activity, the one shown first: the speciality of the order before any other.

    Whatever the order of the lines (rpps_merge does the same for those that are not neighbours).
    """
    return not code, kind != "S", code


def _join(people: People, first: int, index: int) -> None:
    people.numbers[index] = people.numbers[first]
    people.first[index] = False
    people.hashes[first] = (people.hashes[first] + people.hashes[index]) & MASK
    told = people.savoir_faire[index]
    people.savoir_faire[index] = ""
    if told and told not in people.savoir_faire[first].split(";"):
        people.savoir_faire[first] = f"{people.savoir_faire[first]};{told}".lstrip(";")
