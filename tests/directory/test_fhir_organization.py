"""Organization: the structures of the directory, and what partners say of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.directory.fhir import finding
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Source, Structure
from coordination.directory.search import structures
from coordination.fhir.models import Kept
from coordination.fhir.outcomes import Invalid, Unknown, VersionConflict
from tests.directory.fhir_world import ORGANIZATIONS, caller, checked, found, structure
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, people_file
from tests.directory.test_import_finess import EHPAD, csv_file
from tests.fhir.samples import sample

pytestmark = pytest.mark.django_db

CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-organization"
TYPES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
OI = {
    "resourceType": "Organization",
    "identifier": [
        {
            "type": {"coding": [{
                "system": "https://mos.esante.gouv.fr/NOS/TRE_R345-TypeIdentifiantAutre/FHIR/TRE-R345-TypeIdentifiantAutre",
                "code": "42",
            }]},
            "system": "https://oi.esante.gouv.fr",
            "value": "OI-0001",
        }
    ],
    "name": "Unité mobile fictive",
    "telecom": [{"system": "phone", "value": "05 36 49 00 07"}, {"system": "fax", "value": "05 36 49 00 08"}],
    "extension": [{
        "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-organization-description",
        "valueString": "Se déplace",
    }],
}  # fmt: skip

NUMBER = {"system": "https://hopital.example/services", "value": "inconnu"}


def read(who, id):
    return checked(ORGANIZATIONS.read(who, id))


def sent(resource):
    """What a client sends back of what it has read."""
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.mark.req("CDS-15")
def test_a_national_structure_says_its_numbers_types_and_place():
    above = structure("ASSOCIATION FICTIVE", finess="810999990", kind="ej", legal_status="60")
    row = structure(
        finess="810999999", finess_ej="810999990", siret="99900022200016", short_name="LES ESSAIS", category="500",
        sector="SA17", address="3 AV DU TEST", postal_code="81400", town="Carmaux", commune_code="81060",
        email="accueil@exemple.example", mss_address="accueil@exemple.mssante.fr",
    )  # fmt: skip
    resource = read(caller(), row.pk)
    assert resource["meta"]["profile"][0] == CDS
    numbers = {(one["system"], one["value"], one["type"]["coding"][0]["code"]) for one in resource["identifier"]}
    assert numbers == {
        ("urn:oid:1.2.250.1.71.4.2.2", "1810999999", "IDNST"),
        ("https://finess.esante.gouv.fr", "810999999", "FINEG"),
        ("https://sirene.fr", "99900022200016", "SIRET"),
    }
    assert (resource["name"], resource["alias"], resource["active"]) == ("EHPAD LES ESSAIS", ["LES ESSAIS"], True)
    named = {one["extension"][0]["valueCode"] for one in resource["type"] if "extension" in one}
    assert named == {"organizationType", "secteurActiviteRASS"}
    assert [one["coding"][0]["code"] for one in resource["type"]] == ["GEOGRAPHICAL-ENTITY", "SA17", "500"]
    assert resource["address"][0]["city"] == "Carmaux"
    assert resource["address"][0]["extension"][0]["valueCoding"]["code"] == "81060"
    mss = resource["telecom"][-1]
    assert (mss["system"], mss["extension"][0]["valueCoding"]["code"]) == ("email", "MSSANTE")
    assert resource["partOf"] == {"reference": f"Organization/{above.pk}"}
    legal = read(caller(), above.pk)
    assert [one["coding"][0]["code"] for one in legal["type"]] == ["LEGAL-ENTITY", "60"]
    assert legal["identifier"][1]["type"]["coding"][0]["code"] == "FINEJ"


def test_what_is_over_is_said_so_and_changes_the_version():
    who = caller()
    row = structure(finess="810999999")
    before = read(who, row.pk)
    assert read(who, row.pk)["meta"] == before["meta"]
    Structure.objects.filter(pk=row.pk).update(merged_into=structure("Autre"))
    after = read(who, row.pk)
    assert after["active"] is False
    assert after["meta"]["versionId"] != before["meta"]["versionId"]


def test_many_cost_the_same_statements_as_one():
    who = caller()
    structure("ASSOCIATION", finess="810999990", kind="ej")
    rows = [structure(f"EHPAD {n}", finess_ej="810999990").pk for n in range(30)]
    for ids in (rows[:1], rows):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(ORGANIZATIONS.load(who, ids)) == len(ids)
        assert len(asked) == 3


def test_an_id_of_nothing_is_unknown():
    with pytest.raises(Unknown):
        ORGANIZATIONS.read(caller(), uuid7())


@pytest.mark.req("CDS-12", "CDS-28")
def test_a_structure_nobody_knows_is_kept_as_it_was_sent_and_proposed_to_nobody():
    who, key = caller(), uuid7()
    id = ORGANIZATIONS.create(who, OI, key=key)
    assert ORGANIZATIONS.create(who, OI, key=key) == id
    row = Structure.objects.get()
    assert (row.source, row.partner, row.kind, row.phone) == (Source.PARTNER, who.owner, "oi", "+33536490007")
    assert sent(read(who, id)) == OI | {"id": str(id)}
    # Another one reads what the row says, not what was sent.
    other = read(caller("client:autre"), id)
    assert "identifier" not in other and other["name"] == OI["name"]
    assert found(ORGANIZATIONS, who, name="unite") == {id}
    assert not structures("unité mobile")
    Structure.objects.update(source=Source.LOCAL)
    assert structures("unité mobile")


def test_a_known_number_gives_the_national_row_and_what_was_sent_is_its_senders_alone():
    who = caller()
    row = structure(finess="810999999", town="Carmaux")
    said = {
        "resourceType": "Organization",
        "identifier": [{
            "system": "https://finess.esante.gouv.fr", "value": "810999999",
            "type": {"coding": [{"system": TYPES, "code": "FINEG"}]},
        }],
        "name": "EHPAD (nom du partenaire)",
    }  # fmt: skip
    assert ORGANIZATIONS.create(who, said, key=uuid7()) == row.pk
    mine, others = read(who, row.pk), read(caller("client:autre"), row.pk)
    assert (mine["name"], others["name"]) == ("EHPAD (nom du partenaire)", "EHPAD LES ESSAIS")
    # What it did not say is the directory's.
    assert mine["address"] == others["address"]
    assert [one["value"] for one in mine["identifier"]] == ["810999999", "1810999999"]
    row.refresh_from_db()
    assert row.name == "EHPAD LES ESSAIS"


@pytest.mark.asvs("v5.0.0-8.4.1")
@pytest.mark.req("CDS-14")
def test_writing_a_national_row_changes_it_for_nobody_else_and_survives_the_loads(tmp_path):
    who = caller()
    import_finess(csv_file(tmp_path, EHPAD), ANY_SIZE)
    row = Structure.objects.get(finess="810999999")
    before = read(who, row.pk)
    wanted = sent(before) | {"telecom": [{"system": "phone", "value": "0536490099", "use": "work"}]}
    ORGANIZATIONS.update(who, row.pk, wanted, expected=before["meta"]["versionId"])
    assert sent(read(who, row.pk)) == wanted
    later = "etalab-cs1100502-stock-20260612-0338.csv"
    import_finess(csv_file(tmp_path, EHPAD.replace("LES ESSAIS", "LES ROSES"), name=later), ANY_SIZE)
    assert "ROSES" in read(caller("client:autre"), row.pk)["name"]
    mine = read(who, row.pk)
    assert mine["telecom"] == wanted["telecom"]


def test_a_load_takes_over_a_structure_that_a_partner_knew_first(tmp_path):
    who = caller()
    row = structure("Nom du partenaire", source=Source.PARTNER, partner=who.owner, finess="810999999")
    import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
    import_rpps([people_file(tmp_path, DOCTOR, NURSE)], ANY_SIZE)
    row.refresh_from_db()
    assert (row.source, row.name) == (Source.RPPS, 'EHPAD "LES ESSAIS" DE L\'AUTAN')
    ORGANIZATIONS.update(who, row.pk, sent(read(who, row.pk)) | {"name": "Nom du partenaire"}, expected=None)
    row.refresh_from_db()
    assert row.name != "Nom du partenaire"


def test_what_is_over_nationally_is_over_for_the_partner_too():
    who = caller()
    row = structure(finess="810999999")
    ORGANIZATIONS.update(who, row.pk, sent(read(who, row.pk)) | {"name": "Autre nom"}, expected=None)
    Structure.objects.filter(pk=row.pk).update(ceased_at=timezone.now())
    assert read(who, row.pk)["active"] is False


def test_writing_back_what_was_read_writes_nothing():
    who = caller()
    row = structure(finess="810999999", email="a@exemple.example")
    mine = ORGANIZATIONS.create(who, OI, key=uuid7())
    for id in (row.pk, mine):
        before = read(who, id)
        kept = list(Kept.objects.values())
        ORGANIZATIONS.update(who, id, before, expected=before["meta"]["versionId"])
        assert read(who, id) == before
        assert list(Kept.objects.values()) == kept


@pytest.mark.req("CDS-14")
def test_its_maker_changes_a_row_and_an_old_version_is_refused():
    who = caller()
    id = ORGANIZATIONS.create(who, OI, key=uuid7())
    before = read(who, id)
    wanted = OI | {"id": str(id), "name": "Unité mobile renommée"}
    ORGANIZATIONS.update(who, id, wanted, expected=before["meta"]["versionId"])
    assert sent(read(who, id)) == wanted
    assert Structure.objects.get().search_name == "unite mobile renommee"
    with pytest.raises(VersionConflict):
        ORGANIZATIONS.update(who, id, OI | {"id": str(id)}, expected=before["meta"]["versionId"])
    # Somebody else's words on it stay his own.
    other = caller("client:autre")
    ORGANIZATIONS.update(other, id, wanted | {"name": "Vue d’un autre"}, expected=None)
    assert read(who, id)["name"] == "Unité mobile renommée"
    assert read(other, id)["name"] == "Vue d’un autre"


def test_a_reference_to_no_structure_is_refused():
    who = caller()
    for reference in (f"Organization/{uuid7()}", "Organization/12", "urn:uuid:x"):
        with pytest.raises(Invalid) as refused:
            ORGANIZATIONS.create(who, OI | {"partOf": {"reference": reference}}, key=uuid7())
        assert refused.value.issues[0].expression == "Organization.partOf.reference"


@pytest.mark.req("CDS-59")
def test_searches():
    who = caller()
    above = structure("ASSOCIATION FICTIVE", finess="810999990", kind="ej", siren="999000222")
    row = structure(finess="810999999", finess_ej="810999990", short_name="Ézé", siret="99900022200016")
    practice = structure("CABINET", source=Source.RPPS, technical_id="R10999", source_key="R10999")
    mine = ORGANIZATIONS.create(who, OI | {"partOf": {"reference": f"Organization/{row.pk}"}}, key=uuid7())
    for value, expected in {
        "https://finess.esante.gouv.fr|810999999": row.pk,
        "810999999": row.pk,
        "urn:oid:1.2.250.1.71.4.2.2|1810999999": row.pk,
        "https://sirene.fr|99900022200016": row.pk,
        "https://sirene.fr|999000222": above.pk,
        "https://rppsrang.esante.gouv.fr|R10999": practice.pk,
        "https://oi.esante.gouv.fr|OI-0001": mine,
        "OI-0001": mine,
        "https://oi.esante.gouv.fr|": mine,
    }.items():
        assert found(ORGANIZATIONS, who, identifier=value) == {expected}, value
    for value in ("https://oi.esante.gouv.fr|810999999", "|810999999", "urn:oid:1.2.250.1.71.4.2.2|1", "autre"):
        assert found(ORGANIZATIONS, who, identifier=value) == set(), value
    assert found(ORGANIZATIONS, caller("client:autre"), identifier="OI-0001") == set()
    for criteria, expected in [
        ({"name": "ehpad"}, {row.pk}), ({"name": "EZE"}, {row.pk}), ({"name": "les ess"}, {row.pk}),
        ({"name": "ss"}, set()), ({"name__contains": "socia"}, {above.pk}), ({"name__exact": "Ézé"}, {row.pk}),
        ({"name__exact": "ézé"}, set()), ({"name": "%"}, set()), ({"name": "c' & :* |"}, {practice.pk}),
        ({"partof": f"Organization/{above.pk}"}, {row.pk}), ({"partof": str(row.pk)}, {mine}),
        ({"partof.name": "association"}, {row.pk}), ({"active": "false"}, set()),
    ]:  # fmt: skip
        assert found(ORGANIZATIONS, who, **criteria) == expected, criteria


def test_the_index_of_words_answers_a_name():
    rows = Structure.objects.filter(finding.structures_named("les essais", "starts"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    assert "structure_words" in rows.explain()


def test_what_a_partner_made_known_says_so_to_others():
    made = ORGANIZATIONS.create(caller(), sample("Organization") | {"identifier": [NUMBER]}, key=uuid7())
    own = ORGANIZATIONS.load(caller(), [made])[made]
    assert "tag" not in own["meta"]
    other = caller("client:autre")
    seen = ORGANIZATIONS.load(other, [made])[made]
    assert [tag["display"] for tag in seen["meta"]["tag"]] == ["Reçu d’un partenaire"]
    ORGANIZATIONS.update(other, made, seen, expected=None)
    assert ORGANIZATIONS.load(other, [made])[made] == seen
