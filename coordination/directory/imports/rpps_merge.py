"""Set-based merge of the staged activity lines, in the caller's transaction.

Readers keep searching: rows are inserted and updated, never deleted. New rows take their UUIDv7 from their line
number (staging.new_id), so that a first load needs no look-up to know whose activity an activity is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from coordination.directory.imports import completion
from coordination.directory.imports.rpps_structures import cease_empty_structures, merge_structures
from coordination.directory.imports.runs import Counts, Load
from coordination.directory.imports.staging import MASK, ONE_KIND, execute, hold, new_id, scalar, temporary

# In the order of the keys between them.
TABLES = ("directory_structure", "directory_professional", "directory_savoirfaire", "directory_activity")
# Indexes that an activity file leaves as they are, or nearly: it knows no mailbox, no mail and no telephone of a
# person, merges no structure.
KEPT_INDEXES = (
    "professional_mss",
    "professional_email",
    "professional_phone",
    "structure_merged_into",
    "structure_email",
    "structure_mss",
    "activity_mss",
)
# What the merge joins and chooses on, counted before it: the last load may be a minute old, its statistics a day.
COUNTED = {
    "directory_structure": "id, source, finess, source_key, ceased_at",
    "directory_professional": "id, source, national_id, ceased_at",
    "directory_savoirfaire": "professional_id, from_full_list, ceased_at",
    "directory_activity": "professional_id, structure_id, natural_key, ceased_at",
}


def create_tables(stage_columns: Iterable[str]) -> None:
    """Make the tables of this load, which go with its transaction."""
    execute(f"CREATE TEMP TABLE stage ({', '.join(stage_columns)}) ON COMMIT DROP")
    execute("CREATE TEMP TABLE seen_people (national_id text, hash bigint) ON COMMIT DROP")
    execute("CREATE TEMP TABLE gone_people (id uuid) ON COMMIT DROP")
    execute("CREATE TEMP TABLE touched_structures (id uuid) ON COMMIT DROP")


def has_people() -> bool:
    """Say whether an activity file left somebody to compare with."""
    return scalar("SELECT EXISTS (SELECT 1 FROM directory_professional WHERE content_hash IS NOT NULL)")


def compare(*, regroup: bool) -> None:
    """Fill `changed_people` and `gone_people` from the hashes of the file and those of the directory."""
    seen = "seen_people"
    if regroup:
        seen = f"(SELECT national_id, mod(sum(hash), {MASK + 1}) AS hash FROM seen_people GROUP BY national_id)"
    execute("ANALYZE seen_people")
    temporary(
        "compared",
        "SELECT s.national_id, p.id FROM (SELECT id, national_id, content_hash, ceased_at FROM directory_professional"
        f" WHERE source = 'rpps') p FULL JOIN {seen} s ON s.national_id = p.national_id"
        " WHERE (p.id IS NULL OR (s.national_id IS NULL AND p.ceased_at IS NULL))"
        " OR (s.national_id IS NOT NULL AND (p.content_hash IS DISTINCT FROM s.hash OR p.ceased_at IS NOT NULL))",
    )
    execute(
        "CREATE TEMP TABLE changed_people ON COMMIT DROP AS"
        " SELECT national_id FROM compared WHERE national_id IS NOT NULL"
    )
    execute("INSERT INTO gone_people SELECT id FROM compared WHERE national_id IS NULL")
    execute("ANALYZE gone_people")


def gone_and_known() -> tuple[int, int]:
    """Return how many people of the directory are not in the file, and how many practised until now."""
    return (
        scalar("SELECT count(*) FROM gone_people"),
        scalar("SELECT count(*) FROM directory_professional WHERE source = 'rpps' AND ceased_at IS NULL"),
    )


def changed_people() -> list[str]:
    """Return the national identifiers that `compare` found new or changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT national_id FROM changed_people")
        return [row[0] for row in cursor]


def count_rows() -> None:
    """Give the planner the sizes of today."""
    for table, columns in COUNTED.items():
        execute(f"ANALYZE {table} ({columns})")


