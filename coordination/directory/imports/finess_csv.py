"""FINESS as published until 2026: `structureet` lines, then `geolocalisation` lines in one variant (B.1)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from coordination.common import communes
from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise
from coordination.directory.imports.csv_lines import Line, raw_field, read_line
from coordination.directory.imports.runs import UNREADABLE, Load
from coordination.directory.imports.sources import inspect, text_lines
from coordination.directory.imports.structure_rows import StructureRow

# 32 fields, the last one often left out with its separator.
WIDTHS = (31, 32)
GEOLOCATED_WIDTH = 6
# Kind of line -> its numbers of fields.
KINDS = {"structureet": WIDTHS, "geolocalisation": (GEOLOCATED_WIDTH,), "finess": (4,)}


def rows(load: Load) -> Iterator[StructureRow]:
    """Yield the open establishments of the file. Raises FileRefused for what is not a whole FINESS CSV."""
    seen = inspect(load.source)
    if not seen.header.startswith("finess;etalab;"):
        raise FileRefused(
            f"{load.source.name} n'est pas une extraction FINESS : la première ligne « finess;etalab » manque (copie "
            "passée par un tableur ?). Rien n'a été modifié."
        )
    if seen.encoding != "utf-8":
        load.messages.append(f"{load.source.name} est lu en Windows-1252.")
    load.progress.phase("Lecture", seen.lines)
    last = Line()
    damaged = 0
    with load.source.open() as file:
        for number, text in enumerate(text_lines(file, seen.encoding), 1):
            if not text.strip():
                continue
            last = line = read_line(text)
            if line.fields[:1] in (["finess"], ["geolocalisation"]):
                continue
            load.read += 1
            load.progress.advance(number, number)
            reason = _fault(line)
            if reason:
                damaged += reason.startswith("tableur")
                load.refuse(number, reason, _number(text))
                continue
            yield _row(line.fields)
    _check_whole(load, last.fields, damaged)


def _number(text: str) -> str:
    """FINESS number of a line at fault, UNREADABLE when there is none where it should be."""
    number = raw_field(text, 1)
    return number if is_finess(number) else UNREADABLE


def is_finess(number: str) -> bool:
    """True for nine digits, or letters as Corsica has them."""
    return len(number) == 9 and number.isascii() and number.isalnum()


def _fault(line: Line) -> str:
    fields = line.fields
    if line.fault:
        return line.fault
    if fields[0] != "structureet":
        return "ligne d'un genre inconnu"
    if len(fields) not in WIDTHS:
        return f"{len(fields)} champs au lieu de 32"
    if normalise.SCIENTIFIC.match(fields[22]) or (len(fields[1]) < 9 and fields[1].isdigit()):
        return "tableur : un numéro a perdu des chiffres"
    if not is_finess(fields[1]):
        return "numéro FINESS mal formé"
    return "" if fields[3] or fields[4] else "sans nom"


def _check_whole(load: Load, last: list[str], damaged: int) -> None:
    if damaged > max(2, 0.005 * load.read):
        raise FileRefused(
            f"{load.source.name} est une copie passée par un tableur : des numéros FINESS ou SIRET y ont perdu des "
            "chiffres. Prenez le fichier d'origine ; rien n'a été modifié."
        )
    if last and len(last) < min(KINDS.get(last[0], (4,))):
        raise FileRefused(f"{load.source.name} est tronqué : sa dernière ligne est incomplète. Rien n'a été modifié.")


def _row(values: list[str]) -> StructureRow:
    short, name = values[3], values[4] or values[3]
    postal, town = normalise.split_route_line(values[15])
    phone, as_given = normalise.finess_phone(values[16])
    return StructureRow(
        kind="eg",
        finess=values[1],
        finess_ej=values[2],
        siren=values[22][:9],
        siret=values[22],
        name=name,
        short_name=short if short != name else "",
        search_name=fold(name if fold(short) in fold(name) else f"{name} {short}"),
        category=values[18],
        address=normalise.street(
            values[7], values[10], normalise.street_type(values[8]), values[9], values[6], values[11]
        ),
        postal_code=postal,
        town=town,
        commune_code=communes.insee_from_finess(values[13], values[12])
        if values[12]
        else normalise.commune(town, postal),
        phone=phone,
        phone_as_given=as_given,
        opened_on=parse_day(values[28]),
    )


def parse_day(text: str | None) -> datetime.date | None:
    """Return the date of "AAAA-MM-JJ..." or None."""
    try:
        return datetime.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
