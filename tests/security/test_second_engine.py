"""The rights engine against a second one, written in SQL from the text of the rules, on every situation (SECT-8).

Not a sample: each own membership × each of a structure × what is reduced × who stands for it; what the person grants
and opposes, who acts for another and emergencies with what they meet (cases.py); for each profile, each state of the
dossier, each rubric and each action right.
"""

import datetime as dt
from dataclasses import dataclass, field, replace

import pytest
from django.db import transaction
from django.utils import timezone

from coordination.common.statements import rows as run
from coordination.dossiers import door
from coordination.dossiers.models import Dossier
from habilitations import access, closures, grants, published
from habilitations.access import Hat
from habilitations.held import Access
from habilitations.matrix import least
from habilitations.rubriques import Action, Niveau, Rubrique
from tests.security import cases as c
from tests.security import filling
from tests.security import matrix_read_apart as apart
from tests.security.second_engine import BOUNDS, INSIDE, LEVELS, RIGHTS, SecondEngine
from tests.security.world import publish

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.req("SECT-8", "SEC-2", "SEC-3", "SEC-5", "SEC-15")]
STATES = tuple(Dossier.Status.values)
CAPS = {state: Dossier(status=state).cap for state in STATES}
MINE, OTHER = "0190b6a0-0000-7000-8000-000000000001", "0190b6a0-0000-7000-8000-000000000002"


@dataclass
class Compared:
    """The cases in the database, and what the engine says of them, asked once as the pages ask it."""

    filled: filling.Filled
    decided: dict[str, dict] = field(default_factory=dict)
    rows: dict = field(default_factory=dict)

    @property
    def dossiers(self):
        return [dossier.pk for dossier in self.filled.dossiers]

    def account(self, who):
        return self.filled.accounts[who]

    def decisions(self, who):
        """Return {dossier: Access} of one account, for the dossiers it may enter."""
        if who not in self.decided:
            user = self.account(who)
            found = {dossier: access.to_dossier(user, dossier) for dossier in self.dossiers}
            self.decided[who] = {dossier: held for dossier, held in found.items() if held}
        return self.decided[who]

    def decided_again(self, who):
        """Return the same from the rows as they were read: for a fault planted in the decision."""
        user = self.account(who)
        if not self.rows:
            self.rows = {d: run(grants.TO_DOSSIER, {"user": user.pk, "dossier": d}) for d in self.dossiers}
        found = {d: access.decide_for(user, lines, cap=Niveau.ECRITURE) for d, lines in self.rows.items()}
        return {dossier: held for dossier, held in found.items() if held}


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        publish()
        yield Compared(filling.fill(list(c.cases())))
        transaction.set_rollback(True)
    published.forget()


def second(filled, dossiers=None, accounts=None, **texts):
    return SecondEngine(
        dossiers=dossiers or filled.dossiers,
        accounts=accounts or [user.pk for user in filled.filled.accounts.values()], profiles=list(apart.LEVELS),
        states=STATES, version=published.current().number, today=timezone.localdate(), **texts,
    )  # fmt: skip


def differences(decisions, account, theirs):
    """Return where the levels of the engine are not those of the second one; a case is told by its dossier.

    What is the same for both engines in two dossiers is compared once.
    """
    wrong, pairs = [], {}
    for dossier, held in decisions.items():
        pairs.setdefault((_all_that_counts(held), theirs.inside.get((dossier, account))), (dossier, held))
    for dossier, held in pairs.values():
        for profile in apart.LEVELS:
            for state, cap in CAPS.items():
                mine = replace(held, profile=profile, cap=least((cap, held.cap)))
                said = tuple(int(mine.level(rubric)) for rubric in Rubrique)
                if said != theirs.of(dossier, account, profile, state):
                    wrong.append((dossier, profile, state))
    return wrong


