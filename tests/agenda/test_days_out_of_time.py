"""Days that no clock can say: a sentence beside the field, on every page that takes one."""

import uuid

import pytest

from agenda import links
from agenda.models import Appointment, Opening
from tests.agenda import factories as make
from tests.agenda.test_meetings import of, propose, times_of
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(entry):
    return {
        "doctor": make.member(entry), "nurse": make.member(entry, circle.account("10", family_name="TESTARD")),
        "son": circle.relative(entry, email="karim@famille.example"),
    }  # fmt: skip


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2400-02-29"])
def test_a_day_out_of_time_is_refused_in_words(client, entry, there, day):
    client.force_login(entry.user)
    inside = f"/dossiers/{entry.dossier.pk}/"
    search = {"minutes": 60, "earliest": "08:00", "latest": "19:00", "zone": "Europe/Paris"}
    search |= {"first_day": day, "last_day": day, f"presence_{there['doctor'].pk}": "indispensable"}
    once = {
        "kind": "rendez_vous", "day": day, "starts": "10:00", "ends": "11:00", "zone": "Pacific/Noumea",
        "person": "on", "me": "on", "how": "convenu", "creation_key": uuid.uuid4(),
    }  # fmt: skip
    hours = {"first_day": day, "starts": "10:00", "ends": "11:00"}
    said = [
        client.get(f"{inside}reunions/trouver/", search),
        client.post(f"{inside}agenda/nouveau/", once),
        client.post(f"{inside}agenda/nouveau/", once | {"kind": "absence", "all_day": "on", "last_day": day}),
        client.post(f"{inside}agenda/nouveau/", once | {"every": "1"}),
        client.post("/agenda/absences/ajouter/", {"first_day": day, "last_day": day, "all_day": "on"}),
        client.post("/agenda/ouvertures/ajouter/", hours | {"weekdays": ["0"], "weeks": "1", "until": day}),
    ]
    assert [answer.status_code for answer in said] == [422] * len(said)
    assert not Appointment.objects.exists() and not Opening.objects.exists()


def test_times_out_of_time_are_not_times(client, entry, there):
    client.force_login(entry.user)
    day = make.at().date().isoformat()
    asked = {
        "minutes": 60, "earliest": "08:00", "latest": "19:00", "zone": "Europe/Paris", "first_day": day,
        "last_day": day, f"presence_{there['doctor'].pk}": "indispensable",
        "times": ["9999-12-31T23:30:00+00:00", "0001-01-01T00:00:00+14:00"],
    }  # fmt: skip
    answer = client.post(f"/dossiers/{entry.dossier.pk}/reunions/trouver/", asked)
    assert answer.status_code == 422
    assert not Appointment.objects.exists()


def test_nor_by_a_personal_link(client, entry, there):
    meeting = propose(entry, there)
    answer = {f"creneau_{time.pk}": "oui" for time in times_of(meeting)}
    answer |= {"other_day": "9999-12-31", "other_hour": "23:30"}
    said = client.post(links.address_of(of(meeting, there["son"])), answer)
    assert said.status_code == 422
