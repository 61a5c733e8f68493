"""`PS_LibreAcces_SavoirFaire`: one row per person, profession and savoir-faire (directories.md A.4).

The file is complete: what it names is its own, and what it names no more has ceased.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from django.utils import timezone

from coordination.directory.errors import FileRefused
from coordination.directory.imports.headers import SAVOIR_FAIRE
from coordination.directory.imports.rpps_columns import about
from coordination.directory.imports.rpps_lines import columns
from coordination.directory.imports.runs import Counts, Load
from coordination.directory.imports.sources import Inspection, blocks, inspect
from coordination.directory.imports.staging import (
    ONE_KIND,
    copy,
    execute,
    hold,
    new_id,
    postponed_indexes,
    scalar,
    temporary,
)

REQUIRED = ("Identification nationale PP", "Code profession", "Code type savoir-faire", "Code savoir-faire")


def load(load: Load) -> None:
    """Body of one load (runs.run)."""
    load.progress.phase("Contrôle du fichier")
    seen = inspect(load.source)
    found = columns(seen.header, SAVOIR_FAIRE, REQUIRED, load.source.name)
    load.read = max(seen.lines - 1, 0)
    load.check_size(load.read)
    execute("CREATE TEMP TABLE stage (national_id text, profession text, kind text, code text) ON COMMIT DROP")
    load.progress.phase("Lecture", seen.bytes)
    copy("stage", _staged(load, seen, found))
    load.check_refusals()
    load.progress.phase("Fusion")
    with postponed_indexes(["directory_savoirfaire"], load.read):
        load.counts = {"savoir-faire": _merge(load)}


def _staged(load: Load, seen: Inspection, found: list[str]) -> Iterator[str]:
    width, pick = len(found), itemgetter(*(found.index(column) for column in REQUIRED))
    number = done = 0
    fields: list[str] = found
    with load.source.open() as file:
        for lines in blocks(file):
            out = []
            for number, raw in enumerate(lines, number + 1):  # noqa: B020 - the count goes on from block to block
                if number == 1 or not raw.strip():
                    continue
                fields = raw.decode(seen.encoding).replace("\\", "/").split("|")
                row = pick(fields) if len(fields) == width else ()
                if not row or not all(row) or len(row[1]) > 4 or len(row[2]) > 5 or len(row[3]) > 10:
                    reason = "colonnes manquantes ou valeurs vides" if not row or not all(row) else "code"
                    load.refuse(number, reason, *about(fields, width))
                    continue
                out.append("|".join(row))
            done += sum(map(len, lines)) + len(lines)
            load.progress.advance(done, number)
            if out:
                yield "\n".join(out) + "\n"
    if len(fields) != width:
        raise FileRefused(f"{load.source.name} est tronqué : sa dernière ligne est incomplète. Rien n'a été modifié.")


def _merge(load: Load) -> Counts:
    execute("ANALYZE stage")
    # As the activity file may just have left it: counted before, the rows not yet taken over would seem none.
    execute("ANALYZE directory_savoirfaire (professional_id, from_full_list, ceased_at)")
    temporary(
        "sf",
        f"SELECT p.id AS professional_id, s.profession, {ONE_KIND} AS kind, s.code FROM stage s"
        " JOIN directory_professional p ON p.national_id = s.national_id AND p.national_id <> ''"
        " GROUP BY p.id, s.profession, s.code",
    )
    same = "d.professional_id = s.professional_id AND d.profession = s.profession AND d.code = s.code"
    # First, while the count above is true: what follows makes thousands of rows its own.
    ceased = _cease_missing(load, same)
    changed = execute(
        "UPDATE directory_savoirfaire d SET from_full_list = true, kind = s.kind, ceased_at = NULL FROM sf s"
        f" WHERE {same} AND (d.kind <> s.kind OR d.ceased_at IS NOT NULL)"
    )
    # Nothing that anybody can see: this file rules from now on what the activity file brought.
    taken_over = execute(
        f"UPDATE directory_savoirfaire d SET from_full_list = true FROM sf s WHERE {same} AND NOT d.from_full_list"
    )
    if taken_over:
        load.messages.append(f"{taken_over} savoir-faire du fichier des activités confirmés, sans changement.")
    new = execute(
        "INSERT INTO directory_savoirfaire (id, professional_id, profession, kind, code, from_full_list)"
        f" SELECT {new_id('row_number() OVER ()')}, s.professional_id, s.profession, s.kind, s.code, true FROM sf s"
        f" WHERE NOT EXISTS (SELECT 1 FROM directory_savoirfaire d WHERE {same})"
    )
    return Counts(new, changed, ceased)


def _cease_missing(load: Load, same: str) -> int:
    """Mark ceased what the file names no more, save of people of whom a line was refused."""
    hold(load.held)
    mine = "d.from_full_list AND d.ceased_at IS NULL"
    temporary(
        "gone",
        "SELECT d.id FROM directory_savoirfaire d JOIN directory_professional p ON p.id = d.professional_id"
        f" LEFT JOIN held h ON h.key = p.national_id WHERE {mine} AND h.key IS NULL"
        f" AND NOT EXISTS (SELECT 1 FROM sf s WHERE {same})",
    )
    known = scalar(f"SELECT count(*) FROM directory_savoirfaire d WHERE {mine}")  # noqa: S608 - our constants
    load.check_gone(scalar("SELECT count(*) FROM gone"), known, "savoir-faire")
    if not load.may_cease():
        return 0
    return execute(
        "UPDATE directory_savoirfaire d SET ceased_at = %s FROM gone WHERE gone.id = d.id", [timezone.now()]
    )
