"""On what a grant rests, and what the person opposes: they close, never open, in whatever order (SEC-3 to SEC-6)."""

import datetime as dt
import random
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from habilitations import access, grants, published
from habilitations import actions as do
from habilitations.access import Access
from habilitations.errors import (
    AlreadyOpposed,
    CollectedUnknown,
    ConsentDateNotPossible,
    GroundUnknown,
    LastDayBehind,
    NotAllowed,
    NothingRests,
    NothingToWithdraw,
    OwnHabilitation,
    RefusalDateNotPossible,
    RubricNotClosable,
    TeamNotPossible,
)
from habilitations.impact import people
from habilitations.models import Consent, Delegate, Habilitation, LegalStructure, Opposition
from habilitations.models.consents import CLOSABLE
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DossierFactory, StructureFactory, UserFactory, carry, habilitation, professional
from tests.habilitations.acting_data import consent, secretary
from tests.habilitations.test_access import TODAY, decision_rows, last_days
from tests.habilitations.test_limits import EVERYTHING, adds_nothing, rights

ORAL = "oral"
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _everything(request, monkeypatch):
    """For the properties, a matrix that opens everything: what closes is what is looked at."""
    if "db" not in request.fixturenames and "circle" not in request.fixturenames:
        monkeypatch.setattr(published, "matrix", lambda number: EVERYTHING)


# ---- properties ------------------------------------------------------------------------------------

opposed = st.lists(st.sampled_from([*(f"{rubrique.value}=0" for rubrique in CLOSABLE), grants.WHOLE]), max_size=3)


