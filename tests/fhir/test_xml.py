"""XML in and out over the same dictionaries: equal both ways, and refused at the first thing that attacks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.fhir import formats
from coordination.fhir.formats.strict_json import MAX_DEPTH
from coordination.fhir.outcomes import Unreadable
from tests.fhir import packages

NS = 'xmlns="http://hl7.org/fhir"'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'


def read(text):
    return formats.read(text if isinstance(text, bytes) else text.encode(), "xml")


def patient(inside):
    return f"<Patient {NS}>{inside}</Patient>"


def refusal(text):
    with pytest.raises(Unreadable) as caught:
        read(text)
    (issue,) = caught.value.issues
    assert caught.value.status == 400 and issue.code == "structure" and issue.severity == "error"
    return issue


def both_ways(resource):
    written = formats.write_xml(resource)
    assert read(written) == resource
    return written.decode()


# ---- Both ways ---------------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-3")
def test_every_resource_of_the_packages_is_equal_both_ways():
    """HL7's definitions are resources too: every shape of R4 passes here, the examples of our types with them."""
    wrong, count = [], 0
    for name, body in packages.everything():
        resource = formats.read(body, "json")
        count += 1
        if read(formats.write_xml(resource)) != resource:
            wrong.append(name)
    assert wrong == [] and count > 500
    assert len(packages.examples()) >= 15


def test_elements_come_in_the_order_of_the_definitions():
    shuffled = {
        "resourceType": "Patient",
        "gender": "female",
        "name": [{"given": ["Zoé"], "family": "FICTIF"}],
        "id": "p",
    }
    written = both_ways(shuffled)
    places = [written.index(f"<{name} ") for name in ("id", "family", "given", "gender")]
    assert places == sorted(places)


def test_halves_of_primitives_travel():
    both_ways(
        {
            "resourceType": "Patient",
            "birthDate": "1950-01-02",
            "_birthDate": {
                "id": "b",
                "extension": [{"url": "http://example.org/x", "valueDateTime": "1950-01-02T03:00:00Z"}],
            },
            "_gender": {"extension": [{"url": "http://example.org/absent", "valueCode": "unknown"}]},
            "name": [
                {
                    "id": "n1",
                    "given": ["Zoé", None, "Ana"],
                    "_given": [
                        None,
                        {"extension": [{"url": "http://example.org/x", "valueBoolean": False}]},
                        {"id": "g"},
                    ],
                },
                {"_given": [{"extension": [{"url": "u", "valueInteger": 0}]}]},
            ],
            "multipleBirthInteger": 2,
            "active": False,
        }
    )


def test_resources_inside_resources_travel():
    both_ways(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {
                    "fullUrl": "urn:uuid:0188d2a4-0000-7000-8000-000000000001",
                    "resource": {
                        "resourceType": "CareTeam",
                        "contained": [
                            {"resourceType": "Practitioner", "id": "p1", "name": [{"family": "FICTIF"}]},
                            {"resourceType": "Organization", "id": "o1", "name": "Maison & Cie"},
                        ],
                        "participant": [{"member": {"reference": "#p1"}}],
                    },
                },
                {
                    "resource": {
                        "resourceType": "Parameters",
                        "parameter": [{"name": "r", "resource": {"resourceType": "Basic"}}],
                    }
                },
            ],
        }
    )


@pytest.mark.parametrize("text", ["\"<>&'", "deux\nlignes\r\net\ttab", "  bords  ", "é’œ🎈", "]]>", "&amp;"])
def test_every_letter_travels(text):
    both_ways({"resourceType": "Patient", "name": [{"text": text}]})


@pytest.mark.asvs("v5.0.0-1.2.1")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_every_text_travels(text):
    both_ways({"resourceType": "Patient", "name": [{"text": text, "_text": {"id": text}}]})


@pytest.mark.parametrize(
    "inside",
    [
        "<p>Bonjour</p>",
        "<p>1 &lt; 2 &amp; &quot;3&quot; &#233;</p>",
        "a<br/>b<br />c<hr></hr>",
        "<!-- relu --><p   class = 'x'>\n  deux\n</p>",
        '<a href="http://example.org/?a=1&amp;b=2" title="a>b">x</a>',
    ],
)
def test_the_narrative_travels_letter_by_letter(inside):
    div = DIV % inside
    written = both_ways({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    assert div in written


@pytest.mark.parametrize(
    "text",
    [
        '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
        '<f:text><f:status value="generated"/><h:div><h:p title="a&amp;b">1 &lt; 2</h:p></h:div></f:text></f:Patient>',
        patient(
            '<text><status value="generated"/><h:div xmlns:h="http://www.w3.org/1999/xhtml">'
            '<h:p title="a&amp;b">1 &lt; 2</h:p></h:div></text>'
        ),
    ],
)
def test_a_narrative_with_a_prefix_is_written_so_that_it_stands_alone(text):
    assert read(text)["text"]["div"] == DIV % '<p title="a&amp;b">1 &lt; 2</p>'


def test_a_narrative_that_counts_on_a_prefix_of_the_document_stands_alone_too():
    text = (
        f'<Patient {NS} xmlns:h="http://www.w3.org/1999/xhtml"><text><status value="generated"/>'
        '<div xmlns="http://www.w3.org/1999/xhtml"><h:p>a</h:p></div></text></Patient>'
    )
    assert read(text)["text"]["div"] == DIV % "<p>a</p>"


def test_comments_and_the_place_of_the_schema_say_nothing():
    text = (
        '<?xml version="1.0" encoding="utf-8"?><!-- x -->'
        f'<Patient {NS} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://hl7.org/fhir x.xsd">'
        '<!-- y --><active value="true"/></Patient><!-- z -->'
    )
    assert read(text) == {"resourceType": "Patient", "active": True}


def test_a_value_of_the_wrong_form_is_left_to_validation():
    assert read(patient('<active value="oui"/><multipleBirthInteger value="1.0"/>')) == {
        "resourceType": "Patient", "active": "oui", "multipleBirthInteger": "1.0",
    }  # fmt: skip


# ---- Refused -----------------------------------------------------------------------------------------------------

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
BOMB = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))


