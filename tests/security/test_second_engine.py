"""The rights engine against a second one, written in SQL from the text of the rules, on every situation (SECT-8).

Not a sample: each own membership × each of a structure × what is reduced × who stands for it, for each profile, each
state of the dossier, each rubric and each action right.
"""

from dataclasses import replace

import pytest
from django.db import transaction
from django.utils import timezone

from coordination.dossiers.models import Dossier
from habilitations import access, published
from habilitations.access import Hat
from habilitations.rubriques import Action, Rubrique
from tests.security import cases as made
from tests.security import matrix_read_apart as apart
from tests.security.second_engine import LEVELS, MEMBERS, RIGHTS, SecondEngine
from tests.security.world import publish

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.req("SECT-8", "SEC-2", "SEC-5")]
STATES = tuple(Dossier.Status.values)
CAPS = {state: Dossier(status=state).cap for state in STATES}
MINE, OTHER = "0190b6a0-0000-7000-8000-000000000001", "0190b6a0-0000-7000-8000-000000000002"


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        publish()
        yield made.fill(list(made.cases()))
        transaction.set_rollback(True)
    published.forget()


def second(filled, dossiers=None, **texts):
    return SecondEngine(
        dossiers=dossiers or [dossier.pk for dossier in filled.dossiers],
        accounts=[user.pk for user in filled.accounts.values()], profiles=list(apart.LEVELS), states=STATES,
        version=published.current().number, today=timezone.localdate(), **texts,
    )  # fmt: skip


def decisions(filled, who, dossiers=None):
    """Return {dossier: Access} of one account, as the pages get it, for the dossiers it may enter."""
    user = filled.accounts[who]
    asked = dossiers or [dossier.pk for dossier in filled.dossiers]
    found = {dossier: access.to_dossier(user, dossier) for dossier in asked}
    return {dossier: held for dossier, held in found.items() if held}


def differences(filled, who, theirs, dossiers=None, profiles=tuple(apart.LEVELS)):
    """Return where the levels of the engine are not those of the second one."""
    account, wrong = filled.accounts[who].pk, []
    for dossier, held in decisions(filled, who, dossiers).items():
        for profile in profiles:
            for state, cap in CAPS.items():
                mine = replace(held, profile=profile, cap=cap)
                said = tuple(int(mine.level(rubric)) for rubric in Rubrique)
                if said != theirs.get((dossier, account, profile, state)):
                    wrong.append((dossier, profile, state))
    return wrong


def test_the_domains_are_whole(filled):
    """Every pair of values of two facts is met, whatever the facts."""
    assert len(filled.cases) == len(set(filled.cases)) >= 2_000
    assert {case.own and case.own.state for case in filled.cases} == {None, "non", "attente", "oui", "refus"}
    assert len(filled.cases) * len(apart.LEVELS) * len(STATES) * len(Rubrique) >= 100_000


@pytest.mark.parametrize("who", ["vouched", "unknown", "suspended"])
def test_the_same_people_are_inside(filled, who):
    user = filled.accounts[who]
    theirs = {dossier for dossier, account in second(filled).inside() if account == user.pk}
    mine = set(decisions(filled, who))
    assert mine == theirs
    assert bool(theirs) is (who != "suspended")
    # The second question, for lists, answers the same.
    kept = Dossier.objects.filter(id__in=access.dossier_ids(user)) if user.is_active else Dossier.objects.none()
    assert set(kept.values_list("pk", flat=True)) == theirs


def test_the_same_levels_for_every_profile_state_and_rubric(filled):
    theirs = second(filled).levels()
    assert differences(filled, "vouched", theirs) == []


def test_the_same_action_rights_for_every_profile_and_state(filled):
    theirs = second(filled, dossiers=[filled.dossiers[0].pk]).rights()
    held = next(iter(decisions(filled, "vouched").values()))
    for profile in apart.LEVELS:
        for state, cap in CAPS.items():
            mine = replace(held, profile=profile, cap=cap, hat=Hat(structure_id=MINE))
            said = {action: scope_of(mine, action) for action in Action.values}
            assert said == theirs[profile, state], (profile, state)


