"""What careless or hostile software sends of agendas and appointments: told why, and nobody waits for it."""

import datetime as dt
import uuid

import pytest
from django.conf import settings

from agenda.actions.rekeying import move_key
from agenda.fhir import slots as searching
from agenda.models import Occupation, OpenTime, Participation, Schedule, ScheduleActor
from tests.agenda import factories
from tests.agenda import fhir_world as world
from tests.agenda.factories import at
from tests.agenda.fhir_made import created, patient, professional, put, row, sent
from tests.agenda.fhir_world import lasting, morning, of, range_, rrule, schedule, search
from tests.agenda.test_fhir_booking import asking, opened, slots
from tests.circle import factories as make
from tests.fhir.api import Api, issues, link, matches, read

pytestmark = pytest.mark.django_db
DOCTOR = {
    "type": "Practitioner", "display": "Dr Ailleurs",
    "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899999999999"},
}  # fmt: skip


@pytest.fixture
def structure(db):
    return world.structure()


@pytest.fixture
def software(client, structure, matrix):
    return world.software(client, structure)


@pytest.fixture
def api(client, entry):
    return Api.of(client, entry.user)


def where(answer):
    assert answer.status_code == 422, answer.content.decode()
    return {at_ for _, _, at_ in issues(answer)}


# ---- Agendas -------------------------------------------------------------------------------------------------------


@pytest.mark.req("PERF-1", "GAP-45")
def test_an_opening_lasts_a_day_at_most(software):
    api, nurse = software
    days = range_(world.at(9), world.at(9, days=97))
    assert where(api.post("Schedule", schedule(*of(nurse), extensions=[days]))) == {"Schedule.extension[0]"}
    # Away for three months: nothing is cut of it.
    away = range_(world.at(9), world.at(9, days=97), kind="busy-unavailable")
    assert api.post("Schedule", schedule(*of(nurse), extensions=[away])).status_code == 201
    assert not OpenTime.objects.exists()


def test_an_agenda_has_so_many_kinds_and_actors(software):
    api, nurse = software
    kinds = [lasting(30, code=str(number)) for number in range(51)]
    assert where(api.post("Schedule", schedule(*of(nurse), extensions=kinds))) == {"Schedule.extension"}
    many = [f"https://ailleurs.example/Practitioner/{number}" for number in range(101)]
    assert where(api.post("Schedule", schedule(*many))) == {"Schedule.actor[100]"}
    assert not Schedule.objects.filter(owner__gt="").exists()


@pytest.mark.req("GAP-59")
def test_an_agenda_cut_fine_delays_nobody(software, monkeypatch):
    """An answer looks at so many slots, then goes on at the next page: all are given, once."""
    api, nurse = software
    daily = range_(world.at(9), world.at(11), rule=rrule("DAILY", count=6))
    assert api.post("Schedule", schedule(*of(nurse), extensions=[daily, lasting(10)])).status_code == 201
    whole = [one["id"] for one in matches(search(api, "Slot?_count=200"))]
    assert len(whole) == 72
    monkeypatch.setattr(searching, "MOST_CUT", 20)
    paged, address, pages = [], "Slot?_count=200", 0
    while address:
        bundle = search(api, address)
        paged += [one["id"] for one in matches(bundle)]
        assert len(matches(bundle)) <= 24, "two openings of twelve, and no more"
        address, pages = link(bundle, "next"), pages + 1
    assert paged == whole and pages == 3


