"""Calendars kept elsewhere: added with a test, read again, failing, mended, removed; busy here and nothing more."""

import datetime as dt
import gzip
from unittest import mock

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from agenda import finding, tasks
from agenda.actions import own_calendars as actions
from agenda.actions.openings import When, add_opening
from agenda.actions.own_calendars import Said as SaidOf
from agenda.actions.schedules import change_settings, schedule_of
from agenda.actions.taking import Taken, take_time
from agenda.calendar_errors import AnotherIsRead, CalendarNamed, CalendarPasswordMissing, TooManyCalendars
from agenda.common_slots import State
from agenda.errors import NotInYourAgenda
from agenda.ics.errors import (
    AddressRefused,
    CalendarNotFound,
    CalendarRefused,
    CalendarTooLarge,
    PasswordAsked,
    SiteTooSlow,
    SiteUnreachable,
)
from agenda.models import Occupation, OpenTime, OwnCalendar
from coordination.common import cipher
from coordination.partners import wire
from habilitations.models import AccountTrace
from tests.agenda import factories as make
from tests.agenda.test_fetching import endless
from tests.circle import factories as circle
from tests.partners.standin import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.req("AGD-18")]
IMPORTED = Occupation.Kind.IMPORTED


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def schedule(nurse):
    return schedule_of(nurse)


@pytest.fixture
def site():
    with StandIn().running() as running:
        yield running


