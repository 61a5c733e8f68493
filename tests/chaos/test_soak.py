"""What a long load is judged on: each kind of growth, planted, is seen (REL-23). The load itself is `make soak`."""

from dataclasses import replace

import pytest

from tests.chaos.soak import Sample, judged

pytestmark = pytest.mark.req("REL-23")
STEADY = [Sample(rank, {"web": 200 << 20, "worker": 100 << 20}, 0.050, 12, 0.05) for rank in range(40)]


def broken(samples, wrong=()):
    return [figure.what for figure in judged(samples, "1000 2xx", wrong) if figure.ok is False]


def growing(**at):
    """Return the samples with, from the middle on, what `at` makes of each."""
    return [replace(one, **{name: act(one) for name, act in at.items()}) if one.at >= 20 else one for one in STEADY]


def test_what_stays_as_it_is_is_kept():
    assert broken(STEADY) == []
    assert broken(growing(memory=lambda one: one.memory | {"web": 209 << 20})) == []


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        (growing(memory=lambda one: one.memory | {"worker": 106 << 20}), "Resident memory: worker"),
        (growing(p95=lambda one: 0.056), "p95 of the acts"),
        (growing(connections=lambda one: 13), "Connections"),
        (growing(dead=lambda one: 0.21), "Dead rows"),
    ],
)
def test_each_growth_is_seen(samples, found):
    assert broken(samples) == [found]


def test_what_is_lost_is_seen():
    assert broken(STEADY, ["accepted and missing: 1"]) == ["Answers"]


def test_a_cache_that_fills_at_the_beginning_is_no_growth():
    filling = [replace(one, memory={"web": 100 << 20, "worker": 50 << 20}) if one.at < 10 else one for one in STEADY]
    assert broken(filling) == []