@pytest.mark.req("GAP-45")
def test_overlapping_openings_are_cut_together_wherever_a_page_ends(software):
    api, nurse = software
    first = range_(world.at(10), world.at(11), identifier="a", rule=rrule("DAILY", count=3))
    wide = range_(world.at(9), world.at(12), identifier="b", rule=rrule("DAILY", count=3))
    wide["extension"].append({"url": "priority", "valueInteger": 2})
    assert api.post("Schedule", schedule(*of(nurse), extensions=[first, wide, lasting(30)])).status_code == 201
    whole = matches(search(api, "Slot?_count=200"))
    starts = [one["start"] for one in whole]
    assert len(starts) == len(set(starts)) == 18, "each time once"
    for one in whole:
        assert read(api.get(f"Slot/{one['id']}"))["start"] == one["start"]
    paged, address = [], "Slot?_count=4"
    while address:
        bundle = search(api, address)
        paged += [one["id"] for one in matches(bundle)]
        address = link(bundle, "next")
    assert paged == [one["id"] for one in whole]


def test_agendas_that_software_declared_follow_a_new_key(software):
    api, nurse = software
    # He is known by hand, and his agenda is under his account's key until the directory knows him.
    answer = api.post("Schedule", morning(nurse))
    declared = Schedule.objects.get(pk=read(answer)["id"])
    old, new = uuid.uuid4(), uuid.uuid4()
    Schedule.objects.filter(pk=declared.pk).update(key=old)
    ScheduleActor.objects.filter(schedule=declared).update(key=old)
    OpenTime.objects.filter(opening__schedule=declared).update(key=old)
    move_key(nurse, old, new)
    declared.refresh_from_db()
    assert declared.key == new
    assert set(ScheduleActor.objects.filter(schedule=declared).values_list("key", flat=True)) == {new}
    assert set(OpenTime.objects.values_list("key", flat=True)) == {new}


def test_what_a_partner_says_of_another_house_is_told_as_his(client, software, structure):
    api, _ = software
    other, _ = world.software(client, world.structure())
    said = {
        "resourceType": "HealthcareService", "name": "Accueil",
        "providedBy": {"reference": f"Organization/{structure.pk}"},
    }  # fmt: skip
    made = read(other.post("HealthcareService", said))
    assert "tag" not in made["meta"]
    seen = read(api.get(f"HealthcareService/{made['id']}"))
    assert [tag["display"] for tag in seen["meta"]["tag"]] == ["Reçu d’un partenaire"]


# ---- Appointments --------------------------------------------------------------------------------------------------

LAST = "9999-12-31T23:59:00Z"


@pytest.mark.parametrize(
    ("said", "at_"),
    [
        ({"start": "9999-12-31T23:10:00Z", "end": LAST}, "Appointment.start"),
        ({"start": "0001-01-01T00:00:00Z", "end": "0001-01-01T00:30:00Z"}, "Appointment.start"),
        ({"created": LAST}, "Appointment.created"),
        (
            {"status": "proposed", "start": None, "end": None, "requestedPeriod": [{"start": LAST}]},
            "Appointment.requestedPeriod[0].start",
        ),
    ],
)
def test_a_date_out_of_the_calendar_is_refused(api, entry, said, at_):
    resource = {name: value for name, value in (sent(entry) | said).items() if value is not None}
    assert where(api.post("Appointment", resource)) == {at_}


@pytest.fixture
def doctor(entry):
    user = make.account()
    factories.member(entry, user)
    user.agenda = opened(user)
    return user


def test_a_slot_begins_at_a_time_that_exists(api, entry, doctor):
    first, *_ = slots(api, doctor)
    resource = asking(entry, first) | {"start": first["start"].replace(":00+", ":60+")}
    assert where(api.post("Appointment", resource)) == {"Appointment.start"}


def test_an_appointment_has_so_many_participants_and_slots(api, entry, django_assert_max_num_queries):
    others = [
        {"actor": {"type": "Practitioner", "identifier": {"value": str(number)}}, "status": "accepted"}
        for number in range(100)
    ]
    with django_assert_max_num_queries(30):
        assert where(api.post("Appointment", sent(entry, *others))) == {"Appointment.participant[100]"}
    named = [{"reference": f"Slot/{number}-0-0"} for number in range(101)]
    assert where(api.post("Appointment", sent(entry, slot=named))) == {"Appointment.slot[100]"}


