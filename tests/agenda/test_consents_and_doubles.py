"""Her consent, dated; and one event told by two sources."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from agenda.actions import consents, merging
from agenda.doubles import Told, pairs
from agenda.errors import AppointmentUnknown, ConsentStands, NoConsentToWithdraw, NotDoubles
from agenda.models import AgendaConsent, Appointment, KeptApart, Occupation
from habilitations.errors import LevelMissing
from tests.agenda import factories
from tests.agenda.factories import at
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


def today(days=0):
    return timezone.localdate() + dt.timedelta(days=days)


@pytest.mark.req("AGD-11", "AGD-12")
def test_her_consent_is_given_and_taken_back_on_a_day(entry):
    given = consents.record_consent(entry, on=today(-3))
    assert (given.given_on, given.recorded_by) == (today(-3), entry.user)
    with pytest.raises(ConsentStands):
        consents.record_consent(entry, on=today())
    with pytest.raises(consents.WithdrawnBeforeGiven):
        consents.withdraw_consent(entry, on=today(-4))
    withdrawn = consents.withdraw_consent(entry, on=today())
    assert (withdrawn.withdrawn_on, withdrawn.withdrawn_by) == (today(), entry.user)
    with pytest.raises(NoConsentToWithdraw):
        consents.withdraw_consent(entry, on=today())
    consents.record_consent(entry, on=today())
    assert AgendaConsent.objects.count() == 2


def test_neither_is_dated_in_the_future(entry):
    with pytest.raises(consents.DateToCome):
        consents.record_consent(entry, on=today(1))
    assert not AgendaConsent.objects.exists()


def test_who_may_not_write_the_agenda_notes_no_consent(entry):
    reads = replace(entry, access=replace(entry.access, ceilings={"agenda": 1}))
    with pytest.raises(LevelMissing):
        consents.record_consent(reads, on=today())


# ---- doubles -------------------------------------------------------------------------------------


def told(source, minutes=0, *, keys=(), kind="rendez_vous", place=""):
    return Told(uuid.uuid4(), source, kind, at(10) + dt.timedelta(minutes=minutes), place, frozenset(keys))


ONE, OTHER, WHO = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


@pytest.mark.req("AGD-2")
@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (told(ONE, keys=[WHO]), told(OTHER, 5, keys=[WHO]), True),
        (told(ONE, keys=[WHO]), told(OTHER, 6, keys=[WHO]), False),
        (told(ONE, keys=[WHO]), told(ONE, keys=[WHO]), False),
        (told(ONE), told(OTHER), False),
        (told(ONE, place="Cabinet d’Albi"), told(OTHER, place="CABINET D’ALBI"), True),
        (told(ONE, place="Albi"), told(OTHER, place="Albi", kind="intervention"), False),
    ],
)
def test_two_events_that_look_like_one(first, second, alike):
    assert bool(pairs([first, second])) is alike
    assert pairs([first, second], apart=[(second.id, first.id)]) == []


@pytest.fixture
def two(entry, house):
    """An event that the coordinator entered in the person's name, and the same told by a structure."""
    consents.record_consent(entry, on=today())
    user = make.account(make.NURSE, structure=house)
    factories.member(entry, user)
    nurse = make.entry_of(user, entry)
    kept = factories.appointment(nurse, factories.member_of(entry, user), place="Cabinet", with_person=True)
    other = factories.appointment(
        entry, starts=at(10, 5), place="cabinet", on_behalf=True, structure_id=None, with_person=True
    )
    return kept, other


def test_joined_one_is_shown_and_the_other_takes_no_time(entry, two):
    kept, other = two
    merging.merge_appointments(entry, kept.pk, other.pk)
    assert list(Appointment.objects.visible_to(entry)) == [kept]
    assert set(Occupation.objects.values_list("source", flat=True)) == {kept.pk}
    assert [change.kind for change in kept.changes.all()] == ["fusion"]
    with pytest.raises(AppointmentUnknown):
        merging.merge_appointments(entry, kept.pk, other.pk)


def test_who_attends_either_attends_what_is_kept(entry, two):
    kept, other = two
    member = factories.member_of(entry, entry.user)
    factories.participation(other, member)
    merging.merge_appointments(entry, kept.pk, other.pk)
    assert kept.participations.count() == 3
    assert Occupation.objects.filter(source=kept.pk, key=member.professional_id).exists()


@pytest.mark.req("AGD-12")
@pytest.mark.parametrize("whose", ["kept", "other"])
def test_what_was_joined_is_told_apart_when_she_no_longer_agrees(entry, two, whose):
    """Neither who attends the hidden one is left in the other, nor is the one she told lost with the hidden one."""
    hidden, told_by_her = two
    stays, goes = (hidden, told_by_her) if whose == "kept" else (told_by_her, hidden)
    merging.merge_appointments(entry, stays.pk, goes.pk)
    consents.withdraw_consent(entry, on=today())
    assert list(Appointment.objects.visible_to(entry)) == [told_by_her]
    assert [one.is_the_person for one in told_by_her.participations.all()] == [True]
    assert set(Occupation.objects.values_list("source", flat=True)) == {hidden.pk, told_by_her.pk}
    assert hidden.participations.count() == 2
    goes.refresh_from_db()
    assert (goes.merged_into, goes.changes.latest("at").kind) == (None, "fusion")


def test_what_no_longer_looks_alike_is_not_joined(entry, two):
    kept, other = two
    Appointment.objects.filter(pk=other.pk).update(starts_at=at(12), ends_at=at(13))
    with pytest.raises(NotDoubles):
        merging.merge_appointments(entry, kept.pk, other.pk)
    with pytest.raises(NotDoubles):
        merging.merge_appointments(entry, kept.pk, kept.pk)


def test_said_to_be_two_once(entry, two):
    kept, other = two
    for pair in (two, reversed(two)):
        merging.keep_apart(entry, *(one.pk for one in pair))
    [apart] = KeptApart.objects.all()
    assert {apart.first_id, apart.second_id} == {kept.pk, other.pk}
    assert Appointment.objects.visible_to(entry).count() == 2
