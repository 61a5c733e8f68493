"""No silent read: what serves something of a dossier leaves a trace that names the rubric, or fails (SECT-10, SEC-13).

Every route is asked by somebody who may read everything; the statements behind the answer tell which tables it read.
"""

import re

import pytest
from django.db import DatabaseError, connection

from habilitations import traces
from tests.security import expected as e
from tests.security import routes as r
from tests.security import world as w
from tests.test_architecture import named_routes

pytestmark = [
    pytest.mark.django_db, pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-10", "SEC-9", "SEC-13"),
]  # fmt: skip
PARTS = r.names()
VIEWS = {name: view for name, _, view in named_routes()}
OF_DOSSIER = {name: parts for name, parts in PARTS.items() if "dossier_id" in parts}
LEFT_ALONE = {"account_logout"}
NEEDS = {"profiles": (w.OWNER,), "situations": (w.GRANTED,)}

# Tables of which every row belongs to one dossier: reading one is reading the dossier.
FAMILY = re.compile(
    r"\b(?:FROM|JOIN)\s+\"?((?:dossiers|circle)_\w+|habilitations_(?:refusal|ceiling|accessrequest|consent|opposition|secretaryconsent|emergency\w+))"
)
# Lists of what is possible, which say nothing of anybody.
NOT_OF_A_DOSSIER = {"circle_rolesetting"}

# Inside a dossier, without a rubric in the trace: the page shows what each rubric lets its reader see.
NO_RUBRIC = {
    "dossiers:home": "the first page: the cards of the rubrics one reads; traced as the opening of the dossier",
    "dossiers:seen": "writes the date of one's own visit",
    "dossiers:access": "one's own rights, and one's own requests",
    "dossiers:ask_access": "one's own request",
    "dossiers:leave_emergency": "ends one's own emergency access; off here",
    "dossiers:show_emergency": "an emergency access: who, when and why, nothing of the person; off here",
    "dossiers:review_emergency": "the same",
    "reunions:meeting": "a meeting, to who reads meetings and to who is invited, whatever the matrix (rule 6)",
    "reunions:answer": "the same, to answer",
}
# Beside the dossiers, a table of a dossier is read and nothing of a dossier is served.
_LINK = "the invitation itself, to the person invited: who invites and for which structure, never who is followed"
SERVES_NOTHING = dict.fromkeys(
    ("invitations:answer", "invitations:refuse", "invitations:opened", "invitations:ask", "invitations:receive"), _LINK
) | {
    "reponse:answer": "when a meeting is and who organises it, to who is invited; never who is followed, nor why",
    "flux:calendar": "when one’s own time is taken: the addresses of this world say no more; a full one is traced",
    "invitations:awaiting": "what one has accepted oneself, and that it waits",
    "accounts:home": "how many of one's own invitations wait for one's word",
    "administration:legal_structures": "in how many dossiers a structure is habilitated, never in which",
    "administration:close_structure": "the same number, before closing",
}


class Behind:
    """What a request did: the family tables it read, the traces it left."""

    def __init__(self):
        self.read, self.left = set(), []

    def __call__(self, execute, sql, params, many, context):
        text = str(sql)
        if text.lstrip().startswith("INSERT INTO habilitations_") and "trace (" in text.split("\n")[1]:
            self.left.append(params)
        elif "accounts_session" not in text:  # which says of its own account whether it runs an emergency
            self.read |= set(FAMILY.findall(text)) - NOT_OF_A_DOSSIER
        return execute(sql, params, many, context)


def behind(visitor, method, path):
    seen = Behind()
    with connection.execute_wrapper(seen):
        answer = visitor.ask(method, path)
    return answer, seen


def ids_in(world, situation=w.GRANTED):
    place = world.places[situation]
    known = r.ids_of(world, place)
    return lambda name: known | r.OWN_IDS.get(name, lambda *_: {})(world, place)


@pytest.fixture(scope="module")
def visitors(world):
    """Who reads everything in a dossier, and who has pages of his own beside the dossiers."""
    people = {e.Who(w.GRANTED, w.OWNER): world.people[w.OWNER]}
    people |= {e.Who(name): world.apart[name] for name in (w.ADMINISTRATOR, w.OFFICER, w.LOOKS_AFTER)}
    return {who: r.Visitor(user) for who, user in people.items()}


@pytest.fixture(scope="module")
def served(world, visitors):
    """{(who, route, method): what was behind} for each 2xx answer, asked of the first who is let in."""
    found, ids, rules, asked = {}, ids_in(world), e.table(), set()
    for who, visitor in visitors.items():
        for (name, method), rule in rules.items():
            if method not in ("GET", "POST") or (name, method) in asked or name in LEFT_ALONE or rule(who) != e.OPEN:
                continue
            asked.add((name, method))
            answer, seen = behind(visitor, method, r.address(name, PARTS[name], ids(name)))
            if 200 <= answer.status_code < 300:
                found[who, name, method] = seen
    return found


def test_what_serves_a_dossier_names_its_rubric_in_a_trace(world, served):
    place, silent = world.places[w.GRANTED], {}
    asked = [key for key in served if key[1] in OF_DOSSIER]
    for who, name, method in asked:
        rubric = VIEWS[name].door[0]
        left = [line for line in served[who, name, method].left if line.get("dossier_id") == place.dossier.pk]
        named = {line["rubrique"] for line in left if line["outcome"] == "ok"}
        if (str(rubric.value) if rubric else "") not in named:
            silent[f"{method} {name}"] = f"expected {rubric}, traced {named}"
    assert not silent, r.listed(silent)
    assert len(asked) >= 30, "too few pages answered to prove anything"


def test_the_pages_without_a_rubric_are_those_and_no_other():
    assert {name for name in OF_DOSSIER if VIEWS[name].door[0] is None} == set(NO_RUBRIC)


def test_what_reads_a_dossier_elsewhere_leaves_a_trace(served):
    """Lists, searches, « À faire », invitations, journals: by the tables they read, found by themselves."""
    silent, traced, unsaid = {}, set(), set()
    for (_, name, method), seen in served.items():
        if name in OF_DOSSIER or not seen.read:
            continue
        if seen.left:
            traced.add(name)
        elif name in SERVES_NOTHING:
            unsaid.add(name)
        else:
            silent[f"{method} {name}"] = sorted(seen.read)
    assert not silent, r.listed(silent)
    assert {"dossiers:list", "dossiers:export", "todo", "invitations:list"} <= traced
    assert unsaid == set(SERVES_NOTHING), "this one leaves a trace, or reads nothing: take it off the list"


def test_a_failing_trace_fails_every_page_that_leaves_one(world, served, visitors, monkeypatch):
    def broken(*args, **kwargs):
        raise DatabaseError("the journal is full")

    monkeypatch.setattr(traces, "write", broken)
    ids, shown, tried = ids_in(world), {}, 0
    for (who, name, method), seen in served.items():
        if not seen.left:
            continue
        answer = visitors[who].ask(method, r.address(name, PARTS[name], ids(name)))
        tried += 1
        if answer.status_code != 500:
            shown[f"{who.situation} {method} {name}"] = answer.status_code
    assert not shown, r.listed(shown)
    assert tried >= 40
