from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.common.phones import InvalidPhone, PhoneKind, normalise_phone, parse_phone, phone_or_none


@pytest.mark.parametrize(
    ("typed", "e164", "kind"),
    [
        ("05 36 49 10 21", "+33536491021", PhoneKind.FIXE),
        ("05.36.49.10.21", "+33536491021", PhoneKind.FIXE),
        ("0536491021", "+33536491021", PhoneKind.FIXE),
        ("+33 5 36 49 10 21", "+33536491021", PhoneKind.FIXE),
        ("+33 (0)5 36 49 10 21", "+33536491021", PhoneKind.FIXE),
        ("0033536491021", "+33536491021", PhoneKind.FIXE),
        ("06-39-98-01-02", "+33639980102", PhoneKind.MOBILE),
        ("06\u00a039\u202f98 01 02", "+33639980102", PhoneKind.MOBILE),
        ("0939391212", "+33939391212", PhoneKind.FIXE),
        ("0800123456", "+33800123456", PhoneKind.AUTRE),
        ("0590821963", "+590590821963", PhoneKind.FIXE),
        ("+590 590 82 19 63", "+590590821963", PhoneKind.FIXE),
        ("0692123456", "+262692123456", PhoneKind.MOBILE),
        ("0639012345", "+262639012345", PhoneKind.MOBILE),
        ("0508412345", "+508412345", PhoneKind.FIXE),
        ("+687 28 31 28", "+687283128", PhoneKind.FIXE),
        ("+32 2 555 12 12", "+3225551212", PhoneKind.FIXE),
    ],
)
def test_read(typed, e164, kind):
    phone = parse_phone(typed)
    assert (phone.e164, phone.kind) == (e164, kind)


@given(st.sampled_from(["053649", "063998"]), st.integers(0, 9999))
def test_the_fiction_ranges_pass(start, end):
    number = f"{start}{end:04d}"
    assert normalise_phone(number) == f"+33{number[1:]}"
    assert normalise_phone(normalise_phone(number)) == f"+33{number[1:]}"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("05 36 49 10 2", "10 chiffres attendus, 9 saisis."),
        ("05 36 49 10 211", "10 chiffres attendus, 11 saisis."),
        ("5", "10 chiffres attendus, 1 saisi."),
        ("3919", "10 chiffres attendus, 4 saisis."),
        ("0036491021", "Ce numéro international n’est pas valide : vérifiez l’indicatif du pays."),
        ("0000000000", "Un numéro français commence par 0, puis un chiffre de 1 à 9."),
        ("1536491021", "Un numéro français commence par 0, puis un chiffre de 1 à 9."),
        ("05 36 49 1O 21", "Un numéro de téléphone ne contient que des chiffres."),
        ("", "Un numéro de téléphone ne contient que des chiffres."),
        (None, "Un numéro de téléphone ne contient que des chiffres."),
        ("+999 12 34", "Ce numéro international n’est pas valide : vérifiez l’indicatif du pays."),
    ],
)
def test_refused(typed, sentence):
    with pytest.raises(InvalidPhone) as caught:
        parse_phone(typed)
    assert str(caught.value) == sentence
    assert phone_or_none(typed) is None


def test_french_numbers_do_not_load_the_metadata():
    code = (
        "import sys; from coordination.common.phones import normalise_phone as n; n('0536491021'); "
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
