"""The address that one’s own calendar program reads: who gets what, what it costs, what follows."""

import datetime as dt
import logging
import re

import icalendar
import pytest
from allauth.account.signals import password_changed, password_reset
from django.conf import settings as product
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from agenda.actions import appointments as acts
from agenda.actions import feeds as actions
from agenda.calendar_errors import FeedAlreadyOpen, FeedNotOpen, LevelUnknown
from agenda.models import Feed, Participation
from coordination.fhir import throttling
from habilitations.models import AccountTrace, Habilitation, Trace
from tests.accounts.factories import PASSWORD
from tests.agenda import factories as make
from tests.circle import factories as circle

pytestmark = [pytest.mark.django_db, pytest.mark.req("GAP-99")]
NAMES = ("TESTARD", "Paul")


@pytest.fixture(autouse=True)
def _nothing_counted():
    throttling.forget()


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def member(entry, nurse):
    return make.member(entry, nurse)


@pytest.fixture
def visit(entry, member):
    return make.appointment(
        entry, member, title="Pansement", place="12 rue des Lilas", service_type="passage", kind="intervention",
        reason="Escarre", comment="Digicode 1234",
    )  # fmt: skip


def opened(user, level="occupe"):
    return "/agenda/flux/" + actions.open_feed(user, level=level)[1] + ".ics"


def events_of(answer):
    assert answer.status_code == 200, answer.status_code
    return [part for part in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")]


def told(client, user, level):
    (event,) = events_of(client.get(opened(user, level)))
    return event


# ---- Levels --------------------------------------------------------------------------------------


def test_busy_says_that_one_is_busy_and_nothing_else(client, nurse, visit):
    answer = client.get(opened(nurse))
    (event,) = events_of(answer)
    assert event["SUMMARY"] == "Occupé"
    assert event["UID"] == f"{visit.pk}@127.0.0.1"
    assert event["DTSTART"].params["TZID"] == "Europe/Paris" and event["DTSTART"].dt == visit.starts_at
    assert event["DTEND"].dt == visit.ends_at and event["STATUS"] == "CONFIRMED" and event["SEQUENCE"] == 0
    said = answer.content.decode()
    assert not [word for word in (*NAMES, "Pansement", "Lilas", "Escarre", "1234", "Passage", "http") if word in said]
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-cache" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies
    assert not Trace.objects.filter(actor_id=nurse.pk).exists(), "nothing of a dossier was told"


@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({"service_type": "passage"}, "Passage à domicile"),
        ({"service_type": "code-inconnu"}, "Rendez-vous"),
        ({"service_type": "", "kind": "reunion"}, "Réunion de coordination"),
        ({"service_type": "", "kind": "intervention"}, "Intervention à domicile"),
    ],
)
def test_neutral_says_the_type_and_no_name(client, nurse, entry, member, fields, summary):
    make.appointment(entry, member, title="Pansement de Paul", place="12 rue des Lilas", **fields)
    event = told(client, nurse, "neutre")
    assert event["SUMMARY"] == summary
    assert not {"LOCATION", "DESCRIPTION", "URL"} & set(event)


@pytest.mark.req("SECT-10", "SEC-9")
def test_full_says_the_person_the_words_and_the_place_and_leaves_a_trace_in_each_dossier(
    client, nurse, coordinator, entry, visit
):
    other = circle.open_circle(coordinator)
    make.appointment(other, make.member(other, nurse), starts=make.at(15), title="Bilan")
    address = opened(nurse, "complet")
    for times in (1, 2):
        first, second = events_of(client.get(address))
        assert first["SUMMARY"] == f"Pansement, {entry.dossier.full_name}"
        assert first["LOCATION"] == "12 rue des Lilas" and second["SUMMARY"].startswith("Bilan, ")
        assert first["URL"].endswith(f"/{visit.pk}/")
        # What is clinical stays in the dossier.
        assert "Escarre" not in str(first) and "1234" not in str(first)
        for one in (entry, other):
            left = Trace.objects.filter(dossier_id=one.dossier.pk, actor_id=nurse.pk, object_kind="flux")
            assert [(line.action, line.rubrique, line.outcome) for line in left] == [
                ("lecture", "agenda", "ok")
            ] * times


