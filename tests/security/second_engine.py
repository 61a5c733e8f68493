"""A second rights engine, in SQL only, written from the text of the study (section 2, rules 1 to 4, 7 and 10).

It shares no line with habilitations/access.py and habilitations/grants.py, and says the same things in other words:
a refusal is read from the refusals, not from the state of a row; who stands for a structure, from its delegations.
To add a rule: one more clause in MEMBERS (who is inside) or in LEVELS (how far), one more value in `cases.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from habilitations.rubriques import Action, Rubrique

# Rules 2 and 3: who is inside, and by which memberships. One line per dossier and account that may enter.
MEMBERS = """
WITH person AS (
    SELECT d.id AS dossier, u.id AS account
    FROM dossiers_dossier d CROSS JOIN accounts_user u
    WHERE d.id = ANY(%(dossiers)s) AND u.id = ANY(%(accounts)s) AND u.is_active
), refused AS (
    -- « None […] if the person's refusal stands »: also once the member has left.
    SELECT h.dossier_id AS dossier, h.user_id AS account
    FROM habilitations_refusal r JOIN habilitations_habilitation h ON h.id = r.habilitation_id
    WHERE r.withdrawn_at IS NULL AND h.user_id IS NOT NULL
), membership AS (
    SELECT p.dossier, p.account, h.id, TRUE AS in_person, h.state, h.access_until
    FROM person p JOIN habilitations_habilitation h ON h.dossier_id = p.dossier AND h.user_id = p.account
    WHERE h.ended_at IS NULL
    UNION ALL
    SELECT p.dossier, p.account, h.id, FALSE, h.state, h.access_until
    FROM person p
    JOIN habilitations_delegate g ON g.user_id = p.account AND g.ended_at IS NULL
    JOIN habilitations_legalstructure l ON l.structure_id = g.structure_id AND l.closed_at IS NULL
    JOIN habilitations_habilitation h ON h.dossier_id = p.dossier AND h.structure_id = g.structure_id
    WHERE h.ended_at IS NULL
), inside AS (
    SELECT m.dossier, m.account, bool_or(m.in_person) AS in_person
    FROM membership m
    WHERE m.state = 'oui' AND (m.access_until IS NULL OR m.access_until >= %(today)s)
        AND NOT EXISTS (SELECT FROM refused r WHERE r.dossier = m.dossier AND r.account = m.account)
    GROUP BY m.dossier, m.account
)
"""

# Rule 2: the smallest of the cell, of the ceilings and of the state of the dossier; rule 1: a missing cell is none.
# What was reduced for a person holds however he enters; what was reduced for a structure, for who enters by one.
LEVELS = """
, reduced AS (
    SELECT i.dossier, i.account, c.rubrique, min(c.niveau) AS most
    FROM inside i
    JOIN membership m ON m.dossier = i.dossier AND m.account = i.account AND (m.in_person OR NOT i.in_person)
    JOIN habilitations_ceiling c ON c.habilitation_id = m.id AND c.lifted_at IS NULL
    GROUP BY i.dossier, i.account, c.rubrique
), of_profile AS (
    SELECT p.name AS profile, r.name AS rubrique, r.rank,
        coalesce((
            SELECT cell.niveau FROM habilitations_matrixrow cell
            JOIN habilitations_matrixversion v ON v.id = cell.version_id
            WHERE v.number = %(version)s AND cell.profile = p.name AND cell.rubrique = r.name
        ), 0) AS cell
    FROM unnest(%(profiles)s::text[]) AS p(name)
    CROSS JOIN unnest(%(rubrics)s::text[]) WITH ORDINALITY AS r(name, rank)
), state AS (
    SELECT name, CASE WHEN name IN ('pause', 'clos') THEN 1 ELSE 2 END AS most
    FROM unnest(%(states)s::text[]) AS name
), unbounded AS (
    SELECT i.dossier, i.account, c.profile, c.rubrique, c.rank, LEAST(c.cell, coalesce(x.most, 2)) AS level
    FROM inside i
    CROSS JOIN of_profile c
    LEFT JOIN reduced x ON x.dossier = i.dossier AND x.account = i.account AND x.rubrique = c.rubrique
), without_journal AS (
    -- Rule 7: the journal names discreet members. Reduced in this dossier, without the medical rubric: no journal.
    SELECT u.dossier, u.account, u.profile FROM unbounded u
    WHERE u.rubrique = 'medical' AND u.level = 0
        AND EXISTS (SELECT FROM reduced x WHERE x.dossier = u.dossier AND x.account = u.account)
)
SELECT u.dossier, u.account, u.profile, s.name,
    array_agg(
        CASE WHEN u.rubrique = 'journal' AND j.profile IS NOT NULL THEN 0 ELSE LEAST(u.level, s.most) END
        ORDER BY u.rank
    )
