"""What a client wrote about a circle is told, and found, by nobody from whom it may hide somebody (rule 7, INS-4)."""

import json

import pytest

from circle import actions
from circle.circles import Circle, CircleVersion
from coordination.dossiers.models import Dossier
from coordination.fhir import keeping, registry
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.numbers import without_numbers
from coordination.fhir.outcomes import StillNamed, Unknown
from habilitations import defaults, published
from habilitations.actions import publish_matrix
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, circle_id, close_transaction
from tests.circle.test_fhir_careteam_search import finds
from tests.circle.test_fhir_careteam_writing import put
from tests.circle.test_fhir_related_person import person
from tests.fhir.api import Api, read
from tests.fhir.capturing import not_judged  # noqa: F401 - a fixture

HELPER, INS = "350", "241038100901267"
SYSTEM = "urn:oid:1.2.250.1.213.1.4.10"
TYPES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
CATEGORY = [{"coding": [{"system": "http://loinc.org", "code": "LA27976-2"}]}]


@pytest.fixture
def social(entry):
    user = make.account(make.SOCIAL)
    make.add(entry, user.attachment.professional, role="AGNT", wanted="oui")
    return user


@pytest.fixture
def helper(entry):
    user = make.account(HELPER)
    make.add(entry, user.attachment.professional, role="AGNT", wanted="oui")
    return user


@pytest.mark.req("CDS-53", "PEERS-RULE-7")
def test_the_category_is_found_by_who_is_told_it(entry, social, helper):
    put(entry, careteam(entry) | {"category": CATEGORY})
    assert "category" in careteam(entry, social)
    assert finds(entry, "category=LA27976-2", user=social)
    assert not finds(entry, "category=LA27976-2", user=helper)
    make.add(entry, discreet=True)
    assert "category" not in careteam(entry, social)
    assert not finds(entry, "category=LA27976-2", user=social)
    assert finds(entry, "category:missing=true", user=social)
    assert finds(entry, "category=LA27976-2") and not finds(entry, "category:missing=true")


@pytest.mark.req("CDS-56", "PEERS-RULE-7")
def test_a_managing_structure_is_found_by_who_is_told_it(client, entry, social, helper):
    """In the reduced circle the structure of the dossier alone is told: by a search or with all the rest no more."""
    own, named = make.StructureFactory(), make.StructureFactory()
    put(entry, careteam(entry) | {"managingOrganization": [{"reference": f"Organization/{named.pk}"}]})
    by_name = f"managingOrganization=Organization/{named.pk}"
    assert finds(entry, by_name, user=social)
    assert "managingOrganization" not in careteam(entry, helper)
    assert not finds(entry, by_name, user=helper)
    assert finds(entry, "managingOrganization:missing=true", user=helper)
    assert not finds(entry, "managingOrganization:missing=true", user=social)
    his = Api.of(client, helper)
    beside = read(his.get(f"Organization?_id={named.pk}&_revinclude=CareTeam:managingOrganization"))
    assert [one["resource"]["resourceType"] for one in beside["entry"]] == ["Organization"]
    assert str(named.pk) not in his.get(f"Patient/{entry.dossier.pk}/$everything").content.decode()
    Dossier.objects.filter(pk=entry.dossier.pk).update(referent_structure=own)
    assert finds(entry, f"managingOrganization=Organization/{own.pk}", user=helper)


@pytest.mark.req("INS-4", "INS-12")
def test_the_ins_beside_a_reference_is_neither_kept_nor_given_back(client, entry):
    """It goes out once INSi has said so, in the Patient, to who reads the identity."""
    api, here = Api.of(client, entry.user), circle_id(entry)
    number = {"system": SYSTEM, "value": INS}
    subject = {"reference": f"Patient/{entry.dossier.pk}", "identifier": number, "display": "Jeanne"}
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{INS}</div>'}
    answer = api.put(f"CareTeam/{here}", careteam(entry) | {"subject": subject, "text": text})
    assert answer.status_code == 200, answer.content
    told = api.get(f"CareTeam/{here}").content.decode()
    assert INS not in told and '"display":"Jeanne"' in told.replace(" ", "")
    answer = api.post("RelatedPerson", person(entry, patient=subject))
    assert answer.status_code == 201, answer.content
    assert INS not in answer.content.decode()
    close_transaction()
    for model, column in ((Circle, "content"), (CircleVersion, "facts"), (Kept, "content")):
        assert INS not in json.dumps(list(model.objects.values_list(column, flat=True))), model


def test_what_is_said_of_others_stays():
    other = {"system": "https://hopital.example/ipp", "value": "12"}
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"system": SYSTEM, "value": INS}, other]}
    sent = {"subject": {"identifier": {"system": SYSTEM, "value": INS}}, "contained": [patient], "text": {"div": INS}}
    plain = {"subject": {"identifier": other}, "identifier": [other], "text": {"div": "12"}, "participant": [{}]}
    assert without_numbers(sent) == {"contained": [patient | {"identifier": [other]}]}
    assert without_numbers(plain) is plain


