"""fr-core-patient 2.1.0, and fr-core-patient-ins when it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import (
    FR_CORE,
    FR_V2_0203,
    HL7,
    V2_0203,
    Value,
    between,
    contact_points,
    doubtful,
    each,
    extensions,
    human_names,
    matches,
    needs,
    nos,
    once,
    typed,
    wrong,
)  # fmt: skip

CANONICAL = f"{FR_CORE}fr-core-patient"
INS_CANONICAL = f"{FR_CORE}fr-core-patient-ins"
RELIABILITY = f"{FR_CORE}fr-core-identity-reliability"
BIRTH_PLACE = f"{HL7}patient-birthPlace"
INSEE_CODE = f"{FR_CORE}fr-core-address-insee-code"
BIRTH_NAMES = f"{FR_CORE}fr-core-patient-birth-list-given-name"
VALIDATION_MODE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity"
COMMUNES = nos("TRE_R13-CommuneOM")
_ONCE = tuple(
    f"{FR_CORE}fr-core-patient-{name}" for name in ("nationality", "death-place", "birthdate-update-indicator")
)
_INSIDE_RELIABILITY = ("methodCollection", "dateCollection", "identityStatus", "validationDate", "validationMode")


class Slice(NamedTuple):
    """An identifier told apart by its type: the use and the system it then has, and whether it comes once."""

    type: Value
    use: str
    system: str = ""
    once: bool = False
    needs: tuple[str, ...] = ("value",)


_OID = "urn:oid:1.2.250.1.213.1.4."
# NIR, NIA, those of tests and of demonstrations.
_MATRICULES = frozenset({"8", "9", "10", "11"})
SLICES = (
    Slice(typed(V2_0203, "NH"), "official", f"{_OID}8", once=True),
    Slice(typed(FR_V2_0203, "INS-C", "Identifiant National de Santé Calculé"), "secondary", f"{_OID}2"),
    Slice(
        typed(FR_V2_0203, "NDP", "Identifiant du patient au Dossier Pharmaceutique"), "secondary",
        "urn:oid:1.2.250.1.176.1.2", once=True, needs=("system", "value"),
    ),
    Slice(typed(V2_0203, "PI", "Patient internal identifier"), "usual", needs=("system", "value")),
    Slice(typed(V2_0203, "RRI", "Regional registry ID"), "secondary", needs=("system", "value")),
)  # fmt: skip
INS_SLICES = (
    Slice(typed(FR_V2_0203, "INS-NIR"), "official", f"{_OID}8"),
    Slice(typed(FR_V2_0203, "INS-NIR-TEST"), "official", f"{_OID}10"),
    Slice(typed(FR_V2_0203, "INS-NIR-DEMO"), "official", f"{_OID}11"),
    Slice(typed(FR_V2_0203, "INS-NIA"), "temp", f"{_OID}9"),
)


def check(patient: Value, path: str = "Patient") -> Iterator[Issue]:
    """Yield what fr-core-patient refuses; it asks for no element, and says how those that come are made."""
    yield from _identifiers(patient, path, SLICES)
    for name, where in each(patient, "name", path):
        if name.get("use") == "official":
            yield from needs(name, where, "family", "given")
            yield from once(name, where, BIRTH_NAMES)
    yield from human_names(patient, path)
    yield from contact_points(patient, path)
    for contact, where in each(patient, "contact", path):
        if "name" in contact:
            yield from between(contact["name"], "prefix", f"{where}.name", 0, 1)
        yield from contact_points(contact, where)
    yield from once(patient, path, *_ONCE, BIRTH_PLACE)
    yield from _birth_place(patient, path)
    yield from _reliability(patient, path)


def check_ins(patient: Value, path: str = "Patient") -> Iterator[Issue]:
    """Yield what fr-core-patient-ins asks for besides: the traits of the INS."""
    yield from between(patient, "identifier", path, 1, 1000)
    yield from _identifiers(patient, path, INS_SLICES)
    yield from needs(patient, path, "gender", "birthDate")
    if patient.get("gender") == "other":
        yield wrong("code-invalid", "Le sexe de l’INS est male, female ou unknown.", f"{path}.gender")
    yield from _official_name(patient, path)
    if _is_validated(patient) and not any(_is_matricule(one) for one in patient.get("identifier", [])):
        yield wrong("invariant", "Une identité validée (VALI) a son matricule INS (fr-core-1).", f"{path}.identifier")
    if not extensions(patient, RELIABILITY):
        yield wrong("required", "La fiabilité de l’identité est obligatoire.", f"{path}.extension")
    places = extensions(patient, BIRTH_PLACE)
    if not places:
        yield wrong("required", "Le lieu de naissance est obligatoire.", f"{path}.extension")
    for place in places:
        if not extensions(place.get("valueAddress", {}), INSEE_CODE):
            where = f"{path}.extension[{patient['extension'].index(place)}].value"
            yield wrong("required", "Le lieu de naissance a son code INSEE.", where)


def _is_validated(patient: Value) -> bool:
    return any(
        one.get("valueCoding", {}).get("code") == "VALI"
        for said in extensions(patient, RELIABILITY)
        for one in extensions(said, "identityStatus")
    )


def _is_matricule(identifier: Value) -> bool:
    """Say whether it is one, by its system; of one that says so by its type, a wrong system is told by itself."""
    if str(identifier.get("system", "")).removeprefix(_OID) in _MATRICULES:
        return True
    codes = {one.get("code") for one in identifier.get("type", {}).get("coding", [])}
    return any(str(code).startswith(("INS-NIR", "INS-NIA")) for code in codes)


def _official_name(patient: Value, path: str) -> Iterator[Issue]:
    names = [(name, where) for name, where in each(patient, "name", path) if name.get("use") == "official"]
    if len(names) != 1:
        code = "structure" if names else "required"
        yield wrong(code, "Une identité INS a un nom de naissance (official) et un seul.", f"{path}.name")
    for name, where in names:
        yield from between(name, "given", where, 1, 1)
        if not extensions(name, BIRTH_NAMES):
            yield wrong("required", "La liste des prénoms de naissance est obligatoire.", f"{where}.extension")


def _identifiers(patient: Value, path: str, slices: tuple[Slice, ...]) -> Iterator[Issue]:
    for one in slices:
        found = [(i, at) for i, at in each(patient, "identifier", path) if matches(i.get("type"), one.type)]
        if one.once and len(found) > 1:
            name = one.type["coding"][0]["code"]
            yield wrong("structure", f"Un seul identifiant de type {name} est permis.", f"{path}.identifier")
        for identifier, where in found:
            yield from needs(identifier, where, *one.needs)
            for name, expected in (("use", one.use), ("system", one.system)):
                if expected and identifier.get(name, expected) != expected:
                    yield wrong("value", f"Pour ce type d’identifiant, {name} est {expected}.", f"{where}.{name}")


def _birth_place(patient: Value, path: str) -> Iterator[Issue]:
    for extension, where in each(patient, "extension", path):
        if extension.get("url") != BIRTH_PLACE:
            continue
        if "valueAddress" not in extension:
            yield wrong("required", "Le lieu de naissance est une adresse.", f"{where}.value")
        address = extension.get("valueAddress", {})
        yield from once(address, f"{where}.value", INSEE_CODE)
        for code in extensions(address, INSEE_CODE):
            coding = code.get("valueCoding", {})
            if "code" not in coding:
                yield wrong("required", "Le code INSEE est un code.", f"{where}.value.extension")
            elif coding.get("system") != COMMUNES:
                # Required by the profile, and the guide's own example has another table: read all the same.
                yield doubtful("La table du code INSEE est TRE_R13-CommuneOM.", f"{where}.value.extension")


def _reliability(patient: Value, path: str) -> Iterator[Issue]:
    for extension, where in each(patient, "extension", path):
        if extension.get("url") != RELIABILITY:
            continue
        yield from once(extension, where, *_INSIDE_RELIABILITY)
        if any(name.startswith("value") for name in extension):
            yield wrong("structure", "La fiabilité de l’identité n’a pas de valeur, mais des parties.", where)
        for mode in extensions(extension, "validationMode"):
            if mode.get("valueCoding", {}).get("system") != VALIDATION_MODE:
                yield wrong("code-invalid", "Le mode de validation n’est pas de sa liste.", f"{where}.extension")
