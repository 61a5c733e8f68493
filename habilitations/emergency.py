"""« Accès d’urgence » (bris de glace): what it opens, to whom, and for how long. Pure but for its settings.

Sources: SEC-8; default matrix, rule 9 (médecin, infirmier; MED and DME read). The issue wins on the duration: 2 hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings

from habilitations.matrix import least
from habilitations.rubriques import Niveau, Rubric, Rubrique

# Rule 9 of the default matrix; coordinators keep to the circle, whatever their first profession.
PROFILES = frozenset({"medecin", "infirmier"})
# MED and DME, and what says that it is the right person.
RUBRICS = frozenset({Rubrique.IDENTITE, Rubrique.MEDICAL, Rubrique.DOCUMENTS_MEDICAUX})
# The state of the row that lets in: beside those of Habilitation.State, never one of them.
ROW_STATE = "urgence"


def is_on() -> bool:
    """Say whether this installation has it: off unless the setting says so."""
    return settings.BRIS_DE_GLACE


def ceilings(reduced: Mapping[str, Niveau], every: Iterable[Rubrique | Rubric]) -> dict[str, Niveau]:
    """Return {rubric: the most that is opened}: reading of RUBRICS, less what was reduced for the person himself.

    `every`: the rubrics there are, those made in the browser too.
    """
    opened = {r.value: Niveau.LECTURE if r in RUBRICS else Niveau.AUCUN for r in every}
    return {rubrique: least((niveau, reduced.get(rubrique, niveau))) for rubrique, niveau in opened.items()}
