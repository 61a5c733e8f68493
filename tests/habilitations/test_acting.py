"""Acting for another: what it opens, never more than the other holds, gone at once; the three questions agree."""

import dataclasses
import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.dossiers.models import Dossier
from habilitations import access, acting, defaults, explain, published
from habilitations.access import ANOTHER, HIMSELF, OWN, STRUCTURE, Access, Hat
from habilitations.acting import Principal
from habilitations.matrix import Matrix
from habilitations.models import ActingFor, Ceiling, Habilitation, Opposition, VouchedProfession
from habilitations.rubriques import Action, Niveau, Rubrique
from tests.dossiers.factories import (
    DOCTOR,
    NURSE,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)
from tests.habilitations.acting_data import DAY, consent, secretary, stand_in, today

pytestmark = pytest.mark.req("SEC-15")
SECRETARY, HOME_HELP = "331", ("99", "350")


@pytest.fixture
def matrix(db):
    from tests.circle.conftest import publish_default_matrix

    yield publish_default_matrix()
    published.forget()


@pytest.fixture
def doctor(matrix):
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def other(matrix):
    return professional(DOCTOR, family_name="MODÈLE", given_name="Anne")


@pytest.fixture
def dossier(doctor):
    made = DossierFactory()
    habilitate(doctor, made)
    return made


def inside(user, dossier):
    """Return the decision, once every other question has given the same answer."""
    found = access.to_dossier(user, dossier.pk)
    listed = {way: set(_ids(user, way)) for way in (OWN, STRUCTURE, HIMSELF, ANOTHER, "")}
    assert (dossier.pk in listed[""]) is (found is not None)
    assert (dossier.pk in listed[ANOTHER]) is bool(found and found.on_behalf_of)
    assert Dossier.objects.visible_to(user).filter(pk=dossier.pk).exists() is (found is not None)
    for rubrique in Rubrique:
        able = user.pk in access.users_able_to(dossier.pk, rubrique)
        assert able is bool(found and found.level(rubrique) >= Niveau.LECTURE), rubrique
    return found


def _ids(user, through):
    return access.dossier_ids(user, through=through).values_list("dossier_id", flat=True)


# ---- a stand-in ------------------------------------------------------------------------------------


def test_a_stand_in_enters_between_the_two_days_and_the_decision_names_both(doctor, other, dossier):
    assert inside(other, dossier) is None
    row = stand_in(doctor, other)
    found = inside(other, dossier)
    assert (found.on_behalf_of.id, found.on_behalf_of.name) == (doctor.pk, "TESTARD Paul")
    assert found.until == row.last_day
    assert found.level(Rubrique.MEDICAL) == Niveau.ECRITURE
    assert found.may(Action.GRANT)
    assert access.users_who_may(dossier.pk, Action.GRANT) == {doctor.pk, other.pk}


@pytest.mark.parametrize(
    ("first", "last", "accepted"),
    [(1, 5, True), (-9, -1, True), (-2, 2, False)],
    ids=["to come", "over", "not accepted"],
)
def test_nothing_before_nor_after_nor_without_an_answer(doctor, other, dossier, first, last, accepted):
    stand_in(doctor, other, first=today() + first * DAY, last=today() + last * DAY, accepted=accepted)
    assert inside(other, dossier) is None


def test_both_days_are_included(doctor, other, dossier):
    row = stand_in(doctor, other, first=today(), last=today())
    assert inside(other, dossier)
    (line,) = [r for r in _rows(other, dossier) if r["acting"]]
    for shift, opened in ((-1, False), (0, True), (1, False)):
        assert bool(access.decide([line], today=row.first_day + shift * DAY)) is opened


def _rows(user, dossier):
    from coordination.common.statements import rows
    from habilitations import grants

    found = rows(grants.TO_DOSSIER, {"user": user.pk, "dossier": dossier.pk})
    return [dict(zip(grants.ROW, line, strict=True)) for line in found]


