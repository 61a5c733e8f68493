"""The answer chosen for a member already there: what the panel beside it and the button say."""

import pytest
from django.urls import reverse

from tests.circle import factories
from tests.circle.test_views_member import text_of


@pytest.fixture
def visitor(client, coordinator, entry):
    client.force_login(coordinator)
    client.url = lambda name, *args: reverse(f"circle:{name}", args=[entry.dossier.pk, *args])
    return client


@pytest.mark.parametrize(
    ("answer", "seen", "button"),
    [
        ("refus", "Ne verra rien du dossier.", "Enregistrer le refus"),
        ("non", "Ne verra rien du dossier.", "Mettre à jour"),
        ("oui", "rubriques", "Habiliter"),
        ("", "Si l’habilitation est donnée.", "Mettre à jour"),
    ],
)
def test_the_panel_and_the_button_follow_the_answer(visitor, entry, answer, seen, button):
    member = factories.add(entry)
    pages = [
        visitor.get(visitor.url("habilitation", member.pk), {"reponse": answer} if answer else {}),
        visitor.get(visitor.url("preview_habilitation", member.pk), {"habilitation": answer}),
    ]
    for response in pages:
        page = text_of(response)
        assert response.status_code == 200
        assert seen in page[page.index('id="apercu"') :]
        assert f"<span>{button}</span>" in page
        assert ("Peut lire" in page[page.index('id="apercu"') :]) == (answer in ("oui", ""))


def test_closing_an_access_is_named_on_the_button(visitor, entry):
    member = factories.add(entry, wanted="oui")
    response = visitor.get(visitor.url("preview_habilitation", member.pk), {"habilitation": "non"})
    assert "<span>Retirer l’habilitation</span>" in text_of(response)


def test_a_refusal_sent_with_a_mistake_still_shows_that_nothing_will_be_seen(visitor, entry):
    member = factories.add(entry)
    page = text_of(visitor.post(visitor.url("habilitation", member.pk), {"habilitation": "refus"}))
    assert "Ne verra rien du dossier." in page[page.index('id="apercu"') :]
    assert "<span>Enregistrer le refus</span>" in page


def test_where_nobody_signs_in_only_the_button_changes(visitor, entry):
    for member in (factories.relative(entry), factories.by_hand(entry)):
        page = text_of(visitor.get(visitor.url("habilitation", member.pk)))
        assert "Ce que cette personne verra" not in page
        answer = visitor.get(visitor.url("preview_habilitation", member.pk), {"habilitation": "refus"})
        assert "Enregistrer le refus" in text_of(answer)
        assert "apercu" not in text_of(answer)


def test_what_delegates_would_see_goes_beside_a_refusal(visitor, entry):
    nurse = factories.account(family_name="DÉLÉGUÉE")
    house = factories.add_house(entry, factories.legal_structure(nurse))
    page, preview = visitor.url("habilitation", house.pk), visitor.url("preview_habilitation", house.pk)
    for answer, shown in (("oui", True), ("refus", False), ("non", False), ("", True)):
        for response in (visitor.get(page, {"reponse": answer}), visitor.get(preview, {"habilitation": answer})):
            assert ("DÉLÉGUÉE" in text_of(response)) is shown
            assert 'id="delegues"' in text_of(response)


@pytest.mark.req("SEC-2")
def test_the_panel_of_a_hidden_member_or_of_another_dossier_is_a_404(visitor, entry):
    stranger = factories.add(factories.open_circle(factories.coordinator()))
    assert visitor.get(visitor.url("preview_habilitation", stranger.pk)).status_code == 404
