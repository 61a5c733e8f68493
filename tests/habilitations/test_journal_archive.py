"""A month that left the journal verifies in its file, and leaving makes nobody wait (SCALE-7)."""

import datetime as dt
import gzip
import json
import stat
import threading
import time
import uuid
from contextlib import contextmanager

import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection, transaction
from django.test import override_settings

from habilitations import archive, journal, roots, verification
from habilitations.errors import JournalIsBusy, MonthIsArchived, NotAnArchive
from habilitations.models import AccountTrace, Trace
from tests.accounts.factories import UserFactory
from tests.habilitations.test_journal import fill, sql
from tests.habilitations.test_journal_roots import OLD, faults, moment, old_lines, open_month, run

pytestmark = [pytest.mark.django_db, pytest.mark.req("SCALE-7", "SEC-14", "SECT-11")]


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def filled():
    """A month of three runs: one dossier twice, another once; a line that says all it can, one of an account."""
    open_month(OLD)
    one, other = uuid.uuid4(), uuid.uuid4()
    old_lines(one, moment(1), moment(2))
    fill(2, dossier_id=one)
    old_lines(one, moment(3))
    Trace.objects.bulk_create(
        [
            Trace(
                at=moment(4), dossier_id=other, actor_name='É "x" \\ \t', action="lecture", outcome="ok",
                actor_id=uuid.uuid4(), object_id=uuid.uuid4(), software="Logiciel", on_behalf_of_id=uuid.uuid4(),
                on_behalf_of_name="MODÈLE",
            )
        ]
    )  # fmt: skip
    AccountTrace.objects.bulk_create([AccountTrace(at=moment(5), action="liste", outcome="ok", count=3)])
    return one, other


@pytest.fixture
def archived(filled, administrator, tmp_path):
    path = tmp_path / "mois.gz"
    journal.purge_month(OLD, by=administrator, archived=path)
    return path


def entries(path):
    with gzip.open(path, "rt") as told:
        return [json.loads(line) for line in told]


def rewritten(path, changed):
    with gzip.open(path, "wt") as told:
        told.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in changed)
    return path


def test_a_month_that_left_verifies_in_its_file_and_the_journal_without_it(archived, filled):
    found = archive.read(archived)
    assert (found.fault, found.lines, found.root.month) == (None, 4, OLD)
    assert not Trace.objects.filter(at__lt=moment(28)).filter(dossier_id__in=filled).exists()
    assert faults() == []
    kinds = [entry[0] for entry in entries(archived)[1:]]
    assert kinds == ["suite"] * 3 + ["ligne"] * 4 + ["compte", "fin"]
    assert entries(archived)[-2][1]["count"] == 3
    assert stat.S_IMODE(archived.stat().st_mode) == 0o600
    assert list(archived.parent.iterdir()) == [archived], "no draft is left"


SPOILT = {
    "a name changed": lambda e: e[4][2].__setitem__(5, "x"),
    "a line removed": lambda e: e.pop(5),
    "a line removed, and its count": lambda e: (e.pop(5), e[-1].__setitem__(2, 3)),
    "two lines swapped": lambda e: e.insert(4, e.pop(5)),
    "a line twice": lambda e: e.insert(5, e[4]),
    "a run removed with its lines": lambda e: (e.pop(7), e.pop(3), e.__setitem__(-1, ["fin", 2, 3, 1])),
    "the month of the root": lambda e: e[0]["root"].__setitem__("month", "2001-01-01"),
    "the signature": lambda e: e[0]["root"].__setitem__("signature", "00" * 32),
    "a line of an account removed": lambda e: e.pop(8),
    "a line of an account removed, and its count": lambda e: (e.pop(8), e[-1].__setitem__(3, 0)),
    "a line of an account changed": lambda e: e[8][1].__setitem__("count", 1),
    "a line of an account added": lambda e: (e.insert(9, e[8]), e[-1].__setitem__(3, 2)),
    "the seal": lambda e: e[-1].__setitem__(4, "00" * 32),
    "no seal": lambda e: e[-1].pop(),
    "a hash": lambda e: e[4].__setitem__(1, "00" * 32),
    "the end": lambda e: e.pop(),
    "the end and the last lines": lambda e: e.__delitem__(slice(6, None)),
    "more after the end": lambda e: e.append(["compte", {}]),
}