def _all_that_counts(held: Access):
    """Everything a level depends on, but for the profile and the state that are put in its place."""
    return held.cap, tuple(sorted(held.ceilings.items())), held.on_behalf_of


def cases_of(filled, wrong):
    """Return the first cases behind some differences, for who reads a failure."""
    by_dossier = dict(zip(filled.dossiers, filled.filled.cases, strict=True))
    return "\n" + "\n".join(f"{by_dossier[d]} {rest}" for d, *rest in wrong[:5])


def test_the_domains_are_whole(filled):
    cases = filled.filled.cases
    assert len(cases) == len(set(cases)) >= 3_500
    assert {case.own and case.own.state for case in cases} == {None, "non", "attente", "oui", "refus"}
    assert {case.own.rests for case in cases if case.own} == {row.rests for row in c.MET if row} | set(c.GROUNDS)
    assert {case.opposed for case in cases} == {None, *c.OPPOSITIONS}
    assert {other.way for case in cases for other in case.others} == set(c.WAYS)
    assert {case.emergency for case in cases} == {"", c.RUNNING, c.PAST, c.LEFT}
    assert len(cases) * len(apart.LEVELS) * len(STATES) * len(Rubrique) >= 5_000_000


@pytest.mark.parametrize("who", ["vouched", "unknown", "suspended"])
def test_the_same_people_are_inside(filled, who):
    user = filled.account(who)
    theirs = {dossier for dossier, account in second(filled, accounts=[user.pk]).inside()}
    wrong = set(filled.decisions(who)) ^ theirs
    assert not wrong, cases_of(filled, [(dossier,) for dossier in wrong])
    assert bool(theirs) is (who != "suspended")
    # The second question, for lists, answers the same.
    kept = Dossier.objects.filter(id__in=access.dossier_ids(user)) if user.is_active else Dossier.objects.none()
    wrong = set(kept.values_list("pk", flat=True)) ^ theirs
    assert not wrong, cases_of(filled, [(dossier,) for dossier in wrong])


@pytest.mark.parametrize("who", ["vouched", "unknown", "suspended"])
def test_several_dossiers_at_once_are_decided_as_one_by_one(filled, who):
    together = door.look_many(filled.account(who), filled.dossiers)
    alone = filled.decisions(who)
    assert set(together) == set(alone)
    wrong = [(pk,) for pk, entry in together.items() if _all_that_counts(entry.access) != _all_that_counts(alone[pk])]
    assert not wrong, cases_of(filled, wrong)


@pytest.mark.parametrize("who", ["vouched", "unknown"])
def test_the_same_levels_for_every_profile_state_and_rubric(filled, who):
    account = filled.account(who).pk
    theirs = second(filled, accounts=[account]).levels()
    wrong = differences(filled.decisions(who), account, theirs)
    assert not wrong, cases_of(filled, wrong)
    assert len(theirs.inside) >= 1_000 and len({found.bound for found in theirs.inside.values()}) >= 20


def test_every_way_in_is_met(filled):
    """The domains reach each way: otherwise a rule of it would never be compared."""
    found = filled.decisions("vouched").values()
    own = [held for held in found if not (held.through_structure or held.on_behalf_of or held.ends_at)]
    by_house = [held for held in found if held.through_structure]
    kinds = {held.on_behalf_of.kind for held in found if held.on_behalf_of}
    assert len(own) >= 100 and len(by_house) >= 100 and kinds == {"remplacement", "secretariat"}
    assert sum(held.ends_at is not None for held in found) >= 10


def test_for_whom_and_in_an_emergency_are_the_same(filled):
    account = filled.account("vouched").pk
    theirs = second(filled, accounts=[account]).inside()
    wrong = [
        (dossier, said, held)
        for dossier, held in filled.decisions("vouched").items()
        if ((said := theirs[dossier, account]).other, said.in_emergency)
        != (held.on_behalf_of.profile if held.on_behalf_of else "", held.ends_at is not None)
    ]
    assert not wrong, cases_of(filled, wrong)


