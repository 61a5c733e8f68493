"""A second rights engine, in SQL only, written from the text of the rules.

The study (section 2, rules 1 to 4, 7, 9, 10), the decisions on consents, on acting for another and on emergencies.

It shares no line with habilitations/access.py and habilitations/grants.py, and says the same things in other words:
a refusal is read from the refusals, not from the state of a row; who stands for a structure, from its delegations.
To add a rule: one more clause in INSIDE (who is inside, by what), in BOUNDS (what is taken away there) or in LEVELS
(how far), one more value in `cases.py`. Every step is MATERIALIZED: planned as one, they took minutes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from habilitations.rubriques import Action, Rubrique

# A plan gone wrong fails, rather than stopping the whole suite.
AT_MOST = "60s"
SET = "SELECT set_config('statement_timeout', %s, TRUE), set_config('enable_nestloop', %s, TRUE)"

# Rules 2, 3 and 9, consents, acting for another: who is inside, and by which way. One line per dossier and account.
INSIDE = """
WITH dossier AS MATERIALIZED (
    SELECT id FROM dossiers_dossier WHERE id = ANY(%(dossiers)s)
), fact AS MATERIALIZED (
    -- « One current fact per member »; a new one replaces the last.
    SELECT c.habilitation_id AS membership, c.dossier_id AS dossier, c."end", c.last_day, c.rubriques,
        c."end" = '' AND (c.last_day IS NULL OR c.last_day >= %(today)s) AS stands
    FROM habilitations_consent c JOIN dossier d ON d.id = c.dossier_id
    WHERE c.replaced_at IS NULL
), held AS MATERIALIZED (
    SELECT h.id, h.dossier_id AS dossier, h.user_id AS account, h.structure_id AS structure, h.ended_at,
        LEAST(h.access_until, f.last_day) AS lasts,
        h.ended_at IS NULL AND h.state = 'oui' AND (h.access_until IS NULL OR h.access_until >= %(today)s)
            AND coalesce(f.stands, FALSE) AS opens
    FROM habilitations_habilitation h
    JOIN dossier d ON d.id = h.dossier_id
    LEFT JOIN fact f ON f.membership = h.id
), opposed AS MATERIALIZED (
    SELECT o.dossier_id AS dossier, o.habilitation_id AS membership, o.rubrique, o.spared
    FROM habilitations_opposition o JOIN dossier d ON d.id = o.dossier_id
    WHERE o.withdrawn_at IS NULL
), kept_out AS MATERIALIZED (
    -- « None […] if the person's refusal stands »: also once the member has left.
    SELECT h.dossier, h.account
    FROM habilitations_refusal r JOIN held h ON h.id = r.habilitation_id
    WHERE r.withdrawn_at IS NULL AND h.account IS NOT NULL
    UNION
    -- A consent that she withdrew keeps the member out « however he enters », until a new fact is noted.
    SELECT h.dossier, h.account FROM fact f JOIN held h ON h.id = f.membership
    WHERE f."end" = 'retrait' AND h.account IS NOT NULL
    UNION
    -- The whole dossier, but for the accounts that are left inside.
    SELECT o.dossier, u.id FROM opposed o JOIN accounts_user u ON NOT u.id = ANY(o.spared)
    WHERE o.rubrique = ''
), person AS MATERIALIZED (
    SELECT d.id AS dossier, u.id AS account
    FROM dossier d CROSS JOIN accounts_user u
    WHERE u.id = ANY(%(accounts)s) AND u.is_active
        AND NOT EXISTS (SELECT FROM kept_out k WHERE k.dossier = d.id AND k.account = u.id)
), stands_for AS MATERIALIZED (
    SELECT g.user_id AS account, g.structure_id AS structure
    FROM habilitations_delegate g
    JOIN habilitations_legalstructure l ON l.structure_id = g.structure_id AND l.closed_at IS NULL
    WHERE g.ended_at IS NULL
), matrix AS MATERIALIZED (
    SELECT id FROM habilitations_matrixversion WHERE number = %(version)s
), profile_of AS MATERIALIZED (
    -- Rule 1: a profession that nobody vouched for, or that no line knows, is « inconnu ».
    SELECT u.id AS account, coalesce((
        SELECT r.profile FROM habilitations_profilerule r JOIN matrix ON matrix.id = r.version_id
        WHERE r.profession = v.profession AND r.fonction IN (v.fonction, '')
        ORDER BY r.fonction = '' LIMIT 1
    ), 'inconnu') AS profile
    FROM accounts_user u
    LEFT JOIN habilitations_vouchedprofession v ON v.user_id = u.id AND v.ended_at IS NULL
), principal AS MATERIALIZED (
    -- Under way, accepted, ended by nobody; the other has an account, and a profession that reads the identity.
    SELECT a.id, a.kind, a.principal_id AS other, a.substitute_id AS account, a.last_day, a.rubriques, p.profile
    FROM habilitations_actingfor a
    JOIN accounts_user o ON o.id = a.principal_id AND o.is_active
    JOIN profile_of p ON p.account = a.principal_id
    WHERE a.accepted_at IS NOT NULL AND a.ended_at IS NULL AND a.first_day <= %(today)s
        AND (a.last_day IS NULL OR a.last_day >= %(today)s)
        AND EXISTS (
            SELECT FROM habilitations_matrixrow cell JOIN matrix ON matrix.id = cell.version_id
            WHERE cell.profile = p.profile AND cell.rubrique = 'identite' AND cell.niveau > 0
        )
), way AS MATERIALIZED (
    SELECT p.dossier, p.account, 1 AS rank, h.lasts, h.id AS membership, '' AS other, NULL::varchar[] AS chosen
    FROM person p JOIN held h ON h.dossier = p.dossier AND h.account = p.account
    WHERE h.opens
    UNION ALL
    SELECT p.dossier, p.account, 2, h.lasts, h.id, '', NULL
    FROM person p
    JOIN stands_for g ON g.account = p.account
    JOIN held h ON h.dossier = p.dossier AND h.structure = g.structure
    WHERE h.opens
    UNION ALL
    -- By the other's own habilitation, where it grants; a secretary, with the person's consent in this dossier.
    SELECT p.dossier, p.account, CASE a.kind WHEN 'remplacement' THEN 3 ELSE 4 END, LEAST(h.lasts, a.last_day), h.id,
        a.profile, CASE a.kind WHEN 'secretariat' THEN a.rubriques END
    FROM person p
    JOIN principal a ON a.account = p.account
    JOIN held h ON h.dossier = p.dossier AND h.account = a.other
    WHERE h.opens
        AND NOT EXISTS (SELECT FROM kept_out k WHERE k.dossier = h.dossier AND k.account = a.other)
        AND (a.kind = 'remplacement' OR EXISTS (
            SELECT FROM habilitations_secretaryconsent s
            WHERE s.dossier_id = p.dossier AND s.acting_id = a.id AND s.withdrawn_at IS NULL
        ))
    UNION ALL
    -- Rule 9: when no refusal concerns the account or a structure it acts for, in the circle still or not, entering
    -- dossiers still or not. Two hours, asked of each row.
    SELECT p.dossier, p.account, 5, NULL, NULL, '', ARRAY['identite', 'medical', 'documents_medicaux']
    FROM person p
    JOIN habilitations_emergencyaccess e ON e.dossier_id = p.dossier AND e.user_id = p.account
    WHERE e.closed_at IS NULL AND e.ends_at > now()
        AND NOT EXISTS (
            SELECT FROM habilitations_refusal r
            JOIN held h ON h.id = r.habilitation_id
            JOIN habilitations_delegate g
                ON g.structure_id = h.structure AND g.user_id = p.account AND g.ended_at IS NULL
            WHERE r.dossier_id = p.dossier AND r.withdrawn_at IS NULL
        )
        AND NOT EXISTS (
            -- Nor a consent taken back from such a structure.
            SELECT FROM fact f
            JOIN held h ON h.id = f.membership
            JOIN habilitations_delegate g
                ON g.structure_id = h.structure AND g.user_id = p.account AND g.ended_at IS NULL
            WHERE f.dossier = p.dossier AND f."end" = 'retrait'
        )
), inside AS MATERIALIZED (
    -- Oneself, a structure, a stand-in, a secretary, an emergency; then what lasts longest.
    SELECT DISTINCT ON (dossier, account) * FROM way ORDER BY dossier, account, rank, lasts DESC NULLS FIRST
)
"""

# What is taken away, rubric by rubric, in one dossier. What was reduced for a person holds however he enters; what was
# reduced for a structure, for who enters by one; for another, for who enters by him.
BOUNDS = """
, counts AS MATERIALIZED (
    SELECT i.dossier, i.account, h.id AS membership
    FROM inside i JOIN held h ON h.dossier = i.dossier AND h.ended_at IS NULL
    WHERE h.account = i.account
        OR h.id = i.membership
        OR i.rank = 2 AND h.structure IN (SELECT g.structure FROM stands_for g WHERE g.account = i.account)
), rubric AS MATERIALIZED (
    SELECT r.name, r.rank, r.name NOT IN ('identite', 'cercle') AS closable
    FROM unnest(%(rubrics)s::text[]) WITH ORDINALITY AS r(name, rank)
), taken AS MATERIALIZED (
    SELECT n.dossier, n.account, c.rubrique AS rubric, c.niveau::int AS most
    FROM counts n JOIN habilitations_ceiling c ON c.habilitation_id = n.membership AND c.lifted_at IS NULL
    UNION ALL
    -- A consent to some rubrics leaves out the others.
    SELECT n.dossier, n.account, r.name, 0
    FROM counts n JOIN fact f ON f.membership = n.membership AND cardinality(f.rubriques) > 0
    JOIN rubric r ON r.closable AND NOT r.name = ANY(f.rubriques)
    UNION ALL
    -- An opposition: to everybody, to a membership that counts, or to this person by a membership of before.
    SELECT i.dossier, i.account, o.rubrique, 0
    FROM inside i JOIN opposed o ON o.dossier = i.dossier AND o.rubrique <> ''
    LEFT JOIN held aimed ON aimed.id = o.membership
    LEFT JOIN held entered ON entered.id = i.membership
    WHERE o.membership IS NULL
        OR o.membership IN (SELECT n.membership FROM counts n WHERE n.dossier = i.dossier AND n.account = i.account)
        OR aimed.account IN (i.account, entered.account)
    UNION ALL
    -- A secretary keeps to what was chosen; an emergency, to three rubrics and to reading.
    SELECT i.dossier, i.account, r.name, CASE WHEN NOT r.name = ANY(i.chosen) THEN 0 WHEN i.rank = 5 THEN 1 ELSE 2 END
    FROM inside i CROSS JOIN rubric r
    WHERE i.chosen IS NOT NULL
), least_taken AS MATERIALIZED (
    SELECT dossier, account, rubric, min(most) AS most FROM taken GROUP BY dossier, account, rubric
), bounds AS MATERIALIZED (
    SELECT i.dossier, i.account, i.other, i.rank = 5 AS in_emergency,
        array_agg(coalesce(t.most, 2) ORDER BY r.rank) AS bound
    FROM inside i CROSS JOIN rubric r
    LEFT JOIN least_taken t ON t.dossier = i.dossier AND t.account = i.account AND t.rubric = r.name
    GROUP BY i.dossier, i.account, i.other, i.rank
)
"""

# Rule 2: the smallest of the cells, of the bounds and of the state of the dossier; rule 1: a missing cell is none.
# Asked of the bounds that INSIDE and BOUNDS found, each once.
LEVELS = """
WITH bounds AS MATERIALIZED (
    SELECT string_to_array(b.bound, ',')::int[] AS bound, b.other
    FROM unnest(%(bounds)s::text[], %(others)s::text[]) AS b(bound, other)
), cell AS MATERIALIZED (
    SELECT p.name AS profile, r.name AS rubric, r.rank, coalesce(m.niveau, 0) AS level
    FROM unnest(%(profiles)s::text[]) AS p(name)
    CROSS JOIN unnest(%(rubrics)s::text[]) WITH ORDINALITY AS r(name, rank)
    LEFT JOIN (
        habilitations_matrixrow m JOIN habilitations_matrixversion v ON v.id = m.version_id AND v.number = %(version)s
    ) ON m.profile = p.name AND m.rubrique = r.name
), state AS MATERIALIZED (
    SELECT name, CASE WHEN name IN ('pause', 'clos') THEN 1 ELSE 2 END AS most
    FROM unnest(%(states)s::text[]) AS name
), given AS MATERIALIZED (
    -- « Never more than either », for who acts for another.
    SELECT b.bound, b.other, c.profile, c.rubric, c.rank,
        LEAST(c.level, b.bound[c.rank], CASE WHEN b.other = '' THEN 2 ELSE coalesce(o.level, 0) END) AS level
    FROM bounds b
    CROSS JOIN cell c
    LEFT JOIN cell o ON o.profile = b.other AND o.rubric = c.rubric
), without_medical AS MATERIALIZED (
    -- Rule 7: the journal names discreet members. Without the medical rubric, for whatever reason: no journal.
    SELECT bound, other, profile FROM given WHERE rubric = 'medical' AND level = 0
)
SELECT g.bound, g.other, g.profile, s.name,
    array_agg(
        CASE WHEN g.rubric = 'journal' AND w.profile IS NOT NULL THEN 0 ELSE LEAST(g.level, s.most) END
        ORDER BY g.rank
    )
