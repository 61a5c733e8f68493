"""Dates, numbers, telephones and identifiers as French screens write them (design system, section 7)."""

import datetime as dt

import pytest
from django.utils.safestring import mark_safe

from coordination.common import french

S = "\u00a0"
MONDAY = dt.date(2026, 11, 23)
PARIS = dt.timezone(dt.timedelta(hours=1))


def test_dates():
    assert french.date_fr(MONDAY) == "23/11/2026"
    assert french.near_date(MONDAY, today=MONDAY) == f"lun.{S}23/11"
    assert french.near_date(dt.date(2025, 1, 6), today=MONDAY) == "06/01/2025"
    assert french.long_date(MONDAY) == f"lundi 23{S}novembre 2026"
    assert french.long_date(dt.date(2026, 5, 1)) == f"vendredi 1er{S}mai 2026"


def test_times_are_those_of_paris():
    moment = dt.datetime(2026, 11, 23, 8, 42, tzinfo=dt.UTC)
    assert french.time_fr(moment) == "09:42"
    assert french.datetime_fr(moment) == f"23/11/2026 à{S}09:42"
    assert french.interval_fr(dt.time(15), dt.time(16)) == f"15:00 à{S}16:00"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "à l’instant"), (40, f"il y a 40{S}min"), (125, f"il y a 2{S}h"), (24 * 60, "hier, 15:00")],
)
def test_how_long_ago(minutes, words):
    now = dt.datetime(2026, 11, 23, 15, 0, tzinfo=PARIS)
    assert french.ago_fr(now - dt.timedelta(minutes=minutes), now=now) == words


@pytest.mark.parametrize(
    ("birth", "age"),
    [((1941, 3, 14), f"85{S}ans"), ((1941, 11, 24), f"84{S}ans"), ((2025, 12, 23), f"11{S}mois"), ((2027, 1, 1), "")],
)
def test_age_on_the_day(birth, age):
    assert french.age_fr(dt.date(*birth), today=MONDAY) == age


@pytest.mark.parametrize("written", ["+33536491021", "05 36 49 10 21", "05.36.49.10.21", "0033536491021"])
def test_telephone(written):
    assert french.phone_fr(written) == S.join(["05", "36", "49", "10", "21"])
    assert french.phone_href(written) == "tel:+33536491021"


def test_a_foreign_or_odd_number_is_shown_as_it_can_be():
    assert french.phone_fr("+3225550000").startswith("+32")
    assert french.phone_fr("3115") == "3115"
    assert french.phone_href("15") == "tel:15"


def test_identifiers():
    assert french.matricule_fr("241038199901211") == S.join(["2", "41", "03", "81", "999", "012", "11"])
    assert french.rpps_fr("99700012345") == S.join(["99", "700", "012", "345"])
    assert french.rpps_fr("123") == "123"


def test_counts():
    assert french.plural(0, "membre") == f"0{S}membre"
    assert french.plural(1, "membre") == f"1{S}membre"
    assert french.plural(1200, "membre") == f"1{S}200{S}membres"
    assert french.plural(2, "travail", "travaux") == f"2{S}travaux"
    assert french.number_fr(1234.5) == f"1{S}234,5"


def test_typography():
    assert french.nbsp("Qui ? « Elle » : oui") == f"Qui{S}? «{S}Elle{S}»{S}: oui"
    assert french.nbsp("a ?b=1 09:42") == "a ?b=1 09:42"
    assert hasattr(french.nbsp(mark_safe("<b>x</b> ?")), "__html__")
    assert not hasattr(french.nbsp("<b> ?"), "__html__")


@pytest.mark.parametrize(
    "function",
    [french.date_fr, french.near_date, french.long_date, french.time_fr, french.datetime_fr, french.ago_fr,
     french.age_fr, french.number_fr, french.phone_fr, french.phone_href, french.matricule_fr, french.rpps_fr,
     french.nbsp],
)  # fmt: skip
def test_nothing_gives_nothing(function):
    assert function(None) == ""