def test_gone_at_once_when_it_ends_or_when_the_other_loses_the_dossier(doctor, other, dossier):
    row = stand_in(doctor, other)
    for change in (
        lambda: ActingFor.objects.update(ended_at=timezone.now(), ended_by=doctor),
        lambda: Habilitation.objects.update(state="non"),
        lambda: Habilitation.objects.update(ended_at=timezone.now()),
        lambda: Habilitation.objects.update(access_until=today() - DAY),
        lambda: VouchedProfession.objects.filter(user=doctor).update(ended_at=timezone.now()),
        lambda: type(doctor).objects.filter(pk=doctor.pk).update(is_active=False, suspended_at=timezone.now()),
        lambda: type(other).objects.filter(pk=other.pk).update(is_active=False, suspended_at=timezone.now()),
    ):
        assert inside(other, dossier)
        from django.db import transaction

        with transaction.atomic():
            change()
            other.refresh_from_db()
            assert inside(other, dossier) is None
            transaction.set_rollback(True)
        other.refresh_from_db()
    assert row.substitute == other


def test_the_end_of_the_grant_comes_first_when_it_is_earlier(doctor, other, dossier):
    stand_in(doctor, other, last=today() + 9 * DAY)
    Habilitation.objects.update(access_until=today() + 3 * DAY)
    assert inside(other, dossier).until == today() + 3 * DAY


@pytest.mark.parametrize("left", [False, True], ids=["standing", "has left"])
def test_never_where_the_person_refused_the_stand_in_himself(doctor, other, dossier, left):
    stand_in(doctor, other)
    habilitation(dossier, "refus", user=other, ended_at=timezone.now() if left else None)
    assert inside(other, dossier) is None


def test_a_refusal_of_the_other_closes_it_even_beside_an_open_row(doctor, other, dossier):
    stand_in(doctor, other)
    habilitation(dossier, "refus", user=doctor, ended_at=timezone.now())
    assert access.to_dossier(doctor, dossier.pk) is None
    assert inside(other, dossier) is None


@pytest.mark.parametrize("close", [False, True], ids=["unknown profession", "identity closed by a version"])
def test_a_profession_that_names_nobody_lets_nobody_in(matrix, close):
    """Lists name people by the profession of who reads them: he would be told more than the other."""
    from habilitations.actions import publish_matrix

    dossier, principal, nurse = DossierFactory(), professional("44" if close else "26"), professional(NURSE)
    habilitate(principal, dossier)
    stand_in(principal, nurse)
    assert bool(inside(nurse, dossier)) is close
    if close:
        levels = dict(matrix.levels)
        levels["assistant_social"] = {**levels["assistant_social"], "identite": Niveau.AUCUN}
        publish_matrix(levels, matrix.actions, matrix.profiles, by=None, reason="Essai")
        assert inside(nurse, dossier) is None


def test_not_transitive_and_not_by_a_structure(doctor, other, dossier, matrix):
    third = professional(DOCTOR)
    stand_in(doctor, other)
    stand_in(other, third)
    assert inside(third, dossier) is None
    shared = DossierFactory()
    delegate(doctor, StructureFactory(), shared)
    assert access.to_dossier(doctor, shared.pk)
    assert inside(other, shared) is None


def test_his_own_profession_and_never_more_than_the_other(doctor, dossier, matrix):
    nurse = professional(NURSE)
    stand_in(doctor, nurse)
    found = inside(nurse, dossier)
    assert (found.profile, found.level(Rubrique.EVALUATIONS)) == ("infirmier", Niveau.ECRITURE)
    assert not found.may(Action.GRANT), "a nurse grants nothing, even for a doctor"
    helper, doctor2, shared = professional(*HOME_HELP), professional(DOCTOR), DossierFactory()
    habilitate(helper, shared)
    stand_in(helper, doctor2)
    held = inside(doctor2, shared)
    assert held.level(Rubrique.MEDICAL) == Niveau.AUCUN
    assert not held.sees_whole_circle, "a home help is told the reduced circle, so is who stands in for her"
    assert not held.may(Action.GRANT)


