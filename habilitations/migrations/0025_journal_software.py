"""The journal names the software by which somebody acted (SEC-24).

As for whom he acted (0017), the name enters the hash of a line only when there is one, after what 0017 adds: lines
written before, and those of the screens, hash as they always did. In production, where the journal has a role of its
own, this migration is run by PostgreSQL's administrator (docs/decisions/2026-11-28-journal-role.md).
"""

from django.db import migrations, models

COLUMNS = """
ALTER TABLE habilitations_trace ADD COLUMN software varchar(80) NOT NULL DEFAULT '';
ALTER TABLE habilitations_accounttrace ADD COLUMN software varchar(80) NOT NULL DEFAULT '';
"""
BACK = """
ALTER TABLE habilitations_trace DROP COLUMN software;
ALTER TABLE habilitations_accounttrace DROP COLUMN software;
"""

_CHAIN = r"""
CREATE OR REPLACE FUNCTION habilitations_chain_trace() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closing text := ']';
BEGIN
{more}    LOOP
        UPDATE habilitations_tracehead AS head
        SET seq = head.seq + 1,
            previous_hash = head.hash,
            hash = sha256(head.hash || convert_to(left(json_build_array(
                NEW.id,
                to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                NEW.dossier_id,
                head.seq + 1,
                NEW.actor_id, NEW.actor_name, NEW.actor_national_id, NEW.profession, NEW.fonction,
                NEW.structure_name, NEW.profile, NEW.habilitation_id, NEW.matrix_version, NEW.action,
                NEW.rubrique, NEW.outcome, NEW.object_kind, NEW.object_id, NEW.reason, NEW.request_id,
                NEW.address
            )::text, -1) || closing, 'UTF8'))
        WHERE head.dossier_id = NEW.dossier_id
        RETURNING head.seq, head.previous_hash, head.hash INTO NEW.seq, NEW.previous_hash, NEW.hash;
        EXIT WHEN FOUND;
        INSERT INTO habilitations_tracehead (dossier_id, seq, previous_hash, hash)
        VALUES (NEW.dossier_id, 0, '', '') ON CONFLICT (dossier_id) DO NOTHING;
    END LOOP;
    RETURN NEW;
END $$;
"""
_FOR_WHOM = """    {when} NEW.on_behalf_of_id IS NOT NULL OR NEW.on_behalf_of_name <> '' THEN
        closing := ', ' || substr(json_build_array(NEW.on_behalf_of_id, NEW.on_behalf_of_name)::text, 2);
    END IF;
"""
_BY_WHAT = """    IF NEW.software <> '' THEN
        closing := ', ' || substr(
            json_build_array(NEW.on_behalf_of_id, NEW.on_behalf_of_name, NEW.software)::text, 2
        );
"""
AFTER = _CHAIN.format(more=_BY_WHAT + _FOR_WHOM.format(when="ELSIF"))
BEFORE = _CHAIN.format(more=_FOR_WHOM.format(when="IF"))


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0024_clients")]

    operations = [
        migrations.RunSQL(
            [COLUMNS, AFTER],
            reverse_sql=[BEFORE, BACK],
            state_operations=[
                migrations.AddField("Trace", "software", models.CharField(blank=True, default="", max_length=80)),
                migrations.AddField(
                    "AccountTrace", "software", models.CharField(blank=True, default="", max_length=80)
                ),
            ],
        )
    ]
