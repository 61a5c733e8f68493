"""One ring for many rows: who hears it goes on with what is due (SCALE-12)."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from coordination.outbox import actions, attempts, doorbell, jobs, sweeping, tasks, turns
from coordination.outbox.models import RING_AGAIN_AFTER, Job, Message, Quarantine, State
from tests.outbox.factories import MessageFactory

MAIL = {"to": "ines@cabinet.example", "subject": "Objet", "text": "Texte", "kind": "test.mail"}
MANY = doorbell.ENOUGH + 3
pytestmark = pytest.mark.req("SCALE-12")


@pytest.fixture
def rung(monkeypatch):
    heard = []
    monkeypatch.setattr(doorbell, "ring", lambda what, key: not heard.append((what, key)))
    return heard


@pytest.fixture
def seen(monkeypatch):
    """What a handler of jobs was given, in its order."""
    given = []
    monkeypatch.setitem(jobs._handlers, "test.turns", given.append)
    return given


def job(late=1.0, **fields):
    due = timezone.now() - timedelta(seconds=late)
    usual = {"kind": "test.turns", "ref": uuid4(), "next_attempt_at": due, "ring_after": due}
    return Job.objects.create(**usual | fields)


@pytest.mark.django_db(transaction=True)
def test_one_commit_rings_enough_of_each_kind_and_no_more(rung):
    with transaction.atomic():
        letters = [actions.queue(**MAIL).pk for _ in range(MANY)]
        job = actions.enqueue("test.turns", uuid4())
    assert rung == [("message", key) for key in letters[: doorbell.ENOUGH]] + [("job", job.pk)]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_rings_for_nobody_and_its_neighbours_are_rung_for(rung):
    with transaction.atomic():
        with transaction.atomic():
            for _ in range(MANY):
                actions.queue(**MAIL)
            transaction.set_rollback(True)
        kept = actions.queue(**MAIL)
    assert rung == [("message", kept.pk)]
    with transaction.atomic():
        other = actions.queue(**MAIL)
    assert rung[1:] == [("message", other.pk)], "each transaction counts its own"


@pytest.mark.django_db(transaction=True)
def test_a_ring_for_one_does_what_is_due_first_come_first(seen):
    jobs_due = [job(late=late) for late in (1, 5, 3)]
    tomorrow = job(late=-86_400)
    elsewhere = MessageFactory()
    tasks.run_job.delay(str(jobs_due[0].pk))
    assert seen == [jobs_due[0].ref, jobs_due[1].ref, jobs_due[2].ref], "the one rung for, then the oldest"
    assert Job.objects.waiting().get() == tomorrow
    elsewhere.refresh_from_db()
    assert elsewhere.state == State.EN_FILE, "letters have a time limit of their own"


@pytest.mark.django_db(transaction=True)
def test_a_letter_rung_for_brings_the_others_with_it(mailoutbox):
    letters = [MessageFactory(next_attempt_at=timezone.now()) for _ in range(3)]
    tasks.deliver.delay(str(letters[-1].pk))
    assert set(Message.objects.values_list("state", flat=True)) == {State.ENVOYE}
    assert len(mailoutbox) == 3


@pytest.mark.django_db(transaction=True)
def test_what_the_doorbell_has_just_rung_for_is_taken_too(seen):
    """Rung for already, hence not the sweep's for some seconds: who goes on does not wait for them."""
    fresh = job(ring_after=timezone.now() + RING_AGAIN_AFTER - timedelta(seconds=1))
    assert jobs.run_next()
    assert seen == [fresh.ref]
    assert not jobs.run_next()


