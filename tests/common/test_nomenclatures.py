from __future__ import annotations

import pytest

from coordination.common import nomenclatures
from coordination.common.nomenclatures import synonyms
from coordination.common.text import fold

UNION = nomenclatures.KINDS


@pytest.mark.parametrize("kind", sorted(UNION))
def test_every_list_is_whole_and_says_where_it_comes_from(kind):
    listed = nomenclatures.concepts(kind)
    assert listed
    assert len({c.code for c in listed}) == len(listed)
    for system in nomenclatures.systems(kind):
        assert system.url.startswith("https://")
        assert system.oid.replace(".", "").isdigit()
        assert system.version
        assert system.source.startswith("ansforge/")
    for concept in listed:
        assert concept.label == concept.label.strip()
        assert concept.display
        assert "  " not in concept.label
        assert nomenclatures.get(kind, concept.code) is concept


def test_every_data_file_is_a_list_we_serve():
    names = {path.stem for path in nomenclatures.DATA.glob("*.json")}
    assert names == UNION | {"profession_synonyms"}


@pytest.mark.parametrize("common_only", [True, False])
@pytest.mark.parametrize("kind", sorted(UNION))
def test_two_choices_never_read_the_same(kind, common_only):
    offered = nomenclatures.choices(kind, common_only=common_only)
    words = [fold(label) for _, label in offered]
    assert len(set(words)) == len(words)
    assert words == sorted(words)


def test_what_tells_two_choices_apart():
    assert dict(nomenclatures.choices("profession"))["99"].startswith("Acteur participant au système de santé")
    assert dict(nomenclatures.choices("categorie_etablissement"))["606"].endswith("(DAC), code 606")
    assert dict(nomenclatures.choices("profession"))["60"] == "Infirmier"


def test_professions_and_roles_share_one_namespace():
    professions = {c.code for c in nomenclatures.concepts("profession")}
    roles = {c.code for c in nomenclatures.concepts("role")}
    assert not professions & roles
    assert nomenclatures.find_profession_or_role("60").label == "Infirmier"
    assert nomenclatures.find_profession_or_role("330").label == "Coordonnateur de parcours"
    assert nomenclatures.find_profession_or_role("zzz") is None
    assert nomenclatures.find_profession_or_role(None) is None


def test_psychologue_is_there_once():
    active = [c for c in nomenclatures.concepts("profession", active_only=True) if c.label == "Psychologue"]
    assert [c.code for c in active] == ["93"]
    assert active[0].system.url.endswith("TRE-G15-ProfessionSante")


@pytest.mark.parametrize(
    ("kind", "code", "masculine", "feminine"),
    [
        ("profession", "60", "Infirmier", "Infirmière"),
        ("profession", "70", "Masseur-kinésithérapeute", "Masseuse-kinésithérapeute"),
        ("profession", "41", "Assistant de service social", "Assistante de service social"),
        ("profession", "51", "Éducateur spécialisé", "Éducatrice spécialisée"),
        ("profession", "10", "Médecin", "Médecin"),
        ("role_cercle", "PCP", "Médecin traitant", "Médecin traitant"),
        ("role_cercle", "330", "Coordonnateur de parcours", "Coordonnatrice de parcours"),
        ("role_cercle", "CAREGIVER", "Aidant", "Aidante"),
        ("savoir_faire", "SM54", "Médecine générale", "Médecine générale"),
        ("categorie_etablissement", "801", "Dispositif d’appui à la coordination (DAC)", None),
        ("relation", "SIS", "Sœur", "Sœur"),
        ("mode_exercice", "L", "Libéral", "Libéral"),
    ],
)
def test_labels(kind, code, masculine, feminine):
    assert nomenclatures.label(kind, code) == masculine
    assert nomenclatures.label(kind, code, feminine=True) == (feminine or masculine)


def test_the_official_wording_is_kept():
    assert nomenclatures.get("profession", "70").display == "Masseur-Kinésithérapeute"
    assert nomenclatures.get("savoir_faire", "SM54").display == "Médecine générale (SM)"


def test_unknown_codes_and_lists():
    assert nomenclatures.label("profession", "12345") is None
    assert nomenclatures.label("profession", None) is None
    assert nomenclatures.get("profession", "") is None
    with pytest.raises(LookupError):
        nomenclatures.label("metier", "60")


def test_sizes_of_the_sources():
    sizes = {kind: len(nomenclatures.concepts(kind)) for kind in UNION}
    assert sizes["savoir_faire"] == 325
    assert len(nomenclatures.concepts("savoir_faire", active_only=True)) == 265
    assert sizes["categorie_etablissement"] == 321
    assert sizes["relation"] == 37
    assert sizes["role"] == 83
    assert sizes["role_cercle"] == 84
    assert sizes["pays"] == 239
    assert sizes["profession"] == 30 + 26 + 9 + 2


