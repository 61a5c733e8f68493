"""Entering, moving, changing, cancelling, noting what was done: one transaction, its history, who is told."""

import datetime as dt
import uuid
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agenda import letters, zones
from agenda.actions import appointments as actions
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who, participations_of
from agenda.actions.clashing import warnings
from agenda.errors import (
    AlreadyOver,
    AppointmentUnknown,
    CancelReasonMissing,
    EndsBeforeItStarts,
    InThePast,
    LastsTooLong,
    NobodyAttends,
    NoSuchHour,
    NotInTheCircle,
    NotYetPast,
    TimeTaken,
    TooLong,
    TooLongAgo,
)
from agenda.models import Appointment, Occupation, Participation, Room
from coordination.common.resending import AlreadySent
from coordination.dossiers.errors import ChangedMeanwhile, DossierIsReadOnly
from coordination.outbox.models import Message
from habilitations.errors import LevelMissing
from tests.agenda import factories
from tests.agenda.factories import HOUR, at
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
KIND, STATUS = Appointment.Kind, Appointment.Status
NBSP = "\u00a0"


def facts(starts=None, *, minutes=60, **said):
    starts = starts or at()
    said = {"kind": KIND.APPOINTMENT, "zone": "Europe/Paris", "title": "Point"} | said
    return Facts(starts_at=starts, ends_at=starts + dt.timedelta(minutes=minutes), **said)


def create(entry, facts_=None, *members, me=True, person=True, room=None, **said):
    who = Who([one.pk for one in members], me=me, person=person, room=room)
    return actions.create_appointment(
        entry, facts_ or facts(), who, creation_key=said.pop("key", uuid.uuid4()), **said
    )


def told():
    return list(Message.objects.order_by("created_at").values_list("kind", "to"))


@pytest.fixture
def colleague(entry):
    member = factories.member(entry)
    # What the opening of the dossier told him is not what is looked at.
    Message.objects.all().delete()
    return member


def user_of(member):
    return member.habilitation.user


# ---- entering ------------------------------------------------------------------------------------


@pytest.mark.req("AGD-10")
def test_what_is_agreed_is_booked_and_takes_the_time_of_each(entry, colleague):
    made = create(entry, None, colleague)
    assert made.status == STATUS.BOOKED
    people = participations_of(made)
    assert {one.status for one in people} == {"accepted"}
    assert {one.key for one in people} == {
        entry.dossier.pk, colleague.professional_id, entry.user.attachment.professional_id,
    }  # fmt: skip
    taken = Occupation.objects.filter(source=made.pk)
    assert {(row.key == entry.dossier.pk, row.exclusive) for row in taken} == {(True, False), (False, True)}
    assert [change.kind for change in made.changes.all()] == ["creation"]
    assert told() == [("agenda.invited", user_of(colleague).email)]


@pytest.mark.req("GAP-70")
def test_what_is_asked_waits_and_takes_nothing(entry, colleague):
    made = create(entry, None, colleague, ask=True)
    assert made.status == STATUS.PROPOSED
    said = {one.key: one.status for one in participations_of(made)}
    assert said[colleague.professional_id] == "needs-action"
    assert said[entry.user.attachment.professional_id] == "accepted"
    assert not Occupation.objects.filter(source=made.pk).exists()
    assert told() == [("agenda.asked", user_of(colleague).email)]


def test_asking_nobody_else_is_booking(entry):
    assert create(entry, ask=True).status == STATUS.BOOKED


@pytest.mark.req("SEC-22")
def test_the_letter_says_when_and_nothing_else(entry, colleague):
    entry.dossier.used_name = "SECRETNOM"
    create(entry, facts(title="Hémodialyse", reason="chimio", place="Oncologie"), colleague)
    message = Message.objects.get()
    said = f"{message.subject} {message.text} {message.html}"
    assert letters.moment_of(Appointment.objects.get()) in message.text
    for word in ("Hémodialyse", "chimio", "Oncologie", entry.dossier.birth_name, colleague.display_name):
        assert word not in said


def test_the_same_form_twice_makes_one(entry, colleague):
    key = uuid.uuid4()
    assert create(entry, None, colleague, key=key) == create(entry, None, colleague, key=key)
    assert Message.objects.count() == 1


