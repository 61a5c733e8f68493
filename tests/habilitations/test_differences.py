"""Differences, edits and tables of the matrix: pure functions on plain values."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from habilitations import defaults, differences, spreadsheets, tables
from habilitations.differences import LEVEL, RIGHT, RULE, Edit, EditRefused, Key, applied, cells, difference
from habilitations.matrix import Matrix
from habilitations.profiles import NAMES
from habilitations.rubriques import Action, Niveau, Rubrique, Scope

OPEN = [profile for profile in NAMES if profile not in differences.LOCKED]
CODES = frozenset({"10", "60", "330", "41"})


def shipped():
    found = defaults.load()
    return Matrix(1, found.levels, found.action_rights, found.profile_rules)


levels = st.dictionaries(
    st.sampled_from(OPEN), st.dictionaries(st.sampled_from(Rubrique.values), st.sampled_from(Niveau)), max_size=6
)
rights = st.dictionaries(
    st.sampled_from(OPEN), st.dictionaries(st.sampled_from(Action.values), st.sampled_from(Scope)), max_size=4
)
rules = st.dictionaries(
    st.tuples(st.sampled_from(sorted(CODES)), st.sampled_from(["", "330"])),
    st.sampled_from(sorted(set(OPEN) - differences.NOT_OF_A_PROFESSION)),
    max_size=5,
)
matrices = st.builds(Matrix, st.just(1), levels, rights, rules)


@given(matrices, matrices)
def test_applying_a_difference_gives_the_other_version(one, other):
    changes = difference(one, other)
    made = applied(one, differences.edits_of(changes))
    assert cells(made) == cells(other)
    assert difference(made, other) == ()
    back = applied(made, [Edit(change.key, change.before) for change in changes])
    assert cells(back) == cells(one)


@given(matrices, matrices)
def test_a_difference_names_every_cell_once_with_two_values(one, other):
    changes = difference(one, other)
    assert len({change.key for change in changes}) == len(changes)
    assert all(change.before != change.after for change in changes)
    assert {c.key for c in changes} == {c.key for c in difference(other, one)}


@given(matrices)
def test_a_version_written_as_tables_reads_back_the_same(matrix):
    for kind in differences.KINDS:
        rows = tables.write_table(matrix, kind)
        edits = tables.read_table(rows, base=matrix, professions=CODES)
        assert differences.effective(matrix, edits) == ()


def test_changes_are_told_in_the_order_of_the_matrix():
    edits = [
        Edit(Key(RULE, "60", ""), "medecin"),
        Edit(Key(RIGHT, "medecin", "inviter"), ""),
        Edit(Key(LEVEL, "educateur", "social"), ""),
        Edit(Key(LEVEL, "medecin", "journal"), "lecture"),
        Edit(Key(LEVEL, "medecin", "identite"), "lecture"),
        Edit(Key(LEVEL, "infirmier", "identite"), "lecture"),
    ]
    found = differences.effective(shipped(), edits)
    # The nurse's identity already gives that: an edit that changes nothing is no change.
    assert [change.key for change in found] == [
        (LEVEL, "medecin", "identite"), (LEVEL, "medecin", "journal"), (LEVEL, "educateur", "social"),
        (RIGHT, "medecin", "inviter"), (RULE, "60", ""),
    ]  # fmt: skip
    assert (found[0].before, found[0].after) == ("ecriture", "lecture")


@pytest.mark.req("SEC-1")
def test_a_new_rubric_or_profile_gives_nothing_until_a_version_says_so():
    """Rule 1, on a version published before the rubric and the profile existed."""
    old = Matrix(1, {"medecin": {"cercle": Niveau.ECRITURE}}, {}, {("10", ""): "medecin"})
    for rubrique in set(Rubrique.values) - {"cercle"}:
        assert old.level("medecin", rubrique) == Niveau.AUCUN
    assert old.level("profil_nouveau", "cercle") == Niveau.AUCUN
    assert old.scope("profil_nouveau", "habiliter") is None
    said = applied(old, [Edit(Key(LEVEL, "medecin", "plan"), "lecture")])
    assert said.level("medecin", "plan") == Niveau.LECTURE
    assert said.level("medecin", "social") == Niveau.AUCUN


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit(Key(LEVEL, "magicien", "plan"), "lecture"), "Le profil « magicien » n’existe pas."),
        (Edit(Key(LEVEL, "medecin", "radio"), "lecture"), "La rubrique « radio » n’existe pas."),
        (Edit(Key(LEVEL, "medecin", "plan"), "tous"), "« tous » n’est pas une valeur possible."),
        (Edit(Key(RIGHT, "medecin", "voler"), "tous"), "L’action « voler » n’existe pas."),
        (Edit(Key(LEVEL, "inconnu", "plan"), "lecture"), "Le profil « Profession inconnue » n’ouvre rien, par règle."),
        (Edit(Key(RIGHT, "admin_technique", "inviter"), "tous"),
         "Le profil « Administrateur technique » n’ouvre rien, par règle."),
        (Edit(Key(RULE, "ZZ", ""), "medecin"), "La profession « ZZ » n’est pas dans les nomenclatures."),
        (Edit(Key(RULE, "10", "ZZ"), "medecin"), "La fonction « ZZ » n’est pas dans les nomenclatures."),
        (Edit(Key(RULE, "10", ""), "magicien"), "Le profil « magicien » n’existe pas."),
        (Edit(Key(RULE, "10", ""), "personne"), "Aucune profession ne mène au profil « La personne elle-même »."),
        (Edit(Key("autre", "10", ""), "personne"), "Cette partie de la matrice n’existe pas."),
    ],
)  # fmt: skip
def test_an_edit_that_no_rule_allows_is_refused_with_its_reason(edit, reason):
    with pytest.raises(EditRefused) as refused:
        differences.check(edit, profiles=frozenset(NAMES), professions=CODES)
    assert str(refused.value) == reason


def test_what_closes_is_always_allowed():
    differences.check(Edit(Key(LEVEL, "inconnu", "plan"), ""), profiles=frozenset(NAMES), professions=CODES)
    differences.check(Edit(Key(RULE, "10", ""), ""), profiles=frozenset(NAMES), professions=CODES)


# ---- files -----------------------------------------------------------------------------------------


def read(rows):
    return tables.read_table(rows, base=shipped(), professions=CODES, name="Niveaux")


def test_a_table_is_read_in_words_letters_and_labels_in_any_order():
    edits = read(
        [["Profil", "Volet social", "plan"], ["educateur", "L", "écriture"], ["", ""], ["pharmacien", "–", ""]]
    )
    assert edits == (
        Edit(Key(LEVEL, "educateur", "social"), "lecture"),
        Edit(Key(LEVEL, "educateur", "plan"), "ecriture"),
        Edit(Key(LEVEL, "pharmacien", "social"), ""),
        Edit(Key(LEVEL, "pharmacien", "plan"), ""),
    )
    assert read([["profil", "inviter"], ["medecin", ""]]) == (Edit(Key(RIGHT, "medecin", "inviter"), ""),)
    rules = [["profession", "fonction", "profil"], ["10", "", "medecin"], ["60", "330"]]
    assert read(rules)[1] == Edit(Key(RULE, "60", "330"), "")


def test_a_bad_table_is_refused_with_every_cell_and_its_reason():
    rows = [
        ["profil", "social", "radio", "plan"],
        ["educateur", "peut-être", "", "lecture"],
        ["magicien", "lecture", "", "lecture"],
        ["educateur", "lecture", "", "lecture"],
        ["inconnu", "", "", "lecture"],
    ]
    with pytest.raises(tables.TableRefused) as refused:
        read(rows)
    assert [(fault.table, fault.cell, fault.reason) for fault in refused.value.faults] == [
        ("Niveaux", "C1", "« radio » n’est ni une rubrique ni une action du tableau."),
        ("Niveaux", "B2", "« peut-être » n’est pas une valeur possible."),
        ("Niveaux", "A3", "Le profil « magicien » n’existe pas."),
        ("Niveaux", "A4", "Cette ligne est déjà donnée ligne 2."),
        ("Niveaux", "D5", "Le profil « Profession inconnue » n’ouvre rien, par règle."),
    ]


@pytest.mark.parametrize("rows", [[], [["", ""]], [["nom", "prénom"]], [["medecin", "plan"]]])
def test_a_table_that_is_none_of_ours_is_refused(rows):
    with pytest.raises(tables.TableRefused) as refused:
        read(rows)
    assert refused.value.faults[0].cell == "A1"


def test_the_names_of_cells():
    assert [tables.reference(*at) for at in ((1, 1), (26, 2), (27, 3), (28, 7), (702, 9))] == [
        "A1", "Z2", "AA3", "AB7", "ZZ9",
    ]  # fmt: skip


def test_files_come_back_as_they_went():
    written = {title: tables.write_table(shipped(), kind) for kind, title in tables.TITLES.items()}
    assert spreadsheets.read_file("m.xlsx", spreadsheets.write_xlsx(written)) == written
    for rows in written.values():
        assert spreadsheets.read_file("m.csv", spreadsheets.write_csv(rows)) == {"": rows}
    shipped_file = (defaults.DATA / "matrix-1.csv").read_bytes()
    (rows,) = spreadsheets.read_file("matrix-1.csv", shipped_file).values()
    assert differences.effective(shipped(), tables.read_table(rows, base=shipped(), professions=CODES)) == ()


def test_a_cell_of_the_workbook_is_never_a_formula():
    book = load_workbook(io.BytesIO(spreadsheets.write_xlsx({"Niveaux": [["=1+1"]]})))
    assert book.active["A1"].data_type == "s"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.xlsx", b"not a workbook"), ("m.xlsx", b"PK\x03\x04broken"), ("m.csv", b"\xff\xfe\x00profil"),
        ("m.csv", b"a\x00b"), ("m.csv", b"x" * 1_000_001), ("m.csv", b"a;b\n" * 2_001),
    ],
    ids=["text", "broken zip", "utf-16", "zero byte", "too heavy", "too long"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(name, content):
    with pytest.raises(tables.TableRefused):
        spreadsheets.read_file(name, content)
