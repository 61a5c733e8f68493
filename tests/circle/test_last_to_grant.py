"""Closing the access of the only member able to grant is warned of, however it is closed."""

import pytest
from django.urls import reverse

from habilitations.models import Habilitation
from tests.circle import factories

pytestmark = pytest.mark.django_db
WARNING = "plus personne dans ce cercle ne pourra habiliter"


def test_who_answers_for_the_only_granter_is_warned_before_noting_a_refusal(client, coordinator, entry):
    helper = factories.account(factories.SOCIAL)
    factories.add(entry, helper.attachment.professional, role="313", wanted="oui")
    alone = Habilitation.objects.get(user=coordinator).members.get()
    url = reverse("circle:habilitation", args=[entry.dossier.pk, alone.pk])
    for user in (coordinator, helper):
        client.force_login(user)
        page = client.get(url)
        assert page.status_code == 200
        assert WARNING in page.content.decode().replace("\xa0", " ")
    other = factories.add(entry, factories.account(factories.DOCTOR).attachment.professional, role="PCP", wanted="oui")
    assert WARNING not in client.get(url).content.decode().replace("\xa0", " ")
    url = reverse("circle:habilitation", args=[entry.dossier.pk, other.pk])
    assert WARNING not in client.get(url).content.decode().replace("\xa0", " ")