@pytest.mark.django_db(transaction=True)
def test_a_turn_ends_and_what_is_left_is_rung_for(seen, rung, monkeypatch):
    for late in (3, 2, 1):
        job(late=late)
    clock = iter([0.0, 1.0, turns.TURN + 1])
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    turns.go_on("job", Job.objects.all, jobs.run_next)
    assert len(seen) == 2
    assert rung == [("job", Job.objects.waiting().get().pk)]
    clock = iter([0.0, turns.TURN + 1])
    turns.go_on("job", Job.objects.all, jobs.run_next)
    assert len(rung) == 1, "nothing is left to ring for"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_stops_no_turn_and_is_not_taken_again_at_once(seen, monkeypatch):
    def broken(ref):
        raise RuntimeError

    monkeypatch.setitem(jobs._handlers, "test.broken", broken)
    bad, good = job(late=2, kind="test.broken"), job(late=1)
    turns.go_on("job", Job.objects.all, jobs.run_next)
    assert seen == [good.ref]
    bad.refresh_from_db()
    assert (bad.attempts, bad.done_at) == (1, None)


@pytest.mark.django_db(transaction=True)
def test_one_that_kills_its_workers_is_given_up_on_the_way(seen):
    poison, good = job(late=2, attempts=attempts.MAX_ATTEMPTS), job(late=1)
    turns.go_on("job", Job.objects.all, jobs.run_next)
    assert seen == [good.ref]
    poison.refresh_from_db()
    assert poison.given_up_at is not None


@pytest.mark.django_db
def test_a_round_of_the_sweep_rings_enough_too(monkeypatch):
    heard = []
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args, **_options: heard.append(args[0]))
    for _ in range(MANY):
        job(late=10)
    assert sweeping.sweep() == MANY
    assert len(heard) == doorbell.ENOUGH


@pytest.mark.django_db
def test_without_a_broker_the_sweep_does_them_all(seen, monkeypatch):
    monkeypatch.setattr(doorbell, "ring", lambda what, key: False)
    for _ in range(MANY):
        job(late=10)
    sweeping.sweep()
    assert len(seen) == MANY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ({}, True),
        ({"late": -60}, False),
        ({"ring_after": timezone.now() + timedelta(days=1)}, False),
        ({"done_at": timezone.now()}, False),
        ({"given_up_at": timezone.now()}, False),
    ],
    ids=["due", "not yet", "not its turn", "done", "given up"],
)
def test_the_one_statement_takes_what_the_queryset_calls_next(seen, fields, is_taken):
    """`_COUNT_NEXT` says again `DueQuerySet.in_turn` and `quarantine.stands`: they agree on each kind of row."""
    one = job(**fields)
    assert Job.objects.in_turn().filter(pk=one.pk).exists() is is_taken
    assert jobs.run_next() is is_taken
    assert bool(seen) is is_taken


@pytest.mark.django_db
def test_nothing_is_taken_while_a_quarantine_stands(seen):
    waits = job()
    quarantine = Quarantine.objects.create(backup_at=timezone.now())
    assert not jobs.run_next()
    waits.refresh_from_db()
    assert (seen, waits.attempts) == ([], 0)
    quarantine.delete()
    assert jobs.run_next()


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_leaves_nothing_of_what_it_wrote(seen, monkeypatch):
    """In the statement that fails, and at the commit too: a constraint that waits for it is a failure like others."""

    def half(ref):
        actions.queue(**MAIL)
        raise RuntimeError

    monkeypatch.setitem(jobs._handlers, "test.half", half)
    one = job(kind="test.half")
    assert not jobs.run(one.pk)
    one.refresh_from_db()
    assert one.last_error == "Le travail a échoué (RuntimeError)."
    assert one.next_attempt_at > timezone.now() + RING_AGAIN_AFTER
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_failure_that_another_attempt_has_overtaken_changes_nothing_of_it(seen, monkeypatch):
    def overtaken(ref):
        raise TimeoutError

    monkeypatch.setitem(jobs._handlers, "test.overtaken", overtaken)
    one = job(kind="test.overtaken")

    def note(begun, error, really=jobs._note_failure):
        # Its lease was over: somebody else has begun meanwhile.
        Job.objects.filter(pk=one.pk).update(attempts=2)
        really(begun, error)

    monkeypatch.setattr(jobs, "_note_failure", note)
    assert not jobs.run(one.pk)
    one.refresh_from_db()
    assert (one.attempts, one.last_error) == (2, "")
