"""One resource per request: created, replaced, and what the answers say of it (flux 1a, 1b, 4a, 4b)."""

import re

import pytest

from tests.fhir.api import Api, issues, read
from tests.fhir.circles import Sent

pytestmark = pytest.mark.django_db


class Restful:
    """A circle made one resource at a time, as the Restful option does."""

    def __init__(self, api):
        self.api, self.sent, self.made = api, Sent(), {}

    def ref(self, name):
        return {"reference": f"{self.made[name]['resourceType']}/{self.made[name]['id']}"}

    def create(self, name, **changed):
        sent = getattr(self.sent, name)()
        for element in ("patient", "subject", "practitioner", "organization"):
            if element in sent:
                other = {"practitioner": "doctor", "organization": "house"}.get(element, "patient")
                sent[element] = self.ref(other)
        if name == "team":
            for participant, member in zip(sent["participant"], ("relative", "role", "house"), strict=True):
                participant["member"] = self.ref(member)
        answer = self.api.post(sent["resourceType"], sent | changed)
        if answer.status_code == 201 and answer.content:
            self.made[name] = read(answer)
        return answer


@pytest.fixture
def circle(api):
    one = Restful(api)
    for name in ("patient", "relative", "house", "doctor", "role", "team"):
        assert one.create(name).status_code == 201, name
    return one


@pytest.mark.req("CDS-8", "CDS-9", "CDS-10", "CDS-11", "CDS-12", "CDS-13", "CDS-31")
def test_each_type_is_created_and_the_answer_says_where(api):
    one = Restful(api)
    for name in ("patient", "relative", "house", "doctor", "role", "team"):
        answer = one.create(name)
        assert answer.status_code == 201, answer.content
        made = read(answer)
        said = re.fullmatch(r"http://testserver/fhir/(\w+)/([0-9a-f-]{36})/_history/([\w.-]+)", answer["Location"])
        assert said.groups() == (made["resourceType"], made["id"], made["meta"]["versionId"])
        assert answer["ETag"] == f'W/"{made["meta"]["versionId"]}"'
        assert answer["Last-Modified"]
        assert read(api.get(f"{said[1]}/{said[2]}")) == made
        assert read(api.get(answer["Location"])) == made
        assert api.get(f"{said[1]}/{said[2]}/_history/autre").status_code == 404


def test_the_answer_is_as_long_as_it_was_asked(api):
    one = Restful(api)
    minimal = api.post("Patient", one.sent.patient(), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content, bool(minimal["Location"])) == (201, b"", True)
    told = api.post("Patient", Sent().patient(), Prefer="return=OperationOutcome")
    assert (told.status_code, read(told)["resourceType"]) == (201, "OperationOutcome")


@pytest.mark.req("CDS-14")
@pytest.mark.parametrize("name", ["patient", "relative", "house", "doctor", "role"])
def test_each_actor_is_replaced(api, circle, name):
    before = circle.made[name]
    path = f"{before['resourceType']}/{before['id']}"
    change = {"telecom": [{"system": "phone", "value": "0599001122"}]}
    answer = api.put(path, before | change)
    assert answer.status_code == 200, answer.content
    after = read(api.get(path))
    assert after["telecom"] == change["telecom"]
    assert after["meta"]["versionId"] != before["meta"]["versionId"]


@pytest.mark.parametrize("name", ["patient", "relative", "house", "doctor", "role", "team"])
def test_what_was_read_changes_nothing_once_put_back(api, circle, name):
    one = circle.made[name]
    path = f"{one['resourceType']}/{one['id']}"
    read_first = read(api.get(path))
    assert api.put(path, read_first).status_code == 200
    assert read(api.get(path)) == read_first


@pytest.mark.req("CDS-35")
@pytest.mark.parametrize("name", ["patient", "relative", "house", "doctor", "role", "team"])
def test_an_old_version_replaces_nothing(api, circle, name):
    one = circle.made[name]
    path = f"{one['resourceType']}/{one['id']}"
    before = read(api.get(path))
    changed = before | {"name": "Cercle renommé"} if name == "team" else before | {"language": "fr"}
    answer = api.put(path, changed, If_Match='W/"999"')
    assert (answer.status_code, issues(answer)[0][:2]) == (412, ("error", "conflict"))
    assert read(api.get(path)) == before
    assert api.put(path, changed, If_Match=f'W/"{before["meta"]["versionId"]}"').status_code == 200


@pytest.mark.req("CDS-33", "CDS-34")
def test_the_version_and_its_date_are_the_servers(api, circle):
    team = circle.made["team"]
    sent = team | {"name": "Cercle renommé", "meta": {"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z"}}
    after = read(api.put(f"CareTeam/{team['id']}", sent))
    assert int(after["meta"]["versionId"]) == int(team["meta"]["versionId"]) + 1
    assert after["meta"]["lastUpdated"] > team["meta"]["lastUpdated"]


@pytest.mark.req("CDS-36")
def test_a_person_has_one_circle(api, circle):
    answer = circle.create("team", identifier=[{"value": "un-autre"}])
    assert (answer.status_code, issues(answer)[0][1]) == (409, "duplicate")


@pytest.mark.req("CDS-72")
def test_a_circle_ends(api, circle):
    team = read(api.get(f"CareTeam/{circle.made['team']['id']}"))
    over = team | {"status": "inactive", "period": team["period"] | {"end": "2026-11-01"}}
    after = read(api.put(f"CareTeam/{team['id']}", over))
    assert (after["status"], after["period"]["end"]) == ("inactive", "2026-11-01")


@pytest.mark.req("CDS-71")
def test_who_is_no_longer_named_leaves_and_stays_in_the_circle(api, circle):
    team = read(api.get(f"CareTeam/{circle.made['team']['id']}"))
    left = team | {"participant": team["participant"][1:]}
    after = read(api.put(f"CareTeam/{team['id']}", left))
    named = team["participant"][0]["member"]["reference"]
    gone = [one for one in after["participant"] if one["member"]["reference"] == named]
    assert [bool(one["period"].get("end")) for one in gone] == [True]


@pytest.mark.req("CDS-74")
@pytest.mark.parametrize("version", ["", "|2.0.1"])
def test_profiles_are_named_with_or_without_their_version(api, circle, version):
    team = read(api.get(f"CareTeam/{circle.made['team']['id']}"))
    canonical = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-ihe-careteam"
    sent = team | {"meta": {"profile": [canonical + version]}, "name": "Cercle renommé"}
    assert api.put(f"CareTeam/{team['id']}", sent).status_code == 200


def test_a_scope_that_only_reads_writes_nothing(client, coordinator, circle):
    narrow = Api.of(client, coordinator, scopes=("user/CareTeam.rs", "user/Patient.rs"))
    team = circle.made["team"]
    assert narrow.get(f"CareTeam/{team['id']}").status_code == 200
    assert narrow.put(f"CareTeam/{team['id']}", team | {"name": "Autre"}).status_code == 403
    assert narrow.post("Patient", Sent().patient()).status_code == 403
