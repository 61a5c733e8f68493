"""Every address × every method × every profile × every situation gives the answer of the table (SECT-3).

The routes are found by walking the URLs: one without a line fails, and a line without a route. What is asked here is
who is let in; what an act then does is in test_acts.py.
"""

import pytest

from tests.security import expected as e
from tests.security import routes as r
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


def differences(visitor, who, routes, ids, methods=USUAL):
    """Return {route and method: (expected, answered)} where they differ, and how many were asked."""
    wrong, asked = {}, 0
    for name, parts in routes.items():
        path = r.address(name, parts, ids(name))
        for method in e.LIBRARY_METHODS if e.LIBRARY.match(name) else methods:
            owed, asked = e.answer_of(RULES, name, method, who), asked + 1
            if (said := r.said_by(visitor.ask(method, path))) != owed:
                wrong[f"{who.profile or who.situation} {method} {name}"] = f"table {owed}, answered {said}"
    return wrong, asked


def ids_in(world, situation):
    place = world.places[situation]
    known = r.ids_of(world, place)
    return lambda name: known | r.OWN_IDS.get(name, lambda *_: {})(world, place)


def test_each_route_has_its_line_and_each_line_its_route():
    lines = {name for name, _ in RULES}
    assert set(PARTS) - lines == set(), "a new page: say in expected.py who is answered"
    assert lines - set(PARTS) == set(), "a line of the table stands for no page"


def test_the_table_is_as_large_as_the_goal():
    people = len(LEVELS) * len(w.WHOLE) + len(w.FEW) * len(w.WITH_FEW)
    cells = len(OF_DOSSIER) * len(USUAL) * people + len(BESIDE) * len(USUAL) * len(LEVELS)
    assert len(LEVELS) == 25 and cells >= 20_000


@pytest.mark.slow
@pytest.mark.parametrize("situation", w.SITUATIONS)
def test_each_profile_in_each_situation(world, situation):
    wrong, asked, ids = {}, 0, ids_in(world, situation)
    profiles = w.FEW if situation in w.WITH_FEW else tuple(LEVELS)
    for profile in profiles:
        user = world.people[profile]
        methods = ALL_METHODS if (situation, profile) == (w.GRANTED, w.OWNER) else USUAL
        found, count = differences(r.Visitor(user), e.Who(situation, profile), OF_DOSSIER, ids, methods)
        wrong, asked = wrong | found, asked + count
    assert not wrong, r.listed(wrong)
    assert asked >= len(OF_DOSSIER) * len(USUAL) * len(profiles)


@pytest.mark.slow
def test_each_profile_beside_the_dossiers(world):
    wrong = {}
    for profile, user in world.people.items():
        who, methods = e.Who(w.OUTSIDER, profile), ALL_METHODS if profile == w.OWNER else USUAL
        wrong |= differences(r.Visitor(user), who, BESIDE, ids_in(world, w.OUTSIDER), methods)[0]
    assert not wrong, r.listed(wrong)


@pytest.mark.parametrize("who", [w.ANONYMOUS, w.SUSPENDED, w.ADMINISTRATOR, w.OFFICER, w.LOOKS_AFTER])
def test_who_is_nobodys_carer(world, who):
    """A visitor, a suspended account, an administrator, the data-protection officer, who looks after accounts."""
    visitor = r.Visitor(world.apart[who])
    wrong = differences(visitor, e.Who(who), PARTS, ids_in(world, w.GRANTED), ALL_METHODS)[0]
    assert not wrong, r.listed(wrong)


@pytest.mark.req("SEC-2")
@pytest.mark.slow
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
        wrong |= differences(r.Visitor(user), who, of_member, lambda name: ids)[0]
        if not who.is_shown_member:
            tried += sum(e.answer_of(RULES, name, "GET", e.Who(w.GRANTED, profile)) == e.OPEN for name in of_member)
    assert not wrong, r.listed(wrong)
    assert tried >= 50, "nobody was kept from that member: nothing is proved"
