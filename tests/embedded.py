"""pytest plugin: without DATABASE_URL, the suite runs on its own embedded servers (profile `test`).

A plugin and not a conftest: pytest-django reads the settings before any conftest is loaded.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from coordination.runtime.problems import Problem
from coordination.runtime.services import embedded

_open = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Before the settings are read. Workers of xdist inherit the variables and start nothing."""
    try:
        os.environ.update(_open.enter_context(embedded("test")))
    except Problem as problem:
        raise pytest.UsageError(str(problem)) from problem
    try:
        return (yield)
    except BaseException:
        _open.close()  # the settings could not be read: there will be no unconfigure
        raise


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _open.close()
