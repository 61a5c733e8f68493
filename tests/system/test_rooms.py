"""Who looks after a structure declares its room; a colleague plans a meeting and an appointment in it."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from agenda.actions.schedules import schedule_of
from agenda.models import Appointment, ServiceType
from habilitations.actions import name_administrator
from tests.circle import factories
from tests.system import acts

pytestmark = pytest.mark.browser
WAYS = pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)


@pytest.fixture
def people(world):
    """The director of the house, and a coordinator who works there, with a dossier and a member."""
    director = factories.account("359", structure=world.ehpad, family_name="GESTIONNAIRE", given_name="Denis")
    name_administrator(world.ehpad, director, by=world.administrator)
    carer = factories.coordinator(structure=world.ehpad, family_name="GABARIT", given_name="Lise")
    entry = factories.open_circle(carer)
    factories.add(entry, world.doctor.attachment.professional, role="PCP", wanted="oui")
    ServiceType.objects.create(schedule=schedule_of(carer), code="entretien", minutes=50)
    return director, carer, entry


@pytest.mark.drawn(1)
@WAYS
def test_a_room_is_declared_then_chosen(visit, people, phone, javascript):
    director, carer, entry = people
    denis = visit(phone=phone, javascript=javascript)
    shown = lambda who, name: who.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(denis, director)
    denis.page.locator("details.account > summary").click()
    denis.clicks("Salles de ma structure")
    denis.arrives_at("Salles de ma structure")
    shown(denis, "salles-vides")
    denis.clicks("Ajouter une salle")
    denis.presses("Ajouter la salle")
    denis.sees("Indiquez le nom de la salle.")
    shown(denis, "salle-refusee")
    denis.fills("Nom de la salle", "Salle bleue")
    denis.fills("Adresse", "2e étage")
    denis.presses("Ajouter la salle")
    denis.sees("La salle est ajoutée.")
    shown(denis, "salles")
    denis.clicks("Modifier : Salle bleue")
    denis.arrives_at("Modifier la salle")
    shown(denis, "salle")

    lise = visit(phone=phone, javascript=javascript)
    acts.signs_in(lise, carer)
    lise.goes_to(f"/dossiers/{entry.dossier.pk}/agenda/nouveau/")
    lise.arrives_at("Nouveau rendez-vous")
    day = timezone.localdate() + dt.timedelta(days=7)
    lise.fills("Jour", f"{day:%Y-%m-%d}")
    lise.fills("De", "10:00")
    lise.selects("Type", "Entretien, 50 minutes")
    if javascript:
        # Proposed at once.
        assert lise.field("À").input_value() == "10:50"
    else:
        lise.fills("À", "")
    lise.selects("Salle", "Salle bleue")
    shown(lise, "rendez-vous-salle")
    lise.presses("Noter le rendez-vous")
    lise.sees("Salle bleue")
    shown(lise, "rendez-vous-en-salle")
    made = Appointment.objects.get()
    assert made.ends_at - made.starts_at == dt.timedelta(minutes=50)

    lise.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/trouver/")
    lise.page.get_by_label(re.compile(r"^\s*DESSIN")).select_option(label="Indispensable")
    lise.selects("Salle", "Salle bleue")
    lise.presses("Chercher")
    lise.page.locator("summary").filter(has_text="Les agendas côte à côte").click()
    lise.sees("Salle bleue")
    shown(lise, "creneau-salle")
