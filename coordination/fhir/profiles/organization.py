"""cds-organization, on as-organization 1.1.0: an entité juridique, an entité géographique, an organisation interne."""

from __future__ import annotations

from collections.abc import Iterator

from coordination.common import nomenclatures
from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import (
    ANNUAIRE,
    CDS,
    FR_CORE,
    FR_V2_0203,
    HL7,
    Value,
    contact_points,
    doubtful,
    each,
    extensions,
    mailboxes,
    matches,
    needs,
    nos,
    once,
    typed,
    wrong,
)  # fmt: skip

CANONICAL = f"{CDS}cds-organization"
INTERNAL = "https://oi.esante.gouv.fr"
INTERNAL_TYPE = typed(nos("TRE_R345-TypeIdentifiantAutre"), "42")
NATIONAL = "urn:oid:1.2.250.1.71.4.2.2"
NATIONAL_TYPE = typed(FR_V2_0203, "IDNST")
TYPES = f"{ANNUAIRE}as-ext-organization-types"
PERIOD = f"{HL7}organization-period"
KINDS = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-3307"
# fr-core-vs-organization-type 2.1.0: the whole of its code system.
_KIND_CODES = frozenset({
    "GHT", "LEGAL-ENTITY", "GEOGRAPHICAL-ENTITY", "GROUP", "HEBERGEMENT", "SOIN", "ADMINISTRATIF", "MEDICAL",
    "TECHNIQUE", "MEDICOTEC", "UF", "SERVICE", "UM", "UAC", "POLE",
    "CENTRE-RESP", "CENTRE-ACTIVITE",
})  # fmt: skip
ESTABLISHMENTS = "https://interop.esante.gouv.fr/ig/fhir/annuaire/CodeSystem/as-cs-type-etablissement"
# Slices of `type`: the table of each, and whether the extension that names it is mandatory.
SLICES = {
    "organizationType": (KINDS, True),
    "secteurActiviteRASS": (nos("TRE_R02-SecteurActivite"), True),
    "categorieEtablissementRASS": (nos("TRE_R66-CategorieEtablissement"), False),
    "activiteINSEE": (nos("TRE_R75-InseeNAFrev2Niveau5"), True),
    "statutJuridiqueINSEE": (nos("TRE_R72-FinessStatutJuridique"), True),
    "sphParticipation": (nos("TRE_R73-ESPIC"), True),
    "typeEtablissement": (ESTABLISHMENTS, True),
}
_LISTS = {"secteurActiviteRASS": "secteur_activite", "categorieEtablissementRASS": "categorie_etablissement"}
_ONCE = (
    f"{FR_CORE}fr-core-organization-short-name", f"{FR_CORE}fr-core-organization-description", PERIOD,
    *(f"{ANNUAIRE}as-ext-{name}" for name in (
        "digital-certificate", "organization-pricing-model", "organization-closing-type", "organization-budget-type",
        "organization-authorization-deadline",
    )),
)  # fmt: skip


def check(organization: Value, path: str = "Organization") -> Iterator[Issue]:
    """Yield what the profile refuses."""
    yield from _identifiers(organization, path)
    yield from _types(organization, path)
    yield from contact_points(organization, path)
    yield from mailboxes(organization, path)
    for contact, where in each(organization, "contact", path):
        yield from contact_points(contact, where)
    yield from once(organization, path, *_ONCE)
    for extension, where in each(organization, "extension", path):
        if extension.get("url") == PERIOD and "valuePeriod" not in extension:
            yield wrong("required", "La période d’une organisation est une période.", f"{where}.value")
    for address, where in each(organization, "address", path):
        if "country" in address and nomenclatures.get("pays", address["country"]) is None:
            # Required by as-address-extended, and everybody writes « France ».
            yield doubtful("Le pays d’une adresse est un code de TRE_R20-Pays.", f"{where}.country")


def _identifiers(organization: Value, path: str) -> Iterator[Issue]:
    internal, national = 0, 0
    for identifier, where in each(organization, "identifier", path):
        yield from needs(identifier, where, "system", "value")
        of_type = matches(identifier.get("type"), INTERNAL_TYPE)
        internal += of_type
        if identifier.get("system") == INTERNAL and not of_type:
            # Without its type it is of no slice: nothing refuses it, and nothing says what it is.
            yield doubtful("Le type d’un identifiant d’organisation interne est TRE_R345, code 42.", f"{where}.type")
        if identifier.get("system") == NATIONAL and matches(identifier.get("type"), NATIONAL_TYPE):
            national += 1
            if identifier.get("use", "official") != "official":
                yield wrong("value", "Pour ce type d’identifiant, use est official.", f"{where}.use")
    if internal > 1:
        yield wrong("structure", "Un seul identifiant d’organisation interne est permis.", f"{path}.identifier")
    if national > 1:
        yield wrong("structure", "Un seul identifiant national (IDNST) est permis.", f"{path}.identifier")


def _types(organization: Value, path: str) -> Iterator[Issue]:
    counts: dict[str, int] = {}
    for concept, where in each(organization, "type", path):
        yield from _kinds(concept, where)
        name = _slice_of(concept)
        if not name:
            continue
        counts[name] = counts.get(name, 0) + 1
        if SLICES[name][1] and [one.get("valueCode") for one in extensions(concept, TYPES)] != [name]:
            yield wrong("required", f"L’extension as-ext-organization-types dit {name}.", f"{where}.extension")
        if len(concept["coding"]) > 1:
            yield wrong("structure", "Un seul code est permis par type.", f"{where}.coding")
    for name, count in counts.items():
        if count > 1:
            yield wrong("structure", f"Un seul type {name} est permis.", f"{path}.type")


def _kinds(concept: Value, where: str) -> Iterator[Issue]:
    yield from once(concept, where, TYPES)
    for named in extensions(concept, TYPES):
        if named.get("valueCode") not in SLICES:
            yield wrong("code-invalid", "Cette sorte de type n’existe pas.", f"{where}.extension")
    for coding in concept.get("coding", []):
        if coding.get("system") == KINDS and coding.get("code") not in _KIND_CODES:
            yield wrong("code-invalid", "Ce type n’est pas de la liste fr-core-cs-v2-3307.", f"{where}.coding")


def _slice_of(concept: Value) -> str:
    """The slice whose list holds one of the codes; a code of no list we have is of no slice."""
    for coding in concept.get("coding", []):
        for name, (system, _) in SLICES.items():
            if coding.get("system") == system and _listed(name, coding.get("code")):
                return name
    return ""


def _listed(name: str, code: str | None) -> bool:
    if name == "organizationType":
        return code in _KIND_CODES
    return name not in _LISTS or nomenclatures.get(_LISTS[name], code) is not None
