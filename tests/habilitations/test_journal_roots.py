"""Signed roots: what only the owner of the database can do is found all the same, and named (SECT-11)."""

import datetime as dt
import io
import tracemalloc
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from habilitations import chain, copied, journal, roots, verification
from habilitations.errors import JournalIsWrong, MonthIsKept, MonthNotInJournal, NotAllowed
from habilitations.models import AccountTrace, JournalCheck, JournalRoot, Trace
from tests.accounts.factories import UserFactory
from tests.habilitations.test_journal import access, fill, for_another, force, sql

pytestmark = pytest.mark.django_db

NOW = dt.datetime.now(dt.UTC)
OLD = dt.date(NOW.year - 2, 3, 1)


def faults():
    return [str(found) for found in verification.verify().faults]


def rewrite(dossier_id, change, *, first=1):
    """Do as somebody who knows the algorithm: change lines, then make every hash after them true again, head included.

    `change(line)` may change the mapping it is given.
    """
    lines = list(Trace.objects.of_dossier(dossier_id).values())
    last = b""
    for line in lines:
        if line["seq"] >= first:
            change(line)
            line["previous_hash"], line["hash"] = last, chain.link(last, line)
            force(
                "UPDATE habilitations_trace SET actor_name = %s, previous_hash = %s, hash = %s "
                "WHERE dossier_id = %s AND seq = %s",
                line["actor_name"], line["previous_hash"], line["hash"], dossier_id, line["seq"],
            )  # fmt: skip
        last = bytes(line["hash"])
    force("UPDATE habilitations_tracehead SET hash = %s WHERE dossier_id = %s", last, dossier_id)


def cut(dossier_id, after):
    """Remove the end of a chain and set its head on the line before."""
    force("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq > %s", dossier_id, after)
    force(
        "UPDATE habilitations_tracehead SET seq = %s, hash = coalesce((SELECT hash FROM habilitations_trace "
        "WHERE dossier_id = %s AND seq = %s), '') WHERE dossier_id = %s",
        after, dossier_id, after, dossier_id,
    )  # fmt: skip


# ---- nothing wrong ---------------------------------------------------------------------------------


@pytest.mark.req("SECT-11")
def test_what_nobody_touched_is_whole_before_and_after_roots():
    dossier_id = fill(3)
    assert faults() == []
    first = roots.sign_root()
    fill(2, dossier_id=dossier_id)
    second = roots.sign_root()
    fill(1, dossier_id=dossier_id)
    assert faults() == []
    assert (second.number, bytes(second.previous)) == (first.number + 1, bytes(first.signature))
    assert second.lines == 1, "only the chains that moved are kept again"
    assert roots.sign_root().lines == 1
    assert roots.sign_root().lines == 0


def test_memory_does_not_grow_with_the_journal():
    """Lines pass one by one: many more of them take no more memory, and no more statements."""
    dossier_id = fill(30)
    roots.sign_root()
    few_statements, few = cost_of_verifying()
    sql(
        "INSERT INTO habilitations_trace SELECT gen_random_uuid(), now(), %s, 0, NULL, repeat('x', 200), '', '', '', "
        "'', '', NULL, 1, 'lecture', '', 'ok', '', NULL, '', '', '', '', '' FROM generate_series(1, 2000)",
        dossier_id,
    )  # fmt: skip
    many_statements, many = cost_of_verifying()
    assert many_statements == few_statements
    assert many < few + 200_000, "two thousand lines are more than a megabyte"


def cost_of_verifying():
    """Return how many statements a verification makes, and the most bytes it holds at a time."""
    made = []

    def spy(execute, *words):
        made.append(None)
        return execute(*words)

    with connection.execute_wrapper(spy):
        verification.verify()
        tracemalloc.start()
        verification.verify()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return len(made), most