@pytest.mark.req("INS-4")
@pytest.mark.parametrize(
    "number",
    [
        {"system": SYSTEM, "value": INS},
        {"type": {"coding": [{"system": TYPES, "code": "INS-NIR"}]}, "value": INS},
        {"type": {"coding": [{"system": TYPES, "code": "INS-NIA"}]}, "system": "https://autre.example", "value": INS},
    ],
)
def test_a_number_is_nowhere_in_what_is_kept(number):
    """By its system or by its type, beside a reference or not: nothing that is left is empty."""
    other = {"system": "https://hopital.example/ipp", "value": "12"}
    inside = {"url": "https://a.example", "extension": [{"url": "b", "valueIdentifier": number}]}
    relative = {"resourceType": "RelatedPerson", "id": "r", "identifier": [number], "text": {"div": INS}}
    sent = {
        "identifier": [number], "extension": [inside, {"url": "https://c.example", "valueIdentifier": number}],
        "contained": [relative], "managingOrganization": [{"identifier": number}, {"identifier": other}],
        "subject": {"reference": "Patient/1", "identifier": number}, "text": {"div": INS},
    }  # fmt: skip
    assert without_numbers(sent) == {
        "contained": [{"resourceType": "RelatedPerson", "id": "r"}],
        "managingOrganization": [{"identifier": other}],
        "subject": {"reference": "Patient/1"},
    }


@pytest.mark.req("INS-4")
def test_the_ins_of_a_relative_is_neither_told_nor_searched(client, entry):
    api = Api.of(client, entry.user)
    number = {"system": SYSTEM, "value": INS}
    answer = api.post("RelatedPerson", person(entry, identifier=[number]))
    assert answer.status_code == 201, answer.content
    made = read(answer)
    assert INS not in answer.content.decode()
    # The profile wants one: ours.
    assert [one["value"] for one in made["identifier"]] == [made["id"]]
    assert INS not in json.dumps(list(Kept.objects.values_list("content", flat=True)))
    found = read(api.get(f"RelatedPerson?identifier={SYSTEM}|{INS}"))
    assert [one["search"]["mode"] for one in found.get("entry", [])] == []


@pytest.mark.req("INS-4")
def test_what_was_kept_before_says_it_no_more(entry):
    put(entry, careteam(entry) | {"category": CATEGORY})
    circle = Circle.objects.get(dossier=entry.dossier.pk)
    circle.content["sent"]["subject"] = {
        "reference": f"Patient/{entry.dossier.pk}", "identifier": {"system": SYSTEM, "value": INS},
    }  # fmt: skip
    circle.save()
    close_transaction()
    assert INS not in json.dumps(careteam(entry))
    member = make.relative(entry)
    said = {"patient": circle.content["sent"]["subject"], "birthDate": "1970-01-01"}
    Kept.objects.create(resource_type="RelatedPerson", resource_id=member.pk, owner=EVERYBODY, content=said)
    assert keeping.kept("RelatedPerson", [member.pk])[member.pk].content == {
        "patient": {"reference": f"Patient/{entry.dossier.pk}"}, "birthDate": "1970-01-01",
    }  # fmt: skip


@pytest.mark.req("PEERS-RULE-7")
def test_who_does_not_read_the_identity_is_not_told_the_name(entry, social):
    put(entry, careteam(entry) | {"name": f"Autour de {entry.dossier.birth_name}"})
    assert entry.dossier.birth_name in careteam(entry, social)["name"]
    shipped = defaults.load()
    shipped.levels[make.entry_of(social, entry).access.profile][Rubrique.IDENTITE] = Niveau.AUCUN
    publish_matrix(shipped.levels, shipped.action_rights, shipped.profile_rules, by=None, reason="Tests")
    published.forget()
    assert not make.entry_of(social, entry).access.can_read(Rubrique.IDENTITE)
    seen = careteam(entry, social)
    assert seen["name"] == "Cercle de soins"
    assert entry.dossier.birth_name not in json.dumps(seen)


@pytest.mark.req("PEERS-RULE-7", "GAP-9")
def test_who_is_hidden_is_not_there_to_be_deleted(entry, social):
    shown, hidden = make.relative(entry), make.relative(entry, family_name="TÉMOIN")
    actions.set_discreet(entry, hidden, True)
    provider = registry.by_key("circle.relative")
    with pytest.raises(StillNamed):
        provider.delete(caller(social), shown.pk, expected=None)
    with pytest.raises(Unknown):
        provider.delete(caller(social), hidden.pk, expected=None)


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.usefixtures("not_judged")
def test_the_people_a_client_put_around_a_person_are_told_to_who_sees_them_all(client, entry, social):
    """Patient.contact may name a discreet member; sent back without it, it stays."""
    contact = [{"name": {"family": "SECRET"}, "telecom": [{"system": "phone", "value": "0639982099"}]}]
    keeping.keep("Patient", entry.dossier.pk, {"contact": contact, "maritalStatus": {"text": "M"}})
    his, hers, url = Api.of(client, social), Api.of(client, entry.user), f"Patient/{entry.dossier.pk}"
    assert read(his.get(url))["contact"] == contact
    make.add(entry, discreet=True)
    for path in (url, "Patient", f"{url}/$everything"):
        told = his.get(path).content.decode()
        assert "SECRET" not in told and "maritalStatus" in told
    assert read(hers.get(url))["contact"] == contact
    assert his.put(url, read(his.get(url)) | {"maritalStatus": {"text": "S"}}).status_code in (200, 403)
    assert read(hers.get(url))["contact"] == contact
