"""A private PostgreSQL cluster: made once, started and stopped on demand, reached by a Unix socket.

The superuser has no password and no way in; the application's role may create databases (the tests
need it) and nothing more, as in production.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from coordination.runtime import processes
from coordination.runtime.account import Account, reachable_folder
from coordination.runtime.places import Place, State, new_password, open_private
from coordination.runtime.problems import Problem, explain_server_output
from coordination.runtime.programs import Postgres, find_postgres

ROLE = DATABASE = "coordination"
SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's name; said everywhere, so that PGPORT has no effect
LOG_LIMIT = 5_000_000

SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Nothing is replicated: COPY into a new table may skip the write-ahead log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # An error's detail and statement carry people's names; they stay out of the log (SEC-22).
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Test data are thrown away: do not wait for the disk.
DISPOSABLE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Each index against its table, each table against itself. Dropped at the end: no ordinary role could restore a dump
# that has it.
AMCHECK = (
    "CREATE EXTENSION amcheck",
    "DO $$ BEGIN PERFORM bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid"
    " AND c.relpersistence = 'p'; END $$",
    "DO $$ DECLARE found text; BEGIN SELECT string_agg(DISTINCT c.relname, ', ') INTO found FROM pg_class c,"
    " verify_heapam(c.oid) WHERE c.relkind = 'r' AND c.relpersistence = 'p'; IF found IS NOT NULL THEN"
    " RAISE EXCEPTION 'damaged tables: %', found; END IF; END $$",
    "DROP EXTENSION amcheck",
)


class Cluster:
    """The PostgreSQL of one place."""

    def __init__(self, place: Place, state: State, account: Account) -> None:
        self.place = place
        self.state = state
        self.memory = state.section("postgres")
        self.account = account
        self.data = reachable_folder(account, place.folder / "postgres")
        self.log = place.folder / "postgres.log"

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self.memory['password']}@/{DATABASE}?host={self.memory['sockets']}&port={PORT}"

    def start(self) -> None:
        """Make the cluster if needed; start the server, or take the one that is already running."""
        if self._is_ready():
            return
        self._clear_remains()
        programs = self._matching_programs()
        if not (self.data / "PG_VERSION").exists():
            self._create(programs)
        elif "password" not in self.memory:
            self._set_password(programs)
        self._launch(programs)

    def stop(self) -> None:
        """End sessions, write everything down, stop. SIGINT is PostgreSQL's « fast shutdown »."""
        pid = self._pid()
        if pid:
            processes.stop(pid, self.data, signal.SIGINT, signal.SIGQUIT)
        self._remove_sockets()

    def check_data(self) -> bool:
        """Stop, read every table and index again (amcheck), start; False where PostgreSQL comes without amcheck.

        In single-user mode: the superuser has no other way in. Raises Problem for a damaged table or index.
        """
        programs = self._matching_programs()
        self.stop()
        try:
            self._alone(programs, self.data, *AMCHECK, database=DATABASE)
        except Problem as problem:
            if 'extension "amcheck" is not available' in str(problem):
                return False
            raise
        finally:
            self.start()
        return True

    # --- The running server -------------------------------------------------------------------

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _pid(self) -> int | None:
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if processes.works_in(pid, self.data) else None

    def _is_ready(self) -> bool:
        """Line 8 of postmaster.pid says so, as pg_ctl reads it; the socket must be the one we remember."""
        lines = self._pid_file()
        return (
            bool(self._pid())
            and len(lines) >= 8
            and lines[7].strip() == "ready"
            and lines[4] == self.memory.get("sockets")
            and Path(lines[4], f".s.PGSQL.{PORT}").exists()
            and "password" in self.memory
        )

    def _clear_remains(self) -> None:
        """After a kill -9: wait for orphans, then remove what makes PostgreSQL believe it still runs."""
        pid = self._pid()
        if pid:
            processes.stop(pid, self.data, signal.SIGINT, signal.SIGQUIT)
        for orphan in processes.working_in(self.data):
            processes.stop(orphan, self.data, signal.SIGTERM, signal.SIGKILL, patience=5)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._remove_sockets()

    def _remove_sockets(self) -> None:
        folder = self.memory.pop("sockets", None)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
            self.state.save()

    def _launch(self, programs: Postgres) -> None:
        # A short, private folder: the path of a socket may not exceed 107 bytes, and checkouts can be deep.
        sockets = Path(tempfile.mkdtemp(prefix="coordination-", dir="/tmp"))  # noqa: S108 - mode 0700  # nosec B108
        self.account.give(sockets)
        self.memory["sockets"] = str(sockets)
        self.state.save()
        settings = SETTINGS | (DISPOSABLE_SETTINGS if self.place.disposable else {})
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [programs.program("postgres"), "-D", str(self.data), "-k", str(sockets), *options]
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.unlink()
        start_of_log = self.log.stat().st_size if self.log.exists() else 0
        with open_private(self.log, "ab") as log:
            server = processes.launch(command, self.account, log, subprocess.DEVNULL)
        self._wait_ready(server, start_of_log)

    def _wait_ready(self, server: subprocess.Popen, start_of_log: int) -> None:
        """Recovery after a crash may take long; a server that stops says why in its log."""
        deadline = time.monotonic() + 300
        while not self._is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_bytes()[start_of_log:].decode(errors="replace")
                raise explain_server_output("PostgreSQL", said, str(self.log))
            time.sleep(0.02)

    # --- Making the cluster -------------------------------------------------------------------

    def _matching_programs(self) -> Postgres:
        """The programs of the version that made the data; disposable data follow the programs instead."""
        try:
            major = int((self.data / "PG_VERSION").read_text())
        except OSError:
            return find_postgres(self.account)
        if self.place.disposable:
            programs = find_postgres(self.account)
            if programs.major != major:
                shutil.rmtree(self.data)
            return programs
        return find_postgres(self.account, major)

    def _create(self, programs: Postgres) -> None:
        """initdb beside the final place, renamed once complete: a kill in between leaves nothing half made."""
        draft = self.data.with_name(f"{self.data.name}.new")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        self.account.give(draft)
        command = [programs.program("initdb"), "-D", str(draft), "-U", SUPERUSER]
        # C.UTF-8 exists on every server; names are sorted on a column normalised in Python.
        # `reject`: the superuser never connects, the rule below admits the application's role alone.
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=reject", "--no-instructions"]
        if self.place.disposable:
            command.append("--no-sync")
        self._run(command)
        (draft / "pg_hba.conf").write_text(f"local all {ROLE} scram-sha-256\n")
        self.memory["password"] = new_password()
        self._alone(
            programs,
            draft,
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.memory['password']}'",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        )
        self.state.save()
        os.replace(draft, self.data)

    def _set_password(self, programs: Postgres) -> None:
        """The state file was lost but the data are there: give the role a new password."""
        self.memory["password"] = new_password()
        self._alone(programs, self.data, f"ALTER ROLE {ROLE} PASSWORD '{self.memory['password']}'")
        self.state.save()

    def _alone(self, programs: Postgres, data: Path, *statements: str, database: str = "postgres") -> None:
        """Run statements in PostgreSQL's single-user mode, one per line: no server, no password needed."""
        said = self._run([programs.program("postgres"), "--single", "-D", str(data), database], statements)
        if "ERROR:" in said or "FATAL:" in said:
            raise Problem(f"PostgreSQL refused to prepare its database:\n{said.strip()}")

    def _run(self, command: list[str], lines: tuple[str, ...] = ()) -> str:
        """Run a program to its end as the server's user; its error output. Raises Problem."""
        done = subprocess.run(
            command,
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            cwd="/",
            env=processes.ENVIRONMENT,
            **self.account.options(),
        )
        if done.returncode:
            raise explain_server_output("PostgreSQL", done.stdout + done.stderr, "none yet")
        return done.stderr
