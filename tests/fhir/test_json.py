"""JSON in and out: what is ambiguous or dangerous is refused, what is read is written as it was."""

import json
import uuid
from decimal import Decimal

import pytest

from coordination.fhir import formats, keeping
from coordination.fhir.formats import strict_json
from coordination.fhir.outcomes import Refused, TooLarge, Unreadable


def read(text):
    return formats.read(text if isinstance(text, bytes) else text.encode(), "json")


def refusal(text):
    with pytest.raises(Unreadable) as caught:
        read(text)
    (issue,) = caught.value.issues
    assert caught.value.status == 400 and issue.code == "structure" and issue.severity == "error"
    return issue


@pytest.mark.req("CDS-2")
def test_a_resource_is_read_and_written_as_it_was():
    sent = '{"resourceType":"Patient","name":[{"family":"FICTIF","given":["Zoé",null],"_given":[null,{"id":"g"}]}]}'
    assert formats.write_json(read(sent)).decode() == sent


def test_a_byte_order_mark_is_tolerated():
    assert read(b"\xef\xbb\xbf" + b'{"resourceType":"Patient"}') == {"resourceType": "Patient"}


@pytest.mark.parametrize("number", ["1.50", "0.10", "1.0", "100", "-3.14000", "1E-8", "123456789012345678901234.5"])
def test_numbers_keep_the_precision_they_were_sent_with(number):
    sent = f'{{"resourceType":"Basic","extension":[{{"url":"u","valueDecimal":{number}}}]}}'
    resource = read(sent)
    assert formats.write_json(resource).decode() == sent
    assert f'value="{number}"' in formats.write_xml(resource).decode()
    assert formats.read(formats.write_xml(resource), "xml") == resource


def test_a_number_is_a_number_not_a_float():
    value = read('{"resourceType":"Basic","x":1.10}')["x"]
    assert isinstance(value, Decimal) and str(value) == "1.10"
    assert read('{"resourceType":"Basic","x":12}')["x"] == 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ne se lit pas"),
        ("{", "ligne 1, colonne 2"),
        ('{"resourceType":"Patient",}', "ne se lit pas"),
        ('{"resourceType":"Patient"} {}', "ne se lit pas"),
        ("[]", "objet JSON"),
        ('"Patient"', "objet JSON"),
        ("null", "objet JSON"),
        ("12", "objet JSON"),
        ("{}", "resourceType"),
        ('{"resourceType":null}', "resourceType"),
        ('{"resourceType":["Patient"]}', "resourceType"),
        (b'{"resourceType":"Patient","x":"\xe9"}', "UTF-8 (octet 31)"),
        ('{"resourceType":"Patient"}'.encode("utf-16"), "UTF-8"),
        ('{"resourceType":"Patient","x":NaN}', "NaN"),
        ('{"resourceType":"Patient","x":-Infinity}', "Infinity"),
        ('{"resourceType":"Patient","x":1e99999999999999999999}', "trop"),
        ('{"resourceType":"Patient","x":1e999999}', "trop"),
        ('{"resourceType":"Patient","x":0e-20000}', "trop"),
        ('{"resourceType":"Patient","x":' + "9" * 5000 + "}", "trop"),
        ('{"resourceType":"Patient","x":' + "[" * 5000 + "]" * 5000 + "}", "niveaux"),
        ('{"resourceType":"Patient","x":' + "[" * 200000 + "]" * 200000 + "}", "niveaux"),
        ('{"resourceType":"Patient","x":"\\ud800"}', "ne s’écrit pas"),
        ('{"resourceType":"Patient","x":["a","\\u0000"]}', "ne s’écrit pas"),
        ('{"resourceType":"Patient","\\u0000":1}', "ne s’écrit pas"),
    ],
)
def test_what_cannot_be_read_is_refused_in_french(text, says):
    assert says in refusal(text).diagnostics


def test_depth_is_allowed_up_to_the_limit():
    inside = strict_json.MAX_DEPTH - 1
    assert read('{"resourceType":"Patient","x":' + "[" * inside + "]" * inside + "}")
    assert (
        "niveaux"
        in refusal('{"resourceType":"Patient","x":' + "[" * (inside + 1) + "]" * (inside + 1) + "}").diagnostics
    )


@pytest.mark.asvs("v5.0.0-15.3.7")
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"resourceType":"Patient","id":"a","id":"b"}', "id"),
        ('{"resourceType":"Patient","name":[{},{"family":"A","family":"B"}]}', "name[1].family"),
        ('{"resourceType":"Patient","resourceType":"Practitioner"}', "resourceType"),
        ('{"resourceType":"Patient","a":{"b":[{"c":1,"c":1}]}}', "a.b[0].c"),
    ],
)
def test_a_key_given_twice_is_refused_where_it_is(text, where):
    issue = refusal(text)
    assert "deux fois" in issue.diagnostics and issue.expression == where


def test_a_name_that_is_no_element_has_no_place():
    assert refusal('{"resourceType":"Patient","id":[{" ":"\\u0000"}]}').expression == "id[0]"
    assert refusal('{"resourceType":"Patient","_id":{"a b":{"c":1,"c":1}}}').expression == "_id.c"


@pytest.mark.parametrize("media", ["json", "xml"])
def test_a_body_too_large_is_refused_before_it_is_read(media):
    with pytest.raises(TooLarge) as caught:
        formats.read(b" " * (formats.MAX_BYTES + 1), media)
    assert caught.value.status == 413


@pytest.mark.asvs("v5.0.0-1.2.3")
def test_what_comes_out_is_what_json_says():
    resource = {"resourceType": "Basic", "a": [1, True, None, "é", Decimal("2.00")]}
    assert json.loads(formats.write_json(resource)) == {"resourceType": "Basic", "a": [1, True, None, "é", 2.0]}
    with pytest.raises(TypeError):
        formats.write_json({"resourceType": "Basic", "a": object()})


@pytest.mark.parametrize(
    "body", [b"\x00", b"\xff\xfe", b"{" * 1000, b'{"a":' * 1000, b"\xf0\x9f", b'{"":""}', b"-", b"1e"]
)
def test_nothing_but_a_refusal_comes_out(body):
    for media in ("json", "xml"):
        with pytest.raises(Refused):
            formats.read(body, media)


@pytest.mark.django_db
def test_what_is_kept_keeps_the_precision_of_its_numbers():
    number = uuid.uuid4()
    sent = read('{"resourceType":"Basic","extension":[{"url":"u","valueDecimal":1.50},{"url":"v","valueInteger":2}]}')
    keeping.keep("Basic", number, sent)
    back = keeping.kept("Basic", [number])[number].content
    assert formats.write_json(back) == b'{"extension":[{"url":"u","valueDecimal":1.50},{"url":"v","valueInteger":2}]}'
