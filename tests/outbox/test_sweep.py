"""The safety net (REL-2, REL-3, REL-4)."""

import signal
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from coordination.outbox import actions, attempts, delivery, jobs, sweeping, tasks
from coordination.outbox.management.commands import sweep_outbox
from coordination.outbox.models import Job, Message, State
from tests.outbox.factories import MessageFactory

PAST = timedelta(seconds=10)


@pytest.fixture
def no_broker(monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError

    monkeypatch.setattr(tasks.deliver, "apply_async", unreachable)
    monkeypatch.setattr(tasks.run_job, "apply_async", unreachable)


@pytest.fixture
def rings(monkeypatch):
    heard = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda args, **_options: heard.append(args[0]))
    return heard


def waiting(**fields):
    return MessageFactory(ring_after=timezone.now() - PAST, next_attempt_at=timezone.now() - PAST, **fields)


@pytest.mark.req("REL-3", "REL-4")
@pytest.mark.django_db
def test_with_no_broker_the_sweep_does_the_work_itself(no_broker):
    message = waiting()
    assert sweeping.sweep() == 1
    message.refresh_from_db()
    assert message.state == State.ENVOYE
    assert len(mail.outbox) == 1


@pytest.mark.req("REL-3", "REL-4")
@pytest.mark.django_db
def test_one_row_that_raises_keeps_no_other_from_being_done(no_broker, monkeypatch, caplog):
    """With no broker the sweep is alone: it must not end by one row."""
    bad, good = waiting(), waiting()
    deliver = sweeping.delivery.deliver

    def broken(key):
        if key == bad.pk:
            raise AttributeError
        return deliver(key)

    monkeypatch.setattr(sweeping.delivery, "deliver", broken)
    assert sweeping.sweep(helping=True) == 2
    good.refresh_from_db()
    assert good.state == State.ENVOYE
    assert {record.message for record in caplog.records if record.levelname == "ERROR"} == {"outbox.not_swept"}


@pytest.mark.django_db
def test_a_database_that_is_away_ends_the_pass(no_broker, monkeypatch):
    """The command tells it from the rest, and takes another connection."""
    waiting()

    def away(_key):
        raise OperationalError

    monkeypatch.setattr(sweeping.delivery, "deliver", away)
    with pytest.raises(OperationalError):
        sweeping.sweep()


@pytest.mark.req("REL-2")
@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.EN_FILE, State.EN_COURS, State.A_REESSAYER])
def test_what_is_due_is_rung_again_once(rings, state):
    message = waiting(state=state)
    sweeping.sweep()
    sweeping.sweep()
    assert rings == [str(message.pk)]


@pytest.mark.req("REL-2")
@pytest.mark.django_db
def test_what_was_rung_and_nobody_took_is_done_by_the_sweep_for_a_moment(rings, monkeypatch):
    late, fresh = waiting(), MessageFactory(next_attempt_at=timezone.now())
    sweeping.sweep()
    late.refresh_from_db()
    assert late.state == State.EN_FILE, "a worker that sweeps leaves it to the workers"
    sweeping.sweep(helping=True)
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {late.pk: State.ENVOYE, fresh.pk: State.EN_FILE}
    others = [waiting() for _ in range(3)]
    clock = iter([0.0, 0.0, sweeping.HELP_SECONDS + 1])
    monkeypatch.setattr(sweeping.time, "monotonic", lambda: next(clock))
    sweeping._help(delivery.deliver)
    sent = Message.objects.filter(pk__in=[one.pk for one in others], state=State.ENVOYE).count()
    assert sent == 1, "not longer than a moment: others wait to be rung"


@pytest.mark.django_db
def test_what_is_not_due_or_finished_is_left_alone(rings):
    waiting(state=State.ECHEC)
    MessageFactory(sent=True)
    MessageFactory(next_attempt_at=timezone.now() + PAST)
    assert sweeping.sweep() == 0


@pytest.mark.django_db
def test_a_new_row_leaves_the_doorbell_its_second(rings):
    actions.queue(to="a@b.example", subject="s", text="t", kind="k")
    assert sweeping.sweep() == 0


@pytest.mark.django_db
def test_the_command_sweeps_once(no_broker, capsys):
    waiting()
    call_command("sweep_outbox", "--once")
    assert capsys.readouterr().out.startswith("1 ligne")


@pytest.mark.req("REL-17")
@pytest.mark.django_db
def test_a_server_that_says_a_word_now_and_then_does_not_hold_the_sweep(no_broker, monkeypatch, capsys):
    """A worker has a limit in all; the sweep does the same letters by itself, and had none."""

    class Drip:
        def __init__(self, path):
            pass

        open = close = lambda self: None

        def send_messages(self, mails):
            for _ in range(300):
                time.sleep(0.1)

    monkeypatch.setattr(delivery, "get_connection", Drip)
    monkeypatch.setattr(sweep_outbox, "LONGEST_DELIVERY", 0.5)
    slow = waiting()
    began = time.monotonic()
    call_command("sweep_outbox", "--once")
    assert time.monotonic() - began < 15, "this server takes thirty seconds, and might take for ever"
    slow.refresh_from_db()
    assert (slow.state, slow.is_uncertain) == (State.A_REESSAYER, True)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.django_db
