"""What an activity line says after its savoir-faire: how and where one practises.

Employees of one establishment, and the many lines that say nothing, end alike: each such end is worked out once, and
remembered as long as memory allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from zlib import crc32

from coordination.common.text import fold
from coordination.directory.imports import normalise
from coordination.directory.imports.rpps_columns import Table, has_long_code
from coordination.directory.imports.staging import hash64

# In the order of the rows and of the natural keys.
CODES = ("Code mode exercice", "Code genre activité", "Code rôle", "Code secteur d'activité")
_TOLD = (
    "Numéro FINESS site", "Numéro FINESS établissement juridique", "Numéro SIREN site", "Numéro SIRET site",
    "Identifiant technique de la structure", "Raison sociale site", "Enseigne commerciale site",
    "Code secteur d'activité",
)  # fmt: skip
# Sums of a block's zeros: kept ones below, lost ones above.
LOST = 1 << 32
# Of a practice's lines, nearly all are different: only the ends that many people may share are remembered.
REMEMBERED = 12_000
# Code of the country, mostly left out.
FRANCE = ("", "99000")


@dataclass(slots=True)
class Ends:
    """Different ends of lines, read: columns of the same length."""

    table: Table
    # Keys of the structures, "" when there is none.
    places: list[str]
    # Those of CODES, joined.
    codes: list[str]
    # Name, address, postal code, town, commune, telephone, mail.
    coordinates: list[Sequence[str]]
    # Position -> flag of a structure to be told: 1 when it is first met, 2 when it is first met with an address.
    met: dict[int, int]

    def structures(self, positions: Sequence[int]) -> list[str]:
        """Return flag, key, numbers, search name, hash and trade name of the structures met there, joined."""
        columns = [
            [column[position] for position in positions]
            for column in (*map(self.table.__getitem__, _TOLD), *self.coordinates)
        ]
        finess, legal_finess, siren, siret, technical, legal, trade = columns[:7]
        contents = map(hash64, map(str.encode, map("|".join, zip(*columns, strict=True))))
        names = map(fold, map(" ".join, zip(legal, trade, strict=True)))
        return [
            f"{self.met[position]}|{self.places[position]}|{f}|{ej}|{n or t[:9]}|{t}|{tech}|{name}|{content}|{sign}"
            for position, f, ej, n, t, tech, name, content, sign in zip(
                positions, finess, legal_finess, siren, siret, technical, names, contents, trade, strict=True
            )
        ]


# What is made of ends of lines: for each, what the rows that end so have in common; and by position what is told of
# the structures met.
Write = Callable[[Ends], tuple[list[str], dict[int, str]]]


class Workplaces(dict[str, tuple[str, str, int, str, int]]):
    """End of a line -> what its row repeats (as `write` tells it), key of the structure, checksum, codes, zeros."""

    def __init__(self, columns: list[str], write: Write) -> None:
        super().__init__()
        self._index = {column: position for position, column in enumerate(columns)}
        self._width = len(columns)
        self._write = write
        self._met = _Met()
        self._passing: list[str] = []

    def learn(self, ends: Iterable[str]) -> dict[str, str] | None:
        """Work out what is not known yet; return what the structures met are told, by end of line.

        None, and nothing learnt, when an end has not the columns of the header or a code that is too long.
        """
        new = [end for end in dict.fromkeys(ends) if end not in self]
        if not new:
            return {}
        rows = [end.split("|") for end in new]
        if set(map(len, rows)) != {self._width}:
            return None
        table = Table(list(zip(*rows, strict=True)), self._index)
        if has_long_code(table):
            return None
        coordinates = place_columns(table)
        places = _place_keys(table)
        codes = list(map("|".join, zip(*(table[name] for name in CODES), strict=True)))
        written, told = self._write(Ends(table, places, codes, coordinates, self._met.among(places, coordinates)))
        checks = map(crc32, map(str.encode, places))
        zeros = _zeros(table, coordinates[2])
        self.update(zip(new, zip(written, places, checks, codes, zeros, strict=True), strict=True))
        self._passing = [
            end
            for end, place, finess in zip(new, places, table["Numéro FINESS site"], strict=True)
            if place and not finess
        ]
        return {new[index]: line for index, line in told.items()}

    def shrink(self) -> None:
        """Forget what will not come back, and everything when it becomes too much."""
        for end in self._passing:
            del self[end]
        self._passing = []
        if len(self) > REMEMBERED:
            self.clear()


class _Met:
    """The structures met since the beginning."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._addressless: set[int] = set()

    def among(self, places: list[str], coordinates: list[Sequence[str]]) -> dict[int, int]:
        """Return position -> flag of those to be told (Ends.met)."""
        addresses, postals = coordinates[1], coordinates[2]
        told: dict[int, int] = {}
        seen, addressless = self._seen, self._addressless
        for index, mark in enumerate(map(hash, places)):
            if (mark in seen and mark not in addressless) or not places[index]:
                continue
            addressed = bool(addresses[index] or postals[index])
            if mark not in seen:
                seen.add(mark)
                if not addressed:
                    addressless.add(mark)
                told[index] = 1
            elif addressed:
                addressless.discard(mark)
                told[index] = 2
        return told


def _place_keys(table: Table) -> list[str]:
    technical = table["Identifiant technique de la structure"]
    return [key or fallback_key(table, index) for index, key in enumerate(technical)]


def place_columns(table: Table) -> list[Sequence[str]]:
    """Return name, address, postal code, town, commune, telephone and mail of each line's structure."""
    names = [legal or trade for legal, trade in
             zip(table["Raison sociale site"], table["Enseigne commerciale site"], strict=True)]  # fmt: skip
    postals, towns = _postals_and_towns(table)
    mails = [normalise.email(mail) if mail else "" for mail in table.place("Adresse e-mail")]
    return [names, _addresses(table), postals, towns, _communes(table, postals, towns), _phones(table), mails]


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


def _communes(table: Table, postals: Sequence[str], towns: Sequence[str]) -> Sequence[str]:
    """INSEE codes; where there is none, what postal code and name say, in France (directories.md A.3)."""
    codes = table.place("Code commune")
    holes = [i for i, code in enumerate(codes) if not code and postals[i] and towns[i]]
    if not holes:
        return codes
    filled, countries = list(codes), table.place("Code pays")
    for index in holes:
        if countries[index] in FRANCE:
            filled[index] = normalise.commune(towns[index], postals[index])
    return filled


def _phones(table: Table) -> list[str]:
    first, second = table.place("Téléphone"), table.place("Téléphone 2")
    return [(normalise.phone(a) or normalise.phone(b)) if a or b else "" for a, b in zip(first, second, strict=True)]


def _zeros(table: Table, postals: Sequence[str]) -> list[int]:
    """Return 1 for a postal code that begins with a zero, LOST for one that lost it; abroad, four digits are usual."""
    zeros = list(map(int, map(str.startswith, postals, repeat("0"))))
    if 4 in set(map(len, postals)):
        for index, (postal, country) in enumerate(zip(postals, table.place("Code pays"), strict=True)):
            if len(postal) == 4 and postal.isdigit() and country in FRANCE:
                zeros[index] += LOST
    sirets = table["Numéro SIRET site"]
    if "E+" in "".join(sirets):
        # One is enough to refuse the file.
        for index, siret in enumerate(sirets):
            zeros[index] += 1_000_000 * LOST * bool(normalise.SCIENTIFIC.match(siret))
    return zeros


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
