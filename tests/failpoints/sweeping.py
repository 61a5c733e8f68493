"""pytest plugin: in the tests named by a plan, an act is first tried with the server failing before each statement.

Each try is undone, then the act is done for good and its test goes on: after any number of failures, it can be done.
Run by `test_every_act.py`, in a process of its own on the database of its worker. A try stands in a savepoint: the
act's own transaction is one too, and its RELEASE stands for the COMMIT.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.app.task import Task
from django.db import connection, transaction

from coordination.outbox import doorbell
from tests.failpoints.cutting import Cut, Database, Ended, Statements, changed, settle
from tests.failpoints.replacing import replace_acts

PLAN = "FAILPOINTS_PLAN"
# Of the short form, for each act: so many statements drawn, beside its last write and its commit.
DRAWN = 3
WRITES = ("INSERT", "UPDATE", "DELETE")


class Sweeper:
    """Tries the acts that the current test is the recipe of, and writes one line of JSON for each."""

    def __init__(self, plan: dict) -> None:
        self.recipes: dict[str, list[str]] = plan["recipes"]
        self.seed, self.whole, self.out = plan["seed"], plan["whole"], Path(plan["out"])
        self.wanted: set[str] = set()
        self.is_busy = False
        self._database: Database | None = None

    def around(self, name: str, act: Callable, args: tuple, kwargs: dict):
        if name in self.wanted and not self.is_busy:
            self.is_busy = True
            try:
                said = self._sweep(name, act, args, kwargs)
            finally:
                self.is_busy = False
            if said is not None:
                self.wanted.discard(name)
                with self.out.open("a") as file:
                    file.write(json.dumps({"act": name, **said}, ensure_ascii=False) + "\n")
        return act(*args, **kwargs)

    def _sweep(self, name: str, act: Callable, args: tuple, kwargs: dict) -> dict | None:
        """Return what was found, None when this call writes nothing: another one of the same test may."""
        with transaction.atomic():
            self._database = self._database or Database()
            try:
                return self._tried(name, act, args, kwargs)
            finally:
                transaction.set_rollback(True)

    def _tried(self, name, act, args, kwargs) -> dict | None:
        settle()
        before = self._database.state()

        def end(statements: Statements, *, is_heard: bool = True) -> Ended:
            said, named = _copied(args, kwargs)
            return self._end(lambda: act(*said, **named), statements, is_heard)

        done = end(Statements())
        wrote = changed(before, done.state)
        if done.raised is not None or not wrote:
            return None
        problems = []
        points = self._points(name, done.texts)
        for k in points:
            for dead in (False, True):
                tried = end(Statements(k, dead=dead))
                if problem := _judged(before, wrote, tried, dead=dead):
                    problems.append(f"before statement {k} ({done.texts[k - 1][:90]}): {problem}")
        deaf = end(Statements(), is_heard=False)
        if deaf.raised is not None:
            problems.append(f"done, and an error told since nobody hears the doorbell: {deaf.raised!r}")
        return {"statements": len(done.texts), "tried": len(points), "wrote": sorted(wrote), "problems": problems}

    def _end(self, call: Callable, statements: Statements, is_heard: bool) -> Ended:
        raised = None
        waiting = list(connection.run_on_commit)
        with transaction.atomic():
            try:
                with transaction.atomic(), connection.execute_wrapper(statements):
                    try:
                        call()
                    except Exception as error:
                        raised = error
                        # Dead, the savepoints could not be undone: the server does it by itself.
                        connection.needs_rollback = connection.needs_rollback or statements.dead
                if raised is None:
                    settle()
                if raised is None and not is_heard:
                    _follow_the_commit(connection.run_on_commit[len(waiting) :])
            except Exception as error:
                raised = error
            connection.needs_rollback = False
            state = self._database.state()
            transaction.set_rollback(True)
        connection.run_on_commit = waiting
        return Ended(raised, state, statements.texts)

    def _points(self, name: str, texts: list[str]) -> list[int]:
        """Return before which statements the server fails, from 1."""
        every = range(1, len(texts) + 1)
        if self.whole:
            return list(every)
        told = [k for k in every if texts[k - 1].startswith(WRITES)][-1:]
        told += [k for k in every if texts[k - 1].startswith("RELEASE")][-1:]
        drawn = random.Random(f"{self.seed} {name}").sample(every, min(DRAWN, len(texts)))
        return sorted({*told, *drawn})


def _judged(before, wrote, tried: Ended, *, dead: bool) -> str:
    """Return what is wrong with how a try ended; empty when all or nothing was done, and said."""
    left = changed(before, tried.state)
    if tried.raised is None and not left:
        return "said done, and nothing is"
    if left and left != wrote:
        return f"half done: {left} instead of {wrote}"
    return ""


def _copied(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Return arguments that a try may change without the next one seeing it: all but what cannot be copied."""
    try:
        return copy.deepcopy((args, kwargs))
    except TypeError:
        return args, kwargs


def _follow_the_commit(waiting: list) -> None:
    """Do what follows the commit while the broker is away: what is done is not told as a failure (REL-3)."""

    def away(*args, **kwargs):
        raise ConnectionError("no broker")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Task, "apply_async", away)
        for _, callback, *_ in waiting:
            callback()
    doorbell.listen_again()


class Plugin:
    def __init__(self, sweeper: Sweeper) -> None:
        self.sweeper = sweeper

    def pytest_collection_finish(self) -> None:
        replace_acts(self.sweeper.around)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        self.sweeper.wanted = set(self.sweeper.recipes.get(item.nodeid, ()))
        try:
            return (yield)
        finally:
            self.sweeper.wanted = set()


def pytest_configure(config) -> None:
    config.pluginmanager.register(Plugin(Sweeper(json.loads(Path(os.environ[PLAN]).read_text()))))


__all__ = ["Cut", "pytest_configure"]
