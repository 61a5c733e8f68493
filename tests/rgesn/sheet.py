"""`make rgesn`: docs/rgesn.md and the data of the declaration page, from tests/rgesn/criteria.toml."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHEET, DECLARED = ROOT / "docs" / "rgesn.md", ROOT / "coordination" / "common" / "data" / "rgesn.json"
MET, NOT_MET, NOT_ASKED, UNSEEN, OPERATOR = STATES = (
    "conforme", "non conforme", "non applicable", "à vérifier", "à l’exploitant",
)  # fmt: skip
# What a criterion weighs in the score of the RGESN (its annex on the calculation).
WEIGHTS = {"prioritaire": 1.5, "recommandé": 1.25, "modéré": 1.0}


def load() -> dict:
    """Return criteria.toml as it is."""
    return tomllib.loads((HERE / "criteria.toml").read_text())


def criteria(sheet: dict) -> list[dict]:
    return [one for theme in sheet["themes"] for one in theme["criteria"]]


def score(found: list[dict]) -> int:
    """Return the weight of what is met over that of what applies, in hundredths, never rounded up."""
    asked = [one for one in found if one["state"] != NOT_ASKED]
    met = sum(WEIGHTS[one["priority"]] for one in asked if one["state"] == MET)
    return int(100 * met / sum(WEIGHTS[one["priority"]] for one in asked))


def declared(sheet: dict) -> str:
    """Return what the product ships: the date, the counts, the score, and what is not met by its state."""
    found = criteria(sheet)
    counts, first = Counter(), Counter()
    for one in found:
        counts[one["state"]] += 1
        first[one["state"]] += one["priority"] == "prioritaire"
    data = {
        "version": sheet["version"],
        "evaluated_on": sheet["evaluated_on"].isoformat(),
        "score": score(found),
        "counts": {state: counts[state] for state in STATES},
        "priority": {state: first[state] for state in STATES},
        "told": {
            state: [{name: one[name] for name in ("number", "subject", "reason")} for one in found
                    if one["state"] == state]
            for state in (NOT_MET, UNSEEN, OPERATOR)
        },
    }  # fmt: skip
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def page(sheet: dict) -> str:
    """Return docs/rgesn.md."""
    data = json.loads(declared(sheet))
    lines = [
        "# RGESN : auto-évaluation",
        "",
        f"Référentiel général d’écoconception de services numériques, {sheet['version']} (Arcep, Arcom, ADEME) ; les",
        f"critères sont dits ici en d’autres mots. Date : {sheet['evaluated_on']:%d/%m/%Y}. Écrit par `make rgesn`",
        "depuis `tests/rgesn/criteria.toml` : ne pas modifier ici. Personne d’extérieur n’a jugé.",
        "",
        "| état | critères | dont prioritaires |",
        "|---|---:|---:|",
        *(f"| {state} | {data['counts'][state]} | {data['priority'][state]} |" for state in STATES),
        "",
        f"Score d’avancement : {data['score']} % (poids des critères conformes sur ceux qui s’appliquent). Ce qui est",
        "« à vérifier » ou « à l’exploitant », à qui il revient de répondre, n’y compte pas comme conforme.",
    ]
    for theme in sheet["themes"]:
        lines += ["", f"## {theme['number']}. {theme['name']}", ""]
        lines += ["| n° | critère | priorité | état | montré par, ou pourquoi |", "|---|---|---|---|---|"]
        for one in theme["criteria"]:
            shown = "<br>".join([one["reason"], *(f"`{test}`" for test in one.get("tests", []))])
            lines.append(f"| {one['number']} | {one['subject']} | {one['priority']} | {one['state']} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    sheet = load()
    SHEET.write_text(page(sheet))
    DECLARED.write_text(declared(sheet))


if __name__ == "__main__":
    main()