def ics(*hours, days=3, summary="Dentiste", more=""):
    """A calendar with an event at each of these hours, in so many days."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{hour}\r\nSUMMARY:{summary}\r\n{more}DURATION:PT1H\r\n"
        f"DTSTART:{make.at(hour, days=days).astimezone(dt.UTC):%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for hour in hours
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n".encode()


def said(site, **more):
    return SaidOf(**({"name": "Cabinet", "kind": "ics", "address": f"{site.url}/a.ics?cle=secrete"} | more))


def added(schedule, site, body=None, **more):
    site.says(200, ics(10, 14) if body is None else body, Etag='"un"')
    return actions.add_calendar(schedule, said(site, **more), by=schedule.user)


def hours(key):
    rows = Occupation.objects.filter(key=key, kind=IMPORTED).order_by("starts_at")
    return [f"{row.starts_at.astimezone(make.PARIS):%H:%M}" for row in rows]


def due():
    OwnCalendar.objects.update(next_refresh_at=timezone.now())


# ---- Added ---------------------------------------------------------------------------------------


def test_a_calendar_is_read_at_once_and_only_when_one_is_busy_is_kept(schedule, site):
    made = added(schedule, site)
    assert hours(schedule.key) == ["10:00", "14:00"]
    assert (made.spans, made.unread, made.last_error, made.failures) == (2, 0, "", 0)
    assert made.last_ok_at and made.host == site.url.removeprefix("http://")
    row = OwnCalendar.objects.get()
    kept = str(vars(row)) + "".join(str(vars(one)) for one in Occupation.objects.all())
    assert "Dentiste" not in kept and "secrete" not in kept, "neither a title nor the address in the clear"
    assert row.address == f"{site.url}/a.ics?cle=secrete"
    assert not Occupation.objects.filter(exclusive=True).exists()
    assert AccountTrace.objects.filter(action="ajout calendrier", actor_id=schedule.user_id).count() == 1


def test_it_is_busy_in_the_finder_and_never_refuses_a_booking(schedule, site, entry):
    added(schedule, site)
    key = schedule.key
    opening = make.at(8, days=3), make.at(18, days=3)
    add_opening(schedule, by=schedule.user, when=When(*[moment.replace(tzinfo=None) for moment in opening]))
    assert OpenTime.objects.filter(key=key).exists()
    who = finding.Invited(key, "Inès", True, False)
    (person,) = finding.agendas(entry, [who], opening)
    starts = [make.at(hour, days=3) for hour in (9, 10)]
    states = finding.by_hand([person], starts, dt.timedelta(minutes=30))
    assert states == [[State.FREE], [State.BUSY]]
    take_time(entry.dossier.pk, [Taken(key, True)], make.at(10, days=3), make.at(11, days=3))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"", CalendarNotFound),
        (401, b"", PasswordAsked),
        (500, b"", SiteUnreachable),
        (200, b"<!doctype html>", CalendarRefused),
        (200, b"BEGIN:VCALENDAR" + b"\n" * (5 * 1024 * 1024 + 1), CalendarTooLarge),
    ],
    ids=["absent", "password", "broken", "page", "large"],
)
def test_what_does_not_read_is_not_kept(schedule, site, status, body, kind):
    site.says(status, body)
    with pytest.raises(kind):
        actions.add_calendar(schedule, said(site), by=schedule.user)
    assert not OwnCalendar.objects.exists() and not Occupation.objects.exists()


def test_fifty_megabytes_and_what_never_ends(schedule, site):
    site.does(endless)
    with pytest.raises(CalendarTooLarge):
        actions.add_calendar(schedule, said(site), by=schedule.user)
    site.says(200, gzip.compress(ics(10) + b"\n" * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(CalendarTooLarge) as refusal:
        actions.add_calendar(schedule, said(site), by=schedule.user)
    assert str(refusal.value) == "Ce calendrier est trop gros : 5 Mo au plus."


def test_inside_addresses_are_refused(schedule, settings):
    settings.PARTNERS_ALLOW_PRIVATE = False
    for address in ("http://agenda.exemple/a.ics", "https://127.0.0.1/a.ics", "https://10.0.0.1/", "https://[::1]/"):
        with pytest.raises(AddressRefused):
            actions.add_calendar(schedule, SaidOf("Cabinet", "ics", address), by=schedule.user)


def test_one_name_once_and_five_at_most(schedule, site):
    added(schedule, site)
    with pytest.raises(CalendarNamed):
        actions.add_calendar(schedule, said(site), by=schedule.user)
    for number in range(2, 6):
        added(schedule, site, name=f"Numéro {number}")
    with pytest.raises(TooManyCalendars):
        actions.add_calendar(schedule, said(site, name="Numéro 6"), by=schedule.user)


# ---- Read again ----------------------------------------------------------------------------------


def test_what_changed_replaces_what_was_read(schedule, site):
    made = added(schedule, site)
    site.says(200, ics(11), Etag='"deux"')
    actions.refresh_calendar(made.pk)
    assert site.heard[-1].headers["if-none-match"] == '"un"'
    assert hours(schedule.key) == ["11:00"]
    site.says(304, b"")
    row = actions.refresh_calendar(made.pk)
    assert hours(schedule.key) == ["11:00"] and row.last_error == ""


def test_once_a_day_all_of_it_is_asked_since_the_days_move(schedule, site):
    made = added(schedule, site)
    OwnCalendar.objects.update(known_until=timezone.now() + dt.timedelta(days=398))
    site.says(200, ics(11), Etag='"deux"')
    actions.refresh_calendar(made.pk)
    assert "if-none-match" not in site.heard[-1].headers


def test_another_clock_has_all_of_it_asked_again(schedule, site):
    made = added(schedule, site)
    change_settings(schedule, by=schedule.user, zone="Indian/Reunion", minutes={}, mails_invitations=False)
    assert actions.claim_due() == [made.pk]
    site.says(200, ics(11))
    actions.refresh_calendar(made.pk)
    assert "if-none-match" not in site.heard[-1].headers


def test_a_failure_leaves_the_last_good_times_and_says_since_when(schedule, site):
    made = added(schedule, site)
    before = made.last_ok_at
    waits = []
    for _ in range(3):
        site.says(500, b"")
        row = actions.refresh_calendar(made.pk)
        row.refresh_from_db()
        waits.append(row.next_refresh_at - timezone.now())
    assert (row.last_error, row.failures, row.last_ok_at) == ("Ce site ne répond pas.", 3, before)
    assert hours(schedule.key) == ["10:00", "14:00"]
    assert waits[0] < waits[1] < waits[2]
    site.says(200, ics(9))
    row = actions.refresh_calendar(made.pk)
    assert (row.last_error, row.failures) == ("", 0) and row.last_ok_at > before
    assert hours(schedule.key) == ["09:00"]


def test_waits_double_up_to_a_day():
    found = [actions.wait_after(failures) / dt.timedelta(hours=1) for failures in (0, 1, 2, 3, 6, 7, 999)]
    assert found == [0.5, 0.5, 1, 2, 16, 24, 24]


def test_what_was_asked_before_a_change_is_not_written_over_it(schedule, site, monkeypatch):
    made = added(schedule, site)
    usual = actions.fetching.fetch

    def meanwhile(source, window, *, within=None):
        found = usual(source, window, within=within)
        OwnCalendar.objects.update(generation=9)
        return found

    monkeypatch.setattr(actions.fetching, "fetch", meanwhile)
    site.says(200, ics(9))
    actions.refresh_calendar(made.pk)
    assert hours(schedule.key) == ["10:00", "14:00"]
    site.says(500, b"")
    actions.refresh_calendar(made.pk)
    assert OwnCalendar.objects.get().last_error == "Ce site ne répond pas.", "of its own generation, it is kept"


def test_one_that_is_gone_meanwhile_is_nothing(schedule, site):
    made = added(schedule, site)
    actions.remove_calendar(schedule, made.pk, by=schedule.user)
    assert actions.refresh_calendar(made.pk) is None
    assert not Occupation.objects.exists()


def test_the_beat_reads_what_is_due_spread_and_bounded(schedule, site, monkeypatch):
    for number in range(3):
        added(schedule, site, name=f"Numéro {number}")
    assert tasks.refresh_calendars() == 0, "just read"
    turns = set(OwnCalendar.objects.values_list("next_refresh_at", flat=True))
    assert len(turns) == 3, "not all at the same second"
    due()
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    for _ in range(3):
        site.says(200, ics(9))
    assert (tasks.refresh_calendars(), tasks.refresh_calendars(), tasks.refresh_calendars()) == (2, 1, 0)
    assert set(hours(schedule.key)) == {"09:00"}


def test_what_waits_too_long_in_the_queue_is_not_read_twice(schedule, site, monkeypatch):
    made, queued = added(schedule, site), []
    due()
    monkeypatch.setattr(tasks.refresh_calendar, "apply_async", lambda *args, **more: queued.append((args, more)))
    assert tasks.refresh_calendars() == 1
    assert queued == [(((str(made.pk),),), {"expires": actions.CLAIM.total_seconds()})]


def test_a_slow_site_is_asked_less_often(schedule, site, monkeypatch):
    assert actions.wait_after(0, 1.0) == actions.EVERY and actions.wait_after(0, 45.0) == timezone.timedelta(hours=4.5)
    assert actions.wait_after(20, 45.0) == actions.LONGEST
    made, clock = added(schedule, site), iter([100.0, 100.0, 145.0])
    monkeypatch.setattr(actions, "time", mock.Mock(monotonic=lambda: next(clock)))
    site.says(200, ics(9))
    row = actions.refresh_calendar(made.pk)
    assert row.next_refresh_at > timezone.now() + timezone.timedelta(hours=3)


@pytest.fixture
def too_slow(monkeypatch):
    def waits(source, window, *, within=None):
        assert within is None or within <= 2, "somebody waits in front of the page"
        raise SiteTooSlow()

    monkeypatch.setattr(actions.fetching, "fetch", waits)


@pytest.mark.req("REL-17")
def test_a_site_too_slow_for_a_page_is_read_apart_and_the_page_says_so(page, schedule, site, too_slow):
    asked = {"name": "Cabinet", "kind": "ics", "address": f"{site.url}/a.ics"}
    shown = text_of(page.post(reverse("mon_agenda:add_calendar"), asked, follow=True))
    assert f"Le calendrier est ajouté. {actions.LATER}" in shown and "pas encore lu" in shown
    made = OwnCalendar.objects.get()
    assert (made.failures, made.last_ok_at) == (0, None)
    assert actions.claim_due() == [made.pk]
    # Asked again by somebody, it is put off again: the turn that follows waits longer, and notes a failure.
    assert actions.refresh_while_waited_for(made.pk).last_error == actions.LATER
    assert actions.refresh_calendar(made.pk).failures == 1


@pytest.mark.req("REL-17")
def test_a_change_to_a_slow_site_is_kept_and_read_apart(schedule, site, monkeypatch):
    made = added(schedule, site)
    monkeypatch.setattr(actions.fetching, "fetch", mock.Mock(side_effect=SiteTooSlow()))
    row = actions.change_calendar(schedule, made.pk, said(site, name="Autre"), by=schedule.user)
    assert (row.name, row.last_error) == ("Autre", actions.LATER)
    assert hours(schedule.key) == ["10:00", "14:00"], "those of the last good reading"
    assert actions.claim_due() == [made.pk]


def test_nobody_reads_for_an_account_that_is_closed(schedule, site):
    added(schedule, site)
    due()
    type(schedule.user).objects.filter(pk=schedule.user_id).update(is_active=False, suspended_at=timezone.now())
    assert actions.claim_due() == []


def test_a_key_that_is_withdrawn_is_said(schedule, site, settings):
    made = added(schedule, site)
    settings.SECRET_KEY = "une autre clé, tirée au hasard et bien assez longue pour servir"
    row = actions.refresh_calendar(made.pk)
    assert row.last_error == actions.UNREADABLE_KEY


def test_times_follow_the_key_of_the_directory(nurse, site, monkeypatch):
    schedule = schedule_of(nurse)
    added(schedule, site)
    other = circle.account().pk
    monkeypatch.setattr("agenda.actions.schedules.key_of_user", lambda user: other)
    schedule_of(nurse)
    assert hours(other) == ["10:00", "14:00"] and hours(schedule.key) == []


def test_a_fault_of_ours_is_noted_waits_and_is_raised(schedule, site, monkeypatch):
    made = added(schedule, site)
    due()

    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(actions, "busy_times", broken)
    site.says(200, ics(9))
    with pytest.raises(ZeroDivisionError):
        actions.refresh_calendar(made.pk)
    row = OwnCalendar.objects.get()
    assert (row.last_error, row.failures) == (actions.UNFORESEEN, 1)
    assert row.next_refresh_at > timezone.now() and hours(schedule.key) == ["10:00", "14:00"]


@pytest.fixture
def somebody_waits():
    """Another session of the database, as another web worker has."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [actions._WAITED_LOCK])
    yield
    other.close()


