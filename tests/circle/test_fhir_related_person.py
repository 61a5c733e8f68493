"""Relatives and professionals entered by hand, read and written by a software."""

import copy
import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions, duplicates
from circle.errors import LooksLikeMember
from circle.models import Change, Member, RoleHolding
from coordination.common.resending import AlreadySent
from coordination.fhir import profiles, registry
from coordination.fhir.outcomes import Invalid, Unknown, VersionConflict
from coordination.fhir.search.asking import Asked
from coordination.fhir.search.conditions import narrowed
from habilitations.errors import LevelMissing
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id, references, sound
from tests.circle.test_fhir_careteam_writing import put, with_participant

TODAY = timezone.localdate
R216 = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"
R260 = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"


def provider(key="circle.relative"):
    return registry.by_key(key)


def read(entry, id, key="circle.relative", user=None):
    found = sound(provider(key).read(caller(user or entry.user), id))
    assert [issue for issue in profiles.check(found) if issue.is_error] == []
    return found


def person(entry, **more):
    return {
        "resourceType": "RelatedPerson",
        "identifier": [{"use": "temp", "system": "https://exemple.test", "value": "id-12"}],
        "active": True,
        "patient": {"reference": f"Patient/{entry.dossier.pk}"},
        "relationship": [
            {"coding": [{"system": R260, "code": "ECON", "display": "À prévenir"}]},
            {"coding": [{"system": R216, "code": "NBOR", "display": "Voisin(e)"}]},
        ],
        "name": [{"use": "official", "family": "TÉMOIN", "given": ["Ali"], "prefix": ["M"]}],
        "telecom": [
            {"system": "phone", "value": "06 39 98 21 43"},
            {"system": "url", "value": "https://exemple.test"},
        ],
        "gender": "male",
        "address": [{"line": ["12 rue de l’Exemple"], "city": "Paris", "postalCode": "75004", "country": "FRA"}],
    } | more


def create(entry, resource=None, *, key=None, **memo):
    return provider().create(
        caller(entry.user, **memo), copy.deepcopy(resource or person(entry)), key=key or uuid.uuid4()
    )


def update(entry, resource, key="circle.relative", *, user=None, expected=None):
    provider(key).update(caller(user or entry.user), uuid.UUID(resource["id"]), resource, expected=expected)
    return read(entry, uuid.UUID(resource["id"]), key, user)


@pytest.mark.req("CDS-15", "CDS-27", "CDS-30")
def test_a_relative_of_the_screens_is_a_related_person(entry):
    member = make.relative(entry, role="NOK", address="3 rue des Tests", postal_code="81400", town="Carmaux",
                           email="karim@exemple.test", description="Passe le soir < 20 h", unlisted=True)  # fmt: skip
    found = read(entry, member.pk)
    assert found["name"] == [{"family": "MODÈLE", "given": ["Karim"]}]
    assert [c["code"] for one in found["relationship"] for c in one["coding"]] == ["NOK", "DAUC"]
    assert [(one["system"], one["value"]) for one in found["telecom"]] == [
        ("phone", "+33639982055"), ("email", "karim@exemple.test"),
    ]  # fmt: skip
    assert found["address"][0]["city"] == "Carmaux"
    assert "Passe le soir &lt; 20 h" in found["text"]["div"]
    # « Sur liste rouge » is told to who receives the number.
    assert found["meta"]["security"][0]["code"] == "R"
    assert f"RelatedPerson/{member.pk}" in references(careteam(entry))


@pytest.mark.req("CDS-11", "CDS-14", "CDS-73")
def test_one_sent_before_any_circle_is_given_back_and_in_no_list(entry):
    sent = person(entry)
    id = create(entry, sent)
    found = read(entry, id)
    assert {name: value for name, value in found.items() if name in sent} == sent
    member = Member.objects.get(pk=id)
    assert (member.family_name, member.mobile, member.relation, member.civility) == (
        "TÉMOIN", "+33639982143", "NBOR", "M",
    )  # fmt: skip
    assert (member.habilitation.state, member.habilitation.ended_at is None) == ("non", False)
    assert id not in {row.id for row in (*Member.objects.rows(entry), *Member.objects.rows(entry, past=True))}
    assert references(careteam(entry)) and f"RelatedPerson/{id}" not in references(careteam(entry))
    # The circle names him: he is there, in the role he was sent with.
    put(entry, with_participant(careteam(entry), f"RelatedPerson/{id}"))
    row = next(row for row in Member.objects.rows(entry) if row.id == id)
    assert (row.role_code, row.name) == ("ECON", "TÉMOIN Ali")
    assert list(member.changes.order_by("at").values_list("kind", flat=True)) == [Change.Kind.ADDED, Change.Kind.ROLE]
    member.habilitation.refresh_from_db()
    assert member.habilitation.ended_at is None