def test_dossiers_are_read_by_so_many_and_none_falls_between_two(monkeypatch):
    """Some have no head any more, some no line, some neither: whatever the size of what is read together."""
    # The journal outlives the tests: other ones have left sound chains in it.
    before = verification.verify()
    chains = sorted(fill(2) for _ in range(5))
    roots.sign_root()
    for n, tables in ((0, ("trace", "tracehead")), (1, ("tracehead",)), (4, ("trace", "tracehead"))):
        for table in tables:
            force(f"DELETE FROM habilitations_{table} WHERE dossier_id = %s", chains[n])
    force("DELETE FROM habilitations_trace WHERE dossier_id = %s", chains[2])
    missing = "la fin de la chaîne manque"
    expected = [(chains[0], 1, missing), (chains[1], 3, missing), (chains[2], 1, missing), (chains[4], 1, missing)]
    for together in (1, 2, 3, 500):
        monkeypatch.setattr(verification, "TOGETHER", together)
        report = verification.verify()
        assert sorted((found.dossier_id, found.seq, found.reason) for found in report.faults) == expected
        assert (report.dossiers - before.dossiers, report.lines - before.lines) == (5, 4)


# What the quick reading of a row could take for something else: quotes, escapes, separators, « null », empty.
ODD = ["a", '"', "\\", "\x1f", ", ", '", "', "null", "\n", "\\n", "\x01", "é", "€", "😀", "\u2028", "[", "]", ""]
odd = st.lists(st.sampled_from(ODD), max_size=6).map("".join)


@pytest.mark.req("SECT-11")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(odd, min_size=6, max_size=6), st.lists(odd, min_size=6, max_size=6))
@example(["", "", "\n", "", "", ""], ["", "", "\\n", "", "", ""])
@example(["a, b", "", "", "", "", ""], ["a\x1fb", "", "", "", "", ""])
@example(["a", "", "", "", "", ""], ['a", "', "", "", "", "", ""])
@example(["a", "", "", "", "b", ""], ["a", "", "", "", "", ""])
@example(["a", "", "", "", "", ""], ["a", "", "", "", "b", ""])
@example(["a", "", "", "", 'b\x1fnull\x1f"', ""], ["a", "", "", "", "b", ""])
@example(["a", "", "", "", "", "b"], ["a", "", "", "", "", ""])
@example(["a", "", "", "", "", ""], ["a", "", "", "", "", "b"])
@example(["a", "", "", "", "b", ""], ["a", "", "", "", "", "b"])
@example(["a", "", "", "", "", 'b\x1f"'], ["a", "", "", "", "", "b"])
def test_whatever_is_written_holds_and_whatever_replaces_it_is_found(db, before, after):
    """The values of a line, then others put in their place: the same verdict as the line read column by column."""
    names = ("actor_name", "structure_name", "reason", "request_id", "on_behalf_of_name", "software")
    dossier_id = uuid.uuid4()
    with transaction.atomic():
        said = dict(zip(names, before, strict=True))
        Trace.objects.bulk_create(
            Trace(at=NOW, dossier_id=dossier_id, action="lecture", outcome="ok", **said) for _ in range(2)
        )
        assert faults() == []
        (row, _) = copied.rows("line.dossier_id = %(dossier)s", {"dossier": dossier_id})
        line = Trace.objects.of_dossier(dossier_id).values().first()
        assert chain.canonical(copied.exact(row)) == chain.canonical(line)
        set_all = ", ".join(f"{name} = %s" for name in names)
        force(f"UPDATE habilitations_trace SET {set_all} WHERE dossier_id = %s AND seq = 2", *after, dossier_id)
        expected = [] if after == before else [f"Dossier {dossier_id}, ligne 2 : contenu modifié."]
        assert faults() == expected
        transaction.set_rollback(True)


# ---- the eight attacks -----------------------------------------------------------------------------


