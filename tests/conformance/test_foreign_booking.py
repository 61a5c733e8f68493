"""Clients that others wrote book on a live server: slot, appointment, search, cancellation, an old version.

Each tells what it saw as the same facts; the story is one.
"""

import copy

import pytest
import requests
from fhirclient.models.appointment import Appointment
from fhirclient.models.slot import Slot
from fhirclient.server import FHIRServer
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome

from tests.agenda import factories
from tests.agenda.test_fhir_booking import asking, opened
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.api import Api

pytestmark = pytest.mark.req("GAP-45", "GAP-46", "GAP-72", "GAP-73", "GAP-81")
CANCELLED = {"status": "cancelled", "cancelationReason": {"text": "Empêchement"}}


@pytest.fixture
def given(live_server, transactional_db, client, settings):
    """The coordinator of a circle, a doctor of it whose agenda is open from nine to eleven, by half hours."""
    settings.FHIR_CALLS_PER_MINUTE = 0
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    doctor = make.account()
    factories.member(entry, doctor)
    return {
        "base": f"{live_server.url}/fhir", "headers": dict(Api.of(client, entry.user).headers), "entry": entry,
        "another": make.open_circle(entry.user),
        "slots": {"schedule": str(opened(doctor).pk), "status": "free"},
        "person": {"patient": f"Patient/{entry.dossier.pk}"},
    }  # fmt: skip


def judged(saw):
    assert saw["free"] == [4, 3, 4]
    assert saw["made"] == "booked"
    assert saw["found"] == [saw["id"]]
    assert saw["taken"] == 409
    assert saw["cancelled"][0] == "cancelled" and saw["cancelled"][1] != saw["version"]
    assert saw["stale"] == 412


def test_fhirpy(given):
    client = SyncFHIRClient(given["base"], extra_headers=given["headers"])

    def free():
        return client.resources("Slot").search(**given["slots"]).fetch_all()

    first, *others = free()
    saw = {"free": [1 + len(others)]}
    made = client.resource("Appointment", **asking(given["entry"], first.serialize())).save()
    saw |= {"id": made.id, "made": made["status"], "version": made["meta"]["versionId"]}
    saw["free"].append(len(free()))
    saw["found"] = [one.id for one in client.resources("Appointment").search(**given["person"]).fetch_all()]
    with pytest.raises(OperationOutcome) as refused:
        client.resource("Appointment", **asking(given["another"], first.serialize())).save()
    saw["taken"] = 409 if "conflict" in str(refused.value) else str(refused.value)
    old = copy.deepcopy(made.serialize())
    path, match = f"Appointment/{made.id}", {"If-Match": f'W/"{saw["version"]}"'}
    told = client._do_request("put", path, data=old | CANCELLED, extra_headers=match, returning_status=True)[0]
    saw["cancelled"] = (told["status"], told["meta"]["versionId"])
    saw["free"].append(len(free()))
    # It names this error by the other use of 412.
    with pytest.raises(MultipleResourcesFound):
        client._do_request("put", path, data=old, extra_headers=match)
    saw["stale"] = 412
    judged(saw)


def test_fhirclient(given):
    server = FHIRServer(None, given["base"])
    server.session.headers.update(given["headers"])

    def free():
        return list(Slot.where(given["slots"]).perform_resources_iter(server))

    first, *others = free()
    saw = {"free": [1 + len(others)]}
    made = Appointment(Appointment(asking(given["entry"], first.as_json())).create(server))
    saw |= {"id": made.id, "made": made.status, "version": made.meta.versionId}
    saw["free"].append(len(free()))
    saw["found"] = [one.id for one in Appointment.where(given["person"]).perform_resources_iter(server)]
    with pytest.raises(requests.HTTPError) as refused:
        Appointment(asking(given["another"], first.as_json())).create(server)
    saw["taken"] = refused.value.response.status_code
    old = made.as_json()
    server.session.headers["If-Match"] = f'W/"{saw["version"]}"'
    told = Appointment(Appointment(old | CANCELLED).update(server))
    saw["cancelled"] = (told.status, told.meta.versionId)
    saw["free"].append(len(free()))
    with pytest.raises(requests.HTTPError) as refused:
        Appointment(old).update(server)
    saw["stale"] = refused.value.response.status_code
    judged(saw)
