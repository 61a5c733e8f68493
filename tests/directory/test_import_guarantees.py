"""Whole-file refusals, kills, one load at a time, searches that go on."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from coordination.directory.errors import FileRefused, ImportAlreadyRunning
from coordination.directory.imports import headers, runs
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.runs import Options
from coordination.directory.models import Activity, ImportRun, Professional
from tests.directory import files
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, PEOPLE, changed, people_file

pytestmark = pytest.mark.req("DIR-IMPORT")


def many(count=300, first=1000, **columns):
    numbers = range(first, first + count)
    return [changed(DOCTOR, c2=f"1099900{n:04d}", c3=f"81099900{n:04d}", **columns) for n in numbers]


def refused(path, match, options=ANY_SIZE):
    before = list(Professional.objects.order_by("pk").values())
    with pytest.raises(FileRefused, match=match):
        import_rpps([path], options)
    assert list(Professional.objects.order_by("pk").values()) == before
    assert ImportRun.objects.latest("started_at").state in ("refuse", "fait")


@pytest.mark.django_db
class TestWholeFileRefusals:
    @pytest.fixture(autouse=True)
    def _something_to_lose(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)

    @pytest.mark.parametrize(
        "column",
        ["Identification nationale PP", "Nom d'exercice", "Code profession", "Identifiant technique de la structure"],
    )
    def test_missing_column(self, tmp_path, column):
        header = headers.PERSON_ACTIVITY.replace(column + "|", "Autre|", 1)
        refused(people_file(tmp_path, *PEOPLE, header=header), "Colonnes absentes")

    def test_columns_in_another_order(self, tmp_path):
        names = headers.PERSON_ACTIVITY.split("|")
        names[7], names[8] = names[8], names[7]
        refused(people_file(tmp_path, *PEOPLE, header="|".join(names)), "ordre")

    def test_not_a_text(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_bytes() + os.urandom(4000))
        refused(path, "encodage inconnu")

    def test_utf16_of_a_spreadsheet(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
        refused(path, "encodage inconnu")

    def test_half_utf8_half_garbage(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_bytes() + b"\x81\x8d\n")
        refused(path, "encodage inconnu")

    @pytest.mark.parametrize("size", [300, 100])
    def test_cut_in_a_line(self, tmp_path, size):
        path = people_file(tmp_path, *many(size))
        path.write_bytes(path.read_bytes()[:-200])
        refused(path, "tronqué")

    def test_cut_gzip(self, tmp_path):
        refused(files.cut(files.gzipped(tmp_path, people_file(tmp_path, *many())), tmp_path), "archive abîmée")

    @pytest.mark.parametrize("place", [0.5, 0.9])
    def test_damaged_zip(self, tmp_path, place):
        archive = files.zipped(tmp_path, files.small().activities)
        data = bytearray(archive.read_bytes())
        data[int(len(data) * place)] ^= 0xFF
        archive.write_bytes(data)
        refused(archive, "archive abîmée")

    def test_cut_zip(self, tmp_path):
        archive = files.zipped(tmp_path, files.small().activities)
        archive.write_bytes(archive.read_bytes()[:-500])
        refused(archive, "archive abîmée")

    def test_empty_or_absent(self, tmp_path):
        empty = tmp_path / "vide.txt"
        empty.write_bytes(b"")
        refused(empty, "vide")
        refused(tmp_path / "absent.txt", "introuvable")

    def test_national_bounds_by_default(self, tmp_path):
        refused(people_file(tmp_path, *PEOPLE), "2000000", Options())

    def test_bounds_as_options(self, tmp_path):
        refused(people_file(tmp_path, *many(30)), "bornes", Options(min_rows=0, max_rows=20, accept_gap=True))

    def test_more_than_ten_percent_apart(self, tmp_path):
        import_rpps([people_file(tmp_path, *many(100))], ANY_SIZE)
        path = people_file(tmp_path, *many(88))
        refused(path, "--accepter-ecart", Options(min_rows=0))
        assert import_rpps([path], ANY_SIZE)[0].run.ceased_count == 12

    def test_too_many_unreadable_lines(self, tmp_path):
        path = people_file(tmp_path, *many(300), *(changed(line, c8="") for line in many(20, c18="S")[:20]))
        lines = path.read_text(encoding="utf-8").replace("|99900011100017|", "|", 20)
        path.write_text(lines, encoding="utf-8")
        refused(path, "illisibles")

    @pytest.mark.parametrize("bad", ["all", "first", "last", "header"])
    def test_a_second_file_that_cannot_be_read_ceases_nobody(self, tmp_path, bad):
        import_rpps([people_file(tmp_path, *many())], ANY_SIZE)
        lines = many()
        broken = [f"{line}|" for line in lines]
        sent = {
            "all": broken,
            "first": [*broken[:40], *lines[40:]],
            "last": [*lines[:-40], *broken[-40:]],
            "header": lines,
        }[bad]
        path = people_file(tmp_path, *sent)
        if bad == "header":
            header, _, rest = path.read_text().partition("\n")
            path.write_text(f"{header.rstrip('|')}\n{rest}")
        refused(path, "illisibles|colonne|tronqué")

    def test_a_few_first_lines_that_cannot_be_read_leave_their_people_alone(self, tmp_path):
        import_rpps([people_file(tmp_path, *many())], ANY_SIZE)
        first, *others = many()
        ceased = Professional.objects.exclude(ceased_at=None).count()
        report = import_rpps([people_file(tmp_path, f"{first}|", *others)], ANY_SIZE)[0]
        assert report.run.refused_count == 1
        assert Professional.objects.exclude(ceased_at=None).count() == ceased

    def test_a_file_of_the_right_size_about_other_people(self, tmp_path):
        import_rpps([people_file(tmp_path, *many())], ANY_SIZE)
        ceased = Professional.objects.exclude(ceased_at=None).count()
        others = people_file(tmp_path, *many(first=5000))
        refused(others, "n'apparaissent plus", Options(min_rows=0))
        import_rpps([others], ANY_SIZE)
        assert Professional.objects.exclude(ceased_at=None).count() == ceased + 300

    def test_semicolons_of_a_spreadsheet(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_text(path.read_text(encoding="utf-8").replace("|", ";"), encoding="utf-8")
        refused(path, "tableur")

    def test_quoted_fields_of_a_spreadsheet(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        quoted = path.read_text(encoding="utf-8").replace("|", '"|"').replace("Type d'", "\"Type d'", 1)
        path.write_text(quoted, encoding="utf-8")
        refused(path, "tableur")

    def test_lost_zeros(self, tmp_path):
        refused(people_file(tmp_path, *many(40, c36="1000", c37="01053")), "tableur")

    def test_scientific_numbers(self, tmp_path):
        refused(people_file(tmp_path, *many(40), *(changed(NURSE, c20="2,6E+13"),)), "tableur")

    def test_command_speaks_and_fails(self, tmp_path):
        with pytest.raises(CommandError, match="tronqué, ou bornes"):
            call_command("import_rpps", people_file(tmp_path, *PEOPLE))

    def test_command_reports(self, tmp_path, capsys):
        call_command("import_rpps", people_file(tmp_path, *many(2), *PEOPLE), "--lignes-min=0", "--accepter-ecart")
        assert "situations d'exercice : 2 nouveaux, 0 modifiés, 0 cessés" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
class TestAlone:
    def test_two_loads_never_run_together(self, tmp_path):
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [runs.LOCK])
            with pytest.raises(ImportAlreadyRunning):
                import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [runs.LOCK])
        finally:
            other.close()
        assert import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)[0].run.state == "fait"

    def test_killed_in_the_middle_leaves_nothing_and_starts_again(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        path = people_file(tmp_path, *PEOPLE, *many(300))
        child = subprocess.Popen([sys.executable, "-c", _STUCK, str(path)], env=_environment(), stdout=subprocess.PIPE)
        try:
            assert child.stdout.readline().strip() == b"merged"
            child.send_signal(signal.SIGKILL)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        _wait_for_the_lock()
        assert Professional.objects.count() == 3
        assert ImportRun.objects.latest("started_at").state == "en_cours"
        report = import_rpps([path], ANY_SIZE)[0]
        assert "interrompu" in report.messages[0]
        assert Professional.objects.count() == 303
        assert ImportRun.objects.filter(state="interrompu").count() == 1

    def test_searches_go_on_and_see_all_or_nothing(self, tmp_path, monkeypatch):
        import_rpps([people_file(tmp_path, *many(200))], ANY_SIZE)
        seen, stop = set(), threading.Event()

        def search():
            while not stop.is_set():
                names = Activity.objects.filter(ceased_at=None).values_list("search_family", flat=True)
                seen.add((len(names), frozenset(names)))
            connections.close_all()

        monkeypatch.setattr(runs, "_drop_staging", lambda: time.sleep(0.3))
        reader = threading.Thread(target=search)
        reader.start()
        try:
            import_rpps([people_file(tmp_path, *many(190, c8="AUTRE"))], ANY_SIZE)
            time.sleep(0.1)
        finally:
            stop.set()
            reader.join()
        before, after = (200, frozenset({"exemple larrieu"})), (190, frozenset({"autre"}))
        assert seen == {before, after}


# A load that stops between its merge and its commit, in a process of its own.
_STUCK = """
import sys, time, pathlib, django
django.setup()
from django.db import connection
from coordination.directory.imports import runs
from coordination.directory.imports.rpps import import_rpps
def stuck():
    print("merged", flush=True)
    time.sleep(60)
runs._drop_staging = stuck
import_rpps([pathlib.Path(sys.argv[1])], runs.Options(min_rows=0, accept_gap=True))
"""


def _environment():
    s = connection.settings_dict
    url = f"postgres://{s['USER']}:{s['PASSWORD']}@{s['HOST']}:{s['PORT']}/{s['NAME']}"
    if str(s["HOST"]).startswith("/"):
        url = f"postgres://{s['USER']}:{s['PASSWORD']}@/{s['NAME']}?host={s['HOST']}&port={s['PORT']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "coordination.settings.test"}


def _wait_for_the_lock():
    """The server notices a dead client at its next write."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [runs.LOCK])
            if cursor.fetchone()[0]:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [runs.LOCK])
                return
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                           " AND datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
        time.sleep(0.1)
    raise AssertionError("the lock of a killed load stays held")
