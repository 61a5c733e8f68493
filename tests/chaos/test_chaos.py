"""The short form of `make chaos`, one scenario of each kind on the whole product (issue 6 §2).

`FAULTS=1 make test ARGS="tests/chaos -n0"`, and after the suite in `.ci/run`: minutes on two cores that nothing else
may use. Ratios of speed are left to `make chaos`; on a machine of CI, whose speed nobody knows, so are delays, but for
what would be a hang: what is judged there is that nothing is lost, done twice or broken.
"""

import os

import pytest
from django.db import connection

from tests.chaos import broker_away, dependencies, exhausted, judging, kills, playing, rolling, upgrade

pytestmark = [
    pytest.mark.slow, pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("FAULTS"), reason="needs the machine for itself: FAULTS=1"),
]  # fmt: skip
SEED = 20261129
DOSSIERS = 6
# How much longer a delay may be.
SLOWER = 3 if os.environ.get("CI") else 1


@pytest.fixture(scope="module")
def disk():
    with exhausted.small_disk() as folder:
        yield folder


@pytest.fixture(scope="module")
def played(disk, django_db_blocker):
    """The product at work over servers of its own, on a disk that may be filled; and who acts there."""
    with django_db_blocker.unblock(), playing.played_on(disk, DOSSIERS) as there:
        yield there


@pytest.fixture
def stage(played):
    return played[0]


@pytest.fixture
def town(played):
    return played[1]


@pytest.mark.req("REL-1", "REL-2")
def test_killed_at_any_moment_nothing_is_lost_and_nothing_done_twice(stage, town):
    """A process of the web, PostgreSQL, the worker, Redis: kill -9, each within two or three seconds."""
    outcome = kills.run(stage, town, kills=4, every=2.5, rate=12, seed=SEED, calm=6)
    assert len(outcome.falls) == 4
    assert outcome.verdict.accepted > 40
    assert outcome.verdict.wrong == []
    assert "500" not in outcome.statuses
    assert max(outcome.recoveries) <= SLOWER * kills.MAX


@pytest.mark.req("REL-3")
def test_a_broker_that_hangs_slows_nobody_and_keeps_no_letter(stage, town):
    troubles = {"silent": 4, "flushed": 1}
    _, found, verdict = broker_away.run(stage, town, troubles=troubles, normal=1, rate=10, seed=SEED)
    assert [trouble.bad for trouble in found] == [[], []]
    assert max(trouble.slowest for trouble in found) <= SLOWER * dependencies.LONGEST_PAGE
    assert max(trouble.left for trouble in found) <= SLOWER * broker_away.LEFT_WITHIN
    assert verdict.wrong == []


@pytest.mark.req("REL-15")
def test_nobody_sees_a_release(stage, town):
    attempts, verdict = rolling.run(stage, town, times=1, renewals=1, pause=1.5, rate=12, seed=SEED)
    assert len(attempts) > 20
    assert [one.status for one in attempts if not 200 <= one.status < 400] == []
    assert verdict.wrong == []


@pytest.mark.req("REL-14")
def test_the_former_version_serves_while_its_database_is_migrated(django_db_blocker):
    with django_db_blocker.unblock():
        outcome = upgrade.run(dossiers=DOSSIERS, rate=10, pause=2, seed=SEED)
    if outcome is None:
        pytest.skip("UPGRADE NOT TRIED: the former version is not in this history (a shallow clone)")
    assert outcome.said == "" and len(outcome.attempts) > 20
    assert [one.status for one in outcome.attempts if not 200 <= one.status < 400] == []
    assert outcome.verdict.wrong == []
    # Somebody read for longer than a migration waits.
    assert outcome.gave_way >= (1 if outcome.changed else 0)


@pytest.mark.req("REL-17")
@pytest.mark.parametrize("name", ["mail server", "partner", "calendar"])
def test_what_others_keep_breaks_no_page(stage, town, name):
    found = dependencies.run(stage, town, acts=2, seed=SEED, only=(name,))
    assert [one.mood for one in found] == list(dependencies.MOODS)
    for one in found:
        assert [attempt.status for attempt in one.attempts if attempt.status >= 400 or attempt.status == 0] == [], one
        assert max(attempt.seconds for attempt in one.attempts) <= SLOWER * dependencies.LONGEST_PAGE, one
        assert one.untold == []


@pytest.mark.req("REL-18")
@pytest.mark.parametrize("shortage", ["without_connections", "without_memory", "without_room"])
def test_what_is_exhausted_is_said_and_comes_back(stage, town, disk, shortage):
    if shortage == "without_room" and disk is None:
        pytest.skip("FULL DISK NOT TRIED: a tmpfs cannot be mounted here (root can)")
    found = getattr(exhausted, shortage)(stage, town, seconds=2.5, seed=SEED)
    connection.close()
    assert found.unclean == []
    if shortage != "without_memory":
        assert any(attempt.status == 503 for attempt in found.attempts), "nothing was exhausted"
    assert found.back <= SLOWER * exhausted.BACK_WITHIN
    assert judging.judge(stage, []).wrong == []