FROM unbounded u
CROSS JOIN state s
LEFT JOIN without_journal j ON j.dossier = u.dossier AND j.account = u.account AND j.profile = u.profile
GROUP BY u.dossier, u.account, u.profile, s.name
"""

# The table of action rights: what a dossier that is read-only still allows is reading, taking out, opening it again,
# and noting a refusal. "sa_structure": for the members of one's own structure only.
RIGHTS = """
SELECT p.name, s.name, a.name, coalesce(
    CASE WHEN s.name IN ('pause', 'clos')
        AND a.name NOT IN ('imprimer', 'exporter_dossier', 'lire_journal', 'clore_dossier', 'noter_refus')
    THEN '' ELSE (
        SELECT held.scope FROM habilitations_actionright held
        JOIN habilitations_matrixversion v ON v.id = held.version_id
        WHERE v.number = %(version)s AND held.profile = p.name AND held.action = a.name
    ) END, '')
FROM unnest(%(profiles)s::text[]) AS p(name)
CROSS JOIN unnest(%(states)s::text[]) AS s(name)
CROSS JOIN unnest(%(actions)s::text[]) AS a(name)
"""

# Rule 1: a profession that nobody vouched for, or that no line knows, is « inconnu ».
PROFILES = """
SELECT u.id, coalesce(
    (SELECT r.profile FROM habilitations_profilerule r JOIN habilitations_matrixversion n ON n.id = r.version_id
     WHERE n.number = %(version)s AND r.profession = v.profession AND r.fonction IN (v.fonction, '')
     ORDER BY r.fonction = '' LIMIT 1), 'inconnu')
FROM accounts_user u
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = u.id AND v.ended_at IS NULL
WHERE u.id = ANY(%(accounts)s)
"""


class SecondEngine:
    """The answers about some accounts in some dossiers. The texts may be changed, to see that faults are found."""

    def __init__(
        self, *, dossiers: Sequence[UUID], accounts: Sequence[UUID], profiles: Sequence[str], states: Sequence[str],
        version: int, today: dt.date, members: str = MEMBERS, levels: str = LEVELS, rights: str = RIGHTS,
    ) -> None:  # fmt: skip
        self.asked = {
            "dossiers": list(dossiers), "accounts": list(accounts), "profiles": list(profiles),
            "states": list(states), "version": version, "today": today, "rubrics": list(Rubrique.values),
            "actions": list(Action.values),
        }  # fmt: skip
        self.texts = members, levels, rights

    def inside(self) -> set[tuple[UUID, UUID]]:
        """Return the (dossier, account) that may enter."""
        return {tuple(line) for line in self._run(self.texts[0] + " SELECT dossier, account FROM inside")}  # noqa: S608 - our own text

    def levels(self) -> dict[tuple, tuple[int, ...]]:
        """Return {(dossier, account, profile, state): the sixteen levels} for who may enter, whatever his profile."""
        return {(d, a, p, s): tuple(levels) for d, a, p, s, levels in self._run("".join(self.texts[:2]))}

    def rights(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return {(profile, state): {action: scope}}, "" for a right that is not held."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for profile, state, action, scope in self._run(self.texts[2]):
            found.setdefault((profile, state), {})[action] = scope
        return found

    def profiles(self) -> dict[UUID, str]:
        return dict(self._run(PROFILES))

    def _run(self, sql: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self.asked)
            return cursor.fetchall()