def merge(load: Load, held: set[str]) -> None:
    """Bring the staged lines into the directory and fill the counts of the load."""
    now, day = timezone.now(), load.day
    load.held |= held
    hold(load.held)
    spared = not load.may_cease()
    if spared:
        execute("DELETE FROM gone_people")
    _join_scattered_people()
    structures = merge_structures(day, now)
    _stage_savoir_faire()
    _drop_doubles()
    people_id = new_id("s.pn")
    people = _merge_people(people_id, day, now, spared=spared)
    savoir_faire = _merge_savoir_faire(people_id, now)
    activities = _merge_activities(people_id, day, now)
    structures.ceased = cease_empty_structures(now)
    completion.lend_mailboxes("SELECT national_id FROM stage WHERE pfirst")
    load.counts = {
        "situations d'exercice": activities,
        "professionnels": people,
        "savoir-faire": savoir_faire,
        "structures": structures,
    }


def _join_scattered_people() -> None:
    """Give one number to the lines of a person that were not neighbours in the file."""
    temporary(
        "scattered",
        "SELECT national_id, min(pn) AS pn,"
        f" mod(sum(phash), {MASK + 1}) AS hash FROM stage WHERE pfirst GROUP BY national_id HAVING count(*) > 1",
    )
    execute(
        "UPDATE stage s SET pn = c.pn, pfirst = s.pfirst AND s.pn = c.pn, phash = c.hash"
        " FROM stage f JOIN scattered c USING (national_id) WHERE f.pfirst AND s.pn = f.pn"
    )


def _drop_doubles() -> None:
    """Keep one line of an activity that scattered lines brought several times."""
    temporary(
        "doubled",
        "SELECT s.pn, s.nk, min(s.n) AS n,"
        f" mod(sum(s.ahash), {MASK + 1}) AS hash"
        " FROM stage s JOIN scattered c USING (pn) GROUP BY s.pn, s.nk HAVING count(*) > 1",
    )
    # The order of rpps_columns._rank.
    temporary(
        "shown",
        "SELECT DISTINCT ON (d.n) d.n, s.speciality FROM doubled d JOIN stage s ON s.pn = d.pn AND s.nk = d.nk"
        " LEFT JOIN staged_sf k ON k.pn = s.pn AND k.profession = s.profession AND k.code = s.speciality"
        " ORDER BY d.n, s.speciality = '', k.kind IS DISTINCT FROM 'S', s.speciality COLLATE \"C\"",
    )
    execute(
        "UPDATE stage s SET ahash = d.hash, speciality = w.speciality FROM doubled d JOIN shown w USING (n)"
        " WHERE s.n = d.n"
    )
    execute("DELETE FROM stage s USING doubled d WHERE s.pn = d.pn AND s.nk = d.nk AND s.n <> d.n")


def _stage_savoir_faire() -> None:
    temporary(
        "staged_sf",
        f"SELECT pn, profession, {ONE_KIND} AS kind, code FROM (SELECT s.pn, split_part(x, ',', 1) AS profession,"
        " split_part(x, ',', 2) AS kind, split_part(x, ',', 3) AS code"
        " FROM stage s, unnest(string_to_array(s.savoir_faire, ';')) x WHERE s.savoir_faire <> '') told"
        " GROUP BY pn, profession, code",
    )