@pytest.mark.req("SEC-3", "SEC-4", "SEC-5")
@given(decision_rows, st.data())
def test_a_refusal_a_withdrawal_a_narrower_or_shorter_consent_never_adds_a_right(rows, data):
    if not rows:
        return
    before = rights(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    acts = [
        opposed.map(lambda lines: {"ceilings": [*row["ceilings"], *lines]}),
        st.just({"ground_end": "retrait"}),
        last_days.filter(bool).map(lambda day: {"ground_until": min(day, row["ground_until"] or dt.date.max)}),
        st.just({"state": "refus"}),
    ]
    if row["ground_end"] != "retrait":
        # What the person withdrew is never turned into a plain end.
        acts += [st.just({"ground_end": "fin"}), st.just({"ground": None, "ground_end": None})]
    closing = data.draw(st.one_of(acts))
    assert adds_nothing(before, rights([*rows[:at], row | closing, *rows[at + 1 :]]))


@given(decision_rows, opposed, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_oppositions_does_not_matter(rows, lines, chance: random.Random):
    told = [row | {"ceilings": [*row["ceilings"], *lines]} for row in rows]
    mixed = [row | {"ceilings": chance.sample(row["ceilings"], len(row["ceilings"]))} for row in told]
    chance.shuffle(mixed)
    assert rights(told) == rights(mixed)


@given(decision_rows)
def test_what_the_person_withdrew_keeps_out_however_one_enters(rows):
    withdrawn = {
        "id": None, "state": "oui", "user_id": "me", "structure_id": None, "matrix_number": None,
        "hat_profession": "10", "hat_fonction": "", "hat_national_id": "", "hat_structure_id": None,
        "hat_structure_name": "", "hat_how": "", "access_until": None, "ceilings": [],
        "ground": "accord", "ground_end": "retrait", "ground_until": None,
    }  # fmt: skip
    assert access.decide([*rows, withdrawn], today=TODAY) is None


# ---- in the database -------------------------------------------------------------------------------


@pytest.fixture
def matrix(db):
    yield publish_default_matrix()
    published.forget()


@pytest.fixture
def circle(matrix):
    """A nurse with a row in a dossier, granted with nothing that carries it."""
    nurse, dossier = make.account(), DossierFactory()
    row = habilitation(dossier, "oui", user=nurse)
    Consent.objects.filter(habilitation=row).delete()
    return nurse, dossier, row


@pytest.fixture
def noting(circle):
    """The access of a coordinator of the dossier, and her account."""
    by = make.coordinator()
    habilitation(circle[1], "oui", user=by)
    return by, access.to_dossier(by, circle[1].pk)


def inside(user, dossier):
    """Say whether the account is in; the three questions and the impact of a draft must say the same."""
    found = access.to_dossier(user, dossier.pk) is not None
    row = Habilitation.objects.filter(user=user, dossier=dossier)
    assert (dossier.pk in set(access.dossier_ids(user).values_list("dossier_id", flat=True))) is found
    assert (user.pk in access.users_able_to(dossier.pk, Rubrique.CERCLE)) is found
    assert reached(user, dossier) is found
    assert not row or row.granting().exists() or not found
    return found


def reached(user, dossier):
    """Say whether a draft that takes a rubric from everybody would name this account."""
    from habilitations.differences import LEVEL, Edit, Key, applied
    from habilitations.impact import impact

    current = published.current()
    after = applied(current, [Edit(Key(LEVEL, profile, "liaison"), "") for profile in current.levels])
    effects = impact(current, after)
    names = {(one.name, one.dossiers) for found in people(effects, limit=50) for one in found}
    return any(name == f"{user.family_name} {user.given_name}" for name, _ in names)


def record(row, noting, ground="reconnue", **details):
    by, held = noting
    facts = {"starts_on": timezone.localdate(), "collected": ORAL} | details
    return do.record_consent(row, by=by, access=held, ground=ground, **facts)


def end(row, noting, how="retrait", **details):
    by, held = noting
    said = {"ended_on": timezone.localdate(), "collected": ORAL} | details
    return do.end_consent(row, by=by, access=held, end=how, **said)[0]


def oppose(dossier, noting, rubrique, **details):
    by, held = noting
    facts = {"refused_on": timezone.localdate(), "collected": ORAL} | details
    return do.record_opposition(dossier.pk, by=by, access=held, rubrique=rubrique, **facts)


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize("ground", ["reconnue", "structure", "organisee", "accord"])
def test_a_grant_opens_nothing_before_something_carries_it(circle, noting, ground):
    nurse, dossier, row = circle
    assert not inside(nurse, dossier)
    consent = record(row, noting, ground)
    assert inside(nurse, dossier)
    assert access.to_dossier(nurse, dossier.pk).ground == ground
    assert consent.collected == (ORAL if ground == "accord" else "")


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(("ground", "how"), [("accord", "retrait"), ("reconnue", "fin"), ("reconnue", "retrait")])
def test_the_end_of_it_closes_at_the_next_decision(circle, noting, ground, how):
    nurse, dossier, row = circle
    record(row, noting, ground)
    assert inside(nurse, dossier)
    ended = end(row, noting, how)
    assert (ended.end, ended.ended_by, ended.ended_on) == (how, noting[0], timezone.localdate())
    assert not inside(nurse, dossier)
    record(row, noting, ground)
    assert inside(nurse, dossier)
    assert row.consents.count() == 2, "what was is kept"


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(("days", "open_"), [(-1, False), (0, True), (1, True)])
def test_a_consent_lasts_until_the_end_of_its_last_day(circle, days, open_):
    nurse, dossier, row = circle
    today = timezone.localdate()
    carry(row, "accord", collected=ORAL, starts_on=today - 9 * DAY, last_day=today + days * DAY)
    assert inside(nurse, dossier) is open_


@pytest.mark.req("SEC-3")
def test_a_consent_limited_to_rubrics_closes_the_others(circle, noting):
    nurse, dossier, row = circle
    record(row, noting, "accord", rubriques=["liaison", "agenda"])
    held = access.to_dossier(nurse, dossier.pk)
    assert set(held.readable()) == {Rubrique.IDENTITE, Rubrique.CERCLE, Rubrique.LIAISON, Rubrique.AGENDA}
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)
    assert access.closed_to(nurse, Rubrique.MEDICAL).exists()
    assert not access.closed_to(nurse, Rubrique.LIAISON).exists()
    # All of them is no limit: a rubric to come is shared too.
    assert record(row, noting, "accord", rubriques=list(CLOSABLE)).rubriques == []


@pytest.mark.req("SEC-3", "SECT-7")
def test_what_was_withdrawn_from_a_member_keeps_him_out_of_his_structure_too(circle, noting):
    nurse, dossier, row = circle
    house = StructureFactory()
    LegalStructure.objects.create(structure=house)
    Delegate.objects.create(structure=house, user=nurse, started_by=nurse)
    habilitation(dossier, "oui", structure=house)
    record(row, noting, "accord", rubriques=["agenda"])
    assert not access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL)
    end(row, noting)
    assert not inside(nurse, dossier)
    Habilitation.objects.filter(pk=row.pk).update(ended_at=timezone.now(), state="non")
    assert not inside(nurse, dossier), "leaving the circle gives nothing back"


