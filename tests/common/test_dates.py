from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.common.dates import (
    BirthDate,
    InvalidDate,
    Precision,
    parse_birth_date,
    parse_date,
    write_birth_date,
)

TODAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    "typed",
    ["14/03/1941", "14/3/1941", "14-03-1941", "14.03.1941", "14 03 1941", "14031941", "1941-03-14", " 14 mars 1941 "],
)
def test_ways_of_writing_a_date(typed):
    assert parse_date(typed) == dt.date(1941, 3, 14)
    assert parse_birth_date(typed, today=TODAY) == BirthDate(dt.date(1941, 3, 14))


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("1er août 2026", dt.date(2026, 8, 1)),
        ("2 févr. 2024", dt.date(2024, 2, 2)),
        ("3 DÉC 2024", dt.date(2024, 12, 3)),
    ],
)
def test_months_in_words(typed, date):
    assert parse_date(typed) == date


@given(st.dates(dt.date(1000, 1, 1)))
def test_a_date_written_is_read_back(date):
    assert parse_date(f"{date:%d/%m}/{date.year:04d}") == date
    assert parse_date(date.isoformat()) == date


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("", "manque"),
        (None, "manque"),
        ("31/02/1941", "n’existe pas"),
        ("14/13/1941", "n’existe pas"),
        ("14/03/41", "4 chiffres"),
        ("14 jui 1941", "n’est pas valide"),
        ("demain", "n’est pas valide"),
        ("1941", "n’est pas valide"),
        ("00/03/1941", "n’existe pas"),
        ("a/03/1941", "n’est pas valide"),
        ("14/03/１９４１²", "4 chiffres"),
    ],
)
def test_dates_refused(typed, part):
    with pytest.raises(InvalidDate) as caught:
        parse_date(typed)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "date", "precision", "shown"),
    [
        ("00/03/1941", dt.date(1941, 3, 1), Precision.MONTH, "mars 1941"),
        ("03/1941", dt.date(1941, 3, 1), Precision.MONTH, "mars 1941"),
        ("août 1941", dt.date(1941, 8, 1), Precision.MONTH, "août 1941"),
        ("00/00/1941", dt.date(1941, 12, 31), Precision.YEAR, "1941"),
        ("00001941", dt.date(1941, 12, 31), Precision.YEAR, "1941"),
        ("1941-00-00", dt.date(1941, 12, 31), Precision.YEAR, "1941"),
        ("1941", dt.date(1941, 12, 31), Precision.YEAR, "1941"),
        ("14/00/1941", dt.date(1941, 1, 14), Precision.YEAR, "1941"),
        ("2026", dt.date(2026, 12, 31), Precision.YEAR, "2026"),
    ],
)
def test_incomplete_birth_dates(typed, date, precision, shown):
    birth = parse_birth_date(typed, today=TODAY)
    assert birth == BirthDate(date, precision)
    assert str(birth) == shown


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("24/11/2026", "futur"),
        ("12/2026", "futur"),
        ("2027", "futur"),
        ("01/01/1889", "avant 1890"),
        ("13/1941", "existe"),
    ],
)
def test_unlikely_birth_dates(typed, part):
    with pytest.raises(InvalidDate, match=part):
        parse_birth_date(typed, today=TODAY)


def test_writing():
    assert write_birth_date(dt.date(1941, 3, 14)) == "14/03/1941"
    assert write_birth_date(dt.date(1941, 3, 1), "mois") == "mars 1941"
    assert write_birth_date(None) == ""
