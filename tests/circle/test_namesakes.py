"""What the person refused to somebody typed by hand is not got round with the directory's entry of the same name."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import NamesakeRefused
from circle.models import Member
from coordination.directory.actions import merge_structure
from coordination.directory.errors import StructureMergeRefused
from habilitations.errors import RefusalStands
from tests.circle import factories

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-5")]


@pytest.fixture
def twin(db):
    return factories.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def refused(entry):
    """SPÉCIMEN Inès, entered by hand, to whom the person wants nothing told."""
    member = factories.by_hand(entry)
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    return actions.set_habilitation(entry, member, "refus", refusal=refusal)


@pytest.fixture
def visitor(client, coordinator, entry):
    client.force_login(coordinator)
    client.url = lambda name, *args: reverse(f"circle:{name}", args=[entry.dossier.pk, *args])
    return client


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


def sent(**more):
    today = f"{timezone.localdate():%d/%m/%Y}"
    return {
        "role": "PROV",
        "habilitation": "oui",
        **factories.TEAM_POSTED,
        "starts_on": today,
        "creation_key": uuid.uuid4(),
    } | more


def test_the_page_shows_the_namesake_and_the_way_to_link_it(visitor, entry, refused, twin):
    page = text_of(visitor.get(visitor.url("add_professional", twin.attachment.professional.pk)))
    assert "Est-ce la même personne ?" in page
    assert "Refus du patient. Noté le" in page
    assert visitor.url("link", refused.pk) in page


def test_nobody_of_that_name_no_panel(visitor, entry, refused):
    other = factories.listed(family_name="MODÈLE", given_name="Karim")
    assert "Est-ce la même personne ?" not in text_of(visitor.get(visitor.url("add_professional", other.pk)))


def test_a_yes_is_refused_until_a_reason_is_typed(visitor, entry, refused, twin):
    url = visitor.url("add_professional", twin.attachment.professional.pk)
    answer = visitor.post(url, sent())
    assert answer.status_code == 422
    assert "Le patient a refusé le partage avec une personne du même nom" in text_of(answer)
    assert not Member.objects.filter(professional=twin.attachment.professional).exists()
    assert visitor.post(url, sent(duplicate_reason="Sa cousine, autre cabinet")).status_code == 303
    member = Member.objects.get(professional=twin.attachment.professional)
    assert member.habilitation.state == "oui"
    assert member.duplicate_reason == "Sa cousine, autre cabinet"


def test_a_no_enters_but_the_yes_that_follows_is_refused_too(visitor, entry, refused, twin):
    member = factories.add(entry, twin.attachment.professional)
    url = visitor.url("habilitation", member.pk)
    assert "Est-ce la même personne ?" in text_of(visitor.get(url))
    assert visitor.post(url, {"habilitation": "oui", **factories.TEAM_POSTED}).status_code == 422
    member.habilitation.refresh_from_db()
    assert member.habilitation.state == "non"
    assert (
        visitor.post(url, {"habilitation": "oui", **factories.TEAM_POSTED, "duplicate_reason": "Homonyme"}).status_code
        == 303
    )
    member.habilitation.refresh_from_db()
    assert member.habilitation.state == "oui"


def test_a_request_is_refused_like_a_yes(entry, refused, twin):
    helper = factories.account(factories.SOCIAL)
    factories.add(entry, helper.attachment.professional, wanted="oui", role="313")
    asker = factories.entry_of(helper, entry)
    with pytest.raises(NamesakeRefused):
        factories.add(asker, twin.attachment.professional, wanted="oui")


def test_one_who_left_under_a_refusal_still_counts(entry, refused, twin):
    actions.remove_member(entry, refused, reason="fin")
    with pytest.raises(NamesakeRefused):
        factories.add(entry, twin.attachment.professional, wanted="oui")


def test_a_hidden_namesake_is_not_named(entry, refused, twin):
    Member.objects.filter(pk=refused.pk).update(discreet=True)
    error = NamesakeRefused(shown=False)
    assert "saisie à la main" not in str(error)
    with pytest.raises(NamesakeRefused):
        factories.add(entry, twin.attachment.professional, wanted="oui")


def test_a_refusal_withdrawn_or_a_mere_namesake_refuses_nothing(entry, twin):
    factories.by_hand(entry)
    assert factories.add(entry, twin.attachment.professional, wanted="oui").habilitation.state == "oui"


# ---- Two entries of the directory found to be one structure ---------------------------------------


def house(name, **more):
    return factories.legal_structure(name=name, source="local", finess="", **more)


def refuse(entry, member):
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    return actions.set_habilitation(entry, member, "refus", refusal=refusal)


def test_a_structure_refused_is_not_merged_into_one_that_is_granted(entry):
    typed, known = house("SAAD saisi"), house("SAAD Modèle")
    refuse(entry, factories.add_house(entry, typed))
    granted = factories.add_house(entry, known, wanted="oui")
    for one, other in ((typed, known), (known, typed)):
        with pytest.raises(StructureMergeRefused, match="Dans 1.dossier, le patient a refusé"):
            merge_structure(one, other, by=entry.user)
    actions.set_habilitation(entry, granted, "non")
    assert merge_structure(typed, known, by=entry.user).merged_into == known
    with pytest.raises(RefusalStands):
        actions.set_habilitation(entry, granted, "oui", rests=factories.team())


def test_a_refusal_follows_a_chain_of_merges(entry):
    first, second, last = house("Un"), house("Deux"), house("Trois")
    refused = refuse(entry, factories.add_house(entry, first))
    actions.remove_member(entry, refused, reason="fin")
    merge_structure(first, second, by=entry.user)
    merge_structure(second, last, by=entry.user)
    with pytest.raises(RefusalStands):
        factories.add_house(entry, last, wanted="oui")


def test_a_refusal_closes_the_other_entry_of_the_same_structure(entry):
    typed, known = house("SAAD saisi"), house("SAAD Modèle")
    older = factories.add_house(entry, typed)
    granted = factories.add_house(entry, known, wanted="oui")
    merge_structure(typed, known, by=entry.user)
    refuse(entry, older)
    granted.habilitation.refresh_from_db()
    assert granted.habilitation.state == "non"
