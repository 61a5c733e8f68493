"""What a draft would change for people and dossiers: the same people and dossiers as the engine, counted by SQL."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from habilitations import access, published
from habilitations.actions import end_delegate
from habilitations.differences import LEVEL, RIGHT, RULE, Edit, Key, applied
from habilitations.impact import Move, impact, people, unmapped
from habilitations.models import Delegate, Habilitation, LegalStructure
from habilitations.rubriques import Rubrique
from habilitations.wording import effect_lines
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import (
    DossierFactory,
    StructureFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)

pytestmark = pytest.mark.django_db
EDUCATOR = Move("educateur", "educateur")
SOCIAL = Edit(Key(LEVEL, "educateur", "social"), "")


@pytest.fixture(autouse=True)
def matrix(db):
    yield publish_default_matrix()
    published.forget()


def effect_of(matrix, *edits, move=EDUCATOR):
    return {effect.move: effect for effect in impact(matrix, applied(matrix, edits))}.get(move)


def test_people_and_dossiers_are_counted_in_total_and_per_structure(matrix):
    ime, savs = StructureFactory(name="IME Exemple"), StructureFactory(name="SAVS Exemple")
    first, second, alone = professional("48", structure=ime), professional("48", structure=savs), professional("48")
    shared, other = DossierFactory(), DossierFactory()
    for user, dossier in ((first, shared), (second, shared), (second, other), (alone, other)):
        habilitate(user, dossier)
    habilitate(professional("10"), shared)
    effect = effect_of(matrix, SOCIAL)
    assert (effect.total, effect.accounts) == ((3, 2), 3)
    assert effect.structures == {"IME Exemple": (1, 1), "SAVS Exemple": (1, 2), "": (1, 1)}
    assert [
        (line["who"], line["what"], line["dossiers"]) for line in effect_lines(effect)
    ] == [("3\xa0personnes perdent", "la lecture de Volet social", "2\xa0dossiers")]  # fmt: skip


def test_who_reaches_nothing_loses_nothing(matrix):
    user, dossier = professional("48"), DossierFactory()
    for state in ("non", "attente"):
        habilitation(DossierFactory(), state, user=user, state_by=user)
    effect = effect_of(matrix, SOCIAL)
    assert (effect.total, effect.accounts) == ((0, 0), 1)
    row = habilitate(user, dossier)
    assert effect_of(matrix, SOCIAL).total == (1, 1)
    Habilitation.objects.filter(pk=row.pk).update(ended_at=row.state_at)
    assert effect_of(matrix, SOCIAL).total == (0, 0)
    Habilitation.objects.filter(pk=row.pk).update(ended_at=None)
    user.is_active, user.suspended_at = False, row.state_at
    user.save()
    assert effect_of(matrix, SOCIAL).total == (0, 0)


def test_who_was_refused_before_he_left_and_came_back_loses_nothing(matrix):
    user, dossier = professional("48"), DossierFactory()
    before = habilitation(dossier, "refus", user=user, state_by=user)
    Habilitation.objects.filter(pk=before.pk).update(ended_at=before.state_at)
    habilitate(user, dossier)
    assert access.to_dossier(user, dossier.pk) is None
    assert effect_of(matrix, SOCIAL).total == (0, 0)


def test_a_delegate_counts_with_his_own_profession(matrix):
    house, dossier, refused = StructureFactory(name="SAVS Exemple"), DossierFactory(), DossierFactory()
    educator, nurse = professional("48", structure=house), professional("60", structure=house)
    delegate(educator, house, dossier, refused)
    delegate(nurse, house)
    habilitation(refused, "refus", user=educator, state_by=educator)
    assert effect_of(matrix, SOCIAL).total == (1, 1)
    # Entered both ways, a dossier counts once.
    habilitate(educator, dossier)
    assert effect_of(matrix, SOCIAL).total == (1, 1)
    Habilitation.objects.filter(user=educator, state="oui").update(state="non")
    end_delegate(Delegate.objects.get(user=educator), by=None)
    assert effect_of(matrix, SOCIAL).total == (0, 0)


def test_a_changed_rule_moves_the_people_of_a_profession(matrix):
    user, dossier = professional("48"), DossierFactory()
    habilitate(user, dossier)
    edit = Edit(Key(RULE, "48", ""), "aide_domicile")
    effect = effect_of(matrix, edit, move=Move("educateur", "aide_domicile"))
    assert effect.total == (1, 1)
    assert {one.rubrique for one in effect.levels} >= {Rubrique.SOCIAL, Rubrique.EVALUATIONS, Rubrique.CERCLE}
    gone = effect_of(matrix, Edit(Key(RULE, "48", ""), ""), move=Move("educateur", "inconnu"))
    assert {one.after for one in gone.levels} == {0}


def test_rights_are_said_of_accounts_and_what_nobody_holds_is_silent(matrix):
    professional("48")
    effect = effect_of(matrix, Edit(Key(RIGHT, "educateur", "inviter"), ""))
    assert effect_lines(effect) == [
        {"who": "1\xa0compte perd", "what": "« Inviter par e-mail »", "dossiers": ""},
    ]  # fmt: skip
    assert impact(matrix, applied(matrix, [Edit(Key(LEVEL, "mjpm", "plan"), "")])) == []
    assert impact(matrix, matrix) == []


def test_people_are_named_with_their_structure_and_a_count(matrix):
    house = StructureFactory(name="IME Exemple")
    for rank, name in enumerate(("ZÉRO", "ALPHA")):
        user = professional("48", structure=house, family_name=name, given_name="Léa")
        for _ in range(rank + 1):
            habilitate(user, DossierFactory())
    professional("10", family_name="AUTRE")
    found = impact(matrix, applied(matrix, [SOCIAL]))
    assert people(found, limit=10) == [[("ALPHA Léa", "IME Exemple", 2), ("ZÉRO Léa", "IME Exemple", 1)]]
    assert [len(named) for named in people(found, limit=1)] == [1]
    assert people([], limit=10) == []


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_the_engine(matrix, seed):
    """Any mix of habilitations, delegates and refusals: the people and dossiers whose decision changes."""
    chance = random.Random(seed)
    houses = [StructureFactory() for _ in range(2)]
    for house in houses:
        LegalStructure.objects.create(structure=house)
    users = [professional(chance.choice(["48", "60", "10"])) for _ in range(6)]
    dossiers = [DossierFactory() for _ in range(5)]
    for user in users:
        for dossier in dossiers:
            if state := chance.choice(["oui", "non", "refus", "attente", None, None]):
                habilitation(dossier, state, user=user, state_by=user)
    for house in houses:
        for dossier in chance.sample(dossiers, 3):
            habilitation(dossier, "oui", structure=house, state_by=users[0])
        for user in chance.sample(users, 3):
            Delegate.objects.create(structure=house, user=user, started_by=user)
    reached = {
        (user.pk, dossier.pk)
        for user in users
        for dossier in dossiers
        if (found := access.to_dossier(user, dossier.pk)) and found.profile == "educateur"
    }
    effect = effect_of(matrix, SOCIAL)
    expected = (len({user for user, _ in reached}), len({dossier for _, dossier in reached}))
    assert (effect.total if effect else (0, 0)) == expected


def test_professions_that_no_line_maps_are_listed_and_open_nothing(matrix):
    stranger = professional("ZZ9")
    professional("ZZ9", "330")
    professional("60", "999")
    assert unmapped(matrix) == {("ZZ9", ""): 1, ("ZZ9", "330"): 1}
    dossier = DossierFactory()
    habilitate(stranger, dossier)
    assert not any(access.to_dossier(stranger, dossier.pk).can_read(rubrique) for rubrique in Rubrique)


def test_the_cost_does_not_follow_the_size(matrix):
    after = applied(matrix, [SOCIAL, Edit(Key(LEVEL, "medecin", "plan"), ""), Edit(Key(RULE, "60", ""), "medecin")])
    counted = []
    for _ in range(2):
        for profession in ("48", "10", "60"):
            for _ in range(4):
                habilitate(professional(profession, structure=StructureFactory()), DossierFactory())
        with CaptureQueriesContext(connection) as asked:
            assert len(impact(matrix, after)) == 3
        counted.append(len(asked))
    assert counted == [2, 2]


@pytest.mark.parametrize("status", ["clos", "pause"])
def test_nobody_gains_or_loses_writing_where_nobody_writes(matrix, status):
    """A closed dossier, or one in pause, is read: it counts for reading, not for writing."""
    writes = Edit(Key(LEVEL, "medecin", "medical"), "lecture")
    doctor, other = professional("10"), professional("10")
    read_only = DossierFactory(status=status, closing_reason="fin")
    for user, dossier in ((doctor, DossierFactory()), (doctor, read_only), (other, read_only)):
        habilitate(user, dossier)
    (line,) = effect_lines(effect_of(matrix, writes, move=Move("medecin", "medecin")))
    assert (line["who"], line["what"], line["dossiers"]) == (
        "1\xa0personne perd", "l’écriture de Volet médical", "1\xa0dossier",
    )  # fmt: skip
    reads = Edit(Key(LEVEL, "medecin", "medical"), "")
    (line,) = effect_lines(effect_of(matrix, reads, move=Move("medecin", "medecin")))
    assert (line["who"], line["dossiers"]) == ("2\xa0personnes perdent", "2\xa0dossiers")
