"""Our own CSV of regional complements, as docs/import-structures.md describes it."""

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports.structures_csv import import_structures
from coordination.directory.models import Source, Structure
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
