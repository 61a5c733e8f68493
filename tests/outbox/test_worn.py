"""A child of the worker that was refused memory takes nothing more: another is forked in its place (REL-18)."""

import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
from celery.signals import task_prerun

from coordination import celery
from coordination.common import away
from coordination.operations import purging
from coordination.outbox import delivery, jobs, sweeping, tasks, turns
from coordination.outbox.models import Job, Message
from tests.outbox.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-18")]


@pytest.fixture(autouse=True)
def flag(monkeypatch):
    """Of the process of a test, not of the suite."""
    monkeypatch.setattr(away, "_worn", threading.Event())


def short(*args, **details):
    raise RuntimeError("ours") from MemoryError()


def take(*, eager=False):
    """What Celery says to who is about to do a task."""
    task = SimpleNamespace(request=SimpleNamespace(is_eager=eager))
    task_prerun.send(sender=tasks.sweep, task_id="1", task=task, args=(), kwargs={})


def test_who_was_refused_nothing_goes_on():
    take()


def test_who_was_refused_memory_leaves_before_taking_another():
    away.note(MemoryError())
    take(eager=True)
    with pytest.raises(SystemExit):
        take()


@pytest.mark.parametrize("error", [short, None], ids=["of memory", "of ours"])
def test_what_a_job_or_a_letter_swallowed_is_remembered(monkeypatch, error):
    def broken(*args, **details):
        raise ValueError

    broken = error or broken
    monkeypatch.setitem(jobs._handlers, "test.worn", broken)
    assert jobs.run(Job.objects.create(kind="test.worn", ref=uuid4()).pk) is False
    assert away.is_worn() is bool(error)
    away._worn.clear()
    monkeypatch.setattr(delivery, "_hand_over", broken)
    assert delivery.deliver(MessageFactory().pk) is False
    assert away.is_worn() is bool(error)
    away._worn.clear()
    sweeping._do(broken, uuid4())
    assert away.is_worn() is bool(error)
    away._worn.clear()
    monkeypatch.setattr(purging, "PURGES", {"mails": ("Courriels", broken)})
    list(purging._purged())
    assert away.is_worn() is bool(error)


def test_what_a_task_says_is_remembered_too(monkeypatch):
    monkeypatch.setattr(tasks.sweeping, "sweep", short)
    with pytest.raises(RuntimeError):
        celery.app.tasks[tasks.sweep.name]()
    assert away.is_worn()


def test_who_goes_on_from_one_row_to_the_next_stops_there(monkeypatch):
    rung, done = [], []
    monkeypatch.setattr(turns.doorbell, "ring", lambda what, key: rung.append((what, key)))
    left = MessageFactory()

    def do_next():
        done.append(1)
        away.note(MemoryError())
        return True

    turns.go_on("message", Message.objects.all, do_next)
    assert (done, rung) == ([1], [("message", left.pk)])
