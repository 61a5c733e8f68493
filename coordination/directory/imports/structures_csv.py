"""`manage.py import_structures`: our own CSV, for regional complements (docs/import-structures.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from coordination.common import communes
from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise, structure_rows
from coordination.directory.imports.runs import Load, Options, Report, run
from coordination.directory.imports.sources import inspect, sources, text_lines
from coordination.directory.imports.structure_rows import StructureRow

REQUIRED = ("identifiant", "libelle")
COLUMNS = (
    "identifiant", "libelle", "sigle", "categorie", "finess", "siren", "siret", "adresse", "code_postal", "ville",
    "code_commune", "telephone", "email", "mssante", "responsable", "etat",
)  # fmt: skip
CLOSED = {"ferme", "fermee", "f"}


def import_structures(path: Path, options: Options | None = None) -> list[Report]:
    """Load one file of structures. Raises FileRefused, then nothing has changed."""
    return [run("structures", source, _load, options or Options()) for source in sources(path)]


def _load(load: Load) -> None:
    load.progress.phase("Contrôle du fichier")
    structure_rows.stage(_rows(load))
    load.check_size(load.read)
    load.check_refusals()
    load.progress.phase("Fusion")
    load.counts = {"structures": structure_rows.merge(load, "regional")}


def _rows(load: Load) -> Iterator[StructureRow]:
    seen = inspect(load.source)
    header = _header(load, seen.header)
    load.progress.phase("Lecture", seen.lines)
    fields: list[str] = header
    damaged = 0
    with load.source.open() as file:
        for number, line in enumerate(text_lines(file, seen.encoding), 1):
            if number == 1 or not line.strip(";, "):
                continue
            fields = next(csv.reader([line], delimiter=";"))
            load.read += 1
            load.progress.advance(number, number)
            values = dict(zip(header, map(str.strip, fields), strict=False))
            reason = "nombre de colonnes" if len(fields) != len(header) else _fault(values)
            if reason:
                damaged += reason.startswith("tableur")
                load.refuse(number, reason)
                continue
            yield _row(values)
    if damaged > 2:
        raise FileRefused(
            f"{load.source.name} a perdu des zéros ou des chiffres dans un tableur : enregistrez les numéros en "
            "texte. Rien n'a été modifié."
        )
    if len(fields) < len(header):
        raise FileRefused(f"{load.source.name} est tronqué : sa dernière ligne est incomplète. Rien n'a été modifié.")


def _header(load: Load, line: str) -> list[str]:
    found = [fold(name).replace(" ", "_") for name in next(csv.reader([line], delimiter=";"), [])]
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise FileRefused(
            f"Colonnes absentes de {load.source.name} : {', '.join(missing)} (séparateur attendu : point-virgule). "
            "Rien n'a été modifié."
        )
    unknown = [name for name in found if name not in COLUMNS]
    if unknown:
        raise FileRefused(f"Colonnes inconnues dans {load.source.name} : {', '.join(unknown)}. Rien n'a été modifié.")
    return found


def _fault(values: dict[str, str]) -> str:
    lengths = {"finess": 9, "siren": 9, "siret": 14, "code_postal": 5, "code_commune": 5}
    for name, length in lengths.items():
        value = values.get(name, "")
        if normalise.SCIENTIFIC.match(value) or (value.isdigit() and len(value) == length - 1):
            return f"tableur : {name} a perdu des chiffres"
        if value and len(value) != length:
            return f"{name} doit compter {length} caractères"
    if not values["identifiant"] or len(values["identifiant"]) > 50:
        return "identifiant absent ou trop long"
    return "" if values["libelle"] else "sans libellé"


def _row(values: dict[str, str]) -> StructureRow:
    def read(name: str) -> str:
        return values.get(name, "")

    phone, as_given = normalise.finess_phone(read("telephone"))
    commune = read("code_commune") or next(
        (found.insee for found in communes.resolve(read("ville"), read("code_postal"))), ""
    )
    return StructureRow(
        kind="eg",
        finess=read("finess").upper(),
        source_key=f"REG:{read('identifiant')}",
        siren=read("siren") or read("siret")[:9],
        siret=read("siret"),
        name=read("libelle"),
        short_name=read("sigle"),
        search_name=fold(f"{read('libelle')} {read('sigle')}"),
        category=read("categorie"),
        address=read("adresse"),
        postal_code=read("code_postal"),
        town=read("ville"),
        commune_code=commune,
        phone=phone,
        phone_as_given=as_given,
        email=normalise.email(read("email")),
        mss_address=normalise.email(read("mssante")),
        manager_name=read("responsable"),
        closed=fold(read("etat")) in CLOSED,
    )