@pytest.mark.req("SEC-5")
def test_an_opposition_to_a_rubric_closes_it_to_one_or_to_everybody(circle, noting):
    nurse, dossier, row = circle
    record(row, noting)
    other = make.account()
    habilitation(dossier, "oui", user=other)
    mine = oppose(dossier, noting, "medical", habilitation=row)
    sees = lambda user: access.to_dossier(user, dossier.pk).can_read(Rubrique.MEDICAL)  # noqa: E731
    assert (sees(nurse), sees(other)) == (False, True)
    assert access.users_able_to(dossier.pk, Rubrique.MEDICAL) == {other.pk, noting[0].pk}
    assert access.closed_to(nurse, Rubrique.MEDICAL).exists()
    assert not access.closed_to(other, Rubrique.MEDICAL).exists()
    everybody = oppose(dossier, noting, "medical")
    assert (sees(nurse), sees(other), sees(noting[0])) == (False, False, False)
    assert access.closed_to(other, Rubrique.MEDICAL).exists()
    by, held = noting
    for one in (everybody, mine):
        do.withdraw_opposition(one, by=by, access=held, withdrawn_on=timezone.localdate(), collected=ORAL)
    assert (sees(nurse), sees(other)) == (True, True)


@pytest.mark.req("SEC-5")
def test_an_opposition_follows_the_member_through_his_structure(circle, noting):
    nurse, dossier, row = circle
    house = StructureFactory()
    LegalStructure.objects.create(structure=house)
    Delegate.objects.create(structure=house, user=nurse, started_by=nurse)
    habilitation(dossier, "oui", structure=house)
    oppose(dossier, noting, "medical", habilitation=row)
    Habilitation.objects.filter(pk=row.pk).update(ended_at=timezone.now(), state="non")
    held = access.to_dossier(nurse, dossier.pk)
    assert held.through_structure == house.pk
    assert not held.can_read(Rubrique.MEDICAL)


@pytest.mark.req("SEC-5")
def test_a_whole_opposition_leaves_inside_who_is_spared_and_who_noted_it(circle, noting):
    nurse, dossier, row = circle
    record(row, noting)
    kept = make.account()
    habilitation(dossier, "oui", user=kept)
    opposition = oppose(dossier, noting, "", spared=[kept.pk])
    assert (inside(nurse, dossier), inside(kept, dossier), inside(noting[0], dossier)) == (False, True, True)
    by, held = noting
    do.withdraw_opposition(opposition, by=by, access=held, withdrawn_on=timezone.localdate(), collected=ORAL)
    assert inside(nurse, dossier)


@pytest.mark.req("SEC-6")
def test_an_opposition_aimed_at_somebody_is_never_shown_to_him(circle, noting):
    nurse, dossier, row = circle
    record(row, noting)
    coordinator, held = noting
    mine = oppose(dossier, noting, "social", habilitation=row)
    everybody = oppose(dossier, noting, "psychologique")
    shown = lambda user: set(  # noqa: E731
        Opposition.objects.shown_to(user, access.to_dossier(user, dossier.pk)).values_list("pk", flat=True)
    )
    assert shown(coordinator) == {mine.pk, everybody.pk}
    assert shown(nurse) == set(), "neither his own, nor the one that concerns everybody"
    with pytest.raises(OwnHabilitation):
        do.withdraw_opposition(
            mine, by=nurse, access=access.to_dossier(nurse, dossier.pk), withdrawn_on=timezone.localdate(),
            collected=ORAL,
        )  # fmt: skip