def test_one_reading_at_a_time_is_waited_for(page, schedule, site, somebody_waits):
    refused = page.post(
        reverse("mon_agenda:add_calendar"), {"name": "Cabinet", "kind": "ics", "address": f"{site.url}/a.ics"}
    )
    assert refused.status_code == 422 and "Réessayez dans un instant." in text_of(refused)
    assert site.heard == [] and not OwnCalendar.objects.exists()
    row = OwnCalendar(schedule=schedule, name="x", kind="ics", host="x")
    row.address_sealed = cipher.encrypt(f"{site.url}/a.ics")
    row.save()
    shown = text_of(page.post(reverse("mon_agenda:refresh_calendar", args=[row.pk]), follow=True))
    assert "Réessayez dans un instant." in shown and site.heard == []
    with pytest.raises(AnotherIsRead):
        actions.change_calendar(schedule, row.pk, said(site), by=schedule.user)
    site.says(200, ics(9))
    actions.refresh_calendar(row.pk)
    assert hours(schedule.key) == ["09:00"], "that of the beat waits for nobody"


def test_the_place_is_given_back_by_a_reading_that_fails(schedule, site):
    for _ in range(2):
        site.says(500, b"")
        with pytest.raises(SiteUnreachable):
            actions.add_calendar(schedule, said(site), by=schedule.user)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", [actions._WAITED_LOCK]
        )
        assert cursor.fetchone() == (0,)


