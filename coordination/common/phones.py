"""Telephone numbers: typed in any way, kept in E.164. Screens write them with `french.phone_fr`.

A French number never loads the metadata of `phonenumbers` (10 MB); overseas and foreign ones do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from coordination.common.errors import DomainError


class InvalidPhone(DomainError, ValueError):
    code = "invalid_phone"
    message = "Ce numéro de téléphone n’est pas valide."
    field = "telephone"


class PhoneKind(StrEnum):
    FIXE = "fixe"
    MOBILE = "mobile"
    AUTRE = "autre"


@dataclass(frozen=True, slots=True)
class Phone:
    e164: str
    kind: PhoneKind


_PUNCTUATION = re.compile(r"[\s.\-/()\u00a0\u202f\u2010-\u2015]+")
_NATIONAL = re.compile(r"0[1-9]\d{8}", re.ASCII)
# National prefix dialled in France -> region; the number is kept under the region's own country code. Some
# prefixes are shared with the mainland (0639 is Mayotte except the fiction range 06 39 98), hence the validity test.
_OVERSEAS = {
    "0590": "GP", "0690": "GP", "0691": "GP", "0594": "GF", "0694": "GF", "0596": "MQ", "0696": "MQ", "0697": "MQ",
    "0262": "RE", "0263": "RE", "0692": "RE", "0693": "RE", "0269": "YT", "0639": "YT",
}  # fmt: skip


def parse_phone(text: str | None) -> Phone:
    """Return the number in E.164 with its kind. French numbers by default, overseas and foreign accepted.

    Raises InvalidPhone with a sentence such as "10 chiffres attendus, 9 saisis".
    """
    raw = _PUNCTUATION.sub("", text or "").replace("+330", "+33")
    raw = re.sub(r"^00(?=[1-9])", "+", raw)
    raw = re.sub(r"^\+33(?=[1-9])", "0", raw)
    if not re.fullmatch(r"\+?\d+", raw, re.ASCII):
        raise InvalidPhone("Un numéro de téléphone ne contient que des chiffres.")
    if raw.startswith("+"):
        return _foreign(raw)
    if len(raw) != 10:
        raise InvalidPhone(f"10 chiffres attendus, {len(raw)} {'saisi' if len(raw) < 2 else 'saisis'}.")
    if not _NATIONAL.fullmatch(raw):
        raise InvalidPhone("Un numéro français commence par 0, puis un chiffre de 1 à 9.")
    return _overseas(raw) or Phone(f"+33{raw[1:]}", _french_kind(raw))


def normalise_phone(text: str | None) -> str:
    """Return the E.164 form. Raises InvalidPhone."""
    return parse_phone(text).e164


def phone_or_none(text: str | None) -> str | None:
    """Return the E.164 form, or None for what cannot be read: for importers and search boxes."""
    try:
        return parse_phone(text).e164
    except InvalidPhone:
        return None


def _french_kind(national: str) -> PhoneKind:
    if national[1] in "67":
        return PhoneKind.MOBILE
    return PhoneKind.AUTRE if national[1] == "8" else PhoneKind.FIXE


def _overseas(national: str) -> Phone | None:
    if national.startswith("0508"):  # Saint-Pierre-et-Miquelon: six digits under +508
        return _parsed(f"+508{national[4:]}", None)
    region = _OVERSEAS.get(national[:4])
    return _parsed(national, region) if region else None


def _foreign(raw: str) -> Phone:
    phone = _parsed(raw, None)
    if phone is None:
        raise InvalidPhone("Ce numéro international n’est pas valide : vérifiez l’indicatif du pays.")
    return phone


def _parsed(raw: str, region: str | None) -> Phone | None:
    # Loaded late: see the module's docstring.
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kinds = {PhoneNumberType.MOBILE: PhoneKind.MOBILE, PhoneNumberType.FIXED_LINE: PhoneKind.FIXE}
    kind = kinds.get(phonenumbers.number_type(number), PhoneKind.AUTRE)
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind)
