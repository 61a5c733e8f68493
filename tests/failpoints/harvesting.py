"""pytest plugin: which tests do which acts. Its findings make `recipes.csv` (see `recipes.py`).

pytest tests -p tests.failpoints.harvesting -m "not browser and not slow"   # FAILPOINTS_FOUND=<a folder>
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.failpoints.cutting import Statements
from tests.failpoints.replacing import replace_acts

FOUND = "FAILPOINTS_FOUND"
WRITES = ("INSERT", "UPDATE", "DELETE")


class Harvest:
    """What the current test does, directly (1) or through another act (0)."""

    def __init__(self) -> None:
        self.lines: list[dict] = []
        self.depth = 0
        self.done: dict[str, bool] = {}

    def around(self, name: str, act: Callable, args: tuple, kwargs: dict):
        self.depth += 1
        statements = Statements()
        try:
            with connection.execute_wrapper(statements):
                result = act(*args, **kwargs)
        finally:
            self.depth -= 1
        if any(text.startswith(WRITES) for text in statements.texts):
            self.done[name] = self.done.get(name, False) or not self.depth
        return result

    def pytest_collection_finish(self) -> None:
        replace_acts(self.around)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        self.done.clear()
        begun = time.monotonic()
        result = yield
        took = round(time.monotonic() - begun, 3)
        mark = item.get_closest_marker("django_db")
        if not (mark and mark.kwargs.get("transaction")):
            self.lines += [
                {"act": act, "test": item.nodeid, "direct": direct, "took": took} for act, direct in self.done.items()
            ]
        return result

    def pytest_sessionfinish(self) -> None:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        Path(os.environ[FOUND], f"{worker}.json").write_text(json.dumps(self.lines))


def pytest_configure(config) -> None:
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.register(Harvest())
