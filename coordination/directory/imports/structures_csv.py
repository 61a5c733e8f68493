"""`manage.py import_structures`: our own CSV, for regional complements (docs/import-structures.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coordination.common import communes
from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise, structure_rows
from coordination.directory.imports.csv_lines import Line, raw_field, read_line
from coordination.directory.imports.finess_csv import is_finess
from coordination.directory.imports.runs import UNREADABLE, Load, Options, Report, run
from coordination.directory.imports.sources import inspect, sources, text_lines
from coordination.directory.imports.structure_rows import StructureRow

REQUIRED = ("identifiant", "libelle")
COLUMNS = (
    "identifiant", "libelle", "sigle", "categorie", "finess", "siren", "siret", "adresse", "code_postal", "ville",
    "code_commune", "telephone", "email", "mssante", "responsable", "etat",
)  # fmt: skip
LONGEST_KEY = 50
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
    last = Line(header)
    damaged = 0
    about: tuple[str, ...] = ()
    with load.source.open() as file:
        for number, text in enumerate(text_lines(file, seen.encoding), 1):
            if number == 1 or not text.strip(";, "):
                continue
            # What follows a quote left open is the end of its value: about nothing else.
            continued = about if last.fault else ()
            last = line = read_line(text)
            load.read += 1
            load.progress.advance(number, number)
            reason = _fault(line, header)
            if reason:
                damaged += reason.startswith("tableur")
                about = continued or _about(text, header)
                load.refuse(number, reason, *about)
                continue
            yield _row(dict(zip(header, line.fields, strict=True)))
    if damaged > 2:
        raise FileRefused(
            f"{load.source.name} a perdu des zéros ou des chiffres dans un tableur : enregistrez les numéros en "
            "texte. Rien n'a été modifié."
        )
    if len(last.fields) < len(header) or last.fault:
        raise FileRefused(f"{load.source.name} est tronqué : sa dernière ligne est incomplète. Rien n'a été modifié.")


def _header(load: Load, line: str) -> list[str]:
    found = [fold(name).replace(" ", "_") for name in read_line(line).fields]
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise FileRefused(
            f"Colonnes absentes de {load.source.name} : {', '.join(missing)} (séparateur attendu : point-virgule). "
            "Rien n'a été modifié."
        )
    unknown = [name for name in found if name not in COLUMNS]
    if unknown:
        said = ", ".join(name or "une colonne sans nom" for name in unknown)
        raise FileRefused(f"Colonnes inconnues dans {load.source.name} : {said}. Rien n'a été modifié.")
    return found


def _about(text: str, header: list[str]) -> tuple[str, ...]:
    """Keys of the structure that a line at fault describes, as far as they can be read."""
    identifier = raw_field(text, header.index("identifiant"))
    if not 0 < len(identifier) <= LONGEST_KEY:
        return (UNREADABLE,)
    finess = raw_field(text, header.index("finess")).upper() if "finess" in header else ""
    return (f"REG:{identifier}", finess) if is_finess(finess) else (f"REG:{identifier}",)


def _fault(line: Line, header: list[str]) -> str:
    if line.fault:
        return line.fault
    if len(line.fields) != len(header):
        return "nombre de colonnes"
    values = dict(zip(header, line.fields, strict=True))
    lengths = {"finess": 9, "siren": 9, "siret": 14, "code_postal": 5, "code_commune": 5}
    for name, length in lengths.items():
        value = values.get(name, "")
        if normalise.SCIENTIFIC.match(value) or (value.isdigit() and len(value) == length - 1):
            return f"tableur : {name} a perdu des chiffres"
        if value and len(value) != length:
            return f"{name} doit compter {length} caractères"
    if not values["identifiant"] or len(values["identifiant"]) > LONGEST_KEY:
        return "identifiant absent ou trop long"
    return "" if values["libelle"] else "sans libellé"


def _row(values: dict[str, str]) -> StructureRow:
    def read(name: str) -> str:
        return values.get(name, "")

    phone, as_given = normalise.finess_phone(read("telephone"))
    named = communes.resolve(read("ville"), read("code_postal"))
    # Several: nobody says which, and a search by town would find it in the wrong one.
    commune = read("code_commune") or (named[0].insee if len(named) == 1 else "")
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
