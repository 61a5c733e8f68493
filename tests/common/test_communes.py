from __future__ import annotations

import pytest

from coordination.common import communes


def names(found):
    return [c.name for c in found]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("carm", "Carmaux"),
        ("CARMAUX", "Carmaux"),
        ("carmaux 81", "Carmaux"),
        ("81400 carmaux", "Carmaux"),
        ("81400", "Carmaux"),
        ("st etienne", "Saint-Étienne"),
        ("ste foy les lyon", "Sainte-Foy-lès-Lyon"),
        ("roche sur yon", "La Roche-sur-Yon"),
        ("neuilly s/ seine", "Neuilly-sur-Seine"),
        ("paris 16", "Paris 16e Arrondissement"),
        ("Paris 01", "Paris 1er Arrondissement"),
        ("lyon 3ème", "Lyon 3e Arrondissement"),
        ("l'hay les roses", "L'Haÿ-les-Roses"),
        ("2a", "Ajaccio"),
        ("ajaccio 2A", "Ajaccio"),
        ("974", "Saint-Denis"),
        ("nouméa", "Nouméa"),
        ("cannes la bocca", "Cannes"),
        ("paris", "Paris"),
        ("t", "Toulouse"),
    ],
)
def test_find(typed, first):
    assert names(communes.find(typed))[0] == first


def test_find_ranks_and_limits():
    found = communes.find("saint denis", limit=3)
    assert len(found) == 3
    assert names(found)[:2] == ["Saint-Denis", "Saint-Denis"]  # the exact name first, largest first
    assert found[0].population > found[1].population
    assert communes.find("") == ()
    assert communes.find(None) == ()
    assert communes.find("zzzz") == ()
    assert communes.find("99999") == ()
    assert communes.find("carmaux 75") == ()


def test_the_postal_code_asked_for_comes_first():
    (toulouse,) = communes.find("toulouse 31300")
    assert (toulouse.postal_code, toulouse.label) == ("31300", "Toulouse (31300)")
    assert toulouse.postal_codes.count("31300") == 1
    assert "31000" in toulouse.postal_codes


def test_by_postal():
    found = communes.by_postal("81400")
    assert found[0].name == "Carmaux"
    assert len(found) > 3
    assert [c.population for c in found] == sorted((c.population for c in found), reverse=True)
    assert communes.by_postal("69003")[0].postal_code == "69003"
    assert communes.by_postal("8140") == ()
    assert communes.by_postal(None) == ()


def test_by_insee():
    assert communes.by_insee("2a004").name == "Ajaccio"
    assert communes.by_insee("81060").postal_code == "81400"
    assert communes.by_insee("75116").is_arrondissement
    assert communes.by_insee("99999") is None
    assert communes.by_insee(None) is None


@pytest.mark.parametrize(
    ("town", "postal", "insee"),
    [
        ("CARMAUX", "81400", "81060"),
        ("TOULOUSE CEDEX 9", "31059", "31555"),
        ("ALBI CEDEX", "81011", "81004"),
        ("AJACCIO CEDEX", "20303", "2A004"),
        ("CAYENNE CEDEX", "97306", "97302"),
        ("ST GENIS POUILLY", "01630", "01354"),
        ("PARIS 16E ARRONDISSEMENT", "", "75116"),
        ("Paris 16e Arrondissement", "75016", "75116"),
        ("PARIS 01", "75001", "75101"),
        ("St Denis", "97400", "97411"),
        ("BASTIA", "20200", "2B033"),
        ("LES ABYMES", "97139", "97101"),
        ("CANNES LA BOCCA", "06150", "06029"),
        ("", "81400", "81060"),
        ("LYON", "69003", "69123"),
    ],
)
def test_resolve(town, postal, insee):
    assert communes.resolve(town, postal)[0].insee == insee


def test_resolve_keeps_doubts_apart_and_invents_nothing():
    assert len(communes.resolve("Saint-Denis")) > 3
    assert communes.resolve("Ville-Fictive", "81400") == ()
    assert communes.resolve("Carmaux", "75001") == ()
    assert communes.resolve("", "") == ()
    assert communes.resolve(None, None) == ()


def test_departements():
    assert communes.departement_of("81060") == "81"
    assert communes.departement_of("2A004") == "2A"
    assert communes.departement_of("97411") == "974"
    assert communes.departement("81").name == "Tarn"
    assert communes.departement("9a").name == "Guadeloupe"
    assert communes.departement("2b").name == "Haute-Corse"
    assert communes.departement("00") is None
    assert communes.departement(None) is None
    assert len(communes.departements()) >= 101
    assert all(d.region for d in communes.departements())
    assert communes.by_insee("81060").departement == "81"


def test_insee_from_finess():
    assert communes.insee_from_finess("81", "060") == "81060"
    assert communes.insee_from_finess("2A", "004") == "2A004"
    assert communes.insee_from_finess("9D", "411") == "97411"
    assert communes.insee_from_finess("9J", "613") == "98613"


def test_the_whole_file_is_there():
    index = communes._index()
    assert len(index.lines) == 35_009
    assert sum(len(codes) for codes in index.postals.values()) == 35_539
