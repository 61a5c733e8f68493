"""Two people on the same member, and one person who presses twice: nothing is lost, nothing is done twice."""

import pytest

from circle.models import Member
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.fixture
def entry(world):
    entry = worlds.circle_of(world)
    factories.add(entry, world.colleague.attachment.professional, wanted="oui")
    return entry


def test_the_second_of_two_editors_sees_both_texts(visit, world, entry):
    member = worlds.member_named(entry, "TRACÉ")
    address = f"/dossiers/{entry.dossier.pk}/cercle/membres/{member.pk}/modifier/"
    maelle, elise = visit(), visit(phone=True)
    acts.signs_in(maelle, world.coordinator)
    acts.signs_in(elise, world.colleague)
    maelle.goes_to(address)
    elise.goes_to(address)

    maelle.fills("Numéro de mobile", "06 39 98 11 11")
    maelle.fills("Description", "Passe le matin")
    maelle.presses("Mettre à jour")
    maelle.sees("La fiche est à jour.")

    elise.fills("Numéro de mobile", "06 39 98 22 22")
    elise.fills("Structure", "Cabinet du Viaduc")
    elise.presses("Mettre à jour")
    elise.arrives_at("Comparer : TRACÉ Léone")
    for text in ("06 39 98 11 11", "06 39 98 22 22", "Passe le matin", "EXEMPLE-LARRIEU Maëlle"):
        elise.sees(text)
    elise.checks_the_page("comparer")
    member.refresh_from_db()
    assert (member.mobile, member.description) == ("+33639981111", "Passe le matin")

    elise.page.locator("#autre-description").check()
    elise.presses("Mettre à jour")
    elise.sees("La fiche est à jour.")
    member.refresh_from_db()
    assert (member.mobile, member.description) == ("+33639982222", "Passe le matin")
    assert member.structure_name == "Cabinet du Viaduc"


def test_a_button_pressed_twice_adds_one_member(visit, world, entry):
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/professionnel/")
    acts.adds_a_nurse_by_hand(maelle)
    maelle.page.get_by_role("button", name="Ajouter la personne au cercle de soins").dblclick()
    maelle.arrives_at("Cercle de soins")
    # Back to the form and sent again, as after a page that was slow to answer.
    maelle.page.go_back()
    maelle.arrives_at("Ajout manuel de personne")
    key = maelle.page.locator("[name=creation_key]").input_value()
    maelle.page.evaluate("document.getElementById('saisie').submit()")
    maelle.page.wait_for_load_state()
    assert key
    assert Member.objects.filter(dossier_id=entry.dossier.pk, family_name="RÉPLIQUE").count() == 1


def test_the_same_form_sent_twice_without_javascript_adds_one_member(visit, world, entry):
    maelle = visit(javascript=False)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/professionnel/")
    acts.adds_a_nurse_by_hand(maelle)
    maelle.page.get_by_role("button", name="Ajouter la personne au cercle de soins").dblclick()
    maelle.arrives_at("Cercle de soins")
    assert Member.objects.filter(dossier_id=entry.dossier.pk, family_name="RÉPLIQUE").count() == 1
