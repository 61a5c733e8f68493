"""A refusal noted on what somebody typed by hand is not emptied of its sense by the same person's other entry."""

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import SameOneHabilitated
from circle.models import Member
from habilitations.access import to_dossier
from habilitations.models import Refusal
from tests.circle import factories

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-5")]
SAME = "Est-ce la même personne ?"


@pytest.fixture
def twin(db):
    return factories.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def habilitated(entry, twin):
    return factories.add(entry, twin.attachment.professional, wanted="oui")


@pytest.fixture
def typed(entry, habilitated):
    """The same human being, typed by hand by somebody who did not look."""
    said = {"family_name": "SPÉCIMEN", "given_name": "Inès", "profession": factories.NURSE, "phone": "05 36 49 10 40"}
    return actions.add_manual_professional(
        entry, fields=said, role="PROV", duplicate_reason="Vue au domicile", creation_key=habilitated.pk
    )


def refusal():
    return {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}


@pytest.fixture
def page(client, coordinator, entry, typed):
    client.force_login(coordinator)
    url = reverse("circle:habilitation", args=[entry.dossier.pk, typed.pk])

    def ask(**sent):
        if not sent:
            return client.get(url + "?reponse=refus")
        today = f"{timezone.localdate():%d/%m/%Y}"
        return client.post(url, {"habilitation": "refus", "refused_on": today, "collected": "oral"} | sent)

    return ask


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


def states(*members):
    return [Member.objects.get(pk=member.pk).habilitation.state for member in members]


def test_the_page_says_it_before_anything_is_saved(page):
    said = text_of(page())
    assert SAME in said
    assert "SPÉCIMEN Inès. Infirmière, Carmaux. Peut lire et écrire. Même nom" in said


def test_nothing_is_noted_until_one_says_which(page, typed, habilitated):
    answer = page(comment="")
    assert answer.status_code == 422
    assert "Accès ouvert ou demandé pour SPÉCIMEN Inès." in text_of(answer)
    assert states(typed, habilitated) == ["non", "oui"]


def test_both_are_refused_in_one_act(page, entry, typed, habilitated, twin):
    assert page(aussi=str(habilitated.pk)).status_code == 303
    assert states(typed, habilitated) == ["refus", "refus"]
    assert Refusal.objects.filter(withdrawn_at=None, dossier=entry.dossier).count() == 2
    assert to_dossier(twin, entry.dossier.pk) is None


def test_somebody_else_keeps_his_access(page, typed, habilitated):
    assert page(duplicate_reason="Sa cousine, autre cabinet").status_code == 303
    assert states(typed, habilitated) == ["refus", "oui"]
    typed.refresh_from_db()
    assert typed.duplicate_reason == "Sa cousine, autre cabinet"


def test_a_stranger_is_not_refused_by_a_forged_form(page, entry, typed, habilitated):
    other = factories.add(entry, factories.account().attachment.professional, wanted="oui")
    assert page(aussi=str(other.pk)).status_code == 422
    assert states(typed, habilitated, other) == ["non", "oui", "oui"]


@pytest.mark.parametrize("contact", [{"phone": "05 36 49 10 21"}, {"email": "ines@modele.example"}])
def test_the_same_contact_is_enough(entry, contact):
    nurse = factories.account(family_name="MODÈLE", given_name="Ana")
    nurse.attachment.professional.activities.update(phone="+33536491021", email="ines@modele.example")
    factories.add(entry, nurse.attachment.professional, wanted="oui")
    typed = factories.by_hand(entry, **({"phone": "", "given_name": "I."} | contact))
    with pytest.raises(SameOneHabilitated):
        actions.set_habilitation(entry, typed, "refus", refusal=refusal())


def test_one_who_waits_or_is_asked_for_counts_too(entry):
    factories.add(entry, factories.listed(family_name="SPÉCIMEN", given_name="Inès"), wanted="oui")
    typed = actions.add_manual_professional(
        entry, fields={"family_name": "SPÉCIMEN", "given_name": "Inès", "mobile": "06 39 98 20 55"}, role="PROV",
        duplicate_reason="Autre", creation_key=entry.dossier.pk,
    )  # fmt: skip
    with pytest.raises(SameOneHabilitated):
        actions.set_habilitation(entry, typed, "refus", refusal=refusal())


def test_nobody_habilitated_nothing_is_asked(entry, typed, habilitated):
    actions.set_habilitation(entry, habilitated, "non")
    actions.set_habilitation(entry, typed, "refus", refusal=refusal())
    assert states(typed, habilitated) == ["refus", "non"]


def test_who_enters_through_a_structure_is_pointed_out(client, coordinator, entry, twin):
    factories.add_house(entry, factories.legal_structure(twin, name="SSIAD DU TEST"), wanted="oui")
    typed = factories.by_hand(entry, given_name="Inès", mobile="06 39 98 20 11", creation_key=entry.dossier.pk)
    client.force_login(coordinator)
    said = text_of(client.get(reverse("circle:habilitation", args=[entry.dossier.pk, typed.pk])))
    assert "SPÉCIMEN Inès entre dans le dossier par SSIAD DU TEST" in said
    assert reverse("circle:link", args=[entry.dossier.pk, typed.pk]) in said
    # Linked, the refusal concerns the account, whichever way it comes in.
    actions.link_to_directory(entry, typed, professional=twin.attachment.professional)
    actions.set_habilitation(entry, typed, "refus", refusal=refusal())
    assert to_dossier(twin, entry.dossier.pk) is None


@pytest.mark.req("PEERS-RULE-7")
def test_a_hidden_member_is_not_named(client, entry, typed, habilitated):
    helper = factories.account(factories.SOCIAL)
    factories.add(entry, helper.attachment.professional, wanted="oui", role="313")
    actions.set_discreet(entry, habilitated, True)
    client.force_login(helper)
    said = text_of(client.get(reverse("circle:habilitation", args=[entry.dossier.pk, typed.pk])))
    assert SAME not in said