@pytest.mark.req("SECT-11")
class TestAttacksOfTheOwner:
    """Each is done in SQL, triggers off, once a root has been signed."""

    @pytest.fixture(params=[access, for_another], ids=["for himself", "for another"])
    def dossier_id(self, request):
        dossier_id = fill(6, held=request.param)
        roots.sign_root()
        return dossier_id

    def named(self, dossier_id, rank, reason):
        found = faults()
        assert found == [f"Dossier {dossier_id}, {rank} : {reason}."]

    def test_a_line_altered(self, dossier_id):
        force("UPDATE habilitations_trace SET actor_name = 'x' WHERE dossier_id = %s AND seq = 4", dossier_id)
        self.named(dossier_id, "ligne 4", "contenu modifié")

    def test_for_whom_a_line_was_done_altered(self, dossier_id):
        force("UPDATE habilitations_trace SET on_behalf_of_name = 'x' WHERE dossier_id = %s AND seq = 4", dossier_id)
        self.named(dossier_id, "ligne 4", "contenu modifié")

    def test_for_whom_a_chain_was_done_rewritten(self, dossier_id):
        """The hashes made true again: only the root tells."""
        number = JournalRoot.objects.latest("number").number
        force("UPDATE habilitations_trace SET on_behalf_of_name = 'x' WHERE dossier_id = %s", dossier_id)
        rewrite(dossier_id, lambda line: None)
        self.named(dossier_id, "lignes 1 à 6", f"réécrit depuis la racine n°\u00a0{number}")

    def test_a_line_deleted(self, dossier_id):
        force("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq = 3", dossier_id)
        self.named(dossier_id, "ligne 3", "ligne manquante")

    def test_a_line_inserted(self, dossier_id):
        force(
            "INSERT INTO habilitations_trace SELECT gen_random_uuid(), at, dossier_id, 7, actor_id, 'intrus', "
            "actor_national_id, profession, fonction, structure_name, profile, habilitation_id, matrix_version, "
            "action, rubrique, outcome, object_kind, object_id, reason, request_id, address, hash, hash "
            "FROM habilitations_trace WHERE dossier_id = %s AND seq = 6",
            dossier_id,
        )
        self.named(dossier_id, "ligne 7", "contenu modifié")

    def test_lines_reordered(self, dossier_id):
        force(
            "UPDATE habilitations_trace SET seq = CASE seq WHEN 2 THEN 3 ELSE 2 END "
            "WHERE dossier_id = %s AND seq IN (2, 3)",
            dossier_id,
        )
        self.named(dossier_id, "ligne 2", "ne suit pas la ligne précédente")

    def test_the_tail_cut_and_the_head_set_back(self, dossier_id):
        cut(dossier_id, 4)
        self.named(dossier_id, "ligne 5", "la fin de la chaîne manque")

    def test_a_whole_chain_removed_with_its_head(self, dossier_id):
        force("DELETE FROM habilitations_trace WHERE dossier_id = %s", dossier_id)
        force("DELETE FROM habilitations_tracehead WHERE dossier_id = %s", dossier_id)
        self.named(dossier_id, "ligne 1", "la fin de la chaîne manque")

    def test_two_dossiers_swapped(self, dossier_id):
        other = fill(6)
        for old, new in ((dossier_id, uuid.UUID(int=0)), (other, dossier_id), (uuid.UUID(int=0), other)):
            force("UPDATE habilitations_trace SET dossier_id = %s WHERE dossier_id = %s", new, old)
            force("UPDATE habilitations_tracehead SET dossier_id = %s WHERE dossier_id = %s", new, old)
        assert sorted(faults()) == sorted(f"Dossier {d}, ligne 1 : contenu modifié." for d in (dossier_id, other))

    def test_a_whole_chain_rewritten(self, dossier_id):
        number = JournalRoot.objects.latest("number").number
        rewrite(dossier_id, lambda line: line.update(actor_name="x"))
        self.named(dossier_id, "lignes 1 à 6", f"réécrit depuis la racine n°\u00a0{number}")

    def test_the_end_of_a_chain_rewritten_between_two_roots(self, dossier_id):
        fill(3, dossier_id=dossier_id)
        number = roots.sign_root().number
        fill(2, dossier_id=dossier_id)
        rewrite(dossier_id, lambda line: line.update(actor_name="x"), first=8)
        self.named(dossier_id, "lignes 7 à 9", f"réécrit depuis la racine n°\u00a0{number}")

    def test_an_old_backup_restored(self, dossier_id):
        """Everything agrees inside: only a root kept elsewhere tells."""
        kept = roots.sign_root() if fill(2, dossier_id=dossier_id) else None
        cut(dossier_id, 6)
        unlock_roots()
        sql("DELETE FROM habilitations_journalroot WHERE number = %s", kept.number)
        sql("DELETE FROM habilitations_journalanchor WHERE root = %s", kept.number)
        assert faults() == []
        (found,) = verification.verify((kept.number, kept.signature.hex())).faults
        assert str(found).startswith(f"Racine n°\u00a0{kept.number} : gardée ailleurs, absente d’ici")

    def test_roots_made_again_after_an_old_backup(self, dossier_id):
        kept = JournalRoot.objects.latest("number")
        (found,) = verification.verify((kept.number, "0" * 64)).faults
        assert str(found) == f"Racine n°\u00a0{kept.number} : n’est pas celle qui a été gardée ailleurs."


