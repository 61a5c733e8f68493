"""What this server does, made from what the rooms declare (CDS-1)."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from coordination.fhir import patching, registry
from coordination.fhir.registry import (
    DELETE,
    HISTORY,
    HISTORY_OF_TYPE,
    PATCH,
    VREAD,
    Param,
    ReferenceParam,
    Resource,
)

FHIR_VERSION: Final = "4.0.1"
GUIDE: Final = "https://interop.esante.gouv.fr/ig/fhir/cds/ImplementationGuide/ans.fhir.fr.cds"
_GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap"
# The roles played, each of a national guide.
ROLES: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/cds/CapabilityStatement/CDSGestionnaire",
    f"{_GAP}/CapabilityStatement/GAP-GestionnaireAgenda",
    f"{_GAP}/CapabilityStatement/GAP-GestionnaireRessources",
)
GUIDES: Final = (GUIDE, f"{_GAP}/ImplementationGuide/ans.fhir.fr.gap")
EXPORT: Final = "export"
_CORE: Final = "http://hl7.org/fhir/SearchParameter/Resource"
# The order of FHIR's own statements: what is done with one resource, then with a type.
_ORDER: Final = ("create", "update", PATCH, DELETE, "read", VREAD, "search-type", HISTORY, HISTORY_OF_TYPE)
_TRANSACTIONS: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-bundle-transaction-creation",
    "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-bundle-transaction-maj",
)


def statement(base: str) -> Resource:
    """Return the CapabilityStatement of this installation; `base` is the address of its API."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": settings.FHIR_STATEMENT_DATE,
        "publisher": "Coordination",
        "kind": "instance",
        "instantiates": list(ROLES),
        "software": {"name": "Coordination", "version": settings.VERSION},
        "implementation": {"description": "Dossier de coordination : cercle de soins, agendas partagés", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "xml"],
        "patchFormat": [patching.MEDIA],
        "implementationGuide": list(GUIDES),
        "rest": [
            {
                "mode": "server",
                "documentation": DOCUMENTATION,
                "security": _security(base),
                "resource": [_resource(name) for name in registry.types()],
                "interaction": [{"code": "transaction", "documentation": profile} for profile in _TRANSACTIONS],
                "operation": [{"name": EXPORT, "definition": f"{base}/OperationDefinition/{EXPORT}"}],
            }
        ],
    }


def export_definition(base: str) -> Resource:
    """Return the OperationDefinition of `$export`: ours, for that of FHIR Bulk Data answers later and by files."""
    return {
        "resourceType": "OperationDefinition",
        "id": EXPORT,
        "url": f"{base}/OperationDefinition/{EXPORT}",
        "name": "ExportOfManagedCircles",
        "status": "active",
        "kind": "operation",
        "date": settings.FHIR_STATEMENT_DATE,
        "publisher": "Coordination",
        "description": (
            "The circles that the software's structure manages, among those that the acting professional may read, "
            "with their members: one resource a line, in the answer itself (application/fhir+ndjson)."
        ),
        "code": EXPORT,
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [{"name": "return", "use": "out", "min": 1, "max": "1", "type": "Binary"}],
    }


DOCUMENTATION: Final = (
    "Search by POST [type]/_search: addresses may be written in logs, bodies are not. An unknown search parameter is "
    "ignored with a warning (Prefer: handling=lenient) or refused (handling=strict). Versions: ETag, If-Match, "
    "If-None-Match. A creation sent again: If-None-Exist, or Idempotency-Key with the same content. A person or a "
    "member that looks like another one is refused (409) unless the header Duplicate-Reason says why it is another. "
    "A software names the professional it acts for in each call (header Acting-Professional): rights are his. "
    "A circle sent back from a version that is over (meta) is refused (412), also without If-Match. "
    "What a client created and nothing names can be deleted; a circle never: a member leaves by "
    "participant.period.end. Slots are computed: their ids stay while the availability says the same. "
    "GET [base]/$export gives, one resource a line "
    "(application/fhir+ndjson), the circles that the software's structure manages."
)


def _security(base: str) -> Resource:
    token = {"url": "token", "valueUri": f"{base}/oauth/token"}
    return {
        "cors": False,
        "extension": [
            {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": [token]}
        ],
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ],
                "text": "OAuth2 (client credentials, SMART scopes)",
            }
        ],
    }


def _resource(name: str) -> Resource:
    providers = registry.for_type(name)
    interactions = set().union(*(provider.interactions for provider in providers))
    params: dict[str, Param] = {}
    for provider in providers:
        for key, param in provider.params.items():
            params.setdefault(key, param)
    includes = sorted(f"{name}:{key}" for key, param in params.items() if isinstance(param, ReferenceParam))
    said: Resource = {
        "type": name,
        "profile": providers[0].profile,
        "interaction": [{"code": code} for code in _ORDER if code in interactions],
        "versioning": "versioned-update" if VREAD in interactions else "versioned",
        "readHistory": VREAD in interactions,
        "updateCreate": False,
        "conditionalCreate": "create" in interactions,
        "conditionalRead": "not-match",
        "conditionalUpdate": any(provider.conditional_update for provider in providers),
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "local"],
        "searchInclude": ["*", *includes],
        "searchRevInclude": _referring(name),
        "searchParam": [
            {"name": "_id", "definition": f"{_CORE}-id", "type": "token"},
            *(_param(key, params[key]) for key in sorted(params)),
        ],
    }
    if not said["searchRevInclude"]:
        del said["searchRevInclude"]
    if providers[0].documentation:
        said["documentation"] = providers[0].documentation
    if name == "Patient":
        definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        said["operation"] = [{"name": "everything", "definition": definition}]
    return said


def _param(name: str, param: Param) -> Resource:
    said = {"name": name, "type": param.type}
    if param.definition:
        said["definition"] = param.definition
    if param.documentation:
        said["documentation"] = param.documentation
    return said


def _referring(name: str) -> list[str]:
    found = {
        f"{provider.type}:{key}"
        for type_name in registry.types()
        if not registry.is_computed(type_name)
        for provider in registry.for_type(type_name)
        for key, param in provider.params.items()
        if isinstance(param, ReferenceParam) and name in param.targets
    }
    return sorted(found)
