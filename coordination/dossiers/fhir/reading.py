"""From a Patient to the traits and contacts of a dossier. Pure.

What a screen would refuse for being absent or impossible is refused here by the element (`Invalid`); what the dossier
cannot hold (a fifth telephone, an address abroad, a maiden name beside the others) is kept by the engine and given
back, not shown on screens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from coordination.common import communes
from coordination.common.dates import InvalidDate, parse_birth_date
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email
from coordination.common.ins import first_given_name
from coordination.common.phones import phone_or_none
from coordination.common.text import squeeze
from coordination.dossiers import places
from coordination.dossiers.fhir.building import ATTRIBUTES, BIRTH_LIST, BIRTH_PLACE, RELIABILITY, UNKNOWN_PLACE
from coordination.dossiers.models import IdentityStatus, Sex
from coordination.fhir import french
from coordination.fhir.finishing import Ours, Says
from coordination.fhir.keeping import Resource
from coordination.fhir.numbers import is_number, oid_of
from coordination.fhir.outcomes import ERROR, Invalid, Issue

# A homonym that is found and one that is proved are one attribute here.
_FLAGS = {name: {code} for name, code in ATTRIBUTES.items()} | {"homonym": {"HOMA", "HOMD"}}
_SIZES = {
    "birth_name": 120, "birth_given_names": 200, "first_given_name": 100, "used_name": 120, "used_given_name": 100,
}  # fmt: skip
_SEXES = {"female": Sex.FEMALE, "male": Sex.MALE, "other": Sex.UNKNOWN, "unknown": Sex.UNKNOWN}
Values = dict[str, Any]


# ---- What is read of each element -------------------------------------------------------------------------------


def names(resource: Resource) -> Values:
    """Return the names of birth and of use. A name without `use` is of birth; the one in use alone is not."""
    said = resource.get("name", [])
    born, used = _official(said), _usual(said)
    official: Resource = said[born] if born is not None else {}
    usual: Resource = said[used] if used is not None else {}
    given = [squeeze(name) for name in official.get("given", []) if name]
    listed = next((one.get("valueString") for one in official.get("extension", []) if one["url"] == BIRTH_LIST), "")
    every = squeeze(listed) or " ".join(given)
    return {
        "birth_name": squeeze(official.get("family")),
        "birth_given_names": every,
        "first_given_name": given[0] if given else first_given_name(every) if every else "",
        "used_name": squeeze(usual.get("family")),
        "used_given_name": squeeze(" ".join(name for name in usual.get("given", []) if name)),
    }


def sex(resource: Resource) -> Values:
    """Return the sex that `gender` says."""
    return {"sex": _SEXES.get(resource.get("gender", ""), "")}


def birth(resource: Resource) -> Values:
    """Return the birth date and how much of it is known. Raises InvalidDate (to come, or before 1890)."""
    said = resource.get("birthDate", "")
    if not said:
        return {"birth_date": None, "birth_date_precision": ""}
    found = parse_birth_date("/".join(reversed(said.split("-"))))
    return {"birth_date": found.date, "birth_date_precision": found.precision.value}


def birth_place(resource: Resource) -> Values:
    """Return the place of birth: the commune or country of its INSEE code, else the one that its name says."""
    said = _extension(resource, BIRTH_PLACE).get("valueAddress", {})
    code = french.insee_of(said).upper()
    name = squeeze(said.get("city") or said.get("text") or said.get("country"))[:120]
    if not code and name:
        code = _coded(name, squeeze(said.get("postalCode")))
    listed = places.by_code(code) if code else None
    known = code if len(code) == 5 and code != UNKNOWN_PLACE else ""
    return {"birth_place": name or (listed.name if listed else ""), "birth_place_code": known}


def trust(resource: Resource) -> Values:
    """Return the identity status somebody may state (VALI, PROV) and the attributes of the identity."""
    codes = {
        one.get("valueCoding", {}).get("code")
        for said in resource.get("extension", []) if said.get("url") == RELIABILITY
        for one in said.get("extension", []) if one.get("url") == "identityStatus"
    }  # fmt: skip
    status = IdentityStatus.VALI if IdentityStatus.VALI.value in codes else IdentityStatus.PROV
    return {"identity_status": status.value} | {name: bool(codes & said) for name, said in _FLAGS.items()}


def ins(resource: Resource) -> tuple[str, str]:
    """Return the matricule and its OID as they were sent, unchecked; empty ones when there is none."""
    place = _ins_place(resource.get("identifier", []))
    if place is None:
        return "", ""
    said = resource["identifier"][place]
    return str(said.get("value", "")), oid_of(said)


def contact_points(resource: Resource) -> Values:
    """Return phone, mobile and email: the first readable one of each."""
    said = resource.get("telecom", [])
    found = {"phone": "", "mobile": "", "email": ""}
    return found | {name: _read_point(said[place]) for name, place in _points(said).items()}


def address(resource: Resource) -> Values:
    """Return the columns of the address at home, the commune found from its code or its name."""
    said = resource.get("address", [])
    place = _home(said)
    chosen: Resource = said[place] if place is not None else {}
    insee = french.insee_of(chosen).upper()
    postal_code = squeeze(chosen.get("postalCode"))
    commune = communes.by_insee(insee) or _only(communes.resolve(chosen.get("city"), postal_code))
    return {
        "address": french.lines_of(chosen)[:300],
        "postal_code": postal_code if len(postal_code) <= 5 else "",
        "town": squeeze(chosen.get("city"))[:80] or (commune.name if commune and insee else ""),
        "commune_code": commune.insee if commune and chosen else "",
    }


# ---- What is told of the whole ----------------------------------------------------------------------------------

_TRAITS: tuple[Callable[[Resource], Values], ...] = (names, sex, birth, birth_place, trust)
_CONTACTS: tuple[Callable[[Resource], Values], ...] = (contact_points, address)


def traits(resource: Resource) -> Values:
    """Return the traits (fields of IdentityTraits but the INS). Raises Invalid, by the element (INS-1, 5)."""
    try:
        found = _all(_TRAITS, resource)
    except InvalidDate as refusal:
        raise Invalid(str(refusal), expression="Patient.birthDate") from None
    required = {
        "birth_name": ("Patient.name", "Indiquez le nom de naissance (name dont use vaut « official »)."),
        "birth_given_names": ("Patient.name", "Indiquez les prénoms de naissance (name.given)."),
        "sex": ("Patient.gender", "Indiquez le sexe (gender)."),
        "birth_date": ("Patient.birthDate", "Indiquez la date de naissance (birthDate)."),
    }
    missing = [
        Issue(ERROR, "required", sentence, expression)
        for name, (expression, sentence) in required.items()
        if not found[name]
    ]
    if missing:
        raise Invalid(*missing)
    if any(len(found[name]) > size for name, size in _SIZES.items()):
        raise Invalid("Ce nom est trop long.", expression="Patient.name")
    return found


def contacts(resource: Resource) -> Values:
    """Return the fields by which a person is reached."""
    return _all(_CONTACTS, resource)


def without_ins(resource: Resource) -> Resource:
    """Return what may be kept: the matricule is a column of the dossier, shown once qualified (INS-4).

    A narrative, or a resource inside, could tell it: they go with it.
    """
    said = resource.get("identifier", [])
    kept = [one for one in said if not is_number(one)]
    if len(kept) == len(said):
        return resource
    rest = {name: value for name, value in resource.items() if name not in ("identifier", "text", "contained")}
    return rest | {"identifier": kept} if kept else rest


# What the product knows, for `finishing.with_sent`: by element, then the places of its items in lists.
SAYS: Says = {
    "name": names,
    "gender": sex,
    "birthDate": birth,
    "telecom": contact_points,
    "address": address,
    "extension": lambda resource: (birth_place(resource), trust(resource)),
}


def _our_names(said: Sequence[Any]) -> list[int]:
    return [place for place in (_official(said), _usual(said)) if place is not None]


OURS: Ours = {
    "name": _our_names,
    "telecom": lambda said: _points(said).values(),
    "address": lambda said: [] if (place := _home(said)) is None else [place],
    "extension": lambda said: [n for n, one in enumerate(said) if one.get("url") in (RELIABILITY, BIRTH_PLACE)],
}


def _all(readers: Sequence[Callable[[Resource], Values]], resource: Resource) -> Values:
    found: Values = {}
    for read in readers:
        found |= read(resource)
    return found


def _official(said: Sequence[Resource]) -> int | None:
    return french.first(
        said,
        lambda one: one.get("use") == "official",
        lambda one: one.get("use") == "maiden",
        lambda one: not one.get("use"),
    )


def _usual(said: Sequence[Resource]) -> int | None:
    return french.first(said, lambda one: one.get("use") == "usual")


def _extension(resource: Resource, url: str) -> Resource:
    return next((one for one in resource.get("extension", []) if one.get("url") == url), {})


def _ins_place(said: Sequence[Resource]) -> int | None:
    return french.first(said, oid_of)


def _points(said: Sequence[Resource]) -> dict[str, int]:
    """Return the place of the first telephone, mobile and e-mail that can be read."""
    found: dict[str, int] = {}
    for place, point in enumerate(said):
        if point.get("use") == "old" or not _read_point(point):
            continue
        name = "email" if point.get("system") == "email" else "mobile" if point.get("use") == "mobile" else "phone"
        found.setdefault(name, place)
    return found


def _read_point(point: Resource) -> str:
    value = point.get("value") or ""
    if point.get("system") == "phone":
        return phone_or_none(value) or ""
    if point.get("system") == "email":
        try:
            return parse_email(value)
        except DomainError:
            return ""
    return ""


def _home(said: Sequence[Resource]) -> int | None:
    return french.first(
        said,
        lambda one: one.get("use") == "home" and not one.get("period", {}).get("end"),
        lambda one: one.get("use") not in ("old", "billing"),
    )


def _coded(name: str, postal_code: str) -> str:
    """Return the INSEE code of a place of birth that is told by its name alone, "" when it says several or none."""
    try:
        return places.birth_place(f"{name} ({postal_code})" if postal_code else name).code
    except places.UnknownPlace:
        return ""


def _only(found: Sequence[communes.Commune]) -> communes.Commune | None:
    return found[0] if len(found) == 1 else None