def test_the_screens_open_with_somebody_awaited(entry, client):
    id = create(entry)
    client.force_login(entry.user)
    for page in ("", "?afficher=partis", "consentements/", "historique/", "ajouter/"):
        answer = client.get(f"/dossiers/{entry.dossier.pk}/cercle/{page}")
        assert answer.status_code in (200, 404), page
        assert "TÉMOIN" not in answer.text
    assert client.get(f"/dossiers/{entry.dossier.pk}/cercle/{id}/").status_code == 404


@pytest.mark.req("REL-7")
def test_the_same_call_twice_makes_one(entry):
    key = uuid.uuid4()
    assert create(entry, key=key) == create(entry, key=key)
    with pytest.raises(AlreadySent):
        create(entry, person(entry, name=[{"family": "AUTRE", "given": ["Léo"]}]), key=key)


def test_a_namesake_is_a_conflict_unless_a_reason_is_given(entry):
    make.relative(entry, family_name="TÉMOIN", given_name="Ali")
    with pytest.raises(LooksLikeMember) as refused:
        create(entry)
    assert refused.value.status == 409
    id = create(entry, duplicate_reason="Deux cousins du même nom")
    assert Member.objects.get(pk=id).duplicate_reason == "Deux cousins du même nom"


def test_somebody_awaited_is_not_sent_twice(entry):
    create(entry)
    assert duplicates.is_among(duplicates.awaited(entry), "TEMOIN", "Ali")
    with pytest.raises(LooksLikeMember):
        create(entry)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"telecom": [{"system": "url", "value": "https://exemple.test"}]}, "RelatedPerson.telecom"),
        ({"name": [{"family": "12"}]}, "RelatedPerson.name[0].family"),
        ({"patient": {"reference": "Patient/0190aaaa-0000-7000-8000-000000000000"}}, "RelatedPerson.patient"),
        ({"patient": {"display": "Jeanne"}}, "RelatedPerson.patient"),
    ],
)
def test_what_the_sheet_refuses_is_said_where_it_is(entry, change, at):
    with pytest.raises(Invalid) as refused:
        create(entry, person(entry, **change))
    assert refused.value.issues[0].expression == at


@pytest.mark.req("CDS-14", "CDS-16")
def test_a_put_changes_the_sheet_and_keeps_the_rest(entry):
    member = make.relative(entry)
    found = read(entry, member.pk)
    changes = member.changes.count()
    assert update(entry, copy.deepcopy(found)) == found
    assert member.changes.count() == changes
    sent = found | {"gender": "female", "telecom": [{"system": "phone", "value": "05 36 49 10 77", "rank": 1}]}
    after = update(entry, sent, expected=found["meta"]["versionId"])
    member.refresh_from_db()
    assert (member.phone, member.mobile) == ("+33536491077", "")
    assert after["telecom"] == sent["telecom"]
    assert after["gender"] == "female"
    assert after["meta"]["versionId"] != found["meta"]["versionId"]
    with pytest.raises(VersionConflict):
        update(entry, sent | {"gender": "other"}, expected=found["meta"]["versionId"])
    # Changed on screen: the screen is told, what is beside stays.
    actions.update_member(entry, member, version=member.version, fields={"mobile": "06 39 98 21 11"})
    again = read(entry, member.pk)
    assert [one["value"] for one in again["telecom"]] == ["+33536491077", "+33639982111"]
    assert again["gender"] == "female"


@pytest.mark.req("CDS-14", "CDS-35")
def test_a_label_that_comes_or_goes_is_another_version(entry):
    """Who has the number learns that it is not to be given out any more (If-None-Match), and writes not over it."""
    member = make.relative(entry)
    before = read(entry, member.pk)
    actions.update_member(entry, member, version=member.version, fields={"unlisted": True})
    after = read(entry, member.pk)
    assert after["meta"]["security"][0]["code"] == "R"
    assert after["meta"]["versionId"] != before["meta"]["versionId"]
    tagged = update(entry, after | {"meta": after["meta"] | {"tag": [{"display": "À revoir"}]}})
    assert tagged["meta"]["tag"] == [{"display": "À revoir"}]
    with pytest.raises(VersionConflict):
        update(entry, after | {"gender": "male"}, expected=after["meta"]["versionId"])
    # Read and sent back by the client, it was ours all the same: it goes with what it said.
    member.refresh_from_db()
    actions.update_member(entry, member, version=member.version, fields={"unlisted": False})
    assert "security" not in read(entry, member.pk)["meta"]


