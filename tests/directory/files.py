"""Small files in the national formats: generated ones, and lines written by hand from the specification."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from coordination.directory.generator import Generated, generate
from coordination.directory.imports import headers
from coordination.directory.imports.runs import Options

ANY_SIZE = Options(min_rows=0, accept_gap=True)

# The sample rows of directories.md A.3, invented there.
DOCTOR = (
    "8|10999000011|810999000011|DR|Docteur|MME|Madame|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|S|Spécialité ordinale"
    "|SM54|Médecine générale (SM)|L|Libéral, indépendant, artisan, commerçant|99900011100017||||R10999900000001"
    "|CABINET DU DR EXEMPLE-LARRIEU||||12||R|Rue|DES VIOLETTES FICTIVES||31400 TOULOUSE|31400|31555|Toulouse|||"
    "0536490001|||cabinet@exemple.example||||CNOM/CNOM/CNOM|SA07|Cabinet individuel|||FON-01|Titulaire de cabinet"
    "|GENR01|Activité de soin et de pharmacie|"
)
NURSE = (
    "8|10999000022|810999000022|||M|Monsieur|SPECIMEN|Noé|60|Infirmier|C|Civil|||||S|Salarié|||810999999|810999990"
    '|F810999999|EHPAD "LES ESSAIS" DE L\'AUTAN|||BAT B|3|B|AV|Avenue|DU TEST|BP 000|81400 CARMAUX|81400|81060'
    "|Carmaux|||0536490002|||||||ARS/ARS/ARS|SA17|Etablissement pour personnes âgées|||||GENR01"
    "|Activité de soin et de pharmacie|"
)
PSYCHOLOGIST = "8|10999000033|810999000033|||MME|Madame|MODELE|Anouk|93|Psychologue|C|Civil" + "|" * 44
PEOPLE = (DOCTOR, NURSE, PSYCHOLOGIST)


def changed(line: str, **columns: str) -> str:
    """Return the line with other values: `changed(DOCTOR, c8="NOUVEAU")`, columns counted from 1."""
    fields = line.split("|")
    for name, value in columns.items():
        fields[int(name[1:]) - 1] = value
    return "|".join(fields)


def people_file(folder: Path, *lines: str, header: str = headers.PERSON_ACTIVITY, **options: str) -> Path:
    path = folder / options.get("name", "PS_LibreAcces_Personne_activite_202611020620.txt")
    path.write_text("\n".join([header, *lines]) + "\n", encoding=options.get("encoding", "utf-8"), newline="")
    return path


@cache
def small() -> Generated:
    """Three hundred invented people and sixty establishments, written once."""
    return generate(Path(mkdtemp(prefix="annuaire-")), professionals=300, structures=60, seed=7)


def with_lines(path: Path, folder: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """Copy a text file with its lines changed."""
    target = folder / path.name
    lines = change(path.read_text(encoding="utf-8").split("\n"))
    target.write_text("\n".join(lines), encoding="utf-8", newline="")
    return target


def cut(path: Path, folder: Path, share: float = 0.6) -> Path:
    """A copy whose end was never received."""
    data = path.read_bytes()
    target = folder / path.name
    target.write_bytes(data[: int(len(data) * share)])
    return target


def zipped(folder: Path, *paths: Path) -> Path:
    target = folder / "PS_LibreAcces_202611020620.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return target


def gzipped(folder: Path, path: Path) -> Path:
    target = folder / f"{path.name}.gz"
    target.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    return target
