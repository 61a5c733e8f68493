"""What the circle tells the file active: nothing of a discreet member, on either side of a hand-over."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions, summaries
from circle.models import Change
from coordination.dossiers.actions import change_status, update_identity
from coordination.dossiers.file_active import FileActive, Filters, Reader
from coordination.dossiers.models import Dossier, Visit
from habilitations.rubriques import Rubrique
from tests.circle import factories

pytestmark = pytest.mark.django_db


@pytest.mark.req("SEC-2")
def test_a_hand_over_from_a_discreet_holder_is_no_activity_for_who_may_not_see_him(entry):
    holder = factories.add(entry, factories.listed(factories.DOCTOR), role="PCP", discreet=True)
    handover = {"starts_on": timezone.localdate(), "new_role": "PROV"}
    taker = factories.add(entry, factories.listed(factories.DOCTOR), role="PCP", handover=handover)
    Change.objects.exclude(other=holder).delete()
    assert Change.objects.filter(member=taker, other=holder).exists()

    def last(*readable):
        shown = summaries.last_activity(factories.account(), lambda rubrique: rubrique in readable)
        return Dossier.objects.annotate(last=shown).get(pk=entry.dossier.pk).last

    assert last(Rubrique.CERCLE, Rubrique.MEDICAL) is not None
    assert last(Rubrique.CERCLE) is None
    actions.set_discreet(entry, holder, False)
    assert last(Rubrique.CERCLE) is not None


@pytest.mark.parametrize("unlisted", [True, False])
def test_the_card_says_that_a_number_is_unlisted(client, entry, unlisted):
    factories.relative(entry, role="NOK", mobile="06 39 98 20 55", unlisted=unlisted)
    client.force_login(entry.user)
    page = client.get(reverse("dossiers:home", args=[entry.dossier.pk])).content.decode()
    assert "06\xa039\xa098\xa020\xa055" in page
    assert ("liste rouge" in page) is unlisted


@pytest.mark.req("SEC-5")
def test_who_is_closed_by_an_opposition_to_the_whole_dossier_waits_for_nothing(entry):
    factories.add(entry, wanted="oui")
    assert "1 accès en attente" in summaries.card(entry).facts["sentence"].replace("\xa0", " ")
    actions.record_opposition(
        entry, rubrique="", spared=[entry.user.pk], refused_on=timezone.localdate(), collected="oral"
    )
    said = summaries.card(factories.entry_of(entry.user, entry)).facts["sentence"].replace("\xa0", " ")
    assert said == "1 membre a accès."


@pytest.mark.req("PEERS-RULE-7")
def test_the_reduced_circle_is_no_activity_of_the_file_active(entry):
    helper = factories.account("350")
    factories.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    seen = {"seen_at": timezone.now() - dt.timedelta(days=3)}
    Visit.objects.update_or_create(user=helper, dossier=entry.dossier, defaults=seen)
    factories.relative(entry)
    assert not FileActive(Reader.of(helper), Filters()).changed().exists()
    whole = factories.account(factories.NURSE)
    factories.add(entry, whole.attachment.professional, wanted="oui")
    Visit.objects.update_or_create(user=whole, dossier=entry.dossier, defaults=seen)
    assert FileActive(Reader.of(whole), Filters()).changed().exists()


@pytest.mark.req("PEERS-RULE-7")
def test_who_changed_the_state_or_the_identity_is_not_named_in_the_reduced_circle(client, entry):
    helper = factories.account("350")
    factories.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    Visit.objects.update_or_create(
        user=helper, dossier=entry.dossier, defaults={"seen_at": timezone.now() - dt.timedelta(days=3)}
    )
    change_status(entry.dossier, by=entry.user, access=entry.access, status="actif")
    update_identity(entry.dossier, by=entry.user, version=1, traits={"used_name": "DURAND"})
    client.force_login(helper)
    for name in ("home", "identity"):
        page = client.get(reverse(f"dossiers:{name}", args=[entry.dossier.pk])).content.decode()
        assert "LARRIEU" not in page
    home = client.get(reverse("dossiers:home", args=[entry.dossier.pk])).content.decode()
    assert "L’identité a été modifiée" in home and "Le statut du dossier a changé" in home


def test_what_nobody_did_by_hand_is_counted_as_it_is_told(entry):
    reader = factories.account(factories.NURSE)
    factories.add(entry, reader.attachment.professional, wanted="oui")
    since = timezone.now()
    Visit.objects.create(user=reader, dossier=entry.dossier, seen_at=since)
    member = factories.relative(entry)
    Change.objects.filter(member=member).update(by=None)
    count = Change.objects.filter(member=member).count()
    told = summaries.news_counts(reader, [entry.dossier.pk])[entry.dossier.pk].main
    assert told.replace("\xa0", " ").startswith(f"{count} changement")
    assert summaries.news(factories.entry_of(reader, entry), since)


def test_the_card_of_the_reduced_circle_does_not_say_nobody_of_who_gives_no_number(client, entry):
    helper = factories.account("350")
    factories.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    factories.relative(entry, role="ECON", unlisted=True)
    client.force_login(helper)
    page = client.get(reverse("dossiers:home", args=[entry.dossier.pk])).content.decode()
    card = page.split("Personne à prévenir")[1].split("</div>")[0]
    assert "Numéro non communiqué" in card and ">Personne<" not in card