def test_a_put_gives_another_role(entry):
    member = make.relative(entry)
    found = read(entry, member.pk)
    found["relationship"][0] = {"coding": [{"system": R260, "code": "QUAL"}]}
    after = update(entry, found)
    assert RoleHolding.objects.on_day(TODAY()).get(member=member).role == "NOK"
    assert after["relationship"][0]["coding"][0]["code"] == "QUAL"


def test_a_role_that_says_the_same_is_left(entry):
    """Our « aidant principal » is an aidant of the guide: sending it back takes nothing away."""
    member = make.relative(entry, role="AIDANT_PRINCIPAL")
    found = read(entry, member.pk)
    update(entry, found | {"gender": "male"})
    assert RoleHolding.objects.on_day(TODAY()).get(member=member).role == "AIDANT_PRINCIPAL"


@pytest.mark.req("CDS-6")
def test_rights_are_those_of_the_circle(entry):
    hidden = make.relative(entry)
    actions.set_discreet(entry, hidden, True)
    social, student = make.account(make.SOCIAL), make.account(make.NURSE, "346")
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    make.add(entry, student.attachment.professional, role="AGNT", wanted="oui")
    for user, error in ((social, Unknown), (make.account(), Unknown), (student, LevelMissing)):
        with pytest.raises(error):
            provider().read(caller(user), hidden.pk)
        assert provider().load(caller(user), [hidden.pk]) == {}
        assert not provider().rows(caller(user)).exists()
        with pytest.raises(error):
            update(entry, read(entry, hidden.pk) | {"gender": "male"}, user=user)
    assert provider().rows(caller(entry.user)).get() == hidden


def found_by(entry, name, value, key="circle.relative", modifier=""):
    rows = narrowed(provider(key), caller(entry.user), [Asked((), name, modifier, value)])
    return set(rows.values_list("pk", flat=True))


@pytest.mark.req("CDS-59", "CDS-62")
def test_searching_relatives(entry):
    one = make.relative(entry, family_name="DUCROS", given_name="Élodie", town="Tourcoing", postal_code="59200")
    two = create(entry)
    for value in ("ducros", "Duc", "elod", "ÉLODIE"):
        assert found_by(entry, "name", value) == {one.pk}
    assert found_by(entry, "name", "Ducros", modifier="exact") == set()
    assert found_by(entry, "name", "DUCROS", modifier="exact") == {one.pk}
    assert found_by(entry, "name", "CROS", modifier="contains") == {one.pk}
    assert found_by(entry, "address", "Tourcoing") == {one.pk}
    assert found_by(entry, "relationship", f"{R260}|ECON") == {two}
    assert found_by(entry, "relationship", "CAREGIVER") == {one.pk}
    assert found_by(entry, "relationship", "DAUC") == {one.pk}
    assert found_by(entry, "patient", f"Patient/{entry.dossier.pk}") == {one.pk, two}
    assert found_by(entry, "identifier", "https://exemple.test|id-12") == {two}
    assert found_by(entry, "identifier", str(one.pk)) == {one.pk}
    assert found_by(entry, "telecom", "phone|0639982055") == {one.pk}


@pytest.mark.req("CDS-15", "CDS-59")
def test_a_professional_entered_by_hand_is_two_resources(entry):
    member = make.by_hand(entry, structure_name="Cabinet des Tests")
    role = read(entry, member.pk, "circle.manual_role")
    assert role["practitioner"]["reference"] == f"Practitioner/{member.pk}"
    assert role["organization"] == {"display": "Cabinet des Tests"}
    assert role["telecom"][0]["value"] == "+33536491040"
    who = read(entry, member.pk, "circle.manual_professional")
    assert who["name"] == [{"family": "SPÉCIMEN", "given": ["Inès"]}]
    assert who["qualification"][0]["code"]["coding"][0]["code"] == make.NURSE
    assert f"PractitionerRole/{member.pk}" in references(careteam(entry))
    assert found_by(entry, "name", "specimen", "circle.manual_professional") == {member.pk}
    assert found_by(entry, "role", make.NURSE, "circle.manual_role") == {member.pk}
    assert found_by(entry, "practitioner", str(member.pk), "circle.manual_role") == {member.pk}


