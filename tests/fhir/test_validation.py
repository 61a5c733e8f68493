"""Base R4: what is not a resource is refused where it is wrong, what is one passes, and nothing makes it raise."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.fhir import formats, primitives, secondary, validation
from tests.fhir import packages
from tests.fhir.samples import entry, sample, transaction

HL7 = Path(__file__).parent / "hl7"
OURS = (
    "Appointment", "CareTeam", "RelatedPerson", "Organization", "Patient", "Practitioner", "PractitionerRole",
    "Schedule", "Slot", "Location", "HealthcareService", "Device",
)  # fmt: skip


def said(resource):
    """{(code, expression)} of what is refused."""
    issues = validation.check(resource)
    assert all(issue.severity == "error" and issue.diagnostics for issue in issues)
    return {(issue.code, issue.expression) for issue in issues}


@pytest.mark.parametrize("name", OURS)
def test_invented_samples_are_resources(name):
    assert said(sample(name)) == set()


# What HAPI's validator calls a local system, and nobody else could know.
LOCAL = ("x", "a/b", "/a", "#a", "foo:bar", "mailto:x", "ftp://a", "HTTP://a.example/c", "../a", "::", "a:")
# HAPI's validator says the same of it (tests/conformance/test_judge.py).
WRONG_OF_HL7 = {
    "capabilitystatement-example": {
        ("value", "CapabilityStatement.url"),
        ("value", "CapabilityStatement.messaging[0].supportedMessage[0].definition"),
    }
}


@pytest.mark.parametrize("path", sorted(HL7.glob("*-*.*")), ids=lambda path: path.name)
def test_examples_of_hl7_are_resources_and_come_back_equal(path):
    """HL7's R4 examples, in the format they were published in, and both ways through the other one."""
    resource = formats.read(path.read_bytes(), path.suffix[1:])
    assert said(resource) == WRONG_OF_HL7.get(path.stem, set())
    assert formats.read(formats.write_xml(resource), "xml") == resource
    assert formats.read(formats.write_json(resource), "json") == resource
    twin = path.with_suffix(".xml" if path.suffix == ".json" else ".json")
    if twin.exists():
        assert formats.read(twin.read_bytes(), twin.suffix[1:]) == resource


def test_examples_of_the_packages_are_resources():
    """HL7 France's and the ANS's examples of our types, and every definition: what is refused is known by name."""
    refused = {name: said(formats.read(body, "json")) for name, body in packages.everything()}
    refused = {name.partition("/")[2]: issues for name, issues in refused.items() if issues}
    ours = {name for name in refused if name.rpartition("/")[2].partition("-")[0] in packages.TYPES}
    assert ours == set()
    # Faults of the packages themselves: a binding without strength, a reference that is no reference, contained
    # resources with a version.
    assert set(refused) <= {
        "StructureDefinition-fr-core-schedule-availability-time.json",
        "StructureDefinition-fr-core-service-type-duration.json",
        "examples/DocumentReference-exemple-pdsm-documentreference.json",
        "examples/List-ExampleSubmissionSet.json",
        *(f"examples/Observation-FRCoreObservation{name}Example.json" for name in OBSERVATIONS),
    }


