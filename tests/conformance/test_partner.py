"""A Gestionnaire that is not ours: HAPI's JPA server, to which a circle is sent, and whose circle is received."""

import uuid

import pytest

from circle.models import Member
from circle.relays import kinds
from coordination.common import cipher
from coordination.partners import client
from coordination.partners.client import Asked
from coordination.partners.models import RelayedId, State
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.conformance import java
from tests.fhir.samples import sample
from tests.partners import exchanging
from tests.partners.factories import PartnerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(900)]
# Its database is in memory, and so is it all.
HEAP = "800m"


@pytest.fixture(scope="module")
def url():
    with java.partner(java.classpath(java.PARTNER), heap=HEAP) as address:
        yield address


@pytest.fixture
def partner(db, url):
    client._tokens.clear()
    publish_default_matrix()
    return PartnerFactory(
        name="Réseau d’en face", base_url=f"{url}/fhir", token_url=f"{url}/oauth/token", client_id="coordination",
        secret_sealed=cipher.encrypt("secret"),
    )  # fmt: skip


@pytest.fixture
def entry(partner):
    return exchanging.open_circle()


@pytest.mark.req("CDS-37", "CDS-38", "CDS-39", "CDS-46")
def test_a_circle_is_created_there_then_updated(partner, entry):
    exchanging.exchanged(partner, entry, kinds.SEND)
    found = exchanging.there(partner, entry)
    (team,) = found["CareTeam"]
    assert team["meta"]["versionId"] == "1" and len(team["participant"]) == 4
    shown = {row.family_name.upper() for row in Member.objects.rows(entry) if row.family_name} - {"CACHÉ"}
    assert exchanging.families(found) == shown
    called = RelayedId.objects.get(partner=partner, resource_type="CareTeam")
    assert (called.remote_id, called.remote_version, called.made) == (team["id"], "1", True)
    make.add(entry, make.listed(family_name="NOUVELLE", national_id=exchanging.number()))
    exchanging.exchanged(partner, entry, kinds.SEND)
    found = exchanging.there(partner, entry)
    (team,) = found["CareTeam"]
    assert team["meta"]["versionId"] == "2" and len(team["participant"]) == 5
    assert "NOUVELLE" in exchanging.families(found) and len(found["Patient"]) == 1


def test_what_is_done_there_comes_back_and_goes_again(partner, entry):
    exchanging.exchanged(partner, entry, kinds.SEND)
    (team,) = exchanging.there(partner, entry)["CareTeam"]
    urn = f"urn:uuid:{uuid.uuid4()}"
    patient = {"reference": team["subject"]["reference"]}
    arrived = sample(
        "RelatedPerson", patient=patient, name=[{"family": "FICTIF", "given": ["Zoé"]}],
        identifier=[{"system": "https://partenaire.exemple/aidants", "value": uuid.uuid4().hex}],
    )  # fmt: skip
    participant = {"member": {"reference": urn}, "period": {"start": "2026-11-01"}}
    changed, name = team | {"participant": [*team["participant"], participant]}, f"CareTeam/{team['id']}"
    entries = [
        {"fullUrl": f"{partner.base_url}/{name}", "resource": changed, "request": {"method": "PUT", "url": name}},
        {"fullUrl": urn, "resource": arrived, "request": {"method": "POST", "url": "RelatedPerson"}},
    ]
    client.call(partner, Asked(resource={"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    exchanging.exchanged(partner, entry, kinds.RECEIVE)
    assert Member.objects.filter(dossier=entry.dossier, family_name__iexact="FICTIF").count() == 1
    exchanging.exchanged(partner, entry, kinds.SEND)
    (again,) = exchanging.there(partner, entry)["CareTeam"]
    assert len(again["participant"]) == 5, "nobody is there twice"


def test_a_stale_version_is_not_written_over(partner, entry):
    """Somebody changed it there since: HAPI answers 409 or 412, which no retry mends; received, it goes."""
    exchanging.exchanged(partner, entry, kinds.SEND)
    (team,) = exchanging.there(partner, entry)["CareTeam"]
    name = f"CareTeam/{team['id']}"
    # The judge reads it too: what our client sends is written by the product.
    entry_there = {
        "fullUrl": f"{partner.base_url}/{name}",
        "resource": team | {"name": "Un autre nom"},
        "request": {"method": "PUT", "url": name},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry_there]}
    client.call(partner, Asked(resource=bundle))
    make.add(entry, make.listed(family_name="NOUVELLE", national_id=exchanging.number()))
    assert exchanging.exchanged(partner, entry, kinds.SEND, state=State.ECHEC).last_status in (409, 412)
    exchanging.exchanged(partner, entry, kinds.RECEIVE)
    exchanging.exchanged(partner, entry, kinds.SEND)
    assert len(exchanging.there(partner, entry)["CareTeam"][0]["participant"]) == 5
