"""Each invariant is held by the database, and stays true while thirty-two connections attack it at once (REL-8).

READ COMMITTED, as the product runs, for every line; SERIALIZABLE for some lines of each part of the table, and for
every line with `ISOLATION=SERIALIZABLE` (REL-9).
"""

import os

import pytest
from django.db import connection
from django.test import override_settings

from tests import for_good
from tests.invariants import page
from tests.invariants.attacks import (
    ATTACKERS,
    BEGIN_AGAIN,
    LOOKED_BEFORE,
    READ_COMMITTED,
    SERIALIZABLE,
    Attackers,
    judged,
    say,
)
from tests.invariants.table import INVARIANTS, TABLE
from tests.invariants.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
EVERYWHERE = os.environ.get("ISOLATION", "") == SERIALIZABLE
# Of each part of the table, so many of the lines attacked by an act too.
SOME = 3


def attacks(lines):
    """Return each attack of these lines, by rows and by an act when it has one."""
    return [
        pytest.param(line, way, id=f"{line.holds[0]}-{'acts' if way is line.acts else 'rows'}")
        for line in lines
        for way in (line.rows, line.acts)
        if way
    ]


CHOSEN = [line for lines in TABLE.values() for line in [line for line in lines if line.acts][:SOME]]


@pytest.fixture(scope="module")
def scribe(django_db_setup, django_db_blocker):
    """Calls a function in a thread whose connection writes for good: those who attack see nothing else."""
    with override_settings(BRIS_DE_GLACE=True), for_good.scribe(django_db_blocker) as call:
        yield call


@pytest.fixture(scope="module")
def world(scribe):
    return scribe(World)


@pytest.fixture(scope="module")
def attackers(scribe):
    made = Attackers()
    yield made
    made.close()


@pytest.fixture
def stays_true(scribe, world, attackers):
    def check(line, way, isolation=READ_COMMITTED):
        attack = scribe(lambda: way(world))
        again = frozenset()
        if isolation == SERIALIZABLE:
            again = LOOKED_BEFORE if way is line.acts else BEGIN_AGAIN
        refused = attackers.attack(attack, isolation, again)
        wrong = {said for error in refused if (said := judged(error, line, by_an_act=way is line.acts))}
        assert not wrong, wrong
        assert (ATTACKERS - len(refused), scribe(attack.standing.count)) == (attack.allowed, attack.rows)

    return check


@pytest.mark.asvs("v5.0.0-2.2.3")
@pytest.mark.req("REL-8")
@pytest.mark.parametrize(("line", "way"), attacks(INVARIANTS))
def test_it_stays_true_whoever_attacks_it(stays_true, line, way):
    stays_true(line, way, SERIALIZABLE if EVERYWHERE else READ_COMMITTED)


@pytest.mark.req("REL-9")
@pytest.mark.parametrize(("line", "way"), attacks(CHOSEN))
def test_it_stays_true_in_the_other_isolation(stays_true, line, way):
    stays_true(line, way, SERIALIZABLE)


@pytest.mark.req("REL-8")
def test_each_line_is_held_by_the_database():
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT conname FROM pg_constraint WHERE convalidated
               UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND indisvalid
               UNION SELECT tgname FROM pg_trigger WHERE tgenabled = 'O'"""
        )
        known = {name for (name,) in cursor.fetchall()}
    assert {line.sentence: line.holds for line in INVARIANTS if not known & set(line.holds)} == {}
    assert len(INVARIANTS) >= 30 and len({line.sentence for line in INVARIANTS}) == len(INVARIANTS)


def test_the_page_says_what_the_table_does():
    assert page.PAGE.read_text() == page.written(), "python -m tests.invariants.page"


def test_an_invariant_that_nothing_holds_is_found(scribe, stays_true):
    """The check itself: without its constraint, the same attack is seen to break the line."""
    line = next(line for line in INVARIANTS if line.holds == ("one_feed_per_account",))
    scribe(lambda: say("ALTER TABLE agenda_feed DROP CONSTRAINT one_feed_per_account"))
    try:
        with pytest.raises(AssertionError, match="32"):
            stays_true(line, line.rows)
    finally:
        scribe(lambda: say("TRUNCATE agenda_feed"))
        scribe(lambda: say("ALTER TABLE agenda_feed ADD CONSTRAINT one_feed_per_account UNIQUE (user_id)"))
