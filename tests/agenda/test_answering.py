"""What one who is invited answers, and what becomes of the appointment (AGD-23 to 27; rule 6)."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda import waiting
from agenda.actions import answering as actions
from agenda.actions.appointments import move_appointment
from agenda.actions.common import read_as
from agenda.actions.openings import DAY
from agenda.errors import (
    AlreadyOver,
    AlreadyProposed,
    AppointmentUnknown,
    EndsBeforeItStarts,
    InThePast,
    NotInvited,
    ProposalUnknown,
    SameMoment,
    TimeTaken,
)
from agenda.models import Appointment, AppointmentChange, Occupation, Participation, Proposal
from coordination.common.french import long_date
from coordination.dossiers.door import look
from coordination.dossiers.errors import DossierIsReadOnly
from coordination.outbox.models import Message
from habilitations.errors import LevelMissing
from habilitations.models import Habilitation, Trace
from tests.agenda import factories as make
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db
STATUS, ANSWER = Appointment.Status, Participation.Status


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def doctor():
    return circle.account("10", family_name="TESTARD", given_name="Paul")


@pytest.fixture
def asked(entry, nurse, doctor):
    """A visit asked to a nurse and a doctor, for the person; nobody has answered."""
    members = [make.member(entry, one) for one in (nurse, doctor)]
    # What the opening of the dossier told them is not what is looked at.
    Message.objects.all().delete()
    return make.appointment(entry, *members, status=STATUS.PROPOSED, with_person=True, taken=False, title="Point")


def within(user, appointment):
    return look(user, appointment.dossier_id)


def stored(appointment):
    return Appointment.objects.get(pk=appointment.pk)


def answer_of(appointment, user):
    return appointment.participations.get(user=user)


def letters():
    return sorted(Message.objects.values_list("kind", "to"))


def taken_keys(appointment):
    return set(Occupation.objects.filter(source=appointment.pk).values_list("key", flat=True))


# ---- Yes -----------------------------------------------------------------------------------------


@pytest.mark.req("AGD-23")
@pytest.mark.req("AGD-27")
def test_the_last_indispensable_yes_confirms_and_takes_the_time_of_all(asked, entry, nurse, doctor):
    actions.accept_appointment(within(nurse, asked), asked.pk)
    assert stored(asked).status == STATUS.PROPOSED and not taken_keys(asked)
    actions.accept_appointment(within(doctor, asked), asked.pk, comment="Je serai à l’heure")
    found = stored(asked)
    assert (found.status, found.sequence) == (STATUS.BOOKED, 1)
    assert len(taken_keys(asked)) == 3
    kinds = list(AppointmentChange.objects.order_by("at").values_list("kind", flat=True))
    assert kinds == ["reponse", "reponse", "confirmation"]
    assert letters() == sorted([("agenda.confirmed", nurse.email), ("agenda.confirmed", entry.user.email)])


def test_the_optional_ones_are_not_waited_for(asked, nurse, doctor):
    Participation.objects.filter(user=doctor).update(need=Participation.Need.OPTIONAL)
    actions.accept_appointment(within(nurse, asked), asked.pk)
    assert stored(asked).status == STATUS.BOOKED


def test_a_quorum_is_waited_for(asked, nurse, doctor):
    Participation.objects.exclude(user=None).update(need=Participation.Need.OPTIONAL)
    Appointment.objects.update(quorum=2)
    actions.accept_appointment(within(nurse, asked), asked.pk)
    assert stored(asked).status == STATUS.PROPOSED
    actions.accept_appointment(within(doctor, asked), asked.pk)
    assert stored(asked).status == STATUS.BOOKED


def test_a_yes_on_a_time_already_taken_is_refused_and_changes_nothing(asked, nurse, doctor, entry):
    make.take_time(uuid.uuid4(), [make.Taken(doctor.attachment.professional_id, True)], asked.starts_at, asked.ends_at)
    actions.accept_appointment(within(nurse, asked), asked.pk)
    with pytest.raises(TimeTaken):
        actions.accept_appointment(within(doctor, asked), asked.pk)
    assert stored(asked).status == STATUS.PROPOSED
    assert answer_of(asked, doctor).status == ANSWER.NEEDS_ACTION


@pytest.mark.parametrize("act", [actions.accept_appointment, actions.decline_appointment])
def test_who_is_not_invited_answers_nothing(asked, entry, act):
    with pytest.raises(NotInvited):
        act(entry, asked.pk)
    outside = circle.account()
    make.member(entry, outside)
    # A nurse who reads the agenda sees it and is not invited; who reads nothing of it does not find it.
    with pytest.raises((NotInvited, AppointmentUnknown)):
        act(circle.entry_of(outside, entry), asked.pk)


def test_what_is_over_past_or_of_a_closed_dossier_is_not_answered(asked, nurse, entry):
    inside = within(nurse, asked)
    Appointment.objects.update(starts_at=timezone.now() - 2 * DAY, ends_at=timezone.now() - DAY)
    with pytest.raises(InThePast):
        actions.accept_appointment(inside, asked.pk)
    Appointment.objects.update(status="cancelled", cancel_reason="autre")
    with pytest.raises(AlreadyOver):
        actions.decline_appointment(inside, asked.pk)
    type(entry.dossier).objects.update(status="pause")
    with pytest.raises(DossierIsReadOnly):
        actions.decline_appointment(inside, asked.pk)
    assert not AppointmentChange.objects.exists()


# ---- No ------------------------------------------------------------------------------------------


@pytest.mark.req("AGD-25")
def test_a_no_gives_the_time_back_and_tells_the_organiser(asked, entry, nurse, doctor):
    for user in (nurse, doctor):
        actions.accept_appointment(within(user, asked), asked.pk)
    Message.objects.all().delete()
    actions.decline_appointment(within(doctor, asked), asked.pk, comment="Empêché")
    assert stored(asked).status == STATUS.BOOKED
    assert answer_of(asked, doctor).status == ANSWER.DECLINED
    assert doctor.attachment.professional_id not in taken_keys(asked) and len(taken_keys(asked)) == 2
    assert letters() == [("agenda.declined", entry.user.email)]
    # And yes again.
    actions.accept_appointment(within(doctor, asked), asked.pk)
    assert len(taken_keys(asked)) == 3


# ---- Another time --------------------------------------------------------------------------------


@pytest.mark.req("AGD-26")
def test_another_time_is_told_to_the_organiser_who_takes_it(asked, entry, nurse, doctor):
    actions.accept_appointment(within(nurse, asked), asked.pk)
    new = asked.starts_at + DAY
    proposal = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    assert answer_of(asked, doctor).status == ANSWER.TENTATIVE
    assert stored(asked).starts_at == asked.starts_at
    assert letters() == [("agenda.proposed", entry.user.email)]
    assert [one.title for one in waiting.of(entry.user)] == ["Un autre moment vous est proposé"]
    actions.take_proposal(entry, asked.pk, proposal.pk)
    found = stored(asked)
    assert (found.starts_at, found.status) == (new, STATUS.PROPOSED)
    # The one who proposed it has said yes, the other answers again.
    assert answer_of(asked, doctor).status == ANSWER.ACCEPTED
    assert answer_of(asked, nurse).status == ANSWER.NEEDS_ACTION
    assert not waiting.of(entry.user)
    with pytest.raises(ProposalUnknown):
        actions.take_proposal(entry, asked.pk, proposal.pk)
    actions.accept_appointment(within(nurse, asked), asked.pk)
    assert stored(asked).status == STATUS.BOOKED


def test_a_time_set_aside_while_one_waits_to_take_it_is_not_taken(asked, entry, doctor, monkeypatch):
    new, before = asked.starts_at + DAY, asked.starts_at
    proposal = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    locked = actions.locked_appointment

    def after_another(*args, **said):
        Proposal.objects.update(withdrawn_at=timezone.now())
        return locked(*args, **said)

    monkeypatch.setattr(actions, "locked_appointment", after_another)
    with pytest.raises(ProposalUnknown):
        actions.take_proposal(entry, asked.pk, proposal.pk)
    assert stored(asked).starts_at == before


def test_another_time_may_be_left_and_its_author_answers_again(asked, entry, doctor):
    new = asked.starts_at + DAY
    proposal = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    actions.refuse_proposal(entry, asked.pk, proposal.pk)
    assert stored(asked).starts_at == asked.starts_at
    assert answer_of(asked, doctor).status == ANSWER.NEEDS_ACTION
    assert ("agenda.kept", doctor.email) in letters()
    # Proposed again, it is the same proposal, standing.
    again = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    assert (again.pk, again.withdrawn_at) == (proposal.pk, None)


def test_another_time_makes_sense_or_is_refused(asked, doctor):
    start, inside = asked.starts_at, within(doctor, asked)
    past = timezone.now() - DAY
    for starts, ends, refusal in (
        (past, past + make.HOUR, InThePast),
        (start + DAY, start, EndsBeforeItStarts),
        (start, asked.ends_at, SameMoment),
    ):
        with pytest.raises(refusal):
            actions.propose_time(inside, asked.pk, starts_at=starts, ends_at=ends)
    assert not Proposal.objects.exists() and answer_of(asked, doctor).status == ANSWER.NEEDS_ACTION
    actions.propose_time(inside, asked.pk, starts_at=start + DAY, ends_at=start + DAY + make.HOUR)
    with pytest.raises(AlreadyProposed):
        actions.propose_time(inside, asked.pk, starts_at=start + DAY, ends_at=start + DAY + make.HOUR)


def test_only_who_writes_the_agenda_decides_of_another_time(asked, entry, nurse, doctor):
    new = asked.starts_at + DAY
    proposal = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    # He reads the agenda and is invited: that is not writing it.
    pharmacist = circle.account(circle.PHARMACIST)
    make.participation(asked, make.member(entry, pharmacist))
    for act in (actions.take_proposal, actions.refuse_proposal):
        with pytest.raises(LevelMissing):
            act(circle.entry_of(pharmacist, entry), asked.pk, proposal.pk)
    assert stored(asked).starts_at == asked.starts_at


# ---- On screen -----------------------------------------------------------------------------------


@pytest.fixture
def page(client, doctor):
    client.force_login(doctor)
    return client


def url_of(appointment):
    return reverse("agenda:answer", args=[appointment.dossier_id, appointment.pk])


def text_of(answer) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").replace("\u202f", " ").split())


def day_of(moment) -> str:
    return long_date(timezone.localtime(moment)).replace("\u00a0", " ")


def test_what_waits_is_said_without_naming_the_person(page, asked, entry, doctor):
    for name in ("mon_agenda:list", "mon_agenda:week", "todo", "accounts:home"):
        shown = text_of(page.get(reverse(name)))
        assert "Un rendez-vous attend votre réponse" in shown and url_of(asked) in shown
    assert entry.dossier.family_name not in text_of(page.get(reverse("todo")))
    Habilitation.objects.filter(user=doctor).update(state="non")
    assert "attend votre réponse" not in text_of(page.get(reverse("todo")))


def test_one_accepts_declines_and_proposes_from_the_page(page, asked, entry, doctor):
    shown = text_of(page.get(url_of(asked)))
    assert (
        "Point" in shown
        and entry.dossier.family_name.upper() in shown.upper()
        and "TESTARD" not in shown.split("<main")[1]
    )
    assert "<title>Répondre à un rendez-vous" in shown
    assert page.post(url_of(asked), {}).status_code == 422
    read = {"seen": read_as(asked)}
    wrong = page.post(url_of(asked), {"answer": "proposer", "day": "", "starts": "10:00"})
    assert wrong.status_code == 422 and "Indiquez le jour." in text_of(wrong)
    day = (timezone.localdate() + dt.timedelta(days=9)).strftime("%d/%m/%Y")
    asks = {"answer": "proposer", "day": day, "starts": "14:00", "ends": "15:00", "comment": "Plutôt l’après-midi"}
    assert page.post(url_of(asked), asks | read).status_code == 303
    assert Proposal.objects.get().starts_at == make.at(14, days=9)
    for _ in range(2):
        assert page.post(url_of(asked), {"answer": "accepter"} | read).status_code == 303
    assert answer_of(asked, doctor).status == ANSWER.ACCEPTED
    assert "Annuler ma participation" in text_of(page.get(url_of(asked)))
    assert page.post(url_of(asked), {"answer": "decliner"} | read).status_code == 303
    assert answer_of(asked, doctor).status == ANSWER.DECLINED
    traces = Trace.objects.filter(object_id=asked.pk, action="écriture", actor_id=doctor.pk)
    assert sorted(traces.values_list("outcome", flat=True)) == ["echec", "echec", "ok", "ok", "ok", "ok"]


def test_the_page_of_an_appointment_tells_who_has_answered(page, asked):
    """As that of a meeting does."""
    sheet = reverse("agenda:appointment", args=[asked.dossier_id, asked.pk])
    before = text_of(page.get(sheet))
    assert "Répondre" in before and "Changer ma réponse" not in before
    assert page.post(url_of(asked), {"answer": "accepter", "seen": read_as(asked)}).status_code == 303
    after = text_of(page.get(sheet))
    assert "Changer ma réponse" in after and "Répondre" not in after


def test_the_organiser_takes_or_leaves_another_time(client, asked, entry, doctor):
    new = asked.starts_at + DAY
    proposal = actions.propose_time(
        within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR, comment="Plutôt demain"
    )
    client.force_login(entry.user)
    shown = text_of(client.get(url_of(asked)))
    assert "Par TESTARD Paul" in shown and "Plutôt demain" in shown
    decide = reverse("agenda:proposal", args=[asked.dossier_id, asked.pk, proposal.pk])
    said = {"reponse": "oui", "seen": read_as(asked)}
    assert client.post(decide, said).status_code == 303
    assert stored(asked).starts_at == new
    assert client.post(decide, said).status_code == 409


@pytest.mark.req("REL-11")
def test_nobody_answers_an_hour_he_has_not_read(page, asked, entry, doctor, nurse):
    shown = page.get(url_of(asked)).content.decode()
    assert f'value="{read_as(asked)}"' in shown
    for answer in ("accepter", "decliner"):
        sent = {"answer": answer, "comment": "Mon mot", "seen": read_as(stored(asked))}
        start = stored(asked).starts_at + DAY
        move_appointment(entry, asked.pk, starts_at=start, ends_at=start + make.HOUR)
        late = page.post(url_of(asked), sent)
        assert late.status_code == 409 and "Relisez-le avant de répondre." in text_of(late)
        assert day_of(start) in text_of(late) and "Mon mot" in text_of(late)
        assert f'value="{read_as(stored(asked))}"' in late.content.decode()
        assert answer_of(asked, doctor).status == ANSWER.NEEDS_ACTION
    assert page.post(url_of(asked), {"answer": "accepter"}).status_code == 409, "a page that says nothing of it"
    # The answer of another moves nothing: what was read is still so.
    read = {"answer": "accepter", "seen": read_as(stored(asked))}
    actions.accept_appointment(within(nurse, asked), asked.pk)
    assert page.post(url_of(asked), read).status_code == 303
    assert answer_of(asked, doctor).status == ANSWER.ACCEPTED


@pytest.mark.req("REL-11")
def test_the_second_of_two_organisers_reads_the_hour_before_he_decides_of_another(client, asked, entry, doctor):
    new = asked.starts_at + DAY
    proposal = actions.propose_time(within(doctor, asked), asked.pk, starts_at=new, ends_at=new + make.HOUR)
    client.force_login(entry.user)
    decide, before = reverse("agenda:proposal", args=[asked.dossier_id, asked.pk, proposal.pk]), read_as(asked)
    moved = asked.starts_at + 3 * DAY
    move_appointment(entry, asked.pk, starts_at=moved, ends_at=moved + make.HOUR)
    for answer in ("oui", "non"):
        late = client.post(decide, {"reponse": answer, "seen": before})
        assert late.status_code == 409 and day_of(moved) in text_of(late)
    assert stored(asked).starts_at == moved and Proposal.objects.get().withdrawn_at is None
    assert client.post(decide, {"reponse": "oui", "seen": read_as(stored(asked))}).status_code == 303
    assert stored(asked).starts_at == new


def test_a_time_taken_meanwhile_is_said_on_the_page(page, asked, doctor, nurse):
    actions.accept_appointment(within(nurse, asked), asked.pk)
    make.take_time(uuid.uuid4(), [make.Taken(doctor.attachment.professional_id, True)], asked.starts_at, asked.ends_at)
    answer = page.post(url_of(asked), {"answer": "accepter", "seen": read_as(asked)})
    assert answer.status_code == 422 and "libre" in text_of(answer)
    assert answer_of(asked, doctor).status == ANSWER.NEEDS_ACTION


def test_the_page_is_only_there_for_who_is_inside(client, asked):
    client.force_login(circle.account())
    assert client.get(url_of(asked)).status_code == 404
    assert client.post(url_of(asked), {"answer": "accepter"}).status_code == 404