def scope_of(held, action):
    """Return how far an action goes, from three questions: of nobody's structure, of one's own, of another."""
    answers = tuple(held.may(Action(action), structure_id=house) for house in (None, MINE, OTHER))
    return {(True, True, True): "tous", (False, True, False): "sa_structure", (False, False, False): ""}[answers]


def test_the_same_profile_for_every_account(filled):
    theirs = second(filled).profiles()
    assert theirs == {user.pk: access.profile_of(user) for user in filled.accounts.values()}
    assert sorted(theirs.values()) == ["inconnu", "inconnu", "medecin"]


def test_who_can_is_the_same_for_every_dossier(filled):
    """The third question: whom a notification about a rubric may reach."""
    engine, wrong = second(filled), []
    profile_of, theirs = engine.profiles(), engine.levels()
    rank = list(Rubrique).index(Rubrique.MEDICAL)
    for dossier in filled.dossiers:
        able = {
            user.pk
            for user in filled.accounts.values()
            if (said := theirs.get((dossier.pk, user.pk, profile_of[user.pk], "actif"))) and said[rank] >= 1
        }
        if access.users_able_to(dossier.pk, Rubrique.MEDICAL) != able:
            wrong.append(dossier.pk)
    assert wrong == []


# ---- That it can fail: a fault planted on either side is found -------------------------------------

FAULTS = {
    "a last day read as the first day without": ("members", ">= %(today)s", "> %(today)s"),
    "a refusal forgotten once the member left": (
        "members", "WHERE r.withdrawn_at IS NULL", "WHERE r.withdrawn_at IS NULL AND h.ended_at IS NULL"),
    "a refusal without effect": ("members", "AND NOT EXISTS (SELECT FROM refused", "OR EXISTS (SELECT FROM refused"),
    "a membership that never ends": ("members", "AND h.user_id = p.account\n    WHERE h.ended_at IS NULL",
                                     "AND h.user_id = p.account"),
    "a delegation that never ends": ("members", "g.user_id = p.account AND g.ended_at IS NULL",
                                     "g.user_id = p.account"),
    "a shut structure still let in": ("members", "AND l.closed_at IS NULL", ""),
    "ceilings of a structure put on who enters himself": ("levels", "AND (m.in_person OR NOT i.in_person)", ""),
    "the highest ceiling": ("levels", "min(c.niveau)", "max(c.niveau)"),
    "a paused dossier that is written": ("levels", "('pause', 'clos')", "('clos')"),
    "a journal kept without the medical rubric": ("levels", "u.level = 0", "u.level < 0"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_second_engine_is_found(filled, fault):
    which, right, wrong = FAULTS[fault]
    text = {"members": MEMBERS, "levels": LEVELS}[which]
    assert text.count(right) == 1
    faulty = second(filled, **{which: text.replace(right, wrong)})
    account = filled.accounts["vouched"].pk
    theirs = {dossier for dossier, whose in faulty.inside() if whose == account}
    assert theirs != set(decisions(filled, "vouched")) or differences(filled, "vouched", faulty.levels())


def test_a_fault_in_the_action_rights_is_found(filled):
    faulty = second(filled, dossiers=[filled.dossiers[0].pk], rights=RIGHTS.replace("'noter_refus'", "'inviter'"))
    right = second(filled, dossiers=[filled.dossiers[0].pk])
    assert faulty.rights() != right.rights()


def without_refusals(rows):
    return [row for row in rows if row["state"] != "refus"]


def without_ceilings(rows):
    return [row | {"ceilings": []} for row in rows]


def without_last_days(rows):
    return [row | {"access_until": None} for row in rows]


@pytest.mark.parametrize("fault", [without_refusals, without_ceilings, without_last_days])
def test_a_fault_in_the_engine_is_found(filled, monkeypatch, fault):
    decide = access.decide
    monkeypatch.setattr(access, "decide", lambda rows, **said: decide(fault(rows), **said))
    account, engine = filled.accounts["vouched"].pk, second(filled)
    theirs = {dossier for dossier, whose in engine.inside() if whose == account}
    assert theirs != set(decisions(filled, "vouched")) or differences(
        filled, "vouched", engine.levels(), profiles=("medecin",)
    )