OBSERVATIONS = ("BP", "BodyHeight", "BodyTemperature", "BodyWeight", "HeadCircum", "HeartRate")


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        # Elements
        ({"nom": "x"}, "structure", "Patient"),
        ({"_name": {"id": "x"}, "name": None}, "structure", "Patient"),
        ({"name": [{"family": "A", "resourceType": "HumanName"}]}, "structure", "Patient.name[0]"),
        ({"name": [{"Family": "A"}]}, "structure", "Patient.name[0]"),
        ({"name": {"family": "A"}}, "structure", "Patient.name"),
        ({"name": []}, "structure", "Patient.name"),
        ({"name": [[{"family": "A"}]]}, "structure", "Patient.name[0]"),
        ({"name": ["A"]}, "structure", "Patient.name[0]"),
        ({"name": [{}]}, "invariant", "Patient.name[0]"),
        ({"name": [{"id": "a"}]}, "invariant", "Patient.name[0]"),
        ({"name": [None]}, "structure", "Patient.name[0]"),
        ({"name": [{"given": [None]}]}, "structure", "Patient.name[0].given[0]"),
        ({"name": [{"given": ["A", None], "_given": [None, None]}]}, "structure", "Patient.name[0].given[1]"),
        ({"gender": ["female"]}, "structure", "Patient.gender"),
        ({"_gender": {"id": "x"}, "gender": None}, "invariant", "Patient.gender"),
        ({"_gender": {"value": "x"}}, "structure", "Patient.gender"),
        ({"contained": [{"id": "x"}]}, "structure", "Patient.contained[0]"),
        ({"contained": {"resourceType": "Basic"}}, "structure", "Patient.contained"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2026"}, "structure", "Patient.deceasedDateTime"),
        ({"deceasedString": "oui"}, "structure", "Patient"),
        ({"link": [{"type": "refer"}]}, "required", "Patient.link[0].other"),
        ({"communication": [{"preferred": True}]}, "required", "Patient.communication[0].language"),
        ({"name": [{"given": ["A"], "_given": [None, None]}]}, "structure", "Patient.name[0].given[1]"),
        ({"text": {"status": "empty", "div": 12}}, "invalid", "Patient.text.div"),
        # R4B, not R4
        (
            {"extension": [{"url": "urn:u", "valueCodeableReference": {"reference": {"reference": "Basic/1"}}}]},
            "structure",
            "Patient.extension[0]",
        ),
        # Values
        ({"active": "true"}, "value", "Patient.active"),
        ({"active": 1}, "value", "Patient.active"),
        ({"multipleBirthInteger": "1"}, "value", "Patient.multipleBirth"),
        ({"multipleBirthInteger": True}, "value", "Patient.multipleBirth"),
        ({"multipleBirthInteger": 2**31}, "value", "Patient.multipleBirth"),
        ({"multipleBirthInteger": Decimal("1.0")}, "value", "Patient.multipleBirth"),
        ({"name": [{"family": ""}]}, "value", "Patient.name[0].family"),
        ({"name": [{"family": " "}]}, "value", "Patient.name[0].family"),
        ({"name": [{"family": 12}]}, "value", "Patient.name[0].family"),
        ({"name": [{"given": ["A", 1]}]}, "value", "Patient.name[0].given[1]"),
        ({"id": "a/b"}, "value", "Patient.id"),
        ({"id": "é"}, "value", "Patient.id"),
        ({"id": "x" * 65}, "value", "Patient.id"),
        ({"language": " fr"}, "value", "Patient.language"),
        ({"implicitRules": "a b"}, "value", "Patient.implicitRules"),
        ({"photo": [{"contentType": "image/png", "data": "*"}]}, "value", "Patient.photo[0].data"),
        ({"language": "français"}, "value", "Patient.language"),
        ({"language": "1;q="}, "value", "Patient.language"),
        ({"photo": [{"contentType": "image/\npng", "data": "YQ=="}]}, "value", "Patient.photo[0].contentType"),
        # Addresses that mean something to one server only, or to nobody
        *[
            ({"identifier": [{"system": said, "value": "1"}]}, "value", "Patient.identifier[0].system")
            for said in LOCAL
        ],
        *[
            ({"maritalStatus": {"coding": [{"system": said, "code": "M"}]}}, "value",
             "Patient.maritalStatus.coding[0].system")
            for said in LOCAL
        ],
        ({"meta": {"tag": [{"system": "étiquettes", "code": "1"}]}}, "value", "Patient.meta.tag[0].system"),
        ({"meta": {"profile": ["http:"]}}, "value", "Patient.meta.profile[0]"),
        ({"extension": [{"url": "HTTP://a.example/x", "valueBoolean": True}]}, "value", "Patient.extension[0].url"),
        ({"identifier": [{"system": "urn:ietf:rfc:3986", "value": "1"}]}, "value", "Patient.identifier[0].value"),
        ({"identifier": [{"system": "urn:oid:1.2", "value": "1"}]}, "value", "Patient.identifier[0].system"),
        ({"identifier": [{"system": "urn:oid:9.9.9.9", "value": "1"}]}, "value", "Patient.identifier[0].system"),
        ({"implicitRules": "urn:uuid:zz"}, "value", "Patient.implicitRules"),
        # Codes
        ({"gender": "femme"}, "code-invalid", "Patient.gender"),
        ({"gender": "Female"}, "code-invalid", "Patient.gender"),
        ({"name": [{"use": "birth", "family": "A"}]}, "code-invalid", "Patient.name[0].use"),
        ({"telecom": [{"system": "tel", "value": "1"}]}, "code-invalid", "Patient.telecom[0].system"),
        ({"telecom": [{"system": "phone", "value": "1", "use": "x"}]}, "code-invalid", "Patient.telecom[0].use"),
        ({"address": [{"use": "maison", "text": "x"}]}, "code-invalid", "Patient.address[0].use"),
        ({"address": [{"type": "postale", "text": "x"}]}, "code-invalid", "Patient.address[0].type"),
        ({"identifier": [{"use": "x", "value": "1"}]}, "code-invalid", "Patient.identifier[0].use"),
        ({"link": [{"other": {"reference": "Patient/2"}, "type": "x"}]}, "code-invalid", "Patient.link[0].type"),
        ({"text": {"status": "x", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}}, "code-invalid",
         "Patient.text.status"),
        ({"contact": [{"gender": "f", "name": {"text": "x"}}]}, "code-invalid", "Patient.contact[0].gender"),
        # References
        ({"managingOrganization": {"reference": "Patient/1"}}, "value", "Patient.managingOrganization.reference"),
        ({"managingOrganization": {"reference": "1"}}, "value", "Patient.managingOrganization.reference"),
        ({"managingOrganization": {"reference": "Organisation/1"}}, "value", "Patient.managingOrganization.reference"),
        ({"managingOrganization": {"reference": "Organization/é"}}, "value", "Patient.managingOrganization.reference"),
        ({"managingOrganization": {"type": "Patient", "identifier": {"value": "1"}}}, "value",
         "Patient.managingOrganization.reference"),
        ({"managingOrganization": {"reference": "Organization/1", "type": "Patient"}}, "value",
         "Patient.managingOrganization.type"),
        ({"managingOrganization": {"type": "Hospital", "display": "x"}}, "value", "Patient.managingOrganization.type"),
        ({"generalPractitioner": [{"reference": "https://example.org/fhir/Patient/1/_history/2"}]}, "value",
         "Patient.generalPractitioner[0].reference"),
        # Invariants
        ({"contact": [{"gender": "female"}]}, "invariant", "Patient.contact[0]"),
        ({"telecom": [{"value": "0123456789"}]}, "invariant", "Patient.telecom[0]"),
        ({"extension": [{"url": "urn:u"}]}, "invariant", "Patient.extension[0]"),
        ({"extension": [{"url": "urn:u", "valueCode": "a", "extension": [{"url": "v", "valueCode": "b"}]}]},
         "invariant", "Patient.extension[0]"),
        ({"extension": [{"valueCode": "a"}]}, "required", "Patient.extension[0].url"),
        ({"extension": [{"url": "u", "valueCode": "a"}]}, "value", "Patient.extension[0].url"),
        ({"name": [{"text": "A", "extension": [{"url": "u", "valueCode": "a"}]}]}, "value",
         "Patient.name[0].extension[0].url"),
        ({"managingOrganization": {"reference": "#o"}}, "invariant", "Patient.managingOrganization.reference"),
        ({"contained": [{"resourceType": "Basic", "id": "o", "code": {"text": "x"}}]}, "invariant",
         "Patient.contained[0]"),
        ({"photo": [{"data": "AAAA"}]}, "invariant", "Patient.photo[0]"),
        ({"extension": [{"url": "urn:u", "valueQuantity": {"value": 1, "code": "kg"}}]}, "invariant",
         "Patient.extension[0].value"),
        ({"extension": [{"url": "urn:u", "valueRange": {"low": {"value": Decimal("1.5")}, "high": {"value": 1}}}]},
         "invariant", "Patient.extension[0].value"),
        ({"extension": [{"url": "urn:u", "valueRatio": {"numerator": {"value": 1}}}]}, "invariant",
         "Patient.extension[0].value"),
        ({"address": [{"text": "x", "period": {"start": "2026-02", "end": "2026-01-31"}}]}, "invariant",
         "Patient.address[0].period"),
    ],
)  # fmt: skip
def test_one_wrong_element_is_named(changed, code, where):
    assert said(sample("Patient", **changed)) == {(code, where)}


