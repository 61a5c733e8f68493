"""Patient: the person of a dossier, as software reads and writes her."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.common.ids import uuid7
from coordination.common.ins import OID_NIR, OID_NIR_TEST, nir_key
from coordination.dossiers import actions, door
from coordination.dossiers.errors import DossierUnknown, InsAlreadyUsed, LooksLikeAnother
from coordination.dossiers.fhir import building, reading
from coordination.dossiers.fhir.patients import Patients
from coordination.dossiers.models import Dossier
from coordination.fhir import french
from coordination.fhir.callers import Caller
from coordination.fhir.models import Kept
from coordination.fhir.outcomes import Invalid, VersionConflict
from coordination.fhir.search import asking
from coordination.fhir.search.conditions import narrowed
from habilitations import published
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.models import Habilitation, Outcome, Trace
from tests.directory.fhir_world import checked
from tests.dossiers.factories import DOCTOR, HOME_HELP, DossierFactory, habilitate, professional

pytestmark = pytest.mark.django_db

PATIENTS = Patients()
CORE = "https://hl7.fr/ig/fhir/core"
BODY = "2410381999012"
MATRICULE = BODY + nir_key(BODY)
INS = {
    "use": "official",
    "type": {"coding": [{"system": f"{CORE}/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]},
    "system": f"urn:oid:{OID_NIR}",
    "value": MATRICULE,
}
MARITAL = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
PI = {"system": "https://hopital.example/ipp", "value": "IPP-0007"}
NEW = {
    "resourceType": "Patient",
    "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Jeanne FICTIVE</div>"},
    "extension": [
        {"url": f"{CORE}/StructureDefinition/fr-core-patient-birthdate-update-indicator", "valueBoolean": True},
        {
            "url": building.RELIABILITY,
            "extension": [
                {"url": "identityStatus", "valueCoding": {"system": building.RELIABILITIES, "code": "VALI"}},
                {"url": "validationMode", "valueCoding": {
                    "system": f"{CORE}/CodeSystem/fr-core-cs-mode-validation-identity", "code": "CN",
                }},
            ],
        },
        {
            "url": building.BIRTH_PLACE,
            "valueAddress": {
                "city": "Carmaux",
                "extension": [{"url": f"{CORE}/StructureDefinition/fr-core-address-insee-code", "valueCoding": {
                    "system": "https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune", "code": "81060",
                }}],
            },
        },
    ],
    "identifier": [PI],
    "active": True,
    "name": [
        {
            "use": "official", "family": "Fictive", "given": ["Jeanne", "Marie"], "prefix": ["MME"],
        },
        {"use": "usual", "family": "Modèle"},
        {"use": "nickname", "given": ["Jeannette"]},
    ],
    "telecom": [
        {"system": "fax", "value": "05 36 49 00 01"},
        {"system": "phone", "value": "05 36 49 00 02", "use": "home"},
        {"system": "phone", "value": "06 39 98 00 03", "use": "mobile", "rank": 1},
        {"system": "phone", "value": "05 36 49 00 04", "use": "work"},
        {"system": "email", "value": "Jeanne@exemple.example"},
    ],
    "gender": "female",
    "birthDate": "1941-03",
    "address": [
        {"use": "old", "city": "Albi"},
        {"use": "home", "line": ["3 rue du Test", "Bâtiment B"], "city": "Carmaux", "postalCode": "81400"},
    ],
    "maritalStatus": {"coding": [{"system": MARITAL, "code": "M"}]},
}  # fmt: skip


def calling(user, **memo):
    return Caller(user=user, owner="client:x", scopes=frozenset({"system/*.cruds"}), memo=dict(memo))


def read(user, id):
    return checked(PATIENTS.read(calling(user), id))


def create(user, resource, **memo):
    return PATIENTS.create(calling(user, **memo), resource, key=uuid7())


def update(user, id, resource, expected=None):
    PATIENTS.update(calling(user), id, resource | {"id": str(id)}, expected=expected)


def sent(resource):
    return {name: value for name, value in resource.items() if name != "meta"}


def found(user, **criteria):
    pairs = [(name.replace("__", ":"), value) for name, value in criteria.items()]
    asked = asking.read("Patient", pairs, strict=True)
    return set(narrowed(PATIENTS, calling(user), asked.criteria).values_list("pk", flat=True))


def qualified(dossier):
    moved = actions.update_identity(dossier, by=None, version=dossier.version, traits={"identity_status": "VALI"})
    return actions.receive_ins(moved, by=None, matricule=MATRICULE, oid=OID_NIR)


# ---- What goes out -----------------------------------------------------------------------------------------------


@pytest.mark.req("INS-4", "INS-9")
def test_the_ins_goes_out_once_the_identity_is_qualified(doctor, dossier):
    Dossier.objects.filter(pk=dossier.pk).update(ins_matricule=MATRICULE, ins_oid=OID_NIR)
    dossier.refresh_from_db()
    before = read(doctor, dossier.pk)
    assert before["meta"]["profile"] == [building.PROFILE]
    assert MATRICULE not in str(before)
    qualified(dossier)
    after = read(doctor, dossier.pk)
    assert after["meta"]["profile"] == [building.PROFILE_INS, building.PROFILE]
    assert INS in after["identifier"]
    assert after["extension"][0]["extension"][0]["valueCoding"]["code"] == "VALI"
    place = after["extension"][1]["valueAddress"]
    assert place["extension"][0]["valueCoding"]["code"] == "99999"
    official = after["name"][0]
    assert (official["family"], official["given"]) == ("EXEMPLE", ["Jeanne"])
    assert official["extension"][0]["valueString"] == "Jeanne Marie"
    assert after["name"][1] == {"use": "usual", "family": "MARTIN"}


@pytest.mark.parametrize(("precision", "told"), [("jour", "1941-03-14"), ("mois", "1941-03"), ("annee", "1941")])
def test_a_birth_date_says_what_is_known(precision, told):
    row = DossierFactory.build(birth_date_precision=precision, homonym=True, birth_place="Lisbonne")
    resource = building.patient(row)
    assert resource["birthDate"] == told
    codes = [one["extension"][0]["valueCoding"]["code"] for one in resource["extension"][:2]]
    assert codes == ["PROV", "HOMA"]
    assert resource["extension"][2]["valueAddress"] == {"city": "Lisbonne"}


def test_reading_what_is_built_gives_the_dossier_back():
    row = DossierFactory.build(
        used_name="MARTIN", used_given_name="Jeannette", phone="+33536490002", mobile="+33639980003",
        email="a@exemple.example", address="3 rue du Test", birth_place="Carmaux", birth_place_code="81060",
        doubtful=True,
    )  # fmt: skip
    said = building.patient(row)
    for name, value in (reading.traits(said) | reading.contacts(said)).items():
        assert getattr(row, name) == value, name


def test_many_cost_the_same_statements_as_one_and_each_is_traced_once(doctor):
    dossiers = [DossierFactory() for _ in range(30)]
    for one in dossiers:
        habilitate(doctor, one)
    published.current()
    for some in (dossiers[:1], dossiers):
        caller, ids = calling(doctor), [one.pk for one in some]
        before = Trace.objects.count()
        with CaptureQueriesContext(connection) as asked:
            assert list(PATIENTS.load(caller, ids)) == ids
        # Dossiers with decisions, traces, what is kept, when identities changed; the transaction apart.
        said = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(said) == 4, [x[:200] for x in said]
        PATIENTS.load(caller, ids)
        assert Trace.objects.count() == before + len(some)


@pytest.mark.req("CDS-15")
def test_an_outsider_learns_nothing_and_a_member_without_the_level_is_told(doctor, dossier):
    stranger = professional(DOCTOR)
    for id in (dossier.pk, uuid7()):
        with pytest.raises(DossierUnknown):
            PATIENTS.read(calling(stranger), id)
    assert PATIENTS.load(calling(stranger), [dossier.pk]) == {}
    assert found(stranger, name="exemple") == set()
    nobody = professional("")
    habilitate(nobody, dossier)
    with pytest.raises(LevelMissing):
        PATIENTS.read(calling(nobody), dossier.pk)
    assert found(nobody, name="exemple") == set()


def test_a_closed_dossier_is_not_active_and_is_not_written(doctor, dossier):
    Dossier.objects.filter(pk=dossier.pk).update(status="clos", closing_reason="fin")
    resource = read(doctor, dossier.pk)
    assert resource["active"] is False
    with pytest.raises(LevelMissing):
        update(doctor, dossier.pk, sent(resource) | {"gender": "male"})


# ---- What comes in -----------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-8", "INS-4", "INS-9")
def test_a_new_patient_opens_a_dossier_and_comes_back_as_it_was_sent(doctor):
    caller = calling(doctor)
    id = PATIENTS.create(caller, NEW | {"identifier": [PI, INS]}, key=uuid7())
    dossier = Dossier.objects.get()
    assert (dossier.birth_name, dossier.birth_given_names, dossier.first_given_name) == (
        "Fictive", "Jeanne Marie", "Jeanne",
    )  # fmt: skip
    assert (dossier.used_name, dossier.birth_date, dossier.birth_date_precision) == (
        "Modèle", dt.date(1941, 3, 1), "mois",
    )  # fmt: skip
    assert (dossier.birth_place_code, dossier.identity_status) == ("81060", "VALI")
    assert (dossier.phone, dossier.mobile, dossier.email) == (
        "+33536490002", "+33639980003", "jeanne@exemple.example",
    )  # fmt: skip
    assert (dossier.address, dossier.postal_code, dossier.commune_code) == (
        "3 rue du Test, Bâtiment B", "81400", "81060",
    )  # fmt: skip
    assert (dossier.motif, dossier.ins_matricule) == ("autre", MATRICULE)
    assert Habilitation.objects.get(user=doctor).state == "oui"
    # Not shown before INSi has said so, wherever a client wrote it.
    resource = read(doctor, id)
    assert MATRICULE not in str(resource)
    assert MATRICULE not in str(Kept.objects.get().content)
    for name in NEW.keys() - {"identifier", "text"}:
        assert resource[name] == french.tidied(NEW[name]), name
    assert "TRE_R13-CommuneOM" in str(resource["extension"])
    assert resource["identifier"][1:] == [PI]
    assert Trace.objects.filter(dossier_id=id).first().action == "création"


@pytest.mark.req("INS-4")
@pytest.mark.parametrize("system", ["", "https://hopital.example/ins"])
def test_an_ins_that_only_its_type_tells_is_one_too(doctor, system):
    """Without its system it is that of its type; under the system of somebody else it is kept nowhere."""
    number = {name: value for name, value in INS.items() if name != "system"} | ({"system": system} if system else {})
    id = create(doctor, NEW | {"identifier": [PI, number]})
    assert Dossier.objects.get().ins_matricule == ("" if system else MATRICULE)
    assert MATRICULE not in str(read(doctor, id))
    assert MATRICULE not in str(Kept.objects.get().content)
    assert found(doctor, identifier=MATRICULE) == set()


@pytest.mark.req("CDS-8", "CDS-17")
def test_what_is_sent_comes_back_whole(doctor):
    bare = {name: NEW[name] for name in ("resourceType", "text", "name", "gender", "birthDate")}
    id = create(doctor, bare)
    resource = read(doctor, id)
    assert {name: resource[name] for name in bare} == bare
    assert [one["system"].rsplit("/", 1)[1] for one in resource["identifier"]] == ["patient"]


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"name": []}, "Patient.name"),
        ({"name": [{"use": "usual", "family": "Modèle"}]}, "Patient.name"),
        ({"name": [{"use": "official", "family": "<x>", "given": ["A"]}]}, "Patient.name"),
        ({"name": [{"use": "official", "family": "x" * 121, "given": ["A"]}]}, "Patient.name"),
        ({"gender": ""}, "Patient.gender"),
        ({"birthDate": ""}, "Patient.birthDate"),
        ({"birthDate": "1780-01-01"}, "Patient.birthDate"),
        ({"birthDate": "2999"}, "Patient.birthDate"),
        ({"identifier": [PI, INS | {"value": "241038199901200"}]}, "Patient.identifier[1].value"),
        ({"identifier": [INS | {"system": f"urn:oid:{OID_NIR_TEST}"}]}, "Patient.identifier[0].system"),
    ],
)
def test_what_a_screen_would_refuse_is_refused_by_the_element(doctor, settings, change, expression):
    settings.INS_TEST_ALLOWED = False
    with pytest.raises(Invalid) as refused:
        create(doctor, NEW | change)
    assert {issue.expression for issue in refused.value.issues} == {expression}
    assert not Dossier.objects.exists()


def test_a_person_who_looks_like_another_needs_a_reason_and_an_ins_is_one_persons(doctor):
    create(doctor, NEW | {"identifier": [INS]})
    with pytest.raises(LooksLikeAnother):
        create(doctor, NEW)
    create(doctor, NEW, duplicate_reason="Jumelle")
    assert Dossier.objects.order_by("pk").last().duplicate_reason == "Jumelle"
    other = NEW | {"name": [{"use": "official", "family": "Autre", "given": ["Eve"]}], "identifier": [INS]}
    with pytest.raises(InsAlreadyUsed):
        create(doctor, other)


def test_who_may_not_open_a_dossier_may_not_by_software(doctor):
    with pytest.raises(NotAllowed):
        create(professional(""), NEW)
    assert LooksLikeAnother.status == 409
    key, caller = uuid7(), calling(doctor)
    assert PATIENTS.create(caller, NEW, key=key) == PATIENTS.create(caller, NEW, key=key)


@pytest.mark.req("CDS-14")
def test_a_patient_is_replaced(doctor):
    id = create(doctor, NEW)
    before = read(doctor, id)
    wanted = sent(before) | {
        "name": [{"use": "official", "family": "Fictive", "given": ["Jeanne", "Marie"]}],
        "telecom": [{"system": "phone", "value": "05 36 49 00 09"}],
        "maritalStatus": {"coding": [{"system": MARITAL, "code": "W"}]},
    }
    wanted.pop("address")
    update(doctor, id, wanted, expected=before["meta"]["versionId"])
    after = read(doctor, id)
    assert sent(after) == wanted
    dossier = Dossier.objects.get()
    assert (dossier.used_name, dossier.phone, dossier.mobile, dossier.town) == ("", "+33536490009", "", "")
    assert dossier.identity_versions.count() == 1
    with pytest.raises(VersionConflict):
        update(doctor, id, wanted | {"gender": "male"}, expected=before["meta"]["versionId"])


@pytest.mark.req("CDS-14")
def test_writing_back_what_was_read_changes_nothing(doctor, dossier):
    qualified(dossier)
    for id in (dossier.pk, create(doctor, NEW)):
        before, row = read(doctor, id), Dossier.objects.filter(pk=id).values().get()
        update(doctor, id, before, expected=before["meta"]["versionId"])
        assert read(doctor, id) == before
        assert Dossier.objects.filter(pk=id).values().get() == row


@pytest.mark.req("INS-9")
def test_a_client_that_leaves_the_ins_out_does_not_remove_it_and_a_changed_trait_does(doctor, dossier):
    qualified(dossier)
    resource = read(doctor, dossier.pk)
    own = [one for one in resource["identifier"] if one != INS]
    update(doctor, dossier.pk, sent(resource) | {"identifier": own})
    dossier.refresh_from_db()
    assert dossier.is_qualified
    assert INS in read(doctor, dossier.pk)["identifier"]
    update(doctor, dossier.pk, sent(resource) | {"birthDate": "1941-03-15"})
    dossier.refresh_from_db()
    assert (dossier.identity_status, dossier.ins_matricule) == ("VALI", "")
    assert MATRICULE not in str(read(doctor, dossier.pk))


def test_what_a_screen_changes_is_read_at_once_and_the_rest_of_what_was_sent_stays(doctor):
    id = create(doctor, NEW)
    dossier = Dossier.objects.get()
    dossier = actions.update_contacts(dossier, by=doctor, version=1, contacts={"phone": "", "town": "Albi"})
    traits = {"used_name": "NOUVEAU", "birth_place": "Albi", "birth_place_code": "81004"}
    before = read(doctor, id)["meta"]["lastUpdated"]
    actions.update_identity(dossier, by=doctor, version=1, traits=traits)
    resource = read(doctor, id)
    assert resource["meta"]["lastUpdated"] > before
    assert [one.get("value") for one in resource["telecom"]] == [
        "+33639980003", "jeanne@exemple.example", "05 36 49 00 01", "05 36 49 00 04",
    ]  # fmt: skip
    assert resource["name"][1] == {"use": "usual", "family": "NOUVEAU"}
    assert resource["name"][2] == NEW["name"][2]
    assert resource["extension"][-1] == NEW["extension"][0]
    assert resource["address"][1] == NEW["address"][0]
    # It would say what is no more.
    assert "text" not in resource
    assert resource["maritalStatus"] == NEW["maritalStatus"]


def test_a_failed_writing_is_traced_once_it_is_undone(doctor, dossier):
    caller = calling(doctor)
    with pytest.raises(Invalid):
        PATIENTS.update(caller, dossier.pk, {"resourceType": "Patient", "id": str(dossier.pk)}, expected=None)
    for say in caller.afterwards.values():
        say()
    last = Trace.objects.order_by("-pk").first()
    assert (last.action, last.outcome, last.rubrique) == ("écriture", Outcome.FAILED, "identite")


# ---- Searches ----------------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-58", "INS-4", "INS-12")
def test_searches(doctor, dossier):
    mine = create(doctor, NEW | {"identifier": [PI]})
    DossierFactory(birth_name="FICTIVE")
    for criteria, expected in [
        ({}, {mine, dossier.pk}), ({"identifier": str(mine)}, {mine}), ({"identifier": "IPP-0007"}, {mine}),
        ({"identifier": "https://hopital.example/ipp|IPP-0007"}, {mine}), ({"identifier": "urn:x|IPP-0007"}, set()),
        ({"identifier": "https://hopital.example/ipp|"}, {mine}),
        ({"family": "fict"}, {mine}), ({"family": "MODELE"}, {mine}), ({"family": "odele"}, set()),
        ({"family__contains": "odèl"}, {mine}), ({"family__exact": "Modèle"}, {mine}),
        ({"family__exact": "modele"}, set()), ({"family": "jeanne"}, set()), ({"family": ".*"}, set()),
        ({"given": "marie"}, {mine, dossier.pk}), ({"given__exact": "Jeanne"}, {mine, dossier.pk}),
        ({"name": "mart"}, {dossier.pk}), ({"address": "carm"}, {mine, dossier.pk}),
        ({"address": "3 rue du test"}, {mine}), ({"address": "81400"}, {mine, dossier.pk}),
        ({"birthdate": "1941"}, {mine, dossier.pk}), ({"birthdate": "1941-03-14"}, {dossier.pk}),
        # Of whom the month alone is known, any day of it may be hers.
        ({"birthdate": "gt1941-03-10"}, {mine, dossier.pk}), ({"birthdate": "lt1941-03-10"}, {mine}),
        ({"birthdate": "1941-03-01"}, set()), ({"birthdate": "sa1941-03-10"}, {dossier.pk}),
        ({"birthdate": "eb1941-03-31"}, {dossier.pk}), ({"birthdate": "1941-03"}, {mine, dossier.pk}),
        ({"gender": "female"}, {mine, dossier.pk}),
        ({"gender": "male"}, set()), ({"gender__not": "male"}, {mine, dossier.pk}),
        ({"birthplace": "carmaux"}, {mine}), ({"birthplace": "81060"}, {mine}), ({"birthplace": "albi"}, set()),
        ({"birthplace__missing": "true"}, {dossier.pk}), ({"active": "true"}, {mine, dossier.pk}),
    ]:  # fmt: skip
        assert found(doctor, **criteria) == expected, criteria
    Dossier.objects.filter(pk=dossier.pk).update(ins_matricule=MATRICULE, ins_oid=OID_NIR)
    asked = f"urn:oid:{OID_NIR}|{MATRICULE}"
    assert found(doctor, identifier=asked) == found(doctor, identifier=MATRICULE) == set()
    dossier.refresh_from_db()
    qualified(dossier)
    assert found(doctor, identifier=asked) == found(doctor, identifier=MATRICULE) == {dossier.pk}
    assert found(doctor, identifier=f"urn:oid:{OID_NIR_TEST}|{MATRICULE}") == set()


@pytest.mark.req("CDS-58")
def test_a_birth_of_which_the_year_alone_is_known_is_anywhere_in_it(doctor, dossier):
    Dossier.objects.filter(pk=dossier.pk).update(birth_date=dt.date(1941, 12, 31), birth_date_precision="annee")
    for asked, expected in (
        ("1941", True), ("lt1941-02", True), ("gt1941-11", True), ("ge1941-06-15", True), ("le1941-06-15", True),
        ("1941-12-31", False), ("sa1940", True), ("eb1942", True), ("sa1941-06", False), ("ne1941", False),
        ("gt1941", False), ("lt1941", False),
    ):  # fmt: skip
        assert (found(doctor, birthdate=asked) == {dossier.pk}) is expected, asked


@pytest.mark.req("CDS-6")
def test_the_people_around_are_told_by_nobody_to_who_does_not_see_the_circle(doctor, dossier):
    """Rule 7: in the reduced circle nobody has a name, nor in what a software said of the person."""
    around = {"contact": [{"name": {"family": "PROCHE"}}], "generalPractitioner": [{"display": "Dr PROCHE"}]}
    read = PATIENTS.read(calling(doctor), dossier.pk)
    PATIENTS.update(calling(doctor), dossier.pk, read | around, expected=None)
    helper = professional(HOME_HELP)
    habilitate(helper, dossier)
    assert not door.look(helper, dossier.pk).access.sees_whole_circle
    seen = PATIENTS.read(calling(helper), dossier.pk)
    assert "PROCHE" not in str(seen)
