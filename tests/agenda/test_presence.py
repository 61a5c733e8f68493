"""Who leaves the circle, who comes back, who becomes known to the directory: his time follows at once."""

import uuid

import pytest
from django.utils import timezone

from agenda import links, own
from agenda.actions import appointments, meetings, rekeying, schedules
from agenda.actions.attending import Who, take
from agenda.actions.feeds import open_feed
from agenda.actions.openings import When, add_opening
from agenda.errors import TimeTaken
from agenda.models import Answer, Appointment, Occupation, OpenTime, Participation, Proposal, Schedule
from circle.actions import remove_member, undo_removal
from coordination.directory.actions import attach_account
from tests.agenda import factories as make
from tests.agenda.factories import at
from tests.circle import factories as circle
from tests.circle.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def member(entry, nurse):
    return make.member(entry, nurse)


def taken(key):
    return Occupation.objects.filter(key=key)


def booked(entry, member, *, me=True, **said):
    facts = appointments.Facts(
        kind="rendez_vous", starts_at=said.pop("starts", at()), ends_at=said.pop("ends", at(11)), zone="Europe/Paris"
    )
    return appointments.create_appointment(entry, facts, Who([member.pk], me=me), creation_key=uuid.uuid4(), **said)


def test_who_leaves_the_circle_has_his_time_back_at_once(entry, member, nurse):
    made = booked(entry, member)
    other = circle.open_circle(entry.user)
    elsewhere = make.appointment(other, make.member(other, nurse), starts=at(15))
    remove_member(entry, member, reason="depart")
    assert list(taken(member.professional_id).values_list("source", flat=True)) == [elsewhere.pk]
    assert taken(entry.user.attachment.professional_id).filter(source=made.pk).exists()
    # Somebody else may have it.
    booked(other, make.member_of(other, nurse), me=False)


def test_what_a_proposed_meeting_holds_of_him_is_given_back_too(entry, member):
    plan = meetings.Plan(
        members={member.pk: True}, starts=[at(), at(14)], minutes=60, zone="Europe/Paris",
        answer_by=timezone.now() + make.HOUR,
    )  # fmt: skip
    meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
    assert taken(member.professional_id).count() == 2
    remove_member(entry, member, reason="depart")
    assert not taken(member.professional_id).exists()


def test_what_is_past_stays_told(entry, member):
    made = make.appointment(entry, member, starts=at(days=-2))
    remove_member(entry, member, reason="depart")
    assert taken(member.professional_id).filter(source=made.pk).exists()


def test_who_leaves_the_circle_follows_nothing_more_of_it(client, entry, member, nurse):
    """In the calendar of his programs and in his own agenda; what is past stays."""
    past, coming = make.appointment(entry, member, starts=at(days=-2)), make.appointment(entry, member)
    address = f"/agenda/flux/{open_feed(nurse, level='occupe')[1]}.ics"

    def followed():
        said = client.get(address).content.decode()
        return [str(one.pk) in said for one in (past, coming)]

    def listed(one):
        return one.pk in [mine.appointment_id for mine in own._participations(nurse, *one.span)]

    assert followed() == [True, True] and listed(past) and listed(coming)
    remove_member(entry, member, reason="depart")
    assert followed() == [True, False] and listed(past) and not listed(coming)
    undo_removal(entry, member)
    assert followed() == [True, True] and listed(coming)


def test_who_is_put_back_takes_his_time_again_where_he_is_free(entry, member, nurse):
    free, lost = booked(entry, member), booked(entry, member, starts=at(14), ends=at(15))
    remove_member(entry, member, reason="depart")
    other = circle.open_circle(entry.user)
    make.appointment(other, make.member(other, nurse), starts=at(14))
    undo_removal(entry, member)
    mine = taken(member.professional_id)
    assert mine.filter(source=free.pk, exclusive=True).exists()
    assert not mine.filter(source=lost.pk).exists()


def test_what_is_only_proposed_elsewhere_does_not_keep_him_from_coming_back(entry, member, nurse):
    made = booked(entry, member)
    remove_member(entry, member, reason="depart")
    held = Occupation.objects.create(
        key=member.professional_id, kind="option", source=uuid.uuid4(), starts_at=at(), ends_at=at(11), exclusive=True,
        expires_at=timezone.now() + make.HOUR,
    )  # fmt: skip
    undo_removal(entry, member)
    assert taken(member.professional_id).filter(source=made.pk, exclusive=True).exists()
    held.refresh_from_db()
    assert not held.exclusive


def test_what_is_taken_elsewhere_comes_back_as_it_was(entry, member, nurse):
    """It only warned: it still does, whatever he has at that time since."""
    made = make.appointment(entry, member, only_warns=True, taken=False)
    take(entry, made)
    before = taken(member.professional_id).values_list("source", "kind", "exclusive").get()
    assert before == (made.pk, "recu", False)
    remove_member(entry, member, reason="depart")
    other = circle.open_circle(entry.user)
    make.appointment(other, make.member(other, nurse))
    undo_removal(entry, member)
    assert before in set(taken(member.professional_id).values_list("source", "kind", "exclusive"))


