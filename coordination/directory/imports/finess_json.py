"""FINESS+ monthly and daily files: one JSON document of 750 MB, streamed (directories.md B.2).

Closed establishments are kept, marked: circles that hold them must be able to say so. Coordinates are left
where they are: part of them are in metres, and no screen shows a map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import ijson

from coordination.common import communes
from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise
from coordination.directory.imports.finess_csv import is_finess, parse_day
from coordination.directory.imports.runs import UNREADABLE, Load
from coordination.directory.imports.structure_rows import StructureRow

MAIN_ADDRESS = "03"
# Active, inactive (TRE_R386).
STATES = ("A", "I")


class _Unexpected(Exception):
    """A part of an object is not of the kind that the format says; the message names it."""


def rows(load: Load) -> Iterator[StructureRow]:
    """Yield legal entities and their establishments. Raises FileRefused for a cut or foreign document."""
    load.progress.phase("Lecture", load.source.path.stat().st_size)
    with load.source.open() as file:
        for index, entity in enumerate(_entities(load, file)):
            yield from _entity(load, entity)
            if index % 500 == 0:
                # Compressed bytes read, of those of the file: what is inside has no size known beforehand.
                load.progress.advance(getattr(file, "fileobj", file).tell(), load.read)


def _entities(load: Load, file: IO[bytes]) -> Iterator[Any]:
    try:
        yield from ijson.items(file, "pmej.item", use_float=True)
    except (ijson.JSONError, ValueError) as error:
        raise FileRefused(
            f"{load.source.name} est tronqué ou abîmé : le document JSON ne se termine pas. Téléchargez-le de "
            "nouveau ; rien n'a été modifié."
        ) from error


def _entity(load: Load, entity: Any) -> Iterator[StructureRow]:
    """Yield what one item of `pmej` tells; JSON has no lines: the rank of the object stands for the line number."""
    load.read += 1
    number = siren = ""
    try:
        info = _object(entity, "informationsGeneralesPMEJ")
        number, siren = _text(info, "numFinessPm"), _text(info, "siren")
        name = _text(info, "denominationLonguePmSmsse") or _text(info, "denominationPm")
        legal = _row("ej", number, name, _text(info, "denominationPm"), entity, _text(info, "dateCreation"))
        legal.siren, legal.legal_status = siren, _text(info, "statutJuridique")
        if _is_valid(load, number, name):
            yield legal
    except _Unexpected as unexpected:
        load.refuse(load.read, str(unexpected), number if is_finess(number) else UNREADABLE)
    for establishment in _establishments(load, entity):
        load.read += 1
        row = _establishment(load, establishment)
        if row:
            row.finess_ej, row.siren = number, row.siret[:9] or siren
            yield row


def _establishments(load: Load, entity: Any) -> list[Any]:
    if not isinstance(entity, dict):
        return []
    try:
        return _list(entity, "ege")
    except _Unexpected as unexpected:
        load.refuse(load.read, str(unexpected), UNREADABLE)
        return []


def _establishment(load: Load, data: Any) -> StructureRow | None:
    own = ""
    try:
        about = _object(data, "informationsGeneralesEGE")
        own = _text(about, "numFinessEge")
        long_name = _text(about, "nomEgeLong") or _text(about, "nomEgeCourt")
        row = _row("eg", own, long_name, _text(about, "nomEgeCourt"), data, _text(about, "dateOuverture"))
        row.siret, row.closed_on = _text(about, "siret"), parse_day(_text(about, "dateFermeture"))
        row.category = _text(data, "categorieentiteGeographiqueExercice")
    except _Unexpected as unexpected:
        load.refuse(load.read, str(unexpected), own if is_finess(own) else UNREADABLE)
        return None
    return row if _is_valid(load, own, long_name) else None


def _is_valid(load: Load, number: str, name: str) -> bool:
    if is_finess(number) and name:
        return True
    # Without a number, an object is about nothing that the directory may know.
    about = [number if is_finess(number) else UNREADABLE] if number else []
    load.refuse(load.read, "numéro FINESS mal formé" if name else "sans nom", *about)
    return False


def _object(data: Any, key: str) -> dict[str, Any]:
    """Return the object under this key of an object, {} for null. Raises _Unexpected."""
    if not isinstance(data, dict):
        raise _Unexpected("objet attendu")
    return _as_object(data.get(key), key)


def _as_object(value: Any, key: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unexpected(f"« {key} » n'est pas un objet")
    return value


def _list(data: dict[str, Any], key: str) -> list[Any]:
    """Return the list under this key, [] for null. Raises _Unexpected."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Unexpected(f"« {key} » n'est pas une liste")
    return value


def _row(kind: str, finess: str, name: str, short: str, data: dict[str, Any], opened: str) -> StructureRow:
    state = _text(data, "etatObjet")
    if state not in STATES:
        raise _Unexpected("état inconnu")
    address, telecoms = _main_address(data), _telecoms(data)
    line_postal, line_town = normalise.split_route_line(_text(address, "ligneAcheminement"))
    postal = _text(address, "codePostal") or line_postal
    commune = _text(address, "cogCommune") or normalise.commune(line_town, postal)
    known = communes.by_insee(commune) if not line_town else None
    phone, as_given = _phone(telecoms)
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
        postal_code=postal,
        town=line_town or (known.name if known else ""),
        commune_code=commune,
        phone=phone,
        phone_as_given=as_given,
        email=_email(telecoms),
        opened_on=parse_day(opened),
        closed=state == "I",
    )


def _main_address(data: dict[str, Any]) -> dict[str, Any]:
    addresses = _objects(data, "adresse")
    main = [address for address in addresses if _text(address, "usageAdresse") == MAIN_ADDRESS]
    return next(iter(main or addresses), {})


def _objects(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = _list(data, key)
    if not all(isinstance(item, dict) for item in found):
        raise _Unexpected(f"« {key} » contient autre chose que des objets")
    return found


def _telecoms(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [_as_object(contact.get("telecom"), "contact") for contact in _objects(data, "contact")]


def _phone(telecoms: list[dict[str, Any]]) -> tuple[str, str]:
    given = [text for telecom in telecoms if (text := _text(telecom, "telephone"))]
    read = [normalise.finess_phone(text) for text in given]
    return next((pair for pair in read if pair[0]), read[0] if read else ("", ""))


def _email(telecoms: list[dict[str, Any]]) -> str:
    return next((mail for t in telecoms if (mail := normalise.email(_text(t, "courriel")))), "")


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value).strip()
    return text if text.isprintable() else _printable(text)


def _printable(text: str) -> str:
    """Leave out what no text of a database holds: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()