@pytest.mark.req("REL-7")
def test_the_same_form_with_other_answers_is_refused(entry, colleague):
    key, said = uuid.uuid4(), facts()
    made = create(entry, said, colleague, key=key, me=True)
    assert create(entry, said, colleague, key=key, me=True) == made
    for other in (
        {"facts_": facts(at(15))}, {"facts_": replace(said, title="Autre")}, {"people": ()}, {"me": False},
        {"person": False},
    ):  # fmt: skip
        asked = {"facts_": said, "people": (colleague,), "me": True} | other
        with pytest.raises(AlreadySent):
            create(entry, asked["facts_"], *asked["people"], key=key, me=asked["me"], person=asked.get("person", True))
    assert Appointment.objects.count() == 1


def test_its_source_is_the_structure_of_who_enters_it(entry, house):
    user = make.account(make.NURSE, structure=house)
    factories.member(entry, user)
    nurse = make.entry_of(user, entry)
    made = create(nurse)
    assert (made.structure_id, made.on_behalf, made.organizer) == (house.pk, False, user)
    hers = create(nurse, facts(at(14)), on_behalf=True)
    assert (hers.structure_id, hers.on_behalf, hers.created_by) == (None, True, user)


@pytest.mark.req("AGD-9")
def test_she_may_not_take_part(entry):
    made = create(entry, person=False)
    assert [one.is_the_person for one in participations_of(made)] == [False]


def test_somebody_attends(entry):
    with pytest.raises(NobodyAttends):
        create(entry, me=False, person=False)


def test_an_absence_is_of_the_person_alone_and_may_last(entry, colleague):
    made = create(entry, facts(minutes=60 * 24 * 20, kind=KIND.HOSPITAL), colleague)
    assert [one.is_the_person for one in participations_of(made)] == [True]
    began = create(entry, facts(at(days=-3), minutes=60 * 24 * 8, kind=KIND.ABSENCE))
    assert began.starts_at < at(days=0)


def test_who_may_not_write_enters_nothing(entry):
    reads = replace(entry, access=replace(entry.access, ceilings={"agenda": 1, "reunions": 2}))
    create(reads, facts(at(15), kind=KIND.MEETING))
    with pytest.raises(LevelMissing):
        create(reads)


def test_a_paused_dossier_is_not_written(entry):
    type(entry.dossier).objects.filter(pk=entry.dossier.pk).update(status="pause")
    with pytest.raises(DossierIsReadOnly):
        create(entry)


def test_whom_one_may_not_see_cannot_be_invited(entry):
    discreet = factories.member(entry)
    discreet.discreet = True
    discreet.save(update_fields=["discreet"])
    user = make.account(make.SOCIAL)
    factories.member(entry, user)
    social = make.entry_of(user, entry)
    assert not social.access.sees_discreet_members
    with pytest.raises(NotInTheCircle):
        create(social, None, discreet)


def test_who_left_cannot_be_invited(entry, colleague):
    colleague.periods.update(ends_on=timezone.localdate(), end_reason="autre")
    with pytest.raises(NotInTheCircle):
        create(entry, None, colleague)


# ---- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"minutes": 0}, EndsBeforeItStarts),
        ({"minutes": -5}, EndsBeforeItStarts),
        ({"minutes": 24 * 60 + 1}, TooLong),
        ({"minutes": 367 * 24 * 60, "kind": KIND.HOSPITAL}, LastsTooLong),
        ({"starts": at(days=-1)}, InThePast),
        ({"starts": at(days=-40), "kind": KIND.ABSENCE}, InThePast),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_and_nothing_is_written(entry, said, refusal):
    starts = said.pop("starts", None)
    with pytest.raises(refusal):
        create(entry, facts(starts, **said))
    assert not Appointment.objects.exists()
    assert not Occupation.objects.exists()


def test_a_visit_already_made_is_noted_within_a_month(entry):
    made = create(entry, facts(at(days=-2)), done=True)
    assert made.status == STATUS.FULFILLED
    assert not Occupation.objects.exists()
    with pytest.raises(NotYetPast):
        create(entry, done=True)
    with pytest.raises(TooLongAgo):
        create(entry, facts(at(days=-40)), done=True)