@pytest.mark.req("CDS-14")
def test_a_professional_entered_by_hand_is_changed(entry):
    member = make.by_hand(entry)
    who = read(entry, member.pk, "circle.manual_professional")
    update(entry, who | {"name": [{"family": "SPÉCIMEN", "given": ["Inès"], "prefix": ["Madame"]}]},
           "circle.manual_professional")  # fmt: skip
    role = read(entry, member.pk, "circle.manual_role")
    after = update(entry, role | {"availabilityExceptions": "Pas le jeudi"}, "circle.manual_role")
    assert after["availabilityExceptions"] == "Pas le jeudi"
    with pytest.raises(Invalid):
        update(entry, role | {"telecom": []}, "circle.manual_role")
    with pytest.raises(Invalid):
        update(entry, role | {"practitioner": {"reference": f"Practitioner/{uuid.uuid4()}"}}, "circle.manual_role")
    member.refresh_from_db()
    assert (member.civility, member.phone) == ("MME", "+33536491040")
    assert read(entry, member.pk, "circle.manual_professional")["name"][0]["prefix"] == ["Madame"]


def test_who_has_left_is_not_changed_any_more(entry):
    member = make.relative(entry)
    found = read(entry, member.pk)
    actions.remove_member(entry, member, reason="fin")
    with pytest.raises(Exception) as refused:
        update(entry, found | {"gender": "male"})
    assert refused.value.status == 422


def test_statements_do_not_grow(entry):
    members = [make.relative(entry, family_name=name) for name in ("MARTIN", "DURAND", "PETIT", "MOREAU")]
    ids = [member.pk for member in members]
    counts = []
    for asked in (ids[:1], ids):
        with CaptureQueriesContext(connection) as captured:
            assert len(provider().load(caller(entry.user), asked)) == len(asked)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 7


def related_in(entry, user=None):
    told = (one(caller(user or entry.user), [entry.dossier.pk]) for one in registry.compartments())
    return {id for found in told for key, ids in found if key == "circle.relative" for id in ids}


@pytest.mark.req("CDS-6")
def test_who_was_sent_and_is_named_by_no_circle_is_in_no_export(entry):
    """Read and found by who writes the circle, until a circle names him; then he stays there, once he has left too."""
    relative, id = make.relative(entry), create(entry)
    assert related_in(entry) == {relative.pk}
    assert read(entry, id)["id"] == str(id)
    put(entry, with_participant(careteam(entry), f"RelatedPerson/{id}"))
    assert related_in(entry) == {relative.pk, id}
    actions.remove_member(entry, Member.objects.get(pk=id), reason="fin")
    assert related_in(entry) == {relative.pk, id}


@pytest.mark.req("CDS-6")
def test_who_is_to_come_is_in_an_export_before_his_day(entry):
    id, soon = create(entry), (TODAY() + dt.timedelta(days=5)).isoformat()
    put(entry, with_participant(careteam(entry), f"RelatedPerson/{id}", start=soon))
    assert not Member.objects.get(pk=id).periods.exists()
    assert related_in(entry) == {id}


def test_the_compartment_of_a_person_holds_her_circle_and_who_is_in_it(entry):
    nurse, relative, hand = make.add(entry), make.relative(entry), make.by_hand(entry)
    house, hidden = make.add_house(entry), make.add(entry, discreet=True)
    id = circle_id(entry)
    found = {
        key: set(ids)
        for compartment in registry.compartments()
        for key, ids in compartment(caller(entry.user), [entry.dossier.pk])
    }
    assert found["circle.circle"] == {id}
    assert found["circle.relative"] == {relative.pk}
    assert found["circle.manual_role"] == found["circle.manual_professional"] == {hand.pk}
    assert {nurse.activity_id, hidden.activity_id} <= found["directory.activity"]
    assert found["directory.structure"] == {house.structure_id}
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    seen = [
        ids for one in registry.compartments() for _, ids in one(caller(social), [entry.dossier.pk])
    ]  # fmt: skip
    assert hidden.activity_id not in {id for ids in seen for id in ids}
    assert careteams().load(caller(social), [id])
