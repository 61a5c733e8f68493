"""The activity and savoir-faire files: what is read, what is compared, what stays when rows go."""

import multiprocessing
import os
import signal
import struct
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from coordination.directory.errors import FileRefused
from coordination.directory.generator import generate
from coordination.directory.imports import (
    headers,
    rpps,
    rpps_first,
    rpps_merge,
    rpps_places,
    rpps_workers,
    sources,
    staging,
)
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, ImportRun, Professional, SavoirFaire, Structure
from tests.directory import files
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, PEOPLE, PSYCHOLOGIST, changed, people_file

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-RPPS")]


def load(tmp_path, *lines, **options):
    return import_rpps([people_file(tmp_path, *lines, **options)], ANY_SIZE)[0]


def test_sample_rows_of_the_specification(tmp_path):
    report = load(tmp_path, *PEOPLE)
    assert (report.run.state, report.run.read_count, report.run.new_count) == ("fait", 3, 3)
    doctor = Activity.objects.select_related("professional", "structure").get(professional__rpps="10999000011")
    assert (doctor.profession, doctor.speciality, doctor.mode, doctor.fonction) == ("10", "SM54", "L", "FON-01")
    assert (doctor.search_family, doctor.search_given) == ("exemple larrieu", "maelle")
    assert (doctor.address, doctor.postal_code, doctor.town) == ("12 Rue DES VIOLETTES FICTIVES", "31400", "Toulouse")
    assert (doctor.phone, doctor.email) == ("+33536490001", "cabinet@exemple.example")
    assert doctor.professional.family_name == "EXEMPLE-LARRIEU"
    assert doctor.professional.practice_civility == "DR"
    assert (doctor.structure.technical_id, doctor.structure.source) == ("R10999900000001", "rpps")
    assert doctor.structure.siren == "999000111"
    assert str(doctor.seen_on) == "2026-11-02"


def test_quotes_are_ordinary_characters(tmp_path):
    load(tmp_path, *PEOPLE)
    nurse = Activity.objects.select_related("structure").get(professional__rpps="10999000022")
    assert nurse.structure.name == 'EHPAD "LES ESSAIS" DE L\'AUTAN'
    assert nurse.address == "BAT B, 3 B Avenue DU TEST, BP 000"


def test_person_without_activity_is_kept_without_workplace(tmp_path):
    load(tmp_path, PSYCHOLOGIST)
    activity = Activity.objects.get(professional__rpps="10999000033")
    assert (activity.profession, activity.structure, activity.mode) == ("93", None, "")
    assert not Structure.objects.exists()


def test_unchanged_reload_writes_nothing(tmp_path):
    load(tmp_path, *PEOPLE)
    before = versions()
    report = load(tmp_path, *PEOPLE)
    assert versions() == before
    assert [(c.new, c.changed, c.ceased) for c in report.counts.values()] == [(0, 0, 0)] * 4


def versions():
    """Physical versions of the rows: a row written again, even alike, changes its own."""
    from django.db import connection

    found = []
    with connection.cursor() as cursor:
        for table in ("professional", "activity", "structure", "savoirfaire"):
            cursor.execute(f"SELECT ctid::text, xmin::text, id FROM directory_{table} ORDER BY id")  # noqa: S608
            found.append(cursor.fetchall())
    return found


def test_order_of_lines_does_not_matter(tmp_path):
    second = changed(NURSE, c18="L", c24="R10999900000009", c22="", c23="")
    load(tmp_path, DOCTOR, NURSE, second, PSYCHOLOGIST)
    before = versions()
    load(tmp_path, second, PSYCHOLOGIST, NURSE, DOCTOR)
    assert versions() == before
    load(tmp_path, NURSE, DOCTOR, second, PSYCHOLOGIST)
    assert versions() == before


def test_scattered_lines_of_a_person_are_one_person_at_first_load(tmp_path):
    second = changed(NURSE, c24="R10999900000009", c22="", c23="")
    load(tmp_path, NURSE, DOCTOR, second, NURSE)
    assert Professional.objects.count() == 2
    assert Activity.objects.filter(professional__rpps="10999000022").count() == 2
    before = versions()
    load(tmp_path, DOCTOR, NURSE, NURSE, second)
    assert versions() == before