@pytest.mark.parametrize(
    "changed",
    [
        {"_gender": {"extension": [{"url": "urn:u", "valueCode": "unknown"}]}, "gender": None},
        {"gender": "female", "_gender": {"id": "g"}},
        {"name": [{"given": ["A", None], "_given": [None, {"extension": [{"url": "urn:u", "valueCode": "x"}]}]}]},
        {"name": [{"given": ["A", "B"], "_given": [{"id": "a"}]}]},
        {"managingOrganization": {"reference": "https://example.org/any/thing"}},
        {"managingOrganization": {"reference": "urn:uuid:0188d2a4-0000-7000-8000-000000000001"}},
        {"managingOrganization": {"reference": "Organization?identifier=a|b"}},
        {"managingOrganization": {"reference": "Organization/1/_history/2"}},
        {"managingOrganization": {"display": "Quelqu’un"}},
        {
            "managingOrganization": {"reference": "#o"},
            "contained": [
                {"resourceType": "Organization", "id": "o", "name": "x", "partOf": {"reference": "#p"}},
                {"resourceType": "Organization", "id": "p", "name": "y"},
            ],
        },
        {"extension": [{"url": "urn:u", "valueMeta": {"tag": [{"code": "x"}]}}]},
        {"extension": [{"url": "urn:u", "extension": [{"url": "v", "valueDecimal": Decimal("1.50")}]}]},
    ],
)
def test_what_r4_allows_passes(changed):
    assert said(sample("Patient", **changed)) == set()


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("date", "2024-02-29"), ("date", "2024"), ("date", "1900-12"), ("date", "9999-12-31"), ("date", "0001"),
        ("dateTime", "2024-02-29T23:59:60Z"), ("dateTime", "2024-02-29T00:00:00.123+14:00"), ("dateTime", "2024-02"),
        ("instant", "2024-02-29T00:00:00-13:59"), ("time", "23:59:59.9"), ("id", "A-1.b"), ("oid", "urn:oid:1.2.0"),
        ("uuid", "urn:uuid:0188d2a4-0000-7000-8000-000000000001"), ("base64Binary", "AA\nA="), ("decimal", 1),
        ("decimal", Decimal("1E+400")), ("positiveInt", 1), ("unsignedInt", 0), ("code", "a b"), ("markdown", " x\n"),
    ],
)  # fmt: skip
def test_values_that_exist(type_name, value):
    assert primitives.complaint(type_name, value) == ""


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("date", "0000-01-01"), ("date", "2023-02-29"), ("date", "2026-02-31"), ("date", "10000-01-01"),
        ("date", "24-01-01"),
        ("date", "2026-13-01"), ("date", "2026-1-1"), ("date", "2026-01-01T00:00:00Z"), ("date", "01/02/2026"),
        ("date", "٢٠٢٦-01-01"), ("date", 2026), ("date", "2026-01-01\n"),
        ("dateTime", "2026-01-01T10:00Z"), ("dateTime", "2026-01-01T10:00:00"), ("dateTime", "2026-01T10:00:00Z"),
        ("dateTime", "2026-02-30T10:00:00Z"), ("dateTime", "2026-01-01T24:00:00Z"),
        ("dateTime", "2026-01-01T10:00:00+15:00"),
        ("dateTime", "2026-01-01 10:00:00Z"), ("instant", "2026-01-01"), ("instant", "0000-01-01T00:00:00Z"),
        ("time", "24:00:00"), ("time", "10:00"), ("id", ""), ("oid", "1.2.3"), ("oid", "urn:oid:3.1"),
        ("uuid", "urn:uuid:x"), ("base64Binary", "AAA"), ("decimal", "1"), ("decimal", True),
        ("decimal", float("nan")), ("decimal", Decimal("NaN")),
        ("positiveInt", 0), ("unsignedInt", -1), ("integer", 1.0), ("code", "a "), ("code", "a  b"), ("boolean", 0),
        ("string", "x" * (1024 * 1024 + 1)), ("string", None), ("string", {}),
    ],
)  # fmt: skip
def test_values_that_do_not_exist(type_name, value):
    assert primitives.complaint(type_name, value)


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [
        ("2026-05-03", "2026-05-02", True),
        ("2026-05-03", "2026-05-03", False),
        ("2026-05-03", "2026-05", False),
        ("2026-06", "2026-05-31", True),
        ("2027", "2026", True),
        ("2026-05-03T10:00:00+02:00", "2026-05-03T08:00:00Z", False),
        ("2026-05-03T10:00:01+02:00", "2026-05-03T08:00:00Z", True),
        ("2026-05-03T23:00:00-10:00", "2026-05-03", False),
        ("2026-05-05T00:00:00Z", "2026-05-03", True),
        ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", True),
        ("2026", None, False),
    ],
)
def test_a_period_that_ends_before_it_begins(start, end, wrong):
    assert primitives.disorder(start, end) is wrong


