"""A nurse reads her agenda in her own programs and sees the move; a calendar kept elsewhere fails and is mended."""

import uuid

import pytest
from django.utils import timezone

from agenda.actions.appointments import Facts, cancel_appointment, create_appointment, move_appointment
from agenda.actions.attending import Who
from tests.agenda.factories import at
from tests.agenda.subscriber import Subscriber
from tests.agenda.test_own_calendars import ics
from tests.partners.standin import StandIn
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
WAYS = pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)


def booked_visit(entry, member):
    facts = Facts(
        kind="intervention", starts_at=at(10), ends_at=at(11), zone="Europe/Paris", title="Pansement",
        service_type="passage",
    )  # fmt: skip
    return create_appointment(entry, facts, Who([member.pk]), creation_key=uuid.uuid4())


@pytest.mark.req("GAP-99")
@pytest.mark.drawn(1)
@WAYS
def test_a_nurse_subscribes_to_her_feed_and_sees_the_move(
    visit, world, phone, javascript, settings, live_server, tmp_path
):
    settings.SITE_URL = live_server.url
    entry = worlds.circle_of(world)
    made = booked_visit(entry, worlds.member_named(entry, "CALQUE"))
    ines = visit(phone=phone, javascript=javascript)
    acts.signs_in(ines, world.nurse)
    ines.goes_to("/agenda/reglages/")
    ines.arrives_at("Réglages")
    ines.checks_the_page("agenda-reglages-calendriers", axe=javascript)
    ines.clicks("Créer une adresse d’abonnement")
    ines.arrives_at("S’abonner à mon agenda")
    ines.chooses("Le type de rendez-vous, aucun nom")
    ines.checks_the_page("abonnement", axe=javascript)
    ines.presses("Créer l’adresse")
    ines.sees("Affichée une seule fois.")
    ines.checks_the_page("abonnement-adresse", axe=javascript)
    address = ines.page.locator("#id_https").input_value()
    assert ines.page.locator("#id_webcal").input_value() == address.replace("http:", "webcal:")
    if javascript:
        ines.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        ines.presses("Copier : Adresse https")
        ines.page.get_by_text("Copié", exact=True).first.wait_for()
        assert ines.page.evaluate("navigator.clipboard.readText()") == address
    else:
        assert ines.page.get_by_text("Copier", exact=True).filter(visible=True).count() == 0

    day = f"{timezone.localdate():%Y-%m-%d}"
    programs = Subscriber(tmp_path, address)
    when = f"{at(10):%Y-%m-%d}"
    assert programs.shown(day) == [f"{when} 10:00-11:00 Passage à domicile|CONFIRMED"]
    move_appointment(entry, made.pk, starts_at=at(14), ends_at=at(15))
    assert programs.shown(day) == [f"{when} 14:00-15:00 Passage à domicile|CONFIRMED"]
    cancel_appointment(entry, made.pk, reason="personne")
    assert programs.shown(day) == [f"{when} 14:00-15:00 Passage à domicile|CANCELLED"]

    ines.clicks("C’est copié")
    ines.sees("Dernière lecture le")
    ines.checks_the_page("abonnement-en-service", axe=javascript)
    ines.presses("Arrêter l’abonnement")
    ines.sees("L’abonnement est arrêté")
    assert ines.page.request.get(address).status == 404


@pytest.mark.req("AGD-18")
@pytest.mark.drawn(1)
@WAYS
def test_a_calendar_kept_elsewhere_is_added_fails_and_is_mended(visit, world, phone, javascript):
    ines = visit(phone=phone, javascript=javascript)
    with StandIn().running() as site:
        acts.signs_in(ines, world.nurse)
        ines.goes_to("/agenda/reglages/")
        ines.clicks("Ajouter un calendrier")
        ines.arrives_at("Ajouter un calendrier")
        ines.checks_the_page("calendrier-ajouter", axe=javascript)
        ines.fills("Nom", "Agenda du cabinet")
        ines.fills("Adresse", f"{site.url}/absent.ics")
        site.says(404, b"")
        ines.presses("Ajouter le calendrier")
        ines.sees("Il n’y a pas de calendrier à cette adresse.")
        ines.checks_the_page("calendrier-refuse", axe=javascript)
        ines.fills("Adresse", f"{site.url}/cabinet.ics")
        site.says(200, ics(10, 15))
        ines.presses("Ajouter le calendrier")
        ines.sees("Le calendrier est ajouté : 2 temps occupés.")
        ines.sees("Dernière lecture réussie le")
        ines.checks_the_page("calendriers", axe=javascript)
        week = f"{at(10, days=3):%Y-%m-%d}"
        ines.goes_to(f"/agenda/?jour={week}")
        ines.sees("Agenda personnel")
        ines.does_not_see("Dentiste")

        ines.goes_to("/agenda/reglages/")
        site.says(500, b"")
        ines.presses("Relire maintenant : Agenda du cabinet")
        ines.sees("n’a pas pu être relu. Ce site ne répond pas.")
        ines.sees("Vos temps occupés sont ceux de la dernière lecture réussie")
        ines.checks_the_page("calendriers-en-echec", axe=javascript)
        ines.clicks("Modifier : Agenda du cabinet")
        ines.arrives_at("Modifier le calendrier")
        ines.checks_the_page("calendrier-modifier", axe=javascript)
        ines.fills("Adresse", f"{site.url}/nouveau.ics")
        site.says(200, ics(11))
        ines.presses("Enregistrer")
        ines.sees("Le calendrier est mis à jour : 1 temps occupé.")
        ines.does_not_see("Pas relu")
        ines.clicks("Modifier : Agenda du cabinet")
        ines.presses("Retirer ce calendrier")
        ines.sees("Le calendrier est retiré.")
