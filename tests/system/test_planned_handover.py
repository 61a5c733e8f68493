"""A hand-over planned for later: both sheets say it, it is moved, called off; and a refusal where nothing else is."""

import datetime as dt

import pytest
from django.utils import timezone

from circle import actions
from circle.models import RoleHolding
from coordination.dossiers.models import Dossier
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
CASES = [(False, True), (True, True), (False, False)]
NAMES = ["desk", "phone", "without-javascript"]


@pytest.fixture
def two_doctors(world):
    entry = worlds.circle_of(world)
    holder = factories.add(entry, factories.listed(factories.DOCTOR, family_name="ESSAI-NADAL", given_name="Rose"))
    heir = factories.add(entry, factories.listed(factories.DOCTOR, family_name="MAQUETTE", given_name="Léo"))
    first = RoleHolding.objects.get(dossier=entry.dossier, role="PCP").member
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=holder, starts_on=timezone.localdate())
    day = timezone.localdate() + dt.timedelta(days=10)
    actions.hand_over_role(entry, role="PCP", from_member=holder, to_member=heir, starts_on=day)
    return entry, holder, heir


@pytest.mark.drawn(1)
@pytest.mark.parametrize(("phone", "javascript"), CASES, ids=NAMES)
def test_a_hand_over_is_seen_moved_and_called_off(visit, world, two_doctors, phone, javascript):
    entry, holder, heir = two_doctors
    maelle = visit(phone=phone, javascript=javascript)
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    maelle.sees(f"Médecin traitant à partir du {acts.today(10)}")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/membres/{holder.pk}/")
    maelle.sees(f"MAQUETTE Léo prendra le rôle « Médecin traitant » le {acts.today(10)}.")
    maelle.checks_the_page("passation-prevue-tenant")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/membres/{heir.pk}/")
    maelle.clicks("Déplacer ou changer")
    maelle.arrives_at("Changer de rôle")
    maelle.checks_the_page("passation-prevue-formulaire")
    panel = maelle.page.locator(".handover").first
    inside = panel.evaluate(
        "e => [...e.querySelectorAll('*')].every(c => c.getBoundingClientRect().right <= innerWidth)"
    )
    assert inside, "nothing of the hand-over is cut off on a phone"
    maelle.page.locator("[name=passation-PCP-starts_on]").fill(acts.today(20))
    maelle.presses("Mettre à jour")
    maelle.sees(f"Le changement prévu est déplacé au {acts.today(20)}.")
    maelle.checks_the_page("passation-deplacee")
    maelle.presses("Annuler la passation prévue")
    maelle.sees("La passation prévue est annulée.")
    maelle.clicks("Historique")
    maelle.sees(f"a annulé la passation prévue le {acts.today(20)}")
    maelle.checks_the_page("passation-historique")


@pytest.mark.req("SEC-5")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_refusal_is_noted_in_a_closed_dossier(visit, world, two_doctors, phone):
    entry, holder, _ = two_doctors
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin")
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/membres/{holder.pk}/")
    maelle.clicks("Noter un refus")
    maelle.arrives_at("Noter un refus")
    maelle.checks_the_page("refus-dossier-clos")
    maelle.fills("Date du refus", acts.today())
    maelle.selects("Recueil du refus", "Dit par la personne")
    maelle.presses("Noter le refus")
    maelle.sees("Refus noté, accès fermé.")