def test_change_keeps_the_identity(tmp_path):
    load(tmp_path, *PEOPLE)
    doctor = Professional.objects.get(rpps="10999000011")
    activity = doctor.activities.get()
    report = load(tmp_path, changed(DOCTOR, c8="NOUVEAU-NOM", c41="0536490099"), NURSE, PSYCHOLOGIST)
    doctor.refresh_from_db()
    activity.refresh_from_db()
    assert (doctor.family_name, doctor.search_family) == ("NOUVEAU-NOM", "nouveau nom")
    assert (activity.phone, activity.search_family) == ("+33536490099", "nouveau nom")
    assert [(c.new, c.changed, c.ceased) for c in report.counts.values()][:2] == [(0, 1, 0), (0, 1, 0)]


def test_gone_is_ceased_never_deleted_and_may_come_back(tmp_path):
    load(tmp_path, *PEOPLE)
    doctor = Professional.objects.get(rpps="10999000011")
    report = load(tmp_path, NURSE, PSYCHOLOGIST)
    doctor.refresh_from_db()
    assert doctor.ceased_at is not None
    assert doctor.activities.get().ceased_at is not None
    assert doctor.activities.get().structure.ceased_at is not None
    assert report.run.ceased_count == 1
    load(tmp_path, *PEOPLE)
    doctor.refresh_from_db()
    assert doctor.ceased_at is None
    assert doctor.activities.get().ceased_at is None
    assert doctor.activities.get().structure.ceased_at is None


def test_moved_person_keeps_the_old_activity_ceased(tmp_path):
    load(tmp_path, DOCTOR)
    load(tmp_path, changed(DOCTOR, c24="R10999900000002", c20="", c41="0536490077"))
    activities = Activity.objects.order_by("ceased_at")
    assert [a.ceased_at is None for a in activities] == [False, True]
    assert Structure.objects.get(technical_id="R10999900000001").ceased_at is not None


def test_several_savoir_faire_are_one_activity(tmp_path):
    capacity = changed(DOCTOR, c14="CAPA", c16="CAPA06")
    load(tmp_path, capacity, DOCTOR)
    assert Activity.objects.get().speciality == "SM54"
    assert set(SavoirFaire.objects.values_list("kind", "code")) == {("S", "SM54"), ("CAPA", "CAPA06")}
    load(tmp_path, DOCTOR)
    assert SavoirFaire.objects.get(code="CAPA06").ceased_at is not None


def test_savoir_faire_file_rules_its_rows(tmp_path):
    load(tmp_path, DOCTOR)
    start = "8|10999000011|810999000011|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|"
    rows = (f"{start}S|Spécialité ordinale|SM54|x (SM)|", f"{start}CAPA|Capacité|CAPA01|x (CAPA)|")
    full = people_file(tmp_path, *rows, header=headers.SAVOIR_FAIRE, name="PS_LibreAcces_SavoirFaire_202611020620.txt")
    report = import_rpps([full], ANY_SIZE)[0]
    # What it confirms without a change is told apart.
    assert (report.run.new_count, report.run.changed_count) == (1, 0)
    assert report.messages[-1:] == ["1 savoir-faire du fichier des activités confirmés, sans changement."]
    before = versions()
    import_rpps([full], ANY_SIZE)
    assert versions() == before
    # The activity file, which does not name the second, leaves it alone.
    load(tmp_path, changed(DOCTOR, c41="0536490066"))
    assert SavoirFaire.objects.filter(ceased_at=None).count() == 2
    full.write_text(f"{headers.SAVOIR_FAIRE}\n{rows[0]}\n", encoding="utf-8")
    assert import_rpps([full], ANY_SIZE)[0].run.ceased_count == 1


@pytest.mark.parametrize("way", ["first", "general", "scattered"])
def test_a_savoir_faire_told_under_two_kinds_is_one(tmp_path, monkeypatch, way):
    if way == "general":
        monkeypatch.setattr(rpps_first, "is_possible", lambda: False)
    between = [NURSE] if way == "scattered" else []
    load(tmp_path, changed(DOCTOR, c14="C"), *between, changed(DOCTOR, c14="S"))
    assert list(SavoirFaire.objects.values_list("kind", "code")) == [("S", "SM54")]


def test_a_savoir_faire_under_two_kinds_in_its_own_file_is_one(tmp_path):
    load(tmp_path, changed(DOCTOR, c14="", c16=""))
    start = "8|10999000011|810999000011|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|"
    rows = (f"{start}C|Compétence|SM54|x|", f"{start}S|Spécialité ordinale|SM54|x (SM)|")
    full = people_file(tmp_path, *rows, header=headers.SAVOIR_FAIRE, name="PS_LibreAcces_SavoirFaire_202611020620.txt")
    assert import_rpps([full], ANY_SIZE)[0].run.new_count == 1
    assert list(SavoirFaire.objects.values_list("kind", "code")) == [("S", "SM54")]


