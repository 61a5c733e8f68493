"""What limits a grant inside one dossier: ceilings and last days. They close, never open, in whatever order."""

import datetime as dt
import random

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from habilitations import access, published
from habilitations.access import Access, Hat
from habilitations.matrix import Matrix
from habilitations.models import Ceiling, Delegate, Habilitation, LegalStructure
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.dossiers.factories import DossierFactory, StructureFactory, habilitation
from tests.habilitations.test_access import TODAY, ceiling_lines, decision_rows, last_days

EVERYTHING = Matrix(1, {"p": dict.fromkeys(Rubrique.values, Niveau.ECRITURE)}, {}, {("10", ""): "p"})


@pytest.fixture(autouse=True)
def _everything(request, monkeypatch):
    """For the properties, a matrix that opens everything: what closes is what is looked at."""
    if "db" not in request.fixturenames and "circle" not in request.fixturenames:
        monkeypatch.setattr(published, "matrix", lambda number: EVERYTHING)


def rights(rows, today=TODAY):
    """Return {rubric: level}, all closed for an outsider."""
    found = access.decide(rows, today=today)
    return {r: found.level(r) if found else Niveau.AUCUN for r in Rubrique.values}


def adds_nothing(before, after):
    return all(after[r] <= before[r] for r in Rubrique.values)


@given(decision_rows, st.data())
def test_a_ceiling_a_last_day_a_refusal_or_a_suspension_never_adds_a_right(rows, data):
    before = rights(rows)
    if not rows:
        return
    at = data.draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    closing = data.draw(
        st.one_of(
            ceiling_lines.map(lambda lines: {"ceilings": [*row["ceilings"], *lines]}),
            last_days.filter(bool).map(lambda day: {"access_until": min(day, row["access_until"] or dt.date.max)}),
            st.just({"state": "refus"}),
            st.just({"state": "non"}),
        )
    )
    assert adds_nothing(before, rights([*rows[:at], row | closing, *rows[at + 1 :]]))


@given(decision_rows, st.integers(0, 4))
def test_time_that_passes_never_adds_a_right(rows, days):
    assert adds_nothing(rights(rows), rights(rows, TODAY + dt.timedelta(days=days)))


@given(decision_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_ceilings_does_not_matter(rows, chance: random.Random):
    mixed = [row | {"ceilings": chance.sample(row["ceilings"], len(row["ceilings"]))} for row in rows]
    chance.shuffle(mixed)
    one, other = access.decide(rows, today=TODAY), access.decide(mixed, today=TODAY)
    assert rights(rows) == rights(mixed)
    assert (one and one.habilitation_id) == (other and other.habilitation_id)


@given(st.dictionaries(st.sampled_from(Rubrique.values), st.sampled_from([Niveau.AUCUN, Niveau.LECTURE])))
def test_abilities_and_readable_rubrics_say_what_the_levels_say(ceilings):
    held = Access("p", EVERYTHING, Hat(), None, ceilings=ceilings)
    for rubrique in Rubrique:
        assert held.abilities[f"read_{rubrique}"] is held.can_read(rubrique)
        assert held.abilities[f"write_{rubrique}"] is held.can_write(rubrique)
    assert held.readable() == tuple(r for r in Rubrique if held.can_read(r))
    # What is worked out for one reduced member is not kept for the others of his profile.
    assert Access("p", EVERYTHING, Hat(), None).readable() == tuple(Rubrique)


# ---- in the database -------------------------------------------------------------------------------


@pytest.fixture
def circle(matrix):
    """A dossier, a nurse habilitated in it, and her row."""
    nurse, dossier = make.account(), DossierFactory()
    return nurse, dossier, habilitation(dossier, "oui", user=nurse)


@pytest.fixture
def matrix(db):
    from tests.circle.conftest import publish_default_matrix

    yield publish_default_matrix()
    published.forget()


def ceiling(row, rubrique, niveau=Niveau.AUCUN, **more):
    facts = {"dossier_id": row.dossier_id, "habilitation": row, "set_by": make.UserFactory()}
    return Ceiling.objects.create(rubrique=rubrique, niveau=niveau, **facts, **more)


@pytest.mark.req("SEC-2")
def test_a_ceiling_lowers_one_rubric_of_one_member(circle):
    nurse, dossier, row = circle
    ceiling(row, Rubrique.MEDICAL)
    ceiling(row, Rubrique.LIAISON, Niveau.LECTURE)
    found = access.to_dossier(nurse, dossier.pk)
    assert found.level(Rubrique.MEDICAL) == Niveau.AUCUN
    assert found.level(Rubrique.LIAISON) == Niveau.LECTURE
    assert found.level(Rubrique.AGENDA) == Niveau.ECRITURE
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)
    assert nurse.pk in access.users_able_to(dossier.pk, Rubrique.LIAISON)
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.LIAISON, Niveau.ECRITURE)
    assert set(access.closed_to(nurse, Rubrique.MEDICAL).values_list("dossier_id", flat=True)) == {dossier.pk}
    assert not access.closed_to(nurse, Rubrique.LIAISON).exists()


def test_a_lifted_ceiling_lowers_nothing(circle):
    nurse, dossier, row = circle
    ceiling(row, Rubrique.MEDICAL, lifted_at=timezone.now(), lifted_by=nurse)
    assert access.to_dossier(nurse, dossier.pk).can_write(Rubrique.MEDICAL)


def test_what_is_reduced_for_a_structure_is_reduced_for_who_enters_through_it(matrix):
    nurse, dossier, structure = make.account(), DossierFactory(), StructureFactory()
    LegalStructure.objects.create(structure=structure)
    Delegate.objects.create(structure=structure, user=nurse, started_by=nurse)
    house = habilitation(dossier, "oui", structure=structure)
    ceiling(house, Rubrique.MEDICAL)
    assert not access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL)
    own = habilitation(dossier, "oui", user=nurse)
    assert access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL), "habilitated himself, in full"
    # The last day of his own grant leaves him what the structure has, reduced.
    Habilitation.objects.filter(pk=own.pk).update(access_until=timezone.localdate() - dt.timedelta(days=1))
    assert not access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL)


@pytest.mark.req("SEC-4")
def test_access_is_gone_the_day_after_its_last_day(circle):
    nurse, dossier, row = circle
    for days, inside in ((0, True), (1, True), (-1, False)):
        Habilitation.objects.filter(pk=row.pk).update(access_until=timezone.localdate() + dt.timedelta(days=days))
        assert (access.to_dossier(nurse, dossier.pk) is not None) is inside
        assert access.dossier_ids(nurse).exists() is inside
        assert (nurse.pk in access.users_able_to(dossier.pk, Rubrique.CERCLE)) is inside


@pytest.mark.parametrize(
    ("rubrique", "niveau"),
    [
        (Rubrique.MEDICAL, Niveau.ECRITURE),
        ("inconnue", Niveau.AUCUN),
        (Rubrique.IDENTITE, Niveau.AUCUN),
        (Rubrique.CERCLE, Niveau.AUCUN),
    ],
)
def test_the_database_refuses_what_is_no_ceiling(circle, rubrique, niveau):
    with pytest.raises(IntegrityError), transaction.atomic():
        ceiling(circle[2], rubrique, niveau)


def test_one_ceiling_stands_per_rubric(circle):
    ceiling(circle[2], Rubrique.SOCIAL)
    with pytest.raises(IntegrityError, match="one_standing_ceiling_per_rubric"), transaction.atomic():
        ceiling(circle[2], Rubrique.SOCIAL)
