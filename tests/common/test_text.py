from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.common.text import (
    capital_family,
    capital_given,
    fold,
    fold_words,
    initials,
    of_name,
    person_name,
    seen,
    squeeze,
    without_particles,
)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Éloïse", "eloise"),
        ("E\u0301loi\u0308se", "eloise"),  # decomposed, as macOS pastes it
        ("LE GOFF-D'HERVÉ", "le goff d herve"),
        ("d’Ormesson", "d ormesson"),
        ("dʼOrmesson", "d ormesson"),
        ("Jean\u2011Pierre", "jean pierre"),  # non-breaking hyphen
        ("Jean\u2013Pierre", "jean pierre"),
        ("Jean\u00adPierre", "jeanpierre"),  # soft hyphen is invisible
        ("  Anne\u00a0\u202f Marie\t", "anne marie"),
        ("Œdipe Lætitia Weiß", "oedipe laetitia weiss"),
        ("N'Diaye", "n diaye"),
        ("Łukasz Ørsted İnci", "lukasz orsted inci"),
        ("ﬁlle Ｍａｒｉｅ", "fille marie"),
        ('EHPAD "LES ESSAIS" (site n°2)', "ehpad les essais site n 2"),
        ("a_b", "a b"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("", ""),
        ("-'", ""),
        (None, ""),
    ],
)
def test_fold(typed, folded):
    assert fold(typed) == folded


@given(st.text())
def test_fold_is_idempotent_and_has_single_spaces(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert folded == " ".join(folded.split())
    assert all(c.isalnum() or c == " " for c in folded)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzéèàùçôîïœæ -'’", max_size=30))
def test_fold_ignores_case(text):
    assert fold(text.upper()) == fold(text)


def test_words_and_particles():
    assert fold_words("de La Tour-d'Auvergne") == ["de", "la", "tour", "d", "auvergne"]
    assert without_particles("de La Tour d'Auvergne") == "tour auvergne"
    assert without_particles("Le") == "le"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("lefèvre", "LEFÈVRE"), ("d’hervé-éléonore", "D'HERVÉ-ÉLÉONORE"), ("  le   goff ", "LE GOFF"), (None, "")],
)
def test_capital_family(typed, shown):
    assert capital_family(typed) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("MARIE-CLAUDE", "Marie-Claude"), ("éloïse", "Éloïse"), ("jean  pierre", "Jean Pierre"), ("", "")],
)
def test_capital_given(typed, shown):
    assert capital_given(typed) == shown


def test_person_name_and_squeeze():
    assert person_name("larrieu", "maëlle") == "LARRIEU Maëlle"
    assert person_name("larrieu") == "LARRIEU"
    assert squeeze(" a\u00a0 b ") == "a b"


@pytest.mark.parametrize(
    ("names", "letters"),
    [(("Jean", "Dupont"), "JD"), (("Jean", "de La Tour"), "JT"), (("Éloïse", None), "E"), ((None, ""), "")],
)
def test_initials(names, letters):
    assert initials(*names) == letters


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Martin", "de Martin"), ("Éliane", "d’Éliane"), ("Yves", "d’Yves"), ("Yann", "de Yann"), ("Henri", "d’Henri")],
)
def test_of_name(name, shown):
    assert of_name(name) == shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("EHPAD\u200b des\u2060 Essais\ufeff", "EHPAD des Essais"),
        ("\u202eEHPAD\u2066", "EHPAD"),
        ("É\u00adquipe\x00 \x1bmobile", "Équipe mobile"),
        ("  Équipe\u00a0\u2028 mobile\t", "Équipe mobile"),
        ("n° 2 « L’Abri » – 🏠", "n° 2 « L’Abri » – 🏠"),
        ("\u200b", ""),
        (None, ""),
    ],
)
def test_seen(typed, kept):
    assert seen(typed) == kept


@given(st.text())
def test_what_is_seen_is_seen_again(text):
    assert seen(seen(text)) == seen(text) == squeeze(seen(text))
