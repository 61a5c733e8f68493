"""`make backup` and `make restore` on a real server: one whole file, or a sentence and nothing changed (REL-12)."""

import errno
import io
import json
import stat
import tarfile
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest

from coordination.runtime import archive, backing_up, contents, programs, restoring
from coordination.runtime.__main__ import main
from coordination.runtime.account import server_account
from coordination.runtime.database import connect, environment_of
from coordination.runtime.places import Place
from coordination.runtime.postgres import Cluster
from coordination.runtime.problems import Problem
from coordination.runtime.services import embedded

pytestmark = [pytest.mark.slow, pytest.mark.req("REL-12")]
# As little of the product as backups look at, and values whose text depends on the settings of a session.
SMALL = """
CREATE EXTENSION pg_trgm;
CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text);
INSERT INTO django_migrations (app, name) VALUES ('outbox', '0001_initial'), ('outbox', '0005_written_for_a_version');
CREATE TABLE habilitations_journalroot (number bigint PRIMARY KEY, signature bytea);
INSERT INTO habilitations_journalroot VALUES (1, '\\x01'), (2, '\\xabcd');
CREATE TABLE outbox_quarantine (
    id uuid PRIMARY KEY, backup_at timestamptz NOT NULL, opened_at timestamptz NOT NULL, prepared_at timestamptz,
    released_at timestamptz, released_by_id uuid
);
CREATE UNIQUE INDEX one_stands ON outbox_quarantine ((released_at IS NULL)) WHERE released_at IS NULL;
CREATE TABLE things (id bigint PRIMARY KEY, said text, at timestamptz, much float8, raw bytea, t interval);
INSERT INTO things SELECT n, 'Élise ' || n, now() + n * interval '1 hour', n / 3.0, decode(md5(n::text), 'hex'),
    n * interval '1 minute' FROM generate_series(1, 3000) AS n;
CREATE TABLE empty_one (id int);
CREATE TABLE sealed (id int);
REVOKE UPDATE, DELETE, TRUNCATE ON sealed FROM CURRENT_USER;
CREATE TABLE walled (id int PRIMARY KEY);
INSERT INTO walled VALUES (1);
CREATE TABLE naming (id int REFERENCES walled);
INSERT INTO naming VALUES (1);
CREATE POLICY declared ON walled USING ((SELECT coalesce(current_setting('coordination.actor', true), '') <> ''));
ALTER TABLE walled ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE FUNCTION kept() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION kept() FROM PUBLIC;
"""


@pytest.fixture(scope="module")
def server():
    """The address of the database to save, on a server of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name, pytest.MonkeyPatch.context() as patch:
        Path(name).chmod(0o711)
        patch.setenv("DATA_DIR", str(Path(name, "data")))
        with embedded("run", {}, needs=("DATABASE_URL",)) as variables:
            with connect(variables["DATABASE_URL"]) as connection:
                connection.execute(SMALL)
            yield variables["DATABASE_URL"]


@pytest.fixture
def target(server):
    """The address of an empty database of the same server, dropped afterwards."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    with connect(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.replace("/coordination?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def saved(server, tmp_path):
    return backing_up.back_up(str(tmp_path / "un.backup"), server)


@pytest.fixture
def told(monkeypatch):
    """What would be handed to Django, which this small database is not."""
    heard = []
    monkeypatch.setattr(restoring, "_hand_to_the_product", lambda backup, url: heard.append(url))
    return heard


def manifest_of(path):
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile(archive.MANIFEST))


def rewritten(path, **said):
    """The same backup with another word in its manifest."""
    made = path.with_name("autre.backup")
    with tarfile.open(path) as tar, tarfile.open(made, "w") as out:
        for member in tar.getmembers():
            content = tar.extractfile(member).read()
            if member.name == archive.MANIFEST:
                content = json.dumps(json.loads(content) | said).encode()
                member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return made


def tables_in(url):
    with connect(url) as connection:
        return contents.tables_of(connection)


