"""Clients that others wrote, on a live server: create, transaction, chained search, paging, versions, If-Match.

Each tells what it saw as the same facts; the story is one, and the programs are four.
"""

import json
import shutil
import subprocess

import pytest
import requests
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.careteam import CareTeam
from fhirclient.models.fhirelementfactory import FHIRElementFactory
from fhirclient.models.fhirsearch import FHIRSearchParam
from fhirclient.server import FHIRServer
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound

from tests.circle.conftest import publish_default_matrix
from tests.conformance import java, judge, plan
from tests.fhir import callers

TYPES = {"Patient", "Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "CareTeam"}


@pytest.fixture
def given(live_server, transactional_db, client, settings):
    settings.FHIR_CALLS_PER_MINUTE = 0
    publish_default_matrix()
    structure = callers.make.StructureFactory()
    user, national_id = callers.professional(structure)
    return plan.make(live_server.url, client, user, national_id, structure)


def judged(saw):
    """What any client must have seen."""
    assert saw["fhir"] == "4.0.1"
    assert set(saw["created"]) == TYPES
    assert set(saw["transaction"]) == TYPES
    # The circle of the transaction, found by the number of its person, with everybody it names.
    assert saw["found"] == [saw["transaction"]["CareTeam"]]
    assert set(saw["included"]) == TYPES - {"CareTeam"}
    # Two circles by pages of one; each once.
    assert sorted(saw["pages"]) == sorted([saw["transaction"]["CareTeam"], saw["created"]["CareTeam"]])
    assert saw["read"]["version"] == "1"
    assert saw["updated"]["version"] == "2"
    assert saw["updated"]["name"] == "Cercle renommé"
    assert saw["vread"]["version"] == "1"
    assert saw["vread"]["name"] == saw["read"]["name"] != "Cercle renommé"
    assert saw["history"] == ["2", "1"]
    assert saw["stale"] == 412


def test_fhirpy(given):
    client = SyncFHIRClient(given["base"], extra_headers=given["headers"])
    saw = {"fhir": client.execute("metadata", method="get")["fhirVersion"], "created": {}}
    for name, resource in given["create"].items():
        made = client.resource(name, **plan.filled(resource, saw["created"])).save()
        saw["created"][name] = made.id
    answer = client.execute("", data=given["transaction"])
    saw["transaction"] = dict(one["fullUrl"].rsplit("/", 2)[-2:] for one in answer["entry"])
    found = (
        client.resources("CareTeam")
        .search(**{"patient.identifier": given["identifier"]})
        .include("CareTeam", "subject")
        .include("CareTeam", "participant")
        .include("PractitionerRole", "practitioner", iterate=True)
        .fetch_raw()
    )
    by_mode = {mode: [one.resource for one in found.entry if one.search.mode == mode] for mode in ("match", "include")}
    saw["found"] = [one.id for one in by_mode["match"]]
    saw["included"] = [one.resource_type for one in by_mode["include"]]
    saw["pages"] = [one.id for one in client.resources("CareTeam").limit(1).fetch_all()]
    circle = client.get("CareTeam", saw["created"]["CareTeam"])
    saw["read"] = {"version": circle["meta"]["versionId"], "name": circle["name"]}
    path = f"CareTeam/{circle['id']}"
    old = json.loads(json.dumps(circle))
    renamed, _ = client._do_request(
        "put", path, data=old | {"name": "Cercle renommé"}, extra_headers={"If-Match": 'W/"1"'}, returning_status=True
    )
    saw["updated"] = {"version": renamed["meta"]["versionId"], "name": renamed["name"]}
    first = client.execute(f"{path}/_history/1", method="get")
    saw["vread"] = {"version": first["meta"]["versionId"], "name": first["name"]}
    versions = client.execute(f"{path}/_history", method="get")
    saw["history"] = [one["resource"]["meta"]["versionId"] for one in versions["entry"]]
    # It names this error by the other use of 412.
    with pytest.raises(MultipleResourcesFound):
        client._do_request("put", path, data=old, extra_headers={"If-Match": 'W/"1"'})
    saw["stale"] = 412
    judged(saw)


class Written(FHIRSearchParam):
    """What this client has no word for, as it stands in an address."""

    def __init__(self, text):
        self.text = text

    def handle(self):
        return [self]

    def as_parameter(self):
        return self.text


def test_fhirclient(given):
    server = FHIRServer(None, given["base"])
    server.session.headers.update(given["headers"])
    saw = {"fhir": CapabilityStatement.read_from("metadata", server).fhirVersion, "created": {}}
    for name, resource in given["create"].items():
        made = FHIRElementFactory.instantiate(name, plan.filled(resource, saw["created"])).create(server)
        saw["created"][name] = made["id"]
    answer = Bundle(Bundle(given["transaction"]).create(server))
    saw["transaction"] = dict(one.fullUrl.rsplit("/", 2)[-2:] for one in answer.entry)
    search = CareTeam.where({"patient.identifier": given["identifier"]}).include("subject")
    search.params += [Written("_include=CareTeam:participant&_include:iterate=PractitionerRole:practitioner")]
    entries = [one for page in search.perform_iter(server) for one in page.entry or []]
    saw["found"] = [one.resource.id for one in entries if one.search.mode == "match"]
    saw["included"] = [one.resource.resource_type for one in entries if one.search.mode == "include"]
    saw["pages"] = [one.id for one in CareTeam.where({"_count": "1"}).perform_resources_iter(server)]
    circle = CareTeam.read(saw["created"]["CareTeam"], server)
    saw["read"] = {"version": circle.meta.versionId, "name": circle.name}
    old = circle.as_json()
    server.session.headers["If-Match"] = 'W/"1"'
    circle.name = "Cercle renommé"
    renamed = CareTeam(circle.update(server))
    saw["updated"] = {"version": renamed.meta.versionId, "name": renamed.name}
    with pytest.raises(requests.HTTPError) as refused:
        CareTeam(old).update(server)
    saw["stale"] = refused.value.response.status_code
    first = CareTeam.read_from(f"{circle.relativePath()}/_history/1", server)
    saw["vread"] = {"version": first.meta.versionId, "name": first.name}
    versions = Bundle.read_from(f"{circle.relativePath()}/_history", server)
    saw["history"] = [one.resource.meta.versionId for one in versions.entry]
    judged(saw)


def test_hapi_generic_client(given, tmp_path):
    """Its parser is strict: what it does not know of R4 is an error. In XML, then in JSON."""
    told = tmp_path / "plan.json"
    told.write_text(json.dumps(given))
    command = ["java", "-Xmx512m", "-cp", java.classpath(judge.HOME), "judge.Client", str(told)]
    judged(saw_by(command))


@pytest.mark.skipif(not shutil.which("npm"), reason="NOT RUN: no Node on this machine")
def test_fhir_kit_client(given, tmp_path):
    home = judge.HOME / "javascript"
    try:
        done = java.run(["npm", "ci", "--no-audit", "--no-fund"], judge.CLIENT, cwd=home, said="npm’s registry")
    except java.Missing as missing:
        pytest.skip(f"NOT RUN: {missing}")
    assert done.returncode == 0, done.stdout + done.stderr
    told = tmp_path / "plan.json"
    told.write_text(json.dumps(given))
    judged(saw_by(["node", str(home / "client.mjs"), str(told)]))


def saw_by(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=judge.CLIENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
