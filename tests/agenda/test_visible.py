"""Who sees which events of a person’s agenda: rubric, structure, consent, invitation (AGD-1, 9, 11, 12; rule 6)."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from agenda import history
from agenda.actions.appointments import Facts, create_appointment
from agenda.actions.attending import Who
from agenda.models import AgendaConsent, Appointment
from circle.actions import set_discreet
from coordination.dossiers import door
from habilitations.actions import open_emergency
from habilitations.rubriques import Rubrique
from tests.agenda import factories
from tests.circle import factories as make
from tests.habilitations.acting_data import stand_in

pytestmark = pytest.mark.django_db
KIND = Appointment.Kind


def seen(entry) -> set:
    return set(Appointment.objects.visible_to(entry))


def inside(entry, profession=make.NURSE, fonction="", structure=None):
    """Return the entry of a new account of the circle, inside the dossier."""
    user = make.account(profession, fonction, structure)
    factories.member(entry, user)
    return make.entry_of(user, entry)


def agree(entry, **said):
    return AgendaConsent.objects.create(
        dossier=entry.dossier, given_on=timezone.localdate(), recorded_by=entry.user, **said
    )


@pytest.fixture
def nurse(entry, house):
    return inside(entry, structure=house)


def test_one_sees_what_he_entered(entry):
    made = factories.appointment(entry)
    assert seen(entry) == {made}


@pytest.mark.req("AGD-9")
def test_an_event_is_seen_whether_or_not_she_takes_part_in_it(entry):
    without, with_her = (
        factories.appointment(entry),
        factories.appointment(entry, starts=factories.at(14), with_person=True),
    )
    assert seen(entry) == {without, with_her}


@pytest.mark.req("AGD-12")
def test_without_her_consent_events_of_other_structures_are_hidden(entry, nurse):
    factories.appointment(nurse)
    assert seen(entry) == set()


@pytest.mark.req("AGD-11")
def test_with_her_consent_they_are_seen_as_well_as_ones_own(entry, nurse):
    theirs, own = factories.appointment(nurse), factories.appointment(entry)
    agree(entry)
    assert seen(entry) == {theirs, own}


@pytest.mark.req("AGD-12")
def test_once_withdrawn_they_are_hidden_again(entry, nurse):
    factories.appointment(nurse)
    agree(entry, withdrawn_on=timezone.localdate(), withdrawn_at=timezone.now(), withdrawn_by=entry.user)
    assert seen(entry) == set()


@pytest.mark.req("AGD-12")
def test_who_practises_alone_is_another_too(entry):
    alone = inside(entry)
    factories.appointment(alone)
    assert alone.access.hat.structure_id is None
    assert seen(entry) == set()


def test_ones_own_structure_is_seen_without_consent(entry, house, nurse):
    colleague = inside(entry, structure=house)
    made = factories.appointment(nurse)
    assert seen(colleague) == {made}


def test_what_the_person_told_is_hers(entry, nurse):
    made = factories.appointment(nurse, structure_id=None, on_behalf=True)
    assert seen(entry) == {made}


def test_the_rubric_of_the_kind_decides(entry):
    made = factories.appointment(entry)
    meeting = factories.appointment(entry, kind=KIND.MEETING, starts=factories.at(15))
    agree(entry)
    for profession, fonction in ((make.NURSE, ""), (make.PHARMACIST, ""), (make.ROLE_ONLY, "331"), (make.SOCIAL, "")):
        reader = inside(entry, profession, fonction)
        expected = set()
        if reader.access.can_read(Rubrique.AGENDA):
            expected.add(made)
        if reader.access.can_read(Rubrique.REUNIONS):
            expected.add(meeting)
        assert seen(reader) == expected, reader.access.profile


def test_who_is_invited_sees_it_whatever_the_matrix(entry):
    reader = inside(entry)
    closed = door.Entry(reader.dossier, _closed(reader.access), reader.user)
    other = factories.appointment(entry, kind=KIND.MEETING)
    meeting = factories.appointment(
        entry, factories.member_of(entry, reader.user), kind=KIND.MEETING, starts=factories.at(15)
    )
    agree(entry)
    assert seen(closed) == {meeting}
    assert other not in seen(closed)


def _closed(access):
    return replace(access, ceilings={Rubrique.AGENDA.value: 0, Rubrique.REUNIONS.value: 0})


def test_one_that_joined_another_is_no_longer_shown(entry):
    kept = factories.appointment(entry)
    factories.appointment(entry, starts=factories.at(10, 5), merged_into=kept)
    assert seen(entry) == {kept}


def test_nothing_of_another_dossier(entry, coordinator):
    factories.appointment(make.open_circle(coordinator))
    assert seen(entry) == set()


@pytest.mark.req("SEC-15")
def test_a_stand_in_sees_what_the_other_has(entry, nurse):
    other = make.account(make.NURSE)
    stand_in(nurse.user, other)
    made = factories.appointment(nurse)
    acting = make.entry_of(other, entry)
    assert acting.access.on_behalf_of
    invited = factories.appointment(
        entry, factories.member_of(entry, nurse.user), starts=factories.at(16), structure_id=None
    )
    factories.appointment(inside(entry), starts=factories.at(17))
    assert seen(acting) == {made, invited}


def test_a_discreet_member_is_not_betrayed_by_his_events(entry):
    discreet = inside(entry, make.DOCTOR)
    member = factories.member_of(entry, discreet.user)
    member.discreet = True
    member.save(update_fields=["discreet"])
    made = factories.appointment(discreet)
    agree(entry)
    knows, does_not = inside(entry, make.DOCTOR), inside(entry, make.SOCIAL)
    assert knows.access.sees_discreet_members
    assert not does_not.access.sees_discreet_members
    assert does_not.access.can_read(Rubrique.AGENDA)
    assert seen(knows) == {made}
    assert seen(does_not) == set()


@pytest.mark.req("PEERS-RULE-7")
def test_nor_is_a_discreet_structure_by_what_its_people_enter_in_her_name(entry):
    agent = make.account(make.DOCTOR)
    member = make.add_house(entry, make.legal_structure(agent), wanted="oui")
    member.discreet = True
    member.save(update_fields=["discreet"])
    by_house = make.entry_of(agent, entry)
    facts = Facts(kind=KIND.APPOINTMENT, starts_at=factories.at(10), ends_at=factories.at(11), zone="Europe/Paris")
    made = create_appointment(by_house, facts, Who(), creation_key=uuid.uuid4(), on_behalf=True)
    assert seen(by_house) == {made} == seen(inside(entry, make.DOCTOR))
    assert seen(inside(entry, make.SOCIAL)) == set()


@pytest.mark.req("SEC-8")
def test_in_an_emergency_what_the_door_opens_is_seen(settings, entry):
    settings.BRIS_DE_GLACE = True
    doctor = make.account(make.DOCTOR)
    open_emergency(entry.dossier.pk, by=doctor, reason="vitale", detail="Essai")
    made = factories.appointment(entry)
    reader = make.entry_of(doctor, entry)
    assert seen(reader) == set()
    agree(entry)
    assert seen(reader) == ({made} if reader.access.can_read(Rubrique.AGENDA) else set())


def test_upcoming_leaves_out_what_is_over_and_what_is_cancelled(entry):
    past = dt.timedelta(days=-9)
    factories.appointment(entry, starts=factories.at() + past)
    factories.appointment(entry, starts=factories.at(8), status="cancelled", cancel_reason="autre")
    second, first = factories.appointment(entry, starts=factories.at(12)), factories.appointment(entry)
    assert list(Appointment.objects.visible_to(entry).upcoming()) == [first, second]


# ---- history -------------------------------------------------------------------------------------


def lines(entry, appointment):
    return [line.sentence for line in history.lines_of(entry, appointment)]


def test_an_agent_of_a_discreet_structure_is_not_named_to_who_may_not_know_it(entry, house):
    """He comes in by his structure alone (rule 7): the event is seen, who changed it is not told."""
    discreet = make.StructureFactory()
    set_discreet(entry, make.add_house(entry, discreet), True)
    agent = make.account(make.NURSE, structure=discreet, family_name="CACHÉ", given_name="Ève")
    made = factories.appointment(entry, with_person=True)
    agree(entry)
    made.changes.create(dossier=entry.dossier, by=agent, kind="modification", after="lieu")
    visitor = inside(entry, make.SOCIAL)
    assert visitor.access.sees_whole_circle and not visitor.access.sees_discreet_members
    assert lines(visitor, made) == ["Un membre du cercle a modifié le rendez-vous : lieu."]
    assert "CACHÉ Ève" in lines(entry, made)[0]
    # Whom all may see as a member is named, wherever he works.
    factories.member(entry, agent)
    assert "CACHÉ Ève" in lines(visitor, made)[0]
