"""The journal names both: who acted, and for whom (SEC-15).

The two new columns enter the hash of a line only when they say something: lines written before, and those of who acts
for himself, hash as they always did. In production, where the journal has a role of its own, this migration is run by
PostgreSQL's administrator and followed by deploy/journal-role.sql (docs/decisions/2026-11-28-journal-role.md).
"""

from django.db import migrations, models

COLUMNS = """
ALTER TABLE habilitations_trace
    ADD COLUMN on_behalf_of_id uuid,
    ADD COLUMN on_behalf_of_name varchar(250) NOT NULL DEFAULT '';
"""

_CHAIN = r"""
CREATE OR REPLACE FUNCTION habilitations_chain_trace() RETURNS trigger LANGUAGE plpgsql AS $$
{declare}BEGIN
    LOOP
        UPDATE habilitations_tracehead AS head
        SET seq = head.seq + 1,
            previous_hash = head.hash,
            hash = sha256(head.hash || convert_to({text}, 'UTF8'))
        WHERE head.dossier_id = NEW.dossier_id
        RETURNING head.seq, head.previous_hash, head.hash INTO NEW.seq, NEW.previous_hash, NEW.hash;
        EXIT WHEN FOUND;
        INSERT INTO habilitations_tracehead (dossier_id, seq, previous_hash, hash)
        VALUES (NEW.dossier_id, 0, '', '') ON CONFLICT (dossier_id) DO NOTHING;
    END LOOP;
    RETURN NEW;
END $$;
"""
_LINE = r"""json_build_array(
                NEW.id,
                to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                NEW.dossier_id,
                head.seq + 1,
                NEW.actor_id, NEW.actor_name, NEW.actor_national_id, NEW.profession, NEW.fonction,
                NEW.structure_name, NEW.profile, NEW.habilitation_id, NEW.matrix_version, NEW.action,
                NEW.rubrique, NEW.outcome, NEW.object_kind, NEW.object_id, NEW.reason, NEW.request_id,
                NEW.address
            )::text"""
# The bracket that closes the array, after the two values when there are some.
_DECLARE = """DECLARE
    closing text := ']';
"""
_MORE = """    IF NEW.on_behalf_of_id IS NOT NULL OR NEW.on_behalf_of_name <> '' THEN
        closing := ', ' || substr(json_build_array(NEW.on_behalf_of_id, NEW.on_behalf_of_name)::text, 2);
    END IF;
"""
AFTER = _CHAIN.format(declare=_DECLARE, text=f"left({_LINE}, -1) || closing").replace(
    "BEGIN\n    LOOP", f"BEGIN\n{_MORE}    LOOP", 1
)
BEFORE = _CHAIN.format(declare="", text=_LINE)

BACK = """
ALTER TABLE habilitations_trace DROP COLUMN on_behalf_of_id, DROP COLUMN on_behalf_of_name;
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0016_acting_for")]

    operations = [
        migrations.RunSQL(
            [COLUMNS, AFTER],
            reverse_sql=[BEFORE, BACK],
            state_operations=[
                migrations.AddField("Trace", "on_behalf_of_id", models.UUIDField(null=True)),
                migrations.AddField(
                    "Trace", "on_behalf_of_name", models.CharField(blank=True, default="", max_length=250)
                ),
            ],
        )
    ]
