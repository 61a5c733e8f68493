"""What one rule closes, another one does not open: consents, oppositions, stand-ins and emergencies put together."""

import datetime as dt

import pytest
from django.utils import timezone

from coordination.dossiers.models import Dossier
from habilitations import access, published
from habilitations import actions as do
from habilitations.acting_lists import said_of_others
from habilitations.errors import OwnHabilitation
from habilitations.models import Opposition
from habilitations.rubriques import Rubrique
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DOCTOR, DossierFactory, carry, habilitation, professional
from tests.habilitations.acting_data import stand_in, today

ORAL = "oral"


@pytest.fixture
def matrix(db):
    yield publish_default_matrix()
    published.forget()


@pytest.fixture
def doctor(matrix):
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def other(doctor):
    """Who stands in for the doctor."""
    user = professional(DOCTOR, family_name="MODÈLE", given_name="Anne")
    stand_in(doctor, user)
    return user


@pytest.fixture
def dossier(doctor):
    made = DossierFactory()
    made.row = habilitation(made, "oui", user=doctor)
    return made


def opposed(dossier, rubrique, **details):
    said = {"refused_on": today(), "collected": ORAL, "recorded_by": dossier.created_by} | details
    return Opposition.objects.create(dossier=dossier, rubrique=rubrique, **said)


# ---- acting for another ----------------------------------------------------------------------------


@pytest.mark.req("SEC-5", "SEC-15")
def test_a_stand_in_who_closes_the_whole_dossier_leaves_inside_the_one_he_acts_for_and_so_himself(
    doctor, other, dossier
):
    held = access.to_dossier(other, dossier.pk)
    opposition = do.record_opposition(
        dossier.pk, by=other, access=held, rubrique="", refused_on=today(), collected=ORAL
    )
    assert access.to_dossier(doctor, dossier.pk)
    held = access.to_dossier(other, dossier.pk)
    assert held, "nobody would be left to withdraw it"
    do.withdraw_opposition(opposition, by=other, access=held, withdrawn_on=today(), collected=ORAL)


@pytest.mark.req("SEC-15")
def test_a_stand_in_notes_no_consent_that_widens_the_way_in_of_the_one_he_acts_for(doctor, other, dossier):
    held = access.to_dossier(other, dossier.pk)
    with pytest.raises(OwnHabilitation):
        do.record_consent(dossier.row, by=other, access=held, ground="reconnue", starts_on=today())


@pytest.mark.req("SEC-6", "SEC-15")
def test_a_stand_in_withdraws_no_opposition_aimed_at_the_one_he_acts_for(doctor, other, dossier):
    opposition = opposed(dossier, "medical", habilitation=dossier.row)
    held = access.to_dossier(other, dossier.pk)
    with pytest.raises(OwnHabilitation):
        do.withdraw_opposition(opposition, by=other, access=held, withdrawn_on=today(), collected=ORAL)


@pytest.mark.req("SEC-5", "SEC-15")
def test_what_the_person_closed_to_somebody_under_an_entry_that_left_is_closed_to_who_acts_for_him(
    doctor, other, dossier
):
    gone = habilitation(dossier, "non", user=doctor, ended_at=timezone.now())
    opposed(dossier, "medical", habilitation=gone)
    for user in (doctor, other):
        assert not access.to_dossier(user, dossier.pk).can_read(Rubrique.MEDICAL)
        assert user.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)


# ---- lists say what decisions say ------------------------------------------------------------------


@pytest.mark.req("SEC-5")
def test_lists_leave_out_what_is_closed_by_an_entry_that_left(doctor, dossier):
    gone = habilitation(dossier, "non", user=doctor, ended_at=timezone.now())
    opposed(dossier, "medical", habilitation=gone)
    assert not access.to_dossier(doctor, dossier.pk).can_read(Rubrique.MEDICAL)
    assert access.closed_to(doctor, Rubrique.MEDICAL).exists()


@pytest.mark.req("SEC-15")
def test_a_list_says_of_who_acts_for_another_the_day_that_the_decision_says(doctor, other, dossier):
    dossier.row.consents.all().delete()
    last = today() + dt.timedelta(days=2)
    carry(dossier.row, "accord", collected=ORAL, last_day=last)
    assert access.to_dossier(other, dossier.pk).until == last
    himself = access.dossier_ids(other, through=access.HIMSELF)
    rows = Dossier.objects.filter(pk=dossier.pk).annotate(said=said_of_others(other, himself=himself))
    assert rows.get().said == f"remplacement|{last}|TESTARD Paul"
