"""FINESS in its three generations, and what it lends to the activities."""

import gzip
import json

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, Structure
from tests.directory import files
from tests.directory.files import ANY_SIZE, NURSE, changed, people_file

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-FINESS")]

# The sample rows of directories.md B.1, invented there.
EHPAD = (
    'structureet;810999999;810999990;"EHPAD ""LES ESSAIS""";EHPAD LES ESSAIS DE L AUTAN;;;3;AV;DU TEST;B;BP 000;060;'
    "81;TARN;81400 CARMAUX;0536490002;;500;Etablissement d'hébergement pour personnes âgées dépendantes;4401;"
    "Etablissements d'Hébergement pour Personnes Âgées;99900022200016;8710A;45;(libellé);;;2004-01-05;2003-12-01;"
    "2026-02-10;"
)
MARTINIQUE = (
    "structureet;970999991;970999990;RESIDENCE LES ALIZES FICTIFS;;;;;ZAC;DU SPECIMEN;;BP 000;207;9B;MARTINIQUE;"
    "97224 DUCOS CEDEX;0536490003;;500;Etablissement;4401;Etablissements;;8710A;45;(libellé);;;1999-09-01;1999-06-15;"
    "2025-11-03;"
)
# What an employee's line looks like: the number, no address.
EMPLOYEE = changed(NURSE, **{f"c{n}": "" for n in range(27, 45)})


def csv_file(tmp_path, *lines, encoding="utf-8", name="etalab-cs1100502-stock-20260512-0338.csv"):
    path = tmp_path / name
    path.write_text("\n".join(["finess;etalab;111;2026-05-12", *lines]) + "\n", encoding=encoding)
    return path


def json_file(tmp_path, *entities, name="finess-structures-journalier-20261102.json.gz"):
    document = {"schemaVersion": "v1.0.0", "generatedAt": "", "gco": [], "gcc": [], "pmej": list(entities)}
    path = tmp_path / name
    path.write_bytes(gzip.compress(json.dumps(document, ensure_ascii=False).encode()))
    return path


def entity(number="810999990", *establishments, **fields):
    info = {"numFinessPm": number, "denominationPm": "ASSO", "denominationLonguePmSmsse": "ASSOCIATION FICTIVE",
            "siren": "999000222", "statutJuridique": "60"}  # fmt: skip
    return {"informationsGeneralesPMEJ": info, "etatObjet": "A", "adresse": [], "contact": [],
            "ege": list(establishments), **fields}  # fmt: skip


def establishment(number="810999999", phone="05.36.49.00.02", state="A", category="500", **address):
    place = {"usageAdresse": "03", "numeroVoie": "3", "typeVoie": "av  ", "libelleVoie": "DU TEST",
             "codePostal": "81400", "cogCommune": "81060", "ligneAcheminement": "81400 CARMAUX",
             "coordonneesGeographique": {"coordonneeX": 612345.0, "coordonneeY": 6254321.0}, **address}  # fmt: skip
    info = {"numFinessEge": number, "nomEgeCourt": "LES ESSAIS", "nomEgeLong": "EHPAD LES ESSAIS", "siret": None,
            "dateOuverture": "2004-01-05", "dateFermeture": "2024-06-30" if state == "I" else None}  # fmt: skip
    return {"informationsGeneralesEGE": info, "etatObjet": state, "adresse": [{**place, "usageAdresse": "04",
            "codePostal": "99999"}, place], "contact": [{"telecom": {"telephone": phone, "courriel": None}}],
            "categorieentiteGeographiqueExercice": category}  # fmt: skip


def load(path):
    return import_finess(path, ANY_SIZE)[0]


def test_legacy_csv(tmp_path):
    load(csv_file(tmp_path, EHPAD, MARTINIQUE))
    ehpad = Structure.objects.get(finess="810999999")
    assert (ehpad.source, ehpad.category, ehpad.finess_ej) == ("finess", "500", "810999990")
    assert (ehpad.name, ehpad.short_name) == ("EHPAD LES ESSAIS DE L AUTAN", 'EHPAD "LES ESSAIS"')
    assert (ehpad.address, ehpad.commune_code) == ("3 B Avenue DU TEST, BP 000", "81060")
    assert (ehpad.phone, str(ehpad.opened_on)) == ("+33536490002", "2004-01-05")
    overseas = Structure.objects.get(finess="970999991")
    assert (overseas.commune_code, overseas.town, overseas.name) == ("97207", "DUCOS", "RESIDENCE LES ALIZES FICTIFS")


def test_quadruple_quotes_of_older_editions(tmp_path):
    load(csv_file(tmp_path, EHPAD.replace('""LES ESSAIS""', '""""LES ESSAIS""""')))
    assert Structure.objects.get().short_name == 'EHPAD "LES ESSAIS"'


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_both_encodings(tmp_path, encoding):
    load(csv_file(tmp_path, EHPAD.replace("DU TEST", "DES ÉCOLES"), encoding=encoding))
    assert "DES ÉCOLES" in Structure.objects.get().address


def test_geolocated_variant(tmp_path):
    block = "geolocalisation;810999999;634512.4;6254321.9;1,BAN,NUMERO;2026-05-12"
    report = load(csv_file(tmp_path, EHPAD, block))
    assert (report.run.read_count, Structure.objects.count()) == (1, 1)


def test_legacy_reload_writes_nothing_and_gone_is_ceased(tmp_path):
    load(csv_file(tmp_path, EHPAD, MARTINIQUE))
    assert load(csv_file(tmp_path, MARTINIQUE, EHPAD)).run.changed_count == 0
    assert load(csv_file(tmp_path, EHPAD)).run.ceased_count == 1
    assert Structure.objects.get(finess="970999991").ceased_at is not None
    assert load(csv_file(tmp_path, MARTINIQUE, EHPAD)).run.changed_count == 1
    assert Structure.objects.filter(ceased_at=None).count() == 2