def test_a_member_who_comes_back_starts_from_nothing(circle, noting):
    nurse, dossier, row = circle
    record(row, noting)
    do.end_habilitation(row, by=noting[0])
    do.reopen_habilitation(row, by=noting[0], as_it_was=True)
    assert inside(nurse, dossier), "undone: as it was"
    do.end_habilitation(row, by=noting[0])
    row = do.reopen_habilitation(row, by=noting[0], as_it_was=False)
    Habilitation.objects.filter(pk=row.pk).update(state="oui")
    assert not inside(nurse, dossier)


@pytest.mark.req("SEC-15")
def test_the_secretary_of_a_member_who_comes_back_waits_for_a_new_consent(circle, noting):
    nurse, dossier, row = circle
    record(row, noting)
    desk = professional("331")
    given = consent(secretary(nurse, desk, "agenda"), dossier)

    def opens():
        return access.to_dossier(desk, dossier.pk) is not None

    assert opens()
    do.end_habilitation(row, by=noting[0])
    assert not opens()
    do.reopen_habilitation(row, by=noting[0], as_it_was=True)
    assert opens(), "undone: as it was"
    do.end_habilitation(row, by=noting[0])
    row = do.reopen_habilitation(row, by=noting[0], as_it_was=False)
    Habilitation.objects.filter(pk=row.pk).update(state="oui")
    record(row, noting)
    assert inside(nurse, dossier) and not opens()
    given.refresh_from_db()
    assert (given.withdrawn_by, given.withdrawn_on) == (noting[0], timezone.localdate())


def test_who_may_note_what(circle, noting):
    nurse, dossier, row = circle
    coordinator, held = noting
    helper = Access("aide_domicile", held.matrix, held.hat, None)
    paused = Access(held.profile, held.matrix, held.hat, None, cap=Niveau.LECTURE)
    for refused in (helper, paused):
        with pytest.raises(NotAllowed):
            record(row, (coordinator, refused))
    with pytest.raises(OwnHabilitation):
        record(row, (nurse, held))
    record(row, noting)
    with pytest.raises(NotAllowed):
        end(row, (coordinator, helper))
    end(row, (coordinator, paused))
    assert not inside(nurse, dossier), "closing never waits for the dossier to be written"
    oppose(dossier, (coordinator, paused), "agenda")
    with pytest.raises(NotAllowed):
        oppose(dossier, (coordinator, helper), "agenda")


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ({"ground": "reprise"}, GroundUnknown),
        ({"ground": "autre"}, GroundUnknown),
        ({"may_be_team": False}, TeamNotPossible),
        ({"starts_on": +2}, ConsentDateNotPossible),
        ({"informed_on": +2}, ConsentDateNotPossible),
        ({"ground": "accord", "collected": ""}, CollectedUnknown),
        ({"ground": "accord", "rubriques": ["cercle"]}, RubricNotClosable),
        ({"ground": "accord", "last_day": -1}, LastDayBehind),
    ],
)
def test_what_is_no_consent(circle, noting, details, error):
    """Days are said from that of the test."""
    today = timezone.localdate()
    said = {name: today + value * DAY if type(value) is int else value for name, value in details.items()}
    with pytest.raises(error):
        record(circle[2], noting, **said)


