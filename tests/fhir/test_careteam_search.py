"""Searching circles: criteria, chains, what is brought beside, pages (flux 2a and 3a)."""

import datetime as dt
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle import actions
from circle.circles import Circle
from habilitations.models import Trace
from tests.circle import factories as make
from tests.circle.fhir_calls import close_transaction
from tests.fhir.api import JSON, XML, Api, issues, link, matches, read
from tests.fhir.circles import Sent, ids

pytestmark = pytest.mark.django_db
# Reads the circle, not the medical rubric.
SOCIAL_WORKER = "44"


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def made(api, sent):
    answer = api.post("", sent.bundle())
    assert answer.status_code == 200, answer.content
    known = ids(read(answer))
    # Another circle of the same caller, that no search of these tests wants.
    other = Sent().bundle(team=None, without=("relative", "house", "doctor", "role"))
    other["entry"][0]["resource"]["participant"] = []
    del other["entry"][0]["resource"]["participant"]
    other["entry"][0]["resource"]["period"] = {"start": "2020-05-05", "end": "2021-05-05"}
    other["entry"][0]["resource"]["status"] = "suspended"
    assert api.post("", other).status_code == 200
    return known


def found(api, query, kind="CareTeam"):
    answer = api.get(f"{kind}?{query}")
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in matches(read(answer))]


@pytest.mark.req("CDS-50", "CDS-51", "CDS-52")
def test_without_criteria_every_circle_of_the_caller(api, made):
    bundle = read(api.get("CareTeam"))
    assert (bundle["type"], bundle["total"], len(bundle["entry"])) == ("searchset", 2, 2)
    assert all(one["search"]["mode"] == "match" for one in bundle["entry"])
    assert not [one for one in bundle["entry"] if {"request", "response"} & set(one)]
    assert all(one["fullUrl"].endswith(f"/fhir/CareTeam/{one['resource']['id']}") for one in bundle["entry"])


@pytest.mark.req("CDS-51")
def test_nothing_found_is_a_bundle_too(api, made):
    bundle = read(api.get("CareTeam?identifier=nulle-part|1"))
    assert (bundle["type"], bundle["total"], "entry" in bundle) == ("searchset", 0, False)


@pytest.mark.req("CDS-53", "CDS-54", "CDS-55", "CDS-57")
@pytest.mark.parametrize(
    "query",
    [
        "identifier=https://hopital.example/cercles|{number}",
        "identifier={number}",
        "status=active",
        "status=active,entered-in-error",
        "status:not=suspended",
        "date=ge2026-01",
        "date=gt2026-06",
        "start=2026-01-12",
        "start=ge2026-01-01&start=lt2026-02-01",
        "start=2026-01-12,2019",
        "start=sa2025-12-31",
        "start=eb2026-01-13&start=ap2026-01-12",
        "start=ne2020-05-05",
        "end:missing=true",
        "participant-start=2026-01-12",
        "participant-start=gt2026-01-11&participant-start=le2026-01-12",
        "patient=Patient/{Patient}",
        "patient={Patient}",
        "subject=Patient/{Patient}",
        "subject:Patient={Patient}",
        "participant=RelatedPerson/{RelatedPerson}",
        "participant=PractitionerRole/{PractitionerRole}",
        "participant:Organization={Organization}",
        "participant:RelatedPerson={RelatedPerson},{Patient}",
        "_id={CareTeam}",
        "_id={CareTeam}&_lastUpdated=ge2026-01-01",
    ],
)
def test_criteria(api, sent, made, query):
    assert found(api, query.format(number=sent.number, **made)) == [made["CareTeam"]]


@pytest.mark.req("CDS-54", "CDS-55")
@pytest.mark.parametrize(
    "query",
    ["end=2021-05-05", "end=lt2022", "end=ge2021-05-05&end=le2021-05-05", "end:missing=false", "status=suspended"],
)
def test_criteria_of_the_other_circle(api, made, query):
    assert len(found(api, query)) == 1
    assert found(api, query) != [made["CareTeam"]]


