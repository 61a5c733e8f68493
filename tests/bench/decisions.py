"""Decisions in memory: how many one core takes in a second, from rows already read."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from unittest import mock

TIMES = 20_000
GOAL = 50_000
TODAY = dt.date(2026, 11, 28)


def run(full: bool) -> list[dict]:
    """Return the figures of a plain grant, and of one with two ceilings on its last day."""
    plain = dict.fromkeys(("structure_id", "hat_structure_id", "access_until")) | {
        "id": uuid.uuid4(), "state": "oui", "user_id": uuid.uuid4(), "matrix_number": 1, "hat_profession": "60",
        "hat_fonction": "", "hat_national_id": "", "hat_structure_name": "", "hat_how": "annuaire", "ceilings": [],
        "ground": "reconnue", "ground_end": "", "ground_until": None,
    }  # fmt: skip
    limited = plain | {"ceilings": ["medical=0", "liaison=1"], "access_until": TODAY}
    return [_figure("Decision", plain), _figure("Decision with two ceilings and a last day", limited)]


def _figure(name: str, row: dict) -> dict:
    from habilitations import access, defaults, published
    from habilitations.matrix import Matrix
    from habilitations.rubriques import Rubrique

    shipped = defaults.load()
    matrix = Matrix(1, shipped.levels, shipped.action_rights, shipped.profile_rules)
    best = 0.0
    with mock.patch.object(published, "read", lambda number, catalog: matrix):  # noqa: PT008 - a mock would be measured too
        for _ in range(5):
            start = time.process_time()
            for _ in range(TIMES):
                access.decide([row], today=TODAY).level(Rubrique.MEDICAL)
            best = max(best, TIMES / (time.process_time() - start))
    goal = f"at least {GOAL:,} a second per core"
    return {"name": name, "value": f"{best:,.0f} a second", "goal": goal, "ok": best >= GOAL}
