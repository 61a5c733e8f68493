"""The pages of one’s own agenda: openings, absences, settings, list and week."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda.actions import openings as actions
from agenda.actions.openings import When
from agenda.actions.schedules import change_settings, schedule_of
from agenda.models import Absence, Appointment, Occupation, Opening, OpenTime, Participation, Proposal, Schedule
from agenda.rules import Freq, Rule
from agenda.zones import wall_text
from coordination.accounts import drafts
from coordination.dossiers.actions import change_status
from habilitations.models import AccountTrace, Habilitation
from tests.agenda import factories as make
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def page(client, nurse):
    client.force_login(nurse)
    return client


def day(days=7) -> dt.date:
    return timezone.localdate() + dt.timedelta(days=days)


def opening(**said):
    return {"first_day": f"{day():%d/%m/%Y}", "starts": "09:00", "ends": "12:00", "weeks": ""} | said


def absence(**said):
    return {"first_day": f"{day():%d/%m/%Y}", "all_day": "on", "weeks": ""} | said


def text_of(answer) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").replace("\u202f", " ").split())


# ---- Openings ------------------------------------------------------------------------------------


def test_nothing_is_written_by_looking(page):
    for name in ("list", "week", "openings", "absences", "settings", "add_opening", "add_absence"):
        assert page.get(reverse(f"mon_agenda:{name}")).status_code == 200
    assert not Schedule.objects.exists()


@pytest.mark.req("AGD-17")
def test_a_weekly_opening_begins_on_the_first_of_its_days(page, nurse):
    monday = day() + dt.timedelta(days=-day().weekday() + 7)
    said = opening(first_day=f"{monday:%d/%m/%Y}", weeks="2", weekdays=["1", "3"], modality="video")
    answer = page.post(reverse("mon_agenda:add_opening"), said, follow=True)
    found = Opening.objects.get(schedule__user=nurse)
    assert found.starts == f"{monday + dt.timedelta(days=1)}T09:00"
    assert "Une semaine sur deux, le mardi et le jeudi, de 09:00 à 12:00" in text_of(answer)
    assert "En visio" in text_of(answer)
    assert OpenTime.objects.filter(opening=found).count() > 50


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"ends": "08:00"}, "ends", "La fin doit venir après le début."),
        ({"starts": ""}, "starts", "Indiquez l’heure."),
        ({"first_day": ""}, "first_day", "Indiquez le jour."),
        ({"starts": "25:00"}, "starts", "Cette heure n’existe pas"),
        ({"first_day": "30/02/2027"}, "first_day", ""),
        ({"first_day": "01/02/2020"}, "first_day", "Tout est déjà passé"),
        ({"weeks": "1", "until": "01/02/2020"}, "until", "La répétition se termine avant de commencer."),
        ({"first_day": "30/03/2031", "starts": "02:30", "ends": "04:00"}, "starts", "n’existe pas"),
        ({"video_url": "javascript:alert(1)"}, "video_url", "Cette adresse n’est pas celle d’une page"),
    ],
)
def test_a_refusal_is_said_beside_its_field_and_what_was_typed_stays(page, said, field, sentence):
    answer = page.post(reverse("mon_agenda:add_opening"), opening(place="Maison de santé") | said)
    assert answer.status_code == 422
    assert f'id="id_{field}-erreur"' in answer.content.decode()
    assert sentence in text_of(answer) and "Maison de santé" in text_of(answer)
    assert not Opening.objects.exists() and not OpenTime.objects.exists()


def test_an_opening_is_changed_from_what_it_says_and_withdrawn(page, nurse):
    page.post(reverse("mon_agenda:add_opening"), opening(weeks="1", weekdays=["2"], until=f"{day(60):%d/%m/%Y}"))
    found = Opening.objects.get()
    shown = text_of(page.get(reverse("mon_agenda:change_opening", args=[found.pk])))
    assert 'id="id_weekdays_2" checked' in shown and 'id="id_weekdays_3" checked' not in shown
    assert '<option value="1" selected>' in shown and f"{day(60):%d/%m/%Y}" in shown and 'value="09:00"' in shown
    url = reverse("mon_agenda:change_opening", args=[found.pk])
    page.post(url, opening(starts="14:00", ends="15:00", version=found.version))
    assert Opening.objects.get().starts == f"{day()}T14:00"
    stale = page.post(url, opening(starts="16:00", ends="17:00", version=found.version))
    assert stale.status_code == 409 and Opening.objects.get().starts == f"{day()}T14:00"
    make.take_time(found.pk, [make.Taken(nurse.attachment.professional_id, True)], make.at(14), make.at(14, 30))
    gone = page.post(reverse("mon_agenda:remove_opening", args=[found.pk]), follow=True)
    assert "1 rendez-vous reste prévu en dehors de vos ouvertures." in text_of(gone)
    assert not Opening.objects.exists() and Occupation.objects.count() == 1


def test_a_rule_of_other_software_is_kept_unless_it_is_changed(page, nurse):
    rule = Rule(Freq.MONTHLY, by_month_day=(15,))
    starts = dt.datetime.combine(day(), dt.time(9))
    found = actions.add_opening(schedule_of(nurse), by=nurse, when=When(starts, starts + dt.timedelta(hours=1), rule))
    url = reverse("mon_agenda:change_opening", args=[found.pk])
    assert "La répétition reçue d’un autre logiciel" in text_of(page.get(url))
    page.post(url, opening(weeks="garder", version=1, place="Cabinet"))
    found.refresh_from_db()
    assert (found.rule, found.place) == ("FREQ=MONTHLY;BYMONTHDAY=15", "Cabinet")


def test_the_openings_of_another_are_not_there(page):
    other = circle.account()
    theirs = actions.add_opening(schedule_of(other), by=other, when=_when())
    away, _ = actions.add_absence(schedule_of(other), by=other, when=_when(days=9))
    for name, row in (("opening", theirs), ("absence", away)):
        for act in ("change", "remove"):
            url = reverse(f"mon_agenda:{act}_{name}", args=[row.pk])
            assert page.post(url, opening(version=1)).status_code == 404
    assert Opening.objects.count() == Absence.objects.count() == 1


def _when(days=7):
    starts = dt.datetime.combine(day(days), dt.time(9))
    return When(starts, starts + dt.timedelta(hours=2))


# ---- Absences and settings -----------------------------------------------------------------------


def test_days_of_absence_take_whole_days(page, nurse):
    said = absence(last_day=f"{day(9):%d/%m/%Y}", label="Congés")
    answer = page.post(reverse("mon_agenda:add_absence"), said, follow=True)
    assert f"Du {day():%d/%m/%Y} au {day(9):%d/%m/%Y}, toute la journée" in text_of(answer)
    found = Absence.objects.get()
    assert (found.starts, found.ends, found.all_day) == (f"{day()}T00:00", f"{day(10)}T00:00", True)
    shown = text_of(page.get(reverse("mon_agenda:change_absence", args=[found.pk])))
    assert f'value="{day(9):%d/%m/%Y}"' in shown and 'value="00:00"' not in shown
    page.post(reverse("mon_agenda:remove_absence", args=[found.pk]))
    assert not Absence.objects.exists() and not Occupation.objects.exists()


def test_hours_of_absence_want_their_hours(page):
    answer = page.post(reverse("mon_agenda:add_absence"), absence(all_day="", starts="09:00"))
    assert answer.status_code == 422 and "choisissez « Toute la journée »" in text_of(answer)
    answer = page.post(reverse("mon_agenda:add_absence"), absence(last_day=f"{day(2):%d/%m/%Y}"))
    assert answer.status_code == 422 and "Le dernier jour doit suivre le premier." in text_of(answer)
    assert not Absence.objects.exists()


def test_boxes_that_were_unticked_stay_so_in_a_draft(page, nurse):
    schedule = schedule_of(nurse)
    change_settings(schedule, by=nurse, zone="Europe/Paris", minutes={}, mails_invitations=True)
    for address, name, key, typed in (
        (reverse("mon_agenda:add_absence"), "all_day", "agenda-absence", "label=Congés"),
        (reverse("mon_agenda:settings"), "mails_invitations", "agenda-reglages", "zone=Europe/Paris"),
    ):
        ticked = re.compile(rf'name="{name}"[^>]* checked')
        assert ticked.search(page.get(address).content.decode())
        drafts.save(nurse, key, nurse.pk, typed)
        assert not ticked.search(page.get(address).content.decode())


@pytest.mark.req("REL-19")
def test_the_clock_is_that_of_a_territory(page, nurse):
    page.post(reverse("mon_agenda:add_opening"), opening())
    version = Schedule.objects.get().version
    answer = page.post(
        reverse("mon_agenda:settings"),
        {"zone": "Indian/Reunion", "version": version, "duree_visite": "45"},
        follow=True,
    )
    assert "Vos réglages sont enregistrés." in text_of(answer)
    schedule = Schedule.objects.get()
    assert schedule.zone == "Indian/Reunion"
    assert list(schedule.service_types.values_list("code", "minutes")) == [("visite", 45)]
    assert "Heure de La Réunion" in text_of(page.get(reverse("mon_agenda:list")))
    for wrong in ({"zone": "Europe/Berlin"}, {"zone": "Europe/Paris", "duree_visite": "2"}):
        assert page.post(reverse("mon_agenda:settings"), wrong).status_code == 422
    stale = page.post(reverse("mon_agenda:settings"), {"zone": "Europe/Paris", "version": version})
    assert stale.status_code == 409 and Schedule.objects.get().zone == "Indian/Reunion"


# ---- List and week -------------------------------------------------------------------------------


@pytest.fixture
def visit(entry, nurse):
    """A visit of the nurse in a dossier she may enter, with its motive."""
    member = make.member(entry, nurse)
    return make.appointment(
        entry, member, starts=make.at(10, days=1), title="Pansement", reason="Suite d’opération", with_person=True
    )


def lists(page):
    found = [text_of(page.get(reverse(f"mon_agenda:{name}"), {"jour": f"{day(1)}"})) for name in ("list", "week")]
    assert all("Erreur" not in text for text in found)
    return found


def test_what_one_attends_in_every_dossier_is_said_with_the_person(page, visit, entry, coordinator, nurse):
    other = circle.open_circle(coordinator)
    make.appointment(other, make.member(other, nurse), starts=make.at(15, days=1), title="Entretien")
    listed, week = lists(page)
    for title in ("Pansement", "Entretien"):
        assert title in listed and title in week
    assert entry.dossier.full_name in listed and other.dossier.full_name in listed
    trace = AccountTrace.objects.filter(object_kind="agenda", action="lecture").latest("at")
    assert trace.count == 2


def test_what_a_closed_dossier_held_is_a_time_taken_and_nothing_else(page, visit, entry, nurse):
    Habilitation.objects.filter(user=nurse).update(state="non")
    for text in lists(page):
        assert "Rendez-vous" in text
        for word in ("Pansement", entry.dossier.family_name, "opération"):
            assert word not in text


def test_a_dossier_in_pause_is_still_read(page, visit, entry):
    change_status(entry.dossier, by=entry.user, access=entry.access, status="pause", note="Séjour ailleurs")
    assert "Pansement" in lists(page)[0]


def test_absences_holds_and_imports_are_told_apart(page, nurse, entry):
    schedule = schedule_of(nurse)
    actions.add_absence(schedule, by=nurse, when=_when(days=1), label="Formation")
    meeting = make.appointment(
        entry, make.member(entry, nurse), status="pending", kind="reunion", title="Synthèse", taken=False,
        starts=make.at(8, days=40),
    )  # fmt: skip
    proposal = Proposal.objects.create(
        dossier=entry.dossier, appointment=meeting, starts_at=make.at(14, days=2), ends_at=make.at(15, days=2)
    )
    hold = {"kind": "option", "expires_at": timezone.now() + dt.timedelta(days=1)}
    for source, starts, more in (
        (proposal.pk, make.at(14, days=2), hold),
        (meeting.pk, make.at(16, days=2), {"kind": "importe"}),
        (nurse.pk, make.at(18, days=2), {"kind": "recu"}),
    ):
        Occupation.objects.create(
            key=schedule.key, source=source, starts_at=starts, ends_at=starts + make.HOUR, **more
        )
    listed, week = lists(page)
    assert "Formation" in listed and "Créneau proposé" in listed and "Synthèse" in listed
    assert "Agenda personnel" in listed and "Reçu d’un autre logiciel" in listed
    assert "look-propose" in week and "look-occupe" in week


def test_a_time_held_until_yesterday_is_held_no_more(page, nurse):
    """The hourly task has not passed yet: nobody else counts it any more."""
    schedule = schedule_of(nurse)
    Occupation.objects.create(
        key=schedule.key, source=nurse.pk, starts_at=make.at(14, days=2), ends_at=make.at(15, days=2), kind="option",
        expires_at=timezone.now() - dt.timedelta(minutes=1),
    )  # fmt: skip
    listed, _ = lists(page)
    assert "Créneau proposé" not in listed


def test_one_who_declined_has_the_time_back_and_a_cancelled_one_is_said(page, visit):
    Participation.objects.filter(appointment=visit).exclude(user=None).update(status="declined")
    Occupation.objects.all().delete()
    assert "Pansement" not in lists(page)[0]
    Participation.objects.filter(appointment=visit).update(status="accepted")
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", cancel_reason="autre")
    assert "Annulé" in lists(page)[0]


def test_what_is_read_does_not_grow_with_what_is_shown(page, nurse, entry, coordinator, django_assert_max_num_queries):
    def fill(times):
        for number in range(times):
            other = circle.open_circle(coordinator)
            member = make.member(other, nurse)
            make.appointment(other, member, starts=make.at(8 + number % 10, days=1 + number // 10 + times))
            actions.add_opening(schedule_of(nurse), by=nurse, when=_when(days=number + times))
            actions.add_absence(schedule_of(nurse), by=nurse, when=_when(days=number + times + 100))

    counts = []
    for times in (1, 3):
        fill(times)
        for name in ("list", "week"):
            with django_assert_max_num_queries(12) as seen:
                page.get(reverse(f"mon_agenda:{name}"))
            counts.append(len(seen))
    assert counts[:2] == counts[2:]


@pytest.mark.parametrize("asked", ["2026-02-30", "hier", "0001-01-01", "9999-12-31", ""])
def test_a_day_that_is_none_is_today(page, asked):
    for name in ("list", "week"):
        assert page.get(reverse(f"mon_agenda:{name}"), {"jour": asked}).status_code == 200


def test_today_is_that_of_the_clock_of_the_agenda(page, nurse):
    # One of the two has always another date than Paris.
    paris = timezone.localdate()
    zones = map(ZoneInfo, ("Pacific/Midway", "Pacific/Kiritimati"))
    zone = next(zone for zone in zones if timezone.localdate(timezone=zone) != paris)
    today = timezone.localdate(timezone=zone)
    schedule_of(nurse)
    Schedule.objects.update(zone=zone.key)
    assert f"?jour={today + dt.timedelta(days=28)}" in page.get(reverse("mon_agenda:list")).content.decode()
    monday = today - dt.timedelta(days=today.weekday())
    assert f"?jour={monday + dt.timedelta(days=7)}" in page.get(reverse("mon_agenda:week")).content.decode()


def test_an_absence_under_way_is_shown_whatever_the_clock(page, nurse):
    """An hour before it ends in Midway, its hour has gone by in Paris for half a day."""
    schedule, zone = schedule_of(nurse), ZoneInfo("Pacific/Midway")
    Schedule.objects.update(zone=zone.key)
    now = timezone.now().astimezone(zone)
    Absence.objects.create(
        schedule=schedule, label="Formation", zone=zone.key, starts=wall_text(now - make.HOUR),
        ends=wall_text(now + make.HOUR),
    )  # fmt: skip
    Absence.objects.create(
        schedule=schedule, label="Réunion", zone=zone.key, starts=wall_text(now - 2 * make.HOUR),
        ends=wall_text(now - make.HOUR),
    )  # fmt: skip
    text = text_of(page.get(reverse("mon_agenda:absences")))
    assert "Formation" in text and "Réunion" not in text