@pytest.mark.parametrize("how", SPOILT)
def test_whatever_is_changed_in_the_file_is_found(archived, how):
    changed = entries(archived)
    SPOILT[how](changed)
    assert archive.read(rewritten(archived, changed)).fault is not None


def test_a_file_of_the_first_format_is_read_and_said_not_to_be_sealed(archived):
    """So that whoever takes the seal away does not pass for one that holds all of it."""
    changed = entries(archived)
    changed[0]["format"] = 1
    changed[-1].pop()
    found = archive.read(rewritten(archived, changed))
    assert (found.fault, found.sealed) == (None, False)
    assert "pas scellées" in run("verify_journal", archive=archived)
    changed[8][1]["count"] = 1
    assert archive.read(rewritten(archived, changed)).fault is None


def test_a_seal_serves_one_month_only(archived, administrator, tmp_path):
    """The accounts of another month, whole and sealed, are not those of this one."""
    other = OLD.replace(month=OLD.month - 1)
    open_month(other)
    old_lines(uuid.uuid4(), dt.datetime(other.year, other.month, 3, tzinfo=dt.UTC))
    path = tmp_path / "autre.gz"
    journal.purge_month(other, by=administrator, archived=path)
    changed, theirs = entries(archived), entries(path)
    changed[8:] = [*(entry for entry in theirs[1:] if entry[0] == "compte"), ["fin", 3, 4, 0, theirs[-1][-1]]]
    assert "scellées" in archive.read(rewritten(archived, changed)).fault


def test_a_run_rewritten_with_true_hashes_is_found(archived):
    """As somebody who knows the algorithm: the signed end of the run says it."""
    changed = entries(archived)
    values = changed[7][2]
    values[5] = "x"
    changed[7][1] = archive.link(bytes.fromhex(changed[3][4]), dict(zip(archive.NAMES, values, strict=True))).hex()
    assert "réécrites depuis la signature" in archive.read(rewritten(archived, changed)).fault


@pytest.mark.parametrize("content", [b"", b"rien", b"\x1f\x8b", None])
def test_what_is_not_a_whole_file_says_so(archived, content):
    archived.write_bytes(archived.read_bytes()[:-20] if content is None else content)
    with pytest.raises(NotAnArchive):
        archive.read(archived)


def test_a_file_that_is_there_is_never_overwritten_and_the_month_stays(filled, administrator, tmp_path):
    path = tmp_path / "mois.gz"
    path.write_text("autre chose")
    with pytest.raises(MonthIsArchived):
        journal.purge_month(OLD, by=administrator, archived=path)
    assert path.read_text() == "autre chose"
    assert Trace.objects.filter(dossier_id=filled[1]).exists()


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("write_down", OSError("the disk")),
        ("read", NotAnArchive()),
        ("read", OSError("gone")),
        ("read", KeyboardInterrupt()),
    ],
    ids=["its folder is not written down", "it is no archive", "it is not read again", "somebody stops it"],
)
def test_what_stops_the_archive_keeps_the_month_and_leaves_no_file(
    filled, administrator, tmp_path, monkeypatch, where, what
):
    def stops(_):
        raise what

    monkeypatch.setattr(archive, where, stops)
    with pytest.raises(type(what)):
        journal.purge_month(OLD, by=administrator, archived=tmp_path / "mois.gz")
    assert list(tmp_path.iterdir()) == []
    assert Trace.objects.filter(dossier_id=filled[1]).exists()


def test_the_name_of_the_file_is_on_the_disk_before_the_month_leaves(filled, administrator, tmp_path, monkeypatch):
    there = []

    def written(folder):
        there.append((folder, (tmp_path / "mois.gz").exists(), Trace.objects.filter(dossier_id=filled[1]).exists()))

    monkeypatch.setattr(archive, "write_down", written)
    journal.purge_month(OLD, by=administrator, archived=tmp_path / "mois.gz")
    assert there == [(tmp_path, True, True)]