def test_what_is_reduced_for_the_other_is_reduced_for_who_stands_in(doctor, other, dossier):
    row = Habilitation.objects.get(user=doctor)
    Ceiling.objects.create(dossier=dossier, habilitation=row, rubrique="medical", niveau=0, set_by=other)
    stand_in(doctor, other)
    found = inside(other, dossier)
    assert found.level(Rubrique.MEDICAL) == Niveau.AUCUN
    assert "Accès non autorisé à cette rubrique dans ce dossier." in _said(found, Rubrique.MEDICAL)


def test_ones_own_habilitation_first_then_a_structures(doctor, other, dossier):
    stand_in(doctor, other)
    row = Habilitation.objects.get(user=doctor)
    Ceiling.objects.create(dossier=dossier, habilitation=row, rubrique="medical", niveau=0, set_by=other)
    delegate(other, StructureFactory(), dossier)
    found = inside(other, dossier)
    assert found.through_structure
    assert found.on_behalf_of is None
    assert found.can_write(Rubrique.MEDICAL), "what is reduced for whom he stands in for is no limit of his own way in"
    habilitate(other, dossier)
    found = inside(other, dossier)
    assert (found.through_structure, found.on_behalf_of) == (None, None)
    assert found.can_write(Rubrique.MEDICAL)


def test_a_stand_in_before_a_secretary(doctor, dossier, matrix):
    both = professional(NURSE)
    consent(secretary(doctor, both, "agenda"), dossier)
    assert inside(both, dossier).on_behalf_of.kind == "secretariat"
    stand_in(doctor, both)
    assert inside(both, dossier).on_behalf_of.kind == "remplacement"


# ---- a secretary -----------------------------------------------------------------------------------


def test_a_secretary_enters_only_where_the_person_agreed(doctor, dossier, matrix):
    desk, shared = professional(SECRETARY), DossierFactory()
    habilitate(doctor, shared)
    named = secretary(doctor, desk, "agenda", "medical")
    assert inside(desk, dossier) is None
    agreed = consent(named, dossier)
    found = inside(desk, dossier)
    assert found.level(Rubrique.AGENDA) == Niveau.ECRITURE
    assert found.level(Rubrique.MEDICAL) == Niveau.AUCUN, "her own profession has no medical rubric"
    assert found.level(Rubrique.TACHES) == Niveau.AUCUN, "it was not entrusted to her"
    assert inside(desk, shared) is None
    agreed.withdrawn_at, agreed.withdrawn_on, agreed.withdrawn_by = timezone.now(), today(), doctor
    agreed.save()
    assert inside(desk, dossier) is None


def test_what_she_is_told_of_why(doctor, dossier, matrix):
    desk = professional(SECRETARY)
    consent(secretary(doctor, desk, "agenda", "documents_sociaux", "plan", last=today() + DAY), dossier)
    found = inside(desk, dossier)
    first = _said(found, Rubrique.AGENDA)[0]
    assert first == (
        "Vous tenez le secrétariat de TESTARD Paul, avec l’accord de la personne "
        f"jusqu’au {today() + DAY:%d/%m/%Y} inclus."
    )
    assert "TESTARD Paul ne vous a pas confié cette rubrique." in _said(found, Rubrique.TACHES)
    # The doctor only reads social documents; her own profession would write them.
    assert any("ne peut pas faire plus" in line for line in _said(found, Rubrique.DOCUMENTS_SOCIAUX))
    assert explain.limit(found, Rubrique.TACHES) == explain.Limit.OTHER
    assert not explain.may_ask(found, Rubrique.TACHES)
    stand_in(doctor, desk)
    assert _said(inside(desk, dossier), Rubrique.AGENDA)[0].startswith("Vous remplacez TESTARD Paul, qui a accès")


def _said(found, rubrique):
    return [fact.text for fact in explain.chain(found, rubrique, profession="Exemple", state="actif")]


# ---- never more than the other ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    data = defaults.load()
    return Matrix(3, data.levels, data.action_rights, data.profile_rules)