@pytest.mark.parametrize(
    ("inside", "accepted"),
    [
        ("<p>Bonjour <b>vous</b></p>", True),
        ('<a href="https://example.org">x</a>', True),
        ('<img src="#photo" alt="x"/>', True),
        ("", False),
        ("<p> </p>", False),
        ("<script>x</script>", False),
        ('<p onclick="x">a</p>', False),
        ('<a href=" JavaScript:x">a</a>', False),
        ('<a href="https://example.org/a b">a</a>', False),
        ("<form>x</form>", False),
        ("<p>a", False),
        ("&nbsp;", False),
        ('<p xmlns="urn:x">a</p>', False),
    ],
)
def test_the_narrative_is_of_the_few_elements_that_fhir_allows(inside, accepted):
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'}
    assert (said(sample("Patient", text=text)) == set()) is accepted
    text["div"] = inside or "x"
    assert said(sample("Patient", text=text)) == {("invalid", "Patient.text.div")}


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        (sample("Organization", identifier=None, name=None), "Organization"),
        (sample("Organization", address=[{"use": "home", "text": "x"}]), "Organization.address[0].use"),
        (sample("Organization", telecom=[{"use": "home", "system": "fax", "value": "1"}]),
         "Organization.telecom[0].use"),
        (
            sample(
                "CareTeam",
                participant=[
                    {"member": {"reference": "RelatedPerson/1"}, "onBehalfOf": {"reference": "Organization/1"}}
                ],
            ),
            "CareTeam.participant[0].onBehalfOf",
        ),
        ({"resourceType": "Parameters", "parameter": [{"name": "a"}]}, "Parameters.parameter[0]"),
        ({"resourceType": "Bundle", "type": "collection", "total": 1}, "Bundle.total"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"search": {"mode": "match"}, "resource": {
            "resourceType": "Basic", "code": {"text": "x"}}}]}, "Bundle.entry[0].search"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": sample("Patient")}]},
         "Bundle.entry[0].request"),
        ({"resourceType": "Bundle", "type": "transaction-response", "entry": [{"resource": sample("Patient")}]},
         "Bundle.entry[0].response"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:x"}]}, "Bundle.entry[0]"),
        ({"resourceType": "Bundle", "type": "collection",
          "entry": [{"fullUrl": "u", "resource": sample("Patient")}] * 2},
         "Bundle.entry[1].fullUrl"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "https://example.org/Patient/1/_history/1", "resource": sample("Patient")}]},
         "Bundle.entry[0].fullUrl"),
        ({"resourceType": "Bundle", "type": "message"}, "Bundle.entry[0]"),
        (sample("Patient", managingOrganization={"reference": "#o"}, contained=[
            {"resourceType": "Organization", "id": "o", "name": "x", "meta": {"versionId": "1"}}]),
         "Patient.contained[0].meta"),
        (sample("Patient", managingOrganization={"reference": "#o"}, contained=[
            {"resourceType": "Organization", "id": "o", "name": "x", "meta": {"security": [{"code": "R"}]}}]),
         "Patient.contained[0].meta"),
        (sample("Patient", managingOrganization={"reference": "#o"}, contained=[
            {"resourceType": "Organization", "id": "o", "name": "x", "contained": [
                {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}]}]), "Patient.contained[0]"),
    ],
)  # fmt: skip
def test_invariants_of_r4(resource, where):
    assert ("invariant", where) in said(resource) and len(said(resource)) == 1


