"""A meeting proposed, voted and fixed; links without an account; races and what happens in between (AGD-19 to 28)."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from agenda import links, meeting_letters, voted, waiting
from agenda.actions import answering, appointments, meetings, votes
from agenda.actions.attending import Who, participations_of
from agenda.actions.clashing import warnings
from agenda.actions.meetings import Plan
from agenda.actions.taking import let_go_of
from agenda.actions.votes import Said
from agenda.errors import (
    AlreadyFixed,
    AnswerByNotPossible,
    AppointmentUnknown,
    LinkVoid,
    MomentHeld,
    NobodyElse,
    NobodyLeft,
    NobodyToRemind,
    NotInTheCircle,
    OrganiserStays,
    ProposalUnknown,
    TimesChanged,
    TimesOverlap,
    TimeTaken,
    TooManyTimes,
)
from agenda.models import Answer, Appointment, Occupation, Participation, Proposal
from circle import actions as circle_actions
from circle.models import Member, Period
from coordination.common.resending import AlreadySent
from coordination.dossiers.door import look
from coordination.dossiers.errors import DossierUnknown
from coordination.outbox import filling
from coordination.outbox.models import Message
from habilitations.errors import LevelMissing
from habilitations.models import Trace
from tests.agenda import factories as make
from tests.agenda.factories import at
from tests.circle import factories as circle
from tests.waiting import PATIENCE

STATUS, ANSWER, NEED = Appointment.Status, Participation.Status, Participation.Need
KIND = Occupation.Kind
YES, IF_NEEDED, NO = Answer.Choice.YES, Answer.Choice.IF_NEEDED, Answer.Choice.NO

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def doctor():
    return circle.account("10", family_name="TESTARD", given_name="Paul")


@pytest.fixture
def there(entry, nurse, doctor):
    """Members of the circle: a doctor, a nurse, a relative without an account."""
    found = {
        "doctor": make.member(entry, doctor),
        "nurse": make.member(entry, nurse),
        "son": circle.relative(entry, email="karim@famille.example"),
    }
    Message.objects.all().delete()
    return found


def plan(there, *starts, required=("doctor", "nurse"), wished=("son",), **said):
    members = {there[name].pk: True for name in required} | {there[name].pk: False for name in wished}
    said = {
        "members": members, "starts": starts or (at(10), at(14), at(10, days=8)), "minutes": 60,
        "zone": "Europe/Paris", "answer_by": timezone.now() + dt.timedelta(days=3), "title": "Synthèse",
        "reason": "retour à domicile",
    } | said  # fmt: skip
    return Plan(**said)


def propose(entry, there, *starts, **said):
    return meetings.propose_meeting(entry, plan(there, *starts, **said), creation_key=uuid.uuid4())


def times_of(meeting):
    return list(meeting.proposals.filter(proposed_by=None).order_by("starts_at"))


def said(meeting, *choices, **more):
    return Said(choices=dict(zip([one.pk for one in times_of(meeting)], choices, strict=True)), **more)


def answers(user, meeting, *choices, **more):
    return votes.answer_times(look(user, meeting.dossier_id), meeting.pk, said(meeting, *choices, **more))


def of(meeting, member):
    return meeting.participations.get(member=member)


def stored(meeting):
    return Appointment.objects.get(pk=meeting.pk)


def taken(meeting):
    return set(Occupation.objects.filter(source=meeting.pk).values_list("key", flat=True))


# ---- Proposed ------------------------------------------------------------------------------------


@pytest.mark.req("AGD-19")
def test_a_meeting_is_proposed_held_and_asked_by_mail(entry, there, nurse, doctor):
    meeting = propose(entry, there, person=True)
    assert (meeting.kind, meeting.status, meeting.starts_at) == ("reunion", STATUS.PROPOSED, None)
    assert of(meeting, there["doctor"]).need == NEED.REQUIRED
    assert of(meeting, there["son"]).need == NEED.OPTIONAL
    held = Occupation.objects.filter(kind=KIND.HOLD, source__in=[one.pk for one in times_of(meeting)])
    # Three times: the organiser, the doctor, the nurse, the son and the person.
    assert held.count() == 15
    assert set(held.values_list("expires_at", flat=True)) == {meeting.answer_by}
    assert set(Message.objects.values_list("to", flat=True)) == {nurse.email, doctor.email, "karim@famille.example"}
    for mail in Message.objects.all():
        whole = mail.subject + mail.text + mail.html
        assert "EXEMPLE8" not in whole and entry.dossier.birth_name not in whole
        assert "retour à domicile" not in whole and "Synthèse" not in whole


def test_a_replayed_form_proposes_once(entry, there):
    key, wanted = uuid.uuid4(), plan(there)
    one, other = (meetings.propose_meeting(entry, wanted, creation_key=key) for _ in range(2))
    assert one == other and Proposal.objects.count() == 3
    for changed in ({"title": "Autre"}, {"starts": (at(9),)}, {"person": True}):
        with pytest.raises(AlreadySent):
            meetings.propose_meeting(entry, plan(there, **changed), creation_key=key)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"starts": (at(9), at(11), at(14), at(16))}, TooManyTimes),
        ({"starts": (at(9), at(9, 30))}, TimesOverlap),
        ({"answer_by": timezone.now() + dt.timedelta(days=9)}, AnswerByNotPossible),
        ({"answer_by": timezone.now() - dt.timedelta(days=1)}, AnswerByNotPossible),
        ({"members": {uuid.uuid4(): True}}, NotInTheCircle),
        ({"members": {}}, NobodyElse),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(entry, there, said, refusal):
    with pytest.raises(refusal):
        propose(entry, there, **said)
    assert not Appointment.objects.exists() and not Occupation.objects.exists() and not Message.objects.exists()


def test_who_may_not_write_the_meetings_proposes_nothing(entry, there):
    helper = circle.account("35")
    make.member(entry, helper)
    with pytest.raises(LevelMissing):
        propose(look(helper, entry.dossier.pk), there)
    assert not Appointment.objects.exists()


# ---- Answered and fixed --------------------------------------------------------------------------


@pytest.mark.req("AGD-23")
@pytest.mark.req("AGD-27")
@pytest.mark.req("AGD-28")
def test_when_the_indispensable_agree_the_meeting_lands_in_each_agenda(entry, there, nurse, doctor):
    meeting = propose(entry, there, person=True)
    answers(doctor, meeting, NO, YES, IF_NEEDED)
    assert stored(meeting).status == STATUS.PROPOSED
    Message.objects.all().delete()
    answers(nurse, meeting, YES, IF_NEEDED, YES)
    fixed = stored(meeting)
    # Two « oui » at 14:00 and at 10:00 of the next day, one of each « si besoin »: the earliest.
    assert (fixed.status, fixed.starts_at) == (STATUS.BOOKED, at(14))
    keys = {one.key for one in meeting.participations.all()}
    assert taken(meeting) == keys and len(keys) == 5
    assert not Occupation.objects.filter(kind=KIND.HOLD).exists()
    assert {of(meeting, there[name]).status for name in ("doctor", "nurse")} == {ANSWER.ACCEPTED}
    assert of(meeting, there["son"]).status == ANSWER.NEEDS_ACTION
    told = set(Message.objects.values_list("to", flat=True))
    assert told == {doctor.email, entry.user.email, "karim@famille.example"}


def test_the_most_yes_wins_over_the_earliest(entry, there, nurse, doctor):
    meeting = propose(entry, there)
    answers(doctor, meeting, IF_NEEDED, NO, YES)
    answers(nurse, meeting, YES, NO, YES)
    assert stored(meeting).starts_at == at(10, days=8)


def test_a_quorum_waits_for_those_who_are_only_wished(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10), quorum=4)
    answers(doctor, meeting, YES)
    answers(nurse, meeting, YES)
    assert stored(meeting).status == STATUS.PROPOSED
    votes.answer_by_link(of(meeting, there["son"]), said(meeting, YES))
    assert stored(meeting).status == STATUS.BOOKED


def test_when_no_time_suits_the_organiser_is_told_and_chooses(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10), at(14))
    answers(doctor, meeting, YES, NO)
    Message.objects.all().delete()
    answers(nurse, meeting, NO, YES)
    assert stored(meeting).status == STATUS.PROPOSED
    assert [mail.kind for mail in Message.objects.filter(to=entry.user.email)] == ["agenda.meeting_none_suits"]
    [notice] = waiting.of(entry.user)
    assert notice.link_url.endswith(f"/reunions/{meeting.pk}/")
    first = times_of(meeting)[0]
    meetings.choose_time(entry, meeting.pk, first.pk)
    assert stored(meeting).starts_at == at(10)
    assert of(meeting, there["nurse"]).status == ANSWER.DECLINED
    assert of(meeting, there["nurse"]).key not in taken(meeting)
    assert not waiting.of(entry.user)


def test_a_no_gives_back_the_time_that_was_held(entry, there, doctor):
    meeting = propose(entry, there, at(10), at(14))
    answers(doctor, meeting, NO, YES)
    key = of(meeting, there["doctor"]).key
    held = Occupation.objects.filter(key=key).values_list("starts_at", flat=True)
    assert list(held) == [at(14)]
    answers(doctor, meeting, YES, YES)
    assert Occupation.objects.filter(key=key).count() == 2


@pytest.mark.req("AGD-26")
@pytest.mark.req("AGD-24")
def test_another_moment_is_told_to_the_organiser_and_may_be_put_to_the_vote(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    other = (at(16), at(17))
    answers(doctor, meeting, NO, other=other, comment="en visite le matin")
    assert Message.objects.filter(to=entry.user.email, kind="agenda.meeting_proposed").count() == 1
    proposal = meeting.proposals.get(proposed_by__isnull=False)
    answers(nurse, meeting, YES)
    meetings.add_to_vote(entry, meeting.pk, proposal.pk)
    assert [one.starts_at for one in times_of(meeting)] == [at(10), at(16)]
    assert of(meeting, there["nurse"]).status == ANSWER.NEEDS_ACTION
    answers(nurse, meeting, YES, YES)
    assert stored(meeting).starts_at == at(16)


def test_a_vote_that_lasts_longer_holds_its_times_as_long(entry, there, doctor):
    meeting = propose(entry, there, at(10), answer_by=timezone.now() + dt.timedelta(hours=2))
    answers(doctor, meeting, NO, other=(at(16), at(17)))
    first = times_of(meeting)[0]
    meetings.add_to_vote(entry, meeting.pk, meeting.proposals.get(proposed_by__isnull=False).pk)
    held = Occupation.objects.filter(kind=KIND.HOLD)
    assert held.filter(source=first.pk).exists()
    assert set(held.values_list("expires_at", flat=True)) == {stored(meeting).answer_by}


@pytest.mark.req("AGD-26")
@pytest.mark.parametrize(
    ("told", "moment", "found"), [(20, 4, 20), (20, 50, 50), (20, 200, 72), (30, 4, 30), (2, 4, 4)]
)
def test_a_moment_put_to_the_vote_leaves_no_less_time_to_answer(entry, there, doctor, told, moment, found):
    """Hours from now: when answers were said to be due, when the other moment begins, when they are due then."""
    now = timezone.now().replace(microsecond=0)
    meeting = propose(entry, there, now + dt.timedelta(days=6), answer_by=now + dt.timedelta(hours=told))
    start = now + dt.timedelta(hours=moment)
    answers(doctor, meeting, NO, other=(start, start + dt.timedelta(hours=1)))
    meetings.add_to_vote(entry, meeting.pk, meeting.proposals.get(proposed_by__isnull=False).pk)
    assert round((stored(meeting).answer_by - now) / dt.timedelta(hours=1)) == found


def test_another_moment_of_a_vote_is_not_taken_past_the_vote(entry, there, doctor):
    meeting = propose(entry, there)
    answers(doctor, meeting, NO, NO, NO, other=(at(16), at(17)))
    other = meeting.proposals.exclude(proposed_by=None).get()
    for act in (answering.take_proposal, answering.refuse_proposal):
        with pytest.raises(ProposalUnknown):
            act(entry, meeting.pk, other.pk)
    assert stored(meeting).starts_at is None and times_of(meeting)


def test_answers_of_times_that_changed_are_asked_again(entry, there, doctor):
    meeting = propose(entry, there, at(10), at(14))
    with pytest.raises(TimesChanged):
        votes.answer_times(look(doctor, meeting.dossier_id), meeting.pk, Said(choices={times_of(meeting)[0].pk: YES}))
    assert not Answer.objects.filter(participation=of(meeting, there["doctor"])).exists()


def test_an_answer_after_the_meeting_is_fixed_changes_nothing(entry, there, doctor):
    meeting = propose(entry, there, at(10))
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    with pytest.raises(AlreadyFixed):
        answers(doctor, meeting, NO)
    assert of(meeting, there["doctor"]).key in taken(meeting)


# ---- Two organisers, other appointments ----------------------------------------------------------


def test_the_second_of_two_organisers_is_told_that_the_time_is_held(entry, there, doctor):
    propose(entry, there, at(10))
    other = circle.coordinator(family_name="DEUXIÈME", given_name="Lise")
    elsewhere = circle.open_circle(other)
    member = make.member(elsewhere, doctor)
    wanted = {"doctor": member}
    with pytest.raises(MomentHeld) as refusal:
        propose(elsewhere, wanted, at(10, 30), required=("doctor",), wished=())
    assert "TESTARD" in str(refusal.value) and "EXEMPLE" not in str(refusal.value)
    assert not Appointment.objects.filter(dossier=elsewhere.dossier).exists()
    # Of a wished one, it is not held; he says himself whether he comes.
    meeting = propose(elsewhere, wanted, at(10, 30), required=(), wished=("doctor",))
    assert meeting.status == STATUS.BOOKED
    assert of(meeting, member).key not in taken(meeting)


def test_what_is_agreed_goes_before_what_is_only_proposed(entry, there, doctor):
    """An appointment over a held time is booked, and says so; the meeting then takes its next best time."""
    meeting = propose(entry, there, at(10), at(14), required=("doctor",), wished=())
    own = circle.open_circle(entry.user)
    member = make.member(own, doctor)
    made = appointments.create_appointment(
        own,
        appointments.Facts(kind="rendez_vous", starts_at=at(10), ends_at=at(11), zone="Europe/Paris"),
        Who([member.pk], me=False),
        creation_key=uuid.uuid4(),
    )
    name = member.display_name
    assert warnings(own, made, participations_of(made)) == [f"{name} : ce moment est retenu."]
    answers(doctor, meeting, YES, YES)
    assert (stored(meeting).status, stored(meeting).starts_at) == (STATUS.BOOKED, at(14))


def test_a_hold_lets_go_by_itself(entry, there, doctor):
    meeting = propose(entry, there, at(10))
    Occupation.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    other = circle.open_circle(circle.coordinator())
    second = propose(other, {"doctor": make.member(other, doctor)}, at(10), required=("doctor",), wished=())
    assert second.status == STATUS.PROPOSED and meeting.pk != second.pk


def test_a_chosen_time_when_somebody_is_taken_since_is_refused_and_said(entry, there, doctor):
    meeting = propose(entry, there, at(10))
    answers(doctor, meeting, YES)
    Occupation.objects.filter(kind=KIND.HOLD).delete()
    other = circle.open_circle(circle.coordinator())
    make.appointment(other, make.member(other, doctor), starts=at(10))
    with pytest.raises(TimeTaken) as refusal:
        meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    assert "TESTARD" in str(refusal.value)
    assert stored(meeting).status == STATUS.PROPOSED and not taken(meeting)


# ---- In between ----------------------------------------------------------------------------------


def test_who_left_the_circle_counts_no_longer(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    circle_actions.remove_member(entry, there["nurse"], reason=Period.EndReason.values[0])
    answers(doctor, meeting, YES)
    assert stored(meeting).status == STATUS.BOOKED
    assert of(meeting, there["nurse"]).key not in taken(meeting)


def test_a_time_that_could_not_be_fixed_leaves_no_answer_on_the_next_one(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10), at(14))
    son = of(meeting, there["son"])
    first, second = times_of(meeting)
    # He answered before the second time was put to the vote.
    votes.write_choices(son, {first.pk: YES}, None)
    Participation.objects.filter(pk=son.pk).update(status=ANSWER.TENTATIVE)
    answers(doctor, meeting, YES, IF_NEEDED)
    let_go_of(of(meeting, there["doctor"]).key, [first.pk])
    make.appointment(entry, there["doctor"], starts=at(10))
    answers(nurse, meeting, YES, IF_NEEDED)
    assert stored(meeting).starts_at == at(14)
    assert of(meeting, there["son"]).status == ANSWER.NEEDS_ACTION


def test_a_removed_participant_is_told_and_his_time_given_back(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    answers(doctor, meeting, YES)
    one = of(meeting, there["nurse"])
    meetings.remove_participant(entry, meeting.pk, one.pk)
    assert not Occupation.objects.filter(key=one.key, kind=KIND.HOLD).exists()
    assert Message.objects.filter(to=nurse.email, kind="agenda.meeting_removed").exists()
    # The others agree.
    assert stored(meeting).status == STATUS.BOOKED
    with pytest.raises(OrganiserStays):
        meetings.remove_participant(entry, meeting.pk, meeting.participations.get(user=entry.user).pk)


def test_the_last_other_one_is_not_taken_out_of_a_meeting(entry, there, doctor):
    meeting = propose(entry, there, required=("doctor",), wished=())
    with pytest.raises(NobodyLeft):
        meetings.remove_participant(entry, meeting.pk, of(meeting, there["doctor"]).pk)
    assert stored(meeting).status == STATUS.PROPOSED
    assert of(meeting, there["doctor"]).status == ANSWER.NEEDS_ACTION


def test_with_the_person_alone_who_organises_chooses(entry, there, doctor):
    meeting = propose(entry, there, required=("doctor",), wished=(), person=True)
    meetings.remove_participant(entry, meeting.pk, of(meeting, there["doctor"]).pk)
    assert stored(meeting).status == STATUS.PROPOSED
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    assert stored(meeting).status == STATUS.BOOKED


def test_nothing_is_fixed_by_itself_for_an_organiser_who_is_out(entry, there, nurse, doctor, monkeypatch):
    meeting = propose(entry, there, at(10))
    Appointment.objects.filter(pk=meeting.pk).update(organizer=circle.account())
    answers(doctor, meeting, YES)
    answers(nurse, meeting, YES)
    assert stored(meeting).status == STATUS.PROPOSED
    # Who may write the meetings decides.
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    assert stored(meeting).status == STATUS.BOOKED


def test_the_last_other_moment_of_a_participant_counts(entry, there, nurse, doctor):
    meeting = propose(entry, there)
    for hour in (16, 17, 18):
        answers(doctor, meeting, NO, NO, NO, other=(at(hour), at(hour + 1)))
    [standing] = meeting.proposals.filter(withdrawn_at=None).exclude(proposed_by=None)
    assert standing.starts_at == at(18)


@pytest.mark.req("AGD-24")
def test_who_has_no_account_is_told_that_a_fixed_meeting_moves(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    answers(doctor, meeting, YES)
    answers(nurse, meeting, YES)
    Message.objects.all().delete()
    appointments.move_appointment(entry, meeting.pk, starts_at=at(16), ends_at=at(17))
    said = Message.objects.get(to="karim@famille.example")
    assert "16:00" in said.text.replace("\xa0", " ") and entry.dossier.birth_name not in said.text
    assert Message.objects.count() == 3


@pytest.mark.req("AGD-25")
def test_a_meeting_is_cancelled_before_it_is_fixed(entry, there, nurse):
    meeting = propose(entry, there)
    Message.objects.all().delete()
    appointments.cancel_appointment(entry, meeting.pk, reason="organisateur")
    assert stored(meeting).status == STATUS.CANCELLED and not Occupation.objects.exists()
    assert "karim@famille.example" in set(Message.objects.values_list("to", flat=True))
    assert not waiting.of(nurse)


@pytest.mark.req("AGD-25")
def test_a_fixed_meeting_cancelled_from_the_agenda_is_told_to_who_has_no_account(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    answers(doctor, meeting, YES)
    answers(nurse, meeting, YES)
    Message.objects.all().delete()
    appointments.cancel_appointment(entry, meeting.pk, reason="organisateur")
    assert sorted(Message.objects.values_list("to", flat=True)) == sorted(
        ["karim@famille.example", nurse.email, doctor.email]
    )


def fixed(entry, there, nurse, doctor, hour=10):
    """A meeting fixed at once while the nurse, who had not answered, is taken elsewhere at that time."""
    meeting = propose(entry, there, at(hour))
    make.appointment(entry, there["nurse"], starts=at(hour))
    answers(doctor, meeting, YES)
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    assert there["nurse"].professional_id not in taken(meeting)
    return stored(meeting)


@pytest.mark.req("AGD-25")
def test_one_declines_though_another_is_taken_elsewhere(entry, there, nurse, doctor):
    meeting = fixed(entry, there, nurse, doctor)
    answering.decline_appointment(look(doctor, meeting.dossier_id), meeting.pk)
    assert of(meeting, there["doctor"]).status == ANSWER.DECLINED
    assert there["doctor"].professional_id not in taken(meeting)
    # And so does who is not free.
    answering.decline_appointment(look(nurse, meeting.dossier_id), meeting.pk)


def test_one_accepts_though_another_is_taken_elsewhere_and_not_what_he_cannot(entry, there, nurse, doctor):
    meeting = fixed(entry, there, nurse, doctor)
    answering.decline_appointment(look(doctor, meeting.dossier_id), meeting.pk)
    answering.accept_appointment(look(doctor, meeting.dossier_id), meeting.pk)
    assert there["doctor"].professional_id in taken(meeting)
    with pytest.raises(TimeTaken) as refusal:
        answering.accept_appointment(look(nurse, meeting.dossier_id), meeting.pk)
    assert "Vous n’êtes pas libre" in str(refusal.value)


def test_a_visitor_of_the_dossier_who_is_not_invited_answers_nothing(entry, there):
    meeting = propose(entry, there, required=("doctor",), wished=())
    outsider = circle.account()
    with pytest.raises(DossierUnknown):
        look(outsider, meeting.dossier_id)
    other = circle.open_circle(circle.coordinator())
    with pytest.raises(AppointmentUnknown):
        votes.answer_times(other, meeting.pk, said(meeting, YES, YES, YES))


# ---- By a personal link --------------------------------------------------------------------------


def link(meeting, member):
    return reverse("reponse:answer", args=[links.token_of(of(meeting, member))])


def posted(meeting, *choices, **more):
    return {f"creneau_{one.pk}": choice for one, choice in zip(times_of(meeting), choices, strict=True)} | more


def text(response):
    return response.content.decode().replace("\xa0", " ")


def test_who_has_no_account_answers_by_his_link(client, entry, there):
    meeting = propose(entry, there)
    mail = Message.objects.get(to="karim@famille.example")
    body, _ = filling.bodies(mail)
    assert link(meeting, there["son"]) in body and filling.PLACE in mail.text
    page = client.get(link(meeting, there["son"]))
    assert page.status_code == 200
    for hidden in (entry.dossier.birth_name, "retour à domicile", "TESTARD", "SPÉCIMEN", "Synthèse"):
        assert hidden not in text(page)
    assert entry.user.get_full_name() in text(page)
    answer = client.post(link(meeting, there["son"]), posted(meeting, YES, NO, IF_NEEDED, comment="Merci"))
    assert answer.status_code == 200 and "Merci, votre réponse est enregistrée" in text(answer)
    mine = of(meeting, there["son"])
    assert (mine.status, mine.comment) == (ANSWER.TENTATIVE, "Merci")
    assert Trace.objects.filter(dossier_id=meeting.dossier_id, actor_name="lien personnel").count() == 1


def test_a_missing_answer_is_asked_again(client, entry, there):
    meeting = propose(entry, there)
    sent = posted(meeting, YES, NO, YES)
    sent.pop(next(iter(sent)))
    answer = client.post(link(meeting, there["son"]), sent)
    assert answer.status_code == 422 and "Répondez pour ce créneau." in text(answer)
    assert not Answer.objects.filter(participation=of(meeting, there["son"])).exists()


def test_a_forged_a_voided_and_a_removed_link_are_pages_that_do_not_exist(client, entry, there):
    meeting = propose(entry, there)
    address = link(meeting, there["son"])
    assert client.get(address[:-4] + "abc/").status_code == 404
    Participation.objects.filter(member=there["son"]).update(generation=2)
    assert client.get(address).status_code == 404
    address = link(meeting, there["son"])
    assert client.get(address).status_code == 200
    Member.objects.filter(pk=there["son"].pk).update(email="autre@famille.example")
    assert client.get(address).status_code == 404
    address = link(meeting, there["son"])
    meetings.remove_participant(entry, meeting.pk, of(meeting, there["son"]).pk)
    assert client.get(address).status_code == 404
    assert client.post(address, {}).status_code == 404


def test_an_address_corrected_in_the_circle_is_the_one_that_is_written_to(client, entry, there):
    meeting = propose(entry, there)
    former = link(meeting, there["son"])
    son = Member.objects.get(pk=there["son"].pk)
    circle_actions.update_member(entry, son, version=son.version, fields={"email": "karim.juste@famille.example"})
    assert client.get(former).status_code == 404
    # The letter that waited to leave for the former address does not.
    with pytest.raises(filling.NothingToSend):
        meeting_letters.fill(Message.objects.get(kind="agenda.meeting_link"))
    Participation.objects.update(reminded_at=None)
    meetings.remind_participants(entry, meeting.pk)
    letter = Message.objects.filter(kind="agenda.meeting_link").latest("pk")
    assert letter.to == "karim.juste@famille.example"
    assert client.get(link(meeting, Member.objects.get(pk=there["son"].pk))).status_code == 200


def test_once_fixed_the_link_says_when_and_takes_no_answer(client, entry, there):
    meeting = propose(entry, there, at(10), place="Maison de santé")
    address, sent = link(meeting, there["son"]), posted(meeting, NO)
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    for page in (client.get(address), client.post(address, sent)):
        assert "La réunion est fixée" in text(page) and "10:00 à 11:00" in text(page)
    assert not Answer.objects.filter(participation=of(meeting, there["son"])).exists()


def test_a_link_used_while_it_is_voided_answers_nothing(entry, there):
    meeting = propose(entry, there)
    one = of(meeting, there["son"])
    Participation.objects.filter(pk=one.pk).update(generation=2)
    with pytest.raises(LinkVoid):
        votes.answer_by_link(one, said(meeting, YES, YES, YES))


def test_a_letter_of_who_was_removed_does_not_leave(entry, there):
    meeting = propose(entry, there)
    mail = Message.objects.get(to="karim@famille.example")
    meetings.remove_participant(entry, meeting.pk, of(meeting, there["son"]).pk)
    with pytest.raises(filling.NothingToSend):
        filling.bodies(mail)


# ---- Reminders, minutes --------------------------------------------------------------------------


def test_those_who_have_not_answered_are_reminded_once_the_day_before(entry, there, doctor):
    meeting = propose(entry, there, answer_by=timezone.now() + dt.timedelta(hours=20))
    Appointment.objects.filter(pk=meeting.pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    answers(doctor, meeting, YES, NO, NO)
    Message.objects.all().delete()
    assert meetings.remind_due() == 2
    assert meetings.remind_due() == 0
    assert doctor.email not in set(Message.objects.values_list("to", flat=True))


def test_all_those_who_come_are_reminded_the_day_before_the_meeting_once(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10), at(14))
    answers(doctor, meeting, YES, NO)
    answers(nurse, meeting, YES, NO)
    assert meetings.remind_due() == 0
    soon = timezone.now() + dt.timedelta(hours=20)
    Appointment.objects.filter(pk=meeting.pk).update(starts_at=soon, ends_at=soon + dt.timedelta(hours=1))
    Message.objects.all().delete()
    # The organiser, the doctor, the nurse, and the relative who has not answered.
    assert meetings.remind_due() == 4
    assert meetings.remind_due() == 0


def test_a_meeting_that_moves_is_reminded_of_again(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10))
    answers(doctor, meeting, YES)
    answers(nurse, meeting, YES)
    meeting.participations.update(reminded_at=timezone.now())
    appointments.move_appointment(entry, meeting.pk, starts_at=at(10, days=9), ends_at=at(11, days=9))
    assert not meeting.participations.exclude(reminded_at=None).exists()
    soon = timezone.now() + dt.timedelta(hours=20)
    appointments.move_appointment(entry, meeting.pk, starts_at=soon, ends_at=soon + make.HOUR)
    # The letter that says that it moves is that reminder.
    assert meetings.remind_due() == 0


def test_relaunching_is_once_a_day(entry, there):
    meeting = propose(entry, there)
    assert meetings.remind_participants(entry, meeting.pk) == 3
    with pytest.raises(NobodyToRemind):
        meetings.remind_participants(entry, meeting.pk)


def test_nobody_who_left_the_circle_is_said_to_be_reminded(entry, there, nurse, doctor):
    meeting = propose(entry, there, at(10), wished=())
    answers(doctor, meeting, YES)
    circle_actions.remove_member(entry, there["nurse"], reason=Period.EndReason.values[0])
    with pytest.raises(NobodyToRemind):
        meetings.remind_participants(entry, meeting.pk)
    assert of(meeting, there["nurse"]).reminded_at is None


def test_who_is_only_told_is_not_among_those_who_answer(entry, there):
    meeting = propose(entry, there, at(10))
    meeting.participations.filter(member=there["son"]).update(need=NEED.INFORMATION)
    people = participations_of(meeting)
    drawn = voted.of(meeting, people, {one.pk: "X" for one in people})
    # The organiser, the doctor, the nurse: those whose answers fix the meeting.
    assert drawn.times[0].of == len(votes.voters_of(meeting, people)) == 3


def test_minutes_are_told_to_those_who_attend_the_first_time(entry, there, nurse):
    meeting = propose(entry, there, at(10))
    meetings.choose_time(entry, meeting.pk, times_of(meeting)[0].pk)
    Message.objects.all().delete()
    meetings.write_minutes(entry, meeting.pk, "Présents : tous")
    assert Message.objects.filter(kind="agenda.meeting_minutes").count() == 2
    meetings.write_minutes(entry, meeting.pk, "Présents : tous, à l’heure")
    assert Message.objects.filter(kind="agenda.meeting_minutes").count() == 2


# ---- Races ---------------------------------------------------------------------------------------


def at_once(acts):
    """Do these acts at once, each in its connection; return what each gave."""
    given, start = [], threading.Barrier(len(acts))

    def run(act):
        start.wait(PATIENCE)
        try:
            given.append(act())
        except Exception as error:
            given.append(type(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    return given


@pytest.mark.django_db(transaction=True)
def test_two_organisers_at_once_hold_the_same_professional_once(entry, doctor):
    other = circle.open_circle(circle.coordinator())
    mine, theirs = {"doctor": make.member(entry, doctor)}, {"doctor": make.member(other, doctor)}
    said = {"required": ("doctor",), "wished": ()}
    given = at_once([lambda: propose(entry, mine, at(10), **said), lambda: propose(other, theirs, at(10), **said)])
    assert sum(isinstance(one, Appointment) for one in given) == 1
    assert {one for one in given if isinstance(one, type)} <= {TimeTaken, MomentHeld}
    assert Appointment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_last_answers_at_once_fix_the_meeting_once(entry, nurse, doctor):
    there = {"doctor": make.member(entry, doctor), "nurse": make.member(entry, nurse)}
    meeting = propose(entry, there, at(10), wished=())
    given = at_once([lambda: answers(doctor, meeting, YES), lambda: answers(nurse, meeting, YES)])
    assert all(isinstance(one, Appointment) for one in given)
    assert stored(meeting).status == STATUS.BOOKED
    assert meeting.changes.filter(kind="confirmation").count() == 1
    assert len(taken(meeting)) == 3


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_fifty_choosing_at_once_fix_one_time(entry, doctor):
    meeting = propose(entry, {"doctor": make.member(entry, doctor)}, at(10), at(14), required=("doctor",), wished=())
    times = times_of(meeting)
    given = at_once([lambda n=n: meetings.choose_time(entry, meeting.pk, times[n % 2].pk) for n in range(50)])
    assert sum(isinstance(one, Appointment) for one in given) == 1
    assert Occupation.objects.filter(kind=KIND.APPOINTMENT).count() == 2
