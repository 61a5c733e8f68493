"""What a version says of members, stays and roles, in three lists: thirty members cost what three do (0012)."""

from django.db import migrations

FACTS = r"""
-- In plpgsql, which keeps the plan: a function in SQL is planned again at each call.
CREATE OR REPLACE FUNCTION circle_facts(asked uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN (
    SELECT jsonb_build_object(
        'identifier', jsonb_build_array(coalesce(c.identifier_system, ''), coalesce(c.identifier_value, '')),
        'status', coalesce(c.status, 'active'), 'name', coalesce(c.name, ''),
        'starts_on', c.starts_on, 'ends_on', c.ends_on, 'content', c.content,
        -- In pause and closed, whose state weighs on the circle's; the others say nothing of it.
        'state', CASE WHEN d.status IN ('pause', 'clos') THEN jsonb_build_array(d.status, d.status_on) END,
        'referent', d.referent_structure_id,
        -- Three lists read by the dossier, put together by who reads them: joined here, lists as short as these make
        -- the server compare each line of one with each line of the other.
        'members', coalesce((
            SELECT jsonb_agg(jsonb_build_array(m.id, m.kind, m.professional_id, m.activity_id, m.structure_id)
                ORDER BY m.id)
            FROM circle_member m
            WHERE m.dossier_id = asked
                AND m.id = ANY (ARRAY(SELECT p.member_id FROM circle_period p WHERE p.dossier_id = asked))
        ), '[]'),
        'stays', coalesce((
            SELECT jsonb_agg(jsonb_build_array(p.member_id, p.starts_on, p.ends_on)
                ORDER BY p.member_id, p.starts_on, p.ends_on)
            FROM circle_period p WHERE p.dossier_id = asked
        ), '[]'),
        -- What ended on the day it began never took effect.
        'roles', coalesce((
            SELECT jsonb_agg(jsonb_build_array(r.member_id, r.role, r.starts_on, r.ends_on)
                ORDER BY r.member_id, r.starts_on)
            FROM circle_roleholding r
            WHERE r.dossier_id = asked AND (r.ends_on IS NULL OR r.ends_on > r.starts_on)
        ), '[]')
    )
    FROM dossiers_dossier d LEFT JOIN circle_circle c ON c.dossier_id = d.id WHERE d.id = asked
); END $$;
"""

WRITTEN = r"""
ALTER TABLE circle_circleversion DISABLE TRIGGER circle_version_is_written;
UPDATE circle_circleversion v SET facts = v.facts || jsonb_build_object(
    'members', coalesce((
        SELECT jsonb_agg((m.told - 6) - 5 ORDER BY m.told->>0) FROM jsonb_array_elements(v.facts->'members') m (told)
    ), '[]'),
    'stays', coalesce((
        SELECT jsonb_agg(jsonb_build_array(m.told->0, s.stay->0, s.stay->1)
            ORDER BY m.told->>0, s.stay->>0, s.stay->>1)
        FROM jsonb_array_elements(v.facts->'members') m (told), jsonb_array_elements(m.told->5) s (stay)
    ), '[]'),
    'roles', coalesce((
        SELECT jsonb_agg(jsonb_build_array(m.told->0, r.held->0, r.held->1, r.held->2)
            ORDER BY m.told->>0, r.held->>1)
        FROM jsonb_array_elements(v.facts->'members') m (told), jsonb_array_elements(m.told->6) r (held)
    ), '[]')
) WHERE NOT v.facts ? 'stays';
ALTER TABLE circle_circleversion ENABLE TRIGGER circle_version_is_written;
"""


# As 0012 has them.
FACTS_BACK = r"""
CREATE OR REPLACE FUNCTION circle_facts(asked uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'identifier', jsonb_build_array(coalesce(c.identifier_system, ''), coalesce(c.identifier_value, '')),
        'status', coalesce(c.status, 'active'), 'name', coalesce(c.name, ''),
        'starts_on', c.starts_on, 'ends_on', c.ends_on, 'content', c.content,
        'state', CASE WHEN d.status IN ('pause', 'clos') THEN jsonb_build_array(d.status, d.status_on) END,
        'referent', d.referent_structure_id,
        'members', coalesce((
            SELECT jsonb_agg(jsonb_build_array(
                m.id, m.kind, m.professional_id, m.activity_id, m.structure_id, stays.of_member,
                coalesce(roles.of_member, '[]')
            ) ORDER BY m.id)
            FROM circle_member m
            JOIN (
                SELECT p.member_id, jsonb_agg(
                    jsonb_build_array(p.starts_on, p.ends_on) ORDER BY p.starts_on, p.ends_on
                ) AS of_member
                FROM circle_period p WHERE p.dossier_id = asked GROUP BY p.member_id
            ) stays ON stays.member_id = m.id
            LEFT JOIN (
                SELECT r.member_id, jsonb_agg(
                    jsonb_build_array(r.role, r.starts_on, r.ends_on) ORDER BY r.starts_on
                ) AS of_member
                FROM circle_roleholding r
                WHERE r.dossier_id = asked AND (r.ends_on IS NULL OR r.ends_on > r.starts_on) GROUP BY r.member_id
            ) roles ON roles.member_id = m.id
            WHERE m.dossier_id = asked
        ), '[]')
    )
    FROM dossiers_dossier d LEFT JOIN circle_circle c ON c.dossier_id = d.id WHERE d.id = asked
$$;
"""

WRITTEN_BACK = r"""
ALTER TABLE circle_circleversion DISABLE TRIGGER circle_version_is_written;
UPDATE circle_circleversion v SET facts = (v.facts - 'stays' - 'roles') || jsonb_build_object(
    'members', coalesce((
        SELECT jsonb_agg(m.told || jsonb_build_array(
            (SELECT jsonb_agg((s.stay - 0) ORDER BY s.stay->>1, s.stay->>2)
                FROM jsonb_array_elements(v.facts->'stays') s (stay) WHERE s.stay->0 = m.told->0),
            coalesce((SELECT jsonb_agg((r.held - 0) ORDER BY r.held->>2)
                FROM jsonb_array_elements(v.facts->'roles') r (held) WHERE r.held->0 = m.told->0), '[]')
        ) ORDER BY m.told->>0) FROM jsonb_array_elements(v.facts->'members') m (told)
    ), '[]')
) WHERE v.facts ? 'stays';
ALTER TABLE circle_circleversion ENABLE TRIGGER circle_version_is_written;
"""


class Migration(migrations.Migration):
    dependencies = [("circle", "0012_circles")]

    operations = [migrations.RunSQL([FACTS], [FACTS_BACK]), migrations.RunSQL([WRITTEN], [WRITTEN_BACK])]
