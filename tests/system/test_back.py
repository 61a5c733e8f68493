"""Going back to a form that was refused: the form again with what was typed, never the browser’s page of error."""

import pytest

from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
WORDS = "Un commentaire que personne ne veut perdre."


@pytest.fixture
def coordinator(visit, world):
    visitor = visit()
    visitor.page.context.set_default_timeout(60_000)
    acts.signs_in(visitor, world.coordinator)
    return visitor


def test_back_to_a_form_that_was_refused(coordinator, world):
    address = f"/dossiers/{worlds.circle_of(world).dossier.pk}/agenda/nouveau/"
    coordinator.goes_to(address)
    coordinator.fills("Jour", "")
    coordinator.fills("Commentaire", WORDS)
    with coordinator.page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 422):
        coordinator.presses("Noter le rendez-vous")
    coordinator.sees("Indiquez le jour.")
    coordinator.clicks("À faire", inside=coordinator.page.get_by_role("banner"))
    coordinator.arrives_at("À faire")
    coordinator.page.go_back()
    coordinator.arrives_at("Nouveau rendez-vous")
    assert coordinator.field("Commentaire").input_value() == WORDS
    coordinator.sees("Ce formulaire reprend votre brouillon.")
    coordinator.page.go_forward()
    coordinator.arrives_at("À faire")


def test_asked_again_a_refused_form_is_not_sent_again(coordinator, world):
    coordinator.goes_to(f"/dossiers/{worlds.circle_of(world).dossier.pk}/agenda/nouveau/")
    coordinator.fills("Jour", "")
    coordinator.presses("Noter le rendez-vous")
    coordinator.sees("Indiquez le jour.")
    with coordinator.page.expect_request(lambda asked: asked.is_navigation_request()) as asked:
        coordinator.page.reload()
    assert asked.value.method == "GET"
    coordinator.arrives_at("Nouveau rendez-vous")
    coordinator.does_not_see("Indiquez le jour.")
