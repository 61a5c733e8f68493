"""The statements of a call do not grow with the members, the results or what is brought beside (PERF-3)."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle.fhir import versions
from coordination.fhir import keeping
from tests.bench.calls import IPP
from tests.circle import factories as make
from tests.circle.fhir_calls import circle_id
from tests.fhir.api import Api, read

pytestmark = [pytest.mark.django_db, pytest.mark.req("PERF-3")]
INCLUDES = (("_include", "*"), ("_include:iterate", "*"))


def fill(entry, *names):
    for name in names:
        make.add(entry, make.listed(structure=make.StructureFactory()))
        make.relative(entry, family_name=f"PROCHE-{name}")
        make.by_hand(entry, family_name=f"MANUEL-{name}")
        make.add_house(entry)


@pytest.fixture
def other(coordinator):
    return make.open_circle(coordinator)


def statements(ask):
    """Return (how many statements a call asks, its answer), once nothing is left to be learnt by the process."""
    ask()
    versions.forget()
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    assert answer.status_code == 200, answer.content
    return len(captured), read(answer)


def search(api, *patients):
    said = urlencode([("patient", ",".join(str(pk) for pk in patients)), *INCLUDES])
    return lambda: api.ask("POST", "CareTeam/_search", said, media="application/x-www-form-urlencoded")


def test_a_read_is_five_statements_whatever_the_members(api, entry):
    fill(entry, "UN")
    address = f"CareTeam/{circle_id(entry)}"
    few, small = statements(lambda: api.get(address))
    fill(entry, "DEUX", "TROIS", "QUATRE")
    circle_id(entry)
    many, large = statements(lambda: api.get(address))
    assert len(large["participant"]) == len(small["participant"]) + 12
    # Who calls, which version, the dossier with its decision, the trace, what the version says.
    assert few == many == 5


def test_a_circle_read_again_is_four_statements(api, entry):
    fill(entry, "UN")
    address = f"CareTeam/{circle_id(entry)}"
    api.get(address)
    with CaptureQueriesContext(connection) as captured:
        api.get(address)
    assert len(captured) == 4


def test_a_search_with_all_that_is_around_is_flat_in_members(api, entry):
    fill(entry, "UN")
    circle_id(entry)
    few, small = statements(search(api, entry.dossier.pk))
    fill(entry, "DEUX", "TROIS", "QUATRE")
    circle_id(entry)
    many, large = statements(search(api, entry.dossier.pk))
    assert len(large["entry"]) > len(small["entry"]) + 12
    assert few == many


@pytest.mark.req("PERF-11")
def test_a_search_with_all_that_is_around_is_nineteen_statements_at_most(api, entry):
    """By a number of the person, as a software asks all day long: whatever the members, and whatever is kept of them.

    One says who calls, one what his profession gives, one which circles, one what is sent of a whole round of what is
    around; the dossier is looked at once, for the circle and for who it is around.
    """
    fill(entry, "UN")
    keeping.keep("Patient", entry.dossier.pk, {"identifier": [{"system": IPP, "value": "N1"}]})
    circle_id(entry)
    said = urlencode([("patient.identifier", f"{IPP}|N1"), *INCLUDES])

    def ask():
        return api.ask("POST", "CareTeam/_search", said, media="application/x-www-form-urlencoded")

    few, small = statements(ask)
    fill(entry, "DEUX", "TROIS", "QUATRE")
    relative = make.relative(entry, family_name="PROCHE-CINQ")
    keeping.keep("RelatedPerson", relative.pk, {"gender": "female"})
    circle_id(entry)
    many, large = statements(ask)
    assert len(large["entry"]) > len(small["entry"]) + 12
    assert "female" in [one["resource"].get("gender") for one in large["entry"]]
    assert few == many <= 19


def test_a_search_with_all_that_is_around_is_flat_in_results(api, entry, other):
    fill(entry, "UN", "DEUX")
    fill(other, "UN", "DEUX")
    circle_id(entry), circle_id(other)
    one, small = statements(search(api, entry.dossier.pk))
    two, large = statements(search(api, entry.dossier.pk, other.dossier.pk))
    assert (small["total"], large["total"]) == (1, 2)
    assert one == two


def test_what_a_process_kept_is_not_what_somebody_else_may_see(client, api, entry):
    """A discreet member, shown to who may see him, is not in what another reads of the same version (SECT-7)."""
    hidden = make.add(entry, make.listed(), discreet=True)
    nurse = make.account(make.SOCIAL)
    make.add(entry, nurse.attachment.professional, wanted="oui")
    address = f"CareTeam/{circle_id(entry)}"
    assert str(hidden.professional_id) in api.get(address).content.decode() or hidden.activity_id
    seen = len(read(api.get(address))["participant"])
    other = read(Api.of(client, nurse).get(address)).get("participant", [])
    assert len(other) < seen
    assert len(read(api.get(address))["participant"]) == seen
