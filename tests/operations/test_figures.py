"""What the database says: queues, loads, journal, connections; and the address where it is said."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import urllib3
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils import timezone

from agenda.models import OwnCalendar
from coordination.directory.models import ImportRun
from coordination.operations import figures, serving
from coordination.outbox.models import Job, State
from habilitations import roots, verification
from tests.agenda.factories import at
from tests.outbox.factories import MessageFactory
from tests.partners.factories import RelayFactory
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db
DONE, REFUSED = ImportRun.State.DONE, ImportRun.State.REFUSED


def told(name, **labels):
    found = [
        one.value
        for family in figures.DatabaseFigures().collect()
        for one in family.samples
        if one.name == name and one.labels == labels
    ]
    return found[0] if found else None


@pytest.mark.req("REL-16")
def test_each_queue_says_what_waits_how_long_and_what_was_given_up():
    old = timezone.now() - timedelta(minutes=5)
    MessageFactory(next_attempt_at=old, state=State.A_REESSAYER, last_error="Le serveur ne répond pas.")
    MessageFactory(next_attempt_at=timezone.now() + timedelta(hours=1))
    MessageFactory(state=State.ECHEC)
    MessageFactory(state=State.ECHEC, dismissed_at=old)
    MessageFactory(sent=True)
    Job.objects.create(kind="k", ref=uuid4(), given_up_at=old)
    RelayFactory(next_attempt_at=old)
    assert told("coordination_waiting", queue="message") == 2
    assert 295 < told("coordination_oldest_waiting_seconds", queue="message") < 330
    assert told("coordination_retrying", queue="message") == 1
    assert told("coordination_dead_letters", queue="message") == 1
    assert told("coordination_dead_letters", queue="job") == 1
    assert told("coordination_oldest_waiting_seconds", queue="job") == 0
    assert told("coordination_oldest_waiting_seconds", queue="relay") > 295


def test_calendars_that_are_awaited_and_that_fail(django_user_model):
    from agenda.actions.schedules import schedule_of
    from tests.accounts.factories import UserFactory
    from tests.circle.conftest import publish_default_matrix

    publish_default_matrix()
    schedule = schedule_of(UserFactory())
    for name, failures, due in (("Un", 0, at(days=1)), ("Deux", 3, timezone.now() - timedelta(hours=2))):
        OwnCalendar.objects.create(
            schedule=schedule, name=name, kind="ics", host="agenda.exemple", address_sealed="x",
            failures=failures, next_refresh_at=due,
        )  # fmt: skip
    assert told("coordination_waiting", queue="calendar") == 1
    assert told("coordination_retrying", queue="calendar") == 1
    assert 7190 < told("coordination_oldest_waiting_seconds", queue="calendar") < 7260


def test_loads_of_the_directory():
    ended = timezone.now() - timedelta(days=2)
    ImportRun.objects.create(kind="rpps", file_name="a", state=DONE, ended_at=ended)
    ImportRun.objects.create(kind="rpps", file_name="b", state=REFUSED, ended_at=timezone.now())
    ImportRun.objects.create(kind="finess", file_name="c", state=DONE, ended_at=ended)
    name = "coordination_import_last_success_timestamp_seconds"
    assert told(name, kind="rpps") == pytest.approx(ended.timestamp())
    assert told("coordination_import_last_failed", kind="rpps") == 1
    assert told("coordination_import_last_failed", kind="finess") == 0


def test_the_journal_signed_and_verified():
    # What tests that commit have signed stays: the journal is never emptied.
    with connection.cursor() as cursor:
        for table in ("habilitations_journalanchor", "habilitations_journalroot"):
            cursor.execute(f"GRANT DELETE ON {table} TO CURRENT_USER")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - two names of ours
    assert told("coordination_journal_signed_timestamp_seconds") is None
    roots.sign_root()
    # Nor is what others falsified on purpose, and committed, ever mended.
    found = verification.check().wrong
    assert told("coordination_journal_signed_timestamp_seconds") == pytest.approx(timezone.now().timestamp(), abs=60)
    assert told("coordination_journal_checked_timestamp_seconds") == pytest.approx(timezone.now().timestamp(), abs=60)
    assert told("coordination_journal_faults") == found


def test_connections_of_this_database():
    found = {
        one.labels.get("state"): one.value
        for family in figures.DatabaseFigures().collect()
        for one in family.samples
        if one.name == "coordination_database_connections"
    }
    assert found["active"] >= 1 and set(found) <= {
        "active", "idle", "idle_in_transaction", "idle_in_transaction_(aborted)", "unknown", "disabled",
        "fastpath_function_call",
    }  # fmt: skip
    assert told("coordination_database_connections_max") > 1


def test_a_database_that_does_not_answer_is_said_and_breaks_nothing(monkeypatch):
    def refused():
        raise DatabaseError("connection to Quatrelivres refused")

    monkeypatch.setattr(figures, "loads", refused)
    said = serving.text()
    assert "coordination_database_up 0.0" in said and "Quatrelivres" not in said
    assert 'coordination_waiting{queue="message"}' in said


# ---- Where it is said ----------------------------------------------------------------------------


@pytest.fixture
def running():
    started = []

    def start(bind, token=""):
        server = serving.server(bind, token)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}/metrics"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


class _Nothing:
    def collect(self):
        return []


@pytest.fixture
def without_database(monkeypatch):
    """The thread of a reading has its own connection, which a test must not open."""
    monkeypatch.setattr(serving, "DatabaseFigures", _Nothing)


def asked(address, token=None):
    headers = {} if token is None else {"Authorization": token.encode("latin-1")}
    return urllib3.request("GET", address, headers=headers, timeout=5, retries=False)


def test_prometheus_reads_on_a_port_of_its_own(running, without_database):
    answer = asked(running("127.0.0.1:0"))
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain")
    assert b"coordination_request_seconds" in answer.data


@pytest.mark.asvs("v5.0.0-13.4.5")
def test_a_token_is_asked_when_one_is_set(running, without_database):
    token = "a" * serving.SHORTEST_TOKEN
    address = running("127.0.0.1:0", token)
    for given in (None, "Bearer ", f"Bearer {token}x", token, "Bearer é"):
        refused = asked(address, given)
        assert (refused.status, refused.data) == (401, b"")
    assert asked(address, f"Bearer {token}").status == 200


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "10.0.0.5:9464", "metrics.example:9464", ":9464"])
def test_nothing_is_open_to_a_network_without_a_token(bind, settings):
    for token in ("", "a" * (serving.SHORTEST_TOKEN - 1)):
        with pytest.raises(serving.NotExposed, match="METRICS_TOKEN"):
            serving.server(bind, token)
    settings.METRICS_BIND, settings.METRICS_TOKEN = bind, ""
    with pytest.raises(CommandError, match="METRICS_TOKEN"):
        call_command("metrics")


@pytest.mark.asvs("v5.0.0-13.4.5")
def test_no_page_of_the_product_tells_them(client):
    assert [path for path, _, _ in routes() if "metric" in path or "mesure" in path] == []
    assert client.get("/metrics").status_code in (302, 404)


def test_once_on_the_terminal(capsys):
    call_command("metrics", "--une-fois")
    assert "coordination_database_up 1.0" in capsys.readouterr().out
