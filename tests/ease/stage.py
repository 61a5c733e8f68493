"""Where the tasks are done: a dossier with the members that they need, of the demonstration or of the small town."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from uuid import UUID

from circle import actions
from coordination.accounts.models import User
from coordination.demo import loader
from coordination.demo.people import PASSWORD, SSIAD
from coordination.directory.models import Activity, Attachment
from coordination.dossiers import door
from habilitations.actions import open_structure
from tests.accounts.factories import PASSWORD as TEST_PASSWORD
from tests.circle import factories
from tests.system import world as worlds

DOCTOR, PHYSIOTHERAPIST = "10", "70"


@dataclass(frozen=True)
class Place:
    """Who does the tasks, in which dossier, and what the tasks type and look for there."""

    email: str
    password: str
    dossier_id: UUID
    person: str
    """Words of the link to the dossier in the file active."""
    doctor_typed: str
    doctor: str
    house_typed: str
    house: str
    nurse: str
    """A member who has access."""
    waiting: str
    """A professional of the directory, member without access."""
    relative: str
    mark: str
    """A word of its own, in what the tasks write and the whole installation sees."""


def demonstration(professionals: int) -> tuple[Place, ...]:
    """Load the demonstration; return three dossiers of its coordinator, one for each hand, that start alike."""
    loader.load(say=lambda _: None, professionals=professionals)
    coordinator = User.objects.get(email="coordinatrice@demo.example")
    place = _of_the_directory(DOCTOR)
    doctor = place.professional
    waiting = _of_the_directory(PHYSIOTHERAPIST).professional
    nurse = Attachment.objects.of(User.objects.get(email="infirmiere@demo.example")).get().professional
    return tuple(
        Place(
            coordinator.email, PASSWORD, _dossier(coordinator, name, nurse, waiting), f"{name} Jeanne",
            _plain(f"{doctor.family_name} {place.town}"), f"{doctor.family_name} {doctor.given_name}",
            "ssiad exemple", SSIAD, f"{nurse.family_name.upper()} {nurse.given_name}",
            f"{waiting.family_name} {waiting.given_name}", "MODÈLE Karim", mark,
        )
        for name, mark in (("ABAQUE", "Un"), ("ABRICOT", "Deux"), ("ACANTHE", "Trois"))
    )  # fmt: skip


def _dossier(by: User, name: str, nurse, waiting) -> UUID:
    entry = _opened(by, name)
    factories.add(entry, nurse, role="PROV", wanted="oui")
    factories.add(entry, waiting, wanted="non")
    factories.relative(entry, role="CAREGIVER")
    return entry.dossier.pk


def _opened(by: User, name: str):
    traits = factories.TRAITS | {"birth_name": name}
    contacts = {"postal_code": "81400", "town": "Carmaux", "address": "4 chemin de l’Exemple"}
    dossier = actions.open_dossier(
        by=by, creation_key=uuid.uuid4(), traits=traits, contacts=contacts, motif="domicile",
        duplicate_reason="Autre personne, vérifié au téléphone",
    )  # fmt: skip
    return door.look(by, dossier.pk)


def small_town(world: worlds.World) -> Place:
    """Return the coordinator of the stories in a circle of every kind of member."""
    entry = worlds.circle_of(world)
    factories.add(entry, factories.listed("70", family_name="GABARIT", given_name="Rémi"), wanted="non")
    open_structure(world.ehpad, by=world.administrator)
    return Place(
        world.coordinator.email, TEST_PASSWORD, entry.dossier.pk, entry.dossier.birth_name.upper(),
        "pro carmaux", "PROTOTYPE Louise", "maquettes", worlds.EHPAD, "CALQUE Inès", "GABARIT Rémi", "MODÈLE Karim",
        "Un",
    )  # fmt: skip


def _of_the_directory(profession: str) -> Activity:
    """Return where somebody of the Tarn works, who has no account and whose name nobody else has in that town."""
    known = Activity.objects.active().filter(
        profession=profession, postal_code__startswith=loader.DEPARTMENT, professional__attachment=None
    ).exclude(town="").select_related("professional").order_by("search_family", "search_given", "id")  # fmt: skip
    for place in known[:50]:
        if Activity.objects.filter(search_family=place.search_family, town=place.town).count() == 1:
            return place
    raise LookupError("nobody has a name of his own in his town")


def _plain(name: str) -> str:
    return re.sub(r"[^\w]+", " ", name).lower()
