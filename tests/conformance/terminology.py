"""The national code systems and value sets that profiles bind and no package holds, built from the lists of the ANS.

Only for the judge. Value sets whose lists are not among ours stay unbuilt: the report of the judge names them.
"""

import csv
import json
from pathlib import Path

NOS = "https://mos.esante.gouv.fr/NOS"
# Value set: the code systems it is made of, whole. The ANS leaves retired codes out of some: here they pass, since
# the directory still names them. docs/conformity.md says it.
WHOLE = {
    "JDV_J78-Civilite-RASS": ["TRE_R81-Civilite"],
    "JDV_J79-CiviliteExercice-RASS": ["TRE_R11-CiviliteExercice"],
    "JDV_J89-CategorieProfessionnelle-RASS": ["TRE_R09-CategorieProfessionnelle"],
    "JDV_J91-TypeSavoirFaire-RASS": ["TRE_R04-TypeSavoirFaire"],
    "JDV_J94-GenreActivite-RASS": ["TRE_R22-GenreActivite"],
    "JDV_J95-ModeExercice-RASS": ["TRE_R23-ModeExercice"],
    "JDV_J101-SecteurActivite-RASS": ["TRE_R02-SecteurActivite"],
    "JDV_J106-EnsembleProfession-RASS": [
        "TRE_G15-ProfessionSante", "TRE_R94-ProfessionSocial", "TRE_R95-UsagerTitre", "TRE_R291-AutreProfession",
    ],
    "JDV_J108-EnsembleFonction-RASS": [
        "TRE_R21-Fonction", "TRE_R85-RolePriseCharge", "TRE_R96-AutreFonctionSanitaire",
    ],
    "JDV_J129-CategorieEtablissement-RASS": ["TRE_R66-CategorieEtablissement"],
    "JDV_J256-Pays": ["TRE_R20-Pays"],
}  # fmt: skip
COMMUNES = "TRE_R13-CommuneOM"


def canonical(name):
    """ "TRE_R20-Pays" is named twice in its own address, the second time with a dash."""
    return f"{NOS}/{name}/FHIR/{name.replace('_', '-')}"


def build(nomenclatures, geo, destination):
    """Write a definition a file in `destination`: what `nomenclatures` holds, the value sets above, the communes."""
    destination.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(nomenclatures).glob("*.json")):
        held = json.loads(path.read_text())
        if held.get("kind") == "CodeSystem":
            _write(destination, _system(held["url"], held["version"], held["concepts"]))
        elif held.get("kind") == "ValueSet" and held["url"].startswith(NOS):
            _write(destination, _listed(held))
    for name, systems in WHOLE.items():
        include = [{"system": canonical(system)} for system in systems]
        _write(destination, _value_set(canonical(name), include))
    _write(destination, _communes(Path(geo) / "communes-codes-postaux.csv"))


def _communes(path):
    """The INSEE codes, from the list of postal codes: communes of today and those that were.

    With 99999, which the INS gives to who was born nobody knows where.
    """
    with path.open() as file:
        names = {row["code_commune"]: row["nom_commune"] for row in csv.DictReader(file, delimiter=";")}
    names["99999"] = "Inconnu"
    concepts = [{"code": code, "display": name} for code, name in sorted(names.items())]
    # A fragment: the communes that no longer have a postal code are not in it.
    return _system(canonical(COMMUNES), "0", concepts, content="fragment")


def _system(url, version, concepts, content="complete"):
    return {
        "resourceType": "CodeSystem", "url": url, "version": version, "name": _name(url), "status": "active",
        "caseSensitive": True, "content": content,
        "concept": [{"code": one["code"], "display": one["display"]} for one in concepts],
    }  # fmt: skip


def _listed(held):
    by_system = {}
    for one in held["concepts"]:
        by_system.setdefault(one["system"], []).append({"code": one["code"], "display": one["display"]})
    return _value_set(held["url"], [{"system": system, "concept": codes} for system, codes in by_system.items()])


def _value_set(url, include):
    return {
        "resourceType": "ValueSet", "url": url, "version": "0", "name": _name(url), "status": "active",
        "compose": {"include": include},
    }  # fmt: skip


def _name(url):
    return url.rpartition("/")[2].replace("-", "_")


def _write(destination, resource):
    path = destination / f"{resource['resourceType']}-{resource['name']}.json"
    path.write_text(json.dumps(resource, ensure_ascii=False))
