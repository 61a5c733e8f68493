"""National identifiers: check and tidy what people type. Every `parse_*` returns the canonical form or raises.

The messages say what is wrong and never repeat the number typed: they may end up in a log.
National files hold numbers that fail their own key (test rows, old ADELI): importers use `looks_like_*`,
forms use `parse_*`.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from stdnum import luhn
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.fr import siret as stdnum_siret

from coordination.common.errors import DomainError
from coordination.common.text import fold, seen


class InvalidIdentifier(DomainError, ValueError):
    code = "invalid_identifier"
    message = "Cet identifiant n’est pas valide."


class InvalidRpps(InvalidIdentifier):
    code = "invalid_rpps"
    field = "rpps"


class InvalidAdeli(InvalidIdentifier):
    code = "invalid_adeli"
    field = "adeli"


class InvalidFiness(InvalidIdentifier):
    code = "invalid_finess"
    field = "finess"


class InvalidSiren(InvalidIdentifier):
    code = "invalid_siren"
    field = "siren"


class InvalidSiret(InvalidIdentifier):
    code = "invalid_siret"
    field = "siret"


class InvalidEmail(InvalidIdentifier):
    code = "invalid_email"
    field = "email"


class InvalidName(DomainError, ValueError):
    code = "invalid_name"
    message = "Un nom comporte au moins une lettre, et ni « < » ni « > »."


# No letter reaches a longer one (RFC 5321), and no column keeps it.
LONGEST_EMAIL = 254
_SEPARATORS = re.compile(r"[\s.\-_/\u00a0\u202f\u2010-\u2015]+")
# 01-95, Corsica 2A/2B, overseas 97/98, and the FINESS letters 9A-9J (Guadeloupe ... Wallis-et-Futuna).
_FINESS = re.compile(r"(?:\d\d|2[AB]|9[A-J])\d{7}", re.ASCII)
_ADELI = re.compile(r"(?:\d\d|2[AB]|9[A-J])[0-9A-Z]\d{6}", re.ASCII)
_LETTER_VALUES = str.maketrans("ABCDEFGHIJ", "1234567890")


def clean_identifier(value: str | None) -> str:
    """Return the identifier in capitals without blanks, dots, hyphens or slashes."""
    return _SEPARATORS.sub("", value or "").upper()


def luhn_key(body: str) -> str:
    """Return the Luhn check digit to append to a body of digits (for generators of invented numbers).

    A département letter counts for its rank, A=1, B=2...: so are keyed the FINESS numbers of Corsica
    (it fits the Corsican numbers known to us, 2A0000014 and 2B0000020; no official text was found).
    """
    return luhn.calc_check_digit(body.upper().translate(_LETTER_VALUES))


def parse_rpps(value: str | None) -> str:
    """Return the eleven digits of an RPPS number whose Luhn key is right. Raises InvalidRpps."""
    raw = clean_identifier(value)
    _require_digits(raw, 11, "Le numéro RPPS", InvalidRpps)
    _require_luhn(raw, "Le numéro RPPS", InvalidRpps)
    return raw


def parse_adeli(value: str | None) -> str:
    """Return the nine characters of an ADELI number. Raises InvalidAdeli.

    Only the shape is checked (département, Corsica included, then seven): ADELI closed in 2025 and no published
    rule covers every number still found in files.
    """
    raw = clean_identifier(value)
    _require_length(raw, 9, "Le numéro ADELI", InvalidAdeli)
    if not _ADELI.fullmatch(raw):
        raise InvalidAdeli("Le numéro ADELI commence par le département (2A et 2B compris), le reste en chiffres.")
    return raw


def parse_finess(value: str | None) -> str:
    """Return the nine characters of a FINESS number whose key is right. Raises InvalidFiness."""
    raw = clean_identifier(value)
    _require_length(raw, 9, "Le numéro FINESS", InvalidFiness)
    if not _FINESS.fullmatch(raw):
        raise InvalidFiness(
            "Le numéro FINESS n’a que des chiffres, sauf la lettre du département en Corse (2A, 2B) et outre-mer."
        )
    if luhn_key(raw[:-1]) != raw[-1]:
        raise InvalidFiness("La clé du numéro FINESS (dernier chiffre) ne correspond pas : vérifiez la saisie.")
    return raw


def looks_like_finess(value: str | None) -> bool:
    """Say whether a text has the shape of a FINESS number, whatever its key."""
    return _FINESS.fullmatch(clean_identifier(value)) is not None


def parse_siren(value: str | None) -> str:
    """Return the nine digits of a SIREN number. Raises InvalidSiren."""
    raw = clean_identifier(value)
    _require_digits(raw, 9, "Le numéro SIREN", InvalidSiren)
    _require_luhn(raw, "Le numéro SIREN", InvalidSiren)
    return raw


def parse_siret(value: str | None) -> str:
    """Return the fourteen digits of a SIRET number (La Poste's own rule included). Raises InvalidSiret."""
    raw = clean_identifier(value)
    _require_digits(raw, 14, "Le numéro SIRET", InvalidSiret)
    try:
        return stdnum_siret.validate(raw)
    except StdnumError as error:
        raise InvalidSiret("La clé du numéro SIRET ne correspond pas : vérifiez les 14 chiffres.") from error


def siren_of_siret(siret: str) -> str:
    """Return the SIREN inside a SIRET."""
    return siret[:9]


def parse_person_name(value: str | None, *, field: str | None = None) -> str:
    """Return the name as `text.seen` tells it. Raises InvalidName, about `field`.

    Names are compared by their letters and digits: two that have none would be the same person's. Angle brackets
    belong to no name.
    """
    name = seen(value)
    if not any(character.isalpha() for character in fold(name)) or set(name) & set("<>"):
        raise InvalidName(field=field)
    return name


def parse_email(value: str | None) -> str:
    """Return the address in lower case, outer blanks removed. Raises InvalidEmail.

    The local part is lowered too: no provider met in practice tells capitals apart, and people type them at random.
    """
    raw = (value or "").strip().lower()
    local, arobase, domain = raw.partition("@")
    if not arobase:
        raise InvalidEmail("Il manque l’arobase et ce qui le suit, par exemple « nom@domaine.fr ».")
    if not local:
        raise InvalidEmail("Il manque ce qui précède l’arobase, par exemple « nom@domaine.fr ».")
    if "." not in domain.strip("."):
        raise InvalidEmail("Il manque ce qui suit l’arobase, par exemple « nom@domaine.fr ».")
    if re.search(r"\s", raw):
        raise InvalidEmail("Une adresse électronique ne contient pas d’espace.")
    if len(raw) > LONGEST_EMAIL:
        raise InvalidEmail(f"Cette adresse électronique est trop longue : {LONGEST_EMAIL} caractères au plus.")
    try:
        validate_email(raw)
    except ValidationError as error:
        raise InvalidEmail("Cette adresse électronique n’est pas valide, par exemple « nom@domaine.fr ».") from error
    return raw


def _require_length(raw: str, length: int, name: str, error: type[InvalidIdentifier]) -> None:
    if len(raw) != length:
        raise error(f"{name} compte {length} caractères, {len(raw)} {_typed(len(raw))}.")


def _require_digits(raw: str, length: int, name: str, error: type[InvalidIdentifier]) -> None:
    if not raw.isascii() or not raw.isdigit():
        raise error(f"{name} ne contient que des chiffres, {length} en tout.")
    if len(raw) != length:
        raise error(f"{name} compte {length} chiffres, {len(raw)} {_typed(len(raw))}.")


def _require_luhn(raw: str, name: str, error: type[InvalidIdentifier]) -> None:
    if not luhn.is_valid(raw):
        raise error(f"La clé du {name[3:]} (dernier chiffre) ne correspond pas : vérifiez la saisie.")


def _typed(count: int) -> str:
    return "saisi" if count < 2 else "saisis"
