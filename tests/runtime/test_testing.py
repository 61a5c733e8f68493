"""What `make test` gives the processes of the suite."""

from types import SimpleNamespace

import pytest

from coordination.runtime import chromium, testing


@pytest.fixture
def given(monkeypatch):
    """Return what a run of the suite is started with, instead of starting one."""
    said = {}

    def run(command, *, env, cwd):
        said.update(env)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(testing.subprocess, "run", run)
    monkeypatch.setattr(chromium, "ensure", lambda: "")
    return said


def test_what_is_compiled_is_kept_even_in_a_container_that_keeps_nothing(given, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert testing.test([]) == 0
    assert given and "PYTHONDONTWRITEBYTECODE" not in given