# ---- Changed -------------------------------------------------------------------------------------


def test_a_password_is_kept_sealed_and_never_sent_elsewhere(schedule, site):
    answer = b'<multistatus xmlns="DAV:"/>'
    site.says(207, answer)
    dav = {"kind": "caldav", "address": f"{site.url}/dav/", "login": "moi", "password": "s3cret"}
    made = actions.add_calendar(schedule, said(site, **dav), by=schedule.user)
    row = OwnCalendar.objects.get()
    assert "s3cret" not in str(vars(row))
    site.says(207, answer)
    actions.change_calendar(schedule, made.pk, said(site, **dav | {"name": "Autre", "password": ""}), by=schedule.user)
    assert (
        site.heard[-1].headers["authorization"] == "Basic bW9pOnMzY3JldA=="
        and OwnCalendar.objects.get().generation == 2
    )
    with StandIn().running() as elsewhere:
        moved = said(site, **dav | {"address": f"{elsewhere.url}/dav/", "password": ""})
        with pytest.raises(CalendarPasswordMissing):
            actions.change_calendar(schedule, made.pk, moved, by=schedule.user)
        assert elsewhere.heard == []
    with pytest.raises(CalendarPasswordMissing):
        actions.change_calendar(
            schedule, made.pk, said(site, **dav | {"login": "x", "password": ""}), by=schedule.user
        )


def test_a_change_that_does_not_read_changes_nothing(schedule, site):
    made = added(schedule, site)
    site.says(404, b"")
    with pytest.raises(CalendarNotFound):
        actions.change_calendar(schedule, made.pk, said(site, address=f"{site.url}/b.ics"), by=schedule.user)
    assert OwnCalendar.objects.get().address.endswith("/a.ics?cle=secrete") and len(hours(schedule.key)) == 2


