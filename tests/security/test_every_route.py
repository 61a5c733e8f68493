"""Every address × every method × every profile × every situation gives the answer of the table (SECT-3).

The routes are found by walking the URLs: one without a line fails, and a line without a route. What is asked here is
who is let in; what an act then does is in test_acts.py. Short form: what tells profiles apart, and a draw of the rest
(sampling.py); every cell, some 32,000, with `FULL=1 make test ARGS=tests/security`.
"""

import pytest

from tests.security import expected as e
from tests.security import routes as r
from tests.security import sampling
from tests.security import world as w
from tests.security.matrix_read_apart import LEVELS

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-3", "SEC-1", "SEC-2")]
RULES = e.table()
PARTS = r.names()
# A dossier, or something of a dossier, in the address: the answer depends on the situation there.
OF_DOSSIER = {name: parts for name, parts in PARTS.items() if {"dossier_id", "invitation_id"} & set(parts)}
BESIDE = {name: parts for name, parts in PARTS.items() if name not in OF_DOSSIER}
# What no page of ours answers is refused before the person is looked at: asked of one who may do everything.
USUAL, ALL_METHODS = ("GET", "POST"), e.METHODS
# The dossiers of the other situations are made by the test that asks for them.
NEEDS = {"situations": (w.GRANTED, w.OUTSIDER)}


def differences(visitor, who, routes, ids, methods=USUAL):
    """Return {route and method: (expected, answered)} where they differ, and how many were asked."""
    wrong, asked = {}, 0
    for name, parts in routes.items():
        path = r.address(name, parts, ids(name))
        for method in methods_of(name, methods):
            owed, asked = e.answer_of(RULES, name, method, who), asked + 1
            if (said := r.said_by(visitor.ask(method, path))) != owed:
                wrong[f"{who.profile or who.situation} {method} {name}"] = f"table {owed}, answered {said}"
    return wrong, asked


def ids_in(world, place):
    known = r.ids_of(world, place)
    return lambda name: known | r.OWN_IDS.get(name, lambda *_: {})(world, place)


def test_each_route_has_its_line_and_each_line_its_route():
    lines = {name for name, _ in RULES}
    assert set(PARTS) - lines == set(), "a new page: say in expected.py who is answered"
    assert lines - set(PARTS) == set(), "a line of the table stands for no page"


def owed_in(situation, routes):
    """Return a function of a profile: everything that the table owes it in a situation."""

    def owed(profile):
        who = e.Who(situation, profile)
        return tuple(e.answer_of(RULES, name, method, who) for name in routes for method in USUAL)

    return owed


def profiles_of(situation):
    return w.FEW if situation in w.WITH_FEW else tuple(LEVELS)


def asked_in(situation):
    """Yield (profile, routes): profiles are told apart by the pages of a dossier, and by those of its invitations."""
    for part in ("dossier_id", "invitation_id"):
        routes = {name: parts for name, parts in OF_DOSSIER.items() if part in parts}
        yield from sampling.asked(profiles_of(situation), owed_in(situation, routes), routes)


def asked_beside():
    return sampling.asked(LEVELS, owed_in(w.OUTSIDER, BESIDE), BESIDE)


def methods_of(name, methods):
    return e.LIBRARY_METHODS if e.LIBRARY.match(name) else methods


def test_the_table_is_as_large_as_the_goal():
    """`FULL=1` asks 30,000 cells and more; the short form, everything of each class and a part of the rest."""
    apart = len(w.APART) * sum(len(methods_of(name, ALL_METHODS)) for name in PARTS)
    whole = [(profiles_of(situation), OF_DOSSIER) for situation in w.SITUATIONS] + [(LEVELS, BESIDE)]
    assert len(LEVELS) == 25 and apart + sum(len(who) * len(routes) * 2 for who, routes in whole) >= 30_000
    parts = [part for situation in w.SITUATIONS for _, part in asked_in(situation)]
    parts += [part for _, part in asked_beside()]
    assert apart + sum(len(routes) * 2 for routes in parts) >= 15_000
    kinds = [len(sampling.classes(profiles_of(s), owed_in(s, OF_DOSSIER))) for s in w.WHOLE]
    assert kinds == [11, 11, 8], "the table tells more or fewer profiles apart than it did"


