"""The shipped matrix read again, from its files, by nothing of the product: what the tables of this folder expect.

Levels are numbers, 0 to 2; what is not written is 0 (rule 1).
"""

from __future__ import annotations

import csv
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "habilitations" / "data"
NUMBERS = {"aucun": 0, "lecture": 1, "ecriture": 2}


def _lines(name: str) -> list[dict[str, str]]:
    text = (DATA / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in text if line and not line.startswith("#")))


# {profile: {rubric: 0, 1 or 2}}
LEVELS = {
    line["profil"]: {rubric: NUMBERS[word] for rubric, word in line.items() if rubric != "profil"}
    for line in _lines("matrix-1.csv")
}
# Of each profile, its actions and how far they go: « tous » or « sa_structure ».
RIGHTS: dict[str, dict[str, str]] = {profile: {} for profile in LEVELS}
for _line in _lines("action-rights.csv"):
    RIGHTS[_line["profil"]][_line["action"]] = _line["portee"]
# Rule 7 of the study, word for word: « aide à domicile, transport, bénévole, enseignant ».
REDUCED_CIRCLE = frozenset({"aide_domicile", "transport_psdm", "benevole", "education_nationale"})
# What a dossier that is closed or in pause still allows: reading, taking what one reads out, opening it again, and
# noting a refusal, which only closes.
STILL_ALLOWED = frozenset({"imprimer", "exporter_dossier", "lire_journal", "clore_dossier", "noter_refus"})


def profession_of(profile: str) -> tuple[str, str]:
    """Return a profession and fonction that lead to a profile: a real pair, or a made-up code to publish beside."""
    for line in _lines("profiles.csv"):
        if line["profil"] == profile:
            return line["profession"], line["fonction"]
    return f"Z{list(LEVELS).index(profile):02}", ""


def made_up() -> dict[tuple[str, str], str]:
    """Return the lines that give their profile to the made-up codes: no profession leads to these profiles yet."""
    pairs = {profession_of(profile): profile for profile in LEVELS}
    return {pair: profile for pair, profile in pairs.items() if pair[0].startswith("Z")}