def refused(source, url):
    """The sentence of a restoration that changes nothing."""
    with pytest.raises(Problem) as problem:
        restoring.restore(str(source), restoring.GivenServer(url))
    assert tables_in(url) == []
    return str(problem.value)


# ---- One file --------------------------------------------------------------------------------------


def test_the_file_is_private_alone_and_says_what_it_holds(server, saved):
    said = manifest_of(saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    assert said["tables"]["public.things"][0] == 3000
    assert said["tables"]["public.empty_one"] == [0, "0" * 32]
    assert (said["schema"]["outbox"], said["journal_root"]) == ("0005_written_for_a_version", "2:abcd")
    assert said["made_at"] and said["version"] and said["server"] >= 15


def test_the_numbers_are_those_of_the_instant_of_the_dump(server, tmp_path, monkeypatch, target, told):
    """A row written once the dump is made is in neither."""
    describe = contents.describe

    def late(url, snapshot=""):
        with connect(url) as connection:
            connection.execute("INSERT INTO empty_one VALUES (1)")
        return describe(url, snapshot)

    monkeypatch.setattr(contents, "describe", late)
    path = backing_up.back_up(str(tmp_path / "un.backup"), server)
    monkeypatch.setattr(contents, "describe", describe)
    with connect(server) as connection:
        connection.execute("DELETE FROM empty_one")
    assert manifest_of(path)["tables"]["public.empty_one"][0] == 0
    restoring.restore(str(path), restoring.GivenServer(target))
    assert told == [target]


def test_a_folder_gets_a_file_named_by_the_moment(server, tmp_path):
    path = backing_up.back_up(str(tmp_path), server)
    assert path.parent == tmp_path and path.name.startswith("coordination-20") and path.suffix == ".backup"


def test_a_password_is_on_no_command_line(server):
    environment = environment_of(server)
    assert environment["PGPASSWORD"] in server
    assert {"PGHOST", "PGUSER", "PGDATABASE"} <= environment.keys()


def test_the_tools_find_what_the_environment_says_and_the_address_does_not(monkeypatch):
    for name, value in {"PGSSLROOTCERT": "/etc/ours.pem", "PGPORT": "1", "PGOPTIONS": "-c work_mem=64MB"}.items():
        monkeypatch.setenv(name, value)
    found = environment_of("postgres://app@db.example:5433/name", {"jit": "off"})
    assert (found["PGSSLROOTCERT"], found["PGPORT"]) == ("/etc/ours.pem", "5433")
    assert found["PGOPTIONS"] == "-c work_mem=64MB -c coordination.actor=system:backup -c jit=off"
    said = environment_of("postgres://app@db.example/name?options=-c%20role%3Dother")
    assert said["PGOPTIONS"] == "-c role=other -c coordination.actor=system:backup"


# ---- A sentence, and nothing left --------------------------------------------------------------------


def test_a_backup_replaces_no_other(server, saved):
    before = saved.read_bytes()
    with pytest.raises(Problem, match="exists already"):
        backing_up.back_up(str(saved), server)
    assert saved.read_bytes() == before


def test_a_folder_that_is_not_there(server, tmp_path):
    with pytest.raises(Problem, match="does not exist"):
        backing_up.back_up(str(tmp_path / "nulle-part" / "un.backup"), server)


def test_a_folder_of_somebody_else(server, tmp_path, monkeypatch):
    """Root writes everywhere: what the system would answer to another account is said in its place."""
    monkeypatch.setattr(backing_up.os, "access", lambda path, _mode: Path(path) != tmp_path)
    with pytest.raises(Problem, match="may not write in") as refused:
        backing_up.back_up(str(tmp_path), server)
    assert ".data" not in str(refused.value), "nothing of ours is to be moved aside"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgres://a:secret@127.0.0.1:9/b", r"does not answer.*127\.0\.0\.1.*refused"),
        ("mysql://a:secret@b/c", "not an address"),
    ],
)
def test_no_server(tmp_path, url, sentence):
    with pytest.raises(Problem, match=sentence) as problem:
        backing_up.back_up(str(tmp_path / "un.backup"), url)
    assert "secret" not in str(problem.value)


