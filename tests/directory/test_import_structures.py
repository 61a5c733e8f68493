"""Our own CSV of regional complements, as docs/import-structures.md describes it."""

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports.structures_csv import import_structures
from coordination.directory.models import Mailbox, Source, Structure
from tests.directory.files import ANY_SIZE

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-STRUCTURES")]

HEADER = "identifiant;libelle;sigle;categorie;finess;siret;adresse;code_postal;ville;telephone;email;responsable;etat"
TEAM = "R-001;Équipe mobile d'essai;EME;606;;;3 rue du Test;81400;Carmaux;05 36 49 00 10;eme@dac.example;A. Modèle;"
KNOWN = "R-002;Libellé régional;;;810999999;;;;;0536490011;accueil@exemple.example;B. Spécimen;"


def load(tmp_path, *lines, header=HEADER):
    path = tmp_path / "structures-2026-11-20.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return import_structures(path, ANY_SIZE)[0]


def test_new_unchanged_changed_ceased_back(tmp_path):
    assert load(tmp_path, TEAM).run.new_count == 1
    team = Structure.objects.get()
    assert (team.source, team.commune_code, team.phone) == ("regional", "81060", "+33536490010")
    assert load(tmp_path, TEAM).run.changed_count == 0
    assert load(tmp_path, TEAM.replace("Équipe", "Grande équipe")).run.changed_count == 1
    assert load(tmp_path).run.ceased_count == 1
    assert load(tmp_path, TEAM).run.changed_count == 1
    assert Structure.objects.get().pk == team.pk


def test_finess_structure_is_completed_never_replaced(tmp_path):
    Structure.objects.create(source=Source.FINESS, finess="810999999", name="EHPAD", phone="+33536490002")
    assert load(tmp_path, KNOWN).run.changed_count == 1
    known = Structure.objects.get()
    assert (known.name, known.source, known.phone) == ("EHPAD", "finess", "+33536490002")
    assert (known.email, known.manager_name) == ("accueil@exemple.example", "B. Spécimen")
    assert load(tmp_path, KNOWN).run.changed_count == 0


def test_refusals(tmp_path):
    for header, match in ((HEADER.replace("libelle", "nom"), "absentes"), (HEADER + ";autre", "inconnues")):
        with pytest.raises(FileRefused, match=match):
            load(tmp_path, TEAM, header=header)
    damaged = [KNOWN.replace("R-002", f"R-{n}").replace("810999999", f"1099{n:04d}") for n in range(4)]
    with pytest.raises(FileRefused, match="tableur"):
        load(tmp_path, *damaged)
    lines = [TEAM.replace("R-001", f"R-{n}") for n in range(20)]
    report = load(tmp_path, TEAM.replace("Équipe mobile d'essai", ""), *lines)
    assert report.refusals == [(2, "sans libellé")]
    with pytest.raises(FileRefused, match="tronqué"):
        load(tmp_path, *lines, "R-50;cou")


def numbered(line, finess="810999999"):
    return line.replace(";606;;", f";606;{finess};")


def test_a_structure_that_is_given_a_finess_number_keeps_its_identity(tmp_path):
    load(tmp_path, TEAM)
    team = Structure.objects.get()
    assert load(tmp_path, numbered(TEAM)).run.changed_count == 1
    known = Structure.objects.get()
    assert (known.pk, known.finess, known.source_key) == (team.pk, "810999999", "REG:R-001")
    assert load(tmp_path, numbered(TEAM)).run.changed_count == 0


def test_the_region_joins_two_of_its_structures_in_one(tmp_path):
    """Under the identifier of the first and the number of the second: the number names the structure."""
    second = numbered(TEAM.replace("R-001", "R-002"))
    load(tmp_path, TEAM, second)
    numbered_one = Structure.objects.get(finess="810999999")
    report = load(tmp_path, numbered(TEAM))
    assert report.run.ceased_count == 1
    assert Structure.objects.get(ceased_at=None).pk == numbered_one.pk


@pytest.mark.parametrize("again", [numbered(TEAM), numbered(TEAM, "810999981"), TEAM])
def test_an_identifier_twice_in_a_file_is_one_structure(tmp_path, again):
    assert load(tmp_path, TEAM, again).run.new_count == 1
    assert load(tmp_path, numbered(TEAM, "810999973"), again).run.refused_count == 0
    assert Structure.objects.count() == 1


def test_the_mssante_address_of_the_region_stays_when_the_rest_changes(tmp_path):
    Mailbox.objects.create(
        kind="ORG", address="autre@mss.example", structure_id_type="1", structure_number="810999981"
    )
    header, line = f"{HEADER};mssante", f"{TEAM};equipe@mss.example"
    load(tmp_path, line, header=header)
    load(tmp_path, line.replace("Équipe", "Grande équipe"), header=header)
    assert Structure.objects.get().mss_address == "equipe@mss.example"


def test_a_town_whose_name_several_bear_gives_no_commune(tmp_path):
    load(tmp_path, TEAM.replace("81400;Carmaux", ";Saint-Sulpice"))
    assert Structure.objects.get().commune_code == ""


def test_a_column_without_a_name_is_said(tmp_path):
    with pytest.raises(FileRefused, match="une colonne sans nom"):
        load(tmp_path, f"{TEAM};", header=f"{HEADER};")
