"""A mail is kept when its act is kept, and only then."""

import socket
import threading
import time
from types import SimpleNamespace
from uuid import uuid4

import pytest
from celery import Celery, current_app
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from kombu.exceptions import ChannelError

from coordination.celery import app as house
from coordination.outbox import actions, doorbell, tasks
from coordination.outbox.backend import OutboxBackend
from coordination.outbox.errors import InvalidAddress, OutsideTransaction
from coordination.outbox.models import Job, Message, State

MAIL = {"to": "ines@cabinet.example", "subject": "Objet", "text": "Texte", "kind": "test.mail"}


@pytest.mark.django_db(transaction=True)
def test_queue_refuses_to_run_outside_a_transaction():
    with pytest.raises(OutsideTransaction):
        actions.queue(**MAIL)
    with pytest.raises(OutsideTransaction):
        actions.enqueue("test.job", uuid4())


@pytest.mark.req("REL-1")
@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_act_sends_nothing():
    with transaction.atomic():
        actions.queue(**MAIL)
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert mail.outbox == []


@pytest.mark.req("REL-1")
@pytest.mark.django_db(transaction=True)
def test_a_kept_act_sends_its_mail_after_commit():
    with transaction.atomic():
        message = actions.queue(**MAIL, html="<p>Texte</p>")
        assert mail.outbox == []
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.ENVOYE, 1)
    assert message.sent_at is not None
    (sent,) = mail.outbox
    assert sent.to == [MAIL["to"]]
    assert sent.extra_headers["Message-ID"] == message.message_id
    assert sent.alternatives[0][0] == "<p>Texte</p>"


@pytest.mark.django_db(transaction=True)
def test_a_sensitive_body_is_blanked_once_sent():
    with transaction.atomic():
        message = actions.queue(**MAIL, html="<p>lien</p>", sensitive=True)
    message.refresh_from_db()
    assert (message.text, message.html) == ("", "")
    assert mail.outbox[0].body == "Texte"


@pytest.mark.asvs("v5.0.0-1.3.11")
@pytest.mark.django_db
@pytest.mark.parametrize("address", ["", "pas une adresse", "a@b", "a@b.example\nBcc: autre@b.example"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InvalidAddress):
        actions.queue(**{**MAIL, "to": address})


@pytest.mark.asvs("v5.0.0-1.3.3", "v5.0.0-1.3.11")
@pytest.mark.django_db
def test_a_subject_is_one_line():
    message = actions.queue(**{**MAIL, "subject": "Objet\nBcc: autre@b.example"})
    assert message.subject == "Objet Bcc: autre@b.example"


@pytest.mark.django_db
def test_the_database_refuses_a_sent_message_without_a_date():
    message = actions.queue(**MAIL)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state=State.ENVOYE)


@pytest.mark.django_db
def test_djangos_mails_become_rows_one_per_recipient():
    message = EmailMultiAlternatives("Objet", "Texte", to=["a@b.example"], cc=["c@d.example"])
    message.attach_alternative("<p>Texte</p>", "text/html")
    message.extra_headers["X-Outbox-Kind"] = "library.notice"
    assert OutboxBackend().send_messages([message]) == 1
    rows = Message.objects.order_by("to")
    assert [(row.to, row.kind, row.html) for row in rows] == [
        ("a@b.example", "library.notice", "<p>Texte</p>"),
        ("c@d.example", "library.notice", "<p>Texte</p>"),
    ]


@pytest.mark.asvs("v5.0.0-16.5.2")
@pytest.mark.req("REL-3")
@pytest.mark.django_db(transaction=True)
def test_a_stopped_broker_does_not_fail_the_act(monkeypatch):
    from coordination.outbox import tasks

    calls = []

    def unreachable(*args, **kwargs):
        calls.append(kwargs)
        raise OSError("connection refused")

    monkeypatch.setattr(tasks.deliver, "apply_async", unreachable)
    with transaction.atomic():
        first = actions.queue(**MAIL)
    with transaction.atomic():
        actions.queue(**MAIL)
    first.refresh_from_db()
    assert first.state == State.EN_FILE
    # The second act did not wait for a broker known to be silent, and no ring retries by itself.
    assert len(calls) == 1
    assert calls[0]["retry"] is False


