"""Stays whose end, or beginning, is to come: read back as sent, versioned, withheld as their member is."""

import copy
import datetime as dt

import pytest
from django.utils import timezone

from circle import actions
from circle.circles import CircleVersion
from circle.models import Member, PlannedStay
from coordination.fhir.outcomes import Invalid
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id, references
from tests.circle.test_fhir_careteam_search import finds
from tests.circle.test_fhir_careteam_writing import put, role_of, with_participant

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
R259 = "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"


def iso():
    return TODAY().isoformat()


def day(count):
    return (TODAY() + dt.timedelta(days=count)).isoformat()


def of(resource, name):
    return [one["period"] for one in resource["participant"] if one["member"]["reference"] == name]


@pytest.fixture
def nurse(entry):
    return make.add(entry, starts_on=TODAY() - dt.timedelta(days=20))


@pytest.fixture
def name(nurse):
    return f"PractitionerRole/{nurse.activity_id}"


def with_end(resource, name, end):
    for one in resource["participant"]:
        if one["member"]["reference"] == name:
            one["period"] = {"start": one["period"]["start"]} | ({"end": end} if end else {})
    return resource


@pytest.mark.req("CDS-26", "CDS-33")
def test_a_planned_end_comes_back_as_it_was_sent(entry, nurse, name):
    end = f"{day(2_000)}T13:48:19.342+01:00"
    after = put(entry, with_end(careteam(entry), name, end))
    assert of(after, name) == [{"start": day(-20), "end": end}]
    assert nurse.periods.current().exists()
    plan = PlannedStay.objects.get()
    assert (plan.ends_on.isoformat(), plan.planned_by, plan.reason) == (day(2_000), entry.user, "fin")
    # Sent again as it was read: not even a version.
    assert put(entry, copy.deepcopy(after)) == after
    # Without it: he stays.
    again = put(entry, with_end(careteam(entry), name, None))
    assert of(again, name) == [{"start": day(-20)}]
    assert again["meta"]["versionId"] == str(int(after["meta"]["versionId"]) + 1)
    assert not PlannedStay.objects.waiting().exists()


def test_it_is_moved_and_brought_back_to_today(entry, nurse, name):
    put(entry, with_end(careteam(entry), name, day(10)))
    put(entry, with_end(careteam(entry), name, day(5)))
    assert PlannedStay.objects.get().ends_on.isoformat() == day(5)
    put(entry, with_end(careteam(entry), name, iso()))
    assert not nurse.periods.current().exists()
    assert PlannedStay.objects.get().outcome == PlannedStay.Outcome.OVERTAKEN


def test_the_beginning_of_a_stay_moves_with_its_planned_end(entry, nurse, name):
    put(entry, with_end(careteam(entry), name, day(10)))
    read = careteam(entry)
    for one in read["participant"]:
        if one["member"]["reference"] == name:
            one["period"]["start"] = day(-40)
    after = put(entry, read)
    assert of(after, name) == [{"start": day(-40), "end": day(10)}]
    assert PlannedStay.objects.get().starts_on.isoformat() == day(-40)


def test_a_newcomer_with_his_end_is_a_member_of_today(entry):
    house = make.StructureFactory()
    after = put(entry, with_participant(careteam(entry), f"Organization/{house.pk}", start=iso(), end=day(30)))
    assert of(after, f"Organization/{house.pk}") == [{"start": iso(), "end": day(30)}]
    assert Member.objects.get(structure=house).periods.current().exists()


@pytest.mark.req("CDS-26")
def test_who_left_is_to_come_back(entry):
    house = make.StructureFactory()
    named = f"Organization/{house.pk}"
    read = with_participant(careteam(entry), named, start=day(-90), end=day(-60))
    read = with_participant(read, named, start=day(-10), end=day(10))
    read = with_participant(read, named, start=day(40), end=day(70))
    read = with_participant(read, named, start=day(100))
    sent = copy.deepcopy(read["participant"])
    after = put(entry, read)
    assert after["participant"] == sent
    member = Member.objects.get(structure=house)
    assert (member.periods.count(), PlannedStay.objects.waiting().count()) == (2, 3)
    # The second of them is left out, the third begins later.
    own = [one for one in after["participant"] if one["period"]["start"] != day(40)]
    own[-1]["period"]["start"] = day(120)
    assert put(entry, after | {"participant": copy.deepcopy(own)})["participant"] == own
    assert {one.starts_on.isoformat() for one in PlannedStay.objects.waiting().arrivals()} == {day(120)}


