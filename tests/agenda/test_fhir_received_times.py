"""Appointments without a person of ours: busy time of professionals, read by who sent it only (GAP-72)."""

import pytest

from agenda.models import Occupation, ReceivedTime
from tests.agenda.factories import HOUR, at
from tests.agenda.fhir_made import SYSTEM, created, found, professional, put, sent
from tests.circle import factories as make
from tests.fhir import callers
from tests.fhir.api import Api, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def software(client, matrix, house):
    user, number = callers.professional(house, family_name="AUTRE")
    client_, secret = callers.connect(house, scopes=["system/Appointment.crus", "system/Patient.rs"])
    api = Api(client, callers.acting(callers.token_of(client, client_, secret), number))
    api.user = user
    return api


def busy(id, **said):
    """An Appointment of somebody this house does not know."""
    resource = sent(None, professional(id), **said)
    stranger = {"actor": {"reference": "https://ailleurs.example/fhir/Patient/1", "display": "M. X"},
                "status": "accepted"}  # fmt: skip
    return resource | {"participant": [stranger, *resource["participant"]]}


@pytest.mark.req("GAP-72")
def test_it_makes_the_time_busy_and_says_nothing_else(client, software, matrix):
    professional_id = software.user.attachment.professional_id
    made = created(software, busy(professional_id, description="Motif confidentiel", priority=2))
    [taken] = Occupation.objects.filter(source=made["id"])
    assert (taken.key, taken.kind, taken.exclusive) == (professional_id, "recu", False)
    assert made["description"] == "Motif confidentiel" and made["priority"] == 2
    again = read(software.get(f"Appointment/{made['id']}"))
    assert again == made
    assert found(software, f"identifier={SYSTEM}|{made['identifier'][0]['value']}") == {made["id"]}
    # Nobody else reads it, himself included by another program.
    own = Api.of(client, software.user)
    assert own.get(f"Appointment/{made['id']}").status_code == 404 and found(own, "") == set()


@pytest.mark.req("GAP-72")
def test_the_type_beside_an_absolute_reference_changes_nothing(software):
    resource = busy(software.user.attachment.professional_id)
    resource["participant"][0]["actor"]["type"] = "Patient"
    made = created(software, resource)
    assert Occupation.objects.filter(source=made["id"]).count() == 1


@pytest.mark.req("GAP-84", "GAP-82")
def test_it_moves_and_is_cancelled(software):
    professional_id = software.user.attachment.professional_id
    resource = busy(professional_id, number="a")
    made = created(software, resource)
    later = at(15)
    put(software, made | {"start": later.isoformat(), "end": (later + HOUR).isoformat()})
    assert Occupation.objects.get(source=made["id"]).starts_at == later
    answer = software.put(f"Appointment?identifier={SYSTEM}|a", resource | {"status": "cancelled"})
    assert answer.status_code == 200
    assert not Occupation.objects.filter(source=made["id"]).exists()
    assert ReceivedTime.objects.count() == 1


def test_it_is_stale(software):
    made = created(software, busy(software.user.attachment.professional_id))
    put(software, made | {"comment": "x"})
    stale = software.put(
        f"Appointment/{made['id']}", made | {"comment": "y"}, **{"If-Match": f'W/"{made["meta"]["versionId"]}"'}
    )
    assert stale.status_code == 412


def test_the_time_of_others_is_not_theirs_to_take(software, matrix):
    other = make.account()
    answer = software.post("Appointment", busy(other.attachment.professional_id))
    assert answer.status_code == 422
    assert not Occupation.objects.exists()


@pytest.mark.req("REL-7")
def test_the_same_identifier_twice_is_refused(software):
    resource = busy(software.user.attachment.professional_id, number="b")
    created(software, resource)
    assert software.post("Appointment", resource).status_code == 409
    assert ReceivedTime.objects.count() == 1


def test_an_unknown_person_of_this_server_is_not_a_time(software):
    answer = software.post("Appointment", busy(software.user.attachment.professional_id) | {
        "participant": [professional("0188d2a4-0000-7000-8000-00000000dead", type_name="Patient")],
    })  # fmt: skip
    assert answer.status_code == 422
