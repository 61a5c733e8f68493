"""Booking a free slot by an Appointment: who came first has it, nobody else (GAP-39, 45, 46, 72, 73, 77 to 81, 86)."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from agenda.actions import openings, schedules
from agenda.actions.openings import When
from agenda.models import Appointment, Occupation, Participation
from tests.agenda import factories
from tests.agenda.factories import at
from tests.agenda.fhir_made import created, found, patient, professional, put, row, sent
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.api import Api, issues, matches, read

pytestmark = pytest.mark.django_db
STATUS = Appointment.Status


@pytest.fixture
def api(client, entry):
    return Api.of(client, entry.user)


@pytest.fixture
def doctor(entry):
    """A member of the circle, whose agenda is open from nine to eleven."""
    user = make.account()
    factories.member(entry, user)
    user.agenda = opened(user)
    return user


def opened(user, *, minutes=30):
    schedule = schedules.schedule_of(user)
    schedules.change_settings(
        schedule, by=user, zone="Europe/Paris", minutes={"entretien": minutes}, mails_invitations=False
    )
    starts = at(9).replace(tzinfo=None)
    openings.add_opening(schedule, by=user, when=When(starts, starts + dt.timedelta(hours=2)))
    return schedule


def slots(api, user, status="free"):
    return matches(read(api.get(f"Slot?schedule={user.agenda.pk}&status={status}")))


def asking(entry, slot, *others, status="booked", **said):
    times = {} if status == "proposed" else {"start": slot["start"], "end": slot["end"]}
    resource = sent(entry, *others, status=status, start=None, end=None) | times
    return resource | {"slot": [{"reference": f"Slot/{slot['id']}"}]} | said


@pytest.mark.req("GAP-45", "GAP-46", "GAP-72", "GAP-73", "GAP-81", "GAP-86")
def test_a_slot_is_booked_once_then_given_back(api, entry, doctor):
    first, *others = slots(api, doctor)
    made = created(api, asking(entry, first))
    kept = row(made)
    assert (kept.starts_at, kept.only_warns, kept.service_type) == (at(9), False, "entretien")
    # Nobody was named: the slot is his.
    assert Participation.objects.filter(appointment=kept, user=doctor).exists()
    assert Occupation.objects.get(source=kept.pk, key=doctor.attachment.professional_id).exclusive
    assert [one["id"] for one in slots(api, doctor, "busy")] == [first["id"]]
    assert first["id"] not in {one["id"] for one in slots(api, doctor)}
    refused = api.post("Appointment", asking(make.open_circle(entry.user), first))
    assert refused.status_code == 409 and issues(refused)[0][1] == "conflict"
    assert Appointment.objects.count() == 1
    put(api, made | {"status": "cancelled", "cancelationReason": {"text": "Empêchement"}})
    assert first["id"] in {one["id"] for one in slots(api, doctor)}


@pytest.mark.req("GAP-73", "GAP-77", "GAP-70")
def test_a_request_on_a_slot_takes_its_time_from_it(api, client, entry, doctor):
    first, *_ = slots(api, doctor)
    made = created(api, asking(entry, first, status="proposed"))
    assert (made["start"], made["minutesDuration"]) == (first["start"], 30)
    assert row(made).status == STATUS.PROPOSED
    assert first["id"] in {one["id"] for one in slots(api, doctor)}
    his = Api.of(client, doctor)
    mine = read(his.get(f"Appointment/{made['id']}"))
    for one in mine["participant"]:
        one["status"] = "accepted"
    assert put(his, mine)["status"] == "booked"
    assert first["id"] not in {one["id"] for one in slots(api, doctor)}


@pytest.mark.req("GAP-77", "GAP-78")
@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"minutesDuration": 20}, "Appointment.minutesDuration"),
        ({"start": at(9, 10).isoformat()}, "Appointment.start"),
        ({"serviceType": [{"coding": [{"system": "http://example.org/x", "code": "9"}]}]}, "Appointment.serviceType"),
    ],
)
def test_what_is_not_of_the_slot_is_refused(api, entry, doctor, changed, where):
    first, *_ = slots(api, doctor)
    answer = api.post("Appointment", asking(entry, first) | changed)
    assert answer.status_code == 422
    assert where in {at_ for _, _, at_ in issues(answer)}
    assert not Appointment.objects.exists()


@pytest.mark.req("GAP-39", "GAP-33")
def test_a_slot_that_is_no_more(api, entry, doctor):
    first, *_ = slots(api, doctor)
    openings.remove_opening(doctor.agenda, doctor.agenda.openings.get().pk, by=doctor)
    assert api.post("Appointment", asking(entry, first)).status_code == 409
    unknown = asking(entry, first | {"id": "0-0-0"})
    assert api.post("Appointment", unknown).status_code == 409


@pytest.mark.req("GAP-73")
def test_two_slots_of_two_agendas_at_the_same_time(api, entry, doctor):
    other = make.account()
    other.agenda = opened(other)
    one, two = slots(api, doctor)[0], slots(api, other)[0]
    both = {"slot": [{"reference": f"Slot/{slot['id']}"} for slot in (one, two)]}
    made = created(api, asking(entry, one) | both)
    keys = set(Occupation.objects.filter(source=made["id"]).values_list("key", flat=True))
    # He is not of the circle, and his agenda says that he may be asked.
    assert {doctor.attachment.professional_id, other.attachment.professional_id} <= keys
    assert not slots(api, other) or slots(api, other)[0]["id"] != two["id"]


@pytest.mark.req("GAP-72")
def test_a_time_taken_elsewhere_makes_the_slot_busy_for_all(api, client, entry, doctor):
    first, *_ = slots(api, doctor)
    created(api, sent(entry, professional(doctor.attachment.professional_id), starts=at(9), minutes=30))
    assert first["id"] not in {one["id"] for one in slots(Api.of(client, make.account()), doctor)}


@pytest.mark.req("GAP-84")
def test_it_moves_to_another_slot(api, entry, doctor):
    first, second, *_ = slots(api, doctor)
    made = created(api, asking(entry, first))
    moved = made | {"start": second["start"], "end": second["end"], "slot": [{"reference": f"Slot/{second['id']}"}]}
    again = put(api, moved)
    assert again["slot"] == moved["slot"] and row(made).starts_at == at(9, 30)
    free = {one["id"] for one in slots(api, doctor)}
    assert first["id"] in free and second["id"] not in free


@pytest.mark.req("GAP-66")
def test_the_slot_comes_with_it(api, entry, doctor):
    first, *_ = slots(api, doctor)
    made = created(api, asking(entry, first))
    bundle = read(api.get(f"Appointment?_include=Appointment:slot&_id={made['id']}"))
    brought = {(one["resource"]["resourceType"], one["search"]["mode"]) for one in bundle["entry"]}
    assert brought == {("Appointment", "match"), ("Slot", "include")}
    assert found(api, f"slot=Slot/{first['id']}") == {made["id"]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("GAP-81")
def test_fifty_ask_for_one_slot_at_once():
    """One has it; the others are told clearly, and nothing is half-written."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    user = make.account()
    factories.member(entry, user)
    user.agenda = opened(user)
    api = Api.of(Client(), entry.user)
    first, *_ = slots(api, user)

    def ask(number):
        try:
            return api.__class__(Client(), api.headers).post("Appointment", asking(entry, first)).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        told = sorted(pool.map(ask, range(50)))
    assert told == [201] + [409] * 49
    assert Appointment.objects.count() == 1
    assert Occupation.objects.filter(key=user.attachment.professional_id).count() == 1


def test_somebody_who_leaves_the_circle_keeps_no_time(api, entry, doctor):
    made = created(api, asking(entry, slots(api, doctor)[0]))
    put(api, made | {"participant": [patient(entry)]})
    assert set(Occupation.objects.filter(source=made["id"]).values_list("key", flat=True)) == {entry.dossier.pk}
