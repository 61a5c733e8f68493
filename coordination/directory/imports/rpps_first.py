"""The first load of the activity file: straight into the empty tables of people and activities.

Nobody is there to compare with, so lines are COPYed as rows while the next ones are read, the activities of a batch
then its people and its structures. Keys are made here: a person's from the number of its first
line, a structure's from a hash of its own key, so that an activity knows both without a look-up. Structures
that FINESS or a regional file brought before are used as they are (known_places).

Only for a file whose people come in order (as published) and whose values fit; else the general merge starts
again from the beginning (rpps._load_activities).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from coordination.common.ids import uuid7
from coordination.directory.imports.known_places import KnownPlaces, known_places
from coordination.directory.imports.rpps_lines import Block, without_doubles
from coordination.directory.imports.rpps_places import Ends
from coordination.directory.imports.runs import Counts
from coordination.directory.imports.staging import ONE_KIND, copy, execute, new_id, renewed, scalar

_ACTIVITY = (
    "id, professional_id, natural_key, profession, category, speciality, search_family, search_given, content_hash,"
    " structure_id, mode, genre, fonction, sector, structure_name, address, postal_code, town, commune_code, phone,"
    " email, address_borrowed, mss_address, seen_on"
)
_PROFESSIONAL = (
    "id, national_id, rpps, adeli, civility, practice_civility, family_name, given_name, search_family, search_given,"
    " content_hash, source, mss_address, email, phone, seen_on, created_at"
)
SECTOR = "Code secteur d'activité"
_SIXTY_BITS = (1 << 60) - 1
# Blocks between two turns of the people: few enough for the reading processes not to wait.
BATCH = 16


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
        self._end = f"||{day.isoformat()}\n"
        self._people_end = f"|rpps||||{day.isoformat()}|{now.isoformat()}\n"
        self._day, self._now = day, now
        self._known: KnownPlaces = known_places()
        self.activities = self.people = 0

    def store(self, rows: Iterable[Rows], expected: int) -> None:
        """COPY the rows as they come; `expected` says about how many lines there are."""
        execute(
            "CREATE TEMP TABLE places (id uuid, sflag smallint, skey text, finess text, finess_ej text, siren text,"
            " siret text, technical text, ssearch text, shash bigint, trade_name text, sname text, address text,"
            " postal_code text, town text, commune_code text, phone text, email text, sector text)"
        )
        execute("CREATE TEMP TABLE sf (professional_id uuid, told text)")
        frozen = [renewed(table, expected) for table in ("directory_activity", "directory_professional")]
        coming = iter(rows)
        while self._store_batch(islice(coming, BATCH), *frozen):
            pass

    def _store_batch(self, batch: Iterable[Rows], activities: bool, people: bool) -> bool:
        """COPY one batch, `activities` and `people` saying which are frozen; False when nothing comes any more."""
        kept: list[Rows] = []

        def lines() -> Iterator[bytes]:
            for rows in batch:
                kept.append(rows)
                yield rows.activities

        # The others wait here while these ones are read.
        copy(f"directory_activity ({_ACTIVITY})", lines(), frozen=activities)
        copy(f"directory_professional ({_PROFESSIONAL})", (rows.people for rows in kept), frozen=people)
        copy("places", (rows.structures for rows in kept))
        copy("sf", (rows.savoir_faire for rows in kept))
        self.activities += sum(rows.activity_count for rows in kept)
        self.people += sum(rows.people_count for rows in kept)
        return bool(kept)

    def ends(self, ends: Ends) -> tuple[list[str], dict[int, str]]:
        """Return what activities at the same place have in common, and the lines of the table `places`."""
        numbers = ends.table["Numéro FINESS site"]
        found = list(map(self._known.find, numbers, ends.places)) if self._known else [-1] * len(numbers)
        place_ids = self._place_ids(ends.places, numbers, found)
        name, address, postal, town, *rest = ends.coordinates
        coordinates = [limited(name, 200), limited(address, 300), postal, limited(town, 80), *rest]
        borrowed = ["t" if place and not (a or p) else "f" for place, a, p in
                    zip(ends.places, coordinates[1], coordinates[2], strict=True)]  # fmt: skip
        self._lend(found, borrowed, coordinates)
        told = _known_lines(ends, [n for n in ends.met if found[n] >= 0], place_ids)
        told |= _new_lines(ends, [n for n in ends.met if found[n] < 0], place_ids, coordinates)
        end = self._end
        rows = map("|".join, zip(place_ids, ends.codes, *coordinates, borrowed, strict=True))
        return [f"{row}{end}" for row in rows], told

    def rows(self, block: Block) -> Rows:
        """Return the rows of one block; touches nothing, so that another process may do it."""
        table, people = block.table, block.people
        activity, person = self._activity, self._person
        lines = [
            f"{activity}{n:08x}|{person}{p:08x}|{key}|{profession}|{category}|{speciality}|{family}|{given}|{told}|{end}"
            for n, p, key, profession, category, speciality, family, given, told, end in zip(
                block.numbers, people.numbers, block.keys, table["Code profession"],
                table["Code catégorie professionnelle"], people.specialities, block.families, block.givens,
                people.line_hashes, block.ends, strict=True,
            )
        ]  # fmt: skip
        persons = self._people_lines(block)
        told = zip(people.numbers, people.savoir_faire, strict=True)
        return Rows(
            activities="".join(without_doubles(lines, people)).encode(),
            people="".join(persons).encode(),
            structures="".join(block.structures.values()).encode(),
            savoir_faire="".join([f"{person}{number:08x}|{codes}\n" for number, codes in told if codes]).encode(),
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

    def finish(self, held: Iterable[str]) -> dict[str, Counts]:
        """Bring the structures and the savoir-faire in, then lend the addresses."""
        structures = self._merge_structures()
        told = execute(
            "INSERT INTO directory_savoirfaire (id, professional_id, profession, kind, code, from_full_list)"
            f" SELECT {new_id('row_number() OVER ()')}, professional_id, profession, kind, code, false FROM"
            f" (SELECT professional_id, profession, {ONE_KIND} AS kind, code FROM (SELECT professional_id,"
            " split_part(x, ',', 1) AS profession, split_part(x, ',', 2) AS kind, split_part(x, ',', 3) AS code"
            " FROM sf, unnest(string_to_array(told, ';')) x) each GROUP BY professional_id, profession, code) one"
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

    def _people_lines(self, block: Block) -> list[str]:
        table, people = block.table, block.people
        start, end = self._person, self._people_end
        return [
            f"{start}{number:08x}|{national}|{_numbers(national)}|{civility}|{practice}|{family}|{given}|{search_family}"
            f"|{search_given}|{told}{end}"
            for first, number, national, civility, practice, family, given, search_family, search_given, told in zip(
                people.first, people.numbers, table["Identification nationale PP"], table["Code civilité"],
                table["Code civilité d'exercice"], table["Nom d'exercice"], table["Prénom d'exercice"],
                block.families, block.givens, people.hashes, strict=True,
            )
            if first
        ]  # fmt: skip

    def _merge_structures(self) -> int:
        """Bring the structures in; return how many are new."""
        execute("ANALYZE places (id)")
        # Of several lines about a structure (one for each process, one better than another), the first with an
        # address.
        execute(
            "CREATE TEMP TABLE chosen AS SELECT DISTINCT ON (p.id) p.id, p.ctid AS place FROM places p JOIN"
            " (SELECT id FROM places WHERE sflag > 0 GROUP BY id HAVING count(*) > 1) r USING (id)"
            " ORDER BY p.id, (p.postal_code = '' AND p.address = ''), p.ctid"
        )
        execute("ANALYZE chosen")
        execute("DELETE FROM places p USING chosen c WHERE p.id = c.id AND p.ctid <> c.place")
        if self._known:
            execute(
                "UPDATE directory_structure t SET technical_id = p.technical::varchar(40) FROM places p"
                " WHERE t.id = p.id AND p.sflag = 0 AND t.technical_id = '' AND p.technical <> ''"
            )
        return execute(
            "INSERT INTO directory_structure (id, source, kind, finess, finess_ej, siren, siret, technical_id,"
            " source_key, name, short_name, search_name, category, sector, legal_status, address, postal_code, town,"
            " commune_code, phone, phone_as_given, email, mss_address, manager_name, seen_on, content_hash,"
            " created_at) SELECT s.id, 'rpps', 'eg', s.finess::varchar(9), s.finess_ej::varchar(9),"
            " s.siren::varchar(9), s.siret::varchar(14), s.technical::varchar(40), s.skey::varchar(60), s.sname,"
            " CASE WHEN s.trade_name = s.sname THEN '' ELSE s.trade_name::varchar(80) END, s.ssearch::varchar(300),"
            " '', s.sector, '', s.address, s.postal_code, s.town, s.commune_code, s.phone, '', s.email, '', '', %s,"
            " s.shash, %s FROM places s WHERE s.sflag > 0",
            [self._day, self._now],
        )


def _new_lines(
    ends: Ends, positions: list[int], place_ids: list[str], coordinates: list[Sequence[str]]
) -> dict[int, str]:
    columns = [[column[n] for n in positions] for column in (place_ids, *coordinates, ends.table[SECTOR])]
    placed = zip(positions, ends.structures(positions), *columns, strict=True)
    return {n: f"{place}|{told}|{'|'.join(where)}\n" for n, told, place, *where in placed}


def _known_lines(ends: Ends, positions: list[int], place_ids: list[str]) -> dict[int, str]:
    """Of a structure known already, only the technical identifier may be new."""
    technical = ends.table["Identifiant technique de la structure"]
    return {n: f"{place_ids[n]}|0||||||{technical[n]}||0|||||||||\n" for n in positions}


def _numbers(national: str) -> str:
    """RPPS and ADELI numbers of a national identifier."""
    return f"{national[1:]}|" if national[0] == "8" else f"|{national[1:][:9] if national[0] == '0' else ''}"


def limited(column: Sequence[str], size: int) -> Sequence[str]:
    """Cut the values to what the database holds; most blocks have nothing to cut."""
    return column if max(map(len, column)) <= size else [value[:size] for value in column]
