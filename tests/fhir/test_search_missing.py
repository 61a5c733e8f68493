"""`:missing` and tokens without system: said of what is known, refused where nobody can say (FHIR R4 search)."""

import pytest

from tests.agenda.factories import at
from tests.agenda.fhir_made import created, sent
from tests.circle import factories as make
from tests.circle.test_fhir_related_person import person
from tests.fhir.api import issues, matches, read
from tests.fhir.capturing import not_judged  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"


def found(api, query):
    answer = api.get(query)
    assert answer.status_code == 200, answer.content
    return {one["id"] for one in matches(read(answer))}


def test_who_has_no_address_is_found_by_it(api, entry):
    there = str(make.relative(entry, address="3 rue des Tests", postal_code="81400", town="Carmaux").pk)
    nowhere = str(make.relative(entry, family_name="AUTRE", mobile="+33639982056").pk)
    assert found(api, "RelatedPerson?address:missing=true") == {nowhere}
    assert found(api, "RelatedPerson?address:missing=false") == {there}
    assert found(api, "RelatedPerson?name:missing=true") == set()
    assert found(api, "RelatedPerson?name:missing=false") == {there, nowhere}


@pytest.mark.usefixtures("not_judged")
def test_what_was_not_sent_of_an_appointment_is_missing(api, entry):
    specialty, kind = [{"coding": [{"system": R38, "code": "SM54"}]}], [{"coding": [{"code": "1"}]}]
    whole = created(api, sent(entry, specialty=specialty, serviceType=kind, priority=3))["id"]
    bare = created(api, sent(entry, starts=at(14)))["id"]
    for name in ("specialty", "service-type", "priority"):
        assert found(api, f"Appointment?{name}:missing=true") == {bare}, name
        assert found(api, f"Appointment?{name}:missing=false") == {whole}, name
    for name in ("identifier", "status", "patient", "actor"):
        assert found(api, f"Appointment?{name}:missing=true") == set(), name
        assert found(api, f"Appointment?{name}:missing=false") == {whole, bare}, name


@pytest.mark.parametrize("query", ["Practitioner?identifier", "PractitionerRole?specialty", "Organization?partof"])
def test_where_nobody_can_say_it_is_refused(api, query):
    """It answered that none was without, which nobody had looked at."""
    for value in ("true", "false"):
        answer = api.get(f"{query}:missing={value}")
        assert answer.status_code == 400
        assert "missing" in read(answer)["issue"][0]["diagnostics"]
        assert issues(answer)[0][0] == "error"


def test_a_token_without_system_finds_what_was_sent_without(api, entry):
    ids = {}
    for name, identifier in (("bare", {"value": "A-12"}), ("named", {"system": "https://a.example", "value": "A-12"})):
        number = "06 39 98 21 43" if name == "bare" else "06 39 98 21 44"
        said = person(entry, identifier=[identifier], telecom=[{"system": "phone", "value": number}])
        said["name"][0]["family"] = name.upper()
        answer = api.post("RelatedPerson", said)
        assert answer.status_code == 201, answer.content
        ids[name] = read(answer)["id"]
    assert found(api, "RelatedPerson?identifier=A-12") == set(ids.values())
    assert found(api, "RelatedPerson?identifier=|A-12") == {ids["bare"]}
    assert found(api, "RelatedPerson?identifier=https://a.example|A-12") == {ids["named"]}
    assert found(api, "RelatedPerson?identifier=|") == set()


@pytest.mark.usefixtures("not_judged")
def test_a_concept_without_system_too(api, entry):
    bare = created(api, sent(entry, serviceType=[{"coding": [{"code": "1"}]}]))["id"]
    kinds = [{"coding": [{"system": "https://a.example", "code": "1"}]}]
    named = created(api, sent(entry, starts=at(14), serviceType=kinds))["id"]
    assert found(api, "Appointment?service-type=1") == {bare, named}
    assert found(api, "Appointment?service-type=|1") == {bare}
    assert found(api, "Appointment?service-type=https://a.example|1") == {named}