# ---- an account that the directory comes to know --------------------------------------------------


@pytest.fixture
def unknown(entry):
    """An account that no entry of the directory has yet, with an opening and an appointment of its own."""
    user = UserFactory(family_name="NOUVEL", given_name="Omar")
    schedule = schedules.schedule_of(user)
    start = at(9).replace(tzinfo=None)
    add_opening(schedule, by=user, when=When(start, start.replace(hour=12), None))
    made = make.appointment(entry)
    Participation.objects.create(
        dossier_id=made.dossier_id, appointment=made, key=user.pk, user=user, status="accepted"
    )
    Occupation.objects.create(
        key=user.pk, kind="rendez_vous", source=made.pk, starts_at=made.starts_at, ends_at=made.ends_at, exclusive=True
    )
    return user, made


def test_all_that_was_under_the_account_is_under_the_professional(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    attach_account(user, professional, by=entry.user)
    assert not taken(user.pk).exists() and not OpenTime.objects.filter(key=user.pk).exists()
    assert taken(professional.pk).get().source == made.pk
    assert made.participations.get(user=user).key == professional.pk
    assert Schedule.objects.get(user=user).key == professional.pk
    assert OpenTime.objects.filter(key=professional.pk).count() == 1
    # Both are one for a double booking.
    with pytest.raises(TimeTaken):
        booked(entry, circle.add(entry, professional))


def test_what_follows_an_account_is_all_under_its_professional(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    rekeying.follow_account(user, professional)
    assert taken(professional.pk).get().source == made.pk and not taken(user.pk).exists()


def test_two_bookings_made_in_good_faith_both_stay(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    twin = make.appointment(entry, circle.add(entry, professional))
    attach_account(user, professional, by=entry.user)
    assert set(taken(professional.pk).values_list("source", "exclusive")) == {(made.pk, False), (twin.pk, True)}


def proposed(made, member, **said):
    """Three times put to the vote, and the one who was invited by his line of the directory."""
    row = make.participation(made, member)
    times = [
        Proposal.objects.create(
            dossier_id=made.dossier_id, appointment=made, starts_at=at(hour), ends_at=at(hour + 1), **said
        )
        for hour in (13, 14, 15)
    ]
    return row, times


def vote(row, time, choice):
    return Answer.objects.create(dossier_id=row.dossier_id, participation=row, proposal=time, choice=choice)


def test_who_was_invited_twice_to_one_event_is_there_once(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    member = circle.add(entry, professional)
    make.participation(made, member)
    attach_account(user, professional, by=entry.user)
    row = made.participations.get(key=professional.pk)
    assert (row.user, row.member, row.status) == (user, member, "accepted")
    assert Appointment.objects.filter(participations__key=user.pk).count() == 0


def test_what_he_answered_and_proposed_as_an_account_stays(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    kept, times = proposed(made, circle.add(entry, professional))
    own = made.participations.get(user=user)
    answered = timezone.now()
    Participation.objects.filter(pk=own.pk).update(status="tentative", answered_at=answered, comment="Plutôt le soir")
    vote(kept, times[0], "non")
    for time, choice in zip(times, ("oui", "si_besoin"), strict=False):
        vote(own, time, choice)
    Proposal.objects.filter(pk=times[2].pk).update(proposed_by=own)
    attach_account(user, professional, by=entry.user)
    row = made.participations.get(key=professional.pk)
    assert (row.pk, row.status, row.answered_at, row.comment) == (kept.pk, "tentative", answered, "Plutôt le soir")
    # Of two answers to one time, the last one.
    assert dict(row.answers.values_list("proposal", "choice")) == {times[0].pk: "oui", times[1].pk: "si_besoin"}
    assert [one.pk for one in row.proposals.all()] == [times[2].pk]


def test_the_last_of_his_two_answers_is_his(entry, unknown):
    user, made = unknown
    professional = circle.listed()
    kept = make.participation(made, circle.add(entry, professional), status="declined", answered_at=timezone.now())
    attach_account(user, professional, by=entry.user)
    assert made.participations.get(key=professional.pk).status == "declined"
    # Who declined is not taken.
    assert not taken(professional.pk).filter(source=made.pk).exists()
    assert kept.pk == made.participations.get(user=user).pk


def test_what_he_was_invited_to_before_he_had_an_account_is_his(entry):
    professional = circle.listed(email="avant@cabinet.example")
    made = make.appointment(entry, circle.add(entry, professional))
    token = links.token_of(made.participations.get())
    assert links.participation_of(token) == made.participations.get()
    user = UserFactory(family_name="NOUVEL", given_name="Omar")
    attach_account(user, professional, by=entry.user)
    row = made.participations.get()
    assert (row.user, row.key, row.email) == (user, professional.pk, user.email)
    # An account answers by its page, no longer by the link that was mailed.
    assert links.participation_of(token) is None
