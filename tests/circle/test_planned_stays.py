"""What is planned of a presence: it gives and takes nothing before its day, and is then done by the usual acts."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions, history
from circle.errors import DateNotPossible, NotPresent, RemovalReasonMissing, StayNotPlanned
from circle.models import Change, Member, Period, PlannedStay, RoleHolding
from circle.tasks import carry_out_plans
from coordination.dossiers.actions import change_status
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.access import to_dossier
from habilitations.errors import GrantNotAllowed, NotAllowed
from habilitations.models import Outcome as Outcomes
from habilitations.models import Trace
from tests.circle import factories as make
from tests.circle.fhir_calls import careteam
from tests.circle.test_fhir_careteam_writing import put, with_participant

pytestmark = pytest.mark.django_db
Outcome = PlannedStay.Outcome


def today():
    return timezone.localdate()


def later(days=9):
    return today() + dt.timedelta(days=days)


def days_pass(days=9):
    """The day comes: everything written is so much older."""
    shift = dt.timedelta(days=days)
    for period in Period.objects.all():
        Period.objects.filter(pk=period.pk).update(starts_on=period.starts_on - shift)
    for held in RoleHolding.objects.all():
        RoleHolding.objects.filter(pk=held.pk).update(starts_on=held.starts_on - shift)
    for plan in PlannedStay.objects.waiting():
        ends_on = plan.ends_on - shift if plan.ends_on else None
        PlannedStay.objects.filter(pk=plan.pk).update(starts_on=plan.starts_on - shift, ends_on=ends_on)


@pytest.fixture
def nurse(entry):
    """A member with an account and an access."""
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    return make.add(entry, user.attachment.professional, role="PROV", wanted="oui")


def refusals_of(user):
    return Trace.objects.filter(actor_id=user.pk, outcome=Outcomes.REFUSED).count()


def suspend(user):
    type(user).objects.filter(pk=user.pk).update(is_active=False, suspended_at=timezone.now())


def inside(member):
    return to_dossier(member.habilitation.user, member.dossier_id) is not None


def leave(entry, member, on=None, **details):
    return actions.plan_departure(entry, member, on=on or later(), reason="fin", **details)


def told(member):
    act = member.changes.order_by("-at", "-id").with_names()[:1]
    return history.tell([history.told_of(change) for change in act]).replace("\xa0", " ")


def all_told(member):
    acts = member.changes.order_by("at", "id").with_names()
    return [history.tell([history.told_of(change)]).replace("\xa0", " ") for change in acts]


def to_come(entry, house=None, day=None, **period):
    """A structure that a software names from a day on."""
    house = house or make.StructureFactory()
    read = with_participant(careteam(entry), f"Organization/{house.pk}", start=(day or later()).isoformat(), **period)
    put(entry, read)
    return Member.objects.get(structure=house)


# ---- Planning ------------------------------------------------------------------------------------------------------


def test_a_departure_that_is_planned_changes_nothing_before_its_day(entry, nurse):
    plan = leave(entry, nurse, note="Retour à domicile")
    assert (plan.starts_on, plan.ends_on, plan.planned_by) == (today(), later(), entry.user)
    assert inside(nurse) and nurse.periods.current().exists()
    assert carry_out_plans() == 0
    assert inside(nurse)
    assert told(nurse) == f"EXEMPLE-LARRIEU Maëlle a prévu le départ de SPÉCIMEN Inès le {later():%d/%m/%Y}."


def test_it_is_moved_by_planning_it_again_and_called_off(entry, nurse):
    leave(entry, nurse)
    plan = leave(entry, nurse, later(20))
    assert PlannedStay.objects.get() == plan
    assert f"du {later():%d/%m/%Y} au {later(20):%d/%m/%Y} le départ prévu" in told(nurse)
    # The same again: nothing more to tell.
    count = nurse.changes.count()
    leave(entry, nurse, later(20))
    assert nurse.changes.count() == count
    actions.call_off_stay(entry, plan.pk)
    assert "a annulé le départ prévu" in told(nurse)
    plan.refresh_from_db()
    assert plan.outcome == Outcome.CALLED_OFF
    with pytest.raises(StayNotPlanned):
        actions.call_off_stay(entry, plan.pk)
    leave(entry, nurse)


@pytest.mark.parametrize("days", [-1, 0, 4_000])
def test_not_today_and_not_for_ever(entry, nurse, days):
    with pytest.raises(DateNotPossible):
        leave(entry, nurse, later(days))


def test_who_may_not_remove_plans_no_departure(entry, nurse):
    own = make.entry_of(nurse.habilitation.user, entry)
    other = make.add(entry)
    with pytest.raises(GrantNotAllowed):
        leave(own, other)
    plan = leave(entry, other)
    with pytest.raises(GrantNotAllowed):
        actions.call_off_stay(own, plan.pk)


def test_a_departure_asks_a_reason_and_the_sheet_as_it_is(entry, nurse):
    with pytest.raises(RemovalReasonMissing):
        actions.plan_departure(entry, nurse, on=later(), reason="")
    with pytest.raises(ChangedMeanwhile):
        leave(entry, nurse, version=99)
    actions.remove_member(entry, nurse, reason="fin")
    with pytest.raises(NotPresent):
        leave(entry, nurse)


def test_the_database_holds_one_planned_end_per_stay_after_its_start(entry, nurse):
    plan = leave(entry, nurse)
    said = {"dossier": plan.dossier, "member": nurse, "planned_by": entry.user, "starts_on": plan.starts_on}
    for wrong in (
        {"period": plan.period, "ends_on": later(30)},
        {"ends_on": later(3)},
        {"ends_on": plan.starts_on},
        {"period": plan.period},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            PlannedStay.objects.create(**said | wrong)


# ---- On the day ----------------------------------------------------------------------------------------------------


def test_on_its_day_it_is_the_removal_of_who_planned_it(entry, nurse):
    leave(entry, nurse, note="Retour à domicile")
    days_pass()
    assert carry_out_plans() == 1
    period = nurse.periods.get()
    assert (period.ends_on, period.end_reason, period.end_note) == (today(), "fin", "Retour à domicile")
    assert period.ended_by == entry.user
    assert not inside(nurse)
    plan = PlannedStay.objects.get()
    assert plan.outcome == Outcome.DONE
    trace = Trace.objects.filter(dossier_id=entry.dossier.pk, object_id=nurse.pk).order_by("-at")
    assert {one.actor_id for one in trace} == {entry.user.pk}
    # Once.
    assert carry_out_plans() == 0
    assert nurse.periods.count() == 1


def test_a_task_that_comes_late_writes_the_day_that_was_said(entry, nurse):
    leave(entry, nurse)
    days_pass(12)
    carry_out_plans()
    assert nurse.periods.get().ends_on == later(-3)


def test_who_left_sooner_had_a_plan_that_comes_back_with_him(entry, nurse):
    plan = leave(entry, nurse)
    actions.remove_member(entry, nurse, reason="depart")
    plan.refresh_from_db()
    assert plan.outcome == Outcome.OVERTAKEN
    actions.undo_removal(entry, nurse)
    plan.refresh_from_db()
    assert (plan.closed_at, plan.outcome) == (None, "")


def test_a_right_that_its_author_lost_is_told_and_tried_again(entry, nurse):
    other = make.coordinator(family_name="RELÈVE", given_name="Anne")
    make.add(entry, other.attachment.professional, role="PROV", wanted="oui")
    plan = leave(make.entry_of(other, entry), nurse)
    leaving = Member.objects.get(professional=other.attachment.professional)
    actions.remove_member(entry, leaving, reason="depart")
    days_pass()
    assert carry_out_plans() == 0
    # Still in the list, without his access: it was given until that day.
    assert nurse.periods.current().exists() and not inside(nurse)
    plan.refresh_from_db()
    assert plan.hindrance == "La personne qui l’avait prévu n’en a plus le droit."
    assert set(all_told(nurse)[-2:]) == {
        f"Le départ prévu le {today():%d/%m/%Y} n’a pas pu se faire : SPÉCIMEN Inès. "
        "La personne qui l’avait prévu n’en a plus le droit.",
        "L’accès de SPÉCIMEN Inès s’est fermé d’office, au jour de son départ prévu.",
    }
    trace = Trace.objects.filter(object_id=nurse.pk).latest("at")
    assert (trace.actor_id, trace.reason) == (None, "Habilité → Non habilité, départ prévu")
    # Told once, and no refusal is traced under a name that asked nothing.
    refused = refusals_of(other)
    count = Change.objects.count()
    assert carry_out_plans() == 0
    assert (Change.objects.count(), refusals_of(other)) == (count, refused)
    # He comes back: it is done.
    actions.undo_removal(entry, leaving)
    assert carry_out_plans() == 1
    assert not inside(nurse)


def test_a_dossier_that_is_read_only_makes_it_wait(entry, nurse):
    plan = leave(entry, nurse)
    change_status(entry.dossier, by=entry.user, access=entry.access, status="pause")
    days_pass()
    assert carry_out_plans() == 0
    plan.refresh_from_db()
    assert plan.hindrance == "Ce dossier est en pause : il se lit, il ne se modifie plus."
    assert nurse.periods.current().exists() and not inside(nurse)


def test_a_suspended_account_does_nothing(entry, nurse):
    leave(entry, nurse)
    days_pass()
    suspend(entry.user)
    assert carry_out_plans() == 0
    assert nurse.periods.current().exists() and not inside(nurse)


def test_the_last_one_who_may_open_a_closed_dossier_keeps_his_access(entry):
    """It would be lost to the person who closed it (SEC-5)."""
    member = Member.objects.get(habilitation__user=entry.user)
    plan = leave(entry, member)
    actions.record_opposition(entry, rubrique="", refused_on=today(), collected="oral", spared=[member.pk])
    days_pass()
    assert carry_out_plans() == 0
    plan.refresh_from_db()
    assert plan.hindrance and inside(member)


def test_one_that_cannot_be_done_keeps_no_other_waiting(entry, nurse):
    other = make.open_circle(make.coordinator())
    member = make.add(other)
    leave(other, member)
    suspend(other.user)
    leave(entry, nurse)
    days_pass()
    assert carry_out_plans() == 1


# ---- Arrivals, which a software plans ------------------------------------------------------------------------------


@pytest.mark.req("CDS-26")
def test_who_is_to_come_is_no_member_before_his_day(entry):
    member = to_come(entry)
    assert not member.periods.exists()
    assert member.pk not in {row.id for row in Member.objects.rows(entry)}
    assert member.habilitation.ended_at is not None
    assert "a prévu l’arrivée" in told(member)
    days_pass()
    assert carry_out_plans() == 1
    assert (member.periods.get().starts_on, member.periods.get().ends_on) == (today(), None)
    member.habilitation.refresh_from_db()
    # FHIR gives an access to nobody.
    assert (member.habilitation.ended_at, member.habilitation.state) == (None, "non")
    assert member.pk in {row.id for row in Member.objects.rows(entry)}


def test_an_arrival_with_its_departure_has_both(entry):
    member = to_come(entry, end=later(30).isoformat())
    days_pass()
    carry_out_plans()
    plan = PlannedStay.objects.waiting().get()
    assert (plan.period.member, plan.ends_on) == (member, later(21))
    days_pass(30)
    carry_out_plans()
    assert member.periods.get().ends_on == later(-9)


def test_an_arrival_missed_with_its_departure_is_a_stay_that_is_over(entry):
    member = to_come(entry, end=later(12).isoformat())
    days_pass(20)
    assert carry_out_plans() == 1
    assert (member.periods.get().starts_on, member.periods.get().ends_on) == (later(-11), later(-8))


def test_who_came_sooner_by_the_screen_is_awaited_no_more(entry):
    member = to_come(entry)
    actions.add_structure(entry, structure=member.structure, wanted="non", creation_key=make.uuid.uuid4())
    assert PlannedStay.objects.get().outcome == Outcome.OVERTAKEN
    days_pass()
    assert carry_out_plans() == 0


def test_an_arrival_is_called_off_by_who_may_add(entry, nurse):
    member = to_come(entry)
    plan = member.plans.get()
    actions.call_off_stay(entry, plan.pk)
    assert "a annulé l’arrivée prévue" in told(member)
    assert careteam(entry)["participant"] == [
        one for one in careteam(entry)["participant"] if not one["member"]["reference"].startswith("Organization")
    ]


def test_who_leaves_gives_his_role_to_who_comes_that_day(entry):
    doctor = make.add(entry, make.listed(make.DOCTOR), role="PCP")
    other = make.listed(make.DOCTOR)
    leave(entry, doctor)
    wanted = with_participant(
        careteam(entry), f"PractitionerRole/{other.activities.get().pk}", start=later().isoformat(),
        role=[("https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/"
               "TRE-R259-HL7ParticipationFunction", "PCP")],
    )  # fmt: skip
    put(entry, wanted)
    days_pass()
    assert carry_out_plans() == 2
    held = RoleHolding.objects.on_day(today()).get(role="PCP")
    assert held.member.professional == other


def test_the_statements_of_the_task_are_flat_in_what_waits(entry):
    leave(entry, make.add(entry))
    with CaptureQueriesContext(connection) as few:
        carry_out_plans()
    for _ in range(5):
        leave(entry, make.add(entry))
    with CaptureQueriesContext(connection) as many:
        carry_out_plans()
    # One of them asks whether this installation was just restored.
    assert len(many) == len(few) == 2


def test_nobody_but_who_may_add_plans_an_arrival(entry, nurse):
    member = to_come(entry)
    plan = member.plans.get()
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    reader = make.entry_of(social, entry)
    if reader.access.may("ajouter_membre"):
        actions.call_off_stay(reader, plan.pk)
    else:
        with pytest.raises(NotAllowed):
            actions.call_off_stay(reader, plan.pk)