def unlock_roots():
    for table in ("habilitations_journalroot", "habilitations_journalanchor"):
        sql(f"GRANT UPDATE, DELETE ON {table} TO CURRENT_USER")
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


@pytest.mark.req("SECT-11")
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE habilitations_journalroot SET digest = 'x' WHERE number = %s", "signature fausse"),
        ("UPDATE habilitations_journalroot SET signature = 'x' WHERE number = %s", "signature fausse"),
        ("UPDATE habilitations_journalroot SET at = at + interval '1 s' WHERE number = %s", "signature fausse"),
        ("UPDATE habilitations_journalanchor SET hash = 'x' WHERE root = %s", "ses ancres ne sont plus celles qui ont"
         " été signées"),
        ("DELETE FROM habilitations_journalanchor WHERE root = %s", "ses ancres ne sont plus celles qui ont été"
         " signées"),
        ("DELETE FROM habilitations_journalroot WHERE number = %s", "manquante"),
    ],
)  # fmt: skip
def test_a_root_changed_is_named(statement, reason):
    fill(2)
    number = roots.sign_root().number
    fill(2)
    roots.sign_root()
    unlock_roots()
    sql(statement, number)
    assert f"Racine n°\u00a0{number} : {reason}." in faults()


@pytest.mark.req("SECT-11")
def test_another_key_signs_nothing_and_a_former_one_still_does(settings):
    settings.JOURNAL_KEYS = ["a" * 50]
    fill(1)
    number = roots.sign_root().number
    settings.JOURNAL_KEYS = ["b" * 50, "a" * 50]
    fill(1)
    roots.sign_root()
    wrong = [found for found in faults() if f"n°\u00a0{number} " in found]
    assert wrong == []
    settings.JOURNAL_KEYS = ["b" * 50]
    assert f"Racine n°\u00a0{number} : signature fausse." in faults()


@pytest.mark.req("SEC-10")
@pytest.mark.parametrize("table", ["journalroot", "journalanchor", "journalcheck"])
@pytest.mark.parametrize("granted", [False, True])
def test_roots_and_checks_are_only_added(table, granted):
    fill(1)
    roots.sign_root()
    verification.check()
    target = f"habilitations_{table}"
    if granted:
        sql(f"GRANT UPDATE, DELETE, TRUNCATE ON {target} TO CURRENT_USER")
    column = "lines" if table != "journalanchor" else "last_seq"
    for act in (f"UPDATE {target} SET {column} = 0", f"DELETE FROM {target}", f"TRUNCATE {target}"):
        with pytest.raises(DatabaseError, match="ne se modifie pas" if granted else "denied"), transaction.atomic():
            sql(act)


# ---- commands and tasks ----------------------------------------------------------------------------


def run(*words, **options):
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


@pytest.mark.req("SECT-11")
def test_the_command_says_it_is_whole_or_names_and_fails():
    dossier_id = fill(3)
    signed = run("sign_journal").split()[1]
    said = run("verify_journal", racine=signed)
    assert said.startswith("Journal intègre : ")
    assert f"Dernière racine : {signed}" in said
    force("UPDATE habilitations_trace SET reason = 'x' WHERE dossier_id = %s AND seq = 2", dossier_id)
    out = io.StringIO()
    with pytest.raises(CommandError, match="ne se vérifie pas : 1\xa0défaut"):
        call_command("verify_journal", stdout=out)
    assert f"Dossier {dossier_id}, ligne 2 : contenu modifié." in out.getvalue()
    with pytest.raises(CommandError, match="--racine attend"):
        call_command("verify_journal", racine="3")