def test_the_journal_says_by_what_and_finds_nothing_unusual_in_a_program(client, nurse, coordinator, entry, visit):
    client.get(opened(nurse, "complet"))
    client.force_login(coordinator)
    page = client.get(reverse("dossiers:journal", args=[entry.dossier.pk])).content.decode()
    assert "par un abonnement à l’agenda" in page
    # She is new in this circle: a page that she opened herself would be pointed out.
    assert not re.search(r"À vérifier\s:", page)


@pytest.mark.req("SECT-7")
def test_a_right_lost_shows_at_the_next_fetch(client, nurse, entry, visit):
    address = opened(nurse, "complet")
    answer = client.get(address)
    assert "Pansement" in str(events_of(answer)[0]["SUMMARY"])
    Habilitation.objects.filter(dossier=entry.dossier, user=nurse).update(state="non")
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    (event,) = events_of(again)
    assert event["SUMMARY"] == "Rendez-vous" and not {"LOCATION", "URL"} & set(event)
    assert not [word for word in (entry.dossier.full_name, "Pansement", "Lilas") if word in again.content.decode()]


def test_the_clock_is_that_of_the_place(client, nurse, entry, member):
    make.appointment(entry, member, zone="Indian/Reunion")
    event = told(client, nurse, "occupe")
    assert event["DTSTART"].params["TZID"] == "Indian/Reunion"


# ---- What follows --------------------------------------------------------------------------------


def test_moves_and_cancellations_follow(client, nurse, entry, visit):
    address = opened(nurse)
    before = client.get(address)
    acts.move_appointment(entry, visit.pk, starts_at=make.at(14), ends_at=make.at(15))
    after = client.get(address, headers={"If-None-Match": before["ETag"]})
    (event,) = events_of(after)
    assert event["DTSTART"].dt == make.at(14) and event["SEQUENCE"] == 1
    assert after["ETag"] != before["ETag"]
    acts.cancel_appointment(entry, visit.pk, reason="personne")
    (event,) = events_of(client.get(address))
    assert (event["STATUS"], event["SEQUENCE"], event["TRANSP"]) == ("CANCELLED", 2, "TRANSPARENT")


def test_what_one_declined_or_was_taken_out_of_is_gone(client, nurse, entry, visit):
    address = opened(nurse)
    Participation.objects.filter(appointment=visit, user=nurse).update(status="declined")
    assert events_of(client.get(address)) == []
    Participation.objects.filter(appointment=visit, user=nurse).update(status="accepted")
    assert len(events_of(client.get(address))) == 1
    Participation.objects.filter(appointment=visit, user=nurse).delete()
    assert events_of(client.get(address)) == []


def test_a_request_is_tentative_and_what_has_no_hour_is_not_there(client, nurse, entry, member):
    make.appointment(entry, member, status="proposed")
    make.appointment(entry, member, kind="reunion", status="proposed", starts_at=None, ends_at=None)
    assert told(client, nurse, "occupe")["STATUS"] == "TENTATIVE"


def test_long_ago_and_far_ahead_are_left_out(client, nurse, entry, member):
    make.appointment(entry, member, starts=make.at(days=-100))
    make.appointment(entry, member, starts=make.at(days=402))
    kept = make.appointment(entry, member, starts=make.at(days=-90))
    assert [event["UID"].partition("@")[0] for event in events_of(client.get(opened(nurse)))] == [str(kept.pk)]


# ---- Unchanged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["occupe", "neutre"])
def test_unchanged_is_one_statement(client, nurse, visit, level, django_assert_num_queries):
    address = opened(nurse, level)
    first = client.get(address)
    for header in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        with django_assert_num_queries(1):
            answer = client.get(address, headers=header)
        assert answer.status_code == 304 and answer.content == b""
        assert answer["ETag"] == first["ETag"]


def test_unchanged_in_full_asks_the_engine_and_traces_all_the_same(client, nurse, entry, visit):
    address = opened(nurse, "complet")
    first = client.get(address)
    answer = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert answer.status_code == 304
    assert Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=nurse.pk, object_kind="flux").count() == 2