def _merge_people(people_id: str, day: date, now: datetime, *, spared: bool) -> Counts:
    """`spared`: nobody can tell what some refused line was about, so everybody's is left as it was."""
    # Whose number in this file is which row of the directory; empty at the first load.
    temporary(
        "known",
        f"SELECT s.pn, p.id, {spared} OR h.key IS NOT NULL AS held FROM stage s"
        " JOIN directory_professional p ON p.national_id = s.national_id AND p.national_id <> ''"
        " LEFT JOIN held h ON h.key = s.national_id WHERE s.pfirst",
    )
    # Nobody is parsed again but those whose lines changed, and those of whom a line could not be read.
    execute("UPDATE stage s SET phash = NULL FROM held h WHERE s.pfirst AND h.key = s.national_id")
    if spared:
        execute("UPDATE stage s SET phash = NULL FROM known k WHERE s.pfirst AND k.pn = s.pn")
    new = execute(
        "INSERT INTO directory_professional (id, source, national_id, rpps, adeli, civility, practice_civility,"
        " family_name, given_name, search_family, search_given, mss_address, email, phone, seen_on, content_hash,"
        f" created_at) SELECT {people_id}, 'rpps', s.national_id,"
        " CASE WHEN s.national_id LIKE '8%%' THEN substr(s.national_id, 2)::varchar(11) ELSE '' END,"
        " CASE WHEN s.national_id LIKE '0%%' THEN substr(s.national_id, 2)::varchar(9) ELSE '' END,"
        " s.civility::varchar(5), s.practice_civility::varchar(5), s.family::varchar(120), s.given::varchar(120),"
        " s.sfam::varchar(150), s.sgiv::varchar(150), '', '', '', %s, s.phash, %s"
        " FROM stage s LEFT JOIN known k ON k.pn = s.pn WHERE s.pfirst AND k.id IS NULL",
        [day, now],
    )
    changed = execute(
        "UPDATE directory_professional p SET source = 'rpps', civility = s.civility::varchar(5),"
        " practice_civility = s.practice_civility::varchar(5), family_name = s.family::varchar(120),"
        " given_name = s.given::varchar(120), search_family = s.sfam::varchar(150),"
        " search_given = s.sgiv::varchar(150), seen_on = %s, content_hash = s.phash, ceased_at = NULL"
        " FROM stage s JOIN known k ON k.pn = s.pn WHERE s.pfirst AND p.id = k.id"
        " AND (p.content_hash IS DISTINCT FROM s.phash OR p.ceased_at IS NOT NULL)",
        [day],
    )
    ceased = execute(
        "UPDATE directory_professional p SET ceased_at = %s FROM gone_people g WHERE p.id = g.id"
        " AND p.ceased_at IS NULL AND NOT EXISTS (SELECT 1 FROM held h WHERE h.key = p.national_id)",
        [now],
    )
    return Counts(new, changed, ceased)


def _merge_savoir_faire(people_id: str, now: datetime) -> Counts:
    """Add what the activity lines name; cease what they alone had brought and name no more."""
    temporary(
        "sf",
        "SELECT coalesce(k.id, "
        f"{people_id}) AS professional_id, s.profession, s.kind, s.code, k.id IS NOT NULL AS known"
        " FROM staged_sf s LEFT JOIN known k ON k.pn = s.pn",
    )
    ceased = execute(
        "UPDATE directory_savoirfaire d SET ceased_at = %s FROM known k WHERE d.professional_id = k.id AND NOT k.held"
        " AND d.ceased_at IS NULL AND NOT d.from_full_list AND NOT EXISTS (SELECT 1 FROM sf s WHERE"
        " s.professional_id = k.id AND s.profession = d.profession AND s.code = d.code)",
        [now],
    )
    new = execute(
        "INSERT INTO directory_savoirfaire (id, professional_id, profession, kind, code, from_full_list)"
        f" SELECT {new_id('row_number() OVER ()')}, s.professional_id, s.profession, s.kind::varchar(5), s.code, false"
        " FROM sf s LEFT JOIN directory_savoirfaire d ON d.professional_id = s.professional_id"
        " AND d.profession = s.profession AND d.code = s.code WHERE d.id IS NULL"
    )
    back = execute(
        "UPDATE directory_savoirfaire d SET ceased_at = NULL FROM sf s WHERE s.known"
        " AND d.professional_id = s.professional_id AND d.profession = s.profession AND d.code = s.code"
        " AND d.ceased_at IS NOT NULL AND NOT d.from_full_list"
    )
    return Counts(new, back, ceased)


