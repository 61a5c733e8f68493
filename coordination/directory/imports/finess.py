"""`manage.py import_finess`: the legacy CSV, the same with coordinates, and the FINESS+ JSON (directories.md B)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coordination.directory.errors import FileRefused
from coordination.directory.imports import finess_csv, finess_json, structure_rows
from coordination.directory.imports.runs import Load, Options, Report, run
from coordination.directory.imports.sources import Source, sources
from coordination.directory.imports.structure_rows import StructureRow


def import_finess(path: Path, options: Options | None = None) -> list[Report]:
    """Load one FINESS file, whatever its generation. Raises FileRefused, then nothing has changed."""
    found = sources(path)
    if len(found) != 1:
        raise FileRefused(f"L'archive {path.name} doit contenir un seul fichier FINESS. Rien n'a été modifié.")
    # Told apart, because the number of rows of one generation says nothing of the other's.
    kind = "finess" if _is_json(found[0]) else "finess-csv"
    return [run(kind, found[0], _load, options or Options())]


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


def _is_json(source: Source) -> bool:
    with source.open() as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")