def test_a_database_of_something_else(target, tmp_path):
    with pytest.raises(Problem, match="nothing to back up"):
        backing_up.back_up(str(tmp_path / "un.backup"), target)


def test_no_pg_dump_recent_enough(server, tmp_path, monkeypatch):
    monkeypatch.setattr(backing_up, "major_of", lambda connection: 99)
    with pytest.raises(Problem, match="postgresql-client-99"):
        backing_up.back_up(str(tmp_path / "un.backup"), server)


def full_while_packing(monkeypatch, folder):
    def write(target, dump, manifest):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(archive, "write", write)


def full_while_dumping(monkeypatch, folder):
    """A pg_dump whose disk is full: it says so and stops, as the real one."""
    script = folder / "pg_dump"
    script.write_text(
        "#!/bin/sh\necho 'pg_dump: error: could not write to file: No space left on device' >&2; exit 1\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(backing_up, "find_tools", lambda major: programs.Postgres(folder, major))


@pytest.mark.parametrize("fault", [full_while_packing, full_while_dumping])
def test_a_full_disk_leaves_nothing_behind(server, tmp_path, monkeypatch, fault):
    kept = tmp_path / "sauvegardes"
    kept.mkdir()
    fault(monkeypatch, tmp_path)
    with pytest.raises(Problem, match="The disk is full"):
        backing_up.back_up(str(kept / "un.backup"), server)
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize("act", ["backup", "restore"])
def test_without_a_place_the_command_asks_where(act, capsys):
    assert main([act]) == 1
    assert f"make {act}" in capsys.readouterr().err


# ---- Restored, equal, and held -----------------------------------------------------------------------


@pytest.mark.req("REL-13")
def test_what_is_restored_is_what_was_saved_and_the_gate_is_closed_before_the_first_row(
    saved, target, told, monkeypatch
):
    gates, begun, run_tool = [], [], restoring.run_tool

    def watched(command, environment):
        assert begun == ["before any table"]
        if "--section=data" in command:
            with connect(target) as connection:
                asked = "SELECT (SELECT count(*) FROM outbox_quarantine), (SELECT count(*) FROM things)"
                gates.append(connection.execute(asked).fetchone())
        run_tool(command, environment)

    monkeypatch.setattr(restoring, "run_tool", watched)
    restoring.restore(str(saved), restoring.GivenServer(target), lambda: begun.append("before any table"))
    assert (gates, told) == ([(1, 0)], [target])
    with connect(target) as connection:
        standing = connection.execute("SELECT released_at, prepared_at FROM outbox_quarantine").fetchall()
        assert standing == [(None, None)]
        assert connection.execute("SELECT count(*) FROM things WHERE said = 'Élise 12'").fetchone() == (1,)
        withheld = connection.execute(
            "SELECT has_table_privilege('sealed', 'INSERT'), has_table_privilege('sealed', 'UPDATE'),"
            " has_table_privilege('sealed', 'TRUNCATE'), has_function_privilege('public', 'kept()', 'EXECUTE')"
        )
        assert withheld.fetchone() == (True, False, False, False)


@pytest.mark.req("SECT-9")
def test_the_wall_is_raised_once_every_foreign_key_was_verified(saved, target, told, monkeypatch):
    """Enabled, and its rule not yet made, it would hide what the keys name: verified beside, they would be refused."""
    seen, run_tool = [], restoring.run_tool

    def watched(command, environment):
        run_tool(command, environment)
        with connect(target) as connection:
            asked = "SELECT (SELECT count(*) FROM pg_constraint WHERE contype = 'f'), relrowsecurity,"
            asked += " (SELECT count(*) FROM pg_policy) FROM pg_class WHERE oid = 'walled'::regclass"
            seen.append(connection.execute(asked).fetchone())

    monkeypatch.setattr(restoring, "run_tool", watched)
    restoring.restore(str(saved), restoring.GivenServer(target))
    assert seen == [(0, False, 0), (0, False, 0), (1, False, 0), (1, True, 1)]


@pytest.mark.req("REL-13")
def test_a_backup_made_in_quarantine_brings_its_own(server, tmp_path, target, told):
    theirs = uuid.uuid4()
    with connect(server) as connection:
        connection.execute("INSERT INTO outbox_quarantine VALUES (%s, now(), now(), now())", [theirs])
        try:
            path = backing_up.back_up(str(tmp_path / "un.backup"), server)
        finally:
            connection.execute("DELETE FROM outbox_quarantine")
    restoring.restore(str(path), restoring.GivenServer(target))
    with connect(target) as connection:
        assert connection.execute("SELECT id FROM outbox_quarantine").fetchall() == [(theirs,)]


@pytest.mark.parametrize(
    ("change", "told_of"),
    [
        ("UPDATE things SET much = much + 1e-9 WHERE id = 7", "public.things: 3000 rows, of another content"),
        ("DELETE FROM things WHERE id = 7", "public.things: 2999 rows instead of 3000"),
        ("INSERT INTO empty_one VALUES (1)", "public.empty_one: 1 rows instead of 0"),
        ("DROP TABLE empty_one", "public.empty_one: missing"),
        ("CREATE TABLE more (id int)", "public.more: not in the backup"),
    ],
)
def test_one_row_otherwise_is_seen(saved, target, told, monkeypatch, change, told_of):
    run_tool = restoring.run_tool

    def changed(command, environment):
        run_tool(command, environment)
        if any("walls.list" in word for word in command):
            with connect(target) as connection:
                connection.execute(change)

    monkeypatch.setattr(restoring, "run_tool", changed)
    with pytest.raises(Problem) as problem:
        restoring.restore(str(saved), restoring.GivenServer(target))
    assert told_of in str(problem.value)
    assert "Do not use this database" in str(problem.value)
    assert told == []


# ---- Refused before anything is changed --------------------------------------------------------------


def test_a_database_that_is_not_empty(server, saved):
    with pytest.raises(Problem, match="is not empty"):
        restoring.restore(str(saved), restoring.GivenServer(server))


def test_a_database_in_use(saved, target):
    with psycopg.connect(target):
        assert "1 other programs" in refused(saved, target)


def test_a_file_cut_short(saved, target):
    whole = saved.read_bytes()
    for kept in (0, 300, len(whole) // 2, len(whole) - 12_000):
        saved.write_bytes(whole[:kept])
        assert "is not a whole backup" in refused(saved, target)


def test_a_byte_changed(saved, target):
    whole = bytearray(saved.read_bytes())
    with tarfile.open(saved) as tar:
        largest = max(tar.getmembers(), key=lambda member: member.size)
    whole[largest.offset_data + largest.size // 2] ^= 1
    saved.write_bytes(whole)
    assert "changed or damaged" in refused(saved, target)


def test_a_file_that_is_none(tmp_path, target):
    (tmp_path / "texte").write_text("bonjour")
    assert "is not a whole backup" in refused(tmp_path / "texte", target)
    assert "does not exist" in refused(tmp_path / "absent", target)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"migrations": [["circle", "9999_tomorrow"]]}, "circle.9999_tomorrow"),
        ({"server": 99}, "which is older"),
        ({"format": 2}, "another version of this command"),
        ({"files": {"../ailleurs": [1, "0"]}}, "names files elsewhere"),
    ],
)
def test_a_backup_of_elsewhere(saved, target, said, sentence):
    assert sentence in refused(rewritten(saved, **said), target)


# ---- The data files of another major version (REL-24) --------------------------------------------------


@pytest.mark.req("REL-24")
def test_data_of_another_major_are_refused_with_the_way_to_move_them(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    place = Place("run")
    place.make()
    cluster = Cluster(place, place.remember(), server_account())
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(Problem) as problem:
        cluster.start()
    said = str(problem.value)
    assert "made by PostgreSQL 9" in said and "make backup" in said and "make restore" in said
    assert [path.name for path in cluster.data.iterdir()] == ["PG_VERSION"]
