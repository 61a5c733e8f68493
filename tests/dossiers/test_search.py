"""What is understood of the text typed to find a dossier, and of the places of a form."""

import datetime as dt

import pytest

from coordination.dossiers import places
from coordination.dossiers.models import Dossier
from coordination.dossiers.search import Wanted, parse
from tests.dossiers.factories import DossierFactory


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Wanted()),
        (None, Wanted()),
        ("  Martin   JEANNE ", Wanted(words=("martin", "jeanne"))),
        ("Le Goff d’Hervé", Wanted(words=("le", "goff", "d", "herve"))),
        ("14/03/1941", Wanted(birth_date=dt.date(1941, 3, 14))),
        ("martin 14-3-1941", Wanted(words=("martin",), birth_date=dt.date(1941, 3, 14))),
        ("1941-03-14 martin", Wanted(words=("martin",), birth_date=dt.date(1941, 3, 14))),
        ("14031941", Wanted(birth_date=dt.date(1941, 3, 14))),
        ("14 mars 1941", Wanted(birth_date=dt.date(1941, 3, 14))),
        ("martin 1941", Wanted(words=("martin",), birth_year=1941)),
        ("martin 03/1941", Wanted(words=("martin",), birth_year=1941, birth_month=3)),
        ("3-1941", Wanted(birth_year=1941, birth_month=3)),
        ("13/1941", Wanted(words=("13",), birth_year=1941)),
        ("2 41 03 81 999 012 11", Wanted(matricule="241038199901211")),
        ("241038199901211", Wanted(matricule="241038199901211")),
        ("1600 12A020 00480", Wanted(matricule="160012A02000480")),
        ("31/02/1941", Wanted(words=("31", "02"), birth_year=1941)),
    ],
)
def test_text_is_understood(text, wanted):
    assert parse(text) == wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("le goff", True), ("legoff", True), ("LeGof", True), ("goff jeanpierre", True), ("pierre legoff", True),
        ("dherve", True), ("d'hervé", True), ("herve", True), ("oof", False), ("egoff", False), ("goffle", False),
        ("03/1941", True), ("legoff 3/1941", True), ("04/1941", False), ("1941", True), ("03/1940", False),
    ],
)  # fmt: skip
def test_who_is_found(text, is_found):
    """Blanks, hyphens and apostrophes do not count; letters in the middle of a name do not begin it."""
    DossierFactory(birth_name="D'HERVÉ", used_name="LE GOFF", birth_given_names="Jean-Pierre", first_given_name="Jean")
    DossierFactory(birth_name="AUTRE", birth_date=dt.date(1950, 1, 1))
    assert Dossier.objects.wanted(parse(text)).count() == is_found


@pytest.mark.req("SECT-6")
def test_what_was_typed_stays_out_of_repr():
    assert "martin" not in repr(parse("martin 14/03/1941"))


def test_a_town_by_name_postal_code_or_choice():
    assert places.town("carmaux").code == "81060"
    assert places.town("Carmaux (81400)").code == "81060"
    assert places.town("Saint-Denis", "", "93066").code == "93066"
    assert places.town("Saint-Denis", "97400").postal_code == "97400"


@pytest.mark.parametrize("text", ["Villeneuve-Imaginaire", "Saint-Denis"])
def test_an_unknown_or_doubtful_town_is_refused(text):
    with pytest.raises(places.UnknownPlace):
        places.town(text)


@pytest.mark.parametrize(
    ("text", "code", "name", "insee"),
    [
        ("Carmaux", "", "Carmaux", "81060"),
        ("81060", "", "Carmaux", "81060"),
        ("Carmaux (81060)", "", "Carmaux", "81060"),
        ("Portugal", "", "Portugal", "99139"),
        ("Portugal", "99139", "Portugal", "99139"),
        ("Commune Disparue (81999)", "", "Commune Disparue", "81999"),
    ],
)
def test_a_place_of_birth(text, code, name, insee):
    found = places.birth_place(text, code)
    assert (found.name, found.code) == (name, insee)


def test_a_form_reads_again_what_it_wrote():
    for stored in (
        ("Carmaux", "81060"),
        ("Portugal", "99139"),
        ("Commune Disparue", "81999"),
        ("Saint-Denis", "97411"),
    ):
        found = places.birth_place(places.written(*stored), stored[1])
        assert (found.name, found.code) == stored
