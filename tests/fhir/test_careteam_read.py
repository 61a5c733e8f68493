"""Reading a circle over HTTP: the resource, its versions, its history, in both formats."""

import uuid
from pathlib import Path

import pytest

from circle import actions
from coordination.common.ids import uuid7
from tests.circle import factories as make
from tests.circle.fhir_calls import circle_id, close_transaction
from tests.fhir.api import XML, Api, issues, link, matches, read

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def address(entry):
    make.add(entry)
    return f"CareTeam/{circle_id(entry)}"


@pytest.mark.req("CDS-1")
def test_the_statement_is_for_anybody(client):
    said = read(client.get("/fhir/metadata"))
    assert (said["resourceType"], said["fhirVersion"], said["format"]) == (
        "CapabilityStatement", "4.0.1", ["json", "xml"],
    )  # fmt: skip
    assert said["implementationGuide"] == [
        "https://interop.esante.gouv.fr/ig/fhir/cds/ImplementationGuide/ans.fhir.fr.cds",
        "https://interop.esante.gouv.fr/ig/fhir/gap/ImplementationGuide/ans.fhir.fr.gap",
    ]
    # Agendas are changed by it, and a client looks there to know how.
    assert said["patchFormat"] == ["application/json-patch+json"]
    circle = next(one for one in said["rest"][0]["resource"] if one["type"] == "CareTeam")
    assert {one["code"] for one in circle["interaction"]} == {
        "create", "update", "read", "vread", "search-type", "history-instance", "history-type",
    }  # fmt: skip


@pytest.mark.req("CDS-1")
def test_what_changed_since_is_asked_where_the_statement_and_the_page_say(api):
    types = read(api.get("metadata"))["rest"][0]["resource"]
    told = {one["type"] for one in types if "_lastUpdated" in {param["name"] for param in one["searchParam"]}}
    *others, last = sorted(told)
    page = (ROOT / "docs/fhir.md").read_text()
    assert f"`_lastUpdated` sur {', '.join(others)} et {last} seulement" in page
    for one in types:
        said = api.get(f"{one['type']}?_lastUpdated=ge2026-01-01", Prefer="handling=strict").content.decode()
        assert ("« _lastUpdated » n’est pas connu" in said) is (one["type"] not in told), one["type"]


@pytest.mark.req("CDS-2", "CDS-66")
def test_a_circle_is_read_in_json(api, address):
    answer = api.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/fhir+json; charset=utf-8")
    assert read(answer)["resourceType"] == "CareTeam"
    assert answer["ETag"] == 'W/"1"'
    assert answer["Last-Modified"]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.req("CDS-3")
def test_the_same_in_xml(api, address):
    answer = api.get(address, Accept=XML)
    assert answer["Content-Type"].startswith(XML)
    assert read(answer) == read(api.get(address))


@pytest.mark.req("CDS-4")
@pytest.mark.parametrize("asked", ["xml", "application/fhir%2Bxml", "application/fhir+xml", "text/xml"])
def test_the_format_asked_in_the_address_wins(api, address, asked):
    assert api.get(f"{address}?_format={asked}", Accept="application/fhir+json")["Content-Type"].startswith(XML)


def test_a_format_nobody_writes_is_refused(api, address):
    assert api.get(f"{address}?_format=csv").status_code == 406
    answer = api.get(address, Accept="text/html")
    assert answer.status_code == 406
    assert issues(answer)[0][:2] == ("error", "not-supported")


@pytest.mark.parametrize("said", ['W/"1"', '"1"', '"0", W/"1"', 'W/"1",W/"2"', "*"])
def test_a_version_already_known_is_not_sent_again(api, address, said):
    answer = api.get(address, If_None_Match=said)
    assert (answer.status_code, answer["ETag"]) == (304, 'W/"1"')
    # A length would be that of the resource: none is said.
    assert "Content-Length" not in answer
    assert "Content-Type" not in answer


@pytest.mark.parametrize("said", ['W/"2"', '"11"', "1", 'W/"2", W/"11"'])
def test_another_version_is_sent(api, address, said):
    assert api.get(address, If_None_Match=said).status_code == 200


