"""Acting for another in one dossier: the rows that let a substitute in, and what they are worth. SQL and values only.

Whoever acts for another enters by the other's own habilitation, while it grants. He is never given more than the other
holds there, nor more than his own profession gives (SEC-15; docs/decisions/2026-11-28-acting-for-another.md).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

from habilitations.matrix import Matrix
from habilitations.rubriques import Action, Niveau, Scope

STAND_IN, SECRETARY = "remplacement", "secretariat"

# For `habilitations.grants`, with {user} and {dossier}: columns said of the other, rows, what makes them stand.
# The days are left to `is_open`, but for those long gone. A refusal that stands for the other closes his own way in,
# and so does a profession that would not tell him whose dossier it is: lists name people by the substitute's own.
SAID = """json_build_array(
        a.kind, a.principal_id, trim(p.family_name || ' ' || p.given_name), pv.profession, pv.fonction,
        pv.structure_id, a.rubriques, a.first_day, a.last_day
    )::text"""
FOR_ANOTHER = """habilitations_actingfor a
JOIN accounts_user p ON p.id = a.principal_id AND p.is_active
JOIN habilitations_vouchedprofession pv ON pv.user_id = a.principal_id AND pv.ended_at IS NULL
JOIN habilitations_habilitation h ON h.user_id = a.principal_id AND h.dossier_id = {dossier} AND h.ended_at IS NULL
    AND h.state = 'oui'"""
STANDS = """a.substitute_id = {user} AND a.ended_at IS NULL AND a.accepted_at IS NOT NULL
    AND coalesce(a.last_day, 'infinity') >= current_date - 1
    AND (a.kind = 'remplacement' OR EXISTS (
        SELECT 1 FROM habilitations_secretaryconsent k
        WHERE k.dossier_id = h.dossier_id AND k.acting_id = a.id AND k.withdrawn_at IS NULL
    ))
    AND EXISTS (
        SELECT 1 FROM habilitations_matrixrow m
        WHERE m.version_id = (SELECT id FROM habilitations_matrixversion ORDER BY number DESC LIMIT 1)
            AND m.rubrique = 'identite' AND m.niveau > 0 AND m.profile = (
                SELECT l.profile FROM habilitations_profilerule l
                WHERE l.version_id = m.version_id AND l.profession = pv.profession AND l.profile <> ''
                    AND l.fonction IN (pv.fonction, '')
                ORDER BY l.fonction DESC LIMIT 1
            )
    )
    AND NOT EXISTS (
        SELECT 1 FROM habilitations_habilitation r
        WHERE r.dossier_id = h.dossier_id AND r.user_id = a.principal_id AND r.state = 'refus'
    )"""


@dataclass(frozen=True, slots=True)
class Principal:
    """For whom one acts, and what bounds it: his profile, and for a secretary the rubrics he chose.

    `until`: the last day, None for a secretary without one.
    """

    kind: str
    id: UUID
    name: str
    profile: str
    structure_id: UUID | None = None
    rubriques: frozenset[str] = frozenset()
    until: dt.date | None = None

    def most(self, matrix: Matrix, rubrique: str) -> Niveau:
        """Return the most that one may do in a rubric by acting for him: his own cell, none outside what he chose."""
        if self.kind == SECRETARY and rubrique not in self.rubriques:
            return Niveau.AUCUN
        return matrix.level(self.profile, rubrique)

    def may(self, matrix: Matrix, action: Action, structure_id: UUID | None) -> bool:
        """Say whether he holds an action right himself for a member of this structure."""
        scope = matrix.scope(self.profile, action)
        if scope == Scope.OWN_STRUCTURE:
            return structure_id is not None and structure_id == self.structure_id
        return scope is not None

    @property
    def bounds(self) -> tuple:
        """All that `most` and `may` depend on: what is drawn for one reader may serve another with the same."""
        return self.kind, self.profile, self.structure_id, self.rubriques


def principal_of(said: str, matrix: Matrix) -> Principal:
    """Return for whom the row lets in, from what SAID says."""
    kind, user_id, name, profession, fonction, structure_id, rubriques, _, last = json.loads(said)
    return Principal(
        kind=kind,
        id=UUID(user_id),
        name=name,
        profile=matrix.profile_of(profession, fonction),
        structure_id=UUID(structure_id) if structure_id else None,
        rubriques=frozenset(rubriques),
        until=_day(last),
    )


def last_day(row: dict) -> dt.date | None:
    """Return the last day of a row of the decision: that of the grant or of the acting, whichever comes first."""
    found = _ends(row)
    return found if found < dt.date.max else None


def is_open(row: dict, today: dt.date) -> bool:
    return _way(row)[1] <= today <= _ends(row)


def preference(row: dict) -> tuple:
    """Return what sorts the ways in: one's own habilitation, which a trace should name, a structure's, those of whom
    one stands in for, those of whose secretary one is; then the one that lasts longest."""
    return _way(row)[0], row["user_id"] is None, -_ends(row).toordinal(), row["id"]


def concerns(access, user_id: UUID | None, by) -> bool:
    """Say whether an account is that of `by` or of the one for whom he acts here: nobody widens his own way in."""
    other = access.on_behalf_of.id if access.on_behalf_of else by.pk
    return user_id is not None and user_id in (by.pk, other)


def is_way_in(access, row, by) -> bool:
    """Say whether a habilitation lets `by` in, himself, by his structure or by another: he does not widen it."""
    return row.pk == access.habilitation_id or concerns(access, row.user_id, by)


def _ends(row: dict) -> dt.date:
    return min(*(row[day] or dt.date.max for day in ("access_until", "ground_until")), _way(row)[2])


def _way(row: dict) -> tuple[int, dt.date, dt.date]:
    """Return (rank, first day, last day): 0 and always for one's own rows and those of structures."""
    said = row.get("acting")
    if not said:
        return 0, dt.date.min, dt.date.max
    kind, *_, first, last = json.loads(said)
    return 1 if kind == STAND_IN else 2, dt.date.fromisoformat(first), _day(last) or dt.date.max


def _day(said: str | None) -> dt.date | None:
    return dt.date.fromisoformat(said) if said else None
