"""Appointments mailed to the calendar program of who asked for it: invited, moved, cancelled; neutral, one by one."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda.actions import answering, meetings
from agenda.actions import appointments as acts
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who
from agenda.actions.meetings import Plan
from agenda.actions.merging import merge_appointments
from agenda.actions.schedules import schedule_of
from agenda.models import CalendarInvitation, Schedule
from coordination.dossiers.door import look
from coordination.outbox.models import Message, State
from tests.agenda import factories as make
from tests.agenda.mail_made import calendar_of, queued, sent, wants_mails
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def replies(settings):
    settings.AGENDA_REPLY_ADDRESS = "agenda@coordination.example"


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def doctor():
    return circle.account("10", family_name="TESTARD", given_name="Paul")


@pytest.fixture
def members(entry, nurse, doctor):
    return [make.member(entry, one) for one in (nurse, doctor)]


def facts(**more):
    said = {
        "kind": "intervention", "starts_at": make.at(10), "ends_at": make.at(11), "zone": "Europe/Paris",
        "title": "Pansement", "place": "12 rue des Lilas", "reason": "Escarre",
    }  # fmt: skip
    return Facts(**said | more)


def created(entry, members, **more):
    said = {key: more.pop(key) for key in ("ask", "done") if key in more}
    who = Who([member.pk for member in members], me=more.pop("me", False))
    return acts.create_appointment(entry, facts(**more), who, creation_key=uuid.uuid4(), **said)


def test_off_by_default(entry, members):
    made = created(entry, members)
    acts.move_appointment(entry, made.pk, starts_at=make.at(14), ends_at=make.at(15))
    assert queued() == [] and not CalendarInvitation.objects.exists()


@pytest.mark.req("SEC-22")
def test_who_asked_is_invited_with_neutral_words_and_he_alone(entry, members, nurse):
    wants_mails(nurse)
    made = created(entry, members)
    (message,) = sent()
    assert message["To"] == nurse.email
    found, event = calendar_of(message)
    assert (found["METHOD"], event["SUMMARY"], event["SEQUENCE"]) == ("REQUEST", "Rendez-vous", 0)
    assert event["UID"] == f"{made.pk}@127.0.0.1" and event["STATUS"] == "CONFIRMED"
    assert event["DTSTART"].dt == make.at(10) and event["DTSTART"].params["TZID"] == "Europe/Paris"
    assert str(event["ATTENDEE"]) == f"mailto:{nurse.email}" and event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert "LOCATION" not in event and "DESCRIPTION" not in event
    whole = message.as_string() + "".join(
        str(part.get_content()) for part in message.walk() if not part.is_multipart()
    )
    secrets = (entry.dossier.full_name, "Pansement", "Lilas", "Escarre", "TESTARD", entry.user.family_name)
    assert not [word for word in secrets if word in whole]


def test_the_reply_address_is_hers_and_is_kept_nowhere(entry, members, nurse, doctor):
    wants_mails(nurse, doctor)
    created(entry, members)
    first, second = (str(calendar_of(message)[1]["ORGANIZER"]) for message in sent())
    assert first != second and first.startswith("mailto:agenda+") and first.endswith("@coordination.example")
    name = first.removeprefix("mailto:").partition("@")[0]
    assert len(name) <= 64 and name == name.lower()
    token = name.partition("+")[2]
    kept = str(list(Message.objects.values())) + str(list(CalendarInvitation.objects.values()))
    assert token not in kept


def test_without_an_address_for_answers_none_is_asked(entry, members, nurse, settings):
    settings.AGENDA_REPLY_ADDRESS = ""
    settings.DEFAULT_FROM_EMAIL = "Coordination <ne-pas-repondre@coordination.example>"
    wants_mails(nurse)
    created(entry, members, ask=True)
    _, event = calendar_of(sent()[0])
    assert str(event["ORGANIZER"]) == "mailto:ne-pas-repondre@coordination.example"
    assert "RSVP" not in event["ATTENDEE"].params
    assert event["URL"]


def test_a_request_asks_for_an_answer_and_is_tentative(entry, members, nurse):
    wants_mails(nurse)
    made = created(entry, members, ask=True)
    _, event = calendar_of(sent()[0])
    assert event["STATUS"] == "TENTATIVE"
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION" and event["ATTENDEE"].params["RSVP"] == "TRUE"
    answering.accept_appointment(look(nurse, entry.dossier.pk), made.pk)
    assert sent() == [], "one yes of two: nothing she does not know"


def test_moves_follow_and_words_that_are_not_told_do_not(entry, members, nurse):
    wants_mails(nurse)
    made = created(entry, members)
    sent()
    acts.edit_appointment(
        entry, made.pk, facts(title="Pansement et bilan", place="Ailleurs"), Who([one.pk for one in members])
    )
    assert sent() == []
    acts.move_appointment(entry, made.pk, starts_at=make.at(14), ends_at=make.at(15))
    (message,) = sent()
    _, event = calendar_of(message)
    assert event["DTSTART"].dt == make.at(14) and event["SEQUENCE"] == 2
    assert message["Subject"].strip().startswith("Nouvel horaire : rendez-vous du ")
    assert "Nouvel horaire\xa0: rendez-vous le " in message.get_body(("plain",)).get_content()


def test_a_cancellation_follows_and_its_time_is_the_last_told(entry, members, nurse):
    wants_mails(nurse)
    made = created(entry, members)
    acts.cancel_appointment(entry, made.pk, reason="personne")
    (message,) = sent()
    found, event = calendar_of(message)
    assert (found["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
    assert "votre présence n’y est plus attendue" in message.get_body(("plain",)).get_content()
    # The invitation had not left: it says why it never will.
    first = Message.objects.filter(object_version=0, kind="agenda.calendar").get()
    assert first.state == State.ECHEC and "a changé avant l’envoi" in first.last_error


def test_who_is_taken_out_or_declines_has_it_taken_away_and_may_come_back(entry, members, nurse):
    wants_mails(nurse)
    made = created(entry, members)
    sent()
    nurse_member, doctor_member = members
    acts.edit_appointment(entry, made.pk, facts(), Who([doctor_member.pk]))
    found, event = calendar_of(sent()[0])
    assert (found["METHOD"], event["SEQUENCE"]) == ("CANCEL", 1)
    acts.edit_appointment(entry, made.pk, facts(), Who([nurse_member.pk, doctor_member.pk]))
    found, event = calendar_of(sent()[0])
    assert (found["METHOD"], event["SEQUENCE"]) == ("REQUEST", 2)
    answering.decline_appointment(look(nurse, entry.dossier.pk), made.pk)
    found, event = calendar_of(sent()[0])
    assert (found["METHOD"], event["SEQUENCE"]) == ("CANCEL", 3)


def test_the_author_is_told_too_and_the_past_to_nobody(entry, members, coordinator):
    wants_mails(coordinator)
    created(entry, members, me=True)
    assert [address for address, _ in queued()] == [coordinator.email]
    past = {"starts_at": make.at(10, days=-1), "ends_at": make.at(11, days=-1)}
    created(entry, members, me=True, done=True, **past)
    assert len(queued()) == 1


def test_a_meeting_is_told_once_it_is_fixed(entry, members, nurse):
    wants_mails(nurse)
    plan = Plan(
        members={members[0].pk: True, members[1].pk: False}, starts=[make.at(10), make.at(14)], minutes=60,
        zone="Europe/Paris", answer_by=timezone.now() + timezone.timedelta(days=2),
    )  # fmt: skip
    meeting = meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
    assert queued() == []
    time = meeting.proposals.order_by("starts_at").last()
    meetings.choose_time(entry, meeting.pk, time.pk)
    _, event = calendar_of(sent()[0])
    assert event["SUMMARY"] == "Réunion" and event["DTSTART"].dt == make.at(14)
    one = meeting.participations.get(user=nurse)
    meetings.remove_participant(entry, meeting.pk, one.pk)
    assert calendar_of(sent()[0])[0]["METHOD"] == "CANCEL"


def test_two_events_joined_are_one_in_her_calendar(entry, members, nurse, monkeypatch):
    wants_mails(nurse)
    kept, other = (created(entry, members[:1], kind="rendez_vous", starts_at=make.at(hour), ends_at=make.at(hour + 1))
                   for hour in (10, 12))  # fmt: skip
    sent()
    monkeypatch.setattr("agenda.actions.merging.pairs", lambda told: [1])
    merge_appointments(entry, kept.pk, other.pk)
    (message,) = sent()
    found, event = calendar_of(message)
    assert found["METHOD"] == "CANCEL" and event["UID"].startswith(str(other.pk))


def test_the_choice_is_in_the_settings(client, nurse, entry, members):
    client.force_login(nurse)
    settings = reverse("mon_agenda:settings")
    assert "Recevoir les rendez-vous par e-mail" in client.get(settings).content.decode()
    version = schedule_of(nurse).version
    client.post(settings, {"zone": "Europe/Paris", "mails_invitations": "on", "version": version})
    assert Schedule.objects.get(user=nurse).mails_invitations
    created(entry, members)
    assert [address for address, _ in queued()] == [nurse.email]
    client.post(settings, {"zone": "Europe/Paris", "version": version + 1})
    assert not Schedule.objects.get(user=nurse).mails_invitations


def test_an_act_undone_mails_nothing(entry, members, nurse, monkeypatch):
    wants_mails(nurse)

    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(acts, "record", broken)
    with pytest.raises(RuntimeError):
        created(entry, members)
    assert queued() == [] and not CalendarInvitation.objects.exists()
