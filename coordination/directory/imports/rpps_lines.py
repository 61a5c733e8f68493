"""From lines of `PS_LibreAcces_Personne_activite` to lines of the staging table.

The lines of one person are usually neighbours and are treated together: duplicates of an activity (one line per
savoir-faire) become one staged line. What is not together is put together in SQL (rpps_merge).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import le
from struct import unpack
from typing import Protocol
from zlib import crc32

from coordination.directory.errors import FileRefused
from coordination.directory.imports.headers import PERSON_ACTIVITY
from coordination.directory.imports.rpps_columns import Folded, People, Table, about, fault, group_people, is_suspect
from coordination.directory.imports.rpps_places import LOST, Ends, Workplaces
from coordination.directory.imports.runs import UNREADABLE
from coordination.directory.imports.staging import MASK

# A change of what is kept from a line must make every stored hash different.
VERSION = b"2"

REQUIRED = (
    "Identification nationale PP",
    "Nom d'exercice",
    "Code profession",
    "Identifiant technique de la structure",
)

# From this column on, lines tell how and where one practises (rpps_places).
_END = "Code mode exercice"

# The staging table, in the order the lines are written.
STAGE_COLUMNS = (
    "n bigint", "pn bigint", "pfirst boolean", "national_id text", "civility text", "practice_civility text",
    "family text", "given text", "phash bigint", "savoir_faire text", "sfam text", "sgiv text", "sflag smallint",
    "skey text", "finess text", "finess_ej text", "siren text", "siret text", "technical text", "ssearch text",
    "shash bigint", "trade_name text", "nk bigint", "profession text", "category text", "speciality text",
    "ahash bigint", "sname text", "address text", "postal_code text", "town text", "commune_code text", "phone text",
    "email text", "mode text", "genre text", "fonction text", "sector text",
)  # fmt: skip


def columns(header: str, known: str, required: Iterable[str], name: str) -> list[str]:
    """Return the column names of a header line. Raises FileRefused when the file is not the expected one.

    Columns are found by name; those known must come in the known order, else names and values may have
    been shifted against each other.
    """
    if header.count(";") > header.count("|") or header.startswith('"') or "\t" in header:
        raise FileRefused(
            f"{name} est une copie passée par un tableur (séparateurs ou guillemets changés) : des zéros et des "
            "numéros y sont perdus. Prenez le fichier d'origine ; rien n'a été modifié."
        )
    found = header.split("|")
    missing = [column for column in required if column not in found]
    if missing:
        raise FileRefused(f"Colonnes absentes de {name} : {', '.join(missing)}. Rien n'a été modifié.")
    expected = [column for column in known.split("|") if column in found and column]
    if [column for column in found if column in set(expected)] != expected:
        raise FileRefused(f"Les colonnes de {name} ne sont pas dans l'ordre connu. Rien n'a été modifié.")
    return found


@dataclass(slots=True)
class Block:
    """A few thousand lines, read: columns of the same length."""

    # The beginnings of the lines: who, profession, savoir-faire.
    table: Table
    numbers: list[int]
    keys: list[int]
    people: People
    families: list[str]
    givens: list[str]
    # What `Writer.ends` made of their ends, and the keys of their structures.
    ends: Sequence[str]
    places: Sequence[str]
    # Line -> what is told of its structure, the first time it is met.
    structures: dict[int, str]


class Writer(Protocol):
    """What is made of the lines."""

    def ends(self, ends: Ends) -> tuple[list[str], dict[int, str]]:
        """Return what rows repeat and what is told of the structures (rpps_places.Write)."""

    def rows(self, block: Block) -> str:
        """Return the lines of one block."""


class Staging:
    """Writes the lines of the staging table (STAGE_COLUMNS)."""

    def ends(self, ends: Ends) -> tuple[list[str], dict[int, str]]:
        positions = list(ends.met)
        told = dict(zip(positions, ends.structures(positions), strict=True))
        return list(map("|".join, zip(*ends.coordinates, ends.codes, strict=True))), told

    def rows(self, block: Block) -> str:
        table, people = block.table, block.people
        structures = [f"0|{place}|||||||\\N|" for place in block.places]
        for index, told in block.structures.items():
            structures[index] = told
        lines = map("|".join, zip(
            map(str, block.numbers), map(str, people.numbers), ["t" if first else "f" for first in people.first],
            table["Identification nationale PP"], table["Code civilité"], table["Code civilité d'exercice"],
            table["Nom d'exercice"], table["Prénom d'exercice"], map(str, people.hashes), people.savoir_faire,
            block.families, block.givens, structures, map(str, block.keys), table["Code profession"],
            table["Code catégorie professionnelle"], people.specialities, map(str, people.line_hashes), block.ends,
            strict=True,
        ))  # fmt: skip
        return "\n".join(without_doubles(lines, people)) + "\n"


def without_doubles(lines: Iterable[str], people: People) -> Iterable[str]:
    """Leave out the lines that only add a savoir-faire to an activity already there."""
    doubles = people.doubles
    return (line for index, line in enumerate(lines) if index not in doubles) if doubles else lines


class ActivityParser:
    """Feeds on blocks of lines, gives what `writer` makes of them.

    `refuse(line number, reason)` hears of what is left out.
    """

    def __init__(
        self, header: str, name: str, refuse: Callable[[int, str], None], writer: Writer | None = None
    ) -> None:
        self._writer = writer or Staging()
        # False once a person comes after one with a higher identifier: their lines may be scattered.
        self.in_order = True
        self._last = ""
        found = columns(header, PERSON_ACTIVITY, REQUIRED, name)
        self._names, self.width = found, len(found)
        self.salt = line_salt(header)
        self.refuse = refuse
        self.held: set[str] = set()
        self.zeros_lost = self.zeros_kept = 0
        ends = set(PERSON_ACTIVITY[PERSON_ACTIVITY.index(_END) :].split("|"))
        self._cut = next(position for position, column in enumerate(found) if column and column in ends)
        self._index = {column: position for position, column in enumerate(found[: self._cut])}
        self._workplaces = Workplaces(found[self._cut :], self._writer.ends)
        self._folded = Folded()
        self._carried: list[tuple[int, bytes]] = []
        # The last line that was too short: its number, and whom it was about.
        self._short: tuple[int, set[str]] = (0, set())

    def begin(self) -> None:
        """Forget what was counted; what is known of structures and names stays."""
        self.in_order, self._last = True, ""
        self.held, self.zeros_kept, self.zeros_lost = set(), 0, 0

    def feed(self, numbered: Iterable[tuple[int, bytes]], encoding: str) -> str:
        """Return the staging lines of the people complete after these lines; the last one waits for the next."""
        pairs = [*self._carried, *numbered]
        cut = last_person([raw for _, raw in pairs])
        self._carried = pairs[cut:]
        return self.read(pairs[:cut], encoding)

    def finish(self, encoding: str) -> str:
        """Return the staging lines of the last person."""
        pairs, self._carried = self._carried, []
        return self.read(pairs, encoding)

    def read(self, pairs: list[tuple[int, bytes]], encoding: str) -> str:
        """Return what is made of these lines, which end with the end of a person."""
        if not pairs:
            return ""
        # A backslash is typed for "c/o"; COPY gives it another meaning.
        text = b"\n".join([raw for _, raw in pairs]).decode(encoding).replace("\\", "/")
        lines = text.split("\n")
        block = self._block(pairs, lines)
        if block is None:
            pairs, lines = self._sift(pairs, lines)
            block = self._block(pairs, lines, sifted=True) if lines else None
        if block is None:
            return ""
        written = self._writer.rows(block)
        self._folded.shrink()
        self._workplaces.shrink()
        return written

    def _sift(self, pairs: list, lines: list[str]) -> tuple[list, list[str]]:
        """Leave out the lines at fault. What is known of these people must not be ceased."""
        kept_pairs, kept_lines = [], []
        for pair, line in zip(pairs, lines, strict=True):
            values = line.split("|")
            reason = fault(values, self._names)
            if not reason:
                kept_pairs.append(pair)
                kept_lines.append(line)
            elif line.strip():
                self.refuse(pair[0], reason)
                self.held |= self._about(pair[0], values)
        return kept_pairs, kept_lines

    def _about(self, number: int, values: list[str]) -> set[str]:
        """Whom a line at fault may be about; the end of a line cut in two is about the same person."""
        found = about(values, self.width)
        if found == {UNREADABLE} and number == self._short[0] + 1:
            found = self._short[1]
        if len(values) < self.width:
            self._short = number, found
        return found

    def _block(self, pairs: list[tuple[int, bytes]], lines: list[str], *, sifted: bool = False) -> Block | None:
        """Read the lines; None when one of them may be at fault, unless they were sifted."""
        cut = self._cut
        rows = [line.split("|", cut) for line in lines]
        if set(map(len, rows)) != {cut + 1}:
            return None
        *begun, ends = zip(*rows, strict=True)
        table = Table(begun, self._index)
        if not sifted and is_suspect(table):
            return None
        told = self._workplaces.learn(ends)
        if told is None:
            return None
        repeated, places, checks, codes, zeros = zip(*map(self._workplaces.__getitem__, ends), strict=True)
        lost, kept = divmod(sum(zeros), LOST)
        self.zeros_lost, self.zeros_kept = self.zeros_lost + lost, self.zeros_kept + kept
        keys = natural_keys(table, codes, checks)
        national = table["Identification nationale PP"]
        self.in_order = self.in_order and self._last < national[0] and all(map(le, national, national[1:]))
        self._last = national[-1]
        numbers = [number for number, _ in pairs]
        first = dict(zip(reversed(ends), range(len(ends) - 1, -1, -1), strict=True)) if told else {}
        return Block(
            table=table,
            numbers=numbers,
            keys=keys,
            people=group_people(table, numbers, self._hashes(pairs), keys),
            families=list(map(self._folded.__getitem__, table["Nom d'exercice"])),
            givens=list(map(self._folded.__getitem__, table["Prénom d'exercice"])),
            ends=repeated,
            places=places,
            structures={first[end]: line for end, line in told.items()},
        )

    def _hashes(self, pairs: list[tuple[int, bytes]]) -> list[int]:
        salt = self.salt
        digests = b"".join([blake2b(raw, digest_size=8, salt=salt).digest() for _, raw in pairs])
        return [number & MASK for number in unpack(f">{len(pairs)}Q", digests)]


def natural_keys(table: Table, codes: Sequence[str], checks: Sequence[int]) -> list[int]:
    """Key of an activity among those of its person: half of it from the codes, half from the structure's checksum.

    Nobody has more than some tens of activities: a checksum tells them apart, at a tenth of the price of a hash.
    """
    professions = zip(table["Code profession"], table["Code catégorie professionnelle"], codes, strict=True)
    written = map(crc32, map(str.encode, map("|".join, professions)))
    return [high << 31 ^ low for high, low in zip(written, checks, strict=True)]


def last_person(lines: Sequence[bytes]) -> int:
    """Index of the first line of the last person, 0 when the lines are all about the same one."""
    if not lines:
        return 0
    key = person_key(lines[-1])
    cut = len(lines) - 1
    while cut and person_key(lines[cut - 1]) == key:
        cut -= 1
    return cut


def last_person_start(text: bytes) -> int:
    """Offset of the first line of the last person in these bytes, 0 when there is no other person."""
    end = text.rfind(b"\n") + 1
    # The line after the last end may be incomplete: its person may be the one before it, and goes with it.
    key = None
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        own = person_key(text[start:end])
        if key is not None and own != key:
            return end
        key, end = own, start
    return 0


def person_key(line: bytes) -> bytes:
    """Third field: the national identifier."""
    fields = line.split(b"|", 3)
    return fields[2] if len(fields) > 2 else b""


def line_salt(header: str) -> bytes:
    """Salt of the line hashes: the same line under other columns, or read otherwise, is another line."""
    return blake2b(VERSION + header.encode(), digest_size=16).digest()