@pytest.mark.asvs("v5.0.0-1.5.1")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ne se lit pas"),
        ("<Patient", "ligne 1"),
        (patient("<active value='true'>"), "ne se lit pas"),
        (patient("") + patient(""), "ne se lit pas"),
        (f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{BOMB}]>' + patient('<name><text value="&l11;"/></name>'), "DOCTYPE"),
        ('<!DOCTYPE p SYSTEM "http://example.org/p.dtd">' + patient(""), "DOCTYPE"),
        ('<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + patient('<language value="&x;"/>'), "DOCTYPE"),
        ('<!DOCTYPE p [<!ENTITY % x SYSTEM "http://example.org/x"> %x;]>' + patient(""), "DOCTYPE"),
        (patient('<language value="&nbsp;"/>'), "ne se lit pas"),
        (patient("<?php echo 1 ?>"), "instruction"),
        ('<?xml-stylesheet href="x"?>' + patient(""), "instruction"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + patient(""), "UTF-8"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + patient(""), "UTF-8"),
        (patient("").encode("utf-16"), "UTF-8"),
        (patient('<language value="é"/>').encode("latin-1"), "UTF-8"),
        ("<Patient/>", "espace de noms"),
        ('<Patient xmlns="http://hl7.org/fhir/"/>', "espace de noms"),
        (patient('<x xmlns="urn:x"/>'), "espace de noms"),
        (f"<Nothing {NS}/>", "ressource"),
        (f"<HumanName {NS}/>", "ressource"),
        (patient("<nom/>"), "nom n’existe pas"),
        (patient('<name><family value="A" lang="fr"/></name>'), "lang"),
        (patient('<name url="x"><family value="A"/></name>'), "url"),
        (f'<Patient {NS} id="x"/>', "id"),
        (patient('<active value="true"/><active value="false"/>'), "deux fois"),
        (patient("<active/>"), "vide"),
        (patient("Bonjour"), "texte"),
        (patient('<name><family value="A">B</family></name>'), "texte"),
        (patient("<contained/>"), "ressource"),
        (patient("<contained><Basic/><Basic/></contained>"), "ressource"),
        (patient('<contained id="x"><Basic/></contained>'), "id"),
        (patient("<contained><name/></contained>"), "ressource"),
        (patient(DIV % "x"), "espace de noms"),
        (patient('<text><div value="x"/></text>'), "div"),
        (patient(f"<text>{DIV % 'a'}{DIV % 'b'}</text>"), "espace de noms"),
        (patient("<text>" + DIV % SVG + "</text>"), "svg"),
        (patient("<extension url='u'>" * 70 + "</extension>" * 70), "niveaux"),
        (patient("<extension url='u'>" * 30000 + "</extension>" * 30000), "niveaux"),
        (patient(f"<text>{DIV % ('<p>' * 100 + '</p>' * 100)}</text>"), "niveaux"),
        (patient('<language value="&#0;"/>'), "ne se lit pas"),
        (patient('<language value="\x01"/>'), "ne se lit pas"),
        (patient('<language value="&#xD800;"/>'), "ne se lit pas"),
        (patient('<language value="&#xFFFE;"/>'), "ne se lit pas"),
    ],
)
def test_what_attacks_or_is_not_fhir_is_refused_in_french(text, says):
    issue = refusal(text)
    assert says in issue.diagnostics and "ligne" in issue.diagnostics or "octet" in issue.diagnostics


@pytest.mark.parametrize(
    ("inside", "where"),
    [
        ('<name><family value="A"/></name><name><nom value="B"/></name>', "Patient.name[1]"),
        ('<contact><name><given value="A"/><given/></name></contact>', "Patient.contact[0].name.given[1]"),
        ("<contained><Basic><code><x/></code></Basic></contained>", "Patient.contained[0].code"),
    ],
)
def test_a_refusal_points_to_the_element(inside, where):
    assert refusal(patient(inside)).expression == where


def test_depth_is_allowed_up_to_the_limit():
    levels = MAX_DEPTH - 2
    inside = "<extension url='u'>" * levels + '<valueBoolean value="true"/>' + "</extension>" * levels
    assert read(patient(inside))


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Nothing"},
        {"resourceType": "Patient", "nom": "x"},
        {"resourceType": "Patient", "contained": [{"id": "x"}]},
        {"resourceType": "Patient", "text": {"div": "<div>"}},
        {"resourceType": "Patient", "text": {"div": 12}},
        {"resourceType": "Patient", "text": {"div": '<?xml version="1.0"?><div/>'}},
        {"resourceType": "Patient", "text": {"div": "<!DOCTYPE div><div/>"}},
        {"resourceType": "Patient", "active": None},
        {"resourceType": "Patient", "name": ["x"]},
    ],
)
def test_what_is_not_a_resource_is_never_written(resource):
    with pytest.raises(ValueError):
        formats.write_xml(resource)


def test_what_is_written_reads_as_json_does():
    resource = formats.read(b'{"resourceType":"Basic","extension":[{"url":"u","valueDecimal":1.50}]}', "json")
    again = read(formats.write_xml(resource))
    assert json.loads(formats.write_json(again)) == json.loads(formats.write_json(resource))