def test_the_same_action_rights_for_every_profile_and_state(filled):
    theirs = second(filled, dossiers=filled.dossiers[:1]).rights()
    held = next(iter(filled.decisions("vouched").values()))
    for profile in apart.LEVELS:
        for state, cap in CAPS.items():
            mine = replace(held, profile=profile, cap=cap, hat=Hat(structure_id=MINE))
            said = {action: scope_of(mine, action) for action in Action.values}
            assert said == theirs[profile, state], (profile, state)


def test_who_acts_for_another_does_what_both_may_and_an_emergency_nothing(filled):
    """« Action rights follow the same rule »: the right of each, on its own structure when it is bounded."""
    theirs = second(filled, dossiers=filled.dossiers[:1]).rights()
    found = filled.decisions("vouched").values()
    for_another = {held.on_behalf_of.bounds: held for held in found if held.on_behalf_of}.values()
    in_emergency = next(held for held in found if held.ends_at)
    assert len(for_another) >= 4
    for profile in apart.LEVELS:
        for held in for_another:
            mine = replace(held, profile=profile, hat=Hat(structure_id=MINE))
            both = [theirs[one, "actif"] for one in (profile, held.on_behalf_of.profile)]
            for action in Action.values:
                # The other has no structure here: what is bounded to one's own is nobody's.
                owed = "tous" if both[0][action] == both[1][action] == "tous" else ""
                owed = "sa_structure" if (both[0][action], both[1][action]) == ("sa_structure", "tous") else owed
                assert scope_of(mine, action) == owed, (profile, held.on_behalf_of, action)
        mine = replace(in_emergency, profile=profile, hat=Hat(structure_id=MINE))
        assert not any(scope_of(mine, action) for action in Action.values), profile


def scope_of(held, action):
    """Return how far an action goes, from three questions: of nobody's structure, of one's own, of another."""
    answers = tuple(held.may(Action(action), structure_id=house) for house in (None, MINE, OTHER))
    return {(True, True, True): "tous", (False, True, False): "sa_structure", (False, False, False): ""}[answers]


def test_the_same_profile_for_every_account(filled):
    theirs = second(filled).profiles()
    assert theirs == {user.pk: access.profile_of(user) for user in filled.filled.accounts.values()}
    assert sorted(theirs.values()) == ["inconnu", "inconnu", "medecin"]


def test_who_can_is_the_same_for_every_dossier(filled):
    """The third question: whom a notification about a rubric may reach; those for whom one acts are there too."""
    people = [*filled.filled.accounts.values(), *filled.filled.others.values()]
    engine, wrong = second(filled, accounts=[user.pk for user in people]), []
    profile_of, theirs, able = engine.profiles(), engine.levels(), {}
    rank = list(Rubrique).index(Rubrique.MEDICAL)
    for dossier, account in theirs.inside:
        if theirs.of(dossier, account, profile_of[account], "actif")[rank] >= 1:
            able.setdefault(dossier, set()).add(account)
    known = dict(zip(filled.dossiers, filled.filled.cases, strict=True))
    # The memberships alone were compared above: one in five here, and all that says more.
    more = [d for d, case in known.items() if case.opposed or case.others or case.emergency]
    for dossier in {*more, *filled.dossiers[::5]}:
        if access.users_able_to(dossier, Rubrique.MEDICAL) != able.get(dossier, set()):
            wrong.append((dossier,))
    assert not wrong, cases_of(filled, wrong)


# ---- That it can fail: a fault planted on either side is found -------------------------------------

