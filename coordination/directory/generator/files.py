"""Writes one set of files: ANS extractions, FINESS in its two generations."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from coordination.directory.generator.establishments import Establishment, LegalEntity, legal_entities
from coordination.directory.generator.finess_files import write_csv, write_json
from coordination.directory.generator.names import Names
from coordination.directory.generator.people import People
from coordination.directory.generator.places import Places
from coordination.directory.generator.workplaces import Workplaces
from coordination.directory.imports import headers

# Fixed, so that the same seed gives the same bytes whatever the day.
DAY = datetime.date(2026, 11, 2)


@dataclass(frozen=True, slots=True)
class Generated:
    activities: Path
    savoir_faire: Path
    mailboxes: Path
    finess_csv: Path
    finess_geolocated_csv: Path
    finess_json: Path
    activity_count: int


def generate(
    folder: Path,
    *,
    professionals: int,
    structures: int,
    seed: int,
    around: str = "",
    scattered: int = 0,
    day: datetime.date = DAY,
    progress: Callable[[int], None] | None = None,
) -> Generated:
    """Write the files of `professionals` people and `structures` open establishments into `folder`.

    Half of them are in the département `around`, when there is one. The same seed, sizes and day give the same
    bytes. The lines of one person in `scattered` are not together. `progress` is told how many people are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)  # noqa: S311 - invented people, not secrets
    places = Places(rng, around)
    entities = legal_entities(rng, places, structures)
    stamp = f"{day:%Y%m%d}"
    made = Generated(
        activities=folder / f"PS_LibreAcces_Personne_activite_{stamp}0620.txt",
        savoir_faire=folder / f"PS_LibreAcces_SavoirFaire_{stamp}0620.txt",
        mailboxes=folder / f"Extraction_Correspondance_MSSante_{stamp}0620.txt",
        finess_csv=folder / f"etalab-cs1100502-stock-{stamp}-0338.csv",
        finess_geolocated_csv=folder / f"etalab-cs1100507-stock-{stamp}-0339.csv",
        finess_json=folder / f"finess-structures-mensuel-{day:%Y%m}.json.gz",
        activity_count=0,
    )
    write_csv(made.finess_csv, entities, day, geolocated=False)
    write_csv(made.finess_geolocated_csv, entities, day, geolocated=True)
    write_json(made.finess_json, entities, day)
    people = People(rng, Names(rng), Workplaces(rng, places, entities), scattered)
    count = _write_people(made, people, professionals, entities, progress)
    values = {name: getattr(made, name) for name in Generated.__slots__}
    return Generated(**{**values, "activity_count": count})


def _write_people(
    made: Generated,
    people: People,
    count: int,
    entities: list[LegalEntity],
    progress: Callable[[int], None] | None,
) -> int:
    written = done = 0
    with ExitStack() as stack:
        activities = _open(stack, made.activities, headers.PERSON_ACTIVITY)
        savoir_faire = _open(stack, made.savoir_faire, headers.SAVOIR_FAIRE)
        mailboxes = _open(stack, made.mailboxes, headers.MSSANTE)
        mailboxes.writelines(_organisation_mailboxes(entities))
        for lines in people.chunks(count):
            activities.writelines(lines.activities)
            savoir_faire.writelines(lines.savoir_faire)
            mailboxes.writelines(lines.mailboxes)
            written += len(lines.activities)
            done = min(done + 10_000, count)
            if progress:
                progress(done)
    return written


def _open(stack: ExitStack, path: Path, header: str) -> TextIO:
    file = stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
    file.write(header + "\n")
    return file


def _identifier(e: Establishment, index: int) -> str:
    """Type (TRE_G07) and number by which the file names the structure."""
    others = {15: f"2|{e.siren}", 27: f"4|F{e.finess}", 39: f"3|{e.siret}" if e.siret else ""}
    return others.get(index % 60) or f"1|{e.finess}"


def _organisation_mailboxes(entities: list[LegalEntity]) -> list[str]:
    """One establishment in three has a mailbox; now and then two share one (directories.md A.6)."""
    found = []
    establishments = [e for entity in entities for e in entity.establishments if not e.closed]
    for index, e in enumerate(establishments):
        if index % 3:
            continue
        address = f"accueil{index if index % 60 else 0}@structure.mssante.example"
        service = "Cellule de coordination" if e.category == "606" else ""
        found.append(
            f"ORG|{address}||||{_identifier(e, index)}|{service}||||||||||{'True' if index % 2 else 'False'}|"
            f"{e.long_name}||||{e.number}|{e.repeat}|{e.street_code}|{e.street}|{e.mention}|{e.route_line}|{e.town.postal_code}|"
            f"{e.town.department}|FR\n"
        )
    return found
