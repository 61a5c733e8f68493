"""What comes in wrong: refused with the right status, the element named, nothing stored (issue 4, §3)."""

import json

import pytest

from circle.circles import Circle
from circle.models import Member
from coordination.dossiers.models import Dossier
from coordination.fhir import checking, formats
from coordination.fhir.models import Kept
from tests.circle import factories as make
from tests.circle.fhir_calls import circle_id, close_transaction
from tests.fhir.api import JSON, XML, Api, issues, link, read
from tests.fhir.capturing import not_judged  # noqa: F401 - a fixture
from tests.fhir.samples import sample

pytestmark = pytest.mark.django_db
XMLNS = "http://hl7.org/fhir"
BOMB = f"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Patient xmlns="{XMLNS}"><name><family value="&b;"/></name></Patient>"""
OUTSIDE = f"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<Patient xmlns="{XMLNS}"><name><family value="&a;"/></name></Patient>"""


@pytest.fixture
def stored(entry):
    """Return what counts everything that could have been written; the same after as before."""

    def count():
        return [table.objects.count() for table in (Dossier, Member, Circle, Kept)]

    # What the screen did is over: its circle has its first version.
    close_transaction()
    before = count()
    yield
    assert count() == before


@pytest.mark.req("CDS-5")
@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"", JSON), (b"   ", JSON), (b"{", JSON), (b"[]", JSON), (b'"Patient"', JSON), (b"null", JSON),
        (b'{"resourceType": "Patient",}', JSON), (b"{}", JSON), (b'{"resourceType": "Inconnu"}', JSON),
        (b'{"resourceType": "Patient", "gender": "male", "gender": "female"}', JSON),
        (b'{"resourceType": "Patient", "multipleBirthInteger": NaN}', JSON),
        (b'\xff\xfe{"resourceType": "Patient"}', JSON),
        ('{"resourceType": "Patient", "name": [{"family": "é"}]}'.encode("latin-1"), JSON),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, JSON), (b"[" * 100_000, JSON),
        (b"<Patient", XML), (b"<Patient/>", XML), (f'<Patient xmlns="{XMLNS}">'.encode(), XML),
        (f'<Patient xmlns="{XMLNS}"><couleur value="bleu"/></Patient>'.encode(), XML),
        (BOMB.encode(), XML), (OUTSIDE.encode(), XML),
        (b"<a>" * 5000 + b"</a>" * 5000, XML),
        (f'<?xml version="1.0" encoding="utf-16"?><Patient xmlns="{XMLNS}"/>'.encode(), XML),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read(api, stored, body, media):
    answer = api.ask("POST", "Patient", body, media=media)
    assert answer.status_code == 400, answer.content
    assert issues(answer)[0][0] in ("error", "fatal")
    assert b"hostname" not in answer.content


@pytest.mark.asvs("v5.0.0-15.2.2")
def test_a_body_larger_than_anything(api, stored):
    body = b'{"resourceType": "Patient", "language": "' + b"a" * (formats.MAX_BYTES + 1) + b'"}'
    answer = api.ask("POST", "Patient", body)
    assert (answer.status_code, issues(answer)[0][1]) == (413, "too-long")


def test_more_parameters_than_anybody_asks_are_refused_not_an_error_of_ours(api):
    many = "&".join(["name=a"] * 1001)
    for answer in (
        api.get(f"Patient?{many}"),
        api.ask("POST", "Patient/_search", many, media="application/x-www-form-urlencoded"),
        api.ask("POST", "Patient/_search", b"name=\xe9", media="application/x-www-form-urlencoded"),
    ):
        assert (answer.status_code, issues(answer)[0][:2]) == (400, ("error", "structure")), answer.content


@pytest.mark.parametrize("media", ["text/plain", "application/pdf", "application/fhir+json; charset=iso-8859-1", ""])
def test_a_body_in_another_format(api, stored, media):
    answer = api.ask("POST", "Patient", json.dumps(sample("Patient")), media=media or "x")
    assert (answer.status_code, issues(answer)[0][0]) == (415, "error")


