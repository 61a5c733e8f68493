"""Attempts and sessions when the database does not write (REL-18)."""

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, OperationalError, connection

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
