"""Declared, accepted, ended; the person's consent; what the database refuses by itself; what the answer never says."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from coordination.common.constraints import sentence_of
from coordination.outbox.models import Message
from habilitations import access, actions, published, traces
from habilitations.acting_errors import (
    ActingAnswered,
    AlreadyActing,
    AlreadyCalled,
    AlreadyConsented,
    ConsentDateNotPossible,
    DaysNotPossible,
    NobodyCalled,
    NoConsentToWithdraw,
    NotTheirSecretary,
    NotWithoutProfession,
    OwnSecretariat,
    OwnStandIn,
    RubricsMissing,
)
from habilitations.errors import CollectedUnknown, NotAllowed, OwnHabilitation
from habilitations.models import AccountTrace, ActingFor, Opposition, SecretaryConsent, Trace
from tests.dossiers.factories import (
    DOCTOR,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)
from tests.habilitations.acting_data import DAY, consent, secretary, stand_in, today

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-15")]


@pytest.fixture(autouse=True)
def matrix(db):
    from tests.circle.conftest import publish_default_matrix

    yield publish_default_matrix()
    published.forget()


@pytest.fixture
def doctor():
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def other():
    return professional(DOCTOR, family_name="MODÈLE", given_name="Anne")


@pytest.fixture
def desk():
    return professional("331", family_name="SPÉCIMEN", given_name="Ana")


@pytest.fixture
def dossier(doctor):
    made = DossierFactory()
    habilitate(doctor, made)
    return made


def declare(by, holder=None, called=None, **days):
    said = {"first_day": today(), "last_day": today() + 7 * DAY} | days
    called = (holder.email if holder else "") if called is None else called
    return actions.declare_absence(by=by, called=called, holder=holder, **said)


# ---- asked and answered ----------------------------------------------------------------------------


def test_asked_accepted_and_ended_each_leaves_its_trace(doctor, other, dossier):
    row = declare(doctor, other)
    assert access.to_dossier(other, dossier.pk) is None
    (mail,) = Message.objects.filter(to=other.email)
    assert "TESTARD Paul vous demande de le remplacer" in mail.text
    assert "EXEMPLE" not in mail.text + mail.html + mail.subject, "no patient is named"
    actions.accept_acting(row, by=other)
    assert access.to_dossier(other, dossier.pk).on_behalf_of.id == doctor.pk
    actions.end_acting(row, by=doctor)
    assert access.to_dossier(other, dossier.pk) is None
    said = AccountTrace.objects.filter(actor_id__in=[doctor.pk, other.pk]).order_by("at")
    told = list(said.values_list("actor_id", "action", "object_id"))
    assert told == [
        (doctor.pk, "absence", row.pk), (other.pk, "remplacement", doctor.pk),
        (doctor.pk, "fin de remplacement", other.pk),
    ]  # fmt: skip


def test_either_of_the_two_ends_it_nobody_else_does(doctor, other, dossier):
    row = stand_in(doctor, other)
    with pytest.raises(NotAllowed):
        actions.end_acting(row, by=UserFactory(administrator=True))
    actions.end_acting(row, by=other)
    assert access.to_dossier(other, dossier.pk) is None
    actions.end_acting(row, by=doctor)
    row.refresh_from_db()
    assert row.ended_by == other


def test_an_absence_without_a_stand_in_opens_nothing_and_writes_to_nobody(doctor):
    row = declare(doctor)
    assert (row.substitute, row.called) == (None, "")
    assert not Message.objects.exists()


def test_only_who_was_called_answers_and_once(doctor, other, desk):
    row = declare(doctor, other)
    for act in (actions.accept_acting, actions.refuse_acting):
        with pytest.raises(NotAllowed):
            act(row, by=desk)
    with pytest.raises(NotAllowed):
        actions.end_acting(row, by=other)
    actions.refuse_acting(row, by=other)
    with pytest.raises(ActingAnswered):
        actions.accept_acting(row, by=other)
    late = declare(doctor, desk)
    ActingFor.objects.filter(pk=late.pk).update(first_day=today() - 9 * DAY, last_day=today() - DAY)
    with pytest.raises(ActingAnswered):
        actions.accept_acting(late, by=desk)


@pytest.mark.parametrize("days", [(3, 2), (-5, -1), (0, 400)])
def test_days_that_cannot_be(doctor, days):
    first, last = days
    with pytest.raises(DaysNotPossible):
        declare(doctor, first_day=today() + first * DAY, last_day=today() + last * DAY)


def test_the_last_day_of_the_calendar_is_a_day(doctor):
    """A year after it there is none."""
    last = dt.date.max
    assert declare(doctor, first_day=last, last_day=last).last_day == last
    with pytest.raises(DaysNotPossible):
        declare(doctor, first_day=last, last_day=last - DAY)


def test_who_may_not_be_stood_in_for(doctor, other):
    with pytest.raises(NotWithoutProfession):
        declare(UserFactory(), other)
    with pytest.raises(OwnStandIn):
        declare(doctor, doctor)
    with pytest.raises(NobodyCalled):
        actions.name_secretary(by=doctor, first_day=today(), last_day=None, called="", rubriques=["agenda"])
    with pytest.raises(RubricsMissing):
        actions.name_secretary(by=doctor, first_day=today(), last_day=None, called="a@b.example", rubriques=[])


def test_the_second_of_two_alike_is_refused_whether_or_not_an_account_answers(doctor, other):
    for holder, called in ((other, other.email), (None, "personne@nulle-part.example")):
        declare(doctor, holder, called)
        with pytest.raises(AlreadyCalled):
            declare(doctor, holder, called.upper(), first_day=today() + DAY)
        declare(doctor, holder, called, first_day=today() + 8 * DAY, last_day=today() + 9 * DAY)


def test_called_by_address_and_by_number_only_one_is_accepted_at_a_time(doctor, other):
    one, two = declare(doctor, other), declare(doctor, other, "10000000000")
    actions.accept_acting(one, by=other)
    with pytest.raises(AlreadyActing):
        actions.accept_acting(two, by=other)


def test_identity_and_circle_go_with_what_is_entrusted(doctor, desk):
    row = actions.name_secretary(
        by=doctor, first_day=today(), last_day=None, called=desk.email, rubriques=["agenda"], holder=desk
    )
    assert row.rubriques == ["identite", "cercle", "agenda"]


# ---- the person's consent --------------------------------------------------------------------------


def record(named, dossier, by, **said):
    facts = {"given_on": today(), "collected": "oral"} | said
    return actions.record_secretary_consent(
        named, dossier.pk, by=by, access=access.to_dossier(by, dossier.pk, cap=dossier.cap), **facts
    )


def withdraw(named, dossier, by, **said):
    facts = {"withdrawn_on": today(), "collected": "ecrit"} | said
    return actions.withdraw_secretary_consent(
        named, dossier.pk, by=by, access=access.to_dossier(by, dossier.pk, cap=dossier.cap), **facts
    )


def test_consent_opens_and_its_withdrawal_closes_at_once(doctor, desk, dossier):
    named = secretary(doctor, desk, "agenda")
    record(named, dossier, doctor)
    assert access.to_dossier(desk, dossier.pk).on_behalf_of.id == doctor.pk
    with pytest.raises(AlreadyConsented):
        record(named, dossier, doctor)
    gone = withdraw(named, dossier, doctor)
    assert (gone.withdrawn_by, gone.withdrawn_collected) == (doctor, "ecrit")
    assert access.to_dossier(desk, dossier.pk) is None
    with pytest.raises(NoConsentToWithdraw):
        withdraw(named, dossier, doctor)
    record(named, dossier, doctor)
    assert SecretaryConsent.objects.count() == 2, "a dated fact is never written over"


def test_withdrawn_in_a_closed_dossier_but_not_recorded(doctor, desk, dossier):
    named = secretary(doctor, desk, "agenda")
    record(named, dossier, doctor)
    dossier.status, dossier.closing_reason = "clos", "fin"
    dossier.save()
    withdraw(named, dossier, doctor)
    with pytest.raises(NotAllowed):
        record(named, dossier, doctor)


def test_who_is_no_secretary_of_that_member_here(doctor, other, desk, dossier):
    for named in (
        stand_in(doctor, desk), secretary(other, desk, "agenda"),
        secretary(doctor, desk, "agenda", ended_at=timezone.now(), ended_by=doctor),
    ):  # fmt: skip
        with pytest.raises(NotTheirSecretary):
            record(named, dossier, doctor)


def test_nobody_lets_himself_in_and_dates_and_ways_are_checked(doctor, dossier):
    nurse = professional("60")
    habilitate(nurse, dossier)
    named = secretary(doctor, nurse, "agenda")
    with pytest.raises(OwnSecretariat):
        record(named, dossier, nurse)
    with pytest.raises(ConsentDateNotPossible):
        record(named, dossier, doctor, given_on=today() + DAY)
    with pytest.raises(CollectedUnknown):
        record(named, dossier, doctor, collected="par signe")
    record(named, dossier, doctor)
    with pytest.raises(ConsentDateNotPossible, match="précéder"):
        withdraw(named, dossier, doctor, withdrawn_on=today() - DAY)
    helper = professional("99", "350")
    habilitate(helper, dossier)
    with pytest.raises(NotAllowed):
        withdraw(named, dossier, helper)


# ---- what one never does by acting for another -----------------------------------------------------


def test_who_acts_for_another_widens_neither_his_own_way_in_nor_the_others(doctor, other, dossier):
    stand_in(doctor, other)
    held = access.to_dossier(other, dossier.pk)
    row = doctor.habilitations.get()
    with pytest.raises(OwnHabilitation):
        actions.set_limits(row, by=other, access=held, ceilings={}, until=None)
    with pytest.raises(OwnHabilitation):
        actions.set_state(row, "oui", by=other, access=held, member_kind="annuaire")
    third = professional("60")
    waiting = habilitate(third, dossier, state="non")
    actions.set_state(waiting, "oui", by=other, access=held, member_kind="annuaire")
    waiting.refresh_from_db()
    assert waiting.state == "oui", "both doctors grant: the stand-in does the work of the absent one"


def test_nor_that_of_a_structure_he_acts_for_himself(doctor, other, dossier):
    """By it he would be inside once the absence is over, under another entry of the directory too."""
    stand_in(doctor, other)
    held = access.to_dossier(other, dossier.pk)
    house = StructureFactory()
    delegate(UserFactory(), house)
    delegate(other, StructureFactory(merged_into=house))
    row = habilitation(dossier, "non", structure=house)
    with pytest.raises(OwnHabilitation):
        actions.set_state(row, "oui", by=other, access=held, member_kind="structure")
    with pytest.raises(OwnHabilitation):
        actions.set_limits(row, by=other, access=held, ceilings={}, until=None)
    opposed = Opposition.objects.create(
        dossier=dossier, habilitation=row, rubrique="agenda", refused_on=today(), collected="oral", recorded_by=doctor
    )
    with pytest.raises(OwnHabilitation):
        actions.withdraw_opposition(opposed, by=other, access=held, withdrawn_on=today(), collected="oral")
    refused = habilitation(dossier, "refus", structure=StructureFactory())
    delegate(other, refused.structure)
    with pytest.raises(OwnHabilitation):
        actions.withdraw_refusal(refused, by=other, access=held, withdrawn_on=today(), collected="oral")


def test_the_trace_names_both(doctor, other, dossier):
    stand_in(doctor, other)
    held = access.to_dossier(other, dossier.pk)
    traces.record(user=other, dossier_id=dossier.pk, access=held, action="lecture", rubrique="medical")
    line = Trace.objects.get(dossier_id=dossier.pk)
    assert (line.actor_id, line.actor_name) == (other.pk, "MODÈLE Anne")
    assert (line.on_behalf_of_id, line.on_behalf_of_name) == (doctor.pk, "TESTARD Paul")
    assert line.habilitation_id == doctor.habilitations.get().pk


# ---- what the database refuses by itself -----------------------------------------------------------

EDGE = dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "autre"}, "On remplace quelqu’un, ou l’on tient son secrétariat."),
        ({"substitute": "principal"}, "On ne se remplace pas soi-même."),
        ({"last_day": EDGE - DAY}, "Le dernier jour suit le premier, un an après au plus."),
        ({"last_day": EDGE + 367 * DAY}, "Le dernier jour suit le premier, un an après au plus."),
        ({"last_day": None}, "Un remplacement a un dernier jour."),
        ({"rubriques": ["agenda"]}, "Choisissez ce que le secrétariat peut voir."),
        ({"kind": "secretariat"}, "Choisissez ce que le secrétariat peut voir."),
        ({"kind": "secretariat", "rubriques": ["inconnue"]}, "Choisissez ce que le secrétariat peut voir."),
        ({"kind": "secretariat", "rubriques": ["agenda"], "called": ""}, "Indiquez qui tient votre secrétariat."),
        ({"substitute": None, "accepted_at": timezone.now()}, "Seule la personne appelée accepte."),
        ({"ended_at": timezone.now()}, "Une fin dit qui l’a décidée."),
    ],
)
def test_the_database_refuses_in_french(doctor, other, change, sentence):
    said = {
        "kind": "remplacement", "principal": doctor, "substitute": other, "called": other.email,
        "first_day": EDGE, "last_day": EDGE + DAY,
    } | change  # fmt: skip
    if said["substitute"] == "principal":
        said["substitute"] = doctor
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        ActingFor.objects.create(**said)
    assert sentence_of(caught.value) == sentence


def test_the_database_refuses_two_at_a_time(doctor, other):
    stand_in(doctor, other, first=EDGE, last=EDGE + 3 * DAY)
    again = {"first": EDGE + 3 * DAY, "last": EDGE + 9 * DAY}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        stand_in(doctor, other, **again)
    assert sentence_of(caught.value) == "Vous l’avez déjà déclaré pour ces jours."
    two = ActingFor(
        kind="remplacement", principal=doctor, substitute=other, called="10000000000", first_day=EDGE + 3 * DAY,
        last_day=EDGE + 9 * DAY, accepted_at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        two.save()
    assert sentence_of(caught.value) == "Vous agissez déjà pour cette personne à ces jours."
    ActingFor.objects.update(ended_at=timezone.now(), ended_by=doctor)
    stand_in(doctor, other, **again)


def test_the_database_refuses_two_consents_and_a_withdrawal_before_it(doctor, desk, dossier):
    agreed = consent(secretary(doctor, desk, "agenda"), dossier)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        consent(agreed.acting, dossier)
    assert sentence_of(caught.value) == "L’accord de la personne est déjà noté."
    for change in (
        {"withdrawn_on": today() - DAY, "withdrawn_by": doctor},
        {"withdrawn_on": today()},
        {"withdrawn_by": doctor},
    ):
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            SecretaryConsent.objects.filter(pk=agreed.pk).update(withdrawn_at=timezone.now(), **change)
        assert sentence_of(caught.value) == "Le retrait dit par qui, et ne précède pas l’accord."
