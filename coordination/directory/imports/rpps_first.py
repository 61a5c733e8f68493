"""The first load of the activity file: straight into the empty tables of people and activities.

Nobody is there to compare with, so lines are COPYed as rows while the next ones are read; people and
structures wait in temporary files for their turn. Keys are made here: a person's from the number of its first
line, a structure's from a hash of its own key, so that an activity knows both without a look-up. Structures
that FINESS or a regional file brought before are used as they are (known_places).

Only for a file whose people come in order (as published) and whose values fit; else the general merge starts
again from the beginning (rpps._load_activities).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from coordination.common.ids import uuid7
from coordination.directory.imports.known_places import KnownPlaces, known_places
from coordination.directory.imports.rpps_lines import Block, without_doubles
from coordination.directory.imports.runs import Counts
from coordination.directory.imports.staging import copy, execute, new_id, scalar

_ACTIVITY = (
    "id, professional_id, structure_id, natural_key, profession, category, speciality, mode, genre, fonction, sector,"
    " structure_name, address, postal_code, town, commune_code, phone, email, address_borrowed, search_family,"
    " search_given, content_hash, mss_address, seen_on"
)
_PROFESSIONAL = (
    "id, national_id, rpps, adeli, civility, practice_civility, family_name, given_name, search_family, search_given,"
    " content_hash, source, mss_address, email, phone, seen_on, created_at"
)
_SIXTY_BITS = (1 << 60) - 1


def is_possible() -> bool:
    """True while no activity file has brought anything."""
    return not scalar(
        "SELECT EXISTS (SELECT 1 FROM directory_professional WHERE national_id <> '')"
        " OR EXISTS (SELECT 1 FROM directory_structure WHERE source = 'rpps')"
    )


@dataclass(slots=True)
class Rows:
    """Lines for COPY, ready, of each table."""

    activities: bytes
    people: bytes
    structures: bytes
    savoir_faire: bytes
    activity_count: int
    people_count: int


class FirstLoad:
    """Makes the rows of the four tables out of the blocks of the parser."""

    def __init__(self, day: date, now: datetime) -> None:
        self._activity, self._person = uuid7().hex[:24], uuid7().hex[:24]
        # Time, version, chance, variant: sixty bits are left for the hash of the key.
        self._place = uuid7().hex[:17]
        self._end = f"||{day.isoformat()}"
        self._people_end = f"|rpps||||{day.isoformat()}|{now.isoformat()}"
        self._day, self._now = day, now
        self._known: KnownPlaces = known_places()
        self._people: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._structures: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._savoir_faire: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.activities = self.people = 0

    @property
    def activity_target(self) -> str:
        return f"directory_activity ({_ACTIVITY})"

    def keep(self, rows: Rows) -> bytes:
        """Return the rows of the activities; the other ones wait for `finish`."""
        self._people.write(rows.people)
        self._structures.write(rows.structures)
        self._savoir_faire.write(rows.savoir_faire)
        self.activities += rows.activity_count
        self.people += rows.people_count
        return rows.activities

    def rows(self, block: Block) -> Rows:
        """Return the rows of one block; touches nothing, so that another process may do it."""
        people = block.people
        person_ids = [f"{self._person}{number:08x}" for number in people.numbers]
        numbers = block.table["Numéro FINESS site"]
        found = list(map(self._known.find, numbers, block.places)) if self._known else []
        place_ids = self._place_ids(block.places, numbers, found)
        name, address, postal, town, *rest = block.coordinates
        coordinates = [limited(name, 200), limited(address, 300), postal, limited(town, 80), *rest]
        profession, category, mode, genre, role, sector = block.codes
        borrowed = ["t" if place and not (a or p) else "f" for place, a, p in
                    zip(block.places, coordinates[1], coordinates[2], strict=True)]  # fmt: skip
        self._lend(found, borrowed, coordinates)
        lines = map("|".join, zip(
            [f"{self._activity}{number:08x}" for number in block.numbers], person_ids, place_ids,
            map(str, block.keys), profession, category, people.specialities, mode, genre, role, sector,
            *coordinates, borrowed, block.families, block.givens, map(str, people.line_hashes), strict=True,
        ))  # fmt: skip
        end = self._end + "\n"
        persons = self._people_lines(block, person_ids)
        told = zip(person_ids, people.savoir_faire, strict=True)
        return Rows(
            activities=(end.join(without_doubles(lines, people)) + end).encode(),
            people="".join(persons).encode(),
            structures="".join(_structure_lines(block, place_ids, coordinates)).encode(),
            savoir_faire="".join([f"{person}|{codes}\n" for person, codes in told if codes]).encode(),
            activity_count=len(block.numbers) - len(people.doubles),
            people_count=len(persons),
        )

    def _place_ids(self, places: Sequence[str], numbers: Sequence[str], found: Sequence[int]) -> list[str]:
        """Identifiers of the structures; two technical identifiers with one FINESS number are one structure."""
        start = self._place
        made = [
            f"{start}{hash(finess or place) & _SIXTY_BITS:015x}" if place else "\\N"
            for place, finess in zip(places, numbers, strict=True)
        ]
        for index, place in enumerate(found):
            if place >= 0:
                made[index] = self._known.identifier(place)
        return made

    def _lend(self, found: Sequence[int], borrowed: Sequence[str], columns: list[Sequence[str]]) -> None:
        """Complete the lines without an address from the structures known already."""
        wanted = [index for index, place in enumerate(found) if place >= 0 and borrowed[index] == "t"]
        if not wanted:
            return
        name, address, postal, town, commune, phone = filled = [list(column) for column in columns[:6]]
        for index in wanted:
            lent = self._known.lent(found[index])
            if lent:
                address[index], postal[index] = lent[1], lent[2]
                name[index] = name[index] or lent[0]
                town[index] = town[index] or lent[3]
                commune[index] = commune[index] or lent[4]
                phone[index] = phone[index] or lent[5]
        columns[:6] = filled

    def close(self) -> None:
        for file in (self._people, self._structures, self._savoir_faire):
            file.close()

    def finish(self, held: Iterable[str]) -> dict[str, Counts]:
        """COPY what was kept, then lend the addresses."""
        copy(f"directory_professional ({_PROFESSIONAL})", _blocks(self._people))
        structures = self._merge_structures()
        execute("CREATE TEMP TABLE sf (professional_id uuid, told text)")
        copy("sf", _blocks(self._savoir_faire))
        told = execute(
            "INSERT INTO directory_savoirfaire (id, professional_id, profession, kind, code, from_full_list)"
            f" SELECT {new_id('row_number() OVER ()')}, professional_id, split_part(x, ',', 1),"
            " split_part(x, ',', 2), split_part(x, ',', 3), false FROM (SELECT DISTINCT professional_id, x FROM sf,"
            " unnest(string_to_array(told, ';')) x) each"
        )
        keys = list(held)
        execute("UPDATE directory_professional SET content_hash = NULL WHERE national_id = ANY(%s)", [keys])
        execute(
            "UPDATE directory_activity a SET address = t.address, postal_code = t.postal_code,"
            " town = coalesce(nullif(a.town, ''), t.town),"
            " commune_code = coalesce(nullif(a.commune_code, ''), t.commune_code),"
            " structure_name = coalesce(nullif(a.structure_name, ''), t.name),"
            " phone = coalesce(nullif(a.phone, ''), t.phone)"
            " FROM directory_structure t WHERE a.structure_id = t.id AND a.address_borrowed AND t.finess <> ''"
            # The structures known before have lent theirs already.
            " AND t.source = 'rpps'"
            " AND (t.postal_code <> '' OR t.address <> '')"
        )
        return {
            "situations d'exercice": Counts(self.activities),
            "professionnels": Counts(self.people),
            "savoir-faire": Counts(told),
            "structures": Counts(structures),
        }

    def _people_lines(self, block: Block, person_ids: list[str]) -> list[str]:
        table, people = block.table, block.people
        national = table["Identification nationale PP"]
        numbers = [f"{n[1:]}|" if n[0] == "8" else f"|{n[1:][:9] if n[0] == '0' else ''}" for n in national]
        rows = zip(
            person_ids, national, numbers, table["Code civilité"], table["Code civilité d'exercice"],
            table["Nom d'exercice"], table["Prénom d'exercice"], block.families, block.givens,
            map(str, people.hashes), strict=True,
        )  # fmt: skip
        end = self._people_end + "\n"
        first = people.first
        return [line + end for index, line in enumerate(map("|".join, rows)) if first[index] == "t"]

    def _merge_structures(self) -> int:
        """Bring the structures in; return how many are new."""
        execute(
            "CREATE TEMP TABLE places (id uuid, sflag smallint, skey text, finess text, finess_ej text, siren text,"
            " siret text, technical text, ssearch text, shash bigint, trade_name text, sname text, address text,"
            " postal_code text, town text, commune_code text, phone text, email text, sector text)"
        )
        copy("places", _blocks(self._structures))
        execute("ANALYZE places (id)")
        # Of several lines about a structure (one for each process, one better than another), the first with an
        # address.
        execute(
            "CREATE TEMP TABLE chosen AS SELECT DISTINCT ON (p.id) p.id, p.ctid AS place FROM places p JOIN"
            " (SELECT id FROM places GROUP BY id HAVING count(*) > 1) r USING (id)"
            " ORDER BY p.id, (p.postal_code = '' AND p.address = ''), p.ctid"
        )
        execute("ANALYZE chosen")
        execute("DELETE FROM places p USING chosen c WHERE p.id = c.id AND p.ctid <> c.place")
        if self._known:
            execute(
                "UPDATE directory_structure t SET technical_id = p.technical::varchar(40) FROM places p"
                " WHERE t.id = p.id AND t.technical_id = '' AND p.technical <> ''"
            )
            execute("DELETE FROM places p USING directory_structure t WHERE t.id = p.id")
        return execute(
            "INSERT INTO directory_structure (id, source, kind, finess, finess_ej, siren, siret, technical_id,"
            " source_key, name, short_name, search_name, category, sector, legal_status, address, postal_code, town,"
            " commune_code, phone, phone_as_given, email, mss_address, manager_name, seen_on, content_hash,"
            " created_at) SELECT s.id, 'rpps', 'eg', s.finess::varchar(9), s.finess_ej::varchar(9),"
            " s.siren::varchar(9), s.siret::varchar(14), s.technical::varchar(40), s.skey::varchar(60), s.sname,"
            " CASE WHEN s.trade_name = s.sname THEN '' ELSE s.trade_name::varchar(80) END, s.ssearch::varchar(300),"
            " '', s.sector, '', s.address, s.postal_code, s.town, s.commune_code, s.phone, '', s.email, '', '', %s,"
            " s.shash, %s FROM places s",
            [self._day, self._now],
        )


def _structure_lines(block: Block, place_ids: list[str], coordinates: list[Sequence[str]]) -> list[str]:
    sector = block.codes[5]
    return [
        f"{place_ids[index]}|{line}|{'|'.join([column[index] for column in coordinates])}|{sector[index]}\n"
        for index, line in block.structures.items()
    ]


def limited(column: Sequence[str], size: int) -> Sequence[str]:
    """Cut the values to what the database holds; most blocks have nothing to cut."""
    return column if max(map(len, column)) <= size else [value[:size] for value in column]


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(1 << 20):
        yield block
