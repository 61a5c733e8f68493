"""Sixteen clients at once on the same dossiers leave a history that one order explains, and a journal of it (REL-10).

Each client joins, grants, revokes, books, moves, writes and merges, through the door of the product and its acts, and
reads pages whole; `tests/history/checker.py` judges what they saw. READ COMMITTED, as the product runs, and
SERIALIZABLE (REL-9). `FULL=1`: a hundred seeds and longer histories; `HISTORY_ACTS`: how many acts each client does.
"""

import os
from collections import Counter

import pytest

from habilitations.models import AccountTrace, Outcome
from habilitations.verification import verify
from tests import for_good
from tests.circle.conftest import publish_default_matrix
from tests.history.checker import DONE, REFUSED, Op, anomalies
from tests.history.recording import History, lines_of
from tests.history.town import Town, play, told
from tests.invariants.attacks import SERIALIZABLE

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
FULL = bool(os.environ.get("FULL"))
SEEDS = range(100 if FULL else 2)
# Who is shut out depends on who comes first: these are played in turn, until somebody is.
MORE_CHANCES = range(1000, 1005)
ACTS = int(os.environ.get("HISTORY_ACTS", 40 if FULL else 12))
# What SERIALIZABLE begins again is longer: each writer of a dossier waits for the others of it.
FEWER = 3


@pytest.fixture(scope="module")
def scribe(django_db_setup, django_db_blocker):
    with for_good.scribe(django_db_blocker) as call:
        call(publish_default_matrix)
        yield call


def played(scribe, seed: int, **how) -> tuple[Town, History]:
    history = History()
    town = scribe(lambda: Town(history))
    scribe(lambda: play(town, history, seed, **how))
    return town, history


def judge(scribe, town: Town, history: History) -> list[Op]:
    """Return the acts, of which everything must be explained."""
    lines, said = scribe(lambda: (lines_of(town.dossiers, town.marks), told(town)))
    ops = history.ops
    assert history.unknown == []
    assert [str(one) for one in anomalies(ops, lines, told=said)] == []
    shut = {op.id for op in ops if op.outcome == REFUSED and False in op.reads.values()}
    refused = scribe(lambda: set(AccountTrace.objects.filter(outcome=Outcome.REFUSED).values_list("request_id")))
    # In the journal of the dossier, of who was inside when he began and waited behind who closed.
    told_so = {key for (key,) in refused} | {line.op for line in lines if line.outcome == Outcome.REFUSED}
    assert shut <= told_so, "a door found shut, of which the journal says nothing"
    return ops


def somebody_was_shut_out(ops: list[Op]) -> bool:
    return any(op.outcome == REFUSED and False in op.reads.values() for op in ops)


@pytest.mark.req("REL-10")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_many_did_at_once_is_explained_by_one_order(scribe, seed):
    town, history = played(scribe, seed, acts=ACTS)
    ops = judge(scribe, town, history)
    shut_out = somebody_was_shut_out(ops)
    for another in MORE_CHANCES:
        if shut_out:
            break
        shut_out = somebody_was_shut_out(judge(scribe, *played(scribe, another, acts=ACTS)))
    done = Counter(op.kind for op in ops if op.outcome == DONE)
    figures = f"{len(ops)} acts, {dict(done)}, {sum(op.outcome == REFUSED for op in ops)} refused"
    print(f"seed {seed}: {figures}")  # noqa: T201 - the figures, by -s
    # A history that does nothing proves nothing.
    assert {"look", "cercle", "agenda", "join", "write", "lead", "book", "grant", "revoke"} <= set(done)
    assert shut_out, "nobody was ever shut out"
    report = scribe(verify)
    assert (report.wrong, report.faults) == (0, [])


@pytest.mark.req("REL-9", "REL-10")
@pytest.mark.timeout(600)
def test_it_is_explained_in_the_other_isolation(scribe):
    town, history = played(scribe, 0, acts=max(2, ACTS // FEWER), isolation=SERIALIZABLE)
    judge(scribe, town, history)