FAULTS = {
    "a last day read as the first day without": (
        "inside", "h.access_until >= %(today)s", "h.access_until > %(today)s"),
    "a refusal forgotten once the member left": (
        "inside", "WHERE r.withdrawn_at IS NULL AND h.account", "WHERE h.ended_at IS NULL AND h.account"),
    "a membership that never ends": ("inside", "h.ended_at IS NULL AND h.state", "h.state"),
    "a delegation that never ends": ("inside", "WHERE g.ended_at IS NULL", ""),
    "a shut structure still let in": ("inside", "AND l.closed_at IS NULL", ""),
    "a grant that rests on nothing": ("inside", "coalesce(f.stands, FALSE)", "coalesce(f.stands, TRUE)"),
    "a consent that is over and still carries": ("inside", """c."end" = '' AND (""", "("),
    "a consent past its last day": ("inside", "OR c.last_day >= %(today)s", "OR TRUE"),
    "the last day of a consent left out": ("inside", "OR c.last_day >= %(today)s", "OR c.last_day > %(today)s"),
    "a consent that another one replaced": ("inside", "WHERE c.replaced_at IS NULL", ""),
    "a consent withdrawn that only ends": ("inside", """WHERE f."end" = 'retrait' AND""", "WHERE FALSE AND"),
    "a whole opposition without effect": ("inside", "WHERE o.rubrique = ''", "WHERE FALSE"),
    "a whole opposition that spares nobody": ("inside", "ON NOT u.id = ANY(o.spared)", "ON TRUE"),
    "an opposition withdrawn and still there": ("inside", "WHERE o.withdrawn_at IS NULL", "WHERE TRUE"),
    "somebody acting before his first day": ("inside", "AND a.first_day <= %(today)s", ""),
    "somebody acting after his last day": ("inside", "(a.last_day IS NULL OR a.last_day >= %(today)s)", "TRUE"),
    "the last day of a stand-in left out": ("inside", "OR a.last_day >= %(today)s", "OR a.last_day > %(today)s"),
    "somebody acting who did not accept": ("inside", "a.accepted_at IS NOT NULL AND", ""),
    "somebody acting whose acting was ended": ("inside", "AND a.ended_at IS NULL", ""),
    "somebody acting for a suspended account": ("inside", "AND o.is_active", ""),
    "a secretary without the person's consent": ("inside", "a.kind = 'remplacement' OR EXISTS", "TRUE OR EXISTS"),
    "a secretary whose consent was taken back": ("inside", "AND s.withdrawn_at IS NULL", ""),
    "a refusal of the other without effect on who acts for him": (
        "inside", "AND NOT EXISTS (SELECT FROM kept_out k WHERE k.dossier = h.dossier AND k.account = a.other)", ""),
    "a stand-in preferred to one's own way": ("inside", "THEN 3 ELSE 4 END", "THEN 0 ELSE 4 END"),
    "the one that ends first": ("inside", "lasts DESC NULLS FIRST", "lasts ASC NULLS LAST"),
    "an emergency past its hour": ("inside", "AND e.ends_at > now()", ""),
    "an emergency that was left": ("inside", "e.closed_at IS NULL AND", ""),
    "an emergency whatever a structure was refused": (
        "inside", "WHERE r.dossier_id = p.dossier AND", "WHERE FALSE AND"),
    "ceilings of a structure put on who enters himself": ("bounds", "i.rank = 2 AND", ""),
    "the highest ceiling": ("bounds", "min(most)", "max(most)"),
    "a narrow consent that closes nothing": ("bounds", "AND cardinality(f.rubriques) > 0", "AND FALSE"),
    "an opposition that closes nothing": ("bounds", "AND o.rubrique <> ''", "AND FALSE"),
    "an opposition to everybody that reaches nobody": ("bounds", "WHERE o.membership IS NULL", "WHERE FALSE"),
    "an opposition to one read as to everybody": ("bounds", "WHERE o.membership IS NULL", "WHERE TRUE"),
    "an opposition forgotten with a membership of before": (
        "bounds", "OR aimed.account IN", "OR FALSE AND aimed.account IN"),
    "a secretary who sees more than was chosen": ("bounds", "WHERE i.chosen IS NOT NULL", "WHERE i.rank = 5"),
    "an emergency that writes": ("bounds", "WHEN i.rank = 5 THEN 1", "WHEN i.rank = 5 THEN 2"),
    "a stand-in who has more than the other": ("levels", "CASE WHEN b.other = '' THEN 2", "CASE WHEN TRUE THEN 2"),
    "a paused dossier that is written": ("levels", "('pause', 'clos')", "('clos')"),
    "a journal kept without the medical rubric": ("levels", "AND level = 0", "AND level < 0"),
}  # fmt: skip


