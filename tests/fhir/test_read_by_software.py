"""A circle read by a software: who calls, which version, what he may do are one statement, which decides as pages do.

The same circle is read beside by the professional's own token, which goes by the door's statement.
"""

import datetime as dt
import uuid

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle.fhir import versions
from coordination.accounts import actions as accounts
from coordination.fhir import throttling
from habilitations import actions
from habilitations.models import AccountTrace, Ceiling, Consent, Habilitation, Trace, VouchedProfession
from habilitations.rubriques import Niveau
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.fhir_calls import circle_id
from tests.fhir.api import Api, issues, read
from tests.fhir.callers import acting, connect, professional, token_of
from tests.habilitations.acting_data import stand_in

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-24", "SECT-7")]


@pytest.fixture(autouse=True)
def _nothing_counted():
    caches[throttling.CACHE].clear()
    throttling.forget()


@pytest.fixture
def house():
    return make.StructureFactory(finess="810000019", finess_ej="810000001")


@pytest.fixture
def nurse(house):
    return professional(house, family_name="TESTARD", given_name="Ada")


@pytest.fixture
def software(client, house, nurse):
    """The API as the software of the nurse's house calls it for her."""
    token = token_of(client, *connect(house))
    return Api(client, acting(token, nurse[1]))


@pytest.fixture
def address(entry, nurse):
    make.add(entry, make.listed(), discreet=True)
    make.relative(entry)
    make.add(entry, nurse[0].attachment.professional, wanted="oui")
    return f"CareTeam/{circle_id(entry)}"


def own(entry, nurse):
    return Habilitation.objects.get(dossier=entry.dossier, user=nurse[0])


def statements(ask):
    with CaptureQueriesContext(connection) as captured:
        assert ask().status_code == 200
    return len(captured)


@pytest.mark.req("PERF-3")
def test_a_circle_is_read_in_three_statements_then_in_two(software, address):
    software.get(address)
    versions.forget()
    assert statements(lambda: software.get(address)) == 3
    assert statements(lambda: software.get(address)) == 2


# ---- What closes the circle to the nurse, or does not ------------------------------------------------------------


def nothing(entry, nurse):
    pass


def past_its_last_day(entry, nurse):
    Habilitation.objects.filter(pk=own(entry, nurse).pk).update(access_until=timezone.localdate() - dt.timedelta(1))


def to_its_last_day(entry, nurse):
    Habilitation.objects.filter(pk=own(entry, nurse).pk).update(access_until=timezone.localdate())


def ended(entry, nurse):
    Habilitation.objects.filter(pk=own(entry, nurse).pk).update(ended_at=timezone.now())


def resting_on_nothing(entry, nurse):
    Consent.objects.filter(habilitation=own(entry, nurse)).update(replaced_at=timezone.now())


def oppose(entry, rubrique, **details):
    facts = {"refused_on": timezone.localdate(), "collected": "oral"} | details
    actions.record_opposition(entry.dossier.pk, by=entry.user, access=entry.access, rubrique=rubrique, **facts)


def opposed(entry, nurse):
    oppose(entry, "")


def opposed_but_to_her(entry, nurse):
    oppose(entry, "", spared=[nurse[0].pk])


def opposed_in_the_medical_rubric(entry, nurse):
    oppose(entry, "medical")


def reduced(entry, nurse):
    Ceiling.objects.create(
        dossier=entry.dossier,
        habilitation=own(entry, nurse),
        rubrique="medical",
        niveau=Niveau.AUCUN,
        set_by=entry.user,
    )


def under_another_profession(entry, nurse):
    VouchedProfession.objects.filter(user=nurse[0]).update(profession=make.SOCIAL)


def only_for_another(entry, nurse):
    ended(entry, nurse)
    doctor = make.account(make.DOCTOR)
    make.add(entry, doctor.attachment.professional, wanted="oui")
    stand_in(doctor, nurse[0])


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (nothing, 200), (past_its_last_day, 404), (to_its_last_day, 200), (ended, 404), (resting_on_nothing, 404),
        (opposed, 404), (opposed_but_to_her, 200), (opposed_in_the_medical_rubric, 200), (reduced, 200),
        (under_another_profession, 200), (only_for_another, 200),
    ],
)  # fmt: skip
@pytest.mark.req("SEC-2", "SEC-5", "SEC-11")
def test_what_is_closed_is_closed_at_the_next_call(client, software, entry, nurse, address, happens, status):
    assert software.get(address).status_code == 200
    happens(entry, nurse)
    before = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
    answer = software.get(address)
    assert answer.status_code == status, answer.content
    # One line of who entered; an outsider leaves his in the journal of his account.
    assert Trace.objects.filter(dossier_id=entry.dossier.pk).count() == before + (status != 404)
    if status == 404:
        last = AccountTrace.objects.filter(object_kind="dossier").latest("id")
        assert (last.outcome, last.actor_id, last.object_id) == ("refus", nurse[0].pk, entry.dossier.pk)
    beside = Api.of(client, nurse[0], scopes=("user/CareTeam.r",)).get(address)
    assert (beside.status_code, read(beside)) == (status, read(answer))


def test_an_outsider_and_a_circle_that_does_not_exist_are_told_the_same(software, coordinator, address):
    other = make.open_circle(coordinator)
    told = [software.get(f"CareTeam/{one}") for one in (circle_id(other), uuid.uuid4(), "pas-un-uuid")]
    assert [(one.status_code, issues(one)) for one in told] == [(404, [("error", "not-found", "")])] * 3


def test_who_is_suspended_reads_no_more(software, nurse, address):
    accounts.suspend_account(nurse[0], by=UserFactory(administrator=True))
    assert software.get(address).status_code == 403


def test_a_software_without_the_scope_reads_nothing(client, house, nurse, entry, address):
    token = token_of(client, *connect(house, scopes=("system/Patient.r",)))
    before = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
    assert Api(client, acting(token, nurse[1])).get(address).status_code == 403
    assert Trace.objects.filter(dossier_id=entry.dossier.pk).count() == before


def test_the_password_of_an_account_is_not_read(software, address):
    with CaptureQueriesContext(connection) as captured:
        software.get(address)
    assert all("password" not in query["sql"] for query in captured)


@pytest.mark.req("CDS-54", "SEC-4")
def test_a_consent_for_some_rubrics_hides_neither_who_nor_with_whom(software, nurse, entry, address):
    facts = {"starts_on": timezone.localdate(), "collected": "oral", "rubriques": ["liaison"]}
    actions.record_consent(own(entry, nurse), by=entry.user, access=entry.access, ground="accord", **facts)
    assert software.get(address).status_code == 200
    by_patient = read(software.get(f"CareTeam?patient={entry.dossier.pk}"))
    chained = read(software.get(f"CareTeam?patient.family={entry.dossier.birth_name}"))
    persons = read(software.get(f"Patient?_id={entry.dossier.pk}"))
    assert [bundle["total"] for bundle in (by_patient, chained, persons)] == [1, 1, 1]