@pytest.mark.req("REL-19")
def test_an_hour_that_does_not_exist_is_refused_and_one_that_exists_twice_is_the_first():
    with pytest.raises(NoSuchHour):
        zones.require_hour(dt.datetime(2027, 3, 28, 2, 30), "Europe/Paris")
    zones.require_hour(dt.datetime(2027, 10, 31, 2, 30), "Europe/Paris")
    twice = dt.datetime(2027, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert twice.astimezone(dt.UTC).hour == 0


# ---- two at once ---------------------------------------------------------------------------------


def test_one_is_told_what_takes_his_own_time(entry, coordinator):
    elsewhere = make.open_circle(coordinator)
    create(elsewhere, facts(title="Confidentiel"))
    with pytest.raises(TimeTaken) as refusal:
        create(entry)
    assert str(refusal.value).startswith("Vous n’êtes pas libre : vous avez un rendez-vous le")
    assert "de 10:00 à 11:00" in str(refusal.value)
    assert "Confidentiel" not in str(refusal.value)


def test_of_another_one_learns_only_that_he_is_not_free(entry, colleague):
    user = user_of(colleague)
    create(make.open_circle(user), facts(title="Confidentiel"))
    with pytest.raises(TimeTaken) as refusal:
        create(entry, None, colleague)
    assert str(refusal.value) == f"{colleague.display_name} : ce moment n’est pas libre. Choisissez-en un autre."


@pytest.mark.req("GAP-71")
def test_the_person_in_two_places_is_a_warning(entry, colleague):
    create(entry, facts(title="Un", kind=KIND.VISIT), me=True)
    made = create(entry, facts(at(10, 30)), colleague, me=False)
    assert warnings(entry, made, participations_of(made)) == [
        "La personne accompagnée a déjà quelque chose à ce moment : intervention à domicile de 10:00 à 11:00."
    ]


@pytest.mark.req("AGD-12")
def test_what_is_hidden_warns_of_nothing(entry):
    user = make.account(make.NURSE)
    factories.member(entry, user)
    create(make.entry_of(user, entry))
    made = create(entry)
    assert warnings(entry, made, participations_of(made)) == []


def test_the_agenda_of_another_says_not_free_without_why(entry, colleague):
    Occupation.objects.create(
        key=colleague.professional_id, kind="absence", source=uuid.uuid4(), starts_at=at(9), ends_at=at(18)
    )
    made = create(entry, None, colleague)
    assert warnings(entry, made, participations_of(made)) == [
        f"{colleague.display_name} : son agenda dit que ce moment n’est pas libre."
    ]


def test_a_room_holds_one_event_at_a_time(entry, coordinator, house):
    room = Room.objects.create(structure=house, name="Salle bleue")
    create(entry, room=room, me=False)
    with pytest.raises(TimeTaken) as refusal:
        create(make.open_circle(coordinator), room=room, me=False)
    assert str(refusal.value) == "Salle bleue : ce moment n’est pas libre. Choisissez-en un autre."


# ---- changing ------------------------------------------------------------------------------------


def test_a_move_is_told_and_raises_the_sequence(entry, colleague):
    made = create(entry, None, colleague)
    Message.objects.all().delete()
    moved = actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16), version=made.version)
    assert (moved.sequence, moved.version, moved.status) == (1, 2, STATUS.BOOKED)
    assert set(Occupation.objects.filter(source=made.pk).values_list("starts_at", flat=True)) == {at(15)}
    assert [change.kind for change in moved.changes.order_by("at")] == ["creation", "deplacement"]
    assert told() == [("agenda.moved", user_of(colleague).email)]
    assert letters.moment_of(made) in Message.objects.get().text


def test_who_had_not_booked_yet_answers_again_after_a_move(entry, colleague):
    made = create(entry, None, colleague, ask=True)
    Participation.objects.filter(appointment=made, member=colleague).update(status="accepted")
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    assert Participation.objects.get(appointment=made, member=colleague).status == "needs-action"


def test_a_move_onto_a_taken_time_changes_nothing(entry, colleague):
    create(entry, facts(at(15)), colleague, me=False)
    made = create(entry, None, colleague)
    with pytest.raises(TimeTaken):
        actions.move_appointment(entry, made.pk, starts_at=at(15, 30), ends_at=at(16, 30))
    made.refresh_from_db()
    assert (made.starts_at, made.sequence) == (at(), 0)
    assert set(Occupation.objects.filter(source=made.pk).values_list("starts_at", flat=True)) == {at()}


