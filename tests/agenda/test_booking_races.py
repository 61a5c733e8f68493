"""Many who book at once, by the act of the screens (issue 5 §4)."""

import uuid

import pytest

from agenda.actions.appointments import Facts, create_appointment
from agenda.actions.attending import Who
from agenda.errors import TimeTaken
from agenda.models import Appointment, Occupation, Participation
from coordination.outbox.models import Message
from tests.agenda import factories as make
from tests.agenda.factories import at
from tests.agenda.test_meetings import at_once, propose
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db(transaction=True)


def book(entry, member, *, starts=None):
    starts = starts or at(10)
    facts = Facts(kind="rendez_vous", starts_at=starts, ends_at=starts + make.HOUR, zone="Europe/Paris")
    return create_appointment(entry, facts, Who([member.pk]), creation_key=uuid.uuid4())


@pytest.mark.asvs("v5.0.0-2.3.4")
def test_fifty_who_book_one_slot_give_one_booking_and_49_refusals_and_nothing_half_written(entry):
    member = make.member(entry)
    Message.objects.all().delete()
    given = at_once([lambda: book(entry, member) for _ in range(50)])
    assert sum(isinstance(one, Appointment) for one in given) == 1
    assert given.count(TimeTaken) == 49
    assert (Appointment.objects.count(), Occupation.objects.filter(exclusive=True).count()) == (1, 1)
    # He and the person, once; one letter.
    assert (Participation.objects.count(), Message.objects.count()) == (2, 1)


def test_two_dossiers_that_book_one_professional_at_once(entry):
    other = circle.open_circle(circle.coordinator())
    user = circle.account()
    mine, theirs = make.member(entry, user), make.member(other, user)
    given = at_once([lambda: book(entry, mine), lambda: book(other, theirs), lambda: book(other, theirs)])
    assert sum(isinstance(one, Appointment) for one in given) == 1 and given.count(TimeTaken) == 2


def test_an_appointment_and_a_proposal_at_once_are_both_whole(entry):
    """What is agreed is booked; what is proposed is held or told to be taken, never both exclusive."""

    other = circle.open_circle(circle.coordinator())
    user = circle.account("10")
    mine, theirs = make.member(entry, user), {"doctor": make.member(other, user)}
    given = at_once(
        [lambda: book(entry, mine), lambda: propose(other, theirs, at(10), required=("doctor",), wished=())]
    )
    assert isinstance(given[0], Appointment) or isinstance(given[1], Appointment)
    rows = Occupation.objects.filter(key=user.attachment.professional_id, exclusive=True)
    assert rows.count() == 1
    assert rows.get().kind == "rendez_vous" or TimeTaken in given
