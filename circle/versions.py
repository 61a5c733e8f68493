"""Whether a circle is still the one this process has read, told by the versions of its rows and not by what they say.

Reading a circle again costs more than the page around it, and circles change rarely. PostgreSQL names each version of
a row by the transaction that wrote it and by its place (`xmin`, `ctid`): same versions, same circle. Nothing has to
announce a change, so nothing can forget to. Of what is not a row of its own: the day and the edition of the matrix,
which whoever keeps a circle adds, and the invitation whose end comes with the clock, told here.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from coordination.common.statements import rows as run

# A database set back to an earlier moment gives transactions their numbers again: it was started again, which is told.
# In the order of their ids: a plan that reads rows in another order tells no change.
# The states before (`told.STATEMENT`) are written by the act that writes the habilitation, and never alone.
STATEMENT = """
WITH q AS MATERIALIZED (SELECT %s::date AS day, %s::uuid AS dossier)
SELECT concat(pg_postmaster_start_time(), '|', (
    SELECT string_agg(concat(
        m.xmin, m.ctid, '/', h.xmin, h.ctid, '/', p.xmin, p.ctid, '/', a.xmin, a.ctid, '/', u.xmin, u.ctid, '/',
        v.xmin, v.ctid, '/', r.xmin, r.ctid, '/', rests.xmin, rests.ctid, '/',
        CASE WHEN m.structure_id IS NOT NULL THEN (
            SELECT concat(added.xmin, added.ctid, '/', chosen.xmin, chosen.ctid, '/', s.xmin, s.ctid)
            FROM directory_structure added
            LEFT JOIN directory_structure chosen ON chosen.id = added.merged_into_id
            LEFT JOIN directory_structure s ON s.id = coalesce(chosen.merged_into_id, chosen.id, added.id)
            WHERE added.id = m.structure_id
        ) END, '/',
        CASE WHEN m.structure_id IS NOT NULL THEN (
            SELECT string_agg(concat(l.xmin, l.ctid), ',') FROM habilitations_legalstructure l
            WHERE l.structure_id = m.structure_id AND l.closed_at IS NULL
        ) END, '/',
        CASE WHEN m.structure_id IS NOT NULL THEN (
            SELECT string_agg(concat(d.xmin, d.ctid, '/', dv.xmin, dv.ctid), ',' ORDER BY d.id)
            FROM habilitations_delegate d
            LEFT JOIN habilitations_vouchedprofession dv ON dv.user_id = d.user_id AND dv.ended_at IS NULL
            WHERE d.structure_id = m.structure_id AND d.ended_at IS NULL
        ) END, '/',
        CASE WHEN h.user_id IS NOT NULL THEN (
            SELECT string_agg(concat(f.xmin, f.ctid, '/', w.xmin, w.ctid), ',' ORDER BY f.id)
            FROM habilitations_actingfor f
            LEFT JOIN accounts_user w ON w.id = f.substitute_id
            WHERE f.principal_id = h.user_id AND f.ended_at IS NULL AND q.day BETWEEN f.first_day AND f.last_day
        ) END, '/',
        CASE WHEN h.user_id IS NULL AND (h.state = 'attente' OR h.requested_at IS NOT NULL) THEN (
            SELECT string_agg(concat(i.xmin, i.ctid, i.expires_at <= now()), ',' ORDER BY i.id)
            FROM circle_invitation i
            WHERE i.dossier_id = q.dossier AND i.member_id = m.id
        ) END
    ), ';' ORDER BY m.id)
    FROM circle_member m
    JOIN habilitations_habilitation h ON h.dossier_id = q.dossier AND h.id = m.habilitation_id
    LEFT JOIN directory_professional p ON p.id = m.professional_id
    LEFT JOIN directory_activity a ON a.id = m.activity_id
    LEFT JOIN accounts_user u ON u.id = h.user_id
    LEFT JOIN habilitations_vouchedprofession v ON v.user_id = h.user_id AND v.ended_at IS NULL
    LEFT JOIN habilitations_refusal r
        ON r.dossier_id = q.dossier AND r.habilitation_id = h.id AND r.withdrawn_at IS NULL
    LEFT JOIN habilitations_consent rests
        ON rests.dossier_id = q.dossier AND rests.habilitation_id = h.id AND rests.replaced_at IS NULL
    WHERE m.dossier_id = q.dossier
), '|', (
    SELECT string_agg(concat(ro.xmin, ro.ctid), ';' ORDER BY ro.id) FROM circle_roleholding ro
    WHERE ro.dossier_id = q.dossier
), '|', (
    SELECT string_agg(concat(pe.xmin, pe.ctid), ';' ORDER BY pe.id) FROM circle_period pe
    WHERE pe.dossier_id = q.dossier
), '|', (
    SELECT string_agg(concat(pl.xmin, pl.ctid), ';' ORDER BY pl.id) FROM circle_plannedstay pl
    WHERE pl.dossier_id = q.dossier AND pl.closed_at IS NULL
), '|', (
    SELECT concat(ci.xmin, ci.ctid) FROM circle_circle ci WHERE ci.dossier_id = q.dossier
), '|', (
    SELECT string_agg(concat(c.xmin, c.ctid), ';' ORDER BY c.id) FROM habilitations_ceiling c
    WHERE c.dossier_id = q.dossier AND c.lifted_at IS NULL
), '|', (
    SELECT string_agg(concat(o.xmin, o.ctid, '/', own.xmin, own.ctid), ';' ORDER BY o.id)
    FROM habilitations_opposition o
    LEFT JOIN habilitations_habilitation own ON own.id = o.habilitation_id
    WHERE o.dossier_id = q.dossier AND o.withdrawn_at IS NULL
))
FROM q
"""


def read(dossier_id: UUID, day: dt.date) -> str:
    """Return what names the versions of all that the circle of a dossier says on a day. One SQL statement.

    To compare, within one process; another day says nothing of this one (absences).
    """
    return run(STATEMENT, [day, dossier_id])[0][0]
