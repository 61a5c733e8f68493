"""The agenda of a person: a visit every week across the change of clocks, and what her consent shows or hides."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.agenda import factories as make
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


def monday_before_the_clocks_change():
    """Return the Monday of the week that ends with the next change to summer time: the last Sunday of March."""
    today = timezone.localdate()
    for year in (today.year, today.year + 1):
        last = dt.date(year, 3, 31)
        sunday = last - dt.timedelta(days=(last.weekday() + 1) % 7)
        if sunday - dt.timedelta(days=13) > today:
            return sunday - dt.timedelta(days=6)
    raise AssertionError


def writes(visitor, label, value):
    """Fill a field of the browser’s own kind: a date, an hour."""
    visitor.page.get_by_label(label, exact=True).fill(value)


@pytest.mark.req("REL-19")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_weekly_visit_is_at_ten_before_and_after_the_clocks_change(visit, world, phone):
    entry = worlds.circle_of(world)
    agenda = f"/dossiers/{entry.dossier.pk}/agenda/"
    monday = monday_before_the_clocks_change()
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)

    maelle.goes_to(agenda)
    maelle.sees("Rien de prévu.")
    maelle.checks_the_page("agenda-vide")
    maelle.clicks("Nouveau rendez-vous")
    maelle.arrives_at("Nouveau rendez-vous")
    maelle.chooses("Intervention à domicile")
    maelle.fills("Titre", "Aide au lever")
    writes(maelle, "Jour", f"{monday:%Y-%m-%d}")
    writes(maelle, "De", "10:00")
    writes(maelle, "À", "09:00")
    maelle.page.get_by_text("Répéter", exact=True).click()
    maelle.selects("Répétition", "Chaque semaine")
    maelle.presses("Noter le rendez-vous")
    maelle.sees("La fin doit suivre le début.")
    maelle.checks_the_page("agenda-erreur")
    writes(maelle, "À", "11:00")
    maelle.presses("Noter le rendez-vous")
    maelle.sees("puis à chaque répétition.")
    maelle.checks_the_page("agenda-rendez-vous")

    for shift in (0, 7):
        day = monday + dt.timedelta(days=shift)
        maelle.goes_to(f"{agenda}semaine/?jour={day:%Y-%m-%d}")
        maelle.sees(f"Semaine {day.isocalendar().week}")
        block = maelle.page.locator(".bloc", has_text="Aide au lever")
        assert " ".join(block.inner_text().split()).startswith("10:00 Aide au lever")
        maelle.checks_the_page(f"agenda-semaine-{shift}")

    maelle.page.locator(".bloc a").click()
    maelle.clicks("Annuler le rendez-vous")
    maelle.arrives_at("Annuler : Aide au lever")
    maelle.checks_the_page("agenda-annuler")
    maelle.selects("Motif", "À la demande de la personne")
    maelle.presses("Annuler le rendez-vous")
    maelle.sees("Le rendez-vous est annulé.")


@pytest.mark.req("AGD-11", "AGD-12")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_what_others_plan_is_hidden_shown_and_hidden_again(visit, world, phone):
    entry = worlds.circle_of(world)
    agenda = f"/dossiers/{entry.dossier.pk}/agenda/"
    day = timezone.localdate() + dt.timedelta(days=7)
    ines = visit(phone=phone)
    acts.signs_in(ines, world.nurse)
    ines.goes_to(f"{agenda}nouveau/")
    ines.fills("Titre", "Pansement")
    writes(ines, "Jour", f"{day:%Y-%m-%d}")
    writes(ines, "De", "15:00")
    writes(ines, "À", "15:30")
    ines.presses("Noter le rendez-vous")
    ines.sees("Le rendez-vous est noté : le")

    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(agenda)
    maelle.does_not_see("Pansement")
    maelle.sees("la personne n’a pas donné son accord")
    maelle.clicks("Noter son accord")
    maelle.arrives_at("Accord pour l’agenda partagé")
    maelle.checks_the_page("agenda-accord")
    maelle.presses("Noter l’accord de la personne")
    maelle.sees("C’est noté : les rendez-vous des autres structures sont affichés.")
    maelle.sees("Pansement")
    maelle.checks_the_page("agenda-liste")
    maelle.clicks("Accord de la personne")
    maelle.presses("Noter le retrait de l’accord")
    maelle.sees("sont masqués")
    maelle.does_not_see("Pansement")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/")
    maelle.does_not_see("Pansement")
    maelle.checks_the_page("agenda-accueil")


def test_an_absence_may_repeat_and_an_end_that_is_there_stays(visit, world):
    """« Accueil de jour » each week; and « Modifier » never moves an end by itself."""
    entry = worlds.circle_of(world)
    agenda = f"/dossiers/{entry.dossier.pk}/agenda/"
    day = timezone.localdate() + dt.timedelta(days=7)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"{agenda}nouveau/")
    maelle.selects("Type", "Visite à domicile, 30 minutes")
    maelle.chooses("Absence")
    page = maelle.page
    assert not page.locator("#id_service_type").is_visible() and not page.locator("#id_me").is_visible()
    maelle.fills("Titre", "Accueil de jour")
    writes(maelle, "Jour", f"{day:%Y-%m-%d}")
    page.locator("#id_all_day").check()
    page.get_by_text("Répéter", exact=True).click()
    maelle.selects("Répétition", "Chaque semaine")
    maelle.checks_the_page("agenda-absence-repetee")
    maelle.presses("Noter le rendez-vous")
    maelle.sees("puis à chaque répétition.")

    made = make.appointment(entry, service_type="visite", minutes=120, starts=make.at(10, days=9))
    maelle.goes_to(f"{agenda}{made.pk}/modifier/")
    writes(maelle, "De", "11:00")
    page.locator("#id_starts").blur()
    assert page.locator("#id_ends").input_value() == "12:00"
    # Saved: what is only typed is kept as a draft after the story is over.
    page.locator("#id_person").check()
    maelle.presses("Enregistrer")
    maelle.sees("Le rendez-vous est modifié")
    maelle.then_nothing_broke()
