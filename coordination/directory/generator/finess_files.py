"""FINESS as it was (two CSV generations) and as it is (FINESS+ JSON), from the same establishments."""

from __future__ import annotations

import datetime
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coordination.common import communes
from coordination.directory.generator.establishments import Establishment, LegalEntity
from coordination.directory.generator.professions import display


def write_csv(path: Path, entities: list[LegalEntity], day: datetime.date, *, geolocated: bool) -> None:
    """Write the legacy extraction: open establishments only, then their coordinates if asked for."""
    found = [e for entity in entities for e in entity.establishments if not e.closed]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"finess;etalab;{111 if not geolocated else 107};{day.isoformat()}\n")
        for index, establishment in enumerate(found):
            file.write(_csv_line(establishment, day, index))
        if geolocated:
            for index, e in enumerate(found):
                file.write(f"geolocalisation;{e.finess};{600000 + index}.4;{6200000 + index}.9;1,BAN;{day}\n")


def _csv_line(e: Establishment, day: datetime.date, index: int) -> str:
    # Overseas communes have five digits, of which FINESS keeps the last three.
    department = communes.departement(e.town.department)
    fields = [
        "structureet", e.finess, e.finess_ej, e.name, "" if index % 11 == 5 else e.long_name, e.complement,
        e.addressee, e.number,
        e.street_code, e.street, e.repeat, e.mention, e.town.code[-3:], e.town.finess_department,
        department.name.upper() if department else "", e.route_line, e.phone, e.fax, e.category,
        display("categorie_etablissement", e.category), e.aggregate, "(libellé agrégé)", e.siret, "8710A", "45",
        "(libellé du mode de tarification)", "", "", e.opened_on, e.opened_on, day.isoformat(), "",
    ]  # fmt: skip
    return ";".join(_quoted(value, index) for value in fields) + "\n"


def _quoted(value: str, index: int) -> str:
    if '"' not in value:
        return value
    # Older editions doubled the doubled quotes.
    doubled = value.replace('"', '""""' if index % 2 else '""')
    return f'"{doubled}"'


def write_json(path: Path, entities: list[LegalEntity], day: datetime.date) -> None:
    """Write the FINESS+ monthly file, closed establishments included."""
    # No name and no time in the archive: the same seed gives the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:
            file.write(f'{{"schemaVersion":"v1.0.0","generatedAt":"{day}T03:00:00Z","gco":[],"gcc":[],"pmej":[')
            for index, entity in enumerate(entities):
                file.write("" if index == 0 else ",\n")
                json.dump(_legal_entity(entity, day, index), file, ensure_ascii=False)
            file.write("]}\n")


def _legal_entity(entity: LegalEntity, day: datetime.date, index: int) -> dict[str, Any]:
    return {
        "informationsGeneralesPMEJ": {
            "pmSmsseId": index,
            "numFinessPm": entity.finess,
            "denominationPm": entity.name[:38],
            "denominationLonguePmSmsse": entity.name,
            "siren": entity.siren,
            "codeApe": "8710A",
            "statutJuridique": "60",
            "dateCreation": "1998-01-01",
            "dateFermeture": None,
            "categorieentiteGeographiqueExercice": None,
        },
        "etatObjet": "A" if any(not e.closed for e in entity.establishments) else "I",
        "dateDerniereMaj": day.isoformat(),
        "adresse": [_address(entity.establishments[0], "03", index)],
        "contact": [],
        "engagement": [],
        "evenement": [],
        "ege": [_establishment(e, day, index * 7 + n) for n, e in enumerate(entity.establishments)],
    }


def _establishment(e: Establishment, day: datetime.date, index: int) -> dict[str, Any]:
    return {
        "informationsGeneralesEGE": {
            "egeId": index,
            "numFinessEge": e.finess,
            "nomEgeCourt": e.name,
            "nomEgeLong": e.long_name[:80],
            "complementDenominationEg": e.complement or None,
            "siret": e.siret or None,
            "espic": [],
            "numeroEducationNationale": None,
            "numeroReferenceExterne": None,
            "dateOuverture": e.opened_on,
            "datePremiereAutorisation": e.opened_on,
            "dateFermeture": "2024-06-30" if e.closed else None,
        },
        "categorieentiteGeographiqueExercice": None if index % 20_011 == 9 else e.category,
        "modefixationtarifaire": "45",
        "typeBudget": [],
        "etatObjet": "I" if e.closed else "A",
        "dateDerniereMaj": day.isoformat(),
        "adresse": list(_addresses(e, index)),
        "contact": [_contact(e, index)],
        "roleEge": [],
        "engagement": [],
        "evenement": [],
    }


def _addresses(e: Establishment, index: int) -> Iterator[dict[str, Any]]:
    if index % 31 == 4:
        yield {**_address(e, "04", index), "libelleVoie": "ADRESSE SECONDAIRE", "codePostal": "99999"}
    yield _address(e, "03", index)


def _address(e: Establishment, usage: str, index: int) -> dict[str, Any]:
    spelled = (e.street_code, f"{e.street_code}  ", e.street_code.lower())[index % 3]
    return {
        "usageAdresse": usage,
        "numeroVoie": e.number,
        "typeVoie": spelled,
        "libelleVoie": e.street,
        "complementVoie": e.repeat or None,
        "complementPointGeographique": e.addressee or None,
        "lieuDit": e.mention or None,
        "codePostal": e.town.postal_code,
        "cogCommune": e.town.code,
        "ligneAcheminement": e.route_line,
        "ligneUne": e.name,
        "coordonneesGeographique": _coordinates(index),
    }


def _coordinates(index: int) -> dict[str, Any] | None:
    if index % 3 == 0:
        return None
    if index % 50 == 1:
        # Projected metres where degrees are due: to be ignored.
        return {"coordonneeX": 612345.6, "coordonneeY": 6254321.0, "directionLatitude": "48.1", "scoreBAN": None}
    return {"coordonneeX": 2.1 + index % 90 / 100, "coordonneeY": 44.0 + index % 70 / 100, "scoreBAN": 0.9}


def _contact(e: Establishment, index: int) -> dict[str, Any]:
    phone = e.phone
    if index % 17 == 2:
        phone = ".".join(phone[i : i + 2] for i in range(0, 10, 2))
    if index % 401 == 6:
        phone = f"0{phone}"
    return {
        "typeContact": {"roleContact": "01"},
        "telecom": {"telephone": phone, "telecopie": e.fax or None, "courriel": None},
    }