def test_a_date_is_enough_even_when_an_event_went_away(client, nurse, entry, member, visit):
    """A removed event leaves nothing younger than the last answer: the date is that of the change seen."""
    other = make.appointment(entry, member, starts=make.at(15))
    address = opened(nurse)
    first = client.get(address)
    Participation.objects.filter(appointment=other).delete()
    second = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert len(events_of(second)) == 1
    assert second["Last-Modified"] != first["Last-Modified"]
    assert client.get(address, headers={"If-Modified-Since": second["Last-Modified"]}).status_code == 304


def test_another_level_is_another_answer(client, nurse, visit):
    address = opened(nurse)
    first = client.get(address)
    actions.change_feed_level(nurse, level="neutre")
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert events_of(again)[0]["SUMMARY"] == "Passage à domicile"


def test_what_is_read_does_not_grow_with_the_events(client, nurse, coordinator, django_assert_max_num_queries):
    counts = []
    actions_address = opened(nurse, "complet")
    for number in (2, 6):
        for index in range(number):
            other = circle.open_circle(coordinator)
            make.appointment(other, make.member(other, nurse), starts=make.at(8, days=number + index))
        with django_assert_max_num_queries(7) as seen:
            client.get(actions_address)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_head_and_no_other_method(client, nurse, visit):
    address = opened(nurse)
    assert client.head(address).status_code == 200
    assert client.post(address).status_code == 405


# ---- The same 404 --------------------------------------------------------------------------------


def test_unknown_renewed_stopped_and_closed_are_the_same(client, nurse, visit):
    first = opened(nurse)
    assert client.get(first).status_code == 200
    _, token = actions.renew_feed(nurse)
    second = f"/agenda/flux/{token}.ics"
    assert client.get(second).status_code == 200
    account = type(nurse).objects.filter(pk=nurse.pk)
    account.update(is_active=False, suspended_at=timezone.now())
    third = client.get(second)
    account.update(is_active=True, suspended_at=None)
    actions.close_feed(nurse)
    answers = [client.get(first), client.get("/agenda/flux/" + "a" * 43 + ".ics"), third, client.get(second)]
    assert {answer.status_code for answer in answers} == {404}
    # Each answer has its own form token and request identifier.
    assert len({re.sub(r"[A-Za-z0-9]{32,64}", "", answer.content.decode()) for answer in answers}) == 1


def test_the_secret_is_kept_hashed_and_in_no_log(client, nurse, visit, caplog):
    address = opened(nurse)
    token = address.rpartition("/")[2].removesuffix(".ics")
    kept = Feed.objects.get(user=nurse)
    assert token not in str(vars(kept)) and len(kept.token_digest) == 64
    with caplog.at_level(logging.DEBUG):
        client.get(address)
        client.get("/agenda/flux/" + token[::-1] + ".ics")
    written = "".join(str(vars(record)) for record in caplog.records if record.name.startswith("coordination"))
    assert written and token not in written and token[::-1] not in written


def test_one_address_is_not_read_without_end(client, nurse, visit, settings):
    settings.AGENDA_FEED_READS_PER_MINUTE = 3
    address = opened(nurse)
    answers = [client.get(address) for _ in range(5)]
    assert [answer.status_code for answer in answers][:3] == [200] * 3 and answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0


def test_the_last_reading_is_kept_to_the_quarter_of_an_hour(client, nurse, visit):
    address = opened(nurse)
    assert Feed.objects.get().fetched_at is None
    client.get(address)
    first = Feed.objects.get().fetched_at
    assert first is not None
    client.get(address)
    assert Feed.objects.get().fetched_at == first
    Feed.objects.update(fetched_at=timezone.now() - dt.timedelta(hours=1))
    client.get(address)
    assert Feed.objects.get().fetched_at >= first


# ---- Acts and pages ------------------------------------------------------------------------------