@pytest.mark.once
@pytest.mark.drawn(12)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_second_engine_is_found(filled, fault):
    which, right, wrong = FAULTS[fault]
    text = {"inside": INSIDE, "bounds": BOUNDS, "levels": LEVELS}[which]
    assert text.count(right) == 1
    account = filled.account("vouched").pk
    faulty = second(filled, accounts=[account], **{which: text.replace(right, wrong)})
    assert differ(filled.decisions("vouched"), account, faulty)


def differ(decisions, account, engine):
    """Say whether somebody is inside for one engine only, or has other levels there."""
    theirs = engine.levels()
    return {dossier for dossier, _ in theirs.inside} != set(decisions) or differences(decisions, account, theirs)


@pytest.mark.once
def test_a_fault_in_the_action_rights_is_found(filled):
    faulty = second(filled, dossiers=filled.dossiers[:1], rights=RIGHTS.replace("'noter_refus'", "'inviter'"))
    right = second(filled, dossiers=filled.dossiers[:1])
    assert faulty.rights() != right.rights()


def without_refusals(rows):
    return [row for row in rows if row["state"] != "refus"]


def without_ceilings(rows):
    return [row | {"ceilings": [line for line in row["ceilings"] if line == grants.WHOLE]} for row in rows]


def without_whole_oppositions(rows):
    return [row | {"ceilings": [line for line in row["ceilings"] if line != grants.WHOLE]} for row in rows]


def without_last_days(rows):
    return [row | {"access_until": None} for row in rows]


def without_the_ends_of_grounds(rows):
    return [row | {"ground_end": ""} for row in rows]


def without_the_last_days_of_grounds(rows):
    return [row | {"ground_until": None} for row in rows]


def without_grounds(rows):
    return [row | {"ground": row["ground"] or "reconnue"} for row in rows]


def without_those_one_acts_for(rows):
    return [row for row in rows if not row["acting"]]


def with_the_rows_of_others_as_ones_own(rows):
    return [row | {"acting": None} for row in rows]


def with_emergencies_without_end(rows):
    return [row | {"ends_at": row["ends_at"] and timezone.now() + dt.timedelta(days=9)} for row in rows]


ENGINE_FAULTS = [
    without_refusals, without_ceilings, without_whole_oppositions, without_last_days, without_the_ends_of_grounds,
    without_the_last_days_of_grounds, without_grounds, without_those_one_acts_for, with_the_rows_of_others_as_ones_own,
    with_emergencies_without_end,
]  # fmt: skip


def test_the_rows_decided_again_are_the_decisions(filled):
    assert filled.decided_again("vouched") == filled.decisions("vouched")


@pytest.mark.once
@pytest.mark.parametrize("fault", ENGINE_FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_in_the_engine_is_found(filled, monkeypatch, fault):
    decide = access.decide
    monkeypatch.setattr(access, "decide", lambda rows, **said: decide(fault(rows), **said))
    account = filled.account("vouched").pk
    assert differ(filled.decided_again("vouched"), account, second(filled, accounts=[account]))


def test_a_withdrawn_consent_that_only_ends_is_found(filled, monkeypatch):
    monkeypatch.setattr(closures, "closes_whole", lambda row: grants.WHOLE in row["ceilings"])
    account = filled.account("vouched").pk
    assert differ(filled.decided_again("vouched"), account, second(filled, accounts=[account]))
