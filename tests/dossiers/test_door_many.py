"""The plural of the door: what `enter` answers one by one, in two statements whatever the number of dossiers."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.dossiers import door
from coordination.dossiers.errors import DossierUnknown
from coordination.dossiers.models import Dossier
from habilitations import chain, traces
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.models import AccountTrace, EmergencyAccess, Opposition, Trace, TraceHead
from habilitations.rubriques import Action, Niveau, Rubrique
from tests.dossiers.factories import (
    HOME_HELP,
    DossierFactory,
    StructureFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)

VIA = traces.Via("0" * 32, "192.0.2.7")


def one_by_one(user, dossiers, *asked, **options):
    """Return {id: Access}, asking `enter` for each."""
    found = {}
    for dossier_id in dossiers:
        try:
            found[dossier_id] = door.enter(user, dossier_id, *asked, via=VIA, **options).access
        except (DossierUnknown, LevelMissing, NotAllowed):
            continue
    return found


@pytest.fixture
def situations(doctor):
    """Return dossiers where the doctor stands in every way: inside, with less, by a structure, outside."""
    made = {name: DossierFactory() for name in (
        "inside", "closed", "opposed", "whole", "house", "waiting", "refused", "past", "ended", "emergency",
        "stranger",
    )}  # fmt: skip
    for name in ("inside", "closed", "opposed", "whole"):
        habilitate(doctor, made[name])
    Dossier.objects.filter(pk=made["closed"].pk).update(status="clos", closing_reason="fin")
    today = timezone.localdate()
    for name, rubrique in (("opposed", "medical"), ("whole", "")):
        Opposition.objects.create(
            dossier=made[name], rubrique=rubrique, refused_on=today, collected="oral", recorded_by=doctor
        )
    delegate(doctor, StructureFactory(), made["house"])
    habilitation(made["waiting"], "attente", user=doctor, state_by=doctor)
    habilitation(made["refused"], "refus", user=doctor, state_by=doctor)
    habilitation(made["past"], "oui", user=doctor, state_by=doctor, access_until=today - dt.timedelta(days=1))
    habilitation(made["ended"], "oui", user=doctor, state_by=doctor, ended_at=timezone.now())
    EmergencyAccess.objects.create(
        dossier=made["emergency"], user=doctor, reason="vitale", detail="Malaise", opened_at=timezone.now(),
        ends_at=timezone.now() + dt.timedelta(hours=2),
    )  # fmt: skip
    return {name: dossier.pk for name, dossier in made.items()} | {"absent": uuid7()}


@pytest.mark.parametrize("asked", [
    (None,), (Rubrique.MEDICAL,), (Rubrique.CERCLE,), (Rubrique.CERCLE, Niveau.ECRITURE), (Rubrique.IDENTITE,),
])  # fmt: skip
def test_the_same_answers_as_one_by_one(doctor, situations, asked):
    ids = list(situations.values())
    alone = one_by_one(doctor, ids, *asked)
    together = door.enter_many(doctor, ids, *asked, via=VIA)
    assert {pk: entry.access for pk, entry in together.items()} == alone
    assert list(together) == [pk for pk in ids if pk in alone]
    assert {situations["waiting"], situations["refused"], situations["stranger"]}.isdisjoint(together)
    assert situations["inside"] in together


def test_an_action_right_besides_the_level(doctor, situations):
    ids = list(situations.values())
    asked = (Rubrique.CERCLE, Niveau.LECTURE)
    alone = one_by_one(doctor, ids, *asked, right=Action.GRANT)
    assert set(door.enter_many(doctor, ids, *asked, right=Action.GRANT, via=VIA)) == set(alone)
    assert situations["closed"] not in alone


def test_a_profile_without_the_level_gets_nothing(dossier):
    helper = professional(HOME_HELP)
    habilitate(helper, dossier)
    assert door.enter_many(helper, [dossier.pk], Rubrique.MEDICAL, via=VIA) == {}
    assert list(door.enter_many(helper, [dossier.pk], Rubrique.IDENTITE, via=VIA)) == [dossier.pk]


@pytest.mark.req("SEC-9", "SECT-10")
def test_one_trace_in_each_dossier_returned_and_none_elsewhere(doctor, situations):
    dossiers = list(situations.values())
    entered = door.enter_many(
        doctor, [*dossiers, *dossiers], Rubrique.IDENTITE, action="recherche", via=VIA, object_kind="CareTeam"
    )
    assert Trace.objects.filter(actor_id=doctor.pk).count() == len(entered)
    for pk, entry in entered.items():
        trace = Trace.objects.of_dossier(pk).get()
        assert (trace.action, trace.rubrique, trace.outcome) == ("recherche", "identite", "ok")
        assert (trace.object_kind, trace.request_id, trace.address) == ("CareTeam", VIA.request_id, VIA.address)
        assert (trace.habilitation_id, trace.profile) == (entry.access.habilitation_id, entry.access.profile)
    # Nobody named them: a list of results is not a door found shut.
    assert not AccountTrace.objects.filter(object_kind="dossier", actor_id=doctor.pk).exists()
    assert Trace.objects.of_dossier(situations["emergency"]).get().reason == traces.IN_EMERGENCY


def test_the_chains_hold(doctor, situations):
    for _ in range(3):
        door.enter_many(doctor, situations.values(), Rubrique.CERCLE, via=VIA)
    # Those of this test: what other tests have committed stays written.
    for head in TraceHead.objects.filter(dossier_id__in=situations.values()):
        lines = Trace.objects.of_dossier(head.dossier_id).values()
        assert chain.first_fault(lines, head=(head.seq, bytes(head.hash))) is None
        assert head.seq == 3


def test_looking_leaves_no_trace(doctor, situations):
    found = door.look_many(doctor, situations.values())
    assert set(found) == set(one_by_one(doctor, situations.values(), None))
    before = Trace.objects.count()
    door.look_many(doctor, situations.values())
    assert Trace.objects.count() == before


@pytest.mark.req("PERF-3")
def test_two_statements_whatever_the_number(doctor):
    counted = []
    for number in (1, 10, 60):
        ids = [DossierFactory().pk for _ in range(number)]
        for pk in ids:
            habilitate(doctor, Dossier(pk=pk))
        door.look_many(doctor, ids)
        with CaptureQueriesContext(connection) as captured:
            assert len(door.enter_many(doctor, ids, Rubrique.CERCLE, via=VIA)) == number
        counted.append(len(captured))
    assert counted == [2, 2, 2]


def test_nothing_is_asked_for_nothing(doctor):
    with CaptureQueriesContext(connection) as captured:
        assert door.enter_many(doctor, [], Rubrique.CERCLE, via=VIA) == {}
    assert len(captured) == 0


def test_an_account_that_was_suspended_enters_nothing(doctor, situations):
    type(doctor).objects.filter(pk=doctor.pk).update(is_active=False, suspended_at=timezone.now())
    # The account in hand still says that it is active: the database has the last word.
    assert door.look_many(doctor, situations.values()) == {}


@pytest.mark.req("PERF-11", "SEC-9")
def test_what_a_call_looked_at_is_entered_by_another_rubric_without_looking_again(doctor, situations):
    """Each rubric is decided, and traced, by itself: nothing but the look is spared."""
    looked = door.look_many(doctor, situations.values())
    helper = professional(HOME_HELP)
    habilitate(helper, Dossier(pk=situations["inside"]))
    alone = set(door.enter_many(doctor, situations.values(), Rubrique.MEDICAL, via=VIA))
    lines = Trace.objects.filter(actor_id=doctor.pk).count()
    with CaptureQueriesContext(connection) as captured:
        together = door.enter_many(doctor, list(looked), Rubrique.MEDICAL, via=VIA, looked=looked)
    assert set(together) == alone and len(captured) == 1
    assert Trace.objects.filter(actor_id=doctor.pk).count() == 2 * lines
    his = door.look_many(helper, [situations["inside"]])
    assert door.enter_many(helper, list(his), Rubrique.MEDICAL, via=VIA, looked=his) == {}
    # Of those it did not look at, it asks.
    some = {pk: entry for pk, entry in looked.items() if pk != situations["inside"]}
    found = door.enter_many(doctor, situations.values(), Rubrique.MEDICAL, via=VIA, looked=some)
    assert list(found) == [pk for pk in situations.values() if pk in alone]