@pytest.mark.req("CDS-67", "CDS-68")
def test_versions_are_read_one_by_one_and_together(api, entry, address):
    actions.remove_member(entry, make.add(entry), reason="fin")
    close_transaction()
    assert read(api.get(f"{address}/_history/1"))["meta"]["versionId"] == "1"
    bundle = read(api.get(f"{address}/_history"))
    assert (bundle["type"], [one["response"]["etag"] for one in bundle["entry"]]) == ("history", ['W/"2"', 'W/"1"'])
    assert [one["request"]["method"] for one in bundle["entry"]] == ["PUT", "POST"]


def test_the_pages_of_a_history_hold_each_version_once(api, entry, address):
    for _ in range(3):
        make.add(entry)
        close_transaction()
    seen, page = [], f"{address}/_history?_count=2"
    while page:
        bundle = read(api.get(page))
        seen += [one["resource"]["meta"]["versionId"] for one in bundle["entry"]]
        page = link(bundle, "next")
    assert seen == ["4", "3", "2", "1"]


@pytest.mark.req("CDS-69")
def test_the_history_of_circles_holds_those_of_the_caller_only(api, client, entry, address):
    other = make.open_circle(make.coordinator())
    circle_id(other)
    bundle = read(api.get("CareTeam/_history"))
    assert {one["resource"]["id"] for one in bundle["entry"]} == {address.removeprefix("CareTeam/")}


@pytest.mark.req("CDS-70")
@pytest.mark.parametrize("id", ["018f6f2a-0000-7000-8000-000000000001", "12", "abc", str(uuid.UUID(int=0)), "A" * 64])
def test_an_unknown_id_is_not_found(api, id):
    answer = api.get(f"CareTeam/{id}")
    assert answer.status_code == 404
    assert issues(answer) == [("error", "not-found", "")]
    assert api.get(f"CareTeam/{id}/_history/1").status_code == 404
    assert api.get(f"CareTeam/{id}/_history").status_code == 404


@pytest.mark.req("CDS-70")
def test_an_unknown_version_is_not_found(api, address):
    for number in ("9", "0", "x"):
        assert api.get(f"{address}/_history/{number}").status_code == 404


@pytest.mark.req("CDS-6")
def test_outside_a_circle_it_does_not_exist(client, address):
    stranger = Api.of(client, make.account())
    assert stranger.get(address).status_code == 404
    assert stranger.get(address).content == stranger.get(f"CareTeam/{uuid7()}").content
    assert matches(read(stranger.get("CareTeam"))) == []


@pytest.mark.req("CDS-6", "CDS-5")
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_a_token_nobody_is_answered(client, address, method):
    answer = client.generic(method, f"/fhir/{address}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert issues(answer) == [("error", "login", "")]


@pytest.mark.req("CDS-5")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "CareTeam/x", 405),
        ("PATCH", "CareTeam/x", 405),
        ("GET", "Observation/1", 404),
        ("GET", "x/y/z", 404),
    ],
)
def test_whatever_is_refused_is_said_in_fhir(api, method, path, status):
    answer = api.ask(method, path)
    assert answer.status_code == status
    assert issues(answer)[0][0] == "error"


@pytest.mark.req("CDS-5")
def test_every_answer_says_what_the_address_takes(api, client, address):
    for answer in (api.get(address), api.get(address, Accept="text/html"), client.get(f"/fhir/{address}")):
        assert (answer["Allow"], answer["Vary"]) == ("GET, HEAD, PUT, PATCH, DELETE", "Accept")
    answer = api.ask("OPTIONS", address)
    assert (answer.status_code, issues(answer)[0][1]) == (405, "not-supported")
    assert api.ask("POST", "CareTeam/_search", "", media="application/x-www-form-urlencoded")["Allow"] == "POST"
    whole = api.get(address)
    head = api.ask("HEAD", address)
    assert (head.status_code, head["ETag"], head["Content-Length"]) == (200, whole["ETag"], whole["Content-Length"])


def test_a_scope_narrows_what_rights_give(client, coordinator, address):
    narrow = Api.of(client, coordinator, scopes=("user/Patient.rs",))
    answer = narrow.get(address)
    assert (answer.status_code, issues(answer)[0][1]) == (403, "forbidden")


@pytest.mark.req("CDS-7")
def test_no_cors_header_is_sent(api, address):
    answer = api.get(address, Origin="https://ailleurs.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
