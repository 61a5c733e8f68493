"""The checker itself: it finds what is planted, and finds nothing in what could have happened (REL-10)."""

from dataclasses import replace

import pytest

from tests.history import checker
from tests.history.checker import LOST, REFUSED, Line, Op, anomalies

pytestmark = pytest.mark.req("REL-10")
ENTERS = "access:d:nurse"


def op(name, began, ended, **said):
    return Op(name, "client", said.pop("kind", "act"), began, ended, **said)


def grant(name, began, ended, *, opened, **said):
    return op(name, began, ended, writes={ENTERS: opened}, **said)


def read(name, began, ended, *, inside=True, **said):
    return op(name, began, ended, reads={ENTERS: inside}, **said)


def edit(name, began, ended, before, after, **said):
    return op(name, began, ended, writes={"sheet": after}, replaced={"sheet": before}, **said)


def whats(*acts, lines=(), told=None):
    return [one.what for one in anomalies(acts, lines, told=told)]


FIRST = grant("first", -1, 0, opened=True)
CLOSED = grant("closed", 1, 2, opened=False)


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param([FIRST, CLOSED, read("r", 3, 4)], id="a read after an acknowledged revocation"),
        pytest.param([FIRST, CLOSED, grant("again", 5, 6, opened=True), read("r", 3, 4)], id="opened again later"),
        pytest.param([FIRST, CLOSED, replace(grant("again", 3, 4, opened=True), outcome=REFUSED), read("r", 5, 6)],
                     id="opened again in vain"),
        pytest.param([FIRST, grant("other", 1, 2, opened=True), grant("closed", 3, 4, opened=False), read("r", 5, 6)],
                     id="both grants were before"),
        pytest.param([FIRST, read("r", 3, 4, inside=False)], id="a refusal that nobody decided"),
        pytest.param([FIRST, CLOSED, grant("again", 3, 4, opened=True), read("r", 5, 6, inside=False)],
                     id="a refusal after an acknowledged grant"),
    ],
)  # fmt: skip
def test_a_right_that_was_not_there_is_found(acts):
    found = anomalies(acts)
    assert [one.what for one in found] == [checker.STALE] and "r" in found[0].acts


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param([FIRST, read("r", 3, 4)], id="open"),
        pytest.param([FIRST, CLOSED, read("r", 1.5, 4)], id="it had begun before the revocation was answered"),
        pytest.param([FIRST, CLOSED, read("r", 1.5, 4, inside=False)], id="refused at the same time"),
        pytest.param([FIRST, CLOSED, grant("again", 3, 6, opened=True), read("r", 4, 5)], id="opened meanwhile"),
        pytest.param([FIRST, CLOSED, grant("again", 1.5, 6, opened=True), read("r", 7, 8)], id="either was last"),
        pytest.param([FIRST, replace(CLOSED, outcome=LOST), read("r", 3, 4)], id="a revocation that was not answered"),
        pytest.param([FIRST, replace(CLOSED, outcome=LOST), read("r", 3, 4, inside=False)], id="or was done"),
        pytest.param([FIRST, CLOSED, replace(grant("again", 1, 2, opened=True), outcome=LOST), read("r", 3, 4)],
                     id="a grant that was not answered"),
        pytest.param([FIRST, CLOSED, replace(read("r", 3, 4), outcome=LOST)], id="a read that was not answered"),
    ],
)  # fmt: skip
def test_what_some_order_explains_is_not(acts):
    assert anomalies(acts) == []


MADE = op("made", 0, 1, writes={"sheet": "a"}, replaced={"sheet": None})


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param([MADE, edit("b", 2, 5, "a", "b"), edit("c", 3, 4, "a", "c")], id="the same text replaced twice"),
        pytest.param([MADE, edit("b", 2, 3, "z", "b")], id="a text that nobody wrote"),
        pytest.param([MADE, edit("b", 2, 3, "a", "b"), op("end", 9, 10, reads={"sheet": "a"})],
                     id="an acknowledged write that is not there in the end"),
    ],
)  # fmt: skip
def test_a_lost_update_is_found(acts):
    assert checker.LOST_UPDATE in whats(*acts)


