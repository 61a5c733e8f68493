"""An access that nobody uses closes by itself: its holder is told first, one click opens it again."""

import datetime as dt

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions, history
from circle.models import Change
from circle.tasks import close_sleeping_accesses
from coordination.accounts import reauthentication
from coordination.dossiers.models import Dossier
from coordination.outbox.models import Message
from habilitations.access import to_dossier
from habilitations.errors import NotOpen
from habilitations.models import AccessKept, Consent, Habilitation, SleepingAccess, StateChange, Trace
from tests.circle import factories as make
from tests.circle.test_access_review import ago, come, member_of

pytestmark = pytest.mark.django_db
TOLD = "circle.access_unused"


@pytest.fixture(autouse=True)
def _on(settings):
    settings.ACCESS_CLOSE_MONTHS, settings.ACCESS_CLOSE_NOTICE_DAYS = 12, 15


@pytest.fixture
def nurse(entry):
    return member_of(entry, family_name="SPÉCIMEN", given_name="Inès")


def days_pass(days=16):
    """The day announced has come."""
    for notice in SleepingAccess.objects.waiting():
        notice.closes_on -= dt.timedelta(days=days)
        notice.save()
        SleepingAccess.objects.filter(pk=notice.pk).update(told_at=notice.told_at - dt.timedelta(days=days))


def letters():
    return Message.objects.filter(kind=TOLD)


def is_open(user, entry):
    return to_dossier(user, entry.dossier.pk) is not None


def text_of(answer):
    return answer.content.decode().replace("\xa0", " ")


def test_its_holder_is_told_once_and_it_closes_on_its_day(entry, nurse):
    assert close_sleeping_accesses() == 0
    close_sleeping_accesses()
    (letter,) = letters()
    closes = timezone.localdate() + dt.timedelta(days=15)
    assert letter.to == nurse.email
    assert f"se ferme le {closes:%d/%m/%Y}" in letter.text
    assert f"/dossiers/{entry.dossier.pk}/" in letter.text
    assert is_open(nurse, entry)
    days_pass()
    assert close_sleeping_accesses() == 1
    assert not is_open(nurse, entry)
    assert close_sleeping_accesses() == 0
    assert letters().count() == 1


@pytest.mark.req("SEC-22")
def test_the_letter_names_nobody_followed(entry, nurse):
    close_sleeping_accesses()
    letter = letters().get()
    for word in (entry.dossier.family_name, entry.dossier.given_name, entry.dossier.birth_name):
        assert word.lower() not in f"{letter.subject} {letter.text} {letter.html}".lower()


@pytest.mark.req("SEC-9")
def test_it_is_told_in_the_history_and_traced_by_nobody(entry, nurse):
    close_sleeping_accesses()
    days_pass()
    close_sleeping_accesses()
    line = Change.objects.with_names().get(dossier=entry.dossier, subject=history.UNUSED)
    assert history.sentence(history.told_of(line)) == ("L’accès de SPÉCIMEN Inès s’est fermé d’office, faute d’usage.")
    change = StateChange.objects.order_by("-at", "-id").first()
    assert (change.by, change.before, change.after) == (None, "oui", "non")
    trace = Trace.objects.of_dossier(entry.dossier.pk).get(actor_name="L’application")
    assert (trace.action, trace.object_id) == ("habilitation", nurse.member.pk)
    assert trace.reason == "Habilité → Non habilité, sans usage depuis 12 mois"


@pytest.mark.parametrize("sign", ["used", "kept", "ended", "changed", "shut"])
def test_what_was_used_kept_or_changed_meanwhile_is_spared(entry, nurse, sign):
    close_sleeping_accesses()
    days_pass()
    if sign == "used":
        come(nurse, entry, 1)
    elif sign == "kept":
        AccessKept.objects.create(dossier=entry.dossier, habilitation_id=nurse.member.habilitation_id, by=entry.user)
    elif sign == "ended":
        actions.remove_member(entry, nurse.member, reason="fin")
    elif sign == "shut":
        Consent.objects.filter(habilitation=nurse.member.habilitation_id).update(
            last_day=timezone.localdate() - dt.timedelta(days=1), starts_on=dt.date(2025, 1, 5)
        )
    else:
        actions.set_habilitation(entry, nurse.member, "non")
        actions.set_habilitation(entry, nurse.member, "oui")
    assert close_sleeping_accesses() == 0
    assert SleepingAccess.objects.get().spared_at
    assert is_open(nurse, entry) is (sign not in ("ended", "shut"))


def test_who_came_lately_is_not_told(entry, nurse):
    come(nurse, entry, 30)
    close_sleeping_accesses()
    assert not letters().exists()


def test_off_it_does_nothing_and_it_never_asks_more_than_the_journal_keeps(settings, entry, nurse):
    settings.ACCESS_CLOSE_MONTHS = 0
    assert (actions.tell_sleeping(), actions.close_sleeping()) == (0, 0)
    settings.ACCESS_CLOSE_MONTHS = settings.JOURNAL_RETENTION_MONTHS + 1
    with pytest.raises(ImproperlyConfigured):
        actions.tell_sleeping()


