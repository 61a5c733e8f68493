"""`manage.py import_rpps`: the activity file and the savoir-faire file of the Annuaire Santé.

The activity file is compared person by person with what the last load left (a sum of line hashes): only the
people whose lines changed are parsed, staged and merged. Decision: docs/decisions/directory-imports.md.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import psycopg
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from coordination.directory.errors import FileRefused
from coordination.directory.imports import completion, rpps_first, rpps_merge, rpps_workers, savoir_faire
from coordination.directory.imports.rpps_lines import STAGE_COLUMNS, ActivityParser, line_salt
from coordination.directory.imports.runs import Load, Options, Report, run
from coordination.directory.imports.sources import Inspection, Source, blocks, decoded, inspect, sources
from coordination.directory.imports.staging import (
    MASK,
    SMALL_TABLE,
    copy,
    execute,
    postponed_indexes,
    scalar,
    settle_constraints,
)

# Beyond this many changed people, naming them costs more than parsing everybody.
MANY = 300_000


def import_rpps(paths: list[Path], options: Options | None = None) -> list[Report]:
    """Load activity and savoir-faire files (text, gzip or the zip of the ANS), activities first.

    Raises FileRefused; the files before the refused one are loaded, the refused one changed nothing.
    """
    options = options or Options()
    found = [(kind, source) for path in paths for source in sources(path) if (kind := _kind(source))]
    if not found:
        raise FileRefused("Aucun fichier Personne_activite ni SavoirFaire n'a été reconnu. Rien n'a été modifié.")
    found.sort(key=lambda pair: pair[0] != "rpps")
    bodies = {"rpps": _load_activities, "savoir-faire": savoir_faire.load}
    return [run(kind, source, bodies[kind], options) for kind, source in found]


def _kind(source: Source) -> str:
    """Tell the files apart by their headers; "" for the diplomas, which the circle does not need."""
    with source.open() as file:
        start = file.read(20_000)
    header = decoded(start.split(b"\n", 1)[0])
    if "diplôme" in header:
        return ""
    if "Numéro FINESS site" in header or "Identifiant technique" in header:
        return "rpps"
    if "Code type savoir-faire" in header:
        return "savoir-faire"
    # Unknown: the activity importer says what is missing, under the file's own name.
    return "savoir-faire" if "SavoirFaire" in source.name else "rpps"


def _load_activities(load: Load) -> None:
    load.progress.phase("Contrôle du fichier")
    seen = inspect(load.source)
    parser = ActivityParser(seen.header, load.source.name, load.refuse)
    load.read = max(seen.lines - 1, 0)
    if seen.encoding != "utf-8":
        load.messages.append(f"{load.source.name} est lu en Windows-1252.")
    load.check_size(load.read)
    _check_last_line(load.source, parser.width)
    if rpps_first.is_possible() and _load_first(load, seen):
        return
    with postponed_indexes(rpps_merge.TABLES, load.read, kept=rpps_merge.KEPT_INDEXES):
        rpps_merge.create_tables(STAGE_COLUMNS)
        wanted = _changed_people(load, seen, parser)
        if wanted is None or wanted:
            _stage(load, seen, parser, wanted)
        # Lines are judged before people: where none can be read, nobody is there.
        load.check_gone(*rpps_merge.gone_and_known(), "personnes")
        _check_damage(load, parser.zeros_kept, parser.zeros_lost)
        load.progress.phase("Fusion")
        rpps_merge.merge(load, parser.held)
        load.progress.phase("Construction des index")


class _Scattered(Exception):
    """The lines of a person are not together: the quick first load does not apply."""


def _load_first(load: Load, seen: Inspection) -> bool:
    """Load straight into the empty tables; False, and nothing done, when the file is not in order."""
    first = rpps_first.FirstLoad(load.day, timezone.now())
    told = rpps_workers.Piece()
    # FINESS has brought its structures: building their indexes again is quicker than adding as many rows.
    small = max(SMALL_TABLE, load.read // 2)
    try:
        with (
            transaction.atomic(),
            postponed_indexes(rpps_merge.TABLES, load.read, small, kept=rpps_merge.KEPT_INDEXES),
        ):
            load.progress.phase("Lecture", seen.bytes)
            with closing(_first_rows(load, seen, first, told)) as rows:
                first.store(rows, load.read)
            _check_damage(load, *told.zeros)
            for number, reason in told.refusals:
                load.refuse(number, reason)
            load.check_refusals()
            load.progress.phase("Personnes et structures")
            load.counts = first.finish(told.held)
            completion.lend_mailboxes("SELECT national_id FROM directory_professional WHERE national_id <> ''")
            completion.lend_structure_mailboxes("SELECT id FROM directory_structure")
            load.progress.phase("Construction des index")
            settle_constraints()
    except (_Scattered, DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError):
        # A value longer than its column: the general merge cuts it. A structure told twice, with its FINESS number
        # and without: it finds both. It will count the refused lines again.
        load.refused, load.refusals = 0, []
        return False
    return True


def _first_rows(
    load: Load, seen: Inspection, first: rpps_first.FirstLoad, told: rpps_workers.Piece
) -> Generator[rpps_first.Rows]:
    """Yield the rows of each block; `told` gathers the rest. Raises _Scattered."""
    done = lines = 0
    workers = rpps_workers.worker_count(seen.bytes)
    with closing(rpps_workers.pieces(load.source, seen.header, seen.encoding, first, workers)) as pieces:
        for piece in pieces:
            if not piece.in_order or (told.last and piece.first <= told.last):
                raise _Scattered
            told.last = piece.last or told.last
            told.refusals += piece.refusals
            told.held |= piece.held
            told.zeros = (told.zeros[0] + piece.zeros[0], told.zeros[1] + piece.zeros[1])
            done, lines = done + piece.size, lines + piece.lines
            load.progress.advance(done, lines)
            yield from piece.rows


def _check_last_line(source: Source, width: int) -> None:
    """A file cut in the middle of a line is cut: its last lines are missing too."""
    last = b""
    with source.open() as file:
        size = source.path.stat().st_size
        if file.seekable() and not source.member and size > 100_000 and file.name == str(source.path):
            file.seek(-100_000, 2)
        for lines in blocks(file):
            last = next(filter(bytes.strip, reversed(lines)), last)
    if last.count(b"|") + 1 < width:
        raise FileRefused(
            f"{source.name} est tronqué : sa dernière ligne est incomplète. Téléchargez-le de nouveau ; rien n'a "
            "été modifié."
        )


def _changed_people(load: Load, seen: Inspection, parser: ActivityParser) -> set[bytes] | None:
    """Return the identifiers of new or changed people, None for "everybody"."""
    if not rpps_merge.has_people():
        return None
    load.progress.phase("Comparaison", seen.bytes)
    order = _Order()
    copy("seen_people", _person_hashes(load, parser.width, line_salt(seen.header), order))
    rpps_merge.compare(regroup=not order.sorted)
    if scalar("SELECT count(*) FROM changed_people") > MANY:
        return None
    wanted = {key.encode() for key in rpps_merge.changed_people()}
    # Lines without a readable identifier are looked at each time: they are reported each time.
    return wanted | order.unreadable


class _Order:
    """Whether the people come in order, hence once each; and what stands where some lines have no identifier."""

    def __init__(self) -> None:
        self.sorted = True
        self.unreadable: set[bytes] = set()


def _person_hashes(load: Load, width: int, salt: bytes, order: _Order) -> Iterator[bytes]:
    """Yield "identifier|sum" lines, one for each run of neighbouring lines about one person."""
    bars = width - 1
    from_bytes = int.from_bytes
    # No key yet: the first lines may have an unreadable one, which is b"".
    current: bytes | None = None
    total = done = rows = 0
    first = True
    with load.source.open() as file:
        for lines in blocks(file):
            out = []
            for line in lines[1:] if first else lines:
                key = line.split(b"|", 3)[2] if line.count(b"|") == bars else b""
                if key != current:
                    if current:
                        out.append(b"%b|%d\n" % (current, total & MASK))
                        order.sorted = order.sorted and current < key
                    current, total = _readable(key, line, order), 0
                total += from_bytes(blake2b(line, digest_size=8, salt=salt).digest(), "big") & MASK
            first = False
            rows += len(lines)
            done += sum(map(len, lines)) + len(lines)
            load.progress.advance(done, rows)
            yield b"".join(out)
    if current:
        yield b"%b|%d\n" % (current, total & MASK)


def _readable(key: bytes, line: bytes, order: _Order) -> bytes:
    if key.isalnum():
        return key
    if line.strip():
        order.unreadable.add(key)
    return b""


def _stage(load: Load, seen: Inspection, parser: ActivityParser, wanted: set[bytes] | None) -> None:
    load.progress.phase("Lecture", seen.bytes)
    copy("stage", _staged(load, seen.encoding, parser, wanted))
    # The columns that joins look at: the planner must know that there are millions.
    execute("ANALYZE stage (n, pn, pfirst, national_id, sflag, skey, finess)")
    load.check_refusals()
    rpps_merge.count_rows()


def _staged(load: Load, encoding: str, parser: ActivityParser, wanted: set[bytes] | None) -> Iterator[str]:
    number = done = 0
    with load.source.open() as file:
        for lines in blocks(file):
            numbered: Iterator[tuple[int, bytes]] = enumerate(lines, number + 1)
            if number == 0:
                next(numbered, None)
            if wanted is not None:
                numbered = (pair for pair in numbered if _is_wanted(pair[1], wanted, parser.width - 1))
            text = parser.feed(numbered, encoding)
            number += len(lines)
            done += sum(map(len, lines)) + len(lines)
            load.progress.advance(done, number)
            if text:
                yield text
    yield parser.finish(encoding)


def _is_wanted(line: bytes, wanted: set[bytes], bars: int) -> bool:
    return line.count(b"|") != bars or line.split(b"|", 3)[2] in wanted


def _check_damage(load: Load, kept: int, lost: int) -> None:
    """Refuse a copy that a spreadsheet has been through: zeros lost in front, numbers like 2,6E+13."""
    if lost >= 1_000_000 or (lost > 3 and lost > kept):
        raise FileRefused(
            f"{load.source.name} est une copie passée par un tableur : des codes postaux ou des SIRET y ont perdu "
            "des chiffres. Prenez le fichier d'origine ; rien n'a été modifié."
        )
