"""A nurse opens her agenda, is asked for a visit, and proposes another time, which the coordinator takes."""

import datetime as dt

import pytest
from django.utils import timezone

from agenda.actions.appointments import Facts, create_appointment
from agenda.actions.attending import Who
from tests.agenda.factories import at
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
WAYS = pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)


def asked_visit(entry, member):
    """The coordinator asks a nurse for a visit, in a week at ten."""
    starts = at(10, days=7)
    facts = Facts(
        kind="intervention", starts_at=starts, ends_at=starts + dt.timedelta(hours=1), zone="Europe/Paris",
        title="Pansement", place="À son domicile",
    )  # fmt: skip
    return create_appointment(entry, facts, Who([member.pk], me=True), creation_key=entry.dossier.pk, ask=True)


@pytest.mark.req("AGD-17")
@pytest.mark.drawn(1)
@WAYS
def test_a_nurse_says_when_she_may_be_asked_and_when_not(visit, world, phone, javascript):
    ines = visit(phone=phone, javascript=javascript)
    shown = lambda name: ines.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(ines, world.nurse)
    ines.goes_to("/agenda/")
    ines.arrives_at("Agenda")
    ines.sees("Rien de prévu ces jours-là.")
    shown("mon-agenda-vide")
    ines.clicks("Ouvertures")
    ines.arrives_at("Ouvertures")
    shown("mes-ouvertures-vides")
    ines.clicks("Ajouter une plage d’ouverture")
    ines.arrives_at("Ajouter une plage d’ouverture")
    ines.fills("Premier jour", acts.today(1))
    ines.fills("De", "14:00")
    ines.fills("À", "12:00")
    ines.selects("Fréquence", "Une semaine sur deux")
    ines.chooses("Mardi")
    ines.chooses("Jeudi")
    ines.presses("Ajouter la plage")
    ines.sees("La fin doit venir après le début.")
    shown("mon-ouverture-refusee")
    ines.fills("À", "17:30")
    ines.presses("Ajouter la plage")
    ines.sees("Une semaine sur deux, le mardi et le jeudi, de 14:00 à 17:30")
    shown("mes-ouvertures")

    ines.clicks("Absences")
    ines.arrives_at("Absences")
    shown("mes-absences-vides")
    ines.clicks("Ajouter une absence")
    ines.fills("Premier jour", acts.today(3))
    ines.fills("Dernier jour", acts.today(4))
    ines.fills("Libellé", "Formation")
    shown("mon-absence")
    ines.presses("Ajouter l’absence")
    ines.sees("L’absence est ajoutée.")
    shown("mes-absences")

    ines.clicks("Réglages")
    ines.arrives_at("Réglages")
    ines.selects("Fuseau horaire", "La Réunion")
    shown("mon-agenda-reglages")
    ines.presses("Enregistrer")
    ines.sees("Vos réglages sont enregistrés.")
    ines.goes_to("/agenda/")
    ines.sees("Heure de La Réunion")
    ines.sees("Formation")
    shown("mon-agenda")
    ines.clicks("Semaine", exact=True)
    ines.arrives_at("Agenda")
    shown("mon-agenda-semaine")


@pytest.mark.req("AGD-25", "AGD-26")
@pytest.mark.drawn(1)
@WAYS
def test_another_time_is_proposed_and_taken(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    asked_visit(entry, worlds.member_named(entry, "CALQUE"))
    ines = visit(phone=phone, javascript=javascript)
    acts.signs_in(ines, world.nurse)
    ines.goes_to("/a-faire/")
    ines.sees("Un rendez-vous attend votre réponse")
    ines.checks_the_page("a-faire-rendez-vous", axe=javascript)
    week = timezone.localdate() + dt.timedelta(days=7)
    ines.goes_to(f"/agenda/semaine/?jour={week:%Y-%m-%d}")
    assert ines.page.locator(".bloc.look-propose", has_text="Pansement").count() == 1
    ines.checks_the_page("mon-agenda-semaine-demande", axe=javascript)
    ines.goes_to("/agenda/")
    ines.sees("Attend votre réponse")
    ines.checks_the_page("mon-agenda-demande", axe=javascript)
    ines.clicks("Répondre")
    ines.arrives_at("Pansement")
    ines.checks_the_page("repondre", axe=javascript)
    ines.presses("Envoyer ma réponse")
    ines.sees("Choisissez une réponse.")
    ines.checks_the_page("repondre-refuse", axe=javascript)
    ines.chooses("Proposer un autre moment")
    ines.fills("Jour", acts.today(8))
    ines.fills("De", "11:00")
    ines.fills("À", "12:00")
    ines.fills("Un mot aux participants", "Plutôt le lendemain")
    ines.checks_the_page("repondre-autre-moment", axe=javascript)
    ines.presses("Envoyer ma réponse")
    ines.sees("Votre proposition est transmise à l’organisateur.")

    maelle = visit(phone=phone, javascript=javascript)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to("/agenda/")
    maelle.sees("Un autre moment vous est proposé")
    maelle.clicks("Répondre")
    maelle.sees("Plutôt le lendemain")
    maelle.checks_the_page("proposition", axe=javascript)
    maelle.page.get_by_role("button", name="Retenir").first.click()
    maelle.sees("Le rendez-vous est déplacé : les participants sont prévenus.")
    maelle.goes_to(f"/agenda/semaine/?jour={timezone.localdate() + dt.timedelta(days=8):%Y-%m-%d}")
    block = maelle.page.locator(".bloc", has_text="Pansement")
    assert block.inner_text().startswith("11:00")
    # Nobody else was asked: the nurse has agreed, it is confirmed.
    assert block.locator("xpath=self::*[contains(@class, 'look-rdv')]").count() == 1
    maelle.checks_the_page("mon-agenda-semaine-confirme", axe=javascript)