def test_invariants_of_a_document():
    assert said({"resourceType": "Bundle", "type": "document"}) == {
        ("invariant", "Bundle.identifier"), ("invariant", "Bundle.timestamp"), ("invariant", "Bundle.entry[0]"),
    }  # fmt: skip
    whole = {
        "resourceType": "Bundle", "type": "document", "timestamp": "2026-01-01T00:00:00Z",
        "identifier": {"system": "urn:x", "value": "1"},
        "entry": [{"resource": {"resourceType": "Composition", "status": "final", "type": {"text": "x"},
                                "date": "2026", "author": [{"display": "x"}], "title": "x"}}],
    }  # fmt: skip
    assert said(whole) == set()


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("value", "key", "where"),
    [
        ({"valueAge": {"value": 1}}, "age-1", ""),
        ({"valueAge": {"value": -1, "code": "a", "system": UCUM}}, "age-1", ".value"),
        ({"valueAge": {"value": 1, "code": "a", "system": "https://exemple.test/u"}}, "age-1", ".system"),
        ({"valueCount": {"value": Decimal("1.5"), "code": "1", "system": UCUM}}, "cnt-3", ".value"),
        ({"valueDistance": {"value": 1}}, "dis-1", ""),
        ({"valueDuration": {"value": 1}}, "drt-1", ""),
        ({"valueRange": {"low": {"value": 1, "comparator": "<"}}}, "sqty-1", ".low.comparator"),
        ({"valueTiming": {"repeat": {"duration": 1}}}, "tim-1", ".repeat.duration"),
        ({"valueTiming": {"repeat": {"period": 1}}}, "tim-2", ".repeat.period"),
        ({"valueTiming": {"repeat": {"duration": -1, "durationUnit": "d"}}}, "tim-4", ".repeat.duration"),
        ({"valueTiming": {"repeat": {"period": -1, "periodUnit": "d"}}}, "tim-5", ".repeat.period"),
        ({"valueTiming": {"repeat": {"countMax": 1}}}, "tim-8", ".repeat.countMax"),
        ({"valueTiming": {"repeat": {"offset": 1}}}, "tim-9", ".repeat.offset"),
        ({"valueTiming": {"repeat": {"when": ["C"], "offset": 1}}}, "tim-9", ".repeat.offset"),
        ({"valueTiming": {"repeat": {"timeOfDay": ["08:00:00"], "when": ["HS"]}}}, "tim-10", ".repeat.when"),
        ({"valueExpression": {"language": "text/fhirpath"}}, "exp-1", ""),
        ({"valueTriggerDefinition": {"type": "periodic"}}, "trd-3", ""),
        ({"valueDataRequirement": {"type": "Patient", "codeFilter": [{"path": "a", "searchParam": "b"}]}}, "drq-1",
         ".codeFilter[0]"),
    ],
)  # fmt: skip
def test_invariants_of_what_an_extension_holds(value, key, where):
    found = validation.check(sample("Patient", extension=[{"url": "urn:x:y", **value}]))
    assert [(issue.code, issue.expression) for issue in found] == [("invariant", f"Patient.extension[0].value{where}")]
    assert f"({key})" in found[0].diagnostics


