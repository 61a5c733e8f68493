"""The sizing: rows and bytes of what is there, times what is asked (SCALE-1), the cost of one dossier (SCALE-16).

And, on the same list of families, what lets a dossier be moved with all its rows (SCALE-3, SCALE-6).
"""

import datetime as dt
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from coordination.operations import measuring, sizing
from coordination.operations.measuring import Measures, Table
from coordination.operations.sizing_page import BEGIN, END, between_marks, page, put_in
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

ROOT = Path(__file__).resolve().parents[2]
SCALE = ROOT / "docs/scale.md"
pytestmark = pytest.mark.req("SCALE-1")


def weighed(**tables):
    """Measures of tables of so many rows of a hundred bytes."""
    there = {"dossiers_dossier": 10, "circle_member": 40, "habilitations_trace": 200} | tables
    return Measures(dt.date(2026, 11, 29), 15, {name: Table(rows, rows * 100, False) for name, rows in there.items()})


@pytest.fixture
def inputs():
    """Four tables, two acts, one kind of rows to come; a year of busiest hours that counts a thousand seconds."""
    said = sizing.read()
    family = sizing.Family
    return replace(
        said,
        families=(
            family("dossier", "Dossier", "dossier", {"member": ("circle_member", "circle_period")}),
            family("journal", "Journal", "dossier", {"line": ("habilitations_trace",)}),
            family("queue", "Files", "dossier", {"letter": ("outbox_message",)}),
            family("settings", "Réglages", "partout", {"fixed": ("circle_rolesetting",)}),
        ),
        planned=(sizing.Planned("Notes", "dossier", 2, 50),),
        acts=(
            sizing.Act("Lire", 90, "", "", dt.date(2026, 11, 29), rate=100, lines=1),
            sizing.Act("Écrire", 10, "", "", dt.date(2026, 11, 29), ms=300, lines=3),
        ),
        load={"days": 1, "hours": 1, "peak": 3.6, "utilisation": 0.5},
    )


def sized(inputs, measures, **scenario):
    said = {"dossiers": 1_000, "active": 1_000, "accounts": 60, "activities": 5_000} | scenario
    return sizing.size(sizing.Scenario("S9", "Un essai", **said), inputs, measures)


# ---- What is computed ------------------------------------------------------------------------------


def test_rows_follow_what_makes_them_grow(inputs):
    found = sized(inputs, weighed(circle_period=60, circle_rolesetting=7))
    # Twelve members in each, three periods for two members, two notes.
    assert found.families["dossier"].rows == 12_000 + 18_000 + 2_000
    assert found.families["dossier"].bytes == 30_000 * 100 + 2_000 * 50
    # A line for each of ninety readings, three for each of ten writings.
    assert found.families["journal"].rows == 120_000
    assert found.families["settings"].rows == 7


def test_only_what_is_followed_writes(inputs):
    whole = sized(inputs, weighed(circle_period=60))
    half = sized(inputs, weighed(circle_period=60), active=500)
    assert half.families["dossier"].rows == whole.families["dossier"].rows
    assert half.families["journal"].rows == whole.families["journal"].rows / 2
    assert half.writes == whole.writes / 2 and half.processors == whole.processors / 2


def test_what_is_purged_is_written_and_not_kept(inputs):
    # Thirty letters a year, each kept ninety days.
    letters = sized(inputs, weighed(outbox_message=5)).families["queue"]
    assert letters.rows == pytest.approx(30_000 * 90 / 365)
    assert letters.inserted == 30_000 and letters.added == 0


def test_processors_are_those_of_the_busiest_hour(inputs):
    # Ninety at 20 ms of one processor (a hundred a second on two), ten at 300: 4.8 s for each of a thousand dossiers,
    # in a thousand seconds, half of each processor kept free.
    assert inputs.seconds_a_year() == pytest.approx(4.8)
    found = sized(inputs, weighed())
    assert found.processors == pytest.approx(4.8 * 2)
    assert found.database == pytest.approx(4.8 * 2 * inputs.database["share"])
    assert found.acts == pytest.approx(100)


