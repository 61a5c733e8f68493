"""A version of the matrix as three plain tables, and a table read back as edits. Pure: rows of text in and out.

« Niveaux » (profile × rubric), « Droits d'action » (profile × action), « Professions » (profession, fonction, profil).
A table is recognised by its first line, whatever its order. What a file does not say does not change; an empty cell is
« aucun » where the table says it, and takes the line away in « Professions ».
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from habilitations.catalog import Catalog
from habilitations.differences import LEVEL, RIGHT, RULE, Edit, EditRefused, Key, cells, check, known_profiles
from habilitations.matrix import Matrix
from habilitations.rubriques import Action

TITLES = {LEVEL: "Niveaux", RIGHT: "Droits d’action", RULE: "Professions"}
NO_LEVEL = "aucun"
PROFILE, PROFESSION, FONCTION = "profil", "profession", "fonction"
# How people write the values: the words of our files, the letters of the screen.
_LEVELS = {
    "": "", "aucun": "", "-": "", "–": "", "a": "", "lecture": "lecture", "l": "lecture", "lire": "lecture",
    "ecriture": "ecriture", "écriture": "ecriture", "e": "ecriture", "é": "ecriture",
}  # fmt: skip
_SCOPES = {"": "", "aucun": "", "-": "", "–": "", "tous": "tous", "t": "tous", "sa_structure": "sa_structure",
           "s": "sa_structure"}  # fmt: skip
_VALUES = {LEVEL: _LEVELS, RIGHT: _SCOPES}
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a table is refused: the cell as a spreadsheet names it ("C7"), and the reason."""

    table: str
    cell: str
    reason: str


class TableRefused(ValueError):
    """A table that cannot be read; `faults` holds the first ones, in the order of the cells."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.cell} : {fault.reason}" for fault in faults))
        self.faults = tuple(faults)


def write_table(matrix: Matrix, kind: str) -> list[list[str]]:
    """Return one of the three tables of a version: its head, then a line per profile or per profession."""
    given = cells(matrix)
    if kind == RULE:
        rules = sorted((key.row, key.column, value) for key, value in given.items() if key.kind == RULE)
        return [[PROFESSION, FONCTION, PROFILE], *([row, column, value] for row, column, value in rules)]
    # A rubric withdrawn is written too: the file says all that the version holds.
    columns, nothing = (list(matrix.catalog.entries), NO_LEVEL) if kind == LEVEL else (Action.values, "")
    rows = [
        [profile, *(given.get(Key(kind, profile, column), nothing) for column in columns)]
        for profile in known_profiles(matrix)
        if profile in matrix.levels
    ]
    return [[PROFILE, *columns], *rows]


def read_table(
    rows: Sequence[Sequence[str]], *, base: Matrix, professions: Collection[str], name: str = ""
) -> tuple[Edit, ...]:
    """Return the edits a table asks for. `base` gives the profiles one may name, `professions` the codes; `name` is
    said with each fault (a sheet's name). Raises TableRefused: every faulty cell, with the reason."""
    lines = [(rank, [text.strip() for text in row]) for rank, row in enumerate(rows, start=1)]
    # Files of the product begin with lines of comment.
    lines = [(rank, row) for rank, row in lines if any(row) and not row[0].startswith("#")]
    if not lines:
        raise TableRefused([Fault(name, "A1", "Le tableau est vide.")])
    (first, head), *body = lines
    reading = _Reading(name, frozenset(known_profiles(base)), professions, base.catalog)
    words = [word.casefold() for word in head]
    if words[:3] == [PROFESSION, FONCTION, PROFILE]:
        found = reading.rules(body)
    else:
        found = reading.grid(first, words, body)
    if reading.faults:
        raise TableRefused(reading.faults)
    return tuple(found)


def reference(column: int, line: int) -> str:
    """Return the name a spreadsheet gives to a cell; both count from 1. reference(28, 7) is "AB7"."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = ascii_uppercase[rest] + letters
    return f"{letters}{line}"


class _Reading:
    """One table being read: collects its edits and its faults."""

    def __init__(self, name: str, profiles: Collection[str], professions: Collection[str], catalog: Catalog) -> None:
        self.name, self.profiles, self.professions, self.catalog = name, profiles, professions, catalog
        self.faults: list[Fault] = []
        self.seen: dict[tuple[str, ...], int] = {}

    def fault(self, column: int, line: int, reason: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(self.name, reference(column, line), reason))

    def grid(self, first: int, head: list[str], body: Iterable[tuple[int, list[str]]]) -> list[Edit]:
        words = {LEVEL: _labels(self.catalog.every), RIGHT: _labels(Action)}
        kind = next((kind for kind, names in words.items() if set(head[1:]) & set(names)), None)
        if kind is None or head[0] != PROFILE:
            self.fault(1, first, "La première ligne doit nommer « profil » puis des rubriques ou des actions, "
                                 "ou « profession », « fonction » et « profil ».")  # fmt: skip
            return []
        columns = self.columns(first, head, words[kind])
        return [edit for line, row in body for edit in self.line(kind, line, row, columns, _VALUES[kind])]

    def columns(self, first: int, head: list[str], labels: dict[str, str]) -> dict[int, str]:
        columns: dict[int, str] = {}
        for rank, word in enumerate(head[1:], start=2):
            if not word:
                continue
            if word not in labels:
                self.fault(rank, first, f"« {word} » n’est ni une rubrique ni une action du tableau.")
            elif labels[word] in columns.values():
                self.fault(rank, first, f"« {word} » est nommé deux fois.")
            else:
                columns[rank] = labels[word]
        return columns

    def line(self, kind: str, line: int, row: list[str], columns: dict[int, str], values: dict[str, str]):
        profile = row[0]
        if not self.once((profile,), line):
            return
        for rank, column in columns.items():
            written = row[rank - 1] if rank <= len(row) else ""
            if written.casefold() not in values:
                self.fault(rank, line, f"« {written} » n’est pas une valeur possible.")
                continue
            yield from self.checked(Edit(Key(kind, profile, column), values[written.casefold()]), line, rank)

    def rules(self, body: Iterable[tuple[int, list[str]]]) -> list[Edit]:
        found: list[Edit] = []
        for line, row in body:
            profession, fonction, profile = (*row, "", "", "")[:3]
            if self.once((profession, fonction), line):
                found += self.checked(Edit(Key(RULE, profession, fonction), profile), line, 1)
        return found

    def once(self, names: tuple[str, ...], line: int) -> bool:
        if (before := self.seen.setdefault(names, line)) != line:
            self.fault(1, line, f"Cette ligne est déjà donnée ligne {before}.")
            return False
        return True

    def checked(self, edit: Edit, line: int, rank: int) -> list[Edit]:
        try:
            check(edit, profiles=self.profiles, professions=self.professions, catalog=self.catalog)
        except EditRefused as refusal:
            named = 1 if edit.key.kind != RULE and edit.key.row not in self.profiles else rank
            # A profile that is not ours is one fault, not one per column.
            if not any(fault.cell == reference(named, line) for fault in self.faults):
                self.fault(named, line, str(refusal))
            return []
        return [edit]


def _labels(names) -> dict[str, str]:
    return {name.value: name.value for name in names} | {name.label.casefold(): name.value for name in names}
