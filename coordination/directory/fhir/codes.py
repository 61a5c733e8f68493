"""The code systems of the directory, and which of our codes belong to the value sets that its profiles require. Pure.

Annuaire Santé 1.1.0. JDV_J100 and JDV_J107 were read (versions 20200424120000 and 20241025120000). The other value
sets (J89, J91, J94, J95, J101, J106, J108, J129) are in no package at hand: their tables are those named here.
"""

from __future__ import annotations

from typing import Final

from coordination.common import nomenclatures
from coordination.fhir.french import concept
from coordination.fhir.keeping import Resource

FINESS: Final = "https://finess.esante.gouv.fr"
SIRENE: Final = "https://sirene.fr"
RPPS_RANG: Final = "https://rppsrang.esante.gouv.fr"
STRUCTURES: Final = "urn:oid:1.2.250.1.71.4.2.2"
PEOPLE: Final = "urn:oid:1.2.250.1.71.4.2.1"
RPPS: Final = "https://rpps.esante.gouv.fr"
ADELI: Final = "https://adeli.esante.gouv.fr"
_NOS: Final = "https://mos.esante.gouv.fr/NOS"
LEGAL_STATUS: Final = f"{_NOS}/TRE_R72-FinessStatutJuridique/FHIR/TRE-R72-FinessStatutJuridique"
CATEGORIES: Final = f"{_NOS}/TRE_R66-CategorieEtablissement/FHIR/TRE-R66-CategorieEtablissement"
SECTORS: Final = f"{_NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
_SAVOIR_FAIRE: Final = {
    "S": "TRE_R38-SpecialiteOrdinale", "C": "TRE_R39-Competence", "CEX": "TRE_R40-CompetenceExclusive",
    "DNQ": "TRE_R42-DESCnonQualifiant", "CAPA": "TRE_R43-CapaciteSavoirFaire", "PAC": "TRE_R44-QualificationPAC",
    "FQ": "TRE_R45-FonctionQualifiee", "DEC": "TRE_R97-DroitExerciceCompl", "OP": "TRE_G13-OrientationParticuliere",
}  # fmt: skip
SAVOIR_FAIRE_SYSTEMS: Final = frozenset(
    f"{_NOS}/{table}/FHIR/{table.replace('_', '-')}" for table in _SAVOIR_FAIRE.values()
)
KINDS_OF_SAVOIR_FAIRE: Final = f"{_NOS}/TRE_R04-TypeSavoirFaire/FHIR/TRE-R04-TypeSavoirFaire"
# JDV_J100-FinessStatutJuridique-RASS.
LEGAL_STATUSES: Final = frozenset(
    "000 01 02 03 04 05 06 07 08 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 40 41 42 43 44 45 46"
    " 47 48 49 50 51 52 60 61 62 63 64 65 66 70 71 72 73 74 75 76 77 78 79 80 85 86 87 88 89 90 91 93 95 100 101 102"
    " 103 104 105 106 107 110".split()
)
# What a token of `role` may name: {system: column of Activity}.
_COLUMNS = {
    "profession": "profession", "genre_activite": "genre", "mode_exercice": "mode", "fonction": "fonction",
    "role": "fonction",
}  # fmt: skip


def known(kind: str, code: str) -> Resource | None:
    """Return the CodeableConcept of a code of our nomenclatures, None for one they do not have."""
    found = nomenclatures.get(kind, code)
    return concept(found.system.url, found.code, found.display) if found else None


def savoir_faire(kind: str, code: str) -> Resource | None:
    """Return a savoir-faire as a qualification tells it (JDV_J91 then JDV_J107), None for one of another table."""
    table, said = _SAVOIR_FAIRE.get(kind), nomenclatures.get("savoir_faire", code)
    if table is None or said is None:
        return None
    kinds = concept(KINDS_OF_SAVOIR_FAIRE, kind)["coding"]
    return {
        "coding": [*kinds, *concept(f"{_NOS}/{table}/FHIR/{table.replace('_', '-')}", code, said.display)["coding"]]
    }


def columns_of(system: str | None) -> dict[str, str]:
    """Return {kind of code: column of Activity} of the tables that a token names, all of them for None."""
    return {
        kind: column
        for kind, column in _COLUMNS.items()
        if system is None or system in [table.url for table in nomenclatures.systems(kind)]
    }


def kind_of(system: str, code: str) -> str:
    """Return which column of Activity a coding fills ("profession", "fonction"…); "" for none."""
    for kind, column in columns_of(system).items():
        found = nomenclatures.get(kind, code)
        if found is not None and found.system.url == system:
            return column
    return ""