@pytest.mark.req("SECT-11")
def test_the_command_notes_what_it_found_when_it_is_told_to():
    """What an operator does when the alert « not verified for two days » rings: without a note it rings on."""
    dossier_id = fill(1)
    # The journal of the tests is never emptied, what was noted of it by pages neither.
    before = JournalCheck.objects.count()
    call_command("verify_journal", stdout=io.StringIO())
    assert JournalCheck.objects.count() == before
    call_command("verify_journal", "--noter", stdout=io.StringIO())
    assert JournalCheck.objects.count() == before + 1
    assert JournalCheck.objects.latest("at").faults == 0
    force("UPDATE habilitations_trace SET reason = 'x' WHERE dossier_id = %s AND seq = 1", dossier_id)
    with pytest.raises(CommandError, match="ne se vérifie pas"):
        call_command("verify_journal", "--noter", stdout=io.StringIO())
    assert JournalCheck.objects.latest("at").faults == 1


@pytest.mark.req("SECT-11")
def test_the_check_has_the_time_that_a_journal_of_a_year_takes_and_is_done_once():
    """Of 200,000 dossiers, at the speed of docs/bench.md on an idle core. Not acknowledged before its end, the broker
    would give it to a second worker after fifteen minutes."""
    from django.conf import settings

    from habilitations.tasks import check_journal

    lines, a_second = 200_000 * 1_500, 277_611
    assert check_journal.soft_time_limit > 10 * lines / a_second > settings.CELERY_TASK_SOFT_TIME_LIMIT
    assert check_journal.soft_time_limit < check_journal.time_limit
    assert check_journal.acks_late is False


@pytest.mark.req("SECT-11")
def test_beat_signs_and_checks():
    from django.conf import settings

    from habilitations.tasks import check_journal, sign_journal

    dossier_id = fill(1)
    number = sign_journal()
    assert JournalRoot.objects.filter(number=number).exists()
    assert check_journal() == 0
    said = JournalCheck.objects.latest("at")
    assert (said.faults, said.root) == (0, number)
    force("DELETE FROM habilitations_trace WHERE dossier_id = %s", dossier_id)
    assert check_journal() == 1
    assert JournalCheck.objects.latest("at").faults == 1
    asked = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"habilitations.tasks.sign_journal", "habilitations.tasks.check_journal"} <= asked


# ---- purge -----------------------------------------------------------------------------------------