def test_who_comes_later_sees_that_it_changed_meanwhile(entry):
    made = create(entry)
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16), version=1)
    with pytest.raises(ChangedMeanwhile):
        actions.move_appointment(entry, made.pk, starts_at=at(16), ends_at=at(17), version=1)


def test_an_edit_says_which_fields_changed_and_who_joined_is_told(entry, colleague):
    made = create(entry)
    said = facts(title="Autre", reason="douleur")
    edited = actions.edit_appointment(entry, made.pk, said, Who([colleague.pk], me=True), version=1)
    assert (edited.title, edited.sequence) == ("Autre", 0)
    change = edited.changes.get(kind="modification")
    assert change.after == "titre, motif, participants"
    assert told() == [("agenda.invited", user_of(colleague).email)]
    assert Occupation.objects.filter(source=made.pk, key=colleague.professional_id).exists()


def test_who_leaves_an_event_is_told_and_has_his_time_back(entry, colleague):
    made = create(entry, None, colleague)
    Message.objects.all().delete()
    actions.edit_appointment(entry, made.pk, facts(), Who(me=True))
    assert told() == [("agenda.cancelled", user_of(colleague).email)]
    assert not Occupation.objects.filter(key=colleague.professional_id).exists()


def test_an_edit_leaves_alone_those_the_reader_may_not_see(entry):
    discreet = factories.member(entry)
    discreet.discreet = True
    discreet.save(update_fields=["discreet"])
    user = make.account(make.SOCIAL)
    factories.member(entry, user)
    social = make.entry_of(user, entry)
    made = create(social)
    factories.participation(made, discreet)
    actions.edit_appointment(social, made.pk, facts(title="Autre"), Who(me=True))
    assert Participation.objects.filter(appointment=made, member=discreet).exists()


def test_an_edit_that_changes_nothing_writes_nothing(entry):
    made = create(entry)
    assert actions.edit_appointment(entry, made.pk, facts(), Who(me=True)).version == 1
    assert made.changes.count() == 1


def test_what_one_does_not_see_one_cannot_change(entry):
    user = make.account(make.NURSE)
    factories.member(entry, user)
    made = create(make.entry_of(user, entry))
    with pytest.raises(AppointmentUnknown):
        actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    with pytest.raises(AppointmentUnknown):
        actions.cancel_appointment(entry, made.pk, reason="autre")


# ---- cancelling, done ----------------------------------------------------------------------------


@pytest.mark.req("GAP-86")
def test_what_is_cancelled_says_why_stays_readable_and_frees_the_time(entry, colleague):
    made = create(entry, None, colleague)
    Message.objects.all().delete()
    with pytest.raises(CancelReasonMissing):
        actions.cancel_appointment(entry, made.pk, reason="")
    cancelled = actions.cancel_appointment(entry, made.pk, reason="personne", note="Fatiguée")
    assert cancelled in Appointment.objects.visible_to(entry)
    assert (cancelled.status, cancelled.sequence) == (STATUS.CANCELLED, 1)
    assert not Occupation.objects.filter(source=made.pk).exists()
    assert told() == [("agenda.cancelled", user_of(colleague).email)]
    with pytest.raises(AlreadyOver):
        actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))


@pytest.mark.req("GAP-84")
def test_what_was_done_or_missed_is_noted_once_it_has_begun(entry):
    made = create(entry)
    with pytest.raises(NotYetPast):
        actions.mark_done(entry, made.pk)
    past = {"starts_at": at(days=-1), "ends_at": at(days=-1) + HOUR}
    Appointment.objects.update(**past)
    assert actions.mark_done(entry, made.pk).status == STATUS.FULFILLED
    other = create(entry, facts(at(15)))
    Appointment.objects.filter(pk=other.pk).update(**past)
    assert actions.mark_not_come(entry, other.pk).status == STATUS.NOSHOW
    assert not Occupation.objects.filter(source=other.pk).exists()


def test_the_moment_says_its_clock_when_it_is_not_that_of_the_installation(entry):
    made = create(entry, facts(at(10, zone=ZoneInfo("Indian/Reunion")), zone="Indian/Reunion"))
    assert letters.moment_of(made).endswith(f"à{NBSP}10:00 (heure de La Réunion)")
