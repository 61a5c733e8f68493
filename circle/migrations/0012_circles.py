"""The circle as one thing, with its versions; those that exist get their first in 0015.

What a version says is put together here and nowhere else (`circle_facts`), and written at the end of every
transaction that changed it: triggers, so that no screen, import or call can forget. Each event of a transaction would
ask again what its last one says for all: `circle.kept` names the circles looked at since the last writing.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import coordination.common.ids

FACTS = r"""
CREATE FUNCTION circle_facts(asked uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'identifier', jsonb_build_array(coalesce(c.identifier_system, ''), coalesce(c.identifier_value, '')),
        'status', coalesce(c.status, 'active'), 'name', coalesce(c.name, ''),
        'starts_on', c.starts_on, 'ends_on', c.ends_on, 'content', c.content,
        -- In pause and closed, whose state weighs on the circle's; the others say nothing of it.
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

-- UUIDv7, as the application makes them: the milliseconds, then chance.
CREATE FUNCTION circle_uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
$$;

CREATE FUNCTION circle_keep_version(kept uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held circle_circle%ROWTYPE;
    said jsonb;
    moment timestamptz;
    looked text := coalesce(current_setting('circle.kept', true), '');
BEGIN
    SELECT * INTO held FROM circle_circle WHERE dossier_id = kept FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM circle_period WHERE dossier_id = kept) THEN
            RETURN;
        END IF;
        INSERT INTO circle_circle (
            id, dossier_id, identifier_system, identifier_value, status, name, managing, version, changed_at,
            creation_key
        ) VALUES (circle_uuid7(), kept, '', '', 'active', '', '{}', 0, clock_timestamp(), circle_uuid7())
        ON CONFLICT (dossier_id) DO NOTHING;
        SELECT * INTO held FROM circle_circle WHERE dossier_id = kept FOR NO KEY UPDATE;
    END IF;
    -- Behind the lock of the row: what another transaction has written is seen.
    said := circle_facts(kept);
    PERFORM set_config('circle.kept', left(kept::text || looked, 3600), true);
    IF EXISTS (
        SELECT 1 FROM circle_circleversion v
        WHERE v.dossier_id = kept AND v.number = held.version AND v.facts = said
    ) THEN
        RETURN;
    END IF;
    moment := clock_timestamp();
    INSERT INTO circle_circleversion (id, dossier_id, circle_id, number, at, facts)
    VALUES (circle_uuid7(), kept, held.id, held.version + 1, moment, said);
    UPDATE circle_circle SET version = held.version + 1, changed_at = moment WHERE id = held.id;
END $$;
"""

TRIGGERS = r"""
CREATE FUNCTION circle_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.dossier_id ELSE NEW.dossier_id END;
BEGIN
    IF position(whose::text IN coalesce(current_setting('circle.kept', true), '')) = 0 THEN
        PERFORM circle_keep_version(whose);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION circle_dossier_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF position(NEW.id::text IN coalesce(current_setting('circle.kept', true), '')) = 0 THEN
        PERFORM circle_keep_version(NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION circle_look_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('circle.kept', '', true);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER circle_version_of_stays
    AFTER INSERT OR DELETE OR UPDATE OF starts_on, ends_on ON circle_period DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION circle_changed();
CREATE CONSTRAINT TRIGGER circle_version_of_roles
    AFTER INSERT OR DELETE OR UPDATE OF role, starts_on, ends_on ON circle_roleholding DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION circle_changed();
-- A member is in no version before his first stay.
CREATE CONSTRAINT TRIGGER circle_version_of_members
    AFTER UPDATE OF kind, professional_id, activity_id, structure_id ON circle_member DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        (OLD.kind, OLD.professional_id, OLD.activity_id, OLD.structure_id)
        IS DISTINCT FROM (NEW.kind, NEW.professional_id, NEW.activity_id, NEW.structure_id)
    ) EXECUTE FUNCTION circle_changed();
CREATE CONSTRAINT TRIGGER circle_version_of_circle
    AFTER INSERT OR UPDATE OF identifier_system, identifier_value, status, name, starts_on, ends_on, content
    ON circle_circle DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION circle_changed();
CREATE CONSTRAINT TRIGGER circle_version_of_dossier
    AFTER UPDATE OF status, status_on, referent_structure_id ON dossiers_dossier DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        (OLD.status, OLD.status_on, OLD.referent_structure_id)
        IS DISTINCT FROM (NEW.status, NEW.status_on, NEW.referent_structure_id)
    ) EXECUTE FUNCTION circle_dossier_changed();

