"""FINESS+ monthly and daily files: one JSON document of 750 MB, streamed (directories.md B.2).

Closed establishments are kept, marked: circles that hold them must be able to say so. Coordinates are left
where they are: part of them are in metres, and no screen shows a map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ijson

from coordination.common import communes
from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise
from coordination.directory.imports.finess_csv import parse_day
from coordination.directory.imports.runs import Load
from coordination.directory.imports.structure_rows import StructureRow

MAIN_ADDRESS = "03"


def rows(load: Load) -> Iterator[StructureRow]:
    """Yield legal entities and their establishments. Raises FileRefused for a cut or foreign document."""
    load.progress.phase("Lecture", load.source.path.stat().st_size)
    with load.source.open() as file:
        try:
            for index, entity in enumerate(ijson.items(file, "pmej.item", use_float=True)):
                yield from _entity(load, entity)
                if index % 500 == 0:
                    # Compressed bytes read, of those of the file: what is inside has no size known beforehand.
                    load.progress.advance(getattr(file, "fileobj", file).tell(), load.read)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise FileRefused(
                f"{load.source.name} est tronqué ou abîmé : le document JSON ne se termine pas. Téléchargez-le de "
                "nouveau ; rien n'a été modifié."
            ) from error


def _entity(load: Load, entity: dict[str, Any]) -> Iterator[StructureRow]:
    load.read += 1
    info = entity.get("informationsGeneralesPMEJ") or {}
    number, siren = _text(info, "numFinessPm"), _text(info, "siren")
    name = _text(info, "denominationLonguePmSmsse") or _text(info, "denominationPm")
    legal = _row("ej", number, name, _text(info, "denominationPm"), entity, _text(info, "dateCreation"))
    legal.siren, legal.legal_status = siren, _text(info, "statutJuridique")
    if _is_valid(load, number, name):
        yield legal
    for establishment in entity.get("ege") or []:
        load.read += 1
        about = establishment.get("informationsGeneralesEGE") or {}
        own = _text(about, "numFinessEge")
        long_name = _text(about, "nomEgeLong") or _text(about, "nomEgeCourt")
        row = _row("eg", own, long_name, _text(about, "nomEgeCourt"), establishment, _text(about, "dateOuverture"))
        row.finess_ej, row.siret = number, _text(about, "siret")
        row.siren = row.siret[:9] or siren
        row.category = _text(establishment, "categorieentiteGeographiqueExercice")
        row.closed_on = parse_day(_text(about, "dateFermeture"))
        if _is_valid(load, own, long_name):
            yield row


def _is_valid(load: Load, number: str, name: str) -> bool:
    """JSON has no lines: the rank of the object stands for the line number."""
    if len(number) == 9 and number.isalnum() and name:
        return True
    load.refuse(load.read, "numéro FINESS mal formé" if name else "sans nom")
    return False


def _row(kind: str, finess: str, name: str, short: str, data: dict[str, Any], opened: str) -> StructureRow:
    address = _main_address(data.get("adresse") or [])
    line_postal, line_town = normalise.split_route_line(_text(address, "ligneAcheminement"))
    commune = _text(address, "cogCommune")
    known = communes.by_insee(commune) if not line_town else None
    phone, as_given = _phone(data.get("contact") or [])
    return StructureRow(
        kind=kind,
        finess=finess,
        name=name,
        short_name=short if short != name else "",
        search_name=fold(name if fold(short) in fold(name) else f"{name} {short}"),
        address=normalise.street(
            _text(address, "numeroVoie"),
            _text(address, "complementVoie"),
            normalise.street_type(_text(address, "typeVoie")),
            _text(address, "libelleVoie"),
            _text(address, "complementPointGeographique"),
            _text(address, "lieuDit"),
        ),
        postal_code=_text(address, "codePostal") or line_postal,
        town=line_town or (known.name if known else ""),
        commune_code=commune,
        phone=phone,
        phone_as_given=as_given,
        email=_email(data.get("contact") or []),
        opened_on=parse_day(opened),
        closed=_text(data, "etatObjet") != "A",
    )


def _main_address(addresses: list[dict[str, Any]]) -> dict[str, Any]:
    main = [address for address in addresses if _text(address, "usageAdresse") == MAIN_ADDRESS]
    return next(iter(main or addresses), {})


def _telecoms(contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [contact.get("telecom") or {} for contact in contacts]


def _phone(contacts: list[dict[str, Any]]) -> tuple[str, str]:
    given = [text for telecom in _telecoms(contacts) if (text := _text(telecom, "telephone"))]
    read = [normalise.finess_phone(text) for text in given]
    return next((pair for pair in read if pair[0]), read[0] if read else ("", ""))


def _email(contacts: list[dict[str, Any]]) -> str:
    return next((mail for t in _telecoms(contacts) if (mail := normalise.email(_text(t, "courriel")))), "")


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()