@pytest.mark.usefixtures("not_judged")
@pytest.mark.asvs("v5.0.0-2.2.1")
@pytest.mark.parametrize(
    "number", ["1e20", "1e50", "1.5e50", "1e-50", "1e999", "1e1000", "1e9999", "1e999999", "0e999999"]
)
@pytest.mark.parametrize("what", ["valueDecimal", "valueCount", "valueDuration"])
def test_a_number_beyond_all_measure_is_stored_as_it_is_or_refused(api, what, number):
    value = (
        number if what == "valueDecimal" else f'{{"value":{number},"code":"1","system":"http://unitsofmeasure.org"}}'
    )
    said = f'"extension":[{{"url":"https://logiciel.example/n","{what}":{value}}}]'
    answer = api.ask("POST", "Patient", f"{json.dumps(sample('Patient'))[:-1]},{said}}}".encode())
    assert answer.status_code in (201, 400, 422), answer.content
    if answer.status_code == 201:
        # And what is read is sent again.
        shown = api.get(f"Patient/{read(answer)['id']}", Accept=XML)
        assert shown.status_code == 200
        again = api.ask("PUT", f"Patient/{read(answer)['id']}", shown.content, media=XML)
        assert again.status_code == 200, again.content
    else:
        assert issues(answer)[0][0] == "error"


@pytest.mark.asvs("v5.0.0-2.2.1")
@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"birthDate": "1950-02-31"}, "Patient.birthDate"),
        ({"birthDate": "0000-01-01"}, "Patient.birthDate"),
        ({"birthDate": 1950}, "Patient.birthDate"),
        ({"gender": "femme"}, "Patient.gender"),
        ({"name": {"family": "FICTIF"}}, "Patient.name"),
        ({"name": [{"family": ["FICTIF"]}]}, "Patient.name[0].family"),
        ({"couleur": "bleu"}, "Patient"),
        ({"telecom": [{"system": "pigeon", "value": "x"}]}, "Patient.telecom[0].system"),
        ({"managingOrganization": {"reference": "pas une référence"}}, "Patient.managingOrganization"),
        ({"active": "oui"}, "Patient.active"),
    ],
)
def test_what_is_not_fhir_names_the_element(api, stored, change, expression):
    answer = api.post("Patient", sample("Patient") | change)
    assert 400 <= answer.status_code < 500
    assert any(one[2].startswith(expression) for one in issues(answer)), answer.content


@pytest.mark.req("CDS-18", "CDS-19", "CDS-20", "CDS-21", "CDS-22", "CDS-23", "CDS-24")
@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"identifier": None}, "CareTeam.identifier"),
        ({"identifier": [{"value": "1"}, {"value": "2"}]}, "CareTeam.identifier"),
        ({"identifier": [{"system": "urn:x"}]}, "CareTeam.identifier[0].value"),
        ({"status": None}, "CareTeam.status"),
        ({"status": "ouvert"}, "CareTeam.status"),
        ({"name": None}, "CareTeam.name"),
        ({"subject": None}, "CareTeam.subject"),
        ({"subject": {"reference": "Group/1"}}, "CareTeam.subject"),
        ({"period": None}, "CareTeam.period"),
        ({"period": {"end": "2026-01-01"}}, "CareTeam.period.start"),
        ({"participant": [{"period": {"start": "2026-01-01"}}]}, "CareTeam.participant[0].member"),
        ({"participant": [{"member": {"reference": "Patient/1"}}]}, "CareTeam.participant[0].member"),
        ({"participant": [{"member": {"reference": "Practitioner/1"}}]}, "CareTeam.participant[0].member"),
        (
            {"participant": [{"member": {"reference": "Organization/1"}, "period": {"end": "2026-01-01"}}]},
            "CareTeam.participant[0].period.start",
        ),
    ],
)
def test_what_the_guide_refuses_of_a_circle(api, stored, entry, change, expression):
    team = sample("CareTeam", **({"subject": {"reference": f"Patient/{entry.dossier.pk}"}} | change))
    answer = api.post("CareTeam", team)
    assert 400 <= answer.status_code < 500
    assert any(one[2].startswith(expression) for one in issues(answer)), answer.content