@pytest.mark.parametrize("first", [{}, {"c22": "", "c23": ""}])
def test_one_technical_id_with_a_finess_number_and_without_is_one_structure(tmp_path, first):
    """The quick first load makes two of it: the general merge then does all the file, refused lines counted once."""
    second = {} if first else {"c22": "", "c23": ""}
    one, other = changed(NURSE, **first), changed(NURSE, c2="10999000044", c3="810999000044", **second)
    report = load(tmp_path, changed(DOCTOR, c8=""), one, other)
    assert report.run.refused_count == len(report.refusals) == 1
    assert {activity.structure for activity in Activity.objects.all()} == {Structure.objects.get()}


def test_two_professions_and_student_category(tmp_path):
    student = changed(PSYCHOLOGIST, c10="10", c12="E")
    load(tmp_path, PSYCHOLOGIST, student)
    assert set(Activity.objects.values_list("profession", "category")) == {("93", "C"), ("10", "E")}
    assert Professional.objects.count() == 1


def test_adeli_leftovers_with_letters(tmp_path):
    load(tmp_path, changed(PSYCHOLOGIST, c1="0", c2="2A9300001", c3="02A9300001"))
    assert Professional.objects.get().adeli == "2A9300001"


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"c24": "", "c20": "99900011100017"}, "SIRET:99900011100017"),
        ({"c24": "", "c20": "", "c22": "810999999"}, "FINESS:810999999"),
    ],
)
def test_structure_without_technical_id(tmp_path, columns, key):
    load(tmp_path, changed(DOCTOR, **columns))
    assert Structure.objects.get().source_key == key


def test_structure_known_by_name_and_address_only(tmp_path):
    nameless = changed(DOCTOR, c24="", c20="")
    load(tmp_path, nameless)
    assert Structure.objects.get().source_key.startswith("NOM:")
    load(tmp_path, changed(nameless, c41="0536490055"))
    assert Structure.objects.count() == 1


def test_two_technical_ids_with_one_finess_number_are_one_structure(tmp_path):
    other = changed(NURSE, c2="10999000044", c3="810999000044", c24="R10999900000044")
    load(tmp_path, NURSE, other)
    assert Structure.objects.count() == 1
    assert Activity.objects.values("structure").distinct().count() == 1


@pytest.mark.parametrize("third", [[], ["10999000055"]])
def test_two_known_structures_that_are_given_one_finess_number(tmp_path, third):
    """Both were known without it, perhaps a third one is new: one row takes it, and the load goes through."""
    people = {"10999000022": "R10999900000022", "10999000044": "R10999900000044", "10999000055": "R10999900000055"}
    lines = {
        rpps: changed(NURSE, c2=rpps, c3=f"8{rpps}", c22="", c23="", c24=technical)
        for rpps, technical in people.items()
    }
    both = ["10999000022", "10999000044"]
    load(tmp_path, *(lines[rpps] for rpps in both))
    load(tmp_path, *(changed(lines[rpps], c22="810999999") for rpps in [*both, *third]))
    assert Structure.objects.filter(finess="810999999").count() == 1
    assert Activity.objects.filter(ceased_at=None).count() == len([*both, *third])


def test_one_structure_under_two_technical_ids_lends_its_address_once(tmp_path):
    bare = {f"c{column}": "" for column in (28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38)}
    load(tmp_path, DOCTOR)
    one = changed(NURSE, **bare)
    other = changed(one, c2="10999000044", c3="810999000044", c24="R10999900000044")
    load(tmp_path, DOCTOR, one, other)
    borrowed = Activity.objects.filter(address_borrowed=True)
    assert borrowed.count() == 2
    assert borrowed.values("structure").distinct().count() == 1


def test_backslash_and_cedex(tmp_path):
    load(tmp_path, changed(DOCTOR, c34="C\\O ACCUEIL", c35="31059 TOULOUSE CEDEX 9", c36="", c38=""))
    activity = Activity.objects.get()
    assert activity.address.endswith("C/O ACCUEIL")
    assert (activity.postal_code, activity.town, activity.commune_code) == ("31059", "TOULOUSE", "31555")


