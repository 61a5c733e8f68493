"""The journal of accesses: append-only, by month, chained per dossier (SEC-9, SEC-10; schema truth 5).

Written in SQL because Django knows neither partitions nor triggers. Nothing newer than PostgreSQL 15,
no extension: sha256() is in the core. `habilitations/chain.py` computes the same hashes in Python.
"""

from django.db import migrations

TABLES = """
CREATE TABLE habilitations_tracehead (
    dossier_id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE habilitations_trace (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    dossier_id uuid NOT NULL,
    seq bigint NOT NULL,
    actor_id uuid,
    actor_name varchar(250) NOT NULL,
    actor_national_id varchar(30) NOT NULL,
    profession varchar(4) NOT NULL,
    fonction varchar(8) NOT NULL,
    structure_name varchar(200) NOT NULL,
    profile varchar(40) NOT NULL,
    habilitation_id uuid,
    matrix_version integer NOT NULL,
    action varchar(20) NOT NULL,
    rubrique varchar(20) NOT NULL,
    outcome varchar(8) NOT NULL,
    object_kind varchar(30) NOT NULL,
    object_id uuid,
    reason varchar(300) NOT NULL,
    request_id varchar(64) NOT NULL,
    address varchar(45) NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX trace_by_dossier ON habilitations_trace (dossier_id, seq);
CREATE INDEX trace_by_actor ON habilitations_trace (actor_id, at);

CREATE TABLE habilitations_accounttrace (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor_id uuid,
    actor_name varchar(250) NOT NULL,
    action varchar(20) NOT NULL,
    outcome varchar(8) NOT NULL,
    object_kind varchar(30) NOT NULL,
    object_id uuid,
    count integer,
    request_id varchar(64) NOT NULL,
    address varchar(45) NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX accounttrace_by_actor ON habilitations_accounttrace (actor_id, at);
"""

# The text hashed is a JSON array of every column but the hashes, in the order of the table: unambiguous,
# and any language writes the same one. One UPDATE locks the end of the dossier's chain, moves it and
# gives both hashes back: two traces of one dossier wait for each other, two dossiers never do.
CHAIN = r"""
CREATE FUNCTION habilitations_chain_trace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        UPDATE habilitations_tracehead AS head
        SET seq = head.seq + 1,
            previous_hash = head.hash,
            hash = sha256(head.hash || convert_to(json_build_array(
                NEW.id,
                to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                NEW.dossier_id,
                head.seq + 1,
                NEW.actor_id, NEW.actor_name, NEW.actor_national_id, NEW.profession, NEW.fonction,
                NEW.structure_name, NEW.profile, NEW.habilitation_id, NEW.matrix_version, NEW.action,
                NEW.rubrique, NEW.outcome, NEW.object_kind, NEW.object_id, NEW.reason, NEW.request_id,
                NEW.address
            )::text, 'UTF8'))
        WHERE head.dossier_id = NEW.dossier_id
        RETURNING head.seq, head.previous_hash, head.hash INTO NEW.seq, NEW.previous_hash, NEW.hash;
        EXIT WHEN FOUND;
        INSERT INTO habilitations_tracehead (dossier_id, seq, previous_hash, hash)
        VALUES (NEW.dossier_id, 0, '', '') ON CONFLICT (dossier_id) DO NOTHING;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER trace_is_chained BEFORE INSERT ON habilitations_trace
    FOR EACH ROW EXECUTE FUNCTION habilitations_chain_trace();

CREATE FUNCTION habilitations_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Le journal ne se modifie pas.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION habilitations_guard_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Depth 2: this trigger inside the insert trigger of a trace. Nobody else writes here.
    IF TG_OP = 'DELETE' OR pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'Le journal ne se modifie pas.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER trace_is_kept BEFORE UPDATE OR DELETE ON habilitations_trace
    FOR EACH ROW EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER trace_is_not_emptied BEFORE TRUNCATE ON habilitations_trace
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER accounttrace_is_kept BEFORE UPDATE OR DELETE ON habilitations_accounttrace
    FOR EACH ROW EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER accounttrace_is_not_emptied BEFORE TRUNCATE ON habilitations_accounttrace
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();
CREATE TRIGGER tracehead_is_the_chains BEFORE INSERT OR UPDATE OR DELETE ON habilitations_tracehead
    FOR EACH ROW EXECUTE FUNCTION habilitations_guard_head();
CREATE TRIGGER tracehead_is_not_emptied BEFORE TRUNCATE ON habilitations_tracehead
    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change();

REVOKE ALL ON habilitations_trace, habilitations_accounttrace, habilitations_tracehead FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON habilitations_trace, habilitations_accounttrace FROM CURRENT_USER;
REVOKE DELETE, TRUNCATE ON habilitations_tracehead FROM CURRENT_USER;
"""

# Months are attached, not created in place: ATTACH leaves readers and writers of the journal alone.
# Row triggers and indexes come with ATTACH; the TRUNCATE trigger and the grants do not.
# A month of which rows already fell into the safety net is left there: they could not be moved.
PARTITIONS = r"""
CREATE FUNCTION habilitations_seal_partition(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER partition_is_not_emptied BEFORE TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION habilitations_refuse_change()', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM CURRENT_USER', name);
END $$;

CREATE FUNCTION habilitations_ensure_partitions(months int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    name text;
    first timestamptz;
    next timestamptz;
    caught boolean;
    made int := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY['habilitations_trace', 'habilitations_accounttrace'] LOOP
        FOR ahead IN -1..months LOOP
            first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))
                     AT TIME ZONE 'UTC';
            next := ((first AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
            name := parent || to_char(first AT TIME ZONE 'UTC', '_YYYY_MM');
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE at >= %L AND at < %L)',
                           parent || '_autre', first, next) INTO caught;
            CONTINUE WHEN caught;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', name, parent);
            PERFORM habilitations_seal_partition(name);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           parent, name, first, next);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE TABLE habilitations_trace_autre PARTITION OF habilitations_trace DEFAULT;
SELECT habilitations_seal_partition('habilitations_trace_autre');
CREATE TABLE habilitations_accounttrace_autre PARTITION OF habilitations_accounttrace DEFAULT;
SELECT habilitations_seal_partition('habilitations_accounttrace_autre');
SELECT habilitations_ensure_partitions(24);
"""

BACK = """
DROP TABLE habilitations_trace, habilitations_accounttrace, habilitations_tracehead;
DROP FUNCTION habilitations_ensure_partitions(int);
DROP FUNCTION habilitations_seal_partition(text);
DROP FUNCTION habilitations_chain_trace();
DROP FUNCTION habilitations_guard_head();
DROP FUNCTION habilitations_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0001_initial")]

    operations = [migrations.RunSQL([TABLES, CHAIN, PARTITIONS], reverse_sql=BACK)]