@pytest.mark.req("CDS-27")
@pytest.mark.parametrize(
    "change",
    [
        {"identifier": None}, {"identifier": [{"value": "1"}, {"value": "2"}]}, {"patient": None},
        {"relationship": None}, {"name": None}, {"name": [{"given": ["Zoé"]}]},
        {"name": [{"family": "A"}, {"family": "B"}]}, {"name": [{"family": "A", "given": ["B", "C"]}]},
        {"telecom": None}, {"telecom": [{"value": "0123456789"}]},
    ],
)  # fmt: skip
def test_what_the_guide_refuses_of_a_contact(api, stored, entry, change):
    person = sample("RelatedPerson", **({"patient": {"reference": f"Patient/{entry.dossier.pk}"}} | change))
    answer = api.post("RelatedPerson", person)
    assert 400 <= answer.status_code < 500
    assert issues(answer)[0][2].startswith("RelatedPerson"), answer.content


@pytest.mark.req("CDS-16")
def test_an_address_and_a_body_that_name_two_resources(api, stored, entry):
    id = circle_id(entry)
    team = read(api.get(f"CareTeam/{id}"))
    for wrong in ({"id": str(entry.dossier.pk)}, {"id": "x"}):
        answer = api.put(f"CareTeam/{id}", team | wrong)
        assert (answer.status_code, issues(answer)[0][2]) == (400, "CareTeam.id")
    nameless = {name: value for name, value in team.items() if name != "id"}
    assert api.put(f"CareTeam/{id}", nameless).status_code == 400
    assert api.put(f"CareTeam/{id}", sample("Patient") | {"id": str(id)}).status_code == 400


def test_nothing_is_created_by_an_update(api, stored):
    team = sample("CareTeam") | {"id": "018f6f2a-0000-7000-8000-000000000001"}
    assert api.put(f"CareTeam/{team['id']}", team).status_code == 404
    assert api.put("CareTeam/x", team | {"id": "x"}).status_code == 404


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
@pytest.mark.parametrize("kind", ["CareTeam", "Patient", "Organization", "Practitioner"])
def test_nothing_is_deleted(api, stored, entry, method, kind):
    # The other types may be deleted (GAP-9): of this id, there is none.
    expected = 405 if method == "PATCH" or kind == "CareTeam" else 404
    assert api.ask(method, f"{kind}/{circle_id(entry)}").status_code == expected


@pytest.mark.parametrize("header", ["3", "W/3", "*x", 'W/"1', "abc"])
def test_a_version_that_is_none(api, stored, entry, header):
    id = circle_id(entry)
    assert api.put(f"CareTeam/{id}", read(api.get(f"CareTeam/{id}")), If_Match=header).status_code == 400


@pytest.mark.asvs("v5.0.0-16.5.1")
def test_an_error_of_ours_says_nothing_of_itself(api, stored, entry, monkeypatch, settings):
    def broken(*_, **__):
        raise RuntimeError("NOM DE LA PERSONNE")

    monkeypatch.setattr("coordination.fhir.interactions.read", broken)
    answer = api.get(f"CareTeam/{circle_id(entry)}")
    assert (answer.status_code, issues(answer)[0][:2]) == (500, ("fatal", "exception"))
    assert b"PERSONNE" not in answer.content


