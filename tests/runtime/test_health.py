"""`/sante/vivant` and `/sante/pret`: open, never kept, and silent about how things are made."""

import datetime

import pytest
from django.db import OperationalError

from coordination.common import health


def test_alive_needs_neither_account_nor_database(client):
    answer = client.get("/sante/vivant")
    assert answer.status_code == 200
    assert answer.json() == {"statut": "vivant"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_says_the_state_of_each_part(client, monkeypatch):
    monkeypatch.setattr(health, "_broker_answers", lambda: True)
    answer = client.get("/sante/pret")
    assert answer.status_code == 200
    assert answer.json() == {
        "statut": "pret",
        "base": "ok",
        "migrations": "ok",
        "file": "ok",
        "plus_ancienne_tache_s": 0,
    }
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("question", "part"),
    [("_database_answers", "base"), ("_migrations_are_applied", "migrations"), ("_broker_answers", "file")],
)
def test_one_part_down_is_not_ready_and_says_no_more(client, monkeypatch, question, part):
    def fails():
        raise OperationalError("connection to server at 10.0.0.1 failed for user secret")

    monkeypatch.setattr(health, "_broker_answers", lambda: True)
    monkeypatch.setattr(health, question, fails)
    answer = client.get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()[part] == "indisponible"
    assert b"secret" not in answer.content


@pytest.mark.django_db
@pytest.mark.req("SECT-9")
@pytest.mark.parametrize("production", [True, False])
def test_a_production_is_not_ready_with_a_role_that_its_rules_do_not_hold(client, monkeypatch, settings, production):
    settings.REFUSES_UNSAFE_START = production
    monkeypatch.setattr(health, "_plain", False)
    monkeypatch.setattr(health, "_broker_answers", lambda: True)
    assert client.get("/sante/pret").json()["base"] == "ok"
    monkeypatch.setattr(health, "_plain", False)
    monkeypatch.setattr(health.role, "sees_through", lambda: True)
    assert client.get("/sante/pret").json()["base"] == ("indisponible" if production else "ok")


@pytest.mark.django_db
def test_migrations_not_applied_are_not_ready(client, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: ["one"])
    monkeypatch.setattr(health, "_broker_answers", lambda: True)
    assert client.get("/sante/pret").json()["migrations"] == "indisponible"


@pytest.mark.django_db
def test_the_age_of_the_oldest_waiting_job(client, monkeypatch):
    from coordination.outbox.models import Message

    manager = type(Message.objects)
    monkeypatch.setattr(manager, "oldest_waiting_age", lambda self: datetime.timedelta(seconds=90), raising=False)
    assert client.get("/sante/pret").json()["plus_ancienne_tache_s"] == 90


def test_the_broker_of_the_settings_answers(settings):
    assert settings.REDIS_URL
    assert health._broker_answers()


def test_a_silent_broker_is_known_quickly(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert health._state("broker", health._broker_answers) == "indisponible"
