"""Our own server as the partner: a circle goes there, comes back changed, and goes again."""

import uuid

import pytest
from django.conf import settings as django_settings
from django.db import connection

from circle import actions
from circle.models import Member
from circle.relays import kinds
from coordination.common import cipher
from coordination.partners import client
from coordination.partners.client import Asked
from coordination.partners.models import Relay, RelayedId, State
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.samples import V2_0203, sample
from tests.partners import exchanging, other_house
from tests.partners.factories import PartnerFactory
from tests.partners.other_house import NATIONAL_ID

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        connection.close()
    with other_house.running(django_settings.DATABASES["default"] | connection.settings_dict,
                             tmp_path_factory.mktemp("house")) as running:  # fmt: skip
        yield running


@pytest.fixture
def partner(db, house):
    publish_default_matrix()
    return PartnerFactory(
        name="Réseau d’en face", base_url=house.fhir, token_url=f"{house.fhir}/oauth/token", client_id=house.client_id,
        secret_sealed=cipher.encrypt(house.secret),
    )  # fmt: skip


@pytest.fixture
def entry(partner):
    return exchanging.open_circle()


@pytest.mark.req("CDS-37", "CDS-38", "CDS-39")
def test_a_circle_goes_there_whole(partner, entry):
    exchanging.exchanged(partner, entry, kinds.SEND)
    found = exchanging.there(partner, entry)
    (team,) = found["CareTeam"]
    assert team["meta"]["versionId"] == "1" and team["status"] == "active"
    assert len(team["participant"]) == 4
    shown = {row.family_name for row in Member.objects.rows(entry) if row.family_name} - {"CACHÉ"}
    assert exchanging.families(found) >= {name.upper() for name in shown}
    assert "CACHÉ" not in exchanging.families(found)
    (patient,) = found["Patient"]
    assert patient["birthDate"] == "1941-03-14"
    called = RelayedId.objects.get(partner=partner, resource_type="CareTeam")
    assert (called.remote_id, called.remote_version, called.made) == (team["id"], "1", True)


@pytest.mark.req("CDS-46")
def test_it_goes_again_changed(partner, entry):
    exchanging.exchanged(partner, entry, kinds.SEND)
    doctor = Member.objects.get(dossier=entry.dossier, professional__family_name="TESTARD")
    actions.remove_member(entry, doctor, reason="fin")
    make.add(entry, make.listed(family_name="NOUVELLE", national_id=exchanging.number()))
    exchanging.exchanged(partner, entry, kinds.SEND)
    found = exchanging.there(partner, entry)
    (team,) = found["CareTeam"]
    assert team["meta"]["versionId"] == "2"
    assert "NOUVELLE" in exchanging.families(found)
    ended = [one for one in team["participant"] if "end" in one["period"]]
    assert len(ended) == 1 and len(team["participant"]) == 5
    exchanging.exchanged(partner, entry, kinds.SEND)
    assert exchanging.there(partner, entry)["CareTeam"][0]["meta"]["versionId"] == "2", (
        "nothing changed, nothing written"
    )


def test_what_is_done_there_comes_back(partner, entry):
    exchanging.exchanged(partner, entry, kinds.SEND)
    (team,) = exchanging.there(partner, entry)["CareTeam"]
    client.call(partner, Asked(resource=_with_a_pharmacist(team), acting=NATIONAL_ID))
    exchanging.exchanged(partner, entry, kinds.RECEIVE)
    came = [row for row in Member.objects.rows(entry) if row.name.upper().startswith("OFFICINE")]
    assert len(came) == 1
    exchanging.exchanged(partner, entry, kinds.SEND)
    again = exchanging.there(partner, entry)["CareTeam"][0]
    assert len(again["participant"]) == 5, "nobody is there twice"


def test_a_circle_that_began_there_is_received_then_kept_together(partner, entry):
    """The partner already had a circle for this person: ours is refused until theirs was received."""
    client.call(partner, Asked(resource=_their_own(entry), acting=NATIONAL_ID))
    assert "duplicate" in exchanging.exchanged(partner, entry, kinds.SEND, state=State.ECHEC).last_error
    exchanging.exchanged(partner, entry, kinds.RECEIVE)
    exchanging.exchanged(partner, entry, kinds.SEND)
    found = exchanging.there(partner, entry)
    (team,) = found["CareTeam"]
    assert team["identifier"][0]["value"] == f"leur-{entry.dossier.pk}"
    assert exchanging.families(found) >= {"LOINTAIN", "TESTARD"}
    assert Relay.objects.filter(state=State.ECHEC).count() == 1


def _with_a_pharmacist(team):
    urn = f"urn:uuid:{uuid.uuid4()}"
    house = sample("Organization", name="OFFICINE DES MODÈLES", identifier=[
        {"system": "https://partenaire.exemple/structures", "value": uuid.uuid4().hex}
    ])  # fmt: skip
    arrived = {"member": {"reference": urn}, "period": {"start": "2026-11-01"}}
    changed = team | {"participant": [*team["participant"], arrived]}
    return {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"resource": changed, "request": {"method": "PUT", "url": f"CareTeam/{team['id']}"},
             "fullUrl": f"urn:uuid:{uuid.uuid4()}"},
            {"fullUrl": urn, "resource": house, "request": {"method": "POST", "url": "Organization"}},
        ],
    }  # fmt: skip


def _their_own(entry):
    urns = {name: f"urn:uuid:{uuid.uuid4()}" for name in ("team", "patient", "doctor", "role")}
    system = "http://127.0.0.1:8000/fhir/identifiants/patient"
    dossier = entry.dossier
    patient = sample(
        "Patient", identifier=[{"system": system, "value": str(dossier.pk)}], gender=dossier.sex,
        birthDate=dossier.birth_date.isoformat(),
        name=[{"use": "official", "family": dossier.birth_name, "given": [dossier.first_given_name]}],
    )  # fmt: skip
    number = {
        "type": {"coding": [{"system": V2_0203, "code": "IDNPS"}]}, "system": "urn:oid:1.2.250.1.71.4.2.1",
        "value": exchanging.number(),
    }  # fmt: skip
    doctor = sample("Practitioner", identifier=[number], name=[{"family": "LOINTAIN", "given": ["Odile"]}])
    role = sample("PractitionerRole", practitioner={"reference": urns["doctor"]})
    role.pop("organization", None)
    team = sample(
        "CareTeam", identifier=[{"system": "urn:oid:1.2.3.4", "value": f"leur-{dossier.pk}"}],
        subject={"reference": urns["patient"]},
        participant=[{"member": {"reference": urns["role"]}, "period": {"start": "2026-01-12"}}],
    )  # fmt: skip
    entries = {"team": team, "patient": patient, "doctor": doctor, "role": role}
    return {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"fullUrl": urns[name], "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for name, one in entries.items()
        ],
    }  # fmt: skip