def test_a_chain_of_edits_loses_nothing():
    edits = [MADE, edit("b", 2, 3, "a", "b"), replace(edit("x", 2, 3, "a", "x"), outcome=REFUSED)]
    edits += [replace(edit("c", 4, 5, "b", "c"), outcome=LOST), edit("d", 6, 7, "c", "d")]
    assert whats(*edits, op("end", 9, 10, reads={"sheet": "d"})) == []


def test_a_text_read_after_it_was_replaced_is_found():
    acts = [MADE, edit("b", 2, 3, "a", "b"), edit("c", 6, 7, "b", "c")]
    assert whats(*acts, op("r", 4, 5, reads={"sheet": "a"})) == [checker.STALE]
    assert whats(*acts, op("r", 4, 5, reads={"sheet": "c"})) == [checker.STALE]
    assert whats(*acts, op("r", 2, 5, reads={"sheet": "a"})) == []


def test_two_coordinators_are_found():
    seen = op("r", 1, 2, alone={"coordinator": frozenset({"m1", "m2"})})
    assert whats(seen) == [checker.TWO]
    assert whats(replace(seen, alone={"coordinator": frozenset({"m1"})})) == []


# ---- journal -------------------------------------------------------------------------------------

ONE, TWO = op("one", 0, 1, chain="d", action="écriture"), op("two", 2, 3, chain="d", action="lecture")
LINES = [Line("d", 1, "one", "écriture"), Line("d", 2, "two", "lecture")]


@pytest.mark.parametrize(
    ("acts", "lines", "found"),
    [
        pytest.param([ONE, TWO], LINES, [], id="sound"),
        pytest.param([ONE, TWO], LINES[:1], [checker.NO_LINE], id="the last line is missing"),
        pytest.param([ONE, TWO, op("three", 4, 5)], [LINES[0], Line("d", 3, "two", "lecture")], [checker.HOLE],
                     id="a line was taken away"),
        pytest.param([ONE, TWO], [*LINES, Line("d", 3, "two", "lecture")], [checker.TWO_LINES], id="told twice"),
        pytest.param([ONE, TWO], [*LINES, Line("d", 3, "other", "lecture")], [checker.GHOST], id="nobody did it"),
        pytest.param([replace(ONE, outcome=REFUSED), TWO], LINES, [checker.GHOST], id="said to be done, was refused"),
        pytest.param([replace(ONE, outcome=REFUSED), TWO], [replace(LINES[0], outcome="refus"), LINES[1]], [],
                     id="refused, and said so"),
        pytest.param([replace(ONE, outcome=LOST), TWO], LINES, [], id="not answered, done"),
        pytest.param([replace(ONE, outcome=LOST), TWO], [replace(LINES[1], seq=1)], [], id="not answered, not done"),
        pytest.param([ONE, TWO], [replace(LINES[1], seq=1), replace(LINES[0], seq=2)], [checker.DISORDER],
                     id="the later before the earlier"),
        pytest.param([ONE, replace(TWO, began=0.5)], [replace(LINES[1], seq=1), replace(LINES[0], seq=2)], [],
                     id="at the same time"),
        pytest.param([ONE, TWO], [replace(LINES[0], action="lecture"), LINES[1]], [checker.NO_LINE],
                     id="under another word"),
    ],
)  # fmt: skip
def test_the_journal_is_the_history(acts, lines, found):
    assert whats(*acts, lines=lines) == found


def test_what_the_history_does_not_tell_is_found():
    acts = [edit("b", 2, 3, None, "b", tells=("sheet=b",)), edit("c", 4, 5, "b", "c", tells=("sheet=c",))]
    assert whats(*acts, told=["sheet=b", "sheet=c"]) == []
    assert whats(*acts, told=["sheet=b"]) == [checker.UNTOLD]
    assert whats(*acts, told=["sheet=b", "sheet=c", "sheet=c"]) == [checker.UNTOLD]
    lost = [acts[0], replace(acts[1], outcome=LOST)]
    assert whats(*lost, told=["sheet=b"]) == whats(*lost, told=["sheet=b", "sheet=c"]) == []
