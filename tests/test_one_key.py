"""One key per request: on the hot routes, every statement on a table of the dossiers is tied to one dossier, one
account or one agenda (SCALE-4).

What a router, or Citus, would ask of each statement: which server. The plan of each statement tells what ties every
table in it: a constant that is a key of the request, or a column of another table that is tied.
"""

import datetime as dt
import json
import re

import pytest
from django.db import connection

from agenda.actions.openings import When, add_opening
from agenda.actions.schedules import schedule_of
from circle.models import Member
from coordination.dossiers.models import Dossier
from habilitations import published
from habilitations.models import Habilitation
from tests.agenda import factories as planned
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.circle.fhir_calls import circle_id
from tests.fhir.api import Api
from tests.test_architecture import family
from tests.test_schema_truths import WHOLE_TABLE, heard

pytestmark = [pytest.mark.django_db, pytest.mark.req("SCALE-4")]

HOT = (
    "{dossier}", "{dossier}cercle/", "{dossier}journal/", "{dossier}agenda/", "{dossier}agenda/semaine/",
    "{dossier}reunions/", "/agenda/", "/agenda/semaine/", "/agenda/ouvertures/", "/fhir/CareTeam/{circle}",
    "/fhir/CareTeam?patient={pk}", "/fhir/Patient/{pk}",
)  # fmt: skip
# What is not tied to one key, and why it is borne: {route: {table: reason}}.
_WHOLE = dict.fromkeys(
    ("habilitations_habilitation", "habilitations_consent", "habilitations_opposition"),
    "the one statement of a circle (circle/told.py): its text joins each of them on the dossier (q.dossier), which the"
    " plan of its later branches does not show",
)
EXCEPTIONS: dict[str, dict[str, str]] = dict.fromkeys(
    ("{dossier}", "{dossier}cercle/", "{dossier}agenda/", "{dossier}agenda/semaine/", "{dossier}reunions/"), _WHOLE
)
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CONSTANT = re.compile(rf"'({ID})'::uuid")
LISTED = re.compile(r"'\{([^}']*)\}'::uuid\[\]")
# Who asks: one account.
WHO_ASKS = re.compile(r"\b(?:session_key|\w*hash|token)\b[^=]* = '")
CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Join Filter", "Hash Cond", "Merge Cond", "One-Time Filter")
MONTH = re.compile(r"_(?:\d{4}_\d\d|autre)$")
TOUCHES = re.compile(r"^\s*(SELECT|WITH|UPDATE|DELETE|INSERT)\b", re.IGNORECASE)


@pytest.fixture
def there(client):
    """A dossier with a circle, an agenda and events; another like it, which nobody asks for."""
    publish_default_matrix()
    reader = make.coordinator(family_name="LECTRICE")
    entries = [make.open_circle(reader) for _ in range(2)]
    for entry in entries:
        make.by_hand(entry)
        make.relative(entry)
        planned.appointment(entry, planned.member_of(entry, reader), starts=planned.at(9 + entries.index(entry)))
    day = planned.at(9, days=20).replace(tzinfo=None)
    add_opening(schedule_of(reader), by=reader, when=When(day, day + dt.timedelta(hours=3), None))
    client.force_login(reader)
    yield entries[0]
    published.forget()


def keys_of(entry, circle=None):
    """What the statements of a request of this reader in this dossier may be tied to."""
    schedule = schedule_of(entry.user)
    found = {entry.dossier.pk, entry.user.pk, entry.user.attachment.professional_id, schedule.pk, schedule.key, circle}
    return {str(one) for one in found if one}


def tables():
    return {model._meta.db_table for model in family()} | {Dossier._meta.db_table}


class Node:
    """A table of a plan, or what stands for one: its name and what it says. `of`: what it is tied through."""

    def __init__(self, node):
        self.table = MONTH.sub("", node.get("Relation Name", ""))
        # A WITH that is read several times has as many aliases.
        self.through = node.get("CTE Name", "")
        self.alias = node.get("Alias") or node.get("CTE Name") or node.get("Subplan Name", "").removeprefix("CTE ")
        below = [child.get("Index Cond", "") for child in node.get("Plans", ()) if "Relation Name" not in child]
        self.said = " ".join(str(node[name]) for name in CONDITIONS if name in node) + " ".join(below)
        if not self.table:
            # Rows made of the request: a WITH of its values, unnest() of a list.
            self.said += " ".join([*node.get("Output", ()), str(node.get("Function Call", ""))])

    def is_tied(self, keys):
        """Whether a constant of the request ties it; two in a list are two servers."""
        listed = [said.split(",") for said in LISTED.findall(self.said)]
        if any(len(few) > 1 for few in listed):
            return False
        found = {*CONSTANT.findall(self.said), *(few[0] for few in listed)}
        return bool(keys & found) or bool(WHO_ASKS.search(self.said))

    def names(self, other):
        if other.alias and other.alias == self.through:
            return True
        return bool(other.alias) and re.search(rf"(?<!\w){re.escape(other.alias)}\.", self.said) is not None


