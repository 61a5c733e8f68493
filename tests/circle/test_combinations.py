"""In the circle, what the person closes is told and carried, whatever else is done to the member."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.wording import RESTED, Facts, access_in_words
from coordination.directory.actions import merge_structure
from coordination.outbox.models import Message
from habilitations.access import to_dossier
from habilitations.errors import OwnHabilitation
from habilitations.rubriques import Rubrique
from tests.circle import factories as make
from tests.habilitations.acting_data import stand_in

pytestmark = pytest.mark.django_db


def oppose(entry, rubrique, member=None):
    return actions.record_opposition(
        entry, rubrique=rubrique, member=member, refused_on=timezone.localdate(), collected="oral"
    )


@pytest.mark.req("SEC-6")
def test_nobody_is_written_that_a_dossier_is_opened_while_the_person_closes_it_to_all(entry):
    oppose(entry, "")
    user = make.account()
    make.add(entry, user.attachment.professional, wanted="oui")
    assert to_dossier(user, entry.dossier.pk) is None
    assert not Message.objects.filter(to=user.email).exists()


def test_a_rubric_reduced_and_closed_is_told_as_closed(entry):
    facts = {"kind": "annuaire", "state": "oui", "account_open": True, "vouched": (make.NURSE, ""), "rests": RESTED}
    matrix = entry.access.matrix
    closed = access_in_words(Facts(ceilings=("liaison=0",), **facts), matrix)
    assert access_in_words(Facts(ceilings=("liaison=0", "liaison=1"), **facts), matrix) == closed


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("kept", [0, 1])
def test_joining_two_entries_of_a_structure_opens_nothing_that_the_person_opposes(entry, kept):
    delegate = make.account()
    houses = [make.legal_structure(delegate, name="SAAD saisi"), make.legal_structure(delegate, name="SAAD MODÈLE")]
    members = [make.add_house(entry, house, wanted="oui") for house in houses]
    oppose(entry, "medical", members[kept])
    merge_structure(houses[0], houses[1], by=entry.user)
    sees = lambda: to_dossier(delegate, entry.dossier.pk).can_read(Rubrique.MEDICAL)  # noqa: E731
    assert not sees()
    actions.join_doubles(entry, members[0])
    assert not sees()


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize("joined", [False, True], ids=["two entries", "one of them left as a double"])
def test_a_delegate_finds_nothing_of_what_is_opposed_to_another_entry_of_his_structure(client, entry, joined):
    delegate, other = make.account(), make.account()
    houses = [make.legal_structure(delegate, name="SAAD saisi"), make.legal_structure(name="SAAD MODÈLE")]
    members = [make.add_house(entry, house, wanted="oui") for house in houses]
    elsewhere = make.add(entry, other.attachment.professional, wanted="oui")
    oppose(entry, "medical", members[0])
    aimed_elsewhere = oppose(entry, "social", elsewhere)
    merge_structure(houses[1], houses[0], by=entry.user)
    carried = oppose(entry, "agenda", members[1])
    if joined:
        actions.join_doubles(entry, members[1])
    assert make.entry_of(delegate, entry).access.through_structure == houses[0].pk
    client.force_login(delegate)
    page = client.get(reverse("circle:consents", args=[entry.dossier.pk])).content.decode().replace("\xa0", " ")
    # What is opposed to somebody else is told to who may note it.
    assert set(re.findall(r"Opposition : ([\w ]+)", page)) == {"Volet social"}
    withdraw = lambda one: client.get(reverse("circle:withdraw_opposition", args=[entry.dossier.pk, one.pk]))  # noqa: E731
    assert [withdraw(one).status_code for one in (aimed_elsewhere, carried)] == [200, 404]


@pytest.mark.req("SEC-15")
def test_a_stand_in_does_not_keep_the_sleeping_access_of_the_one_he_acts_for(entry):
    doctor, other = (make.account(make.DOCTOR) for _ in range(2))
    member = make.add(entry, doctor.attachment.professional, wanted="oui")
    stand_in(doctor, other)
    with pytest.raises(OwnHabilitation):
        actions.keep_access(make.entry_of(other, entry), member)


@pytest.mark.req("SEC-15")
def test_a_stand_in_does_not_put_back_the_structure_for_which_he_acts_himself(entry):
    """By it he would be inside once the absence is over, whatever brought it there."""
    other = make.coordinator()
    member = make.add_house(entry, make.legal_structure(other), wanted="oui")
    actions.remove_member(entry, member, reason="erreur")
    stand_in(entry.user, other)
    acting_entry = make.entry_of(other, entry)
    assert acting_entry.access.on_behalf_of is not None
    with pytest.raises(OwnHabilitation):
        actions.undo_removal(acting_entry, member)
    assert actions.undo_removal(entry, member).member.habilitation.state == "oui"


@pytest.mark.req("SEC-4")
def test_who_is_inside_until_a_day_does_not_open_the_dossier_to_his_own_structure(entry):
    """By it he would be inside the day after, and nobody moves his own last day."""
    doctor = make.account(make.DOCTOR)
    member = make.add(entry, doctor.attachment.professional, wanted="oui")
    house = make.legal_structure(doctor)
    until = timezone.localdate() + dt.timedelta(days=9)
    actions.limit_access(entry, member, ceilings={}, until=until)
    with pytest.raises(OwnHabilitation):
        make.add_house(make.entry_of(doctor, entry), house, wanted="oui")
    added = make.add_house(make.entry_of(doctor, entry), house)
    assert added.habilitation.state == "non", "he says that it is there, somebody else lets it in"
    other = make.add_house(make.entry_of(doctor, entry), make.legal_structure(make.account()), wanted="oui")
    assert other.habilitation.state == "oui", "a structure that is not his own"
    actions.set_habilitation(entry, added, "oui", rests=make.team())
    actions.set_habilitation(make.entry_of(doctor, entry), added, "non")
    added.habilitation.refresh_from_db()
    assert added.habilitation.state == "non", "closing is nobody's way in"
    actions.limit_access(entry, member, ceilings={}, until=None)
    actions.set_habilitation(make.entry_of(doctor, entry), added, "oui", rests=make.team())
    added.habilitation.refresh_from_db()
    assert added.habilitation.state == "oui"


@pytest.mark.req("SEC-15")
@pytest.mark.parametrize("vue", ["tous", "remplacements"])
def test_a_filter_does_not_tell_the_referent_of_a_dossier_entered_for_somebody_who_is_not_told(client, entry, vue):
    helper, doctor = make.account("99", "350"), make.account(make.DOCTOR)
    make.add(entry, helper.attachment.professional, wanted="oui")
    stand_in(helper, doctor)
    assert not to_dossier(doctor, entry.dossier.pk).sees_whole_circle
    client.force_login(doctor)
    listed = lambda query: str(entry.dossier.pk) in client.get(f"/dossiers/?vue={vue}{query}").content.decode()  # noqa: E731
    assert listed("")
    assert not listed(f"&referent={entry.user.attachment.professional.pk}")


@pytest.mark.req("SEC-6")
def test_who_has_nothing_open_yet_is_told_so_and_not_why(client):
    client.force_login(make.account())
    page = client.get(reverse("invitations:awaiting")).content.decode()
    assert "Rien n’est encore ouvert" in page
    assert "confirmation" not in page.split("<main")[1]