def test_the_last_who_may_grant_stays(entry, nurse):
    Habilitation.objects.filter(user=entry.user).update(state_at=ago(500))
    close_sleeping_accesses()
    assert {letter.to for letter in letters()} == {nurse.email}


def test_nothing_closes_where_nobody_could_open_it_again(entry, nurse):
    close_sleeping_accesses()
    days_pass()
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="pause")
    assert close_sleeping_accesses() == 0
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="actif")
    assert close_sleeping_accesses() == 1


@pytest.mark.req("SEC-6")
def test_who_is_kept_out_by_the_person_is_not_written_to(entry, nurse):
    actions.record_opposition(entry, rubrique="", refused_on=timezone.localdate(), collected="oral")
    close_sleeping_accesses()
    assert not letters().exists()


@pytest.mark.req("REL-1")
def test_stopped_in_the_middle_it_goes_on_where_it_was(entry, nurse, monkeypatch):
    other = member_of(entry, family_name="MODÈLE", given_name="Ana")
    close_sleeping_accesses()
    days_pass()
    real, calls = Change.objects.create, []

    def falls(**said):
        calls.append(said)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return real(**said)

    with monkeypatch.context() as patch:
        patch.setattr(Change.objects, "create", falls)
        with pytest.raises(RuntimeError):
            actions.close_sleeping()
    assert sorted((is_open(nurse, entry), is_open(other, entry))) == [False, True]
    assert SleepingAccess.objects.waiting().count() == 1
    assert actions.close_sleeping() == 1
    assert Change.objects.filter(subject=history.UNUSED).count() == 2


def test_one_click_opens_it_again(client, entry, nurse, monkeypatch):
    close_sleeping_accesses()
    client.force_login(entry.user)
    review = reverse("circle:review", args=[entry.dossier.pk])
    day = SleepingAccess.objects.get().closes_on
    assert f"Se ferme le {day:%d/%m/%Y}" in text_of(client.get(review))
    days_pass()
    close_sleeping_accesses()
    page = text_of(client.get(review))
    restore = reverse("circle:restore_access", args=[entry.dossier.pk, nurse.member.pk])
    assert f"Fermé d’office le {timezone.localdate():%d/%m/%Y}" in page
    assert restore in page
    with monkeypatch.context() as patch:
        patch.setattr(reauthentication, "is_recent", lambda request, within: False)
        client.post(restore)
        assert not is_open(nurse, entry), "opening asks who one is"
    client.post(restore)
    assert is_open(nurse, entry)
    assert SleepingAccess.objects.get().restored_by == entry.user
    assert "Fermé d’office" not in text_of(client.get(review))
    with pytest.raises(NotOpen):
        actions.restore_access(make.entry_of(entry.user, entry), nurse.member)


def test_what_somebody_decided_since_is_no_longer_closed_by_itself(client, entry, nurse):
    close_sleeping_accesses()
    days_pass()
    close_sleeping_accesses()
    actions.set_habilitation(make.entry_of(entry.user, entry), nurse.member, "oui")
    assert is_open(nurse, entry)
    actions.set_habilitation(make.entry_of(entry.user, entry), nurse.member, "non")
    client.force_login(entry.user)
    assert "Fermé d’office" not in text_of(client.get(reverse("circle:review", args=[entry.dossier.pk])))
    with pytest.raises(NotOpen):
        actions.restore_access(make.entry_of(entry.user, entry), nurse.member)


def test_who_came_since_he_was_told_is_not_said_to_be_closed_soon(client, entry, nurse):
    close_sleeping_accesses()
    client.force_login(nurse)
    client.get(reverse("dossiers:home", args=[entry.dossier.pk]))
    client.force_login(entry.user)
    assert "Se ferme le" not in text_of(client.get(reverse("circle:review", args=[entry.dossier.pk])))


def test_who_may_not_grant_does_not_open_it_again(client, entry, nurse):
    close_sleeping_accesses()
    days_pass()
    close_sleeping_accesses()
    other = make.account()
    make.add(entry, other.attachment.professional, wanted="oui")
    client.force_login(other)
    assert client.post(reverse("circle:restore_access", args=[entry.dossier.pk, nurse.member.pk])).status_code == 403
    assert not is_open(nurse, entry)


@pytest.mark.req("PERF-3")
def test_the_review_is_flat_in_closed_accesses(client, entry, nurse):
    client.force_login(entry.user)
    review, counted = reverse("circle:review", args=[entry.dossier.pk]), []
    for _ in range(2):
        close_sleeping_accesses()
        days_pass()
        close_sleeping_accesses()
        client.get(review)
        with CaptureQueriesContext(connection) as captured:
            client.get(review)
        counted.append(len(captured))
        for _ in range(3):
            member_of(entry)
    assert counted[0] == counted[1] <= 12, counted


def test_the_database_refuses_what_is_no_notice(entry, nurse):
    row = Habilitation.objects.get(pk=nurse.member.habilitation_id)
    said = {"dossier": entry.dossier, "habilitation": row, "closes_on": timezone.localdate()}
    SleepingAccess.objects.create(**said)
    now = timezone.now()
    for wrong in ({}, {"closed_at": now, "spared_at": now}, {"restored_at": now, "restored_by": entry.user}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SleepingAccess.objects.create(**said | wrong)
