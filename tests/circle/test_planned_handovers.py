"""A hand-over to come is seen wherever the role is chosen: before one plans another."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import RoleAlreadyHeld
from circle.models import Member
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


def on():
    return timezone.localdate() + dt.timedelta(days=9)


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


@pytest.fixture
def plan(entry):
    """TESTARD is the médecin traitant and ÉCHANTILLON will be, in nine days."""
    holder, taker = (
        make.add(entry, make.listed(make.DOCTOR, family_name=name, given_name="Sacha"), role=role)
        for name, role in (("TESTARD", "PCP"), ("ÉCHANTILLON", "PROV"))
    )
    actions.hand_over_role(entry, role="PCP", from_member=holder, to_member=taker, starts_on=on())
    return holder, taker


@pytest.fixture
def page(client, entry, plan):
    client.force_login(entry.user)

    def get(name, *args):
        return text_of(client.get(reverse(f"circle:{name}", args=[entry.dossier.pk, *args])))

    return get


def test_the_radios_say_it(page, entry):
    said = (
        f"Tenu par TESTARD Sacha depuis le {timezone.localdate():%d/%m/%Y},"
        f" passera à ÉCHANTILLON Sacha le {on():%d/%m/%Y}"
    )
    newcomer = make.listed(make.DOCTOR, family_name="MODÈLE")
    assert said in page("add_professional", newcomer.pk)
    assert said in page("change_role", make.add(entry, make.listed(make.DOCTOR)).pk)


def test_the_list_of_the_forms_by_hand_says_it(page):
    said = f"(tenu par TESTARD Sacha, passera à ÉCHANTILLON Sacha le {on():%d/%m/%Y})"
    assert said in page("add_manually", "professionnel")


def test_the_holder_sees_his_own_succession(page, plan):
    holder, taker = plan
    assert f"Passera à ÉCHANTILLON Sacha le {on():%d/%m/%Y}" in page("change_role", holder.pk)
    assert f"passera à ÉCHANTILLON Sacha le {on():%d/%m/%Y}" in page("change_role", taker.pk)


def test_a_second_plan_is_refused_in_words_that_tell_the_first(entry, plan):
    third = make.add(entry, make.listed(make.DOCTOR))
    with pytest.raises(RoleAlreadyHeld) as caught:
        actions.change_role(entry, third, role="PCP", handover={"starts_on": timezone.localdate(), "new_role": ""})
    assert str(caught.value) == (
        f"ÉCHANTILLON Sacha prendra le rôle « Médecin traitant » le {on():%d/%m/%Y}. "
        "Déplacez ou annulez d’abord ce changement prévu."
    )


@pytest.mark.req("PEERS-RULE-7")
def test_a_discreet_successor_is_not_named(client, entry, plan):
    _, taker = plan
    actions.set_discreet(entry, taker, True)
    helper = make.account(make.SOCIAL)
    make.add(entry, helper.attachment.professional, wanted="oui", role="313")
    client.force_login(helper)
    url = reverse("circle:add_manually", args=[entry.dossier.pk, "professionnel"])
    said = text_of(client.get(url))
    assert "tenu par TESTARD Sacha)" in said
    assert "ÉCHANTILLON" not in said


def test_once_called_off_it_is_no_longer_said(page, entry, plan):
    _, taker = plan
    actions.remove_member(entry, Member.objects.get(pk=taker.pk), reason="fin")
    said = page("add_manually", "professionnel")
    assert "(tenu par TESTARD Sacha)" in said
    assert "passera" not in said