@pytest.mark.req("CDS-60", "CDS-61", "CDS-62", "CDS-58")
@pytest.mark.parametrize(
    "query",
    [
        "patient.identifier=https://hopital.example/ipp|{number}",
        "subject:Patient.identifier=https://hopital.example/ipp|{number}",
        "patient.birthdate=1950-03-04&patient.family={family}",
        "patient.given=ada&patient.gender=female&patient.family={family}",
        "participant:RelatedPerson._id={RelatedPerson}",
        "participant:PractitionerRole._id={PractitionerRole}",
        "participant:Organization._id={Organization}",
        "participant:Organization.identifier=https://hopital.example/services|{number}",
        "participant:PractitionerRole.practitioner:Practitioner.identifier=https://hopital.example/agents|{number}",
        "participant:PractitionerRole.practitioner.identifier=https://hopital.example/agents|{number}",
        "participant:RelatedPerson.name=fictif",
        "participant:RelatedPerson.name:exact=FICTIF",
        "participant:PractitionerRole.practitioner.name=fictif",
        "participant:Organization.name=maison de sante",
        "participant:RelatedPerson.relationship=CAREGIVER",
        "participant:RelatedPerson.relationship=https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode|DAUC",
    ],
)
def test_chains(api, sent, made, query):
    family = sent.patient()["name"][0]["family"]
    asked = query.format(number=sent.number, family=family, **made)
    assert found(api, asked) == [made["CareTeam"]]


@pytest.mark.req("CDS-62")
def test_the_guides_example_with_an_address(api, sent):
    address = [{"line": ["12 rue des Essais"], "city": "Tourcoing", "postalCode": "59200"}]
    known = ids(read(api.post("", sent.bundle(relative=sent.relative(address=address)))))
    named = "participant:RelatedPerson.name:exact=FICTIF&participant:RelatedPerson.address=Tourcoing"
    query = f"_include:iterate=CareTeam:subject&{named}"
    bundle = read(api.get(f"CareTeam?{query}"))
    assert [(one["resource"]["id"], one["search"]["mode"]) for one in bundle["entry"]] == [
        (known["CareTeam"], "match"), (known["Patient"], "include"),
    ]  # fmt: skip
    assert found(api, "participant:RelatedPerson.address=Lille") == []


@pytest.mark.req("CDS-61")
def test_the_legal_entity_of_a_member_is_reached_by_two_links(api, sent):
    entity = {"reference": "urn:uuid:018f6f2a-0000-7000-8000-00000000000a"}
    bundle = sent.bundle(house=sent.house(partOf=entity))
    above = sent.house(name="Association fictive") | {
        "identifier": [{"system": "https://hopital.example/entites", "value": f"ej-{sent.number}"}]
    }
    request = {"method": "POST", "url": "Organization"}
    bundle["entry"].append({"fullUrl": entity["reference"], "resource": above, "request": request})
    answer = api.post("", bundle)
    assert answer.status_code == 200, answer.content
    assert len(found(api, "participant:Organization.partof.name=association fictive")) == 1
    assert found(api, "participant:Organization.partof.name=maison") == []


@pytest.mark.req("CDS-63")
@pytest.mark.parametrize(
    ("query", "brought"),
    [
        ("", set()),
        ("&_include=CareTeam:subject", {"Patient"}),
        ("&_include=CareTeam:participant", {"RelatedPerson", "PractitionerRole", "Organization"}),
        ("&_include=CareTeam:participant:Organization", {"Organization"}),
        ("&_include=*", {"Patient", "RelatedPerson", "PractitionerRole", "Organization"}),
        (
            "&_include=CareTeam:participant&_include:iterate=PractitionerRole:practitioner",
            {"RelatedPerson", "PractitionerRole", "Organization", "Practitioner"},
        ),
        (
            "&_include:iterate=*",
            {"Patient", "RelatedPerson", "PractitionerRole", "Organization", "Practitioner"},
        ),
    ],
)
def test_what_is_brought_beside(api, made, query, brought):
    bundle = read(api.get(f"CareTeam?_id={made['CareTeam']}{query}"))
    others = [one for one in bundle["entry"] if one["resource"]["resourceType"] != "CareTeam"]
    assert {one["resource"]["resourceType"] for one in others} == brought
    assert all(one["search"]["mode"] == "include" for one in others)
    names = [one["fullUrl"] for one in bundle["entry"]]
    assert len(names) == len(set(names))


@pytest.mark.req("CDS-64")
def test_what_refers_to_the_matches_is_brought(api, made):
    bundle = read(
        api.get(f"Patient?_id={made['Patient']}&_revinclude=RelatedPerson:patient&_revinclude=CareTeam:subject")
    )
    said = {one["resource"]["resourceType"]: one["search"]["mode"] for one in bundle["entry"]}
    assert said == {"Patient": "match", "RelatedPerson": "include", "CareTeam": "include"}


