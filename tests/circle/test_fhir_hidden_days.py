"""Since when: a circle tells each reader the days of those he may see, read, searched and sorted alike (rule 7)."""

import datetime as dt

import pytest
from django.utils import timezone

from circle import actions
from circle.circles import Circle
from coordination.fhir.search.pages import Order
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id, close_transaction
from tests.circle.test_fhir_careteam_search import finds, ids
from tests.circle.test_fhir_careteam_writing import put
from tests.fhir.api import Api, matches, read
from tests.habilitations.acting_data import stand_in

HELPER = "350"
MASKED = {
    "_start": {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }
}


def day(ago):
    return timezone.localdate() - dt.timedelta(days=ago)


@pytest.fixture
def social(entry):
    """Reads the circle, not the medical rubric."""
    user = make.account(make.SOCIAL)
    make.add(entry, user.attachment.professional, role="AGNT", wanted="oui")
    return user


@pytest.fixture
def hidden(entry):
    """A discreet member, who was there before everybody else."""
    return make.add(entry, discreet=True, starts_on=day(90))


def in_order(user, *sort):
    provider = careteams()
    rows = Order.of(sort, provider.sorts).page(provider.rows(caller(user)), None, 10)
    return [place[-1] for place in rows]


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_the_beginning_is_that_of_the_members_one_sees(entry, social, hidden):
    assert careteam(entry)["period"] == {"start": day(90).isoformat()}
    assert careteam(entry, social)["period"] == {"start": day(0).isoformat()}
    old = careteams().version(caller(social), circle_id(entry), "1")
    assert old["period"] == {"start": day(0).isoformat()}
    for name in ("start", "date"):
        assert finds(entry, f"{name}=eb{day(1).isoformat()}" if name == "start" else f"date=lt{day(1).isoformat()}")
        assert not finds(entry, f"{name}=le{day(1).isoformat()}", user=social)
        assert finds(entry, f"{name}=ge{day(0).isoformat()}", user=social)


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_the_order_is_that_of_the_beginnings_one_reads(entry, coordinator, social, hidden):
    other = make.open_circle(coordinator)
    make.add(other, social.attachment.professional, role="AGNT", wanted="oui")
    make.add(other, starts_on=day(30))
    here, there = circle_id(entry), circle_id(other)
    assert in_order(coordinator, "start") == [here, there]
    assert in_order(social, "start") == [there, here]
    assert in_order(social, "-start") == [here, there]


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_the_pages_go_on_in_that_order(client, entry, coordinator, social, hidden):
    other = make.open_circle(coordinator)
    make.add(other, social.attachment.professional, role="AGNT", wanted="oui")
    make.add(other, starts_on=day(30))
    close_transaction()
    api, found = Api.of(client, social), []
    url = "CareTeam?_sort=start&_count=1"
    while url:
        bundle = read(api.get(url))
        found += [(one["id"], one["period"]["start"]) for one in matches(bundle)]
        url = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None)
    assert found == [
        (str(circle_id(other)), day(30).isoformat()), (str(circle_id(entry)), day(0).isoformat())
    ]  # fmt: skip


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_what_is_closed_in_one_dossier_hides_the_day_in_that_one(entry, coordinator, hidden):
    nurse = make.account(make.NURSE)
    there = make.open_circle(coordinator)
    for one in (entry, there):
        make.add(one, nurse.attachment.professional, role="PROV", wanted="oui")
    make.add(there, discreet=True, starts_on=day(60))
    member = entry.dossier.members.get(professional=nurse.attachment.professional)
    assert careteam(entry, nurse)["period"] == {"start": day(90).isoformat()}
    actions.limit_access(entry, member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    assert careteam(entry, nurse)["period"] == {"start": day(0).isoformat()}
    assert ids(nurse, f"start=lt{day(1).isoformat()}") == {circle_id(there)}
    assert in_order(nurse, "start") == [circle_id(there), circle_id(entry)]


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_the_reduced_circle_tells_no_beginning(client, entry):
    helper = make.account(HELPER, structure=(house := make.StructureFactory()))
    make.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    make.add_house(entry, house)
    make.relative(entry, role="ECON")
    make.add(entry, starts_on=day(40))
    read_by_him = careteam(entry, helper)
    assert len(read_by_him["participant"]) == 3
    assert not [one for one in read_by_him["participant"] if "period" in one]
    assert read_by_him["period"] == MASKED
    assert read(Api.of(client, helper).get(f"CareTeam/{circle_id(entry)}"))["period"] == MASKED
    assert not finds(entry, f"start=le{day(0).isoformat()}", user=helper)
    assert finds(entry, "start:missing=true", user=helper)
    assert not finds(entry, "start:missing=true")
    assert finds(entry, "start:missing=false")


@pytest.mark.req("CDS-6", "PEERS-RULE-7")
def test_what_a_software_said_of_the_circle_is_told_to_all(entry):
    helper = make.account(HELPER)
    make.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    put(entry, careteam(entry) | {"period": {"start": day(400).isoformat(), "end": day(0).isoformat()}})
    assert careteam(entry, helper)["period"] == {"start": day(400).isoformat(), "end": day(0).isoformat()}
    assert finds(entry, f"start={day(400).isoformat()}", user=helper)


@pytest.mark.req("CDS-6", "SEC-15", "PEERS-RULE-7")
def test_who_stands_in_finds_no_day_that_he_does_not_read(entry, hidden):
    nurse, doctor = make.account(make.NURSE), make.account(make.DOCTOR)
    make.add(entry, nurse.attachment.professional, role="AGNT", wanted="oui")
    stand_in(nurse, doctor)
    assert careteam(entry, doctor)["period"] == {"start": day(90).isoformat()}
    # A search tells who acts for another of no discreet member.
    assert not finds(entry, f"start=le{day(1).isoformat()}", user=doctor)
    helper = make.account(HELPER)
    make.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    social = make.account(make.SOCIAL)
    stand_in(helper, social)
    assert careteam(entry, social)["period"] == MASKED
    assert not finds(entry, f"start=le{day(0).isoformat()}", user=social)


@pytest.mark.req("CDS-71", "PEERS-RULE-7")
def test_who_writes_back_the_beginning_he_reads_does_not_set_it(entry, social, hidden):
    nurse = make.account(make.NURSE)
    member = make.add(entry, nurse.attachment.professional, role="PROV", wanted="oui")
    actions.limit_access(entry, member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    theirs = make.entry_of(nurse, entry)
    assert not theirs.access.sees_discreet_members
    put(theirs, careteam(entry, nurse) | {"status": "proposed"})
    assert Circle.objects.get(dossier=entry.dossier.pk).starts_on is None
    assert careteam(entry)["period"] == {"start": day(90).isoformat()}
