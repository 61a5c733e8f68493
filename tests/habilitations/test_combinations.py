"""What one rule closes, another one does not open: consents, oppositions, stand-ins and emergencies put together."""

import datetime as dt

import pytest
from django.utils import timezone

from coordination.dossiers.models import Dossier
from habilitations import access, published
from habilitations import actions as do
from habilitations.acting_lists import said_of_others
from habilitations.errors import EmergencyNotOpened, OwnHabilitation
from habilitations.models import Opposition
from habilitations.rubriques import Action, Rubrique
from habilitations.usage import uses_of
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import (
    DOCTOR,
    DossierFactory,
    StructureFactory,
    carry,
    delegate,
    habilitation,
    professional,
)
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
    shown = Opposition.objects.shown_to(doctor, access.to_dossier(doctor, dossier.pk))
    assert list(shown) == [opposition], "whose stand-in noted it is left alone with it"
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
    kind, until, _, name = rows.get().said.split("|", 3)
    assert (kind, until, name) == ("remplacement", f"{last}", "TESTARD Paul")


# ---- an emergency ----------------------------------------------------------------------------------


@pytest.fixture
def house(settings, matrix, dossier):
    """A structure of the circle, one of whose delegates is a doctor who has nothing else there."""
    settings.BRIS_DE_GLACE = True
    user, structure = professional(DOCTOR, family_name="URGENT"), StructureFactory()
    delegate(user, structure)
    return user, habilitation(dossier, "non", structure=structure)


def emergency(user, dossier):
    return do.open_emergency(dossier.pk, by=user, reason="vitale", detail="Trouvée seule.")


@pytest.mark.req("SEC-5", "SEC-8")
def test_what_the_person_opposes_to_a_structure_is_not_opened_to_its_delegates_by_an_emergency(dossier, house):
    user, row = house
    opposed(dossier, "medical", habilitation=row)
    emergency(user, dossier)
    assert not access.to_dossier(user, dossier.pk).can_read(Rubrique.MEDICAL)
    assert user.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)


@pytest.mark.req("SEC-4", "SEC-8")
@pytest.mark.parametrize("before", [True, False])
def test_a_consent_taken_back_from_a_structure_closes_the_emergencies_of_its_delegates(dossier, house, before):
    user, row = house
    withdrawn = {"end": "retrait", "ended_at": timezone.now(), "ended_on": today()}
    if before:
        carry(row, **withdrawn)
        with pytest.raises(EmergencyNotOpened):
            emergency(user, dossier)
    else:
        emergency(user, dossier)
        assert access.to_dossier(user, dossier.pk)
        carry(row, **withdrawn)
    assert access.to_dossier(user, dossier.pk) is None
    assert dossier.pk not in set(access.dossier_ids(user).values_list("dossier_id", flat=True))


# ---- who comes back by another entry ---------------------------------------------------------------


@pytest.mark.req("SEC-4")
def test_what_was_taken_back_from_somebody_who_left_lasts_until_a_new_fact_is_noted(doctor, dossier):
    user = professional(DOCTOR)
    gone = habilitation(dossier, "non", user=user, ended_at=timezone.now())
    carry(gone, end="retrait", ended_at=timezone.now(), ended_on=today())
    back = habilitation(dossier, "oui", user=user)
    assert access.to_dossier(user, dossier.pk) is None
    held = access.to_dossier(doctor, dossier.pk)
    do.record_consent(back, by=doctor, access=held, ground="reconnue", starts_on=today())
    assert access.to_dossier(user, dossier.pk), "nobody could note anything any more on the entry that left"
    assert dossier.pk in set(access.dossier_ids(user).values_list("dossier_id", flat=True))


@pytest.mark.req("SEC-3")
def test_a_grant_that_nothing_carries_is_no_dossier_that_the_account_may_enter(doctor, dossier):
    assert uses_of([doctor.pk])[doctor.pk].opened == 1
    dossier.row.consents.all().delete()
    assert access.to_dossier(doctor, dossier.pk) is None
    assert doctor.pk not in uses_of([doctor.pk])


@pytest.mark.req("SEC-3", "SEC-5")
def test_a_delegate_widens_nothing_of_the_structure_by_which_he_enters(matrix, doctor, dossier):
    structure = StructureFactory()
    user = professional(DOCTOR)
    delegate(user, structure)
    row = habilitation(dossier, "oui", structure=structure)
    opposition = opposed(dossier, "medical", habilitation=row)
    held = access.to_dossier(user, dossier.pk)
    assert held.habilitation_id == row.pk
    with pytest.raises(OwnHabilitation):
        do.record_consent(row, by=user, access=held, ground="reconnue", starts_on=today())
    with pytest.raises(OwnHabilitation):
        do.set_limits(row, by=user, access=held, ceilings={}, until=None)
    with pytest.raises(OwnHabilitation):
        do.withdraw_opposition(opposition, by=user, access=held, withdrawn_on=today(), collected=ORAL)


@pytest.mark.req("SEC-22")
def test_who_is_there_for_another_is_not_written_to_of_what_his_list_does_not_show(doctor, other, dossier):
    assert access.users_who_may(dossier.pk, Action.GRANT) == {doctor.pk, other.pk}
    assert access.users_who_may(dossier.pk, Action.GRANT, himself=True) == {doctor.pk}
