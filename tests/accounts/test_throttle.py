"""Attempts and sessions when the database does not write (REL-18)."""

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, OperationalError, connection

from coordination.accounts import throttle
from coordination.accounts.sessions import SessionStore
from coordination.common.away import is_away

pytestmark = pytest.mark.req("REL-18")


@pytest.mark.asvs("v5.0.0-16.5.3")
@pytest.mark.django_db
def test_a_count_that_somebody_holds_is_told_from_one_that_cannot_be_written(monkeypatch):
    assert cache.add("attempt", 1) and not cache.add("attempt", 1)
    # What Django's does of a full disk: no error, nothing written.
    monkeypatch.setattr(DatabaseCache, "_base_set", lambda *args: False)
    assert not cache.add("other", 1)
    monkeypatch.setattr(connection, "errors_occurred", True)
    with pytest.raises(OperationalError) as raised:
        cache.add("other", 1)
    assert is_away(raised.value)


@pytest.mark.django_db
def test_a_lock_that_was_left_is_not_one_attempt_too_many(client, monkeypatch, settings):
    """As after a full disk: who counted could not take its lock away."""
    settings.ROOT_URLCONF = "coordination.urls"
    monkeypatch.setattr(throttle, "CACHE_LOCK_WAIT_TIMEOUT", 0.05)
    entered = {"login": "personne@cabinet.example", "password": "un mot de passe"}
    client.post("/compte/connexion/", entered)
    counts = [key.removeprefix(cache.make_key("")) for key in kept() if "login" in key]
    for key in counts:
        cache.add(f"{key}:lock", True)
    client.raise_request_exception = False
    answer = client.post("/compte/connexion/", entered)
    assert counts and answer.status_code == 503
    assert "Le service est momentanément indisponible" in answer.content.decode()
    for key in counts:
        cache.delete(f"{key}:lock")
    assert client.post("/compte/connexion/", entered).status_code == 200


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM accounts_throttle")
        return [key for (key,) in cursor.fetchall()]


@pytest.mark.parametrize(("error", "said"), [(OperationalError, OperationalError), (DatabaseError, UpdateError)])
def test_a_session_that_could_not_be_written_is_told_from_one_that_was_ended(monkeypatch, error, said):
    def cut(self, must_create=False):
        try:
            raise error("cut")
        except DatabaseError:
            raise UpdateError  # noqa: B904 - as Django does

    monkeypatch.setattr(db.SessionStore, "save", cut)
    with pytest.raises(said):
        SessionStore().save()