FROM given g
CROSS JOIN state s
LEFT JOIN without_medical w ON w.bound = g.bound AND w.other = g.other AND w.profile = g.profile
GROUP BY g.bound, g.other, g.profile, s.name
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


class Inside(NamedTuple):
    """How one account is inside: what is left of each rubric, the profile of whom it acts for, an emergency."""

    bound: tuple[int, ...]
    other: str
    in_emergency: bool


class Levels(NamedTuple):
    """`inside`: {(dossier, account): Inside}; `given`: {(bound, other, profile, state): the sixteen levels}."""

    inside: dict[tuple[UUID, UUID], Inside]
    given: dict[tuple, tuple[int, ...]]

    def of(self, dossier: UUID, account: UUID, profile: str, state: str) -> tuple[int, ...] | None:
        found = self.inside.get((dossier, account))
        return self.given[found.bound, found.other, profile, state] if found else None


class SecondEngine:
    """The answers about some accounts in some dossiers. The texts may be changed, to see that faults are found."""

    def __init__(
        self, *, dossiers: Sequence[UUID], accounts: Sequence[UUID], profiles: Sequence[str], states: Sequence[str],
        version: int, today: dt.date, rubrics: Sequence[str] = tuple(Rubrique.values), inside: str = INSIDE,
        bounds: str = BOUNDS, levels: str = LEVELS, rights: str = RIGHTS,
    ) -> None:  # fmt: skip
        self.asked = {
            "dossiers": list(dossiers), "accounts": list(accounts), "profiles": list(profiles),
            "states": list(states), "version": version, "today": today, "rubrics": list(rubrics),
            "actions": list(Action.values),
        }  # fmt: skip
        self.texts = inside, bounds, levels, rights

    def inside(self) -> dict[tuple[UUID, UUID], Inside]:
        """Return how each (dossier, account) that may enter is inside."""
        lines = self._run(
            "".join((*self.texts[:2], "SELECT dossier, account, bound, other, in_emergency FROM bounds"))
        )
        return {(d, a): Inside(tuple(bound), other, urgent) for d, a, bound, other, urgent in lines}

    def levels(self) -> Levels:
        """Return the sixteen levels of who may enter, whatever his profile."""
        inside = self.inside()
        asked = sorted({(found.bound, found.other) for found in inside.values()})
        self.asked["bounds"] = [",".join(map(str, bound)) for bound, _ in asked]
        self.asked["others"] = [other for _, other in asked]
        given = {(tuple(b), o, p, s): tuple(levels) for b, o, p, s, levels in self._run(self.texts[2])}
        return Levels(inside, given)

    def rights(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return {(profile, state): {action: scope}}, "" for a right that is not held."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for profile, state, action, scope in self._run(self.texts[3]):
            found.setdefault((profile, state), {})[action] = scope
        return found

    def profiles(self) -> dict[UUID, str]:
        said = dict(self._run("".join((self.texts[0], "SELECT account, profile FROM profile_of"))))
        return {account: said[account] for account in self.asked["accounts"]}

    def _run(self, sql: str) -> list[tuple]:
        with connection.cursor() as cursor:
            # The planner knows nothing of how long a step is, and would compare every row with every row.
            cursor.execute(SET, [AT_MOST, "off"])
            cursor.execute(sql, self.asked)
            found = cursor.fetchall()
            cursor.execute(SET, ["0", "on"])
            return found
