"""Our own server as the partner: an event, an agenda and a busy time go there and come back (GAP-92 to 98)."""

import datetime as dt
import uuid

import pytest
from django.conf import settings as django_settings
from django.db import connection

from agenda.actions import appointments as actions
from agenda.actions import openings, schedules
from agenda.actions.attending import Who
from agenda.actions.openings import When
from agenda.models import Appointment, Occupation
from agenda.relays import kinds
from agenda.rules import Freq, Rule
from circle.relays import kinds as circles
from coordination.common import cipher
from coordination.partners import client, relaying
from coordination.partners.client import Asked
from coordination.partners.models import Relay, State
from tests.agenda.factories import HOUR, at
from tests.agenda.fhir_made import SYSTEM
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.partners import exchanging, other_house
from tests.partners.factories import PartnerFactory, RelayFactory
from tests.partners.other_house import NATIONAL_ID

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        connection.close()
    with other_house.running(django_settings.DATABASES["default"] | connection.settings_dict,
                             tmp_path_factory.mktemp("house")) as running:  # fmt: skip
        yield running


@pytest.fixture
def partner(db, house):
    publish_default_matrix()
    return PartnerFactory(
        name="Agenda d’en face", base_url=house.fhir, token_url=f"{house.fhir}/oauth/token",
        client_id=house.client_id, secret_sealed=cipher.encrypt(house.secret),
    )  # fmt: skip


@pytest.fixture
def entry(partner):
    """The coordinator acts on both sides, and the person is known there by her circle."""
    structure = make.StructureFactory()
    made = exchanging.open_circle(structure)
    partner.structures.add(structure)
    exchanging.exchanged(partner, made, circles.SEND)
    return made


def exchanged(partner, kind, object_id, by):
    """Do what waits to be exchanged, as a worker would, or ask it first."""
    asked = {"partner": partner, "kind": kind, "object_id": object_id}
    relay = Relay.objects.filter(**asked, state=State.EN_ATTENTE).first() or RelayFactory(**asked, asked_by=by)
    relaying.relay(relay.pk)
    relay.refresh_from_db()
    assert relay.state == State.FAIT, relay.last_error


def there(partner, type_name, *form):
    bundle = client.call(partner, Asked(path=f"{type_name}/_search", form=form, acting=NATIONAL_ID))
    return [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == "match"]


@pytest.mark.req("GAP-93", "GAP-94", "GAP-96", "GAP-97", "GAP-98")
def test_an_appointment_goes_there_moves_and_is_not_taken_for_theirs(partner, entry):
    facts = actions.Facts(kind="rendez_vous", starts_at=at(10), ends_at=at(11), zone="Europe/Paris", title="Bilan")
    made = actions.create_appointment(entry, facts, Who(me=True), creation_key=uuid.uuid4())
    exchanged(partner, kinds.APPOINTMENT, made.pk, entry.user)
    asked = ("identifier", str(made.pk))
    [shown] = there(partner, "Appointment", asked)
    assert (shown["status"], shown["description"]) == ("booked", "Bilan")
    named = {one["actor"].get("reference", "").partition("/")[0] for one in shown["participant"]}
    assert {"Patient", "Practitioner", "PractitionerRole"} <= named
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    exchanged(partner, kinds.APPOINTMENT, made.pk, entry.user)
    exchanged(partner, kinds.APPOINTMENT, made.pk, entry.user)
    [shown] = there(partner, "Appointment", asked)
    assert dt.datetime.fromisoformat(shown["start"]) == at(15)
    # Fetched back, it is known.
    schedule = schedules.schedule_of(entry.user)
    exchanged(partner, kinds.TAKEN_THERE, schedule.pk, entry.user)
    assert Appointment.objects.count() == 1


@pytest.mark.req("GAP-94", "GAP-98", "AGD-15")
def test_an_appointment_taken_there_comes_here(partner, entry):
    patient = {"type": "Patient", "identifier": {
        "system": "http://127.0.0.1:8000/fhir/identifiants/patient", "value": str(entry.dossier.pk),
    }}  # fmt: skip
    doctor = {"type": "Practitioner", "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": NATIONAL_ID}}
    resource = {
        "resourceType": "Appointment", "identifier": [{"system": SYSTEM, "value": f"la-bas-{entry.dossier.pk}"}],
        # The house in front keeps it: out of the hours that the next test opens.
        "status": "booked", "start": at(18).isoformat(), "end": at(19).isoformat(), "description": "Là-bas",
        "participant": [{"actor": actor, "status": "accepted"} for actor in (patient, doctor)],
    }  # fmt: skip
    client.call(partner, Asked(path="Appointment", resource=resource, acting=NATIONAL_ID, whole=True))
    schedule = schedules.schedule_of(entry.user)
    exchanged(partner, kinds.TAKEN_THERE, schedule.pk, entry.user)
    made = Appointment.objects.get(identifier_value=f"la-bas-{entry.dossier.pk}")
    assert (made.dossier_id, made.title, made.received_from) == (entry.dossier.pk, "Là-bas", "Agenda d’en face")
    assert Occupation.objects.filter(source=made.pk, key=schedule.key, kind="recu").exists()


@pytest.mark.req("GAP-92", "GAP-95", "GAP-94")
def test_an_agenda_goes_there_with_its_rule_and_its_busy_slots_come_back(partner, entry):
    schedule = schedules.schedule_of(entry.user)
    schedules.change_settings(
        schedule, by=entry.user, zone="Europe/Paris", minutes={"entretien": 60}, mails_invitations=False
    )
    starts = at(9).replace(tzinfo=None)
    openings.add_opening(schedule, by=entry.user, when=When(starts, starts + dt.timedelta(hours=3), Rule(Freq.WEEKLY)))
    exchanged(partner, kinds.SCHEDULE, schedule.pk, entry.user)
    [shown] = there(partner, "Schedule", ("actor:Practitioner.identifier", NATIONAL_ID))
    assert sum(one["url"].endswith("availability-time") for one in shown["extension"]) == 1
    free = there(partner, "Slot", ("schedule", shown["id"]), ("status", "free"), ("start", f"le{at(12):%Y-%m-%d}"))
    assert dt.datetime.fromisoformat(free[0]["start"]) == at(9)
    # Somebody books the first one there: it comes back as time taken, and goes back to nobody who said it.
    doctor = {"type": "Practitioner", "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": NATIONAL_ID}}
    stranger = {"display": "Une personne d’ailleurs"}
    booked = {
        "resourceType": "Appointment", "identifier": [{"system": SYSTEM, "value": f"pris-{schedule.pk}"}],
        "status": "booked", "start": at(9).isoformat(), "end": (at(9) + HOUR).isoformat(),
        "participant": [{"actor": actor, "status": "accepted"} for actor in (doctor, stranger)],
    }  # fmt: skip
    client.call(partner, Asked(path="Appointment", resource=booked, acting=NATIONAL_ID, whole=True))
    exchanged(partner, kinds.BUSY_THERE, schedule.pk, entry.user)
    taken = Occupation.objects.filter(key=schedule.key, source=partner.pk)
    assert list(taken.values_list("kind", "starts_at", "ends_at")) == [("recu", at(9), at(9) + HOUR)]
    openings.remove_opening(schedule, schedule.openings.get().pk, by=entry.user)
    exchanged(partner, kinds.SCHEDULE, schedule.pk, entry.user)
    assert there(partner, "Slot", ("schedule", shown["id"]), ("status", "free")) == []
    exchanged(partner, kinds.BUSY_THERE, schedule.pk, entry.user)
