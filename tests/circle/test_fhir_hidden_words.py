"""What a client wrote about a circle is told, and found, by nobody from whom it may hide somebody (rule 7, INS-4)."""

import datetime as dt
import json
import re
import uuid
from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions
from circle.circles import Circle, CircleVersion
from coordination.common.ins import TYPE_CODES
from coordination.dossiers.models import Dossier
from coordination.fhir import keeping, numbers, registry
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.numbers import INS_SYSTEMS, without_numbers
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


@pytest.fixture
def taken_out(db, monkeypatch):
    """Run the migration, two rows at a time."""
    migration = import_module("coordination.fhir.migrations.0004_kept_without_numbers")
    monkeypatch.setattr(migration, "BATCH", 2)
    return lambda: migration.take_out(apps, SimpleNamespace(connection=connection))


def kept_before(content, kind="RelatedPerson"):
    """A row as it was kept before numbers were taken out, a while ago."""
    row = Kept.objects.create(resource_type=kind, resource_id=uuid.uuid4(), owner=EVERYBODY, content=content)
    Kept.objects.filter(pk=row.pk).update(at=timezone.now() - dt.timedelta(days=3))
    return Kept.objects.get(pk=row.pk)


@pytest.mark.req("INS-4")
def test_what_was_kept_before_is_in_the_table_no_more(taken_out):
    her = {"reference": "Patient/1", "identifier": {"system": SYSTEM, "value": INS}}
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"system": SYSTEM, "value": INS}]}
    said = {"patient": her, "text": {"status": "generated", "div": f"<div>{INS}</div>"}, "birthDate": "1970-01-01"}
    number = {"valueQuantity": {"value": Decimal("1.50")}}
    rows = [kept_before(said | {"extension": [number]}) for _ in range(4)]
    inside = kept_before({"contained": [patient], "note": [{"authorReference": her}]}, "CareTeam")
    alone = kept_before({"patient": {"identifier": her["identifier"]}, "gender": "male"})
    plain = kept_before({"patient": {"reference": "Patient/1"}, "text": {"status": "generated", "div": "<div/>"}})
    typed = {"type": {"coding": [{"code": "INS-NIR"}]}, "value": INS}
    own = kept_before({"identifier": [{"system": SYSTEM, "value": INS}, typed], "active": True}, "Patient")
    before = {row.pk: row.at for row in Kept.objects.all()}
    taken_out()
    there = Kept.objects.in_bulk()
    for row in rows:
        assert there[row.pk].content == {
            "patient": {"reference": "Patient/1"}, "birthDate": "1970-01-01", "extension": [number],
        }  # fmt: skip
    assert there[inside.pk].content == {
        "contained": [{"resourceType": "Patient", "id": "p"}],
        "note": [{"authorReference": {"reference": "Patient/1"}}],
    }
    assert there[alone.pk].content == {"gender": "male"}
    assert (there[plain.pk].content, there[own.pk].content) == (plain.content, {"active": True})
    assert {row.pk: row.at for row in there.values()} == before, "nothing that is told has changed"
    with CaptureQueriesContext(connection) as captured:
        taken_out()
    assert not [one["sql"] for one in captured if one["sql"].startswith("UPDATE")], "once is enough"


@pytest.mark.req("INS-4")
def test_what_a_circle_said_before_is_neither_in_its_row_nor_in_its_versions(entry):
    """What it tells and its version stay; others are left, and a version is still never written again."""
    other = make.open_circle(make.coordinator())
    for one in (entry, other):
        put(one, careteam(one) | {"category": CATEGORY, "note": [{"text": "Lundi"}]})
    circle = Circle.objects.get(dossier=entry.dossier.pk)
    number = {"system": SYSTEM, "value": INS}
    circle.content["sent"]["subject"] = {"reference": f"Patient/{entry.dossier.pk}", "identifier": number}
    circle.save()
    close_transaction()
    told, stays = careteam(entry), careteam(other)
    versions = list(CircleVersion.objects.values_list("dossier", "number").order_by("id"))
    migration = import_module("circle.migrations.0018_content_without_numbers")
    for _ in range(2):
        migration.take_out(apps, SimpleNamespace(connection=connection))
        close_transaction()
        for model, column in ((Circle, "content"), (CircleVersion, "facts")):
            assert INS not in str(list(model.objects.values_list(column, flat=True))), model
        assert list(CircleVersion.objects.values_list("dossier", "number").order_by("id")) == versions
        assert (careteam(entry), careteam(other)) == (told, stays)
    with pytest.raises(IntegrityError, match="ne se récrit pas"), transaction.atomic():
        CircleVersion.objects.update(number=7)
    # Numbers go through as they were written.
    beside = '"extension":[{"valueDecimal":1.50}]'
    before = f'{{"sent":{{"subject":{{"display":"A","identifier":{json.dumps(number)}}},{beside}}}}}'
    assert migration._without(before) == f'{{"sent":{{"subject":{{"display":"A"}},{beside}}}}}'


@pytest.mark.req("INS-4")
def test_the_migration_takes_out_what_the_product_does(taken_out):
    """Two copies of one rule: the migration keeps that of its day."""
    migration = import_module("coordination.fhir.migrations.0004_kept_without_numbers")
    assert (migration.SYSTEMS, migration.TYPES) == (set(INS_SYSTEMS), set(TYPE_CODES.values()))
    assert all(re.search(migration.MARK, mark) for mark in numbers.MARKS)
    her = {"identifier": {"system": SYSTEM, "value": INS}}
    typed = {
        "url": "https://a.example/b",
        "valueIdentifier": {"type": {"coding": [{"code": "INS-NIA"}]}, "value": INS},
    }
    for sent in (
        {"subject": her}, {"subject": [her, {"display": "x"}]}, {"a": {"b": [{"c": her}]}}, {"a": [1, None]},
        {"extension": [typed], "text": {"div": INS}}, {"contained": [{"resourceType": "Patient", "text": {}} | her]},
    ):  # fmt: skip
        assert migration.without_numbers(sent) == without_numbers(sent)


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
