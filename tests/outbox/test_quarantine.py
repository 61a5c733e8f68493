"""While a quarantine stands nothing leaves by any way, and the gate opens again (REL-13)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as settings_of_the_house
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from coordination.accounts import context
from coordination.accounts.tokens import PasswordLinkGenerator
from coordination.celery import DONE_IN_QUARANTINE
from coordination.outbox import actions, delivery, jobs, quarantine, sweeping, tasks
from coordination.outbox.models import Job, Message, Quarantine, State
from coordination.partners import wire
from tests.accounts.factories import UserFactory
from tests.outbox.factories import MessageFactory
from tests.partners.standin import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-13")]
BANNER = "Installation restaurée d’une sauvegarde"
SCHEDULED = sorted({entry["task"] for entry in settings_of_the_house.CELERY_BEAT_SCHEDULE.values()})


@pytest.fixture
def standing():
    return Quarantine.objects.create(backup_at=timezone.now() - timedelta(hours=2))


def open_again(row):
    now = timezone.now()
    Quarantine.objects.filter(pk=row.pk).update(prepared_at=now, released_at=now, released_by_id=uuid4())


def due(**fields):
    past = timezone.now() - timedelta(seconds=10)
    return MessageFactory(ring_after=past, next_attempt_at=past, **fields)


def test_two_quarantines_never_stand_at_once(standing):
    with pytest.raises(IntegrityError, match="one_quarantine_stands"), transaction.atomic():
        Quarantine.objects.create(backup_at=timezone.now())
    open_again(standing)
    Quarantine.objects.create(backup_at=timezone.now())


@pytest.mark.parametrize(
    "half",
    [
        {"released_at": timezone.now()},
        {"released_by_id": uuid4()},
        {"released_at": timezone.now(), "released_by_id": uuid4()},
    ],
    ids=["by nobody", "at no moment", "before its secrets were ended"],
)
def test_it_is_released_by_somebody_once_prepared(standing, half):
    with pytest.raises(IntegrityError, match="quarantine_released_by_somebody"), transaction.atomic():
        Quarantine.objects.filter(pk=standing.pk).update(**half)


def test_no_mail_leaves_and_no_attempt_is_counted(standing):
    message = due()
    assert delivery.deliver(message.pk) is False
    tasks.deliver.delay(str(message.pk))
    assert sweeping.sweep() == 0
    call_command("sweep_outbox", "--once")
    message.refresh_from_db()
    assert (mail.outbox, message.attempts, message.state) == ([], 0, State.EN_FILE)
    open_again(standing)
    assert delivery.deliver(message.pk) is True
    assert len(mail.outbox) == 1


def test_no_job_is_done(standing, monkeypatch):
    done = []
    monkeypatch.setitem(jobs._handlers, "test.job", done.append)
    job = Job.objects.create(kind="test.job", ref=uuid4())
    assert jobs.run(job.pk) is False
    open_again(standing)
    assert jobs.run(job.pk) is True
    assert done == [job.ref]


def test_no_other_server_is_called(standing):
    def ask():
        return wire.exchange("GET", f"{site.url}/", headers={}, body=b"", most=100_000)

    with StandIn().running() as site:
        with pytest.raises(wire.Kept):
            ask()
        assert site.heard == []
        open_again(standing)
        ask()
        assert len(site.heard) == 1


@pytest.mark.parametrize("path", SCHEDULED)
def test_no_task_of_the_clock_runs_but_those_of_the_journal(standing, monkeypatch, path):
    task, ran = import_string(path), []
    monkeypatch.setattr(task, "run", lambda: ran.append(path))
    task.apply()
    assert ran == ([path] if path in DONE_IN_QUARANTINE else [])
    open_again(standing)
    ran.clear()
    task.apply()
    assert ran == [path]


def test_what_runs_in_quarantine_is_scheduled():
    assert set(SCHEDULED) >= DONE_IN_QUARANTINE


def test_what_waits_is_told_apart_by_when_it_was_queued(standing):
    before, gone = due(created_at=standing.opened_at - timedelta(minutes=1)), MessageFactory(sent=True)
    with transaction.atomic():
        after = actions.queue(to="a@b.example", subject="s", text="t", kind="k")
    told = {one.id: one.since_backup for one in quarantine.waiting(standing)}
    assert told == {before.pk: False, after.pk: True}
    assert gone.pk not in told


def test_what_is_held_leaves_no_more_and_keeps_no_secret(standing):
    secret, plain = due(sensitive=True, text="un lien"), due(text="bonjour")
    job = Job.objects.create(kind="k", ref=uuid4())
    assert quarantine.hold(quarantine.waiting(standing)) == 3
    open_again(standing)
    call_command("courriels", "--renvoyer")
    sweeping.sweep()
    assert mail.outbox == []
    texts = dict(Message.objects.filter(state=State.RETENU).values_list("pk", "text"))
    assert texts == {secret.pk: "", plain.pk: "bonjour"}
    job.refresh_from_db()
    assert job.given_up_at is not None
    assert not Job.objects.failed().exists(), "« Reprendre tout » begins again what failed"
    actions.retry_job(job, by=None)
    assert not Job.objects.waiting().exists()


def test_a_password_link_made_before_the_restoration_serves_no_more():
    user, links = UserFactory(), PasswordLinkGenerator()
    old = links.make_token(user)
    assert links.check_token(user, old)
    Quarantine.objects.create(backup_at=timezone.now(), opened_at=timezone.now() + timedelta(seconds=1))
    assert not links.check_token(user, old)


def test_a_password_link_made_since_serves(standing):
    Quarantine.objects.update(opened_at=timezone.now() - timedelta(minutes=1))
    user, links = UserFactory(), PasswordLinkGenerator()
    assert links.check_token(user, links.make_token(user))


def test_every_page_says_so_until_it_is_released(client, standing, monkeypatch):
    monkeypatch.setattr(context, "VISITORS_TOLD_EVERY", 10**6)
    sign_in = reverse("account_login")
    context.forget()
    assert BANNER in client.get(sign_in).content.decode()
    client.force_login(UserFactory())
    for page in ("/", reverse("accounts:home"), "/absent/"):
        assert BANNER in client.get(page, follow=True).content.decode()
    open_again(standing)
    assert BANNER not in client.get("/", follow=True).content.decode()
    client.logout()
    assert BANNER in client.get(sign_in).content.decode()
    context.forget()
    assert BANNER not in client.get(sign_in).content.decode()


def test_who_is_signed_in_pays_no_query_for_it(client, settings):
    settings.SESSION_TOUCH_SECONDS = 10**6
    client.force_login(UserFactory())

    def asked():
        client.get(reverse("accounts:home"))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("accounts:home"))
        return [one["sql"] for one in captured]

    without = asked()
    Quarantine.objects.create(backup_at=timezone.now())
    within = asked()
    assert len(within) == len(without) > 0
    assert [said for said in within if said.startswith('SELECT "outbox_quarantine"')] == []