profiles = st.sampled_from(sorted(defaults.load().levels))
bounds = st.one_of(st.none(), st.frozensets(st.sampled_from(Rubrique.values)))
ceilings = st.dictionaries(st.sampled_from(Rubrique.values), st.sampled_from([Niveau.AUCUN, Niveau.LECTURE]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(own=profiles, others=profiles, rubriques=bounds, lowered=ceilings, cap=st.sampled_from(Niveau))
def test_a_delegation_never_gives_more_than_either_holds(shipped, own, others, rubriques, lowered, cap):
    mine, theirs = uuid.uuid4(), uuid.uuid4()
    kind = "remplacement" if rubriques is None else "secretariat"
    whom = Principal(kind, uuid.uuid4(), "X", others, theirs, rubriques or frozenset())
    common = {"cap": cap, "ceilings": lowered}
    held = Access(own, shipped, Hat(structure_id=mine), None, on_behalf_of=whom, **common)
    himself = Access(others, shipped, Hat(structure_id=theirs), None, **common)
    alone = dataclasses.replace(held, on_behalf_of=None)
    for rubrique in Rubrique:
        assert held.level(rubrique) <= min(himself.level(rubrique), alone.level(rubrique))
        if rubriques is not None and rubrique not in rubriques:
            assert held.level(rubrique) == Niveau.AUCUN
    for action in Action:
        for structure in (None, mine, theirs):
            if held.may(action, structure_id=structure):
                assert himself.may(action, structure_id=structure)
                assert alone.may(action, structure_id=structure)
    assert held.sees_whole_circle <= (himself.sees_whole_circle and alone.sees_whole_circle)
    assert held.sees_discreet_members <= himself.sees_discreet_members
    assert held.may_record_refusal <= himself.may_record_refusal
    # Nothing of it is kept for the others of his profile.
    assert alone.abilities == Access(own, shipped, Hat(structure_id=mine), None, **common).abilities


TODAY = dt.date(2026, 11, 28)
days = st.integers(-3, 3).map(lambda n: TODAY + n * DAY)
acting_rows = st.builds(
    lambda kind, first, last, until, rests, id: {
        "id": id, "state": "oui", "user_id": "them", "structure_id": None, "matrix_number": None,
        "hat_profession": "10", "hat_fonction": "", "hat_national_id": "", "hat_structure_id": None,
        "hat_structure_name": "", "hat_how": "", "access_until": until, "ceilings": [],
        "ground": "reconnue", "ground_end": "", "ground_until": rests,
        "acting": json.dumps([kind, str(uuid.UUID(int=1)), "X Y", "10", "", None, [], first.isoformat(),
                              last and last.isoformat()]),
    },
    kind=st.sampled_from(["remplacement", "secretariat"]), first=days, last=st.one_of(st.none(), days),
    until=st.one_of(st.none(), days), rests=st.one_of(st.none(), days), id=st.uuids(),
)  # fmt: skip


@given(st.lists(acting_rows, max_size=4), st.randoms())
def test_days_decide_and_order_does_not(rows, shuffled):
    opened = [r for r in rows if acting.is_open(r, TODAY)]
    for row in rows:
        _, _, _, _, _, _, _, first, last = json.loads(row["acting"])
        wanted = first <= "2026-11-28" <= (last or "9") and all(
            (row[day] or TODAY) >= TODAY for day in ("access_until", "ground_until")
        )
        assert acting.is_open(row, TODAY) is wanted
    found = access.decide(rows, today=TODAY)
    assert bool(found) is bool(opened)
    again = list(rows)
    shuffled.shuffle(again)
    other = access.decide(again, today=TODAY)
    assert (found and found.habilitation_id) == (other and other.habilitation_id)
    refusal = {**(rows[0] if rows else {"ceilings": []}), "acting": None, "state": "refus", "user_id": "me"}
    assert access.decide([*rows, refusal], today=TODAY) is None


# ---- the lists agree with the decision -------------------------------------------------------------

ways = st.lists(
    st.tuples(
        st.sampled_from(["remplacement", "secretariat"]),
        st.booleans(),  # accepted
        st.booleans(),  # ended
        st.integers(-2, 1),  # first day
        st.sampled_from([None, 1, 2, 3]),  # last day
        st.sampled_from([None, 1, 2]),  # last day of the other's grant
        st.sampled_from([None, "standing", "withdrawn"]),  # consent
        st.sampled_from(["oui", "non", "refus", "ended", None]),  # the other's row
        st.sampled_from([None, ("44", ""), ("99", "350"), ("26", "")]),  # profession, None: nobody vouched
    ),
    max_size=3,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ways=ways, own=st.sampled_from([None, "oui", "non", "refus"]), by_house=st.booleans())
def test_the_questions_agree_whatever_the_mixture(matrix, ways, own, by_house):
    user, dossier = professional(NURSE), DossierFactory()
    if own:
        habilitation(dossier, own, user=user)
    if by_house:
        delegate(user, StructureFactory(), dossier)
    for rank, (kind, accepted, over, first, last, until, agreed, state, vouched) in enumerate(ways):
        named = {"family_name": f"NOM{rank}"}
        principal = professional(*vouched, **named) if vouched else UserFactory(**named)
        if state:
            ended_at = timezone.now() if state == "ended" else None
            ends = today() + until * DAY if until else None
            habilitation(
                dossier, "oui" if state == "ended" else state, user=principal, ended_at=ended_at, access_until=ends
            )
        row = ActingFor.objects.create(
            kind=kind, principal=principal, substitute=user, called=user.email, first_day=today() + first * DAY,
            last_day=today() + (last or 5) * DAY if last or kind == "remplacement" else None,
            rubriques=[] if kind == "remplacement" else ["identite", "cercle"],
            accepted_at=timezone.now() if accepted else None, ended_at=timezone.now() if over else None,
            ended_by=user if over else None,
        )  # fmt: skip
        if agreed and kind == "secretariat":
            gone = {"withdrawn_at": timezone.now(), "withdrawn_on": today(), "withdrawn_by": user}
            consent(row, dossier, **(gone if agreed == "withdrawn" else {}))
    found = inside(user, dossier)
    # A mark is asked of the dossiers of a list, which leaves out those refused to the reader.
    listed = Dossier.objects.filter(id__in=access.dossier_ids(user)).annotate(said=_said_of(user)).first()
    marked = listed.said if listed else ""
    assert bool(marked) is bool(found and found.on_behalf_of)
    if marked:
        kind, until, _, name = marked.split("|", 3)
        assert (kind, name) == (found.on_behalf_of.kind, found.on_behalf_of.name)
        assert until == (found.until.isoformat() if found.until else "")


def _said_of(user):
    from habilitations.acting_lists import said_of_others

    return said_of_others(user, himself=access.dossier_ids(user, through=HIMSELF))


def test_one_statement_decides_and_the_list_is_one_whatever_the_number(doctor, other, dossier):
    stand_in(doctor, other)
    with CaptureQueriesContext(connection) as few:
        access.to_dossier(other, dossier.pk)
        list(access.dossier_ids(other))
    for _ in range(5):
        habilitate(doctor, DossierFactory())
        third = professional(DOCTOR)
        stand_in(third, other)
        habilitate(third, DossierFactory())
    with CaptureQueriesContext(connection) as many:
        access.to_dossier(other, dossier.pk)
        assert len(list(access.dossier_ids(other))) == 11
    assert (len(few), len(many)) == (2, 2)


@pytest.mark.django_db
def test_what_the_person_closed_to_the_other_by_a_membership_of_before_is_closed_to_who_acts_for_him(
    doctor, other, dossier
):
    """An opposition outlives the membership it was noted on, for the other and for who acts for him alike."""
    before = habilitation(dossier, "non", user=doctor, ended_at=timezone.now())
    Opposition.objects.create(
        dossier=dossier, habilitation=before, rubrique="medical", refused_on=today(), collected="oral",
        recorded_by=doctor,
    )  # fmt: skip
    stand_in(doctor, other)
    assert [access.to_dossier(one, dossier.pk).level(Rubrique.MEDICAL) for one in (doctor, other)] == [
        Niveau.AUCUN
    ] * 2
