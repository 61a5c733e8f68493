"""The supervisor on real servers, in a folder of its own: started, shared, killed, started again."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
import redis

from coordination.runtime import account, processes
from coordination.runtime.places import Place
from coordination.runtime.services import embedded

pytestmark = pytest.mark.slow
NOTHING_GIVEN: dict[str, str] = {}


@pytest.fixture(scope="module")
def data_dir():
    """So deep that a socket inside it could not be opened (107 bytes); open to the server's user, for root."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        folder = Path(name, "x" * 60, "y" * 60)
        folder.mkdir(parents=True)
        yield folder


@pytest.fixture(autouse=True)
def _data_dir(data_dir, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_dir))


def query(variables, sql):
    with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(sql).fetchone()


def sockets(variables):
    return Path(dict(parse_qsl(urlsplit(variables["DATABASE_URL"]).query))["host"])


def server_pid(variables):
    """The server's process, from the lock it keeps beside its socket."""
    return int((sockets(variables) / ".s.PGSQL.5432.lock").read_text().split()[0])


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_both_answer_and_stop_after_the_last_user():
    with embedded("run", NOTHING_GIVEN) as first:
        assert query(first, "SELECT 1") == (1,)
        with redis.Redis.from_url(first["REDIS_URL"]) as client:
            assert client.ping()
        pid = server_pid(first)
        with embedded("run", NOTHING_GIVEN) as second:
            assert second == first
        assert query(first, "SELECT 1") == (1,), "the second user stopped the servers of the first"
    assert not alive(pid)
    assert not sockets(first).exists()


def test_the_role_is_not_superuser_and_may_create_databases():
    with embedded("run", NOTHING_GIVEN) as variables:
        assert query(variables, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == (
            False,
            True,
        )
        query(variables, "SELECT 1")
        with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
            for extension in ("pg_trgm", "btree_gist"):
                connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(variables["DATABASE_URL"].replace("//coordination:", "//postgres:"))


@pytest.mark.asvs("v5.0.0-13.2.3")
def test_the_redis_wants_its_password():
    with embedded("run", NOTHING_GIVEN) as variables:
        host = variables["REDIS_URL"].split("@")[1]
        with redis.Redis.from_url(f"redis://{host}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_passwords_stand_in_a_file_of_their_owner_only(data_dir):
    with embedded("run", NOTHING_GIVEN) as variables:
        password = variables["REDIS_URL"].split(":")[2].split("@")[0]
        holders = [
            p for p in (data_dir / "run").iterdir() if p.is_file() and password in p.read_text(errors="replace")
        ]
        assert [p.name for p in holders] == ["state.json"]
        assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
        lines = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
        assert password not in lines


def test_committed_rows_survive_a_kill_of_the_server():
    with embedded("run", NOTHING_GIVEN) as variables:
        query(variables, "SELECT 1")
        with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        killed = server_pid(variables)
        os.kill(killed, signal.SIGKILL)
        with embedded("run", NOTHING_GIVEN) as again:
            assert query(again, "SELECT count(*) FROM kept") == (1000,)
            assert server_pid(again) != killed


def test_a_pid_file_left_by_another_life_is_no_obstacle(data_dir):
    with embedded("run", NOTHING_GIVEN):
        pass
    data = data_dir / "run" / "postgres"
    # This very process: alive, and not a PostgreSQL.
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n/tmp/gone\n\n 1 1\nready\n")
    with embedded("run", NOTHING_GIVEN) as variables:
        assert query(variables, "SELECT 1") == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers to another user")
def test_as_root_no_folder_is_opened_wider(tmp_path, monkeypatch):
    """A closed folder stays closed: the data go where the server's user may reach them, and a file says where."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    system = tmp_path.parent / "system"
    monkeypatch.setattr(account, "SYSTEM_HOME", system)
    monkeypatch.setattr(account.Account, "can", lambda self, right, path: not path.is_relative_to(closed))
    wanted = closed / "run" / "postgres"
    wanted.parent.mkdir()
    moved = account.reachable_folder(account.server_account(), wanted)
    assert moved.is_relative_to(system)
    assert (closed / "run" / "postgres.moved-to").read_text().strip() == str(moved)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.fixture
def careful():
    """The umask of a hardened server, which closes to others whatever is made."""
    former = os.umask(0o077)
    yield
    os.umask(former)


def test_a_closed_umask_leaves_a_way_through_our_own_folders(tmp_path, monkeypatch, careful):
    """They hold the programs and the data of another account; root's first `make run` found none that it could run."""
    monkeypatch.setattr(account, "SYSTEM_HOME", tmp_path / "system")
    folder = account._system_folder("programs", "some wheels")
    for part in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(part.stat().st_mode) == 0o711


def test_a_lost_state_file_costs_no_data(data_dir):
    with embedded("run", NOTHING_GIVEN) as variables:
        with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS precious AS SELECT 1 AS n")
    (data_dir / "run" / "state.json").unlink()
    with embedded("run", NOTHING_GIVEN) as variables:
        assert query(variables, "SELECT n FROM precious") == (1,)


def test_a_user_killed_without_goodbye_is_not_counted(data_dir):
    command = [sys.executable, "-m", "coordination.runtime", "exec", "--", "sleep", "60"]
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    other = subprocess.Popen(command, env=environment, start_new_session=True)
    state = data_dir / "run" / "state.json"
    deadline = time.monotonic() + 20
    while "sockets" not in (state.read_text() if state.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    with embedded("run", NOTHING_GIVEN) as variables:
        pid = server_pid(variables)
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()
        assert query(variables, "SELECT 1") == (1,)
    assert not alive(pid)


def test_servers_already_named_are_left_alone():
    given = {"DATABASE_URL": "postgres://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    with embedded("run", given) as variables:
        assert variables == {}


def test_only_what_is_missing_is_started():
    with embedded("run", {"DATABASE_URL": "postgres://elsewhere/x"}) as variables:
        assert set(variables) == {"REDIS_URL"}
        assert not processes.working_in(Place("run").folder / "postgres")


def test_a_full_disk_is_a_sentence(monkeypatch):
    from coordination.runtime import services
    from coordination.runtime.problems import Problem

    monkeypatch.setattr(services, "ROOM_NEEDED", 10**18)
    with pytest.raises(Problem, match=r"disk is full.*Free about 1 GB"), embedded("run", NOTHING_GIVEN):
        pytest.fail("it started on a full disk")


def test_the_log_of_the_server_quotes_no_row(data_dir):
    with embedded("run", NOTHING_GIVEN) as variables:
        with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS people (name text PRIMARY KEY)")
            connection.execute("DELETE FROM people")
            connection.execute("INSERT INTO people VALUES ('Zéphirine')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO people VALUES ('Zéphirine')")
    log = (data_dir / "run" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "phirine" not in log