def nodes(node):
    yield Node(node)
    for child in node.get("Plans", ()):
        yield from nodes(child)


def plan_of(sql, params):
    """Return how a statement would be run, by indexes: a test has few rows."""
    with connection.cursor() as cursor:
        for way in WHOLE_TABLE:
            cursor.execute(f"SET LOCAL {way} = off")
        cursor.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}", params)
        told = cursor.fetchone()[0]
    (plan,) = told if isinstance(told, list) else json.loads(told)
    return plan["Plan"]


def loose(sql, params, keys, ours):
    """Return the tables of the dossiers that a statement reads or writes without a key of the request."""
    if sql.lstrip().upper().startswith("INSERT"):
        written = re.search(r"INSERT INTO \"?(\w+)", sql, re.IGNORECASE)[1]
        values = params.values() if isinstance(params, dict) else params or ()
        return {written} if written in ours and not keys & {str(value) for value in values} else set()
    found = list(nodes(plan_of(sql, params)))
    tied = {node for node in found if node.is_tied(keys)}
    grown = 0
    while len(tied) > grown:
        grown = len(tied)
        tied |= {node for node in found for other in tied if node.names(other) or other.names(node)}
    # A sub-select asked for each row of what is around it: its place says so ($0), and what is around is judged.
    tied |= {node for node in found if re.search(r"= \(?\$\d+", node.said)}
    return {node.table for node in found if node.table in ours and node not in tied}


def asked(statements, keys):
    """Return {table: the statement} of what is loose among these, and how many of them touch the dossiers."""
    ours, found, touched = tables(), {}, 0
    for sql, params in statements:
        if TOUCHES.match(sql) and any(table in sql for table in ours):
            touched += 1
            found |= {table: sql[:400] for table in loose(sql, params, keys, ours)}
    return found, touched


@pytest.mark.parametrize("route", HOT)
def test_every_statement_of_a_hot_route_has_its_key(client, there, route):
    circle = circle_id(there) if "circle" in route else None
    address = route.format(dossier=f"/dossiers/{there.dossier.pk}/", circle=circle, pk=there.dossier.pk)
    ask = Api.of(client, there.user).get if route.startswith("/fhir") else client.get
    answers = []
    statements = heard(lambda: answers.append(ask(address)))
    assert answers[0].status_code == 200
    found, touched = asked(statements, keys_of(there, circle))
    assert touched, "the walk saw no statement on the dossiers"
    assert set(found) <= set(EXCEPTIONS.get(route, {})), json.dumps(found, indent=1, ensure_ascii=False)


def test_what_has_no_key_is_seen(there):
    """The walk above is worth what it sees."""
    keys, other = keys_of(there), Dossier.objects.exclude(pk=there.dossier.pk).get()
    member = Member.objects.filter(dossier=there.dossier).first()
    for act in (
        lambda: list(Member.objects.filter(family_name="X")),
        lambda: Member.objects.get(pk=member.pk),
        lambda: list(Member.objects.filter(dossier__in=[there.dossier.pk, other.pk])),
        lambda: list(Member.objects.filter(dossier=other)),
        lambda: list(Habilitation.objects.filter(dossier__birth_name="X")),
        lambda: Member.objects.filter(pk=member.pk).update(family_name="X"),
        lambda: list(Member.objects.filter(dossier=other, family_name__in=Dossier.objects.values("birth_name"))),
    ):
        found, touched = asked(heard(act), keys)
        assert touched and found, act
    for act in (
        lambda: list(Member.objects.filter(dossier=there.dossier)),
        lambda: list(Member.objects.filter(dossier=there.dossier).select_related("habilitation", "dossier")),
        lambda: list(Habilitation.objects.filter(user=there.user).select_related("dossier")),
    ):
        assert asked(heard(act), keys)[0] == {}, act