def test_of_somebody_else_there_is_nothing(schedule, site):
    made = added(schedule, site)
    other = schedule_of(circle.account())
    with pytest.raises(NotInYourAgenda):
        actions.remove_calendar(other, made.pk, by=other.user)
    with pytest.raises(NotInYourAgenda):
        actions.change_calendar(other, made.pk, said(site), by=other.user)


def test_an_address_is_never_shown_and_stays_when_none_is_typed(page, schedule, site):
    made = added(schedule, site)
    change = reverse("mon_agenda:change_calendar", args=[made.pk])
    assert "secrete" not in page.get(change).content.decode()
    site.says(200, ics(9))
    assert page.post(change, {"name": "Autre", "kind": "ics", "address": "", "version": 1}).status_code == 303
    row = OwnCalendar.objects.get()
    assert (row.name, row.address) == ("Autre", f"{site.url}/a.ics?cle=secrete")
    assert site.heard[-1].path == "/a.ics?cle=secrete"


# ---- Pages ---------------------------------------------------------------------------------------


@pytest.fixture
def page(client, nurse):
    client.force_login(nurse)
    return client


def text_of(answer):
    return " ".join(answer.content.decode().replace("\u00a0", " ").replace("\u202f", " ").split())


def test_added_failing_and_mended_on_the_page(page, nurse, site):
    add = reverse("mon_agenda:add_calendar")
    typed = {"name": "Cabinet", "kind": "ics", "address": f"{site.url}/a.ics"}
    site.says(404, b"")
    refused = page.post(add, typed)
    assert refused.status_code == 422 and "Il n’y a pas de calendrier à cette adresse." in text_of(refused)
    site.says(200, ics(10, 14, more="TRANSP:OPAQUE\r\n"))
    assert "2 temps occupés" in text_of(page.post(add, typed, follow=True))
    row = OwnCalendar.objects.get()
    site.says(500, b"")
    shown = text_of(page.post(reverse("mon_agenda:refresh_calendar", args=[row.pk]), follow=True))
    assert "Cabinet n’a pas pu être relu. Ce site ne répond pas." in shown
    assert "Pas relu" in shown and "ceux de la dernière lecture réussie, le" in shown
    change = reverse("mon_agenda:change_calendar", args=[row.pk])
    assert "Dernière lecture manquée." in text_of(page.get(change))
    site.says(200, ics(9))
    mended = typed | {"address": f"{site.url}/b.ics", "version": row.generation}
    assert "1 temps occupé." in text_of(page.post(change, mended, follow=True))
    assert "Le calendrier est retiré." in text_of(
        page.post(reverse("mon_agenda:remove_calendar", args=[row.pk]), follow=True)
    )
    assert not Occupation.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"address": "agenda"}, "Cette adresse ne peut pas être lue"),
        ({"address": "file:///etc/passwd"}, "Cette adresse ne peut pas être lue"),
        ({"kind": "caldav", "address": "https://dav.exemple/"}, "Donnez l’identifiant"),
        ({"kind": "caldav", "address": "https://dav.exemple/", "login": "x"}, "Donnez le mot de passe"),
        ({"name": ""}, "obligatoire"),
    ],
)
def test_what_is_typed_badly_is_said_beside_its_field(page, typed, sentence):
    answer = page.post(reverse("mon_agenda:add_calendar"), {"name": "x", "kind": "ics", "address": "a"} | typed)
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert not OwnCalendar.objects.exists()


def test_webcal_is_https(page, monkeypatch):
    asked = []

    def exchange(method, url, **more):
        asked.append(url)
        return wire.Received(200, {}, ics(10))

    monkeypatch.setattr(wire, "exchange", exchange)
    typed = {"name": "Cabinet", "kind": "ics", "address": "webcal://agenda.exemple/a.ics"}
    assert page.post(reverse("mon_agenda:add_calendar"), typed).status_code == 303
    assert asked == ["https://agenda.exemple/a.ics"]


def test_pages_of_a_calendar_of_somebody_else_are_not_there(page, site):
    other = schedule_of(circle.account())
    made = added(other, site)
    assert page.get(reverse("mon_agenda:change_calendar", args=[made.pk])).status_code == 404
    for act in ("refresh_calendar", "remove_calendar"):
        assert page.post(reverse(f"mon_agenda:{act}", args=[made.pk])).status_code == 404
    assert OwnCalendar.objects.count() == 1


def test_settings_are_read_in_few_statements(page, schedule, site, django_assert_max_num_queries):
    for number in range(4):
        added(schedule, site, name=f"Numéro {number}")
    with django_assert_max_num_queries(12):
        page.get(reverse("mon_agenda:settings"))
