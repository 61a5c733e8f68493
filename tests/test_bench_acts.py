"""Every address that takes a POST is timed by `make bench ARGS=acts`, or excused by name with its reason (PERF-20)."""

import inspect

import pytest

from tests.bench import acts, deeds
from tests.bench.acting import Answer, Typed
from tests.bench.deeds.excused import EXCUSED
from tests.security import expected as e
from tests.test_architecture import own_views
from tests.test_second_writers import takes_post


def taking():
    """Return the names of the routes that take a POST: read from the views written here; for those of the library, as
    the table of tests/security says, which is compared with what they answer."""
    ours = {name: view for name, _, view in own_views() if not inspect.unwrap(view).__module__.startswith("django.")}
    table = {route for route, method in e.table() if method == "POST"}
    said = {name for name, view in ours.items() if takes_post(view)} | (table - ours.keys())
    # The API answers programs: nothing is shown.
    return {name for name in said if not name.startswith("fhir")}


@pytest.mark.req("PERF-20")
def test_every_address_that_takes_a_post_is_timed_or_excused_by_name():
    found = taking()
    assert len(found) > 150, "the walk found too few addresses to prove anything"
    left, named_for_nothing = deeds.unaccounted(found)
    assert left == set(), "do it in tests/bench/deeds, or say why not in deeds/excused.py"
    assert named_for_nothing == set(), "no such address, or both done and excused"


def test_a_new_address_is_seen():
    left, _ = deeds.unaccounted(taking() | {"circle:invented"})
    assert left == {"circle:invented"}


def test_an_address_is_excused_once_with_a_reason():
    names = [name for held in EXCUSED.values() for name in held]
    assert len(names) == len(set(names))
    assert all(len(why.split()) >= 4 for why in EXCUSED)


def test_the_time_that_ninety_five_of_a_hundred_keep():
    assert acts.p95([*range(1, 21)]) == 19
    assert acts.p95([7.0]) == 7.0


def done(**times):
    answers = {name.replace("_", ":"): [Answer(ms) for ms in held] for name, held in times.items()}
    return acts.Done(answers, typed=[Typed("circle:list", 2, 0, 40)])


def test_a_slow_act_is_named():
    slow = done(circle_list=[20] * 20, circle_remove=[30] * 18 + [140, 150])
    share, slowest, *_ = acts.figures(slow)
    assert (share["value"], share["ok"]) == ("1 of 2", False)
    assert "140 ms (circle:remove)" in slowest["value"] and not slowest["ok"]
    assert any(line.startswith("* circle:remove: p95 140 ms") for line in acts._said(slow))


def test_one_late_answer_of_twenty_is_borne():
    share, slowest, *_ = acts.figures(done(circle_list=[20] * 19 + [900]))
    assert share["ok"] and slowest["ok"]


def test_an_act_never_done_is_no_act_kept():
    found = done(circle_list=[20] * 20)
    found.missed["circle:remove"] = "round 3: the form was shown again"
    addresses = acts.figures(found)[2]
    assert (addresses["value"], addresses["ok"]) == ("1 of 2", False)


def test_typing_that_is_held_up_is_told():
    found = done(circle_list=[20] * 20)
    found.typed.append(Typed("circle:add", 1, 180, 120))
    held, key = acts.figures(found)[3:]
    assert (held["value"], held["ok"], key["ok"]) == ("180 ms", False, False)
