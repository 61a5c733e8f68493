"""What is kept for a time goes when it is over: one list, one command, one line of the clock (issue 6 §1)."""

import datetime as dt
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from coordination.accounts.models import Throttle
from coordination.accounts.purging import purge_throttles
from coordination.directory.imports import keeping
from coordination.directory.models import ImportRefusal, ImportRun
from coordination.operations import purging, tasks
from coordination.operations.management.commands.purge import months_to_remove
from coordination.outbox.models import Message
from habilitations import journal
from habilitations.actions.clients import make_personal_token, purge_tokens
from habilitations.models import ClientToken, PersonalToken
from tests.accounts.factories import UserFactory
from tests.directory.search_data import house
from tests.fhir.callers import EVERY_SCOPE, connect
from tests.outbox.factories import MessageFactory
from tests.runtime.test_logs import written_logs

pytestmark = pytest.mark.django_db


def test_the_command_says_what_it_removed(capsys):
    MessageFactory(state="envoye", sent_at=timezone.now() - timedelta(days=100))
    call_command("purge")
    lines = capsys.readouterr().out.replace("\xa0", " ").splitlines()
    assert "           1  courriels envoyés, retenus ou en échec" in lines
    assert len(lines) >= len(purging.PURGES)
    assert not Message.objects.exists()
    call_command("purge")
    assert not any(line.strip().startswith("1 ") for line in capsys.readouterr().out.splitlines())


def test_one_that_fails_does_not_hold_the_others(monkeypatch, capsys):
    def fails():
        raise RuntimeError("Quatrelivres")

    monkeypatch.setitem(purging.PURGES, "jobs", ("travaux faits ou abandonnés", fails))
    MessageFactory(state="envoye", sent_at=timezone.now() - timedelta(days=100))
    Throttle.objects.create(cache_key="k", value="v", expires=timezone.now() - timedelta(days=1))
    with written_logs(as_json=True) as written, pytest.raises(CommandError, match="1\xa0suppression"):
        call_command("purge")
    said = capsys.readouterr().out
    assert "échec (RuntimeError)" in said and "Quatrelivres" not in said + written.getvalue()
    assert '"kind":"jobs"' in written.getvalue()
    assert not Message.objects.exists() and not Throttle.objects.exists()


def test_the_time_limit_of_the_whole_ends_it(monkeypatch):
    def too_long():
        raise SoftTimeLimitExceeded

    monkeypatch.setitem(purging.PURGES, "mail_bodies", ("textes", too_long))
    with pytest.raises(SoftTimeLimitExceeded):
        tasks.purge()


def test_the_clock_purges_each_night():
    scheduled = {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.purge.name in scheduled
    MessageFactory(state="envoye", sent_at=timezone.now() - timedelta(days=100))
    tasks.purge()
    assert not Message.objects.exists()


@pytest.mark.asvs("v5.0.0-14.2.4")
def test_each_duration_is_read_by_a_purge():
    """A setting that nothing reads is a promise that nobody keeps."""
    asked = set()

    class Watched(dict):
        def __getitem__(self, name):
            asked.add(name)
            return super().__getitem__(name)

    real = django_settings.RETENTION_DAYS
    django_settings.RETENTION_DAYS = Watched(real)
    try:
        purging.purge_all()
    finally:
        django_settings.RETENTION_DAYS = real
    assert asked == set(real)


def test_loads_go_and_the_last_good_one_of_each_kind_stays():
    def loaded(kind, days, state=ImportRun.State.DONE):
        run = ImportRun.objects.create(kind=kind, file_name="f", state=state)
        ImportRefusal.objects.create(run=run, line_number=1, reason="r")
        ImportRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(days=days))
        return run

    loaded("rpps", 900)
    last = loaded("rpps", 800)
    loaded("rpps", 790, ImportRun.State.REFUSED)
    alone = loaded("finess", 900)
    recent = loaded("finess", 70, ImportRun.State.REFUSED)
    newest = loaded("rpps", 10, ImportRun.State.REFUSED)
    assert keeping.purge_refusals() == 5
    assert list(ImportRefusal.objects.values_list("run", flat=True)) == [newest.pk]
    assert keeping.purge_runs() == 2
    assert set(ImportRun.objects.all()) == {last, alone, recent, newest}


def test_tokens_go_once_they_are_long_over():
    user, now = UserFactory(), timezone.now()
    last = timezone.localdate() + timedelta(days=9)
    standing, _ = make_personal_token(user, name="Un", scopes=["user/CareTeam.crus"], expires_on=last)
    withdrawn, _ = make_personal_token(user, name="Deux", scopes=["user/CareTeam.crus"], expires_on=last)
    PersonalToken.objects.filter(pk=withdrawn.pk).update(revoked_at=now - timedelta(days=400))
    client, _ = connect(house("STRUCTURE", source="local"))
    for hours, name in ((-1, "a"), (1, "b")):
        ClientToken.objects.create(
            client=client, token_hash=name * 64, scopes=EVERY_SCOPE, expires_at=now + timedelta(hours=hours)
        )
    assert purge_tokens() == 2
    assert list(PersonalToken.objects.all()) == [standing] and ClientToken.objects.get().token_hash == "b" * 64


def test_throttles_go_once_over():
    now = timezone.now()
    for name, moved in (("past", -1), ("future", 1)):
        Throttle.objects.create(cache_key=name, value="v", expires=now + timedelta(minutes=moved))
    assert purge_throttles() == 1 and Throttle.objects.get().cache_key == "future"


def test_months_of_the_journal_are_said_and_left(monkeypatch, capsys):
    assert months_to_remove() == []
    ahead = timezone.localdate() + dt.timedelta(days=60)
    monkeypatch.setattr("coordination.operations.management.commands.purge.last_closed_month", lambda: ahead)
    journal.prepare_months(2)
    assert f"{timezone.localdate():%Y-%m}" in months_to_remove()
    call_command("purge")
    assert "à retirer par purge_journal" in capsys.readouterr().out
