from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.common import ins
from coordination.common.ins import (
    InsMatricule,
    InvalidMatricule,
    TestOidRefused,
    UnknownOid,
    first_given_name,
    nir_key,
)

bodies = st.builds(
    lambda sex, start, departement, end: f"{sex}{start:04d}{departement}{end:06d}",
    st.sampled_from("123478"),
    st.integers(0, 9999),
    st.one_of(st.sampled_from(["2A", "2B"]), st.integers(1, 99).map("{:02d}".format)),
    st.integers(0, 999999),
)

SAMPLES = [
    ("2790351215189", "89"),
    ("1850575123456", "73"),
    ("1801269789125", "52"),
    ("1234567890122", "12"),
    ("160012A020004", "80"),
    ("260012B033001", "58"),
    ("2410381999012", "11"),
]


@pytest.mark.req("INS-1")
@pytest.mark.parametrize(("body", "key"), SAMPLES)
def test_known_keys(body, key):
    assert nir_key(body) == key
    parsed = InsMatricule.parse(body + key, ins.OID_NIR)
    assert (parsed.value, parsed.key_is_right) == (body + key, True)


@pytest.mark.req("INS-1")
@given(bodies)
def test_every_body_has_one_key(body):
    key = nir_key(body)
    assert 1 <= int(key) <= 97
    assert InsMatricule.parse(f"{body[:5]} {body[5:]} {key.lower()}", ins.OID_NIA).value == body + key


@pytest.mark.req("INS-1")
@given(bodies, st.integers(0, 14), st.integers(1, 9))
def test_a_changed_digit_is_refused(body, place, shift):
    number = body + nir_key(body)
    if not number[place].isdigit():
        return
    changed = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(InvalidMatricule):
        InsMatricule.parse(changed, ins.OID_NIR)


@pytest.mark.asvs("v5.0.0-2.2.1")
@pytest.mark.req("INS-1")
@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("279035121518", "15 caractères avec la clé, 12 saisis"),
        ("2790351215189", "13 saisis"),
        ("2", "1 saisi."),
        ("", "0 saisi."),
        (None, "0 saisi."),
        ("27903512151898 8", "ne correspond pas"),
        ("2７9035121518989"[:15], "que des chiffres"),
        ("2790351215189890", "16 saisis"),
        ("27A035121518989", "que des chiffres"),
        ("160012C02000480", "que des chiffres"),
        ("16001A202000480", "que des chiffres"),
        ("579035121518989", "que des chiffres"),
        ("２79035121518989", "que des chiffres"),
    ],
)
def test_wrong_shapes(typed, part):
    with pytest.raises(InvalidMatricule) as caught:
        InsMatricule.parse(typed, ins.OID_NIR)
    assert part in str(caught.value)
    assert caught.value.field == "matricule"
    if typed and len(typed) > 4:
        assert typed not in str(caught.value)


@pytest.mark.req("INS-1")
def test_key_of_a_bad_body():
    with pytest.raises(InvalidMatricule, match="13 caractères"):
        nir_key("27903512151")


@pytest.mark.req("INS-2")
@pytest.mark.parametrize("oid", ["1.2.250.1.213.1.4.12", "1.2.250.1.213.1.4", "", None, "nir"])
def test_unknown_oid(oid):
    with pytest.raises(UnknownOid) as caught:
        InsMatricule.parse("279035121518989", oid, test_allowed=True)
    assert caught.value.field == "oid"


@pytest.mark.req("INS-2")
@pytest.mark.parametrize("oid", [ins.OID_NIR_TEST, ins.OID_NIR_DEMO])
def test_test_oids_only_in_a_test_environment(oid):
    with pytest.raises(TestOidRefused):
        InsMatricule.parse("279035121518989", oid)
    assert InsMatricule.parse("279035121518989", f"urn:oid:{oid}", test_allowed=True).oid == oid


@pytest.mark.req("INS-1", "INS-2")
@pytest.mark.parametrize("wrong", ["180126978912536", "123456789012244"])
def test_a_wrong_key_is_a_warning_on_test_oids_only(wrong):
    parsed = InsMatricule.parse(wrong, ins.OID_NIR_TEST, test_allowed=True)
    assert not parsed.key_is_right
    for oid in (ins.OID_NIR, ins.OID_NIA):
        with pytest.raises(InvalidMatricule, match="clé"):
            InsMatricule.parse(wrong, oid, test_allowed=True)


def test_every_oid_has_its_fhir_name_and_its_label():
    assert set(ins.TYPE_CODES) == set(ins.OID_LABELS)


@pytest.mark.req("INS-12")
def test_the_value_stays_out_of_repr():
    assert "241038199901211" not in repr(InsMatricule.parse("241038199901211", ins.OID_NIR))


@pytest.mark.req("INS-6")
@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("JEANNE MARIE CECILE", "JEANNE"),
        ("MARIE-CLAUDE JEANNE", "MARIE-CLAUDE"),
        ("Marie - Claude Jeanne", "Marie-Claude"),
        ("Jean Pierre, Marc", "Jean Pierre"),
        ("  Éloïse  ", "Éloïse"),
        (", Anne, Zoé", "Anne"),
        ("", ""),
        (None, ""),
    ],
)
def test_first_given_name(names, first):
    assert first_given_name(names) == first