def test_a_currency_has_three_letters():
    extension = {"url": "urn:x:y", "valueMoney": {"value": 1, "currency": "euro"}}
    assert said(sample("Patient", extension=[extension])) == {("code-invalid", "Patient.extension[0].value.currency")}


def test_ranges_and_ratios_that_are_whole():
    sound = [
        {"url": "urn:u", "valueRange": {"low": {"value": 1}, "high": {"value": Decimal("1.5")}}},
        {"url": "urn:u", "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 2}}},
        {"url": "urn:u", "valueQuantity": {"value": 1, "code": "kg", "system": "http://unitsofmeasure.org"}},
    ]
    assert said(sample("Patient", extension=sound)) == set()


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"type": "transactions"}, "Bundle.type"),
        ({"entry": [{**entry(sample("Patient"), 1), "request": {"method": "post", "url": "Patient"}}]},
         "Bundle.entry[0].request.method"),
        ({"type": "searchset", "entry": [{"resource": sample("Patient"), "search": {"mode": "found"}}]},
         "Bundle.entry[0].search.mode"),
        ({"entry": [entry(sample("Patient", gender="x"), 1)]}, "Bundle.entry[0].resource.gender"),
    ],
)  # fmt: skip
def test_codes_of_a_bundle_and_of_what_it_holds(changed, where):
    assert said({**transaction(sample("Patient")), **changed}) == {("code-invalid", where)}


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"resourceType": "Nothing"}, {"resourceType": []}, {1: 2}])
def test_what_is_no_resource_at_all(body):
    assert said(body) == {("structure", "")}


def test_a_hostile_resource_makes_a_short_answer():
    assert len(validation.check(sample("Patient", name=[{"x": 1}] * 5000))) == validation.MAX_ISSUES