@pytest.fixture
def broker_at(monkeypatch):
    """Ring a broker at that port, as a page does; return whether it heard, and after how many seconds."""

    def at(port):
        app = Celery("elsewhere", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
        monkeypatch.setattr(doorbell, "current_app", app)
        monkeypatch.setitem(doorbell._tasks, "elsewhere", app.task(lambda key: None, name="elsewhere"))
        doorbell.listen_again()
        began = time.monotonic()
        return doorbell.ring("elsewhere", uuid4()), time.monotonic() - began

    yield at
    doorbell.listen_again()


@pytest.mark.req("REL-3", "REL-17")
def test_a_page_waits_neither_for_a_broker_that_is_gone_nor_for_one_that_says_nothing(broker_at):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        heard, seconds = broker_at(port)
        assert not heard and seconds < 1.5
    heard, seconds = broker_at(port)
    assert not heard and seconds < 1


@pytest.mark.req("REL-3")
def test_a_broker_that_stays_away_is_tried_less_and_less(monkeypatch):
    """Each try of a page costs it the time-out, and those who wait behind it."""
    now, tries, is_well = [1000.0], [], []

    def send(**said):
        tries.append(now[0])
        if not is_well:
            raise OSError

    monkeypatch.setattr(doorbell.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(doorbell, "_connection", lambda: Line(0))
    monkeypatch.setattr(tasks.run_job, "apply_async", send)
    for _ in range(200):
        doorbell.ring("job", uuid4())
        now[0] += 1
    assert tries == [1000, 1010, 1030, 1070, 1130, 1190]
    # Once it has heard one, its next silence is a short one again.
    is_well.append(True)
    now[0] = 1250.0
    assert doorbell.ring("job", uuid4())
    is_well.clear()
    tries.clear()
    for _ in range(15):
        doorbell.ring("job", uuid4())
        now[0] += 1
    assert tries == [1250, 1260]
    doorbell.listen_again()


@pytest.mark.django_db(transaction=True)
def test_a_job_for_later_is_not_rung_now():
    from datetime import timedelta

    from django.utils import timezone

    with transaction.atomic():
        job = actions.enqueue("test.unknown", uuid4(), due_at=timezone.now() + timedelta(hours=1))
    job.refresh_from_db()
    assert job.attempts == 0
    assert list(Job.objects.due()) == []


class Line:
    """A line to a broker in which so many rings wait unheard; None: no queue is there."""

    def __init__(self, unheard):
        self.unheard, self.default_channel, self.looked = unheard, self, 0

    def queue_declare(self, queue, passive):
        self.looked += 1
        if self.unheard is None:
            raise ChannelError("NOT_FOUND")
        return SimpleNamespace(message_count=self.unheard)


@pytest.mark.req("SCALE-12")
@pytest.mark.parametrize(("unheard", "rung"), [(None, 3), (0, 3), (100_000, 3), (100_001, 0)])
def test_a_broker_that_holds_too_many_rings_is_given_no_more(monkeypatch, unheard, rung):
    """A million jobs whose workers are away: their rows wait in PostgreSQL, not a gigabyte of rings in Redis."""
    line, sent = Line(unheard), []
    monkeypatch.setattr(doorbell, "_connection", lambda: line)
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda **said: sent.append(said))
    assert [doorbell.ring("job", uuid4()) for _ in range(3)] == [True] * 3
    assert len(sent) == rung
    assert line.looked == 1, "asked of the broker once a second"


def test_whichever_thread_rings_is_the_house():
    """A server of threads (development, the stories) rings as a process of gunicorn does."""
    found = []
    thread = threading.Thread(target=lambda: found.append(current_app._get_current_object()))
    thread.start()
    thread.join()
    assert found == [house]
