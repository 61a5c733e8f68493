from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.common import identifiers as ids
from coordination.common.errors import DomainError

DIGITS = "0123456789"


def digits(count):
    return st.text(alphabet=DIGITS, min_size=count, max_size=count)


@pytest.mark.asvs("v5.0.0-2.2.1")
@given(digits(10))
def test_rpps_accepts_its_key_and_refuses_the_others(body):
    number = body + ids.luhn_key(body)
    assert ids.parse_rpps(f"{number[:2]} {number[2:5]}.{number[5:8]}-{number[8:]}") == number
    for wrong in set(DIGITS) - {number[-1]}:
        with pytest.raises(ids.InvalidRpps):
            ids.parse_rpps(body + wrong)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1010123456", "Le numéro RPPS compte 11 chiffres, 10 saisis."),
        ("1", "Le numéro RPPS compte 11 chiffres, 1 saisi."),
        ("1010123456A", "Le numéro RPPS ne contient que des chiffres, 11 en tout."),
        ("", "Le numéro RPPS ne contient que des chiffres, 11 en tout."),
        (None, "Le numéro RPPS ne contient que des chiffres, 11 en tout."),
        ("1010123456²", "Le numéro RPPS ne contient que des chiffres, 11 en tout."),
        ("10101234560", "La clé du numéro RPPS (dernier chiffre) ne correspond pas : vérifiez la saisie."),
    ],
)
def test_rpps_says_what_is_wrong(typed, sentence):
    with pytest.raises(ids.InvalidRpps) as caught:
        ids.parse_rpps(typed)
    assert str(caught.value) == sentence
    assert caught.value.field == "rpps"
    assert isinstance(caught.value, DomainError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("number", ["750712184", "750100125", "970100228", "970100012", "2A0000014", "2B0000020"])
def test_finess_published_numbers(number):
    assert ids.parse_finess(f" {number.lower()[:2]} {number[2:]} ") == number


@given(st.sampled_from(["01", "81", "2A", "2B", "97", "98", "9A", "9J"]), digits(6))
def test_finess_key(departement, body):
    number = departement + body
    number += ids.luhn_key(number)
    assert ids.parse_finess(number) == number
    with pytest.raises(ids.InvalidFiness, match="clé"):
        ids.parse_finess(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize("typed", ["81099999", "8109999999", "2C0000014", "A10000014", "81000001B", "", None])
def test_finess_shape_refused(typed):
    with pytest.raises(ids.InvalidFiness):
        ids.parse_finess(typed)
    assert not ids.looks_like_finess(typed)


def test_files_may_hold_what_forms_refuse():
    assert ids.looks_like_finess("810999999")
    with pytest.raises(ids.InvalidFiness):
        ids.parse_finess("810999999")


@pytest.mark.parametrize("number", ["819312345", "2A9312345", "9D9312345"])
def test_adeli(number):
    assert ids.parse_adeli(number) == number


@pytest.mark.parametrize("typed", ["8193", "ZZ9312345", "2A93123A5"])
def test_adeli_refused(typed):
    with pytest.raises(ids.InvalidAdeli):
        ids.parse_adeli(typed)


def test_siren_and_siret():
    siren = "99900011" + ids.luhn_key("99900011")
    nic = siren + "0001"
    siret = nic + ids.luhn_key(nic)
    assert ids.parse_siren(f"{siren[:3]} {siren[3:6]} {siren[6:]}") == siren
    assert ids.parse_siret(f"{siret[:9]} {siret[9:]}") == siret
    assert ids.siren_of_siret(siret) == siren
    with pytest.raises(ids.InvalidSiret, match="clé"):
        ids.parse_siret(siret[:-1] + str((int(siret[-1]) + 1) % 10))
    with pytest.raises(ids.InvalidSiren, match="9 chiffres, 8 saisis"):
        ids.parse_siren(siren[:-1])
    with pytest.raises(ids.InvalidSiret, match="14 chiffres, 9 saisis"):
        ids.parse_siret(siren)


def test_la_poste_has_its_own_siret_rule():
    # The digits of its SIRETs add up to a multiple of five; the head office also has a right key.
    assert ids.parse_siret("35600000000048") == "35600000000048"
    assert ids.parse_siret("35600000049837") == "35600000049837"
    with pytest.raises(ids.InvalidSiret):
        ids.parse_siret("35600000049838")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Anne.LE-GOFF@Cabinet.EXAMPLE ", "anne.le-goff@cabinet.example"), ("a+b@c.d.example", "a+b@c.d.example")],
)
def test_email(typed, kept):
    assert ids.parse_email(typed) == kept


@pytest.mark.asvs("v5.0.0-1.3.11")
@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("anne@", "il manque ce qui suit l’arobase, par exemple « nom@domaine.fr »"),
        ("anne@cabinet", "il manque ce qui suit l’arobase"),
        ("anne@cabinet.", "il manque ce qui suit l’arobase"),
        ("anne", "il manque l’arobase"),
        ("", "il manque l’arobase"),
        (None, "il manque l’arobase"),
        ("@cabinet.example", "il manque ce qui précède l’arobase"),
        ("an ne@cabinet.example", "espace"),
        ("a@b@cabinet.example", "n’est pas valide"),
        ("anne@-cabinet.example", "n’est pas valide"),
        (f"anne@{'.'.join(['x' * 62] * 4)}.example", "trop longue"),
    ],
)
def test_email_refused(typed, part):
    with pytest.raises(ids.InvalidEmail) as caught:
        ids.parse_email(typed)
    assert part.lower() in str(caught.value).lower()


@pytest.mark.parametrize("name", ["Ô", "d'Hervé", "  Nguyễn ", "李", "Ⅳ bis", "X Æ A-12"])
def test_a_name_that_holds_a_letter(name):
    assert ids.parse_person_name(name) == name.strip()


@pytest.mark.parametrize(
    ("typed", "kept"), [("MAR\u202eTIN", "MARTIN"), ("Zo\u200bé", "Zoé"), (" Le\tGoff ", "Le Goff")]
)
def test_a_name_keeps_what_one_sees(typed, kept):
    assert ids.parse_person_name(typed) == kept


@pytest.mark.parametrize("typed", ["<b>Rose</b>", "a>b", "\u202e"])
def test_what_is_no_name_is_refused(typed):
    with pytest.raises(ids.InvalidName):
        ids.parse_person_name(typed)


@pytest.mark.parametrize("name", ["", None, " ", "'", "’", "ʼ", "-", "😀", "12", "\u200b", "\u0301"])
def test_a_name_that_holds_none(name):
    with pytest.raises(ids.InvalidName) as caught:
        ids.parse_person_name(name, field="family_name")
    assert caught.value.field == "family_name"