def test_one_to_come_who_is_not_named_any_more_does_not_come(entry):
    house = make.StructureFactory()
    before = careteam(entry)
    after = put(entry, with_participant(before, f"Organization/{house.pk}", start=day(3)))
    put(entry, after | {"participant": before["participant"]})
    assert not PlannedStay.objects.waiting().exists()
    assert f"Organization/{house.pk}" not in references(careteam(entry))


def test_one_to_come_who_comes_today(entry):
    house = make.StructureFactory()
    read = put(entry, with_participant(careteam(entry), f"Organization/{house.pk}", start=day(3)))
    read["participant"][-1]["period"] = {"start": iso()}
    put(entry, read)
    assert Member.objects.get(structure=house).periods.get().starts_on == TODAY()
    assert not PlannedStay.objects.waiting().exists()


def test_a_unique_role_is_promised_once_its_holder_is_to_leave_it(entry):
    doctor = make.add(entry, make.listed(make.DOCTOR), role="PCP")
    other = make.listed(make.DOCTOR)
    wanted = with_participant(
        careteam(entry), f"PractitionerRole/{other.activities.get().pk}", start=day(10), role=[(R259, "PCP")]
    )
    with pytest.raises(Invalid) as refused:
        put(entry, copy.deepcopy(wanted))
    assert refused.value.issues[0].expression.endswith(".role")
    after = put(entry, with_end(wanted, f"PractitionerRole/{doctor.activity_id}", day(10)))
    assert len(after["participant"]) == 3
    assert role_of(doctor) == "PCP"


@pytest.mark.parametrize("period", [{"start": day(900)}, {"start": day(3), "end": day(3)}, {"start": "9999-01-01"}])
def test_arrivals_out_of_reason_are_refused(entry, period):
    house = make.StructureFactory()
    read = with_participant(careteam(entry), f"Organization/{house.pk}")
    read["participant"][-1]["period"] = period
    with pytest.raises(Invalid) as refused:
        put(entry, read)
    assert ".period" in refused.value.issues[0].expression


@pytest.mark.req("CDS-6")
def test_what_is_planned_of_a_discreet_member_is_withheld_with_him(entry, nurse, name):
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    house = make.StructureFactory()
    read = with_participant(with_end(careteam(entry), name, day(10)), f"Organization/{house.pk}", start=day(3))
    put(entry, read)
    Member.objects.filter(pk__in=[nurse.pk, Member.objects.get(structure=house).pk]).update(discreet=True)
    seen = careteam(entry, social)
    assert {name, f"Organization/{house.pk}"} & set(references(seen)) == set()
    # Who does not see them leaves them where they are.
    put(entry, seen | {"telecom": [{"system": "phone", "value": "0536490000"}]}, user=social)
    assert PlannedStay.objects.waiting().count() == 2
    assert {name, f"Organization/{house.pk}"} <= set(references(careteam(entry)))


@pytest.mark.req("CDS-67", "CDS-71")
def test_the_day_it_is_done_says_what_was_said(entry, nurse, name):
    put(entry, with_end(careteam(entry), name, day(1)))
    said = careteam(entry)
    versions = CircleVersion.objects.count()
    PlannedStay.objects.update(ends_on=TODAY())
    put_back = careteam(entry)
    actions.carry_out_plans()
    after = careteam(entry)
    assert of(put_back, name) == of(after, name) == [{"start": day(-20), "end": iso()}]
    assert of(careteams().version(caller(entry.user), circle_id(entry), str(versions)), name) == of(said, name)


@pytest.mark.req("CDS-53", "CDS-55")
def test_it_is_found_by_its_days_and_by_who_is_to_come(entry, nurse, name):
    house = make.StructureFactory()
    read = with_participant(with_end(careteam(entry), name, day(10)), f"Organization/{house.pk}", start=day(30))
    put(entry, read)
    assert finds(entry, f"participant-end={day(10)}")
    assert not finds(entry, f"participant-end={day(11)}")
    assert finds(entry, f"participant-start={day(30)}")
    assert finds(entry, f"participant=Organization/{house.pk}")