def test_what_cannot_be_ended_or_opposed(circle, noting):
    _, dossier, row = circle
    by, held = noting
    with pytest.raises(NothingRests):
        end(row, noting)
    record(row, noting, starts_on=timezone.localdate())
    with pytest.raises(ConsentDateNotPossible):
        do.end_consent(row, by=by, access=held, end="fin", ended_on=timezone.localdate() - DAY)
    with pytest.raises(CollectedUnknown):
        do.end_consent(row, by=by, access=held, end="retrait", ended_on=timezone.localdate())
    for rubrique, details in (("cercle", {}), ("", {"habilitation": row})):
        with pytest.raises(RubricNotClosable):
            oppose(dossier, noting, rubrique, **details)
    with pytest.raises(RefusalDateNotPossible):
        oppose(dossier, noting, "agenda", refused_on=timezone.localdate() + DAY)
    opposition = oppose(dossier, noting, "agenda")
    with pytest.raises(AlreadyOpposed):
        oppose(dossier, noting, "agenda")
    withdrawal = {"withdrawn_on": timezone.localdate(), "collected": ORAL}
    do.withdraw_opposition(opposition, by=by, access=held, **withdrawal)
    with pytest.raises(NothingToWithdraw):
        do.withdraw_opposition(opposition, by=by, access=held, **withdrawal)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"ground": "accord"}, "express_consent_says_how"),
        ({"ground": "reconnue", "rubriques": ["agenda"]}, "team_shares_the_whole_dossier"),
        ({"ground": "accord", "collected": ORAL, "rubriques": ["cercle"]}, "consent_leaves_who_and_with_whom"),
        ({"ground": "accord", "collected": ORAL, "rubriques": ["inconnue"]}, "rubrique n'existe pas"),
        ({"ground": "accord", "collected": ORAL, "last_day": dt.date(2020, 1, 1)}, "consent_lasts_from_its_day"),
        ({"end": "retrait"}, "consent_ends_after_it_was_given"),
    ],
)
def test_the_database_refuses_what_is_no_consent(circle, facts, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        carry(circle[2], **{"ground": "reconnue"} | facts)


def test_one_fact_at_a_time_and_one_opposition(circle):
    _, dossier, row = circle
    carry(row)
    with pytest.raises(IntegrityError, match="one_current_consent_per_member"), transaction.atomic():
        carry(row)
    facts = {"dossier": dossier, "refused_on": timezone.localdate(), "collected": ORAL, "recorded_by": UserFactory()}
    Opposition.objects.create(rubrique="agenda", **facts)
    for rubrique, more, name in (
        ("agenda", {}, "one_standing_opposition"),
        ("", {"habilitation": row}, "whole_opposition_is_for_everybody"),
        ("cercle", {}, "opposition_rubric_closable"),
        ("social", {"spared": [row.user_id]}, "whole_opposition_spares"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Opposition.objects.create(rubrique=rubrique, **facts, **more)


@pytest.mark.req("SEC-3")
def test_what_opens_a_dossier_is_said_the_same_of_rows_and_of_columns(db):
    """Statements of ours read columns: they count what the queryset gives, on each way in which a grant ends."""
    dossier, today = DossierFactory(), timezone.localdate()
    shapes = [
        (state, until, rests)
        for state in ("oui", "non", "attente")
        for until in (None, today - DAY, today)
        for rests in (None, {}, {"last_day": today - DAY}, {"last_day": today}, {"end": "fin"})
        if state == "oui" or rests == {}
    ]
    rows = []
    for state, until, rests in shapes:
        row = habilitation(dossier, state, user=UserFactory(), access_until=until)
        Consent.objects.filter(habilitation=row).delete()
        if rests is not None:
            ended = {"ended_at": timezone.now(), "ended_on": today} if "end" in rests else {}
            carry(row, starts_on=today - 2 * DAY, **rests | ended)
        rows.append(row)
    over = habilitation(dossier, "oui", user=UserFactory(), ended_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT h.id FROM habilitations_habilitation h WHERE {grants.GRANTING.format(day='%s')}",  # noqa: S608
            [today, today],
        )
        by_columns = {id for (id,) in cursor.fetchall()}
    opening = {("oui", until, last) for until in (None, today) for last in (None, today)}
    expected = {
        row.pk
        for row, (state, until, rests) in zip(rows, shapes, strict=True)
        if rests is not None and "end" not in rests and (state, until, rests.get("last_day")) in opening
    }
    assert by_columns == set(Habilitation.objects.granting().values_list("pk", flat=True)) == expected
    assert over.pk not in expected and len(expected) == 4


def test_the_migration_takes_over_what_was_granted_and_nothing_else(circle):
    nurse, dossier, row = circle
    others = {state: habilitation(dossier, state, user=make.account()) for state in ("attente", "non", "refus")}
    undone, gone = habilitation(dossier, "oui", user=make.account()), habilitation(dossier, "non", user=make.account())
    for one in (undone, gone):
        do.end_habilitation(one, by=nurse)
    Consent.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("habilitations.migrations.0015_consents_taken_over").TAKE_OVER)
    taken = Consent.objects.filter(ground="reprise").values_list("habilitation_id", flat=True)
    assert set(taken) == {row.pk, others["attente"].pk, undone.pk}
    assert inside(nurse, dossier)
