"""A departure planned for later: list and sheet say it, it is moved, called off; who is to come stands apart."""

import datetime as dt

import pytest
from django.utils import timezone

from circle.models import PlannedStay
from tests.circle import factories
from tests.circle.fhir_calls import careteam
from tests.circle.test_fhir_careteam_writing import put, with_participant
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
CASES = [(False, True), (True, True), (False, False)]
NAMES = ["desk", "phone", "without-javascript"]


@pytest.fixture
def circle(world):
    """One structure is to come, and a software said that the circle is suspended."""
    entry = worlds.circle_of(world)
    house = factories.StructureFactory(name="SSIAD Maquette")
    day = timezone.localdate() + dt.timedelta(days=12)
    read = careteam(entry) | {"status": "suspended"}
    put(entry, with_participant(read, f"Organization/{house.pk}", start=day.isoformat()))
    return entry


@pytest.mark.drawn(1)
@pytest.mark.parametrize(("phone", "javascript"), CASES, ids=NAMES)
def test_a_departure_is_planned_moved_and_called_off(visit, world, circle, phone, javascript):
    leaver = worlds.member_named(circle, "TRACÉ")
    maelle = visit(phone=phone, javascript=javascript)
    shown = lambda name: maelle.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, circle.dossier.pk)
    maelle.sees("Cercle de soins suspendu.")
    maelle.sees("Arrivées prévues")
    maelle.sees(f"Arrivée prévue le {acts.today(12)}")
    shown("arrivee-prevue")
    maelle.goes_to(f"/dossiers/{circle.dossier.pk}/cercle/membres/{leaver.pk}/retirer/")
    maelle.arrives_at("Retirer du cercle : TRACÉ Léone")
    shown("depart-formulaire")
    maelle.fills("Jour du départ", acts.today(15))
    maelle.selects("Motif", "Fin de prise en charge")
    maelle.presses("Retirer du cercle")
    maelle.sees(f"Départ prévu le {acts.today(15)}")
    shown("depart-prevu-liste")
    maelle.goes_to(f"/dossiers/{circle.dossier.pk}/cercle/membres/{leaver.pk}/")
    maelle.sees("Annuler le départ prévu")
    shown("depart-prevu-fiche")
    maelle.clicks("Changer le jour")
    maelle.fills("Jour du départ", acts.today(20))
    maelle.presses("Retirer du cercle")
    maelle.sees(f"Départ prévu le {acts.today(20)}")
    maelle.goes_to(f"/dossiers/{circle.dossier.pk}/cercle/membres/{leaver.pk}/")
    maelle.presses("Annuler le départ prévu")
    maelle.sees("Le départ prévu est annulé.")
    acts.opens_the_circle(maelle, circle.dossier.pk)
    maelle.presses("Annuler l’arrivée prévue")
    maelle.sees("L’arrivée prévue est annulée.")
    assert not PlannedStay.objects.waiting().exists()
