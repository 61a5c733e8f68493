"""Failures in plain sentences: what happened and what to do, never a traceback."""

import errno
import os
import re
import socket
import subprocess
import sys

import pytest

from coordination.runtime import bootstrap, problems, programs, supervise
from coordination.runtime.account import Account
from coordination.runtime.problems import (
    Problem,
    explain_command_output,
    explain_os_error,
    explain_server_output,
    explain_tool_output,
)

ROOT = bootstrap.ROOT


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=["127.0.0.1", "::1"])
def taken_port(request):
    """A port somebody listens on, on one only of the addresses that « localhost » stands for."""
    with socket.socket(socket.AF_INET6 if ":" in request.param else socket.AF_INET) as server:
        try:
            server.bind((request.param, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        server.listen()
        yield server.getsockname()[1]


def test_a_port_already_taken_is_named_with_the_way_out(taken_port, monkeypatch):
    monkeypatch.setenv("PORT", str(taken_port))
    with pytest.raises(Problem, match=rf"Port {taken_port} is already taken.*make run PORT={taken_port + 1}"):
        supervise.chosen_port()


def test_every_address_of_localhost_is_listened_on():
    command = supervise.web_command(free_port())
    bound = {command[at + 1].rsplit(":", 1)[0] for at, word in enumerate(command) if word == "--bind"}
    usable = {address for address in supervise.LOOPBACKS if not supervise.refusal_to_listen(address, 0)}
    assert bound == {"[::1]" if ":" in address else address for address in usable}
    assert "127.0.0.1" in bound


def test_a_machine_without_ipv6_is_served_on_the_other_address(monkeypatch):
    refusals = {"::1": errno.EADDRNOTAVAIL}
    monkeypatch.setattr(supervise, "refusal_to_listen", lambda address, port: refusals.get(address, 0))
    monkeypatch.setenv("PORT", "8000")
    assert supervise.chosen_port() == 8000
    assert supervise.web_command(8000).count("--bind") == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_of_the_administrator_is_not_said_taken(number, monkeypatch):
    monkeypatch.setattr(supervise, "refusal_to_listen", lambda address, port: number)
    monkeypatch.setenv("PORT", "80")
    with pytest.raises(Problem, match=r"Choose a port above 1023: make run PORT=8080") as raised:
        supervise.chosen_port()
    assert "taken" not in str(raised.value)


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1"])
def test_a_port_that_is_no_port(port, monkeypatch):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(Problem, match="PORT must be a number"):
        supervise.chosen_port()


def test_the_sentence_is_all_that_is_shown(taken_port):
    environment = os.environ | {"PORT": str(taken_port)}
    command = [sys.executable, "-m", "coordination.runtime", "run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "already taken" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


TRACEBACK = """Traceback (most recent call last):
  File "/x/manage.py", line 33, in <module>
    sys.exit(main())
             ^^^^^^
  File "/x/cursor.py", line 330, in copy
    raise ex.with_traceback(None)
{}"""


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ('psycopg.errors.DiskFull: could not extend file "base/1/2": No space left on device\nHINT:  Check.', "full"),
        ("django.db.utils.OperationalError: FATAL:  could not write init file", "The disk is full"),
        ("OSError: [Errno 28] No space left on device: '/tmp/annuaire-x/f.txt'", "full (/tmp/annuaire-x/f.txt)"),
        ('could not resize shared memory segment "/P.1" to 9 bytes: No space left on device', "the memory it needs"),
    ],
)
def test_a_command_that_meets_a_full_disk(said, sentence, tmp_path):
    problem = str(explain_command_output("Loading", TRACEBACK.format(said), tmp_path))
    assert sentence in problem
    assert "\n" not in problem


def test_a_server_lost_because_the_disk_is_full(tmp_path, monkeypatch):
    """Its clients only see that it went; the disk itself says why."""
    said = TRACEBACK.format("psycopg.OperationalError: server closed the connection unexpectedly")
    monkeypatch.setattr(problems, "NO_ROOM", 10**18)
    assert "The disk is full" in str(explain_command_output("Loading", said, tmp_path))


def test_another_failure_is_its_last_words_and_a_file(tmp_path):
    said = TRACEBACK.format("ValueError: two\nlines")
    problem = str(explain_command_output("Loading the demonstration data", said, tmp_path))
    assert problem == (
        "Loading the demonstration data failed. It said:\nValueError: two\nlines\n"
        f"The whole of it: {tmp_path}/failure.log"
    )
    assert (tmp_path / "failure.log").read_text() == said


def test_a_command_that_explains_itself_is_quoted(tmp_path):
    assert "CommandError: no" in str(explain_command_output("Loading", "CommandError: no\n", tmp_path))


def test_a_role_that_may_not_read_the_journal_is_told_which_one_may():
    said = (
        "pg_dump: error: query failed: ERROR:  permission denied for table habilitations_trace_autre\n"
        "pg_dump: detail: Query was: LOCK TABLE public.habilitations_trace_autre IN ACCESS SHARE MODE"
    )
    problem = str(explain_tool_output("pg_dump", said))
    assert "habilitations_trace_autre" in problem and "coordination_backup" in problem
    assert "LOCK TABLE" not in problem


def test_a_missing_library_is_named():
    said = "postgres: error while loading shared libraries: libreadline.so.8: cannot open shared object file"
    problem = str(explain_server_output("PostgreSQL", said, "log"))
    assert "libreadline.so.8" in problem
    assert "apt-get install" in problem


def test_a_broken_server_on_the_machine_gives_way_to_the_wheel(tmp_path, monkeypatch):
    """A program that does not start is passed over when another one does."""
    broken = tmp_path / "bin"
    broken.mkdir()
    for name in ("postgres", "initdb"):
        (broken / name).write_text(
            "#!/bin/sh\necho 'error while loading shared libraries: libx.so.1: no' >&2; exit 127\n"
        )
        (broken / name).chmod(0o755)
    good = programs.Postgres(tmp_path, 16)
    inspect = programs._inspect
    monkeypatch.setattr(programs, "_folders", lambda account: [broken, tmp_path])
    monkeypatch.setattr(programs, "_inspect", lambda f, a: [good] if f == tmp_path else inspect(f, a))
    assert programs.find_postgres(Account()) is good
    monkeypatch.setattr(programs, "_folders", lambda account: [broken])
    with pytest.raises(Problem, match=r"libx\.so\.1"):
        programs.find_postgres(Account())


def test_data_of_another_version_are_not_touched(monkeypatch, tmp_path):
    monkeypatch.setattr(programs, "_folders", lambda account: [tmp_path])
    monkeypatch.setattr(programs, "_inspect", lambda folder, account: [programs.Postgres(folder, 18)])
    with pytest.raises(Problem, match="made by PostgreSQL 15.*postgresql-15"):
        programs.find_postgres(Account(), major=15)


def test_the_origin_of_the_servers_can_be_forced(monkeypatch):
    monkeypatch.setenv("EMBEDDED_POSTGRES", "docker")
    with pytest.raises(Problem, match="machine or wheel"):
        programs.wanted_origin()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "The disk is full"),
        (errno.EACCES, "belongs to another user"),
        (errno.EROFS, "DATA_DIR"),
        (errno.EIO, "The system refused"),
    ],
)
def test_system_errors(number, sentence):
    assert sentence in str(explain_os_error(OSError(number, os.strerror(number), "/srv/x")))


