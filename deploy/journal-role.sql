-- The journal of accesses in a role of its own: docs/decisions/2026-11-28-journal-role.md.
-- By the administrator of PostgreSQL, in the product's database, after `manage.py migrate`; harmless when run again:
--   psql --set ON_ERROR_STOP=1 --dbname coordination --file deploy/journal-role.sql
-- The application's role is called coordination here: change it throughout if yours has another name.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coordination_journal') THEN
        CREATE ROLE coordination_journal NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coordination_purge') THEN
        CREATE ROLE coordination_purge NOLOGIN;
    END IF;
END $$;

-- Who owns a database or a schema may drop what others keep in it.
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO coordination_journal', current_database());
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO coordination', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO coordination_purge', current_database());
END $$;

-- What the server writes in its own log: an error would quote the row that it refuses and the statement that met it,
-- names and numbers of people included. Kept with the database: said again for one that is made anew.
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET log_error_verbosity = terse', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_min_error_statement = panic', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'log_error_verbosity = terse and log_min_error_statement = panic are for the superuser to set.';
END $$;

ALTER SCHEMA public OWNER TO pg_database_owner;

GRANT USAGE, CREATE ON SCHEMA public TO coordination, coordination_journal;

DO $$ DECLARE kept regclass; BEGIN
    FOR kept IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND relname ~ '^habilitations_(trace|accounttrace|tracehead|journalroot|journalanchor|journalcheck)(_[0-9]{4}_[0-9]{2}|_autre)?$'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO coordination_journal', kept);
        EXECUTE format('REVOKE ALL ON %s FROM coordination, coordination_purge', kept);
    END LOOP;
END $$;

-- The application writes and reads lines; the end of each chain is moved by the trigger alone, and months are made
-- by the journal's own function.
GRANT SELECT, INSERT ON habilitations_trace, habilitations_accounttrace TO coordination;

GRANT SELECT ON habilitations_tracehead TO coordination;

-- Roots are signed by the application, which can add some and change none.
GRANT SELECT, INSERT ON habilitations_journalroot, habilitations_journalanchor, habilitations_journalcheck TO coordination;

-- The second wall (habilitations/second_wall.py): `manage.py second_mur` raises and lowers it before the application's
-- own tables; this does the same before those of the journal.
DO $$ DECLARE kept regclass; raised boolean; BEGIN
    SELECT relforcerowsecurity INTO raised FROM pg_class WHERE oid = 'dossiers_dossier'::regclass;
    FOR kept IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND relname ~ '^habilitations_(trace|tracehead|journalanchor)(_[0-9]{4}_[0-9]{2}|_autre)?$'
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS declared ON %s', kept);
        IF raised THEN
            EXECUTE format('CREATE POLICY declared ON %s USING ((SELECT coalesce(current_setting(''coordination.actor'', true), '''') <> ''''))', kept);
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', kept);
        ELSE
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', kept);
        END IF;
    END LOOP;
END $$;

-- Closed months are removed by a role that writes no line: give it a password when the day comes, run
-- `manage.py purge_journal` with its DATABASE_URL, and take the password back.
GRANT USAGE ON SCHEMA public TO coordination_purge;

GRANT SELECT ON habilitations_trace, habilitations_accounttrace, habilitations_tracehead, accounts_user
TO coordination_purge;

GRANT SELECT, INSERT ON habilitations_journalroot, habilitations_journalanchor TO coordination_purge;

-- As habilitations/migrations/0027_month_removed_quickly.py, which leaves it to this script where the journal has its role.
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

ALTER FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text) OWNER TO coordination_journal;

ALTER FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text)
SECURITY DEFINER SET search_path = public, pg_temp;

REVOKE EXECUTE ON FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text) FROM PUBLIC, coordination;

GRANT EXECUTE ON FUNCTION habilitations_drop_month(date, bigint, uuid, uuid, text) TO coordination_purge;

ALTER FUNCTION habilitations_chain_trace() OWNER TO coordination_journal;

ALTER FUNCTION habilitations_chain_trace() SECURITY DEFINER SET search_path = public, pg_temp;

ALTER FUNCTION habilitations_refuse_change() OWNER TO coordination_journal;

ALTER FUNCTION habilitations_guard_head() OWNER TO coordination_journal;

ALTER FUNCTION habilitations_seal_partition(text) OWNER TO coordination_journal;

REVOKE EXECUTE ON FUNCTION habilitations_seal_partition(text) FROM PUBLIC;

ALTER FUNCTION habilitations_ensure_partitions(int) OWNER TO coordination_journal;

ALTER FUNCTION habilitations_ensure_partitions(int) SECURITY DEFINER SET search_path = public, pg_temp;

REVOKE EXECUTE ON FUNCTION habilitations_ensure_partitions(int) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION habilitations_ensure_partitions(int) TO coordination;
