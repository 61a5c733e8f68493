"""The person refused somebody typed by hand: her entry in the directory says so before anybody opens the dossier."""

import pytest

from circle import actions
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.req("SEC-5")]


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_namesake_under_refusal_is_shown_and_must_be_told_apart(visit, world, phone):
    entry = worlds.circle_of(world)
    listed = factories.listed(family_name="ESSAI-NADAL", given_name="Rose")
    typed = factories.by_hand(entry, family_name="Essai-Nadal", given_name="Rose")
    refusal = {"refused_on": typed.created_at.date(), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, typed, "refus", refusal=refusal)
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/professionnel/{listed.pk}/")
    maelle.sees("Est-ce la même personne ?")
    maelle.checks_the_page("homonyme-refuse")
    maelle.chooses("Infirmière")
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.presses("Ajouter et habiliter")
    maelle.sees("Le patient a refusé le partage avec une personne du même nom")
    maelle.checks_the_page("homonyme-a-distinguer")
    maelle.fills("Pourquoi s’agit-il de quelqu’un d’autre ?", "Une cousine, autre cabinet")
    maelle.presses("Ajouter et habiliter")
    maelle.arrives_at("Cercle de soins")
    maelle.sees("Accès en attente")
