"""From lines of `PS_LibreAcces_Personne_activite` to lines of the staging table.

The lines of one person are usually neighbours and are treated together: duplicates of an activity (one line per
savoir-faire) become one staged line. What is not together is put together in SQL (rpps_merge).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import le
from zlib import crc32

from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports.headers import PERSON_ACTIVITY
from coordination.directory.imports.rpps_columns import (
    Folded,
    People,
    Table,
    content_fault,
    fallback_key,
    group_people,
    is_suspect,
    place_columns,
)
from coordination.directory.imports.staging import MASK, hash64

# A change of what is kept from a line must make every stored hash different.
VERSION = b"1"

REQUIRED = (
    "Identification nationale PP",
    "Nom d'exercice",
    "Code profession",
    "Identifiant technique de la structure",
)

# The staging table, in the order the lines are written.
STAGE_COLUMNS = (
    "n bigint", "pn bigint", "pfirst boolean", "national_id text", "civility text", "practice_civility text",
    "family text", "given text", "phash bigint", "savoir_faire text", "sfam text", "sgiv text", "sflag smallint",
    "skey text", "finess text", "finess_ej text", "siren text", "siret text", "technical text", "ssearch text",
    "shash bigint", "trade_name text", "sname text", "address text", "postal_code text", "town text",
    "commune_code text", "phone text", "email text", "nk bigint", "profession text", "category text",
    "speciality text", "mode text", "genre text", "fonction text", "sector text", "ahash bigint",
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

    table: Table
    numbers: list[int]
    keys: list[int]
    # Profession, category, mode, kind of activity, role, sector.
    codes: list[Sequence[str]]
    places: list[str]
    people: People
    families: list[str]
    givens: list[str]
    # Line -> flag, key, numbers, search name, hash and trade name of the structure, joined; without the lines about
    # a structure told before.
    structures: dict[int, str]
    # Name, address, postal code, town, commune, telephone, mail.
    coordinates: list[Sequence[str]]


def staging_lines(block: Block) -> str:
    """Return the lines of the staging table (STAGE_COLUMNS)."""
    profession, category, mode, genre, role, sector = block.codes
    table, people = block.table, block.people
    structures = [f"0|{place}|||||||\\N|" for place in block.places]
    for index, told in block.structures.items():
        structures[index] = told
    lines = map("|".join, zip(
        map(str, block.numbers), map(str, people.numbers), people.first, table["Identification nationale PP"],
        table["Code civilité"], table["Code civilité d'exercice"], table["Nom d'exercice"],
        table["Prénom d'exercice"], map(str, people.hashes), people.savoir_faire, block.families, block.givens,
        structures, *block.coordinates, map(str, block.keys), profession, category, people.specialities, mode,
        genre, role, sector, map(str, people.line_hashes), strict=True,
    ))  # fmt: skip
    return "\n".join(without_doubles(lines, people)) + "\n"


def without_doubles(lines: Iterable[str], people: People) -> Iterable[str]:
    """Leave out the lines that only add a savoir-faire to an activity already there."""
    doubles = people.doubles
    return (line for index, line in enumerate(lines) if index not in doubles) if doubles else lines


class ActivityParser:
    """Feeds on blocks of lines, gives what `write` makes of them: staging lines by default.

    `refuse(line number, reason)` hears of what is left out.
    """

    def __init__(
        self,
        header: str,
        name: str,
        refuse: Callable[[int, str], None],
        write: Callable[[Block], str] | None = None,
    ) -> None:
        self._write = write or staging_lines
        # False once a person comes after one with a higher identifier: their lines may be scattered.
        self.in_order = True
        self._last = ""
        found = columns(header, PERSON_ACTIVITY, REQUIRED, name)
        self.width = len(found)
        self.salt = line_salt(header)
        self.refuse = refuse
        self.held: set[str] = set()
        self.zeros_lost = self.zeros_kept = 0
        self._index = {column: position for position, column in enumerate(found)}
        self._folded = Folded()
        self._structures = _Structures()
        self._carried: list[tuple[int, bytes]] = []

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
        fields = [line.split("|") for line in text.split("\n")]
        if set(map(len, fields)) != {self.width}:
            pairs, fields = self._sift(pairs, fields, self._shape_fault)
        table = Table(fields, self._index)
        if fields and is_suspect(table):
            pairs, fields = self._sift(pairs, fields, self._content_fault)
            table = Table(fields, self._index)
        if not fields:
            return ""
        salt, from_bytes = self.salt, int.from_bytes
        hashes = [from_bytes(blake2b(raw, digest_size=8, salt=salt).digest(), "big") & MASK for _, raw in pairs]
        return self._write(self._columns(table, [number for number, _ in pairs], hashes))

    def _sift(self, pairs: list, fields: list[list[str]], fault: Callable[[list[str]], str]) -> tuple[list, list]:
        """Leave out the lines in which `fault` finds one. What is known of these people must not be ceased."""
        kept_pairs, kept_fields = [], []
        for pair, values in zip(pairs, fields, strict=True):
            reason = fault(values)
            if reason:
                self.refuse(pair[0], reason)
                self.held.add(values[2] if len(values) > 2 else "")
            else:
                kept_pairs.append(pair)
                kept_fields.append(values)
        return kept_pairs, kept_fields

    def _shape_fault(self, values: list[str]) -> str:
        return "" if len(values) == self.width else f"{len(values)} colonnes au lieu de {self.width}"

    def _content_fault(self, values: list[str]) -> str:
        return content_fault(Table([values], self._index))

    def _columns(self, table: Table, numbers: list[int], hashes: list[int]) -> Block:
        codes: list[Sequence[str]] = [
            table[name]
            for name in ("Code profession", "Code catégorie professionnelle", "Code mode exercice",
                         "Code genre activité", "Code rôle", "Code secteur d'activité")
        ]  # fmt: skip
        places = _place_keys(table)
        keys = natural_keys(codes, places)
        coordinates = place_columns(table, self._watch_zeros)
        national = table["Identification nationale PP"]
        self.in_order = self.in_order and self._last < national[0] and all(map(le, national, national[1:]))
        self._last = national[-1]
        block = Block(
            table=table,
            numbers=numbers,
            keys=keys,
            codes=codes,
            places=places,
            people=group_people(table, numbers, hashes, keys),
            families=list(map(self._folded.__getitem__, table["Nom d'exercice"])),
            givens=list(map(self._folded.__getitem__, table["Prénom d'exercice"])),
            structures=self._structures.columns(table, places, coordinates),
            coordinates=coordinates,
        )
        self._folded.shrink()
        return block

    def _watch_zeros(self, kept: int, lost: int) -> None:
        self.zeros_kept += kept
        self.zeros_lost += lost


class _Structures:
    """Tells the first line about each structure, which alone carries its identifiers."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._addressless: set[int] = set()

    def columns(self, table: Table, places: list[str], coordinates: list[Sequence[str]]) -> dict[int, str]:
        """Return line -> flag, key, numbers, search name, hash and trade name, joined.

        Flag 1: first met. 2: first met with an address, after a line without one.
        """
        addresses, postals = coordinates[1], coordinates[2]
        told: dict[int, str] = {}
        seen, addressless = self._seen, self._addressless
        writer = _Writer(table, coordinates)
        for index, place in enumerate(places):
            mark = hash(place)
            if not place or (mark in seen and mark not in addressless):
                continue
            addressed = bool(addresses[index] or postals[index])
            if mark not in seen:
                seen.add(mark)
                if not addressed:
                    addressless.add(mark)
                told[index] = f"1|{writer.write(place, index)}"
            elif addressed:
                addressless.discard(mark)
                told[index] = f"2|{writer.write(place, index)}"
        return told