# An activity whose line has no address takes the one of its FINESS structure.
_INCOMING = """
    SELECT s.n, coalesce(k.id, {people_id}) AS professional_id, k.id IS NOT NULL AS known, i.id AS structure_id,
        s.nk, s.profession, s.category, s.speciality, s.mode, s.genre::varchar(6) AS genre, s.fonction,
        s.sector::varchar(6) AS sector,
        coalesce(nullif(s.sname, ''), t.name, '')::varchar(200) AS structure_name,
        coalesce(nullif(s.address, ''), t.address, '')::varchar(300) AS address,
        i.id IS NOT NULL AND s.address = '' AND s.postal_code = '' AS borrowed,
        coalesce(nullif(s.postal_code, ''), t.postal_code, '')::varchar(10) AS postal_code,
        coalesce(nullif(s.town, ''), t.town, '')::varchar(80) AS town,
        coalesce(nullif(s.commune_code, ''), t.commune_code, '')::varchar(5) AS commune_code,
        coalesce(nullif(s.phone, ''), t.phone, '') AS phone, s.email,
        s.sfam::varchar(150) AS search_family, s.sgiv::varchar(150) AS search_given, s.ahash
    FROM stage s LEFT JOIN known k ON k.pn = s.pn LEFT JOIN structure_ids i ON i.skey = s.skey
    LEFT JOIN lenders t ON t.id = i.id AND s.address = '' AND s.postal_code = ''
"""


def _merge_activities(people_id: str, day: date, now: datetime) -> Counts:
    temporary(
        "lenders",
        # Once each: two technical identifiers may be one structure.
        "SELECT DISTINCT t.id, t.name, t.address, t.postal_code, t.town, t.commune_code, t.phone"
        " FROM structure_ids i JOIN directory_structure t USING (id) WHERE i.lends",
    )
    incoming = _INCOMING.format(people_id=people_id)
    new = execute(
        "INSERT INTO directory_activity (id, professional_id, structure_id, natural_key, profession, category,"
        " speciality, mode, genre, fonction, sector, structure_name, address, address_borrowed, postal_code, town,"
        " commune_code, phone, email, mss_address, search_family, search_given, seen_on, content_hash)"
        f" SELECT {new_id('x.n')}, x.professional_id, x.structure_id, x.nk, x.profession, x.category, x.speciality,"
        " x.mode, x.genre, x.fonction, x.sector, x.structure_name, x.address, x.borrowed, x.postal_code, x.town,"
        " x.commune_code, x.phone, x.email, '', x.search_family, x.search_given, %s, x.ahash"
        f" FROM ({incoming}) x LEFT JOIN directory_activity a ON a.professional_id = x.professional_id"
        " AND a.natural_key = x.nk WHERE a.id IS NULL",
        [day],
    )
    execute(
        "INSERT INTO touched_structures SELECT a.structure_id FROM directory_activity a JOIN known k"
        " ON k.id = a.professional_id WHERE a.structure_id IS NOT NULL"
    )
    changed = execute(
        "UPDATE directory_activity a SET structure_id = x.structure_id, speciality = x.speciality,"
        " structure_name = x.structure_name, address = x.address, address_borrowed = x.borrowed,"
        " postal_code = x.postal_code, town = x.town, commune_code = x.commune_code, phone = x.phone,"
        " email = x.email, search_family = x.search_family, search_given = x.search_given, seen_on = %s,"
        f" content_hash = x.ahash, ceased_at = NULL FROM ({incoming}) x WHERE x.known"
        " AND a.professional_id = x.professional_id AND a.natural_key = x.nk AND (a.content_hash IS DISTINCT FROM"
        " x.ahash OR a.ceased_at IS NOT NULL OR a.structure_id IS DISTINCT FROM x.structure_id)",
        [day],
    )
    ceased = execute(
        "UPDATE directory_activity a SET ceased_at = %s FROM known k WHERE a.professional_id = k.id AND NOT k.held"
        " AND a.ceased_at IS NULL AND a.content_hash IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM stage s WHERE s.pn = k.pn AND s.nk = a.natural_key)",
        [now],
    )
    return Counts(new, changed, ceased + _cease_activities_of_the_gone(now))


def _cease_activities_of_the_gone(now: datetime) -> int:
    execute(
        "INSERT INTO touched_structures SELECT a.structure_id FROM directory_activity a JOIN gone_people g"
        " ON g.id = a.professional_id WHERE a.ceased_at IS NULL AND a.structure_id IS NOT NULL"
    )
    return execute(
        "UPDATE directory_activity a SET ceased_at = %s FROM gone_people g JOIN directory_professional p"
        " ON p.id = g.id WHERE a.professional_id = g.id AND a.ceased_at IS NULL AND p.ceased_at IS NOT NULL",
        [now],
    )
