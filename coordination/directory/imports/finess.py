"""`manage.py import_finess`: the legacy CSV, the same with coordinates, and the FINESS+ JSON (directories.md B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from coordination.directory.errors import FileRefused
from coordination.directory.imports import finess_csv, finess_json, structure_rows
from coordination.directory.imports.finess_csv import parse_day
from coordination.directory.imports.runs import Load, Options, Report, run
from coordination.directory.imports.sources import Source, sources
from coordination.directory.imports.structure_rows import StructureRow

# Where each generation says when it was made.
_GENERATED = re.compile(rb'"generatedAt"\s*:\s*"(\d{4}-\d\d-\d\d)')
_EXTRACTED = re.compile(rb"^(?:\xef\xbb\xbf)?finess;etalab;[^;]*;(\d{4}-\d\d-\d\d)")


def import_finess(path: Path, options: Options | None = None) -> list[Report]:
    """Load one FINESS file, whatever its generation. Raises FileRefused, then nothing has changed."""
    found = sources(path)
    if len(found) != 1:
        raise FileRefused(f"L'archive {path.name} doit contenir un seul fichier FINESS. Rien n'a été modifié.")
    # Told apart, because the number of rows of one generation says nothing of the other's.
    kind, pattern = ("finess", _GENERATED) if _is_json(found[0]) else ("finess-csv", _EXTRACTED)
    # Both describe the same establishments: one that is older does not follow the other.
    day = _content_day(found[0], pattern)
    return [run(kind, found[0], _load, options or Options(), day=day, same=("finess", "finess-csv"))]


def _load(load: Load) -> None:
    load.progress.phase("Contrôle du fichier")
    is_json = load.run.kind == "finess"
    rows: Iterator[StructureRow] = finess_json.rows(load) if is_json else finess_csv.rows(load)
    structure_rows.stage(rows)
    load.check_size(load.read)
    load.check_refusals()
    load.progress.phase("Fusion")
    kinds = structure_rows.ALL_KINDS if is_json else ("eg",)
    load.counts = {"structures": structure_rows.merge(load, "finess", kinds=kinds)}


def _content_day(source: Source, pattern: re.Pattern[bytes]) -> date | None:
    with source.open() as file:
        found = pattern.search(file.read(4096))
    return parse_day(found[1].decode()) if found else None


def _is_json(source: Source) -> bool:
    with source.open() as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")