def test_a_server_on_a_full_disk():
    said = 'FATAL:  could not write lock file "postmaster.pid": No space left on device'
    assert "The disk is full" in str(explain_server_output("PostgreSQL", said, "log"))


def test_an_unknown_failure_says_where_to_read_more():
    assert "The whole log: /x/postgres.log" in str(explain_server_output("PostgreSQL", "odd\n", "/x/postgres.log"))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("error: Failed to install\n  Caused by: No space left on device (os error 28)", "The disk is full"),
        ("Failed to download `django==5.2.19`\n  Caused by: Hash mismatch for `django==5.2.19`", "(django==5.2.19)"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its hash differs"),
        ("error: Failed to fetch: `https://index.example/simple/`\n dns error", "index cannot be reached"),
        ("Error: ... ensurepip is not available", "sudo apt-get install python3."),
        ("PermissionError: [Errno 13] Permission denied: '.venv'", "cannot be written"),
        ("something else\nlast", "last"),
    ],
)
def test_failures_of_the_installation(output, sentence):
    assert sentence in bootstrap.explain(output)


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_gets_the_one_apt_line(missing, monkeypatch):
    found = bootstrap.importlib.util.find_spec
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    # Ubuntu 22.04, where `python3` is 3.10 and the script went on with another one.
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 11, 9))
    with pytest.raises(bootstrap.Refusal, match=r"sudo apt-get install python3\.11-venv$"):
        bootstrap.make_environment()


def test_an_old_python_says_so(monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(bootstrap.Refusal, match=r"Python 3\.11 or newer is needed; this one is 3\.9"):
        bootstrap.use_recent_python()


def test_bootstrap_needs_nothing_but_the_standard_library():
    imported = re.findall(r"^(?:import|from) ([\w.]+)", (ROOT / "coordination/runtime/bootstrap.py").read_text(), re.M)
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.asvs("v5.0.0-15.1.2")
@pytest.mark.req("SEC-27")
@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", *bootstrap.LOCKS.values()])
def test_every_dependency_is_pinned_with_a_hash_and_no_address(name):
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    pinned = [block for block in blocks if re.match(r"[a-z0-9][\w.-]*==", block)]
    assert len(pinned) > 10
    assert all("--hash=sha256:" in block for block in pinned)
    assert "://" not in text
