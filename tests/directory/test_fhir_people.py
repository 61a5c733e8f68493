"""Practitioner and PractitionerRole: the professionals of the directory, and what partners say of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle.actions.adding import main_activity
from coordination.common.identifiers import luhn_key
from coordination.common.ids import uuid7
from coordination.directory.actions.accounts import _is_listed
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, Professional, SavoirFaire, Source
from coordination.directory.newcomers import Newcomer
from coordination.directory.search import search
from coordination.fhir.outcomes import Invalid, Unknown, VersionConflict
from tests.directory.fhir_world import ALONE, ORGANIZATIONS, PRACTITIONERS, ROLES, caller, checked, found, structure
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, people_file
from tests.directory.search_data import person

pytestmark = pytest.mark.django_db

NOS = "https://mos.esante.gouv.fr/NOS"
PROFESSION = f"{NOS}/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
FUNCTION = f"{NOS}/TRE_R21-Fonction/FHIR/TRE-R21-Fonction"
MODE = f"{NOS}/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice"
NEW = {
    "resourceType": "Practitioner",
    "identifier": [{"system": "https://exemple.example/agents", "value": "A-12"}],
    "name": [{"family": "Fictive-Nouvelle", "given": ["Ana"], "prefix": ["MME"]}],
    "telecom": [{"system": "phone", "value": "0536490011"}],
    "birthDate": "1980-05-06",
    "qualification": [{"code": {"coding": [{"system": PROFESSION, "code": "60", "display": "Infirmier"}]}}],
}


def role_of(practitioner, organization=None, **more):
    said = {"resourceType": "PractitionerRole", "practitioner": {"reference": f"Practitioner/{practitioner}"}}
    if organization:
        said["organization"] = {"reference": f"Organization/{organization}"}
    return said | more


def sent(resource):
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.fixture
def nurse(tmp_path):
    import_rpps([people_file(tmp_path, DOCTOR, NURSE)], ANY_SIZE)
    return Activity.objects.get(professional__rpps="10999000022")


@pytest.mark.req("CDS-15")
def test_a_national_professional_and_his_places(nurse):
    who = caller()
    doctor = Activity.objects.get(professional__rpps="10999000011")
    resource = checked(PRACTITIONERS.read(who, doctor.professional_id))
    numbers = [(one["system"], one["value"], one["type"]["coding"][0]["code"]) for one in resource["identifier"]]
    assert numbers == [
        ("urn:oid:1.2.250.1.71.4.2.1", "810999000011", "IDNPS"),
        ("https://rpps.esante.gouv.fr", "10999000011", "RPPS"),
    ]
    name = {"family": "EXEMPLE-LARRIEU", "given": ["Maëlle"], "prefix": ["MME"], "suffix": ["DR"]}
    assert resource["name"] == [name]
    said = [[one["code"] for one in held["code"]["coding"]] for held in resource["qualification"]]
    assert said == [["C", "10"], ["S", "SM54"]]
    role = checked(ROLES.read(who, doctor.pk))
    assert role["practitioner"] == {"reference": f"Practitioner/{doctor.professional_id}"}
    assert role["organization"] == {"reference": f"Organization/{doctor.structure_id}"}
    assert [one["coding"][0]["code"] for one in role["code"]] == ["GENR01", "L", "FON-01", "10"]
    assert role["telecom"][0]["value"] == "+33536490001"
    assert (resource["active"], role["active"]) == (True, True)


def test_a_second_profession_is_in_the_role_only():
    activity = person("MODELE", "Anouk", profession="60")
    person("MODELE", "Anouk", profession="93", professional=activity.professional)
    SavoirFaire.objects.create(professional=activity.professional, profession="60", kind="SCH", code="SCH01")
    resource = checked(PRACTITIONERS.read(caller(), activity.professional_id))
    # A savoir-faire of no table of the profile is not told.
    assert [held["code"]["coding"][-1]["code"] for held in resource["qualification"]] == ["60"]


def test_many_cost_the_same_statements_as_one():
    who = caller()
    rows = [person("MODELE", f"Anouk{n}") for n in range(30)]
    for provider, ids, expected in (
        (PRACTITIONERS, [row.professional_id for row in rows], 4),
        (ROLES, [row.pk for row in rows], 2),
        (ALONE, [row.professional_id for row in rows], 2),
    ):
        for some in (ids[:1], ids):
            with CaptureQueriesContext(connection) as asked:
                assert len(provider.load(who, some)) == len(some)
            assert len(asked) == expected


@pytest.mark.req("CDS-9", "CDS-10")
def test_a_professional_nobody_knows_and_his_role():
    who, key = caller(), uuid7()
    place = structure(finess="810999999")
    id = PRACTITIONERS.create(who, NEW, key=key)
    assert PRACTITIONERS.create(who, NEW, key=key) == id
    assert sent(checked(PRACTITIONERS.read(who, id))) == NEW | {"id": str(id)}
    row = Professional.objects.get()
    assert (row.source, row.family_name, row.phone) == (Source.PARTNER, "Fictive-Nouvelle", "+33536490011")
    said = role_of(id, place.pk, code=[{"coding": [{"system": MODE, "code": "S"}]}], availabilityExceptions="Août")
    role = ROLES.create(who, said, key=uuid7())
    assert sent(checked(ROLES.read(who, role))) == said | {"id": str(role)}
    activity = Activity.objects.get()
    # What the role does not say comes from the qualification that was sent.
    assert (activity.profession, activity.mode, activity.structure_name) == ("60", "S", "EHPAD LES ESSAIS")
    other = caller("client:autre")
    assert "birthDate" not in PRACTITIONERS.read(other, id)
    assert PRACTITIONERS.read(other, id)["qualification"][0]["code"]["coding"][-1]["code"] == "60"
    assert not search("fictive nouvelle").professionals.results
    Activity.objects.update(partner="")
    assert search("fictive nouvelle").professionals.results
    assert main_activity(row) == activity


@pytest.mark.req("CDS-14")
def test_its_maker_changes_them():
    who = caller()
    id = PRACTITIONERS.create(who, NEW, key=uuid7())
    role = ROLES.create(who, role_of(id), key=uuid7())
    renamed = NEW | {"id": str(id), "name": [{"family": "Fictive-Renommée"}]}
    PRACTITIONERS.update(who, id, renamed, expected=None)
    assert sent(PRACTITIONERS.read(who, id)) == renamed
    place = structure()
    before = ROLES.read(who, role)
    moved = role_of(id, place.pk, id=str(role), code=[{"coding": [{"system": FUNCTION, "code": "FON-01"}]}])
    ROLES.update(who, role, moved, expected=before["meta"]["versionId"])
    activity = Activity.objects.get()
    assert (activity.search_family, activity.fonction, activity.structure) == ("fictive renommee", "FON-01", place)
    assert activity.profession == "60"
    with pytest.raises(VersionConflict):
        ROLES.update(who, role, moved | {"active": False}, expected=before["meta"]["versionId"])
    with pytest.raises(Invalid):
        ROLES.update(who, role, role_of(PRACTITIONERS.create(who, NEW, key=uuid7())), expected=None)


@pytest.mark.req("CDS-9", "CDS-14")
def test_known_numbers_give_the_national_rows_which_stay_what_they_were(nurse, tmp_path):
    who, other = caller(), caller("client:autre")
    said = {
        "resourceType": "Practitioner",
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "10999000022"}],
        "name": [{"family": "Specimen", "given": ["Noé", "Jean"]}],
    }
    assert PRACTITIONERS.create(who, said, key=uuid7()) == nurse.professional_id
    role = role_of(nurse.professional_id, nurse.structure_id, telecom=[{"system": "phone", "value": "0536490099"}])
    assert ROLES.create(who, role, key=uuid7()) == nurse.pk
    people_file(tmp_path, DOCTOR, NURSE)
    import_rpps([people_file(tmp_path, DOCTOR, NURSE.replace("SPECIMEN", "SPECIMEN-RENOMMÉ"))], ANY_SIZE)
    assert PRACTITIONERS.read(who, nurse.professional_id)["name"] == said["name"]
    assert PRACTITIONERS.read(other, nurse.professional_id)["name"][0]["family"] == "SPECIMEN-RENOMMÉ"
    assert ROLES.read(who, nurse.pk)["telecom"] == role["telecom"]
    assert ROLES.read(other, nurse.pk)["telecom"] != role["telecom"]
    assert ROLES.read(who, nurse.pk)["code"] == ROLES.read(other, nurse.pk)["code"]


def test_what_a_partner_says_of_a_national_professional_vouches_for_nothing(nurse):
    who = caller()
    said = role_of(nurse.professional_id, code=[{"coding": [{"system": PROFESSION, "code": "10"}]}])
    made = Activity.objects.get(pk=ROLES.create(who, said, key=uuid7()))
    assert made.profession == "10"
    assert made not in Activity.objects.active()
    newcomer = Newcomer("a@exemple.example", "SPECIMEN", "Noé", "10", professional=nurse.professional)
    assert not _is_listed(nurse.professional, newcomer)
    assert main_activity(nurse.professional) == nurse
    assert [one.activity_id for one in search("specimen").professionals.results] == [nurse.pk]
    codes = PRACTITIONERS.read(caller("client:autre"), nurse.professional_id)["qualification"][0]["code"]["coding"]
    assert [one["code"] for one in codes] == ["C", "60"]


def test_a_load_takes_over_a_number_that_a_partner_knew_first(tmp_path):
    who = caller()
    rpps = "1099900004" + luhn_key("1099900004")
    said = NEW | {"identifier": [{"system": "https://rpps.esante.gouv.fr", "value": rpps}]}
    id = PRACTITIONERS.create(who, said, key=uuid7())
    assert PRACTITIONERS.create(who, said, key=uuid7()) == id
    import_rpps([people_file(tmp_path, DOCTOR, NURSE.replace("10999000022", rpps))], ANY_SIZE)
    row = Professional.objects.get(rpps=rpps)
    assert (row.pk, row.source, row.family_name) == (id, Source.RPPS, "SPECIMEN")
    PRACTITIONERS.update(who, id, said | {"id": str(id), "birthDate": "1980"}, expected=None)
    row.refresh_from_db()
    assert row.family_name == "SPECIMEN"
    assert PRACTITIONERS.read(who, id)["birthDate"] == "1980"


def test_somebody_without_a_place_has_a_role_under_his_own_id():
    who = caller()
    id = PRACTITIONERS.create(who, NEW, key=uuid7())
    assert found(ALONE, who, practitioner=f"Practitioner/{id}") == {id}
    assert checked(ALONE.read(who, id))["practitioner"] == {"reference": f"Practitioner/{id}"}
    noted = role_of(id, id=str(id), availabilityExceptions="Août")
    ALONE.update(who, id, noted, expected=None)
    assert ALONE.read(who, id)["availabilityExceptions"] == "Août"
    ROLES.create(who, role_of(id), key=uuid7())
    assert found(ALONE, who, practitioner=str(id)) == set()
    assert ALONE.has(who, id)
    with pytest.raises(Unknown):
        ALONE.read(who, uuid7())


def test_a_role_names_somebody_and_somewhere_of_this_server():
    who = caller()
    id = PRACTITIONERS.create(who, NEW, key=uuid7())
    for said, expression in (
        ({"resourceType": "PractitionerRole"}, "PractitionerRole.practitioner"),
        (role_of(uuid7()), "PractitionerRole.practitioner"),
        (role_of("moi"), "PractitionerRole.practitioner.reference"),
        (role_of(id, uuid7()), "PractitionerRole.organization"),
    ):
        with pytest.raises(Invalid) as refused:
            ROLES.create(who, said, key=uuid7())
        assert refused.value.issues[0].expression == expression
    with pytest.raises(Invalid):
        PRACTITIONERS.create(who, NEW | {"name": [{"family": "<b>"}]}, key=uuid7())


@pytest.mark.req("CDS-59")
def test_searches(nurse):
    who = caller()
    mine = PRACTITIONERS.create(who, NEW, key=uuid7())
    role = ROLES.create(who, role_of(mine, nurse.structure_id), key=uuid7())
    him, doctor = nurse.professional_id, Professional.objects.get(rpps="10999000011").pk
    for criteria, expected in [
        ({"identifier": "10999000022"}, {him}), ({"identifier": "https://rpps.esante.gouv.fr|10999000022"}, {him}),
        ({"identifier": "urn:oid:1.2.250.1.71.4.2.1|810999000022"}, {him}), ({"identifier": "A-12"}, {mine}),
        ({"identifier": "https://adeli.esante.gouv.fr|10999000022"}, set()),
        ({"name": "spec"}, {him}), ({"name": "NOÉ"}, {him}), ({"name": "noe spec"}, {him}),
        ({"name": "exemple larrieu maelle"}, {doctor}), ({"family": "noe"}, set()), ({"given": "ana"}, {mine}),
        ({"name__exact": "Fictive-Nouvelle"}, {mine}), ({"name__exact": "fictive-nouvelle"}, set()),
        ({"name__contains": "ecime"}, {him}), ({"name": "%"}, set()), ({"active": "true"}, {him, mine, doctor}),
    ]:  # fmt: skip
        assert found(PRACTITIONERS, who, **criteria) == expected, criteria
    place = f"Organization/{nurse.structure_id}"
    for criteria, expected in [
        ({"practitioner": f"Practitioner/{him}"}, {nurse.pk}), ({"organization": place}, {nurse.pk, role}),
        ({"practitioner.identifier": "10999000022"}, {nurse.pk}), ({"practitioner.name": "fictive"}, {role}),
        ({"role": "60"}, {nurse.pk, role}), ({"role": f"{PROFESSION}|60", "practitioner.name": "fic"}, {role}),
        ({"role": f"{FUNCTION}|60"}, set()), ({"role": f"{MODE}|S"}, {nurse.pk}),
        ({"organization.identifier": "810999999"}, {nurse.pk, role}), ({"organization__missing": "true"}, set()),
    ]:  # fmt: skip
        assert found(ROLES, who, **criteria) == expected, criteria
    # Before it has a place, who is known by a partner alone is found by his name too.
    other = PRACTITIONERS.create(who, NEW | {"name": [{"family": "Seule", "given": ["Eve"]}]}, key=uuid7())
    assert found(PRACTITIONERS, who, name="seul") == found(PRACTITIONERS, who, name__exact="Seule") == {other}
    assert ORGANIZATIONS.has(who, nurse.structure_id)
