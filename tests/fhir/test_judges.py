"""`make conformance` where the judges cannot be had: told, soon, and a failure only for who asked for them."""

import pytest

from tests.conformance import __main__ as conformance
from tests.conformance import java, judge


@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--if-possible", "--captured", "nowhere"], 0)])
@pytest.mark.parametrize("absent", [(judge, "require"), (java, "classpath")])
def test_a_judge_that_cannot_be_had_is_told(monkeypatch, capsys, arguments, code, absent):
    def missing(*_):
        raise java.Missing("no Java on this machine")

    monkeypatch.setattr(judge, "require", lambda: None)
    monkeypatch.setattr(*absent, missing)
    monkeypatch.setattr(conformance, "_tests", lambda *_: pytest.fail("nothing is run"))
    assert conformance.main(arguments) == code
    assert "NOT RUN: no Java on this machine" in capsys.readouterr().err


@pytest.mark.parametrize(
    "script", ["echo 'Could not transfer artifact'; exit 1", "echo 'npm error code ENOTFOUND' >&2; exit 1", "sleep 5"]
)
def test_a_repository_out_of_reach_is_no_failure_of_ours(script):
    with pytest.raises(java.Missing, match="Maven Central"):
        java.run(["sh", "-c", script], 0.2, said="Maven Central")


def test_what_does_not_compile_is_a_failure():
    assert java.run(["sh", "-c", "echo 'COMPILATION ERROR'; exit 1"], 5, said="Maven Central").returncode == 1