@pytest.mark.parametrize(
    ("columns", "commune"),
    [
        ({}, "31555"),
        ({"c38": "TOULOUSE", "c35": ""}, "31555"),
        ({"c36": "", "c38": "", "c35": "31059 TOULOUSE CEDEX 9"}, "31555"),
        ({"c38": "Ville inventée", "c35": ""}, ""),
        ({"c39": "99131"}, ""),
    ],
)
def test_town_without_its_insee_code(tmp_path, columns, commune):
    load(tmp_path, changed(DOCTOR, **{"c37": "", **columns}))
    assert Activity.objects.get().commune_code == commune


def test_foreign_address_with_four_digits_is_no_damage(tmp_path):
    abroad = [
        changed(DOCTOR, c2=f"1099900{n:04d}", c3=f"81099900{n:04d}", c36="1000", c39="99131") for n in range(10, 30)
    ]
    assert load(tmp_path, *abroad).run.state == "fait"


def test_older_file_without_the_last_four_columns(tmp_path):
    names = headers.PERSON_ACTIVITY.split("|")[:52]
    line = "|".join(DOCTOR.split("|")[:52]) + "|"
    load(tmp_path, line, header="|".join(names) + "|")
    assert Activity.objects.get().fonction == ""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_other_encodings(tmp_path, encoding):
    report = load(tmp_path, *PEOPLE, encoding=encoding)
    assert Professional.objects.get(rpps="10999000011").given_name == "Maëlle"
    assert any("Windows-1252" in said for said in report.messages) == (encoding == "cp1252")


def test_carriage_returns(tmp_path):
    path = people_file(tmp_path, *PEOPLE)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert import_rpps([path], ANY_SIZE)[0].run.new_count == 3


def test_zip_of_the_ans_and_gzip(tmp_path):
    small = files.small()
    # Whatever the order they come in, the people are loaded before what they know.
    reports = import_rpps([files.zipped(tmp_path, small.savoir_faire, small.activities)], ANY_SIZE)
    assert [report.run.kind for report in reports] == ["rpps", "savoir-faire"]
    again = import_rpps([files.gzipped(tmp_path, small.activities)], ANY_SIZE)[0]
    assert (again.run.new_count, again.run.changed_count) == (0, 0)


def test_refused_lines_are_named_and_their_people_left_alone(tmp_path):
    people = [changed(NURSE, c2=f"1099900{n:04d}", c3=f"81099900{n:04d}") for n in range(100, 400)]
    load(tmp_path, DOCTOR, PSYCHOLOGIST, *people)
    broken = changed(DOCTOR, c5="a|b")
    report = load(tmp_path, broken, changed(PSYCHOLOGIST, c8=""), *people)
    assert [line for line, _ in report.refusals] == [2, 3]
    assert report.run.refusals.count() == 2
    assert Professional.objects.filter(ceased_at=None).count() == 302
    assert Activity.objects.filter(ceased_at=None).count() == 302
    # They are reported again as long as they are there, and read as soon as they are right.
    assert load(tmp_path, broken, changed(PSYCHOLOGIST, c8=""), *people).run.refused_count == 2
    assert load(tmp_path, DOCTOR, PSYCHOLOGIST, *people).run.refused_count == 0


SHOWN = (
    "professional__national_id", "structure__finess", "structure__name", "profession", "speciality", "mode", "address",
    "address_borrowed", "postal_code", "town", "commune_code", "phone", "email", "search_family", "search_given",
    "natural_key", "content_hash", "professional__content_hash", "structure__source_key", "structure__address",
    "structure_name", "structure__source", "structure__category",
)  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("finess_first", [False, True])
def test_first_load_and_general_merge_give_the_same_rows(monkeypatch, workers, finess_first):
    path = [files.small().activities]
    if finess_first:
        import_finess(files.small().finess_json, ANY_SIZE)
    monkeypatch.setattr(rpps_first, "is_possible", lambda: False)
    monkeypatch.setattr(rpps, "MANY", -1)
    general = rows_after(path)
    for model in (SavoirFaire, Activity, Structure, Professional, ImportRun):
        model.objects.all().delete()
    monkeypatch.undo()
    if finess_first:
        import_finess(files.small().finess_json, ANY_SIZE)
        assert rpps_first.is_possible()
    monkeypatch.setattr(rpps_workers, "worker_count", lambda size: workers)
    monkeypatch.setattr(staging, "BIG_LOAD", 100)
    # Ends of lines forgotten again and again are worked out again.
    monkeypatch.setattr(rpps_places, "REMEMBERED", 3)
    assert rows_after(path) == general
    # And the general merge, asked to look at everybody, finds nothing to write.
    before = versions()
    monkeypatch.setattr(rpps, "MANY", -1)
    import_rpps(path, ANY_SIZE)
    assert versions() == before


