"""What a member's sheet may say, by kind, and how each field is checked, tidied and told in the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from circle import roles
from circle.errors import CodeUnknown, ContactMissing, FieldUnknown, NameMissing
from coordination.common import communes, nomenclatures
from coordination.common.errors import DomainError
from coordination.common.french import phone_fr
from coordination.common.identifiers import parse_email, parse_person_name
from coordination.common.phones import normalise_phone
from coordination.common.text import seen, squeeze

CONTACTS = ("phone", "mobile", "email")
PLACE = ("address", "postal_code", "town", "commune_code")
_IDENTITY = ("civility", "family_name", "given_name")

# {kind: the fields one may write}. Linked members keep the directory's text; what is typed here is added to it.
WRITABLE: dict[str, tuple[str, ...]] = {
    roles.PERSON: (*_IDENTITY, "relation", *CONTACTS, "unlisted", *PLACE, "description"),
    roles.MANUAL: (*_IDENTITY, "profession", "structure_name", *CONTACTS, *PLACE, "description"),
    roles.DIRECTORY: (*CONTACTS, "description"),
    roles.STRUCTURE: (*CONTACTS, "description"),
}
# Kinds that nobody else describes: a name and a means of contact are theirs to give (CDS-73).
TYPED_KINDS = frozenset({roles.PERSON, roles.MANUAL})
LIMITS = {"family_name": 120, "given_name": 120, "structure_name": 200, "address": 300, "town": 80, "description": 500}


def clean(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields tidied: phones E.164, e-mail lower case, commune found from the town and postal code.

    Only the fields given. Raises FieldUnknown, CodeUnknown, InvalidName, InvalidPhone, InvalidEmail, each with its
    `field`.
    """
    strangers = set(fields) - set(WRITABLE[kind])
    if strangers:
        raise FieldUnknown(field=sorted(strangers)[0])
    tidy = {name: _tidied(name, value) for name, value in fields.items()}
    return _with_commune(tidy)


def require_complete(kind: str, values: Mapping[str, Any]) -> None:
    """Raise NameMissing or ContactMissing unless a typed member has a name and one means of contact."""
    if kind not in TYPED_KINDS:
        return
    if not values.get("family_name"):
        raise NameMissing
    if not any(values.get(name) for name in CONTACTS):
        raise ContactMissing


def shown(name: str, value: Any) -> str:
    """Return a value in the words of the screen, for the history."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if name in ("phone", "mobile"):
        return phone_fr(value)
    if name == "profession":
        concept = nomenclatures.find_profession_or_role(value)
        return concept.label if concept else value
    if name in ("civility", "relation") and value:
        return nomenclatures.label(_LISTS[name], value) or value
    return value or ""


_LISTS = {"civility": "civilite", "relation": "relation"}


def _tidied(name: str, value: Any) -> Any:
    if name == "unlisted":
        return bool(value)
    text = squeeze(value)
    check = _CHECKS.get(name)
    if not check or not text:
        return text[: LIMITS.get(name)]
    try:
        return check(text)
    except DomainError as refusal:
        # The same number may stand in two fields: the sentence goes beside the one typed.
        refusal.field = name
        raise


def _of_list(kind: str) -> Callable[[str], str]:
    def check(code: str) -> str:
        if nomenclatures.get(kind, code) is None:
            raise CodeUnknown
        return code

    return check


def _profession(code: str) -> str:
    if nomenclatures.find_profession_or_role(code) is None:
        raise CodeUnknown
    return code


def _postal_code(code: str) -> str:
    if not (code.isascii() and code.isdigit() and len(code) == 5):
        raise CodeUnknown("Un code postal compte 5 chiffres.")
    return code


def _house(text: str) -> str:
    return seen(text)[: LIMITS["structure_name"]]


def _name(text: str) -> str:
    return parse_person_name(text)[: LIMITS["family_name"]]


_CHECKS: dict[str, Callable[[str], str]] = {
    "phone": normalise_phone,
    "mobile": normalise_phone,
    "email": parse_email,
    "family_name": _name,
    "given_name": _name,
    "structure_name": _house,
    "civility": _of_list("civilite"),
    "relation": _of_list("relation_complete"),
    "profession": _profession,
    "postal_code": _postal_code,
}


def _with_commune(tidy: dict[str, Any]) -> dict[str, Any]:
    """Complete the place from the commune list; a town it does not know stays as typed, without a code."""
    if not {"town", "postal_code", "commune_code"} & set(tidy):
        return tidy
    chosen = communes.by_insee(tidy.get("commune_code"))
    found = (chosen,) if chosen else communes.resolve(tidy.get("town"), tidy.get("postal_code"))
    if not found or not (tidy.get("town") or chosen):
        return tidy | {"commune_code": ""}
    commune = found[0]
    return tidy | {
        "commune_code": commune.insee,
        "town": commune.name if chosen else tidy["town"],
        "postal_code": tidy.get("postal_code") or commune.postal_code,
    }