def test_finess_plus(tmp_path):
    closed = establishment("810999981", state="I", category=None, phone="00565443110")
    report = load(json_file(tmp_path, entity("810999990", establishment(), closed)))
    assert report.run.new_count == 3
    legal = Structure.objects.get(finess="810999990")
    assert (legal.kind, legal.siren, legal.legal_status) == ("ej", "999000222", "60")
    ehpad = Structure.objects.get(finess="810999999")
    assert (ehpad.kind, ehpad.address, ehpad.postal_code) == ("eg", "3 Avenue DU TEST", "81400")
    assert (ehpad.phone, ehpad.siren, ehpad.ceased_at) == ("+33536490002", "999000222", None)
    gone = Structure.objects.get(finess="810999981")
    assert (gone.phone, gone.phone_as_given, gone.category) == ("", "00565443110", "")
    assert gone.ceased_at.year == 2024


def test_finess_plus_reload_writes_nothing_then_a_closure_shows(tmp_path):
    load(json_file(tmp_path, entity("810999990", establishment())))
    assert load(json_file(tmp_path, entity("810999990", establishment()))).run.changed_count == 0
    report = load(json_file(tmp_path, entity("810999990", establishment(state="I"))))
    assert report.run.changed_count == 1
    assert Structure.objects.get(finess="810999999").ceased_at is not None


def test_structure_of_rpps_is_taken_over_with_its_identity(tmp_path):
    import_rpps([people_file(tmp_path, EMPLOYEE)], ANY_SIZE)
    before = Structure.objects.get()
    assert before.source == "rpps"
    load(csv_file(tmp_path, EHPAD))
    after = Structure.objects.get()
    assert (after.pk, after.source, after.technical_id) == (before.pk, "finess", "F810999999")


@pytest.mark.parametrize("first", ["rpps", "finess"])
def test_employees_without_address_take_the_one_of_their_establishment(tmp_path, first):
    people, places = people_file(tmp_path, EMPLOYEE), csv_file(tmp_path, EHPAD)
    steps = [lambda: import_rpps([people], ANY_SIZE), lambda: load(places)]
    for step in steps if first == "rpps" else reversed(steps):
        step()
    activity = Activity.objects.select_related("structure").get()
    assert activity.structure.source == "finess"
    assert (activity.address, activity.town) == ("3 B Avenue DU TEST, BP 000", "CARMAUX")
    assert activity.phone == "+33536490002"
    # The establishment moves: so do they.
    load(csv_file(tmp_path, EHPAD.replace("81400 CARMAUX", "81000 ALBI").replace(";060;81;", ";004;81;")))
    activity.refresh_from_db()
    assert (activity.postal_code, activity.commune_code) == ("81000", "81004")


def test_what_was_borrowed_follows_the_establishment_and_what_was_not_stays(tmp_path):
    """Its telephone alone changes, then its name: who has none of his own is no longer called at the former number."""
    own = changed(EMPLOYEE, c2="10999000044", c3="810999000044", c25="UNITÉ B", c41="0536490077")
    import_rpps([people_file(tmp_path, changed(EMPLOYEE, c25=""), own)], ANY_SIZE)
    load(csv_file(tmp_path, EHPAD))
    renamed = EHPAD.replace("0536490002", "0536490009").replace("EHPAD LES ESSAIS DE L AUTAN", "EHPAD DU TEST")
    load(csv_file(tmp_path, renamed))
    told = dict(Activity.objects.values_list("professional__rpps", "phone"))
    assert told == {"10999000022": "+33536490009", "10999000044": "+33536490077"}
    named = dict(Activity.objects.values_list("professional__rpps", "structure_name"))
    assert named == {"10999000022": "EHPAD DU TEST", "10999000044": "UNITÉ B"}


def test_generated_files_go_through_whole():
    small = files.small()
    for path in (small.finess_json, small.finess_csv, small.finess_geolocated_csv):
        assert load(path).run.refused_count == 0


@pytest.mark.parametrize("share", [0.5, 0.97])
def test_cut_json_is_refused(tmp_path, share):
    with pytest.raises(FileRefused, match=r"abîmé|tronqué"):
        load(files.cut(files.small().finess_json, tmp_path, share))
    assert not Structure.objects.exists()


def test_json_cut_before_compression_is_refused(tmp_path):
    text = gzip.decompress(files.small().finess_json.read_bytes())
    path = tmp_path / "finess-structures-mensuel-202611.json.gz"
    path.write_bytes(gzip.compress(text[: len(text) // 2]))
    with pytest.raises(FileRefused, match="tronqué"):
        load(path)


def test_csv_cut_in_a_line_is_refused(tmp_path):
    path = csv_file(tmp_path, *[EHPAD.replace("810999999", f"81099{n:04d}") for n in range(300)])
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileRefused, match="tronqué"):
        load(path)


def test_copy_of_a_spreadsheet_is_refused(tmp_path):
    damaged = [EHPAD.replace("810999999", f"1099{n:04d}") for n in range(5)]
    with pytest.raises(FileRefused, match="tableur"):
        load(csv_file(tmp_path, *damaged))
    scientific = EHPAD.replace("99900022200016", "2,6E+13")
    with pytest.raises(FileRefused, match="tableur"):
        load(csv_file(tmp_path, scientific, scientific, scientific))
    commas = csv_file(tmp_path, EHPAD)
    commas.write_text(commas.read_text().replace(";", ","))
    with pytest.raises(FileRefused, match="tableur"):
        load(commas)
