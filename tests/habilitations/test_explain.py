"""What a decision says of itself: the facts of each limit, in order, and never a word of a refusal."""

import datetime as dt
import uuid

import pytest

from habilitations import defaults, explain
from habilitations.access import Access, Hat
from habilitations.explain import Limit
from habilitations.matrix import Matrix
from habilitations.rubriques import Niveau, Rubrique

NURSE = Hat("60", "", "899700012345", None, "Cabinet Exemple", "annuaire")
TOLD = {"profession": "Infirmière", "state": "en pause"}


@pytest.fixture(scope="module")
def shipped():
    data = defaults.load()
    return Matrix(3, data.levels, data.action_rights, data.profile_rules)


def held(shipped, *, profile="infirmier", hat=NURSE, **details):
    return Access(profile, shipped, hat, uuid.uuid4(), **details)


def said(access, rubrique, **details):
    return [fact.text for fact in explain.chain(access, rubrique, **(TOLD | details))]


def test_an_open_rubric_says_who_vouched_which_version_and_what_one_may_do(shipped):
    assert said(held(shipped), Rubrique.MEDICAL) == [
        "Vous êtes membre du cercle de soins, votre accès est ouvert.",
        "Votre profession (Infirmière) est confirmée par l’annuaire.",
        "La matrice d’habilitation, version 3, ouvre cette rubrique aux infirmiers : lecture et écriture.",
        "Vous pouvez lire et écrire.",
    ]


def test_each_limit_adds_its_own_fact(shipped):
    closed = said(held(shipped), Rubrique.JOURNAL)
    assert any("n’ouvre pas cette rubrique aux infirmiers" in line for line in closed)
    reduced = held(shipped, ceilings={"medical": Niveau.AUCUN, "social": Niveau.LECTURE, "liaison": Niveau.LECTURE})
    # A ceiling, a consent or an opposition, the same sentence and nothing more: who is opposed cannot tell (SEC-6).
    assert said(reduced, Rubrique.MEDICAL)[2:] == [
        "Accès non autorisé à cette rubrique dans ce dossier.", "Vous n’y avez pas accès.",
    ]  # fmt: skip
    assert "Elle a été réduite à la lecture pour vous dans ce dossier." in said(reduced, Rubrique.LIAISON)
    # A ceiling that lowers nothing is no fact of the decision.
    assert not any("réduite" in line for line in said(reduced, Rubrique.SOCIAL))
    paused = held(shipped, cap=Niveau.LECTURE)
    assert "Ce dossier est en pause : il se lit, il ne se modifie pas." in said(paused, Rubrique.MEDICAL)
    assert not any("en pause" in line for line in said(paused, Rubrique.PSYCHOLOGIQUE)), "it was for reading anyway"


def test_a_delegate_an_end_date_and_a_profession_nobody_vouched(shipped):
    through = held(shipped, through_structure=uuid.uuid4(), until=dt.date(2027, 3, 12))
    assert said(through, Rubrique.AGENDA, structure="SSIAD Exemple")[0] == (
        "Vous entrez comme délégué de SSIAD Exemple, habilitée dans ce dossier jusqu’au 12/03/2027 inclus."
    )
    unknown = held(shipped, profile="inconnu", hat=Hat())
    assert said(unknown, Rubrique.AGENDA)[1:] == [
        "Votre profession n’est confirmée ni par l’annuaire ni par votre structure.",
        "Vous n’y avez pas accès.",
    ]


@pytest.mark.parametrize(
    ("details", "rubrique", "wanted", "expected"),
    [
        ({}, Rubrique.MEDICAL, Niveau.ECRITURE, None),
        ({}, Rubrique.JOURNAL, Niveau.LECTURE, Limit.MATRIX),
        ({"profile": "inconnu"}, Rubrique.CERCLE, Niveau.LECTURE, Limit.PROFESSION),
        ({"ceilings": {"medical": Niveau.AUCUN}}, Rubrique.MEDICAL, Niveau.LECTURE, Limit.CEILING),
        ({"ceilings": {"journal": Niveau.AUCUN}}, Rubrique.JOURNAL, Niveau.LECTURE, Limit.MATRIX),
        ({"cap": Niveau.LECTURE}, Rubrique.MEDICAL, Niveau.ECRITURE, Limit.STATE),
    ],
)
def test_what_first_keeps_a_level_from_being_held(shipped, details, rubrique, wanted, expected):
    assert explain.limit(held(shipped, **details), rubrique, wanted) == expected


@pytest.mark.req("SEC-6")
def test_no_explanation_speaks_of_a_refusal(shipped):
    for profile in (*shipped.levels, "inconnu"):
        for cap in Niveau:
            access = held(shipped, profile=profile, cap=cap, ceilings={"medical": Niveau.AUCUN})
            for rubrique in Rubrique:
                lines = " ".join(said(access, rubrique)).lower()
                assert "refus" not in lines and "oppos" not in lines