def test_depth_is_refused_without_recursion():
    deep = {"url": "urn:u", "valueCode": "x"}
    for _ in range(3000):
        deep = {"url": "urn:u", "extension": [deep]}
    assert len(said(sample("Patient", extension=[deep]))) == 1


def test_the_library_is_heard_where_the_definitions_say_nothing(monkeypatch):
    """It agrees on every sample: what it alone would refuse is shown by asking it about a fault directly."""
    assert secondary.check(sample("Patient", name=[{"family": ["A"]}]))[0].expression.startswith(
        "Patient.name[0].family"
    )
    bundle = transaction(sample("Patient", active="?"))
    assert [issue.expression for issue in secondary.check(bundle)] == ["Bundle.entry[0].resource.active"]
    assert secondary.check({"resourceType": "Basic"}) == []


@pytest.mark.parametrize("name", OURS)
def test_the_library_knows_the_elements_of_r4(name):
    """Where R4B and R4 differ for our types: one element, R4 has it."""
    assert secondary.check(sample(name)) == []
    assert secondary.check(sample(name, extension=[{"url": "urn:u", "valueMeta": {"tag": [{"code": "x"}]}}])) == []


# ---- Nothing makes it raise ----------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(allow_nan=True), st.text(max_size=8),
    st.sampled_from(["Patient/1", "#a", "2026-02-30", "0000", "9999-12-31T23:59:60+14:00", "urn:oid:1", "<div/>"]),
)  # fmt: skip
KEYS = st.one_of(
    st.text(max_size=6),
    st.sampled_from([
        "resourceType", "id", "meta", "text", "div", "contained", "extension", "name", "_name", "family", "given",
        "_given",
        "identifier", "value", "system", "period", "start", "end", "entry", "resource", "request", "type", "fullUrl",
        "participant", "member", "reference", "valueDecimal", "valueString", "url", "subject", "onBehalfOf", "telecom",
        "parameter", "part", "contact", "photo", "data", "search", "response", "status", "versionId", "lastUpdated",
    ]),
)  # fmt: skip
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(
    st.sampled_from([*OURS, "Bundle", "Parameters", "Basic", "OperationOutcome"]),
    st.dictionaries(KEYS, TREES, max_size=6),
)
def test_any_tree_is_answered(name, body):
    for issue in validation.check({**body, "resourceType": name}):
        assert issue.severity == "error" and issue.code and issue.diagnostics


@given(st.sampled_from(OURS), st.data())
def test_a_valid_resource_spoilt_anywhere_is_answered(name, data):
    """Accepted or refused, never an exception; what is accepted can be written in both formats and read again."""
    resource = sample(name)
    holder = resource
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [
            one for one in (holder.values() if isinstance(holder, dict) else holder) if isinstance(one, dict | list)
        ]
        if not inner:
            break
        holder = data.draw(st.sampled_from(inner))
    value = data.draw(TREES)
    if isinstance(holder, dict):
        holder[data.draw(KEYS.filter(lambda key: key != "resourceType"))] = value
    else:
        holder.append(value)
    if not validation.check(resource):
        assert formats.read(formats.write_xml(resource), "xml") == formats.read(formats.write_json(resource), "json")


# ---- The envelope of a Bundle ---------------------------------------------------------------------------------------


def test_the_envelope_of_a_bundle_is_judged_without_what_it_holds():
    assert validation.check_envelope(transaction(sample("Patient", gender="x"), sample("CareTeam"))) == []


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"entry": {}}, "structure", "Bundle.entry"),
        ({"entry": ["x"]}, "structure", "Bundle.entry[0]"),
        ({"entry": [None]}, "structure", "Bundle.entry[0]"),
        ({"entry": [{"resource": [], "request": "x"}]}, "structure", "Bundle.entry[0].request"),
        ({"entry": [{"request": {"method": 1, "url": "Patient"}}]}, "value", "Bundle.entry[0].request.method"),
        ({"entry": [{"request": {"method": "POST"}}]}, "required", "Bundle.entry[0].request.url"),
        ({"entry": [{"resource": {}}]}, "invariant", "Bundle.entry[0].request"),
        ({"meta": {"profile": "x"}}, "structure", "Bundle.meta.profile"),
    ],
)
def test_an_envelope_that_cannot_be_walked_is_refused(changed, code, where):
    bundle = {**transaction(sample("Patient")), **changed}
    assert {(issue.code, issue.expression) for issue in validation.check_envelope(bundle)} == {(code, where)}
