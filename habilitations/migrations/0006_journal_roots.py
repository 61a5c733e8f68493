"""Signed roots of the journal, the anchors they keep, the checks made, and the removal of a closed month.

SECT-11, SEC-14. In production these tables and this function belong to the journal's role: run
deploy/journal-role.sql again after this migration (docs/decisions/2026-11-28-journal-roots.md).
"""

from django.db import migrations, models

import coordination.common.ids

TABLES = """
CREATE TABLE habilitations_journalroot (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    kind varchar(8) NOT NULL,
    month date,
    lines integer NOT NULL,
    digest bytea NOT NULL,
    previous bytea NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE habilitations_journalanchor (
    root bigint NOT NULL,
    dossier_id uuid NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (root, dossier_id, last_seq)
);
CREATE INDEX journalanchor_by_dossier ON habilitations_journalanchor (dossier_id, last_seq);

CREATE TABLE habilitations_journalcheck (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    lines bigint NOT NULL,
    dossiers bigint NOT NULL,
    faults bigint NOT NULL,
    root bigint NOT NULL
);
CREATE INDEX journalcheck_by_date ON habilitations_journalcheck (at);

CREATE TRIGGER journalroot_is_kept BEFORE UPDATE OR DELETE ON habilitations_journalroot
    FOR EACH ROW EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER journalroot_is_not_emptied BEFORE TRUNCATE ON habilitations_journalroot
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER journalanchor_is_kept BEFORE UPDATE OR DELETE ON habilitations_journalanchor
    FOR EACH ROW EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER journalanchor_is_not_emptied BEFORE TRUNCATE ON habilitations_journalanchor
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER journalcheck_is_kept BEFORE UPDATE OR DELETE ON habilitations_journalcheck
    FOR EACH ROW EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER journalcheck_is_not_emptied BEFORE TRUNCATE ON habilitations_journalcheck
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();

REVOKE ALL ON habilitations_journalroot, habilitations_journalanchor, habilitations_journalcheck FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON habilitations_journalroot, habilitations_journalanchor,
    habilitations_journalcheck FROM CURRENT_USER;
"""

# The last word on what may go is here, whoever calls: six whole months since its end (the least that SEC-14 allows),
# and every line of the month inside the anchors of a root made for that. The act leaves its own trace.
DROP_MONTH = r"""
CREATE FUNCTION habilitations_drop_month(gone date, by_root bigint, trace uuid, actor uuid, actor_name text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(gone, '_YYYY_MM');
    dropped regclass := to_regclass('habilitations_trace' || to_char(gone, '_YYYY_MM'));
    present bigint;
    anchored bigint;
BEGIN
    IF gone <> date_trunc('month', gone) OR gone + interval '7 months' > now() AT TIME ZONE 'UTC' THEN
        RAISE EXCEPTION 'Ce mois est trop récent pour être retiré du journal.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF dropped IS NULL THEN
        RAISE EXCEPTION 'Ce mois n''est pas dans le journal.' USING ERRCODE = 'undefined_table';
    END IF;
    -- Nobody writes in it any more; a refusal below puts it back.
    EXECUTE format('ALTER TABLE habilitations_trace DETACH PARTITION %s', dropped);
    EXECUTE format('SELECT count(*) FROM %s', dropped) INTO present;
    SELECT coalesce(sum(a.last_seq - a.first_seq + 1), 0) INTO anchored
    FROM habilitations_journalroot r JOIN habilitations_journalanchor a ON a.root = r.number
    WHERE r.number = by_root AND r.kind = 'purge' AND r.month = gone;
    IF present <> anchored OR NOT EXISTS (
        SELECT FROM habilitations_journalroot WHERE number = by_root AND kind = 'purge' AND month = gone
    ) THEN
        RAISE EXCEPTION 'Ce mois n''a pas son ancre : il reste dans le journal.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DROP TABLE %s', dropped);
    EXECUTE format('DROP TABLE IF EXISTS %I', 'habilitations_accounttrace' || suffix);
    INSERT INTO habilitations_accounttrace (
        id, at, actor_id, actor_name, action, outcome, object_kind, object_id, count, request_id, address
    ) VALUES (
        trace, clock_timestamp(), actor, actor_name, 'purge du journal', 'ok', to_char(gone, '"mois "YYYY-MM'), NULL,
        present, '', ''
    );
END $$;
REVOKE EXECUTE ON FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text) FROM PUBLIC;
"""

BACK = """
DROP FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text);
DROP TABLE habilitations_journalcheck, habilitations_journalanchor, habilitations_journalroot;
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0005_structure_administrators")]

    operations = [
        migrations.RunSQL([TABLES, DROP_MONTH], reverse_sql=BACK),
        migrations.CreateModel(
            name="JournalRoot",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(choices=[("heure", "Racine"), ("purge", "Purge d'un mois")], max_length=8)),
                ("month", models.DateField(null=True)),
                ("lines", models.IntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                ("previous", models.BinaryField(max_length=32)),
                ("signature", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name": "racine du journal",
                "verbose_name_plural": "racines du journal",
                "db_table": "habilitations_journalroot",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="JournalCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=coordination.common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("lines", models.BigIntegerField()),
                ("dossiers", models.BigIntegerField()),
                ("faults", models.BigIntegerField()),
                ("root", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "vérification du journal",
                "verbose_name_plural": "vérifications du journal",
                "db_table": "habilitations_journalcheck",
                "managed": False,
            },
        ),
    ]
