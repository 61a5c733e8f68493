"""The second wall (SECT-9): who says nothing reads no row of a dossier and writes none, by raw SQL, in every table.

Asked by connections of the application's own role, beside Django's: what a hole in the application would be given.
"""

from contextlib import contextmanager
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from coordination.accounts.sessions import SessionStore
from coordination.common import declaring
from coordination.common.database import role
from coordination.operations import sizing
from habilitations import journal, second_wall
from habilitations.management.commands import second_mur
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-9")]


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - a name of our own
        return cursor.fetchone()[0]


@contextmanager
def nobody():
    """A request that has shown nothing yet."""
    token = declaring._declared.set({})
    try:
        yield
    finally:
        declaring._declared.reset(token)


def without_a_wall(found):
    return [table.name for table in found if not table.stands]


def test_the_role_is_a_plain_one():
    """A superuser, or who has BYPASSRLS, walks through any wall: the application is neither."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_the_wall_stands_before_every_table_of_dossiers():
    found = second_wall.tables()
    assert without_a_wall(found) == []
    names = {table.name for table in found}
    # The list is the database's own; that of the sizing, held by another test, is beside it.
    [family] = [one for one in sizing.read().families if one.name == "dossier"]
    assert {table for table, _ in family.tables()} <= names
    # No column names the dossier of an answer that is kept for the same call.
    assert "fhir_replay" in names
    assert {"habilitations_trace", "habilitations_trace_autre", "dossiers_visit", "agenda_appointment"} <= names
    assert len(names) > 60  # two years of the journal among them


def test_who_says_nothing_reads_no_row_of_any_table():
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    make.relative(entry)
    entry.trace("lecture")
    names = [table.name for table in second_wall.tables()]
    filled = [name for name in names if count(name)]
    assert {"dossiers_dossier", "circle_member", "habilitations_habilitation", "habilitations_trace"} <= set(filled)
    with nobody():
        assert {name: rows for name in names if (rows := count(name))} == {}
    assert [name for name in names if count(name)] == filled


def test_who_says_nothing_writes_nothing():
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    with nobody(), connection.cursor() as cursor:
        cursor.execute("UPDATE dossiers_dossier SET birth_name = 'AUTRE'")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM circle_circle")
        assert cursor.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            cursor.execute(
                "INSERT INTO circle_circle (dossier_id) VALUES (%s)",
                [entry.dossier.pk],
            )


@pytest.mark.parametrize(
    "fault",
    [
        "DROP POLICY declared ON circle_member",
        "ALTER TABLE circle_member DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE circle_member NO FORCE ROW LEVEL SECURITY",
        "CREATE TABLE later (id int, dossier_id uuid)",
    ],
)
def test_a_hole_is_seen(fault):
    """The check can fail: a table left open, and one that a new migration would make."""
    with connection.cursor() as cursor:
        cursor.execute(fault)
    assert without_a_wall(second_wall.tables()) == ["later" if "later" in fault else "circle_member"]
    # What the end of each `migrate` does.
    second_wall.keep_up()
    assert without_a_wall(second_wall.tables()) == []


def test_a_new_month_of_the_journal_is_behind_it():
    assert journal.prepare_months(26) == 4
    assert without_a_wall(second_wall.tables()) == []


def test_where_dossiers_are_it_waits_to_be_asked_for():
    """A version that says nothing may still be serving them: REL-15."""
    publish_default_matrix()
    make.open_circle(make.coordinator())
    out = StringIO()
    with connection.cursor() as cursor:
        # What a command finds: nothing of another act waits in its transaction.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    call_command("second_mur", "baisser", stdout=out)
    second_wall.keep_up()
    assert not second_wall.stands()
    with nobody():
        assert count("dossiers_dossier") == 1
    call_command("second_mur", "monter", stdout=out)
    assert without_a_wall(second_wall.tables()) == []
    with nobody():
        assert count("dossiers_dossier") == 0


@pytest.fixture
def pooled(monkeypatch):
    """A hole, and a product that was told of a pooler of transactions."""
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id int, dossier_id uuid)")


def test_it_is_not_raised_behind_a_pooler_of_transactions(pooled):
    with pytest.raises(CommandError, match="répartiteur"):
        call_command("second_mur", "monter")
    second_wall.keep_up()
    assert journal.prepare_months(26) == 4  # what it does besides is done
    assert "later" in without_a_wall(second_wall.tables())


@pytest.mark.parametrize(
    ("answers", "pooled"),
    [([1, 2, 1], False), ([1, 1], True), ([1, 2, 3], True)],
    ids=["a process each", "the same for two", "another than before"],
)
def test_a_pooler_that_nobody_told_of_shows(monkeypatch, answers, pooled):
    said = iter(answers)
    monkeypatch.setattr(second_wall, "_process", lambda session: next(said))
    assert second_wall.is_pooled() is pooled


def test_a_direct_connection_is_no_pooler():
    assert not second_wall.is_pooled()


@pytest.mark.django_db(transaction=True)
def test_who_keeps_a_table_makes_it_wait_and_is_not_made_to(monkeypatch):
    """Somebody reads the members for long: the others are done, and the same command ends the work."""
    monkeypatch.setattr(second_wall, "LOCK_WAIT", "50ms")
    monkeypatch.setattr(second_mur, "TRIES", 2)
    reached = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    said, pauses = StringIO(), []
    with psycopg.connect(**reached) as reader:
        reader.execute("LOCK TABLE circle_member IN ACCESS SHARE MODE")
        monkeypatch.setattr(second_mur.time, "sleep", pauses.append)
        with pytest.raises(CommandError, match="pg_stat_activity"):
            call_command("second_mur", "baisser", stderr=said)
        assert not second_wall.stands()
        assert pauses == [second_mur.PAUSE] and "1/2" in said.getvalue()
        monkeypatch.setattr(second_mur.time, "sleep", lambda _: reader.rollback())
        call_command("second_mur", "baisser", stdout=said, stderr=said)
    assert not any(table.stands for table in second_wall.tables())
    call_command("second_mur", "monter", stdout=said)
    assert without_a_wall(second_wall.tables()) == []


def test_a_role_that_walks_through_it_is_told_and_refused_in_production(monkeypatch, settings):
    monkeypatch.setattr(role, "sees_through", lambda: True)
    said = StringIO()
    call_command("second_mur", stdout=StringIO(), stderr=said)
    assert "BYPASSRLS" in said.getvalue()
    settings.REFUSES_UNSAFE_START = True
    with pytest.raises(CommandError, match="BYPASSRLS"):
        call_command("second_mur", stdout=StringIO())


# ---- Who is declared -------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch):
    """What the server was told before each statement of the requests."""
    heard = []

    def listen(execute, sql, params, many, context):
        heard.append(context["connection"]._told)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield heard


def test_a_session_speaks_for_its_holder_and_the_next_request_for_nobody(client, told):
    publish_default_matrix()
    reader = make.coordinator()
    entry = make.open_circle(reader)
    client.force_login(reader)
    told.clear()
    assert client.get(f"/dossiers/{entry.dossier.pk}/cercle/").status_code == 200
    assert told and all(one.startswith("session:") and client.session.session_key not in one for one in told)
    client.logout()
    told.clear()
    assert client.get("/sante/pret").status_code == 200
    assert set(told) == {""}


def test_a_cookie_that_holds_nothing_speaks_for_nobody(client, told):
    client.cookies["__Host-session"] = client.cookies["session"] = "inconnu"
    client.get("/dossiers/")
    client.get("/connexion/")
    assert all(not one or one.startswith("session:") for one in told)
    with nobody():
        declaring.declare_holder("session", "inconnu")
        declaring.withdraw("session")
        assert declaring.declared() == declaring.NOBODY


def test_a_visitor_s_session_speaks_for_nobody(client):
    """It is in the base, and anybody is given one."""
    session = client.session
    session["seen"] = "a page"
    session.save()
    with nobody():
        assert SessionStore(session.session_key)["seen"] == "a page"
        assert declaring.declared() == declaring.NOBODY


def test_what_a_rollback_takes_back_is_said_again():
    def server():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('coordination.actor', true)")
            return cursor.fetchone()[0]

    assert server() == "system:tests"
    with declaring.declared_as_system("one"):
        with transaction.atomic():
            with declaring.declared_as_system("two"):
                assert server() == "system:two"
            transaction.set_rollback(True)
        assert server() == "system:one"
    assert server() == "system:tests"


@pytest.mark.django_db(transaction=True)
def test_the_role_s_own_connection_reads_nothing_until_it_says_who():
    """With nothing of the application between: the role, its password, and SQL."""
    publish_default_matrix()
    make.open_circle(make.coordinator())
    reached = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with psycopg.connect(**reached, autocommit=True) as raw:
        for table in second_wall.tables():
            asked = f'SELECT count(*) FROM "{table.name}"'  # noqa: S608 - a name of our own
            assert raw.execute(asked).fetchone() == (0,), table.name
        raw.execute("SELECT set_config('coordination.actor', 'system:a test', false)")
        assert raw.execute("SELECT count(*) FROM dossiers_dossier").fetchone() == (1,)
