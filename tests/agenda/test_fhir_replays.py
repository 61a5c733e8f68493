"""The same creation of an agenda sent twice at once makes one thing (REL-7); see tests/fhir/replaying.py."""

import datetime as dt

import pytest
from django.test import Client

from agenda.models import Appointment, Schedule
from coordination.directory.models import Equipment, InternalService, Place
from tests.agenda import fhir_made, fhir_world
from tests.agenda.factories import HOUR, at
from tests.agenda.test_fhir_places import device, location, service
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir import replaying
from tests.fhir.api import Api
from tests.fhir.replaying import create_twice

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.req("REL-7")]


@pytest.fixture(autouse=True)
def _house(settings, transactional_db):
    settings.FHIR_CALLS_PER_MINUTE = 0
    publish_default_matrix()


@pytest.mark.parametrize(("by", "times"), replaying.WAYS)
def test_agendas_and_what_they_are_of(by, times):
    house = make.StructureFactory()
    software = fhir_world.software(Client(), house)[0].headers
    for name, model, body in (
        ("Location", Place, location()), ("HealthcareService", InternalService, service(house)),
        ("Device", Equipment, device()),
    ):  # fmt: skip
        made = create_twice(software, name, [body] * times, by)
        assert model.objects.count() == times, name
    # One agenda each: nothing has two.
    create_twice(software, "Schedule", [fhir_world.schedule(f"Device/{id}") for id in made], by)
    assert Schedule.objects.count() == times


@pytest.mark.parametrize(("by", "times"), replaying.WAYS)
def test_appointments(by, times):
    entry = make.open_circle(make.coordinator())
    user = Api.of(Client(), entry.user).headers
    starts = [at() + dt.timedelta(days=turn) for turn in range(times)]
    bodies = [fhir_made.sent(entry, starts=moment, minutes=HOUR.seconds // 60) for moment in starts]
    create_twice(user, "Appointment", bodies, by)
    assert Appointment.objects.filter(dossier=entry.dossier).count() == times
