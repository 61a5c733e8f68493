"""The matrix shipped with the product, read from `data/*.csv` (source and version inside each file)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from habilitations.rubriques import Action, Niveau, Rubrique, Scope

DATA = Path(__file__).parent / "data"
_NIVEAUX = {"aucun": Niveau.AUCUN, "lecture": Niveau.LECTURE, "ecriture": Niveau.ECRITURE}


@dataclass(frozen=True)
class Defaults:
    """levels {profile: {rubrique: Niveau}}, action_rights {profile: {action: Scope}}, profile_rules
    {(profession, fonction): profile}: the three arguments of `actions.publish_matrix`."""

    levels: dict[str, dict[str, Niveau]]
    action_rights: dict[str, dict[str, Scope]]
    profile_rules: dict[tuple[str, str], str]


def load() -> Defaults:
    """Return the default matrix. A ValueError or KeyError means that a file of the product is damaged."""
    levels = {
        row["profil"]: {rubrique.value: _NIVEAUX[row[rubrique.value]] for rubrique in Rubrique}
        for row in _rows("matrix-1.csv")
    }
    action_rights: dict[str, dict[str, Scope]] = {}
    for row in _rows("action-rights.csv"):
        action_rights.setdefault(row["profil"], {})[Action(row["action"]).value] = Scope(row["portee"])
    profile_rules = {(row["profession"], row["fonction"]): row["profil"] for row in _rows("profiles.csv")}
    return Defaults(levels, action_rights, profile_rules)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(line for line in lines if not line.startswith("#"))
