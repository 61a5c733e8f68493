"""Nothing sent breaks a parser: its own refusals, in a second, in bounded memory (SECT-19).

Short at each run; `FULL=1 make test ARGS=tests/fuzzing` for FUZZ_MINUTES of processor a parser (five; an hour is the
goal).
"""

import os
import time
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from coordination.directory.search import vocabulary
from tests.directory import search_data
from tests.fuzzing.mutation import spoilt
from tests.fuzzing.targets import PURE, STORED, Target

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-19")]
FULL = bool(os.environ.get("FULL"))
MINUTES = float(os.environ.get("FUZZ_MINUTES", "5"))
# Seconds of processor for one input: those of a clock would measure the other tests.
LONGEST = 1.0
# Kilobytes that the process may grow by.
MOST_MEMORY = 200_000
if FULL:
    pytestmark.append(pytest.mark.timeout(MINUTES * 60 * 10))


def peak():
    """Return the kilobytes that the process has held at most since `forget_peak`."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def fault_of(target, body, folder):
    """Return what is wrong with what a parser does of an input, "" when nothing is, and the error if one came out."""
    held, began = forget_peak(), time.process_time()
    try:
        target.call(body, folder)
    except target.raises:
        pass
    except Exception as error:
        return f"{type(error).__name__} came out", error
    took, grew = time.process_time() - began, peak() - held
    if took > LONGEST:
        return f"took {took:.1f} s", None
    return (f"grew by {grew // 1000} MB", None) if grew > MOST_MEMORY else ("", None)


def attack(target, folder, examples, wrapped=lambda call: call()):
    """Feed a parser with spoilt inputs; fail with the smallest that breaks it."""

    @settings(
        max_examples=examples,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(body=spoilt(target.seeds, target.tokens))
    def feed(body):
        fault, error = wrapped(lambda: fault_of(target, body, folder))
        if fault:
            raise AssertionError(f"{fault}: {body[:300]!r}") from error

    until = time.process_time() + MINUTES * 60
    feed()
    while FULL and time.process_time() < until:
        feed()


def taken_back(call):
    """Call, and leave the database as it was."""
    with transaction.atomic():
        found = call()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", PURE)
def test_no_input_breaks_a_parser(name, tmp_path_factory):
    attack(PURE[name], tmp_path_factory.mktemp("fuzzed"), 2_000 if FULL else 60)


@pytest.mark.django_db
@pytest.mark.parametrize("name", STORED)
def test_no_input_breaks_what_is_loaded_or_searched(name, tmp_path_factory):
    house = search_data.house("EHPAD LES ESSAIS")
    search_data.person("Échantillon-Martin", "Nadia", structure=house)
    search_data.person("D'Essai", "Jean-Noé", profession="10")
    search_data.learn()
    try:
        attack(STORED[name], tmp_path_factory.mktemp("fuzzed"), 300 if FULL else 10, taken_back)
    finally:
        vocabulary.forget()


@pytest.mark.parametrize("name", [*PURE, *STORED])
def test_the_seeds_are_sound_so_that_what_is_spoilt_goes_far(name, tmp_path, db):
    """A seed refused at once would test the first line of the parser only."""
    target = (PURE | STORED)[name]
    for body in target.seeds:
        target.call(body, tmp_path)


def _crashes(body, _folder):
    if any(one < 32 for one in body):
        raise KeyError("a fault that nobody declared")


def _is_slow(body, _folder):
    if len(body) > 4:
        until = time.process_time() + 1.2
        while time.process_time() < until:
            pass


def _grows(body, _folder):
    return b"x" * 250_000_000 if body else b""


@pytest.mark.parametrize(
    ("parser", "said"), [(_crashes, "KeyError came out"), (_is_slow, "took 1"), (_grows, "grew by")]
)
def test_a_planted_fault_is_found(parser, said, tmp_path):
    target = Target(parser, (ValueError,), [b"A sound body", b"Another one"])
    faults = {fault_of(target, body, tmp_path)[0][: len(said)] for body in (b"abcdef", b"a\0")}
    assert said in faults


def test_a_planted_fault_is_reached_by_chance_and_made_small(tmp_path):
    with pytest.raises(AssertionError, match="KeyError came out"):
        attack(Target(_crashes, (ValueError,), [b"A sound body"]), tmp_path, 1_000)


def test_what_a_parser_declares_is_no_fault(tmp_path):
    def declares(body, _folder):
        raise ValueError

    assert fault_of(Target(declares, (ValueError,), [b"x"]), b"x", tmp_path) == ("", None)