@pytest.mark.req("SCALE-16")
def test_what_one_dossier_costs_is_said_with_its_goal(inputs):
    measures = weighed(circle_period=60, circle_rolesetting=1_000_000)
    # Settings are everybody's: no part of it.
    assert sized(inputs, measures).bytes_of_one() == 12 * 100 + 18 * 100 + 120 * 100 + 2 * 50
    said = page(inputs, measures)
    assert "| 15 ko | ≤ 800 ko | oui |" in said and "| 4,8 s | ≤ 15 s | oui |" in said
    heavier = page(replace(inputs, goal={"bytes": 15_000, "seconds": 4}), measures)
    assert heavier.count("**NON**") == 2


def test_a_table_without_a_row_is_named_and_counts_for_nothing(inputs):
    measures = weighed()
    assert sizing.unmeasured(inputs, measures) == ["circle_period", "outbox_message"]
    assert "comptées pour rien : `circle_period`, `outbox_message`." in page(inputs, measures)


# ---- What is kept in the repository ----------------------------------------------------------------


@pytest.mark.req("SCALE-16")
def test_the_page_says_what_the_command_says():
    assert between_marks(SCALE.read_text()) == page(sizing.read(), measuring.read())
    told = StringIO()
    call_command("sizing", mesures_gardees=True, stdout=told)
    assert told.getvalue().strip() == between_marks(SCALE.read_text()).strip()


def test_each_cost_is_a_line_of_a_bench():
    said = sizing.read()
    quoted = [(act.file, act.line) for act in said.acts] + [(said.database["file"], said.database["line"])]
    assert len(quoted) >= 7
    for file, line in quoted:
        assert f"\n| {line} " in (ROOT / file).read_text(), f"{file} has no line « {line} »"


def test_the_page_is_written_between_its_marks(tmp_path):
    there = tmp_path / "scale.md"
    there.write_text(f"avant\n{BEGIN}\nvieux\n{END}\naprès\n")
    put_in(there, "neuf\n")
    assert there.read_text() == f"avant\n{BEGIN}\n\nneuf\n\n{END}\naprès\n"
    there.write_text("sans marque\n")
    with pytest.raises(ValueError, match="scale.md"):
        put_in(there, "neuf\n")


def test_measures_are_read_as_they_were_written(tmp_path):
    measures = weighed(circle_period=3)
    measuring.write(measures, tmp_path / "m.json")
    assert measuring.read(tmp_path / "m.json") == measures


# ---- What is measured ------------------------------------------------------------------------------


@pytest.fixture
def circles(client, db):
    """Three dossiers, each read once."""
    publish_default_matrix()
    reader = make.coordinator()
    client.force_login(reader)
    made = [make.open_circle(reader) for _ in range(3)]
    assert [client.get(f"/dossiers/{entry.dossier.pk}/").status_code for entry in made] == [200] * 3
    return made


def size_of(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [table])
        return cursor.fetchone()[0]


def test_a_table_is_weighed_with_its_indexes(circles, monkeypatch):
    monkeypatch.setattr(measuring, "ENOUGH", 1)
    found = measuring.measure().tables
    assert found["dossiers_dossier"] == Table(3, size_of("dossiers_dossier"), False)
    # The journal is its months together, those that hold something.
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM habilitations_trace GROUP BY 1")
        months = dict(cursor.fetchall())
    assert found["habilitations_trace"] == Table(sum(months.values()), sum(map(size_of, months)), False)
    assert sum(months.values()) >= 3


def test_a_few_rows_are_weighed_one_by_one(circles):
    found = measuring.measure().tables["dossiers_dossier"]
    assert found.rows == 3 and found.estimated
    # A page for the table and two for each index would give ten times as much.
    assert 300 < found.per_row < 2_000 < size_of("dossiers_dossier") / 3