def test_archiving_and_verifying_are_commands(filled, administrator, tmp_path):
    path = tmp_path / "mois.gz"
    said = run("purge_journal", f"{OLD:%Y-%m}", par=administrator.email, archive=path)
    assert f"Archive : {path}" in said
    said = run("verify_journal", archive=path)
    assert "Archive intègre" in said and "pas scellées" not in said
    with pytest.raises(CommandError, match="ne se lit pas"):
        run("verify_journal", archive=tmp_path / "ailleurs.gz")
    with (
        override_settings(JOURNAL_KEYS=["another key, of another house, long enough to be one"]),
        pytest.raises(CommandError, match="signature fausse"),
    ):
        run("verify_journal", archive=path)
    open_month(OLD.replace(month=4))
    with pytest.raises(CommandError, match="ne s'écrit pas"):
        run("purge_journal", f"{OLD:%Y}-04", par=administrator.email, archive=tmp_path / "nowhere" / "mois.gz")


# ---- Nobody waits ----------------------------------------------------------------------------------

LONG = 1.5


class Writer(threading.Thread):
    """Writes lines one after the other, on a connection of its own."""

    def __init__(self):
        super().__init__()
        self.over, self.written = threading.Event(), 0

    def run(self):
        while not self.over.is_set():
            old_lines(uuid.uuid4(), dt.datetime.now(dt.UTC))
            self.written += 1
        connection.close()


class Question(threading.Thread):
    """Holds a part of the journal for a while, as a long question does, beside a writer who stops when it ends."""

    def __init__(self, table):
        super().__init__()
        self.table, self.asked, self.writer = table, threading.Event(), Writer()

    def run(self):
        with transaction.atomic():
            sql(f"LOCK TABLE ONLY {self.table} IN ACCESS SHARE MODE")
            self.asked.set()
            time.sleep(LONG)
            self.writer.over.set()
            self.writer.join()
        connection.close()


@contextmanager
def long_question(table):
    """Give the writer who works while a question holds a table."""
    question = Question(table)
    question.start()
    assert question.asked.wait(30)
    question.writer.start()
    try:
        yield question.writer
    finally:
        question.join()


def test_behind_a_long_question_a_month_leaves_and_the_writers_go_on():
    """Who waits for the lock of the whole journal holds everybody back: he lets them pass, and tries again."""
    open_month(OLD)
    old_lines(uuid.uuid4(), moment(1))
    root = roots.sign_month(OLD)
    with long_question("habilitations_trace") as writer:
        sql("SELECT habilitations_drop_month(%s, %s, gen_random_uuid(), NULL, 'x')", OLD, root.number)
    assert writer.written >= 3, "nobody wrote while the month waited to leave"
    assert sql("SELECT to_regclass(%s)", f"habilitations_trace_{OLD:%Y_%m}") == [(None,)]


def test_months_made_ahead_give_up_rather_than_stop_the_writers(monkeypatch):
    monkeypatch.setattr(journal, "TRIES", 3)
    with long_question("habilitations_trace_autre") as writer, pytest.raises(OperationalError):
        journal.prepare_months(26)
    assert writer.written >= 3
    assert journal.prepare_months(26) == 4


def test_a_journal_too_much_read_keeps_its_month_and_no_file_is_left(filled, administrator, tmp_path):
    sql(
        "CREATE OR REPLACE FUNCTION habilitations_drop_month(gone date, by_root bigint, trace uuid, actor uuid,"
        " actor_name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'x'"
        " USING ERRCODE = 'lock_not_available'; END $$"
    )
    with pytest.raises(JournalIsBusy):
        journal.purge_month(OLD, by=administrator, archived=tmp_path / "mois.gz")
    assert list(tmp_path.iterdir()) == []
    assert Trace.objects.filter(dossier_id=filled[1]).exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_written_while_it_is_verified_is_no_fault(filled, administrator, monkeypatch):
    """The ends of chains, then their lines, are read as they stood at one instant."""
    read = verification.copied.rows

    def rows(*asked):
        writer = threading.Thread(target=write_apart, args=[filled[0]])
        writer.start()
        writer.join()
        return read(*asked)

    monkeypatch.setattr(verification.copied, "rows", rows)
    assert journal.purge_month(OLD, by=administrator).month == OLD
    assert not Trace.objects.filter(dossier_id=filled[0], at__lt=moment(28)).exists()


def write_apart(dossier_id):
    try:
        fill(1, dossier_id=dossier_id)
    finally:
        connection.close()
