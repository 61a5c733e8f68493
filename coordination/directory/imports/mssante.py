"""`manage.py import_mssante`: mailboxes of people and structures (directories.md A.6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from coordination.directory.errors import FileRefused
from coordination.directory.imports import completion, normalise
from coordination.directory.imports.headers import MSSANTE
from coordination.directory.imports.rpps_lines import columns
from coordination.directory.imports.runs import UNREADABLE, Counts, Load, Options, Report, run
from coordination.directory.imports.sources import Inspection, blocks, inspect, sources
from coordination.directory.imports.staging import copy, copy_line, execute, hash64, hold, new_id, scalar, temporary

REQUIRED = ("Type de BAL", "Adresse BAL", "Identification nationale PP", "Identification Structure")
OWNERS = ("Identification nationale PP", "Identification Structure")
TRUE = {"true", "vrai", "oui", "o", "1", "t"}
# Long enough for every identifier in force (SIRET has fourteen digits).
LONGEST_NUMBER = 40


def import_mssante(path: Path, options: Options | None = None) -> list[Report]:
    """Load the correspondence file. Raises FileRefused, then nothing has changed."""
    return [run("mssante", source, _load, options or Options()) for source in sources(path)]


def _load(load: Load) -> None:
    load.progress.phase("Contrôle du fichier")
    seen = inspect(load.source)
    # Some copies name the last columns without " structure BAL": only the first eighteen are read.
    known = "|".join(MSSANTE.split("|")[:18])
    found = columns(seen.header, known, REQUIRED, load.source.name)
    load.read = max(seen.lines - 1, 0)
    load.check_size(load.read)
    execute(
        "CREATE TEMP TABLE stage (n bigint, kind text, address text, national_id text, structure_id_type text,"
        " structure_number text, service text, paperless boolean, hash bigint) ON COMMIT DROP"
    )
    load.progress.phase("Lecture", seen.bytes)
    copy("stage", _staged(load, seen, found))
    load.check_refusals()
    load.progress.phase("Fusion")
    load.counts = {"boîtes": _merge(load)}


def _staged(load: Load, seen: Inspection, found: list[str]) -> Iterator[str]:
    index = {name: position for position, name in enumerate(found) if name}
    # Without the empty name behind a last bar, which header and rows have or have not.
    width = len(found) - (not found[-1])
    number = done = 0
    fields: list[str] = found
    with load.source.open() as file:
        for lines in blocks(file):
            out = []
            for raw in lines:
                number += 1
                if number == 1 or not raw.strip():
                    continue
                fields = raw.decode(seen.encoding).split("|")
                reason = _fault(fields, index, width)
                if reason:
                    load.refuse(number, reason, *_about(fields, index, width))
                else:
                    out.append(copy_line([number, *_values(fields, index)]))
            done += sum(map(len, lines)) + len(lines)
            load.progress.advance(done, number)
            yield "".join(out)
    if len(fields) < width:
        raise FileRefused(f"{load.source.name} est tronqué : sa dernière ligne est incomplète. Rien n'a été modifié.")


def _fault(fields: list[str], index: dict[str, int], width: int) -> str:
    if not _is_whole(fields, width):
        return f"{len(fields)} colonnes au lieu de {width}"
    if fields[index["Type de BAL"]] not in ("PER", "ORG"):
        return "type de boîte inconnu"
    if not normalise.email(fields[index["Adresse BAL"]]):
        return "adresse mal formée"
    if len(fields[index["Identification Structure"]]) > LONGEST_NUMBER:
        return "identifiant de structure trop long"
    return ""


def _is_whole(fields: list[str], width: int) -> bool:
    """With or without the empty field behind a last bar."""
    return len(fields) == width or (len(fields) == width + 1 and not fields[-1])


def _about(fields: list[str], index: dict[str, int], width: int) -> list[str]:
    """Whose mailbox a line at fault may describe: its address, else the person and the structure it names."""
    address = normalise.email(fields[index["Adresse BAL"]] if len(fields) > index["Adresse BAL"] else "")
    if address:
        return [address]
    owners = [fields[index[name]].strip() for name in OWNERS] if _is_whole(fields, width) else []
    return [owner for owner in owners if owner] or [UNREADABLE]


def _values(fields: list[str], index: dict[str, int]) -> list:
    def read(name: str) -> str:
        position = index.get(name)
        return fields[position].strip() if position is not None else ""

    values = [
        read("Type de BAL"),
        normalise.email(read("Adresse BAL")),
        read("Identification nationale PP")[:30],
        read("Type identifiant structure")[:1],
        read("Identification Structure"),
        read("Service de rattachement")[:200],
        "t" if read("Dématérialisation").lower() in TRUE else "f",
    ]
    return [*values, hash64("|".join(values).encode())]


_SAME = "d.address = s.address AND d.national_id = s.national_id AND d.structure_number = s.structure_number"


def _merge(load: Load) -> Counts:
    now, day = timezone.now(), load.day
    execute(
        "DELETE FROM stage s USING (SELECT address, national_id, structure_number, min(n) AS n FROM stage"
        f" GROUP BY 1, 2, 3 HAVING count(*) > 1) d WHERE {_SAME} AND s.n <> d.n"
    )
    execute("ANALYZE stage")
    execute("ANALYZE directory_mailbox (address, national_id, structure_number, ceased_at)")
    # Whose mailbox moved: they are completed again at the end.
    execute(
        "CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT s.national_id, s.structure_number FROM stage s"
        f" LEFT JOIN directory_mailbox d ON {_SAME} WHERE d.content_hash IS DISTINCT FROM s.hash"
    )
    # Before the new rows come in: they are not among those known.
    ceased = _remove_missing(load, now)
    changed = execute(
        "UPDATE directory_mailbox d SET kind = s.kind, structure_id_type = s.structure_id_type, service = s.service,"
        f" paperless = s.paperless, ceased_at = NULL, seen_on = %s, content_hash = s.hash FROM stage s WHERE {_SAME}"
        " AND d.content_hash IS DISTINCT FROM s.hash",
        [day],
    )
    # Chosen first: a table that looked empty when it was counted would be walked again for each row added to it.
    temporary("fresh", f"SELECT s.* FROM stage s LEFT JOIN directory_mailbox d ON {_SAME} WHERE d.id IS NULL")
    new = execute(
        "INSERT INTO directory_mailbox (id, kind, address, national_id, structure_id_type, structure_number, service,"
        f" paperless, seen_on, content_hash) SELECT {new_id('s.n')}, s.kind, s.address, s.national_id,"
        " s.structure_id_type, s.structure_number, s.service, s.paperless, %s, s.hash FROM fresh s",
        [day],
    )
    _lend()
    return Counts(new, changed, ceased)


def _remove_missing(load: Load, now: datetime) -> int:
    """Mark removed the mailboxes that the file names no more, save those a refused line was about."""
    hold(load.held)
    temporary(
        "gone",
        "SELECT d.id, d.national_id, d.structure_number"
        f" FROM directory_mailbox d LEFT JOIN stage s ON {_SAME} LEFT JOIN held a ON a.key = d.address"
        " LEFT JOIN held p ON p.key = d.national_id LEFT JOIN held t ON t.key = d.structure_number"
        " WHERE d.ceased_at IS NULL AND s.n IS NULL AND a.key IS NULL AND p.key IS NULL AND t.key IS NULL",
    )
    known = scalar("SELECT count(*) FROM directory_mailbox WHERE ceased_at IS NULL")
    load.check_gone(scalar("SELECT count(*) FROM gone"), known, "boîtes")
    if not load.may_cease():
        return 0
    execute("INSERT INTO moved SELECT national_id, structure_number FROM gone")
    return execute(
        "UPDATE directory_mailbox d SET ceased_at = %s, content_hash = NULL FROM gone WHERE gone.id = d.id", [now]
    )


def _lend() -> None:
    execute("ANALYZE moved")
    completion.lend_mailboxes("SELECT DISTINCT national_id FROM moved WHERE national_id <> ''")
    columns = ("finess", "technical_id", "siret", "siren")
    completion.lend_structure_mailboxes(
        " UNION ".join(
            f"SELECT t.id FROM moved n JOIN directory_structure t ON t.{column} = n.structure_number"  # noqa: S608
            " WHERE n.national_id = '' AND n.structure_number <> ''"
            for column in columns
        )
    )
