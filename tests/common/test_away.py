"""What is away for a while is a 503 in words, for people and for programs; a mistake of ours stays a 500 (REL-18)."""

import errno
import threading
from importlib.machinery import FileFinder

import psycopg
import pytest
from django.db import InterfaceError, OperationalError

from coordination.common import away, error_pages
from coordination.common.away import RETRY_AFTER, is_away
from coordination.fhir.answering import refusal_of

pytestmark = pytest.mark.req("REL-18")


def of_postgresql(state, error=OperationalError):
    """Return Django's error for a SQLSTATE, as it comes from psycopg; None for a connection that was not made."""
    cause = psycopg.OperationalError("invented") if state is None else psycopg.errors.lookup(state)("invented")
    made = error("invented")
    made.__cause__ = cause
    return made


def of_the_loader():
    """Return the error of a module looked for by a loader left half made."""
    finder = FileFinder.__new__(FileFinder)
    finder.path, finder._path_mtime, finder._path_cache, finder._loaders = object(), 0, set(), []
    try:
        finder.find_spec("invented")
    except TypeError as error:
        return error


# What an interpreter short of memory says.
SHORT = [
    MemoryError(), SystemError("error return without exception set"),
    SystemError("<function f> returned NULL without setting an exception"), OSError(errno.ENOMEM, "invented"),
    ImportError("failed to map segment from shared object", path="/lib/invented.so"), of_the_loader(),
]  # fmt: skip
AWAY = [
    of_postgresql(None), of_postgresql("53300"), of_postgresql("53100"), of_postgresql("57P01"),
    of_postgresql("57P03"), of_postgresql("58030"), InterfaceError("the connection is closed"), *SHORT,
]  # fmt: skip
OURS = [
    None, ValueError(), of_postgresql("54001"), SystemError("bad argument"), OSError(errno.EPIPE, "invented"),
    ModuleNotFoundError("invented"), ImportError("cannot import name", path="/lib/invented.py"),
]  # fmt: skip


@pytest.mark.parametrize("error", AWAY, ids=lambda error: f"{type(error).__name__} {error.__cause__!r}")
def test_what_will_be_back_is_told_from_what_is_wrong(error):
    assert is_away(error)
    wrapped = RuntimeError("ours")
    wrapped.__cause__ = error
    assert is_away(wrapped)


@pytest.mark.parametrize("error", OURS)
def test_a_mistake_of_ours_is_not_away(error):
    assert not is_away(error)


@pytest.fixture
def worn(monkeypatch):
    """Whether the process of a test is to be replaced: its own flag, not the suite's."""
    monkeypatch.setattr(away, "_worn", threading.Event())
    return away.is_worn


@pytest.mark.parametrize("error", SHORT, ids=repr)
def test_who_was_refused_memory_is_replaced(rf, worn, error):
    try:
        raise RuntimeError("ours") from error
    except RuntimeError:
        assert error_pages.server_error(rf.get("/")).status_code == 503
    assert worn()


@pytest.mark.parametrize("error", [error for error in AWAY if error not in SHORT] + OURS[1:], ids=repr)
def test_who_was_refused_anything_else_goes_on(worn, error):
    refusal_of(error)
    assert not worn()


@pytest.mark.parametrize("error", AWAY, ids=lambda error: f"{type(error).__name__} {error.__cause__!r}")
def test_a_page_says_it_in_words_and_when_to_come_back(rf, error):
    request = rf.get("/")
    request.id = "0" * 32
    try:
        raise error
    except Exception:
        answer = error_pages.server_error(request)
    text = answer.content.decode()
    assert answer.status_code == 503
    assert answer["Retry-After"] == str(RETRY_AFTER) and answer["Cache-Control"] == "no-store"
    assert "Le service est momentanément indisponible" in text and request.id in text
    assert "invented" not in text


def test_a_program_is_told_it_in_an_operation_outcome():
    refusal = refusal_of(of_postgresql("53300"))
    assert (refusal.status, refusal.issues[0].code) == (503, "transient")
    assert refusal.headers["Retry-After"] == str(RETRY_AFTER)
    assert refusal_of(ValueError()).status == 500