def test_oldest_waiting_age_counts_what_is_due_only():
    assert Message.objects.oldest_waiting_age() == timedelta(0)
    MessageFactory(next_attempt_at=timezone.now() + PAST)
    MessageFactory(sent=True)
    assert Message.objects.oldest_waiting_age() == timedelta(0)
    waiting()
    assert timedelta(seconds=9) < Message.objects.oldest_waiting_age() < timedelta(seconds=20)
    assert Job.objects.oldest_waiting_age() == timedelta(0)


@pytest.fixture
def handlers(monkeypatch):
    monkeypatch.setattr(jobs, "_handlers", {})


@pytest.mark.req("REL-1")
@pytest.mark.django_db
def test_a_job_runs_once(handlers, django_capture_on_commit_callbacks):
    done = []
    jobs.handler("test.job")(done.append)
    ref = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        job = actions.enqueue("test.job", ref)
    assert done == [ref]
    assert jobs.run(job.pk) is False
    assert done == [ref]


@pytest.mark.req("REL-1")
@pytest.mark.django_db
def test_a_failing_job_leaves_no_effect_and_is_retried(handlers):
    fail = [True]

    @jobs.handler("test.job")
    def work(ref):
        MessageFactory(kind="effect")
        if fail:
            raise ValueError("Madame Untel")

    job = actions.enqueue("test.job", uuid4())
    assert jobs.run(job.pk) is False
    assert not Message.objects.filter(kind="effect").exists()
    job.refresh_from_db()
    assert (job.attempts, job.done_at) == (1, None)
    assert "Untel" not in job.last_error
    fail.clear()
    Job.objects.update(next_attempt_at=timezone.now(), ring_after=timezone.now())
    assert jobs.run(job.pk) is True
    assert Message.objects.filter(kind="effect").count() == 1


@pytest.mark.req("REL-2")
@pytest.mark.django_db
def test_a_job_that_kills_its_worker_each_time_is_given_up(handlers):
    done = []
    jobs.handler("test.job")(done.append)
    job = Job.objects.create(kind="test.job", ref=uuid4(), attempts=attempts.MAX_ATTEMPTS)
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    assert (done, job.given_up_at is None, job in Job.objects.failed()) == ([], False, True)


@pytest.mark.django_db
def test_a_job_of_unknown_kind_waits_for_a_newer_worker(handlers):
    job = actions.enqueue("test.absent", uuid4())
    jobs.run(job.pk)
    job.refresh_from_db()
    assert "UnknownKind" in job.last_error
    assert job.next_attempt_at > timezone.now()


def test_one_kind_has_one_handler(handlers):
    jobs.handler("test.job")(print)
    with pytest.raises(ValueError):
        jobs.handler("test.job")(len)


@pytest.mark.django_db
def test_purge_keeps_recent_failures_and_what_is_recent():
    now = timezone.now()
    old, very_old = now - timedelta(days=100), now - timedelta(days=200)
    MessageFactory(state=State.ENVOYE, sent_at=old)
    MessageFactory(state=State.ECHEC, created_at=very_old)
    MessageFactory(state=State.RETENU, created_at=very_old)
    kept = {MessageFactory(state=State.ECHEC, created_at=old), MessageFactory(state=State.ENVOYE, sent_at=now)}
    kept.add(MessageFactory(state=State.RETENU, created_at=old))
    Job.objects.create(kind="k", ref=uuid4(), done_at=old)
    Job.objects.create(kind="k", ref=uuid4(), given_up_at=very_old)
    waiting = Job.objects.create(kind="k", ref=uuid4(), created_at=very_old)
    assert (actions.purge_messages(), actions.purge_jobs()) == (3, 2)
    assert set(Message.objects.all()) == kept and list(Job.objects.all()) == [waiting]


@pytest.mark.django_db
def test_the_text_of_a_letter_goes_before_its_row():
    now = timezone.now()
    old = MessageFactory(state=State.ENVOYE, sent_at=now - timedelta(days=8), html="<p>Bonjour</p>")
    recent = MessageFactory(state=State.ENVOYE, sent_at=now - timedelta(days=6))
    waiting = MessageFactory(created_at=now - timedelta(days=30))
    held = MessageFactory(state=State.RETENU, created_at=now - timedelta(days=8))
    held_since = MessageFactory(state=State.RETENU, created_at=now - timedelta(days=6))
    settled = MessageFactory(state=State.ECHEC, dismissed_at=now - timedelta(days=8))
    dead = MessageFactory(state=State.ECHEC, created_at=now - timedelta(days=30))
    assert actions.blank_bodies() == 3
    assert actions.blank_bodies() == 0
    for one in (old, held, settled):
        one.refresh_from_db()
        assert (one.text, one.html, one.subject) == ("", "", "Un message")
    for one in (recent, waiting, held_since, dead):
        one.refresh_from_db()
        assert one.text == "Bonjour"
