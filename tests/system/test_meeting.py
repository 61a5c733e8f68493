"""A coordinator organises a synthesis meeting with five members, one without an account (issue 5 §6)."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda import links
from agenda.actions.openings import When, add_opening
from agenda.actions.schedules import schedule_of
from agenda.models import Appointment, Occupation
from agenda.rules import Freq, Rule
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
WAYS = pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)
OUI, NON = "Oui", "Non"


def weekday(days=7):
    day = timezone.localdate() + dt.timedelta(days=days)
    return day + dt.timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def may_be_asked(user):
    starts = dt.datetime.combine(timezone.localdate() + dt.timedelta(days=1), dt.time(9))
    add_opening(schedule_of(user), by=user, when=When(starts, starts + dt.timedelta(hours=8), Rule(Freq.DAILY)))


def answers(visitor, *choices):
    """Answer each time proposed, in their order."""
    groups = visitor.page.get_by_role("radiogroup")
    for number, choice in enumerate(choices):
        groups.nth(number).get_by_label(choice, exact=True).check()


@pytest.mark.req("AGD-19", "AGD-20", "AGD-23", "AGD-26", "AGD-27", "AGD-28")
@pytest.mark.drawn(1)
@WAYS
def test_a_synthesis_meeting_lands_in_five_agendas_and_the_person_s(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    relative = worlds.member_named(entry, "MODÈLE")
    relative.email = "karim@famille.example"
    relative.save()
    for user in (world.coordinator, world.doctor, world.nurse):
        may_be_asked(user)
    day = weekday()
    maelle = visit(phone=phone, javascript=javascript)
    shown = lambda name: maelle.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/")
    maelle.sees("Aucune réunion prévue.")
    shown("reunions-vides")
    maelle.clicks("Trouver un créneau commun")
    maelle.arrives_at("Trouver un créneau commun")
    shown("creneau-recherche")
    maelle.presses("Chercher")
    maelle.sees("Choisissez au moins une personne à réunir avec vous.")
    shown("creneau-recherche-refusee")
    for name in ("DESSIN", "CALQUE"):
        maelle.page.get_by_label(name, exact=False).and_(maelle.page.locator("select")).first.select_option(
            "Indispensable"
        )
    for name in ("ÉCHANTILLON-ROC", "MODÈLE Karim"):
        maelle.page.get_by_label(name, exact=False).and_(maelle.page.locator("select")).first.select_option("Souhaité")
    maelle.chooses("La personne accompagnée participe")
    maelle.page.get_by_label("Chercher du", exact=True).fill(f"{day:%Y-%m-%d}")
    maelle.page.get_by_label("Au", exact=True).fill(f"{day:%Y-%m-%d}")
    maelle.presses("Chercher")
    maelle.sees("Les 3 meilleurs créneaux")
    maelle.sees("3 sur 6")
    maelle.sees("Disponibilités inconnues")
    shown("creneau-trouve")
    maelle.fills("Titre", "Synthèse")
    maelle.fills("Motif", "Retour à domicile")
    maelle.presses("Faire voter sur les créneaux cochés")
    maelle.sees("Les participants sont invités à répondre.")
    maelle.sees("À fixer")
    shown("reunion-a-fixer")
    meeting = Appointment.objects.get()

    rose = visit(phone=phone, javascript=javascript)
    acts.signs_in(rose, world.social_worker)
    rose.goes_to("/a-faire/")
    rose.sees("Une réunion attend votre réponse")
    rose.clicks("Répondre")
    rose.arrives_at("Synthèse")
    rose.presses("Envoyer ma réponse")
    rose.sees("Répondez pour ce créneau.")
    rose.checks_the_page("vote-refuse", axe=javascript)
    answers(rose, NON, NON, NON)
    rose.fills("Un autre moment possible", f"{day:%Y-%m-%d}")
    rose.fills("À", "16:00")
    rose.fills("Un mot à l’organisateur", "En visite jusque-là")
    rose.checks_the_page("vote", axe=javascript)
    rose.presses("Envoyer ma réponse")
    rose.sees("Merci, votre réponse est enregistrée.")
    rose.checks_the_page("reunion-invitee", axe=javascript)

    # Without an account, by the link of his mail.
    karim = visit(phone=phone, javascript=javascript)
    karim.goes_to(
        reverse("reponse:answer", args=[links.token_of(meeting.participations.exclude(email="").get(user=None))])
    )
    karim.arrives_at("Quels créneaux vous conviennent ?")
    karim.does_not_see("Retour à domicile")
    karim.checks_the_page("vote-par-lien", axe=javascript)
    answers(karim, OUI, OUI, "Si besoin")
    karim.presses("Envoyer ma réponse")
    karim.arrives_at("Merci, votre réponse est enregistrée")
    karim.checks_the_page("vote-par-lien-merci", axe=javascript)

    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/{meeting.pk}/")
    maelle.sees("En visite jusque-là")
    maelle.sees("Autres moments proposés")
    shown("reunion-autre-moment")
    maelle.page.get_by_role("button", name="Ajouter au vote").first.click()
    maelle.sees("Le créneau est ajouté")

    for user in (world.doctor, world.nurse):
        member = visit(phone=phone, javascript=javascript)
        acts.signs_in(member, user)
        member.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/{meeting.pk}/repondre/")
        answers(member, "Si besoin", "Si besoin", "Si besoin", OUI)
        member.presses("Envoyer ma réponse")
        member.sees("Merci")
    meeting.refresh_from_db()
    assert meeting.status == "booked"
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/{meeting.pk}/")
    maelle.sees("16:00 à 17:00")
    shown("reunion-fixee")
    # Maëlle, Paul, Inès, Rose and Karim, and the person.
    keys = set(meeting.participations.values_list("key", flat=True))
    assert len(keys) == 6
    assert set(Occupation.objects.filter(source=meeting.pk).values_list("key", flat=True)) == keys
    for user in (world.coordinator, world.doctor, world.nurse, world.social_worker):
        visitor = maelle if user is world.coordinator else visit(phone=phone, javascript=javascript)
        if user is not world.coordinator:
            acts.signs_in(visitor, user)
        visitor.goes_to(f"/agenda/?jour={day:%Y-%m-%d}")
        visitor.sees("Synthèse")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/agenda/")
    maelle.sees("Synthèse")

    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/{meeting.pk}/")
    maelle.clicks("Écrire le compte rendu")
    maelle.arrives_at("Compte rendu")
    shown("compte-rendu")
    maelle.presses("Enregistrer")
    maelle.sees("Le compte rendu est enregistré.")
    shown("reunion-compte-rendu")
    maelle.clicks("Annuler la réunion")
    shown("reunion-annuler")
    maelle.presses("Annuler la réunion")
    maelle.sees("La réunion est annulée")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/reunions/?passees=1")
    maelle.sees("Annulé")
    shown("reunions-passees")
    for visitor in (maelle, rose, karim):
        visitor.addresses_and_titles_name_nobody(*worlds.NAMES, "Synthèse", entry.dossier.birth_name)