@pytest.mark.req("CDS-63", "CDS-64")
@pytest.mark.parametrize("name", ["CareTeam", "Organization", "Patient", "PractitionerRole", "RelatedPerson"])
def test_every_reference_is_followed_both_ways(api, made, name):
    every = "_include=*&_include:iterate=*&_revinclude=*&_revinclude:iterate=*"
    answer = api.get(f"{name}?_id={made[name]}&{every}")
    assert answer.status_code == 200, answer.content
    assert {one["resource"]["id"] for one in read(answer)["entry"]} >= {made["CareTeam"], made["Patient"]}


@pytest.mark.asvs("v5.0.0-15.3.1")
@pytest.mark.req("CDS-64")
def test_only_the_elements_asked_for(api, made):
    one = matches(read(api.get(f"CareTeam?_id={made['CareTeam']}&_elements=status,CareTeam.name")))[0]
    assert set(one) == {"resourceType", "id", "meta", "status", "name"}
    assert one["meta"]["tag"][-1]["code"] == "SUBSETTED"


@pytest.mark.req("CDS-65")
def test_the_same_by_post(api, sent, made):
    asked = {"patient.identifier": f"https://hopital.example/ipp|{sent.number}", "_include": "*"}
    form = "application/x-www-form-urlencoded"
    posted = read(api.ask("POST", "CareTeam/_search", urlencode(asked), media=form))
    got = read(api.get(f"CareTeam?{urlencode(asked)}"))
    assert posted["entry"] == got["entry"]


def test_an_unknown_criterion_is_ignored_and_said_or_refused(api, made):
    bundle = read(api.get("CareTeam?couleur=bleu&status=active"))
    assert len(matches(bundle)) == 1
    outcome = next(one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "outcome")
    assert "couleur" in outcome["issue"][0]["diagnostics"]
    assert "couleur" not in link(bundle, "self")
    assert "status=active" in link(bundle, "self")
    answer = api.get("CareTeam?couleur=bleu", Prefer="handling=strict")
    assert (answer.status_code, issues(answer)[0][0]) == (400, "error")


