"""When a row is due is written and read by the clock of the database: those of the machines may differ (REL-19)."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from coordination.outbox import actions, attempts, delivery, jobs, quarantine, sweeping
from coordination.outbox.models import DOORBELL_GRACE, Job, Message, Quarantine, State
from coordination.partners.actions import ask_trial
from coordination.partners.models import Partner
from tests.outbox.factories import MessageFactory
from tests.partners.factories import PartnerFactory, RelayFactory

MAIL = {"to": "ines@cabinet.example", "subject": "Objet", "text": "Texte", "kind": "test.mail"}
AWRY = timedelta(minutes=20)
pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-19")]


@contextmanager
def machine(by):
    """A machine whose own clock is ahead, or behind, by so much; that of the database is right."""

    class Awry(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "datetime", Awry)
        yield


def test_what_is_asked_on_a_machine_ahead_is_due_at_once():
    with machine(AWRY):
        assert timezone.now() - datetime.now(timezone.get_current_timezone()) > AWRY / 2
        with transaction.atomic():
            letter, job = actions.queue(**MAIL), actions.enqueue("test.job", uuid4())
        relay = RelayFactory()
    for row in (letter, job, relay):
        assert row in type(row).objects.due()
        assert timedelta(0) < row.ring_after - row.next_attempt_at <= DOORBELL_GRACE


def test_when_it_was_asked_and_when_it_left_are_of_that_clock_too():
    """What a released quarantine holds back, and how long letters took (REL-16), compare the two."""
    with machine(AWRY):
        with transaction.atomic():
            letter, job = actions.queue(**MAIL), actions.enqueue("test.job", uuid4())
    with machine(-AWRY):
        assert delivery.deliver(letter.pk)
    for row in (letter, job):
        row.refresh_from_db()
        assert abs(row.created_at - timezone.now()) < AWRY / 2
    assert timedelta(0) <= letter.sent_at - letter.created_at < AWRY / 2
    assert 0 <= Message.objects.all().seconds_to_leave([letter.kind], since=letter.created_at, share=0.95) < 600


def test_a_quarantine_tells_what_was_asked_since_by_that_clock():
    with machine(AWRY):
        row = Quarantine.objects.create(backup_at=timezone.now() - timedelta(hours=2))
    with machine(-AWRY), transaction.atomic():
        letter = actions.queue(**MAIL)
    row.refresh_from_db()
    assert [(one.id, one.since_backup) for one in quarantine.waiting(row)] == [(letter.pk, True)]


def test_a_letter_that_waits_is_counted_by_that_clock():
    letter = MessageFactory()
    with machine(-AWRY):
        found = Message.objects.all().seconds_to_leave(
            [letter.kind], since=timezone.now() - timedelta(hours=2), share=0.95
        )
    assert found >= 0


def test_a_worker_behind_passes_nothing_over():
    letter = MessageFactory()
    with machine(-AWRY):
        assert letter in Message.objects.due()
        assert delivery.deliver(letter.pk)


def test_what_failed_on_a_machine_ahead_is_tried_again_when_it_should_be(settings):
    settings.OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.nowhere"
    letter, job = MessageFactory(), Job.objects.create(kind="test.nobody", ref=uuid4())
    with machine(AWRY):
        assert not delivery.deliver(letter.pk)
        assert not jobs.run(job.pk)
    for row in (letter, job):
        row.refresh_from_db()
        assert row.attempts == 1 and row.next_attempt_at - timezone.now() <= attempts.BACK_OFF[0]


def test_one_given_up_and_taken_up_again_on_a_machine_ahead_is_due():
    letter = MessageFactory(state=State.ECHEC)
    job = Job.objects.create(kind="test.job", ref=uuid4(), given_up_at=timezone.now())
    with machine(AWRY):
        actions.retry_message(letter, by=None)
        actions.retry_job(job, by=None)
    assert letter in Message.objects.due() and job in Job.objects.due()


def test_one_whose_worker_was_killed_is_taken_again_within_seconds():
    letter = MessageFactory()
    with machine(AWRY):
        assert attempts.count(Message.objects, letter.pk, state=State.EN_COURS)
    letter.refresh_from_db()
    assert letter.next_attempt_at - timezone.now() < timedelta(seconds=5)


def test_a_sweep_on_a_machine_ahead_claims_for_seconds_and_no_more(monkeypatch):
    monkeypatch.setattr(sweeping.doorbell, "ring", lambda what, key: True)
    past = timezone.now() - timedelta(seconds=10)
    letter = MessageFactory(next_attempt_at=past, ring_after=past)
    with machine(AWRY):
        assert sweeping.sweep() == 1
        assert timedelta(seconds=9) < Message.objects.all().oldest_waiting_age() < AWRY
        assert Message.objects.all().figures().oldest < AWRY
    letter.refresh_from_db()
    assert letter.ring_after - timezone.now() < timedelta(seconds=5)


def test_how_late_a_row_is_begun_is_counted_by_the_same_clock(monkeypatch):
    counted = []
    monkeypatch.setattr(attempts.metrics, "begun", lambda queue, late: counted.append(late))
    letter = MessageFactory()
    with machine(AWRY):
        attempts.count(Message.objects, letter.pk)
    assert timedelta(0) <= counted[0] < timedelta(minutes=1)


def test_a_trial_asked_on_a_machine_ahead_is_rung_for():
    partner = PartnerFactory()
    with machine(AWRY):
        ask_trial(partner, by=partner.created_by)
    assert Partner.objects.get().ring_after - timezone.now() <= DOORBELL_GRACE
    Partner.objects.update(ring_after=timezone.now() - timedelta(seconds=1))
    with machine(-AWRY):
        assert partner in Partner.objects.to_ring()
