"""A month leaves the journal without making its readers and writers wait (SCALE-7).

Counting the lines of the month, which grows with it, came after DETACH, under the lock that stops the whole journal.
It comes before, under a lock on the month alone, where nobody writes any more. Who waits for the lock of the whole
journal holds back all those that come after him: so he waits 40 ms, lets them pass, and tries again.

Where the journal has a role of its own, that role owns the function and this migration leaves it as it is, by which
months are removed as before: deploy/journal-role.sql, run again by PostgreSQL's administrator, holds the same body
(docs/decisions/2026-11-28-journal-role.md).
"""

from importlib import import_module

from django.db import migrations

DROP_MONTH = r"""
CREATE OR REPLACE FUNCTION habilitations_drop_month(gone date, by_root bigint, trace uuid, actor uuid, actor_name text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(gone, '_YYYY_MM');
    dropped regclass := to_regclass('habilitations_trace' || to_char(gone, '_YYYY_MM'));
    present bigint;
    anchored bigint;
    waited text := current_setting('lock_timeout');
    held boolean := false;
BEGIN
    IF gone <> date_trunc('month', gone) OR gone + interval '7 months' > now() AT TIME ZONE 'UTC' THEN
        RAISE EXCEPTION 'Ce mois est trop récent pour être retiré du journal.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF dropped IS NULL THEN
        RAISE EXCEPTION 'Ce mois n''est pas dans le journal.' USING ERRCODE = 'undefined_table';
    END IF;
    -- No line comes into it between its count and its end. Changes nothing but takes the lock that stops writers, which
    -- LOCK TABLE gives to nobody here: the right to change lines was taken from the owner himself.
    EXECUTE format('ALTER TABLE %s ENABLE TRIGGER partition_is_not_emptied', dropped);
    EXECUTE format('SELECT count(*) FROM %s', dropped) INTO present;
    SELECT coalesce(sum(a.last_seq - a.first_seq + 1), 0) INTO anchored
    FROM habilitations_journalroot r JOIN habilitations_journalanchor a ON a.root = r.number
    WHERE r.number = by_root AND r.kind = 'purge' AND r.month = gone;
    IF present <> anchored OR NOT EXISTS (
        SELECT FROM habilitations_journalroot WHERE number = by_root AND kind = 'purge' AND month = gone
    ) THEN
        RAISE EXCEPTION 'Ce mois n''a pas son ancre : il reste dans le journal.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('lock_timeout', '40ms', true);
    FOR attempt IN 1..150 LOOP
        BEGIN
            EXECUTE format('ALTER TABLE habilitations_trace DETACH PARTITION %s', dropped);
            EXECUTE format('DROP TABLE %s', dropped);
            EXECUTE format('DROP TABLE IF EXISTS %I', 'habilitations_accounttrace' || suffix);
            held := true;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
        PERFORM pg_sleep(0.2);
    END LOOP;
    PERFORM set_config('lock_timeout', waited, true);
    IF NOT held THEN
        RAISE EXCEPTION 'Le journal est trop lu pour qu''un mois en soit retiré maintenant.'
            USING ERRCODE = 'lock_not_available';
    END IF;
    INSERT INTO habilitations_accounttrace (
        id, at, actor_id, actor_name, action, outcome, object_kind, object_id, count, request_id, address
    ) VALUES (
        trace, clock_timestamp(), actor, actor_name, 'purge du journal', 'ok', to_char(gone, '"mois "YYYY-MM'), NULL,
        present, '', ''
    );
END $$;
"""
# What 0006 made, written again in place.
BEFORE = import_module("habilitations.migrations.0006_journal_roots").DROP_MONTH.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)


# Only the owner may write a function again.
WHERE_OURS = """
DO $owned$ BEGIN
    IF pg_has_role(
        (SELECT proowner FROM pg_proc
         WHERE oid = 'habilitations_drop_month(date, bigint, uuid, uuid, text)'::regprocedure), 'USAGE'
    ) THEN
        EXECUTE $written${body}$written$;
    END IF;
END $owned$;
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0026_called_by_number")]

    operations = [
        migrations.RunSQL(WHERE_OURS.replace("{body}", DROP_MONTH), reverse_sql=WHERE_OURS.replace("{body}", BEFORE))
    ]