@pytest.mark.parametrize("value", ["a%00b", "%7C%00", "ap0001", "ap9999-12-30", "0001-01-01", "x" * 3000])
@pytest.mark.parametrize("name", ["name", "birthdate", "identifier"])
def test_a_search_for_what_cannot_be_is_refused_or_finds_nothing(api, stored, name, value):
    assert api.get(f"Patient?{name}={value}").status_code in (200, 400)
    form = "application/x-www-form-urlencoded"
    assert api.ask("POST", "Patient/_search", f"{name}={value}", media=form).status_code in (200, 400)


def test_a_condition_for_what_cannot_be_is_refused(api, stored):
    answer = api.post("Patient", sample("Patient"), If_None_Exist="identifier=a%00b")
    assert (answer.status_code, issues(answer)[0][1]) == (400, "structure")


def test_a_page_of_one_list_begins_nowhere_in_another(api, coordinator):
    make.open_circle(coordinator), make.open_circle(coordinator)
    close_transaction()
    page = link(read(api.get("CareTeam?_count=1")), "next").partition("?")[2]
    older = link(read(api.get("CareTeam/_history?_count=1")), "next").partition("?")[2]
    one = Circle.objects.first().pk
    for path in (
        f"Patient?{page}", f"Practitioner?{page}", f"CareTeam/_history?{page}",
        f"CareTeam?{older}", f"CareTeam/{one}/_history?{older}",
    ):  # fmt: skip
        assert api.get(path).status_code == 400, path
    assert api.get(f"CareTeam?{page}").status_code == api.get(f"CareTeam/_history?{older}").status_code == 200


def test_a_reference_to_another_server_names_nobody_here(api, entry):
    id = circle_id(entry)
    team, person = read(api.get(f"CareTeam/{id}")), f"Patient/{entry.dossier.pk}"
    relative = sample("RelatedPerson", patient={"reference": f"https://autre.example/fhir/{person}"})
    answer = api.post("RelatedPerson", relative)
    assert (answer.status_code, issues(answer)[0][2]) == (422, "RelatedPerson.patient")
    answer = api.put(f"CareTeam/{id}", team | {"subject": {"reference": f"https://autre.example/fhir/{person}"}})
    assert answer.status_code == 422
    # The same, by the whole address of this server.
    relative["patient"]["reference"] = f"http://testserver/fhir/{person}"
    assert api.post("RelatedPerson", relative).status_code == 201
    subject = {"reference": f"http://testserver/fhir/{person}", "type": "Patient"}
    assert api.put(f"CareTeam/{id}", team | {"subject": subject}).status_code == 200


@pytest.mark.parametrize("start", ["0001-01-01", "9999-12-31", "1850-01-01"])
def test_a_circle_does_not_begin_on_an_absurd_day(api, stored, entry, start):
    id = circle_id(entry)
    answer = api.put(f"CareTeam/{id}", read(api.get(f"CareTeam/{id}")) | {"period": {"start": start}})
    assert (answer.status_code, issues(answer)[0][2]) == (422, "CareTeam.period.start")


def test_more_than_is_kept_of_one_resource(api, stored, entry):
    id = circle_id(entry)
    team = read(api.get(f"CareTeam/{id}")) | {"note": [{"text": "a" * checking.LARGEST}]}
    assert api.put(f"CareTeam/{id}", team).status_code == 413


@pytest.mark.asvs("v5.0.0-2.4.1")
@pytest.mark.req("SEC-25")
def test_names_are_not_tried_one_after_the_other(api, settings):
    settings.FHIR_LOOKALIKES_PER_MINUTE = 2
    person = sample("Patient")
    assert api.post("Patient", person).status_code == 201
    assert [api.post("Patient", person).status_code for _ in range(3)] == [409, 409, 429]


OTHER = {"identifier": [{"system": "https://hopital.example/services", "value": "inconnu"}]}


def test_who_may_name_nobody_makes_nobody_known(client, matrix):
    nobody = Api.of(client, make.account("", vouched=False))
    assert nobody.post("Organization", sample("Organization") | OTHER).status_code == 403
    assert nobody.post("Practitioner", sample("Practitioner")).status_code == 403