def test_acts_are_traced_and_refused_in_words(nurse):
    with pytest.raises(FeedNotOpen):
        actions.change_feed_level(nurse, level="neutre")
    with pytest.raises(FeedNotOpen):
        actions.renew_feed(nurse)
    assert actions.close_feed(nurse) is False
    with pytest.raises(LevelUnknown):
        actions.open_feed(nurse, level="tout")
    actions.open_feed(nurse, level="neutre")
    with pytest.raises(FeedAlreadyOpen):
        actions.open_feed(nurse, level="neutre")
    actions.change_feed_level(nurse, level="occupe")
    actions.renew_feed(nurse)
    actions.close_feed(nurse)
    left = AccountTrace.objects.filter(actor_id=nurse.pk, object_kind="abonnement").order_by("at")
    assert [line.action.partition(" ")[2] for line in left] == ["ouvert", "réglé", "changé", "arrêté"]


@pytest.fixture
def page(client, nurse):
    client.force_login(nurse)
    return client


def test_off_by_default_opened_shown_once_renewed_and_stopped(page, nurse):
    feed = reverse("mon_agenda:feed")
    assert "Créer une adresse" in page.get(reverse("mon_agenda:settings")).content.decode()
    assert "Créer l’adresse" in page.get(feed).content.decode()
    refused = page.post(feed, {"level": "tout"})
    assert refused.status_code == 422 and "Choisissez" in refused.content.decode()
    assert not Feed.objects.exists()
    shown = page.post(feed, {"level": "neutre"}).content.decode()
    https = shown.partition('id="id_https"')[2].partition('value="')[2].partition('"')[0]
    webcal = shown.partition('id="id_webcal"')[2].partition('value="')[2].partition('"')[0]
    assert https.startswith(f"{product.SITE_URL}/agenda/flux/") and webcal.startswith("webcal://")
    path = https.removeprefix(product.SITE_URL)
    assert page.get(path).status_code == 200
    token = path.rpartition("/")[2]
    for again in (page.get(feed), page.get(reverse("mon_agenda:settings"))):
        assert token not in again.content.decode() and "Dernière lecture" in again.content.decode()
    page.post(feed, {"level": "occupe", "seen": "neutre"})
    assert Feed.objects.get().level == "occupe"
    renewed = page.post(reverse("mon_agenda:renew_feed")).content.decode()
    assert "Affichée une seule fois" in renewed and page.get(path).status_code == 404
    assert page.post(reverse("mon_agenda:close_feed"), follow=True).status_code == 200
    assert not Feed.objects.exists()
    # A button pressed in an old tab.
    assert "plus d’adresse" in page.post(reverse("mon_agenda:renew_feed"), follow=True).content.decode()


@pytest.mark.req("SEC-18")
def test_telling_more_asks_who_one_is_and_telling_less_does_not(page, nurse, settings):
    feed = reverse("mon_agenda:feed")
    page.post(feed, {"level": "neutre"})
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    assert page.post(feed, {"level": "complet", "seen": "neutre"}).status_code == 302
    assert Feed.objects.get().level == "neutre"
    page.post(feed, {"level": "occupe", "seen": "neutre"})
    assert Feed.objects.get().level == "occupe"
    page.post(reverse("mon_agenda:close_feed"))
    page.post(feed, {"level": "occupe"})
    assert not Feed.objects.exists()


@pytest.mark.req("SECT-22")
@pytest.mark.parametrize("signal", [password_changed, password_reset])
def test_a_new_password_ends_the_address(client, nurse, visit, signal):
    address = opened(nurse)
    signal.send(sender=type(nurse), request=RequestFactory().get("/"), user=nurse)
    assert client.get(address).status_code == 404 and not Feed.objects.exists()


@pytest.mark.req("SEC-18")
@pytest.mark.parametrize("before", [None, "neutre"])
def test_what_was_chosen_is_kept_while_one_shows_who_one_is(page, nurse, settings, before):
    feed = reverse("mon_agenda:feed")
    if before:
        page.post(feed, {"level": before})
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    asked = page.post(feed, {"level": "complet", "seen": before or ""})
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    done = page.post(asked.url, {"password": PASSWORD, "next": feed})
    assert done.status_code in (200, 302, 303)
    assert Feed.objects.get().level == "complet"