def test_savoir_faire_know_their_type():
    types = {c.code for c in nomenclatures.concepts("type_savoir_faire")}
    for concept in nomenclatures.concepts("savoir_faire"):
        assert concept.parent in types or concept.code.startswith("SST")
    assert nomenclatures.get("savoir_faire", "DSM213").parent == "DNQ"


def test_choices_are_active_and_sorted():
    professions = nomenclatures.choices("profession")
    assert ("60", "Infirmier") in professions
    assert "200" not in dict(professions)
    assert [fold(label) for _, label in professions] == sorted(fold(label) for _, label in professions)
    labels = [label for _, label in nomenclatures.choices("role_cercle")]
    assert labels.count("Personne de confiance") == 1
    assert "MLLE" not in dict(nomenclatures.choices("civilite"))
    assert set(dict(nomenclatures.choices("sexe"))) == {"U", "F", "M"}


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("categorie_etablissement", "ehpad", "500"),
        ("categorie_etablissement", "heberg agees dep", "500"),
        ("categorie_etablissement", "SSIAD", "354"),
        ("profession", "infirmière", "60"),
        ("profession", "kinesi", "70"),
        ("savoir_faire", "geria", "SM18"),
        ("role_cercle", "medecin trai", "PCP"),
    ],
)
def test_search_labels(kind, typed, code):
    assert code in [c.code for c in nomenclatures.search_labels(kind, typed)]


def test_search_labels_limits():
    assert nomenclatures.search_labels("profession", "  ") == ()
    assert nomenclatures.search_labels("profession", "zzz") == ()
    assert len(nomenclatures.search_labels("savoir_faire", "c", limit=3)) == 3
    assert nomenclatures.search_labels("profession", "medecin")[0].code == "10"


def test_every_synonym_leads_to_codes_that_exist():
    for term in synonyms.terms().values():
        assert term.phrase == fold(term.phrase)
        assert len(term.phrase) > 2, "two letters are the beginning of a name"
        assert term.targets
        for target in term.targets:
            assert target.profession is None or nomenclatures.find_profession_or_role(target.profession).active
            assert all(nomenclatures.get("savoir_faire", code).active for code in target.savoir_faire)
            assert all(nomenclatures.get("role", code) for code in target.roles)


@pytest.mark.parametrize(
    ("typed", "profession"),
    [
        ("kiné", "70"), ("infirmière", "60"), ("IDE", "60"), ("sage femme", "50"), ("dentiste", "40"),
        ("podologue", "80"), ("assistante sociale", "41"), ("ergo", "94"), ("diét", "95"), ("psy", "93"),
        ("ortho", "91"), ("généraliste", "10"), ("pharmacienne", "21"), ("aide-soignante", "35"),
        ("auxiliaire de vie", "42"), ("masseur-kinésithérapeute", "70"), ("technicienne isf", "43"),
        ("coordinatrice", "99"), ("gériatre", "10"), ("aide à domicile", "99"),
    ],
)  # fmt: skip
def test_everyday_words(typed, profession):
    assert profession in [t.profession for t in synonyms.lookup(typed).targets]


@pytest.mark.parametrize(
    ("typed", "role"),
    [
        ("coordinateur", "330"), ("Coordonnateur de parcours", "330"), ("référente de parcours", "330"),
        ("secrétaire", "331"), ("secrétaire assistant médico-administratif", "331"), ("brancardier", "360"),
    ],
)  # fmt: skip
def test_a_role_is_found_in_either_column(typed, role):
    """The national files write 99 and the role; those entered here bear the role as a profession."""
    assert {("99", (role,)), (role, ())} == {(t.profession, t.roles) for t in synonyms.lookup(typed).targets}


def test_generaliste_is_a_doctor_with_a_savoir_faire():
    (target,) = synonyms.lookup("médecin généraliste").targets
    assert target.profession == "10"
    assert {"SM26", "SM53", "SM54"} <= set(target.savoir_faire)
    assert synonyms.lookup("médecin").targets == (synonyms.Target("10"),)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("martin medecin generaliste carmaux", [(1, 3, "Médecin généraliste")]),
        ("kine albi", [(0, 1, "Masseur-kinésithérapeute")]),
        ("aide a domicile", [(0, 3, "Aide à domicile")]),
        ("larrieu maelle", []),
        ("", []),
        ("ide kine", [(0, 1, "Infirmier"), (1, 2, "Masseur-kinésithérapeute")]),
    ],
)
def test_find_terms(words, found):
    assert [(f.start, f.end, f.term.label) for f in synonyms.find_terms(words.split())] == found
