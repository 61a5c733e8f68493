"""pytest plugin: nothing is thrown away while the tests are collected, and what they are made of is not gone through
again between them.

Nine thousand tests and what they import stay until the end: looking among them for what nobody uses any more took a
third of the time that it takes to collect them. Nor are the few objects that a request makes looked at every seven
hundred, but at each twenty thousand: most are gone by then.
"""

import gc
from collections.abc import Iterator

import pytest

BETWEEN_TWO_LOOKS = 20_000


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    gc.disable()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[object]:
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(BETWEEN_TWO_LOOKS)
        gc.enable()