CREATE TRIGGER circle_look_again AFTER INSERT OR DELETE OR UPDATE OF starts_on, ends_on ON circle_period
    FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();
CREATE TRIGGER circle_look_again AFTER INSERT OR DELETE OR UPDATE OF role, starts_on, ends_on ON circle_roleholding
    FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();
CREATE TRIGGER circle_look_again AFTER UPDATE OF kind, professional_id, activity_id, structure_id ON circle_member
    FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();
CREATE TRIGGER circle_look_again
    AFTER INSERT OR UPDATE OF identifier_system, identifier_value, status, name, starts_on, ends_on, content
    ON circle_circle FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();
CREATE TRIGGER circle_look_again AFTER UPDATE OF status, status_on, referent_structure_id ON dossiers_dossier
    FOR EACH STATEMENT EXECUTE FUNCTION circle_look_again();

CREATE FUNCTION circle_version_is_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'circle_version_is_written',
        TABLE = 'circle_circleversion',
        MESSAGE = 'Une version du cercle de soins ne se récrit pas.';
END $$;
CREATE TRIGGER circle_version_is_written BEFORE UPDATE ON circle_circleversion
    FOR EACH ROW EXECUTE FUNCTION circle_version_is_written();
"""

BACK = r"""
DROP TRIGGER circle_version_is_written ON circle_circleversion;
DROP FUNCTION circle_version_is_written();
DROP TRIGGER circle_look_again ON dossiers_dossier;
DROP TRIGGER circle_look_again ON circle_circle;
DROP TRIGGER circle_look_again ON circle_member;
DROP TRIGGER circle_look_again ON circle_roleholding;
DROP TRIGGER circle_look_again ON circle_period;
DROP TRIGGER circle_version_of_dossier ON dossiers_dossier;
DROP TRIGGER circle_version_of_circle ON circle_circle;
DROP TRIGGER circle_version_of_members ON circle_member;
DROP TRIGGER circle_version_of_roles ON circle_roleholding;
DROP TRIGGER circle_version_of_stays ON circle_period;
DROP FUNCTION circle_look_again();
DROP FUNCTION circle_dossier_changed();
DROP FUNCTION circle_changed();
DROP FUNCTION circle_keep_version(uuid);
DROP FUNCTION circle_uuid7();
DROP FUNCTION circle_facts(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("circle", "0011_declared_profession"),
        ("dossiers", "0004_typographic_apostrophes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Circle",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=coordination.common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("identifier_system", models.CharField(blank=True, max_length=200)),
                ("identifier_value", models.CharField(blank=True, max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposé"),
                            ("active", "Actif"),
                            ("suspended", "Suspendu"),
                            ("inactive", "Terminé"),
                            ("entered-in-error", "Créé par erreur"),
                        ],
                        default="active",
                        max_length=16,
                        verbose_name="état du cercle",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=300, verbose_name="nom du cercle")),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="début")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="fin")),
                (
                    "managing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("content", models.JSONField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                ("creation_key", models.UUIDField(default=coordination.common.ids.uuid7, editable=False)),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dossiers.dossier"
                    ),
                ),
            ],
            options={
                "verbose_name": "cercle de soins",
                "verbose_name_plural": "cercles de soins",
            },
        ),
        migrations.CreateModel(
            name="CircleVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=coordination.common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("facts", models.JSONField()),
                (
                    "circle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="circle.circle"
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dossiers.dossier"
                    ),
                ),
            ],
            options={
                "verbose_name": "version d’un cercle",
                "verbose_name_plural": "versions des cercles",
            },
        ),
        migrations.AddIndex(
            model_name="circle",
            index=models.Index(fields=["identifier_value"], name="circle_by_identifier"),
        ),
        migrations.AddConstraint(
            model_name="circle",
            constraint=models.UniqueConstraint(
                fields=("dossier",),
                name="one_circle_per_dossier",
                violation_error_message="Cette personne a déjà un cercle de soins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="circle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on", None), ("starts_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                ),
                name="circle_ends_after_it_starts",
                violation_error_message="La fin du cercle de soins ne peut pas précéder son début.",
            ),
        ),
        migrations.AddConstraint(
            model_name="circleversion",
            constraint=models.UniqueConstraint(
                fields=("dossier", "number"),
                name="circle_version_once",
                violation_error_message="Cette version du cercle est déjà enregistrée.",
            ),
        ),
        migrations.RunSQL([FACTS], reverse_sql=[]),
        migrations.RunSQL([TRIGGERS], reverse_sql=[BACK]),
    ]
