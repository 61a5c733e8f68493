"""Searching circles: the parameters of the guide, and nothing found by who the caller may not see."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from circle import actions
from coordination.dossiers.models import Dossier
from coordination.fhir.search.asking import Asked
from coordination.fhir.search.conditions import narrowed
from habilitations import actions as habilitations
from habilitations.models import ActingFor
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id
from tests.circle.test_fhir_careteam_writing import put
from tests.habilitations.acting_data import stand_in

TODAY = timezone.localdate


def iso():
    return TODAY().isoformat()


def ids(user, *pairs):
    """Return the ids of the circles that answer name=value pairs ("name:modifier" allowed)."""
    criteria = []
    for pair in pairs:
        name, _, value = pair.partition("=")
        name, _, modifier = name.partition(":")
        criteria.append(Asked((), name, modifier, value))
    return set(narrowed(careteams(), caller(user), criteria).values_list("pk", flat=True))


def finds(entry, *pairs, user=None):
    return circle_id(entry) in ids(user or entry.user, *pairs)


@pytest.fixture
def other(coordinator):
    return make.open_circle(coordinator)


@pytest.mark.req("CDS-53")
def test_by_identifier(entry, other):
    read = careteam(entry)
    own = read["identifier"][0]
    assert finds(entry, f"identifier={own['system']}|{own['value']}")
    assert ids(entry.user, f"identifier={own['value']}") == {uuid.UUID(read["id"])}
    assert not finds(entry, f"identifier=http://exemple.test|{own['value']}")
    put(entry, read | {"identifier": [{"system": "http://exemple.test", "value": "C-7"}]})
    assert ids(entry.user, "identifier=http://exemple.test|C-7") == {uuid.UUID(read["id"])}
    assert not finds(entry, f"identifier={own['value']}")
    assert finds(other, "identifier=" + careteam(other)["identifier"][0]["value"])


@pytest.mark.req("CDS-53", "CDS-57")
def test_by_status_as_it_is_shown(entry, other):
    put(entry, careteam(entry) | {"status": "proposed"})
    assert ids(entry.user, "status=proposed") == {circle_id(entry)}
    assert ids(entry.user, "status=active") == {circle_id(other)}
    assert ids(entry.user, "status=active,proposed") == {circle_id(entry), circle_id(other)}
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="pause", status_on=TODAY())
    assert ids(entry.user, "status=suspended") == {circle_id(entry)}
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin", status_on=TODAY())
    assert ids(entry.user, "status=inactive") == {circle_id(entry)}
    assert ids(entry.user, "status:not=inactive") == {circle_id(other)}
    for status in ("proposed", "active", "suspended", "inactive"):
        shown = careteam(entry)["status"] == status
        assert finds(entry, f"status={status}") == shown


@pytest.mark.req("CDS-53")
def test_by_category(entry):
    put(entry, careteam(entry) | {"category": [{"coding": [{"system": "http://loinc.org", "code": "LA27976-2"}]}]})
    assert finds(entry, "category=LA27976-2")
    assert finds(entry, "category=http://loinc.org|LA27976-2")
    assert not finds(entry, "category=http://loinc.org|autre")
    assert not finds(entry, "category:missing=true")


COMPARATORS = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]


@pytest.mark.req("CDS-53", "CDS-54", "CDS-55", "CDS-57")
@pytest.mark.parametrize("name", ["start", "end", "participant-start", "participant-end", "date"])
def test_by_days_with_each_comparator(entry, name):
    """The circle begins, ends and has its one member on the same day: what each comparator says of a day."""
    read = careteam(entry)
    member = make.add(entry)
    actions.remove_member(entry, member, reason="fin")
    put(entry, careteam(entry) | {"status": "inactive", "period": {"start": iso(), "end": iso()}})
    yesterday, tomorrow = (TODAY() - dt.timedelta(days=1)).isoformat(), (TODAY() + dt.timedelta(days=1)).isoformat()
    said = {c: [finds(entry, f"{name}={c}{day}") for day in (yesterday, iso(), tomorrow)] for c in COMPARATORS}
    assert said == {
        "eq": [False, True, False], "ne": [True, False, True], "gt": [True, False, False], "lt": [False, False, True],
        "ge": [True, True, False], "le": [False, True, True], "sa": [True, False, False], "eb": [False, False, True],
    }  # fmt: skip
    assert finds(entry, f"{name}=ap{iso()}")
    assert not finds(entry, f"{name}:missing=true")
    assert read["period"] == {"start": iso()}


@pytest.mark.req("CDS-54")
def test_a_circle_without_end_has_none(entry):
    assert finds(entry, "end:missing=true")
    assert not finds(entry, f"end=ge{iso()}")
    assert finds(entry, f"date=ge{iso()}")
    assert finds(entry, "participant-end:missing=true")


@pytest.mark.req("CDS-53")
def test_by_participant_and_patient(entry, other):
    nurse = make.add(entry)
    relative = make.relative(entry)
    house = make.add_house(entry)
    hand = make.by_hand(entry)
    circle_id(other)
    here = circle_id(entry)
    for name in (
        f"PractitionerRole/{nurse.activity_id}", f"RelatedPerson/{relative.pk}", f"Organization/{house.structure_id}",
        f"PractitionerRole/{hand.pk}",
    ):  # fmt: skip
        assert ids(entry.user, f"participant={name}") == {here}
    assert not ids(entry.user, f"participant=RelatedPerson/{nurse.activity_id}")
    assert ids(entry.user, f"patient=Patient/{entry.dossier.pk}") == {here}
    assert ids(entry.user, f"subject={other.dossier.pk}") == {circle_id(other)}


@pytest.mark.req("CDS-56", "CDS-57")
def test_by_managing_organization(entry, other):
    own, named = make.StructureFactory(), make.StructureFactory()
    Dossier.objects.filter(pk=entry.dossier.pk).update(referent_structure=own)
    read = careteam(other)
    put(other, read | {"managingOrganization": [{"reference": f"Organization/{named.pk}"}]})
    assert ids(entry.user, f"managingOrganization=Organization/{own.pk}") == {circle_id(entry)}
    assert ids(entry.user, f"managingOrganization=Organization/{named.pk}") == {circle_id(other)}
    both = f"managingOrganization=Organization/{own.pk},Organization/{named.pk}"
    assert ids(entry.user, both) == {circle_id(entry), circle_id(other)}
    assert ids(entry.user, f"managingOrganization=Organization/{own.pk}", both) == {circle_id(entry)}
    shown = [careteam(one)["managingOrganization"] for one in (entry, other)]
    assert [one[0]["reference"] for one in shown] == [f"Organization/{own.pk}", f"Organization/{named.pk}"]


@pytest.mark.req("CDS-53")
def test_by_last_update(entry):
    at = careteam(entry)["meta"]["lastUpdated"]
    assert finds(entry, f"_lastUpdated=ge{at[:10]}")
    assert not finds(entry, "_lastUpdated=lt2020-01-01")


@pytest.mark.req("CDS-6", "CDS-50")
def test_nothing_is_found_by_who_is_hidden(entry):
    """Rule 7: neither a discreet member, nor anybody in the reduced circle."""
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    past = TODAY() - dt.timedelta(days=90)
    hidden = make.add(entry, discreet=True, starts_on=past)
    name = f"participant=PractitionerRole/{hidden.activity_id}"
    assert finds(entry, name)
    assert not finds(entry, name, user=social)
    assert finds(entry, f"participant-start={past.isoformat()}")
    assert not finds(entry, f"participant-start={past.isoformat()}", user=social)
    assert finds(entry, user=social)
    assert ids(make.account()) == set()


@pytest.mark.req("CDS-6", "SEC-8")
def test_an_emergency_opens_no_circle_to_searches(entry, settings):
    """It opens the identity and the medical rubrics: neither how many circles answer, nor who is there."""
    settings.BRIS_DE_GLACE = True
    doctor = make.account(make.DOCTOR)
    habilitations.open_emergency(entry.dossier.pk, by=doctor, reason="vitale", detail="Seule, sans proche joignable.")
    member = make.add(entry)
    assert finds(entry, f"participant=PractitionerRole/{member.activity_id}")
    assert ids(doctor) == ids(doctor, f"participant=PractitionerRole/{member.activity_id}") == set()


@pytest.mark.req("CDS-6", "SEC-15")
def test_who_stands_in_is_found_no_more_than_he_reads(entry):
    """For a home help, the reduced circle: nobody is found there by who he is."""
    helper, nurse, doctor = make.account("42"), make.account(make.NURSE), make.account(make.DOCTOR)
    for one in (helper, nurse):
        make.add(entry, one.attachment.professional, role="AGNT", wanted="oui")
    member = make.add(entry)
    name = f"participant=PractitionerRole/{member.activity_id}"
    standing = stand_in(nurse, doctor)
    assert finds(entry, name, user=doctor)
    ActingFor.objects.filter(pk=standing.pk).delete()
    stand_in(helper, doctor)
    assert finds(entry, user=doctor)
    assert not finds(entry, name, user=doctor)