def test_names_of_one_professional_are_kept_whole(api, entry):
    id = entry.user.attachment.professional_id
    role = entry.user.attachment.professional.activities.first()
    ids = [f"PractitionerRole/{role.pk}", f"Practitioner/{id}"]
    many = [{"actor": {"reference": one}, "required": "required", "status": "accepted"} for one in ids * 8]
    made = created(api, sent(entry, *many))
    kept = Participation.objects.get(appointment=made["id"], key=id)
    assert set(kept.actor.split()) == set(ids)
    # As an older version kept it: cut.
    Participation.objects.filter(pk=kept.pk).update(actor=f"Practitioner/{str(id)[:20]}")
    assert api.get(f"Appointment/{made['id']}").status_code == 200


def test_its_length_is_judged_by_what_it_is(api, entry):
    """An update does not make an absence of an appointment: it takes a day at most."""
    made = created(api, sent(entry, professional(entry.user.attachment.professional_id)))
    end = (dt.datetime.fromisoformat(made["start"]) + dt.timedelta(days=300)).isoformat()
    kind = {"coding": [{"system": settings.FHIR_SYSTEM_EVENT_KINDS, "code": "absence"}]}
    long = {name: value for name, value in made.items() if name != "minutesDuration"}
    answer = api.put(f"Appointment/{made['id']}", long | {"end": end, "serviceCategory": [kind]})
    assert answer.status_code == 422
    assert row(made).ends_at - row(made).starts_at == dt.timedelta(minutes=30)


@pytest.mark.parametrize("status", ["fulfilled", "noshow"])
def test_what_is_to_come_has_not_happened(api, entry, status):
    answer = api.post("Appointment", sent(entry, status=status))
    assert answer.status_code == 422 and "pas encore passé" in answer.content.decode()
    own = professional(entry.user.attachment.professional_id)
    assert api.post("Appointment", sent(None, own, status=status)).status_code == 422
    assert api.post("Appointment", sent(entry, status=status, starts=at(days=-7))).status_code == 201


@pytest.mark.req("GAP-73", "GAP-81")
def test_a_slot_named_later_at_the_same_time_is_booked(api, entry, doctor):
    first, *_ = slots(api, doctor)
    made = created(api, sent(entry, starts=at(9)))
    assert row(made).only_warns
    put(api, made | {"slot": [{"reference": f"Slot/{first['id']}"}]})
    assert not row(made).only_warns
    assert Occupation.objects.get(source=made["id"], key=doctor.attachment.professional_id).exclusive


@pytest.mark.req("GAP-73", "GAP-81", "GAP-28")
@pytest.mark.parametrize("actor", [DOCTOR, {"reference": "https://ailleurs.example/fhir/Practitioner/7"}])
def test_a_slot_of_somebody_elsewhere_is_booked_once(client, api, software, entry, actor):
    sender, _ = software
    made = read(sender.post("Schedule", {
        "resourceType": "Schedule", "actor": [actor],
        "extension": [range_(world.at(9), world.at(11)), lasting(30)],
    }))  # fmt: skip
    first, *others = matches(read(api.get(f"Slot?schedule={made['id']}&status=free")))
    booked = created(api, asking(entry, first))
    free = {one["id"] for one in matches(read(api.get(f"Slot?schedule={made['id']}&status=free")))}
    assert free == {one["id"] for one in others}
    # Sent again as it was read, and changed: the slot stays his.
    put(api, booked | {"description": "Autre"})
    assert matches(read(api.get(f"Slot?schedule={made['id']}&status=busy")))
    assert api.post("Appointment", asking(make.open_circle(entry.user), first)).status_code == 409
    # Without him, nobody's time is taken.
    put(api, booked | {"participant": [patient(entry)]})
    assert not matches(read(api.get(f"Slot?schedule={made['id']}&status=busy")))