@pytest.mark.parametrize(
    "query",
    [
        "start=hier", "start=gt", "_count=dix", "_count=-1", "status:above=x", "patient.identifier:text=x",
        "end:missing=peut-etre", "_page=faux", "identifier:contains=1",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(api, made, query):
    answer = api.get(f"CareTeam?{query}")
    assert (answer.status_code, issues(answer)[0][0]) == (400, "error")


@pytest.mark.parametrize(
    "query", ["patient=12", "_id=x", "participant=Observation/1", "patient.identifier=|", "name="]
)
def test_what_nothing_can_answer_finds_nothing_and_breaks_nothing(api, made, query):
    assert api.get(f"CareTeam?{query}").status_code == 200


def test_pages_hold_each_circle_once_while_data_change(api, made):
    for _ in range(5):
        bundle = Sent().bundle(without=("relative", "house", "doctor", "role"))
        del bundle["entry"][0]["resource"]["participant"]
        assert api.post("", bundle).status_code == 200
    everything = set(found(api, ""))
    seen, page = [], "CareTeam?_count=2"
    while page:
        bundle = read(api.get(page))
        seen += [one["id"] for one in matches(bundle)]
        assert bundle["total"] == 7
        page = link(bundle, "next")
        if len(seen) == 2:
            # The first circle changes, and another one appears at the end.
            team = read(api.get(f"CareTeam/{seen[0]}")) | {"name": "Cercle de soins renommé"}
            assert api.put(f"CareTeam/{seen[0]}", team).status_code == 200
    assert len(seen) == len(set(seen))
    assert set(seen) >= everything


def test_the_link_to_the_next_page_says_nothing(api, client, sent, made):
    assert api.post("", Sent().bundle()).status_code == 200
    bundle = read(api.get("CareTeam?_count=1&patient.gender=female&patient.family:missing=false"))
    url = link(bundle, "next")
    assert url
    assert "gender" not in url
    other = Api.of(client, make.coordinator())
    assert other.get(url).status_code == 400


@pytest.mark.req("CDS-4")
def test_the_next_page_is_in_the_format_of_the_first(api, made):
    form = "application/x-www-form-urlencoded"
    asked = "_count=1&_format=xml"
    for answer in (api.get(f"CareTeam?{asked}"), api.post("CareTeam/_search", asked, media=form)):
        following = api.get(link(read(answer), "next"))
        assert following["Content-Type"].startswith(XML)
        assert len(matches(read(following))) == 1
    answer = api.get("CareTeam/_history?_count=1&_format=xml")
    assert "_count=1" in link(read(answer), "self")
    assert api.get(link(read(answer), "next"))["Content-Type"].startswith(XML)


def test_what_changed_after_a_moment_of_the_same_second_is_found(api, made):
    """A client goes on from the `lastUpdated` that it read."""
    Circle.objects.update(changed_at=dt.datetime(2026, 5, 4, 10, 0, 0, 200_000, tzinfo=dt.UTC))
    assert len(found(api, "_lastUpdated=gt2026-05-04T10:00:00.100Z")) == 2
    assert found(api, "_lastUpdated=gt2026-05-04T10:00:00.200Z") == []
    assert len(found(api, "_lastUpdated=ge2026-05-04T10:00:00.200Z")) == 2
    assert found(api, "_lastUpdated=lt2026-05-04T10:00:00.200Z") == []


@pytest.mark.parametrize("asked", ["_sort=couleur", "_sort=-_lastUpdated,couleur", "_total=beaucoup"])
def test_what_is_said_to_be_ignored_is_not_done_in_part(api, made, asked):
    bundle = read(api.get(f"CareTeam?{asked}"))
    outcome = next(one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "outcome")
    assert asked.partition("=")[0] in outcome["issue"][0]["diagnostics"]
    assert [one["id"] for one in matches(bundle)] == found(api, "")
    assert bundle["total"] == 2
    assert api.get(f"CareTeam?{asked}", Prefer="handling=strict").status_code == 400


def test_sorted_by_the_date_of_the_last_change(api, made):
    down, up = found(api, "_sort=-_lastUpdated"), found(api, "_sort=_lastUpdated")
    assert down == list(reversed(up))
    assert down[-1] == made["CareTeam"]


def test_only_counted(api, made):
    bundle = read(api.get("CareTeam?_summary=count"))
    assert (bundle["total"], "entry" in bundle) == (2, False)
    assert read(api.get("CareTeam?_count=0"))["total"] == 2


@pytest.mark.req("CDS-6", "SEC-9")
def test_one_trace_for_each_dossier_returned(api, made):
    before = Trace.objects.filter(dossier_id=made["Patient"]).count()
    read(api.get(f"CareTeam?_id={made['CareTeam']}&_include=CareTeam:participant"))
    assert Trace.objects.filter(dossier_id=made["Patient"]).count() == before + 1


def test_a_discreet_member_is_neither_shown_nor_found(api, client, coordinator, entry):
    shown = make.relative(entry)
    hidden = make.relative(entry, family_name="SECRET")
    actions.set_discreet(entry, hidden, discreet=True)
    close_transaction()
    social = make.account(SOCIAL_WORKER)
    make.add(entry, social.attachment.professional, wanted="oui")
    close_transaction()
    mine = found(api, f"patient={entry.dossier.pk}&participant:RelatedPerson.name=secret")
    assert len(mine) == 1
    other = Api.of(client, social)
    answer = other.get(f"CareTeam?patient={entry.dossier.pk}&participant:RelatedPerson.name=secret")
    assert matches(read(answer)) == []
    whole = other.get(
        f"CareTeam?patient={entry.dossier.pk}&_include=*&_revinclude=RelatedPerson:patient"
    ).content.decode()
    assert str(hidden.pk) not in whole
    assert "SECRET" not in whole
    assert other.get(f"RelatedPerson/{hidden.pk}").status_code == 404
    if other.get(f"RelatedPerson/{shown.pk}").status_code == 200:
        assert str(shown.pk) in whole


def test_sql_does_not_grow_with_members_nor_results(api, sent, made):
    def counted(query):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert api.get(query).status_code == 200
        return len(queries)

    small = counted("CareTeam?_include=*&_include:iterate=*")
    for _ in range(3):
        assert api.post("", Sent().bundle()).status_code == 200
    assert counted("CareTeam?_include=*&_include:iterate=*") == small


def test_the_format_is_asked_in_the_form_too(api, made):
    form = "application/x-www-form-urlencoded"
    assert api.post("CareTeam/_search", "_format=xml", media=form)["Content-Type"].startswith(XML)
    assert api.post("CareTeam/_search?_format=xml", "_format=json", media=form)["Content-Type"].startswith(JSON)
    assert api.post("CareTeam/_search", "_format=csv", media=form).status_code == 406
