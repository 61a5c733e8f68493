"""A Bundle that only creates is done by sets, and nothing of it shows but how fast it goes (PERF-12)."""

import copy
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle.models import Change, Member, Period, RoleHolding
from coordination.directory.models import Activity, Professional, Structure
from coordination.fhir import bundles
from coordination.fhir.models import Kept
from habilitations.models import Habilitation, StateChange, Trace
from tests.circle import factories as make
from tests.fhir.api import issues, read
from tests.fhir.capturing import not_judged  # noqa: F401 - a fixture
from tests.fhir.circles import whole

pytestmark = [pytest.mark.django_db, pytest.mark.req("PERF-12")]
FEW, MANY = ("UN", "DEUX"), ("UN", "DEUX", "TROIS", "QUATRE", "CINQ", "SEPT")
# Rows of this transaction, in the order in which they were written, and what of each says the same each time.
WRITTEN = {
    Structure: ("name", "search_name", "partner", "source", "created_by"),
    Professional: ("family_name", "search_family", "partner", "source", "created_by"),
    Activity: ("profession", "structure__name", "structure_name", "partner", "town", "category"),
    Member: (
        "kind", "family_name", "structure__name", "professional__family_name", "activity__structure_name", "version",
        "discreet", "duplicate_reason", "created_by",
    ),
    Habilitation: ("state", "ended_at", "state_by", "structure__name", "professional__family_name", "requested_at"),
    StateChange: ("before", "after", "by", "habilitation__members__family_name"),
    Period: ("member__kind", "member__family_name", "starts_on", "ends_on", "started_by"),
    RoleHolding: ("member__kind", "member__family_name", "role", "exclusive", "starts_on", "ends_on", "given_by"),
    Change: ("kind", "member__kind", "member__family_name", "subject", "before", "after", "by"),
    Trace: ("action", "rubrique", "outcome", "object_kind", "reason", "actor_id"),
    Kept: ("resource_type", "owner"),
}  # fmt: skip


@pytest.fixture
def one_by_one(monkeypatch):
    def force():
        monkeypatch.setattr(bundles, "_may_go_by_sets", lambda entries: False)

    return force


def written(before=None):
    """Return the keys of all that is written, or what was written since."""
    if before is None:
        return {table: set(table.objects.values_list("pk", flat=True)) for table in WRITTEN}
    return {
        table.__name__: sorted(map(repr, table.objects.exclude(pk__in=before[table]).values_list(*columns)))
        for table, columns in WRITTEN.items()
    }


def history(before):
    """Return the history of the circle in its order."""
    lines = Change.objects.exclude(pk__in=before[Change]).order_by("at", "pk")
    return list(lines.values_list("kind", "member__kind", "member__family_name", "after"))


def test_the_statements_of_a_creation_do_not_grow_with_its_members(api):
    """But for the lines of the journal: one for each relative, whose circle is entered to write him."""
    counts = []
    for names in (FEW, FEW, MANY):
        with CaptureQueriesContext(connection) as captured:
            assert api.post("", whole(*names)).status_code == 200
        counts.append(len(captured))
    _, few, many = counts
    assert many == few + len(MANY) - len(FEW)
    assert few < 130


def test_by_sets_the_same_is_written_as_one_by_one(api, one_by_one):
    found = []
    for way in (lambda: None, one_by_one):
        way()
        bundle = whole(*MANY)
        before = written()
        answer = api.post("", bundle)
        assert answer.status_code == 200, answer.content
        team = next(one["resource"] for one in read(answer)["entry"] if one["resource"]["resourceType"] == "CareTeam")
        kinds = [one["member"]["reference"].split("/")[0] for one in team["participant"]]
        found.append((written(before), history(before), kinds, team["meta"]["versionId"]))
    assert found[0] == found[1]
    assert len(found[0][0]["Member"]) == 18


def same_name(bundle):
    people = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "RelatedPerson"]
    people[2]["name"] = copy.deepcopy(people[0]["name"])


def no_number_to_call(bundle):
    [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "RelatedPerson"][1].pop(
        "telecom"
    )


def nobody_practises(bundle):
    roles = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "PractitionerRole"]
    roles[2]["practitioner"] = {"reference": f"Practitioner/{uuid.uuid4()}"}


def of_nowhere(bundle):
    houses = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Organization"]
    houses[1]["partOf"] = {"reference": f"Organization/{uuid.uuid4()}"}


def nobody_in_the_circle(bundle):
    bundle["entry"][-1]["resource"]["participant"][4]["member"] = {"reference": f"PractitionerRole/{uuid.uuid4()}"}


def two_are_wrong(bundle):
    of_nowhere(bundle)
    same_name(bundle)


@pytest.mark.parametrize(
    "spoil", [same_name, no_number_to_call, nobody_practises, of_nowhere, nobody_in_the_circle, two_are_wrong]
)
def test_a_refusal_is_told_of_the_same_entry_as_one_by_one(api, one_by_one, spoil):
    bundle = whole(*MANY)
    spoil(bundle)
    before, answers = written(), []
    for way in (lambda: None, one_by_one):
        way()
        there = Trace.objects.count()
        answer = api.post("", bundle)
        answers.append((answer.status_code, issues(answer), Trace.objects.count() - there))
    assert answers[0] == answers[1]
    assert answers[0][0] == 500
    assert "Bundle.entry[" in str(answers[0][1])
    changed = {name: rows for name, rows in written(before).items() if rows and name != "Trace"}
    assert not changed


@pytest.mark.usefixtures("not_judged")
def test_two_that_are_one_here_are_one(api):
    """The same role sent twice, and two structures of one number: the second is the first."""
    bundle = whole(*FEW)
    houses = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Organization"]
    for house in houses:
        house["identifier"] = [{"system": "https://sirene.fr", "value": "73282932000074"}]
    role = next(one for one in bundle["entry"] if one["resource"]["resourceType"] == "PractitionerRole")
    bundle["entry"].append(copy.deepcopy(role) | {"fullUrl": f"urn:uuid:{uuid.uuid4()}"})
    bundle["entry"][-2]["resource"]["participant"].pop()
    answer = api.post("", bundle)
    assert answer.status_code == 200, answer.content
    made = [one["fullUrl"].rsplit("/", 2)[-2:] for one in read(answer)["entry"]]
    assert len({id for name, id in made if name == "Organization"}) == 1
    assert len({id for name, id in made if name == "PractitionerRole"}) == 2


def test_the_same_call_sent_again_makes_nothing_more(api):
    bundle = whole(*FEW)
    first = api.post("", bundle, idempotency_key="une fois")
    before = written()
    again = api.post("", bundle, idempotency_key="une fois")
    assert (first.status_code, again.status_code) == (200, 200)
    assert [one["fullUrl"] for one in read(again)["entry"]] == [one["fullUrl"] for one in read(first)["entry"]]
    assert not any(written(before).values())


def test_who_has_an_account_comes_in_by_himself_and_the_others_together(api, entry):
    """A professional with an account, who may hold a row already, and the relatives sent beside him."""
    nurse = make.account(make.SOCIAL)
    bundle = whole(*FEW)
    participant = {"member": {"reference": f"PractitionerRole/{nurse.attachment.professional_id}"}}
    bundle["entry"][-1]["resource"]["participant"].append(participant)
    answer = api.post("", bundle)
    assert answer.status_code == 200, answer.content
    member = Member.objects.get(professional=nurse.attachment.professional)
    assert (member.habilitation.user, member.habilitation.state) == (nurse, Habilitation.State.NON)
    assert Member.objects.filter(dossier=member.dossier, periods__ends_on=None, periods__isnull=False).count() == 7