def test_first_load_leaves_tables_as_they_were_built_and_what_they_held(monkeypatch):
    """Their storage is renewed and their indexes built again: same rows, same definitions, no order to keep."""
    mine = Professional.objects.create(source="local", family_name="ICI", search_family="ici", search_given="")
    before = definitions()
    monkeypatch.setattr(staging, "BIG_LOAD", 100)
    import_rpps([files.small().activities], ANY_SIZE)
    assert definitions() == before
    assert Professional.objects.get(pk=mine.pk).family_name == "ICI"
    assert set(rpps_merge.KEPT_INDEXES) <= {name for name, _ in before}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_index WHERE indisclustered")
        assert cursor.fetchone() == (0,)


def definitions():
    """Indexes and constraints of the tables of a load."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%(tables)s) UNION ALL"
            " SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = ANY(%(tables)s::regclass[])",
            {"tables": list(rpps_merge.TABLES)},
        )
        return sorted(cursor.fetchall())


@pytest.fixture
def pieces(tmp_path):
    """A file that two processes read, more of it than they may have waiting."""
    lines = [changed(NURSE, c2=f"10999{n:06d}", c3=f"810999{n:06d}") for n in range(20_000)]
    source = sources.sources(people_file(tmp_path, *lines))[0]
    first = rpps_first.FirstLoad(source.written_day, timezone.now())
    with closing(rpps_workers.pieces(source, headers.PERSON_ACTIVITY, "utf-8", first, 2)) as reading:
        yield reading


@pytest.mark.req("DIR-IMPORT")
def test_reading_stopped_in_the_middle_ends(pieces):
    assert next(pieces).rows
    pieces.close()
    assert not multiprocessing.active_children()


@pytest.mark.req("DIR-IMPORT")
def test_a_reading_process_that_is_killed_is_said(pieces):
    """As the system does when memory runs out: waiting for its piece would last for ever."""
    assert next(pieces).rows
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(FileRefused, match="faute de mémoire"):
        list(pieces)
    assert not multiprocessing.active_children()


@pytest.mark.req("DIR-IMPORT")
def test_one_of_the_reading_processes_is_enough(pieces):
    assert next(pieces).rows
    multiprocessing.active_children()[0].kill()
    with pytest.raises(FileRefused, match="faute de mémoire"):
        list(pieces)


@pytest.mark.req("DIR-IMPORT")
def test_a_process_killed_in_the_middle_of_its_answer_is_said(pieces, monkeypatch):
    """Who waited for the rest of it would wait for ever."""

    def begin_and_die(line, reader):
        line.recv()
        # A thousand bytes are announced, two come.
        os.write(line.fileno(), struct.pack("!i", 1000) + b"ab")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(rpps_workers, "_serve", begin_and_die)
    with pytest.raises(FileRefused, match="faute de mémoire"):
        list(pieces)
    assert not multiprocessing.active_children()


@pytest.mark.req("DIR-IMPORT")
def test_what_a_reading_process_raises_is_raised_here(pieces, monkeypatch):
    def refuse(reader, number, text):
        raise FileRefused("Ligne 2 : illisible.")

    monkeypatch.setattr(rpps_workers._Reader, "read", refuse)
    with pytest.raises(FileRefused, match="illisible"):
        list(pieces)


def test_scattered_people_give_the_same_rows(tmp_path):
    sizes = {"professionals": 400, "structures": 60, "seed": 11}
    together = generate(tmp_path / "a", **sizes)
    expected = rows_after([together.activities])
    for model in (SavoirFaire, Activity, Structure, Professional, ImportRun):
        model.objects.all().delete()
    assert rows_after([generate(tmp_path / "b", **sizes, scattered=3).activities]) == expected


def rows_after(path):
    import_rpps(path, ANY_SIZE)
    activities = Activity.objects.values_list(*SHOWN)
    known = SavoirFaire.objects.values_list("professional__national_id", "profession", "kind", "code")
    return sorted(activities, key=str), sorted(known)


def test_generated_file_goes_through_whole():
    small = files.small()
    report = import_rpps([small.activities, small.savoir_faire], ANY_SIZE)[0]
    assert report.run.refused_count == 0
    assert report.run.read_count == small.activity_count
    assert Professional.objects.count() == 300
    assert ImportRun.objects.filter(state="fait").count() == 2