def open_month(month):
    """Make the partitions of a past month, as they were when it was the current one."""
    after = (month + dt.timedelta(days=32)).replace(day=1)
    for parent in ("habilitations_trace", "habilitations_accounttrace"):
        name = f"{parent}_{month:%Y_%m}"
        sql(f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS)")
        sql(f"SELECT habilitations_seal_partition('{name}')")
        bounds = f"FROM ('{month} 00:00+00') TO ('{after} 00:00+00')"
        sql(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES {bounds}")


def old_lines(dossier_id, *moments):
    for moment in moments:
        Trace.objects.bulk_create(
            [Trace(at=moment, dossier_id=dossier_id, actor_name="ANCIEN", action="lecture", outcome="ok")]
        )


def moment(day, month=OLD):
    return dt.datetime(month.year, month.month, day, 8, tzinfo=dt.UTC)


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.mark.req("SEC-14", "SECT-11")
def test_a_purged_month_leaves_chains_that_still_hold(administrator):
    open_month(OLD)
    dossier_id, gone = uuid.uuid4(), uuid.uuid4()
    old_lines(dossier_id, moment(1), moment(2), moment(3))
    old_lines(gone, moment(4))
    AccountTrace.objects.bulk_create([AccountTrace(at=moment(5), action="liste", outcome="ok")])
    fill(2, dossier_id=dossier_id)
    # A clock a little behind: the line stands in the old month after one of another month.
    old_lines(dossier_id, moment(31))
    fill(1, dossier_id=dossier_id)
    roots.sign_root()
    root = journal.purge_month(OLD, by=administrator)
    assert (root.kind, root.month, root.lines) == ("purge", OLD, 3)
    assert list(Trace.objects.of_dossier(dossier_id).values_list("seq", flat=True)) == [4, 5, 7]
    assert not AccountTrace.objects.filter(at=moment(5)).exists()
    assert faults() == []
    left = AccountTrace.objects.get(action="purge du journal", actor_id=administrator.pk)
    assert (left.count, left.object_kind) == (5, f"mois {OLD:%Y-%m}")
    # What stayed is as protected as before.
    force("UPDATE habilitations_trace SET actor_name = 'x' WHERE dossier_id = %s AND seq = 7", dossier_id)
    assert faults() == [f"Dossier {dossier_id}, ligne 7 : contenu modifié."]


@pytest.mark.req("SEC-14", "SECT-11")
def test_lines_removed_without_the_act_are_missing_even_beside_a_purge(administrator):
    open_month(OLD)
    dossier_id = uuid.uuid4()
    old_lines(dossier_id, moment(1))
    fill(3, dossier_id=dossier_id)
    journal.purge_month(OLD, by=administrator)
    force("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq = 2", dossier_id)
    assert faults() == [f"Dossier {dossier_id}, ligne 2 : ligne manquante."]


@pytest.mark.req("SEC-14")
def test_a_month_is_kept_as_long_as_the_setting_says(administrator, settings):
    today = dt.date(2026, 11, 28)
    assert journal.last_closed_month(today) == dt.date(2025, 10, 1)
    settings.JOURNAL_RETENTION_MONTHS = 36
    assert journal.last_closed_month(today) == dt.date(2023, 10, 1)
    settings.JOURNAL_RETENTION_MONTHS = 12
    for month in (NOW.date(), NOW.date() - dt.timedelta(days=360)):
        with pytest.raises(MonthIsKept):
            journal.purge_month(month, by=administrator)
    with pytest.raises(MonthNotInJournal):
        journal.purge_month(dt.date(2019, 1, 1), by=administrator)
    for nobody in (None, UserFactory()):
        with pytest.raises(NotAllowed):
            journal.purge_month(OLD, by=nobody)


@pytest.mark.req("SEC-14")
def test_a_journal_that_is_wrong_is_not_purged(administrator):
    open_month(OLD)
    dossier_id = uuid.uuid4()
    old_lines(dossier_id, moment(1), moment(2))
    force("UPDATE habilitations_trace SET actor_name = 'x' WHERE dossier_id = %s AND seq = 1", dossier_id)
    with pytest.raises(JournalIsWrong, match="contenu modifié"):
        journal.purge_month(OLD, by=administrator)
    assert Trace.objects.filter(dossier_id=dossier_id).count() == 2


@pytest.mark.req("SEC-14", "SECT-13")
def test_the_database_itself_refuses_a_recent_month_and_one_without_its_anchor():
    open_month(OLD)
    old_lines(uuid.uuid4(), moment(1))
    recent = NOW.date().replace(day=1)
    periodic = roots.sign_root()
    call = "SELECT habilitations_drop_month(%s, %s, gen_random_uuid(), NULL, 'x')"
    for month, root, said in ((recent, 1, "trop récent"), (OLD, periodic.number, "pas son ancre"), (OLD, 0, "ancre")):
        with pytest.raises(DatabaseError, match=said), transaction.atomic():
            sql(call, month, root)
    sealed = roots.sign_month(OLD)
    old_lines(uuid.uuid4(), moment(2))
    with pytest.raises(DatabaseError, match="pas son ancre"), transaction.atomic():
        sql(call, OLD, sealed.number)


@pytest.mark.req("SEC-14")
def test_the_purge_is_a_command(administrator):
    open_month(OLD)
    old_lines(uuid.uuid4(), moment(1))
    said = run("purge_journal", f"{OLD:%Y-%m}", par=administrator.email)
    assert f"Mois {OLD:%m/%Y} retiré du journal" in said
    for words, sentence in ((f"{OLD:%Y-%m}", "déjà été purgé"), (f"{NOW:%Y-%m}", "conservation"), ("mars", "AAAA-MM")):
        with pytest.raises(CommandError, match=sentence):
            run("purge_journal", words, par=administrator.email)
