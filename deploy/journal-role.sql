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

-- Closed months are removed by a role that writes no line: give it a password when the day comes, run
-- `manage.py purge_journal` with its DATABASE_URL, and take the password back.
GRANT USAGE ON SCHEMA public TO coordination_purge;

GRANT SELECT ON habilitations_trace, habilitations_accounttrace, habilitations_tracehead, accounts_user
TO coordination_purge;

GRANT SELECT, INSERT ON habilitations_journalroot, habilitations_journalanchor TO coordination_purge;

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