def test_an_empty_base_is_told(db):
    with pytest.raises(CommandError, match="aucun dossier"):
        call_command("sizing")


# ---- Families --------------------------------------------------------------------------------------


def tables_of(cursor):
    """Return the tables of the product, each with its partitions as one."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND NOT relispartition"
    )
    return {name for (name,) in cursor.fetchall()}


def test_every_table_is_in_one_family(db):
    """A new table says what it grows with, and who holds its key, or this fails."""
    said = sizing.read()
    placed = [table for family in said.families for table, _ in family.tables()]
    with connection.cursor() as cursor:
        assert sorted(placed) == sorted(tables_of(cursor))
    drivers = {driver for family in said.families for _, driver in family.tables()}
    assert drivers <= {*said.drivers, sizing.FIXED}


# What belongs to who sent it, and may concern no dossier; and the dossier itself.
NO_DOSSIER = {"circle_invitation", "dossiers_dossier"}
# The identifier of a line of the journal, which is of one dossier: made in the application, found nowhere else.
UNIQUE_ANYWHERE = [("habilitations_accessquestion_trace_id_key",)]


@pytest.mark.req("SCALE-3")
def test_the_dossier_is_in_every_key_of_its_family(db):
    """As the database holds it: not null, and in each unique index but that of the row's own UUID."""
    [family] = [one for one in sizing.read().families if one.name == "dossier"]
    tables = {table for table, _ in family.tables()} | {"habilitations_trace"}
    assert len(tables) >= 25
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attrelid::regclass::text FROM pg_attribute a WHERE a.attname = 'dossier_id' AND a.attnotnull"
            " AND a.attrelid = ANY (%s::regclass[])",
            [sorted(tables)],
        )
        assert tables - {name for (name,) in cursor.fetchall()} == NO_DOSSIER
        cursor.execute(
            "SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = ANY (%s::regclass[])"
            " AND i.indisunique AND NOT i.indisprimary AND NOT EXISTS ("
            "   SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'dossier_id'"
            "   AND a.attnum = ANY (i.indkey::int2[]))",
            [sorted(tables - NO_DOSSIER)],
        )
        assert cursor.fetchall() == UNIQUE_ANYWHERE


@pytest.mark.req("SCALE-3")
def test_what_carries_a_dossier_is_of_its_family_or_says_why(db):
    said = {table: family.name for family in sizing.read().families for table, _ in family.tables()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attname = 'dossier_id'"
            " AND a.attnotnull AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = 'public'::regnamespace"
        )
        elsewhere = {name for (name,) in cursor.fetchall() if said[name] != "dossier"}
    assert elsewhere == ELSEWHERE


# The journal goes by month too; an event is its dossier's and its times are its people's; « mes dossiers » is a table.
ELSEWHERE = {
    "habilitations_trace", "habilitations_journalanchor", "dossiers_visit", "agenda_appointment",
    "agenda_appointmentchange", "agenda_participation", "agenda_series", "agenda_calendarinvitation",
    "agenda_proposal", "agenda_answer",
}  # fmt: skip


@pytest.mark.req("SCALE-6")
def test_the_database_draws_no_identifier_of_a_dossier(db):
    """No sequence and no function of the server (PostgreSQL 18 has one for UUIDv7): rows can be made anywhere."""
    numbered = {
        table
        for family in sizing.read().families
        if family.name in ("dossier", "journal", "agenda", "person", "queue")
        for table, _ in family.tables()
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND (is_identity = 'YES' OR column_default ILIKE '%%nextval%%' OR column_default ILIKE '%%uuid%%')"
        )
        drawn = {name for name, _ in cursor.fetchall() if name in numbered}
    # Of libraries: none is shown, none is of a dossier.
    assert drawn == OF_LIBRARIES


OF_LIBRARIES = {"account_emailaddress", "account_emailconfirmation", "mfa_authenticator"}


def test_the_tests_that_the_page_names_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SCALE.read_text())
    assert len(named) >= 15
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file} has no {name}"