# Who is habilitated walks every page on both engines of .ci/run; the other situations are asked once.
WALKS = [w.GRANTED, *(pytest.param(situation, marks=pytest.mark.once) for situation in w.SITUATIONS[1:])]


@pytest.mark.asvs("v5.0.0-8.2.1")
@pytest.mark.slow
@pytest.mark.parametrize("situation", WALKS)
def test_each_profile_in_each_situation(world, situation):
    if situation == w.OUTSIDER:
        # Whatever one is elsewhere, and in as many ways, one is a stranger here.
        for elsewhere in w.SITUATIONS:
            w.settle(world, elsewhere)
    place = world.places.get(situation) or w.settle(world, situation)
    wrong, asked, ids = {}, 0, ids_in(world, place)
    for profile, routes in asked_in(situation):
        methods = ALL_METHODS if (situation, profile) == (w.GRANTED, w.OWNER) else USUAL
        visitor = r.Visitor(world.people[profile])
        found, count = differences(visitor, e.Who(situation, profile), routes, ids, methods)
        wrong, asked = wrong | found, asked + count
    assert not wrong, r.listed(wrong)
    assert asked >= len(OF_DOSSIER) * len(USUAL)


@pytest.mark.asvs("v5.0.0-8.2.1")
@pytest.mark.slow
@pytest.mark.once
def test_each_profile_beside_the_dossiers(world):
    wrong, ids = {}, ids_in(world, world.places[w.OUTSIDER])
    for profile, routes in asked_beside():
        methods = ALL_METHODS if profile == w.OWNER else USUAL
        who, visitor = e.Who(w.OUTSIDER, profile), r.Visitor(world.people[profile])
        wrong |= differences(visitor, who, routes, ids, methods)[0]
    assert not wrong, r.listed(wrong)


@pytest.mark.parametrize("who", w.APART)
def test_who_is_nobodys_carer(world, who):
    """A visitor, a suspended account, an administrator, the data-protection officer, who looks after accounts."""
    visitor = r.Visitor(world.apart[who])
    wrong = differences(visitor, e.Who(who), PARTS, ids_in(world, world.places[w.GRANTED]), ALL_METHODS)[0]
    assert not wrong, r.listed(wrong)


@pytest.mark.req("SEC-2")
@pytest.mark.slow
@pytest.mark.once
def test_a_discreet_member_exists_only_for_who_reads_the_medical_rubric(world):
    """Rule 7: for the others, each page of that member is a page that does not exist.

    Refused at the door, they are so whoever the member is; past it, he is not found. That both are what an identifier
    of nobody is answered, to the byte, is in test_absent_and_forbidden.py.
    """
    place, wrong, tried = world.places[w.GRANTED], {}, 0
    ids = r.ids_of(world, place) | {"member_id": place.hidden.pk}
    of_member = {name: parts for name, parts in PARTS.items() if "member_id" in parts and name != "circle:link"}
    for profile, user in world.people.items():
        who = e.Who(w.GRANTED, profile, asks_of_discreet=True)
        if who.is_shown_member:
            # Asked of another member by the tests above; here, that the pages are there at all.
            wrong |= differences(r.Visitor(user), who, sampling.part_of(of_member), lambda name: ids)[0]
        else:
            wrong |= differences(r.Visitor(user), who, of_member, lambda name: ids)[0]
            tried += sum(e.answer_of(RULES, name, "GET", e.Who(w.GRANTED, profile)) == e.OPEN for name in of_member)
    assert not wrong, r.listed(wrong)
    assert tried >= 50, "nobody was kept from that member: nothing is proved"