class _Writer:
    """Writes the columns of one structure; columns are looked up once for the block."""

    def __init__(self, table: Table, coordinates: list[Sequence[str]]) -> None:
        names = (
            "Numéro FINESS site", "Numéro FINESS établissement juridique", "Numéro SIREN site", "Numéro SIRET site",
            "Identifiant technique de la structure", "Raison sociale site", "Enseigne commerciale site",
            "Code secteur d'activité",
        )  # fmt: skip
        self._rows = [*(table[name] for name in names), *coordinates]

    def write(self, place: str, index: int) -> str:
        values = [column[index] for column in self._rows]
        finess, legal_finess, siren, siret, technical, legal, trade = values[:7]
        content = hash64("|".join(values).encode())
        numbers = f"{finess}|{legal_finess}|{siren or siret[:9]}|{siret}|{technical}"
        return f"{place}|{numbers}|{fold(f'{legal} {trade}')}|{content}|{trade}"


def _place_keys(table: Table) -> list[str]:
    technical = table["Identifiant technique de la structure"]
    return [key or fallback_key(table, index) for index, key in enumerate(technical)]


def natural_keys(codes: list[Sequence[str]], places: list[str]) -> list[int]:
    """Key of an activity among those of its person: half of it from the codes, half from the structure.

    Nobody has more than some tens of activities: a checksum tells them apart, at a tenth of the price of a hash.
    """
    written = map(str.encode, map("|".join, zip(*codes, strict=True)))
    where = map(crc32, map(str.encode, places))
    return [high << 31 ^ low for high, low in zip(map(crc32, written), where, strict=True)]


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
