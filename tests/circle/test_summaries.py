"""What the circle tells the file active: nothing of a discreet member, on either side of a hand-over."""

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions, summaries
from circle.models import Change
from coordination.dossiers.models import Dossier
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
