"""`make rgaa`: docs/rgaa.md and the data of the declaration page, from tests/rgaa/criteria.toml."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHEET, DECLARED = ROOT / "docs" / "rgaa.md", ROOT / "coordination" / "common" / "data" / "rgaa.json"
MET, NOT_MET, NOT_ASKED, UNSEEN = STATES = ("conforme", "non conforme", "non applicable", "à vérifier")


def load() -> dict:
    """Return criteria.toml as it is."""
    return tomllib.loads((HERE / "criteria.toml").read_text())


def criteria(sheet: dict) -> list[dict]:
    return [one for theme in sheet["themes"] for one in theme["criteria"]]


def declared(sheet: dict) -> str:
    """Return what the product ships: the date, how many criteria per state, and those that are not met or not seen."""
    found = criteria(sheet)
    counts = Counter(one["state"] for one in found)

    def told(state: str) -> list[dict]:
        return [
            {"number": one["number"], "subject": one["subject"], "reason": one["reason"]}
            for one in found
            if one["state"] == state
        ]

    data = {
        "version": sheet["version"],
        "evaluated_on": sheet["evaluated_on"].isoformat(),
        "counts": {state: counts[state] for state in STATES},
        "failing": told(NOT_MET),
        "unseen": told(UNSEEN),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def page(sheet: dict) -> str:
    """Return docs/rgaa.md."""
    counts = Counter(one["state"] for one in criteria(sheet))
    lines = [
        "# RGAA: auto-évaluation",
        "",
        f"Référentiel : RGAA {sheet['version']} (questions : DINUM, Licence Ouverte 2.0). Date : "
        f"{sheet['evaluated_on']:%d/%m/%Y}. Écrit par `make rgaa` depuis",
        "`tests/rgaa/criteria.toml` : ne pas modifier ici. Ce n’est pas un audit : personne d’extérieur n’a jugé,",
        "aucun lecteur d’écran n’a été essayé.",
        "Le service se déclare donc « non conforme » tant qu’un audit n’est pas fait.",
        "",
        "| état | critères |",
        "|---|---:|",
        *(f"| {state} | {counts[state]} |" for state in STATES),
        "",
        "« À vérifier » : seule une personne peut juger, et aucune ne l’a fait. Un test cité en montre une partie.",
    ]
    for theme in sheet["themes"]:
        lines += ["", f"## {theme['number']}. {theme['name']}", ""]
        lines += ["| n° | critère | état | montré par, ou pourquoi |", "|---|---|---|---|"]
        for one in theme["criteria"]:
            shown = [one["reason"]] if one.get("reason") else []
            shown += [f"`{test}`" for test in one.get("tests", [])]
            lines.append(f"| {one['number']} | {one['subject']} | {one['state']} | {'<br>'.join(shown)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    sheet = load()
    SHEET.write_text(page(sheet))
    DECLARED.write_text(declared(sheet))


if __name__ == "__main__":
    main()
