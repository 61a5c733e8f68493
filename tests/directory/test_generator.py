"""Invented files: same seed, same bytes; exact shapes; the quirks that importers must meet."""

import gzip
import json
import random

import pytest
from django.core.management import call_command
from stdnum import luhn

from coordination.directory.generator import generate, numbers
from coordination.directory.generator.names import Names
from coordination.directory.imports import headers
from tests.directory.files import small

pytestmark = pytest.mark.req("DIR-GENERATOR")


def rows(path):
    return [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]


def test_same_seed_same_bytes(tmp_path):
    again = generate(tmp_path, professionals=300, structures=60, seed=7)
    for name in ("activities", "savoir_faire", "mailboxes", "finess_csv", "finess_geolocated_csv", "finess_json"):
        assert getattr(again, name).read_bytes() == getattr(small(), name).read_bytes()


@pytest.mark.parametrize(
    ("name", "header", "width"),
    [("activities", headers.PERSON_ACTIVITY, 57), ("savoir_faire", headers.SAVOIR_FAIRE, 14),
     ("mailboxes", headers.MSSANTE, 31)],
)  # fmt: skip
def test_shapes(name, header, width):
    found = rows(getattr(small(), name))
    assert "|".join(found[0]) == header
    assert {len(row) for row in found} == {width}


def test_finess_shapes():
    lines = small().finess_geolocated_csv.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("finess;etalab;")
    assert {line.split(";")[0] for line in lines[1:]} == {"structureet", "geolocalisation"}
    document = json.loads(gzip.decompress(small().finess_json.read_bytes()))
    states = {e["etatObjet"] for entity in document["pmej"] for e in entity["ege"]}
    assert states == {"A", "I"}


def test_a_hundred_thousand_surnames_with_a_long_tail():
    names = Names(random.Random(5))
    assert len(set(names.pool)) >= 100_000
    drawn = names.surnames(20_000)
    assert len(set(drawn)) > 8_000
    assert max(map(drawn.count, names.pool[:5])) > 30
    assert any("-" in name for name in drawn)
    assert any(name.startswith(("DE ", "LE ")) for name in drawn)
    assert any("'" in name for name in drawn)


def test_numbers_have_valid_keys():
    assert luhn.is_valid(numbers.rpps(12345))
    assert luhn.is_valid(numbers.siren(77))
    assert luhn.is_valid(numbers.siret(numbers.siren(77), 12))
    assert luhn.is_valid(numbers.finess(4, "81"))
    assert len({numbers.finess(4, d) for d in ("9A", "9B", "9C", "9D", "9F", "2A", "2B", "75")}) == 8
    assert len(numbers.adeli(1, "2A")) == 9


def test_quirks_are_there(tmp_path):
    found = rows(generate(tmp_path, professionals=4000, structures=300, seed=11).activities)[1:]
    assert any(row[0] == "0" for row in found)  # ADELI left over
    assert any(row[11] == "E" for row in found)  # students
    assert any(not any(row[17:]) for row in found)  # nobody's employee
    assert any(row[21] and not row[35] for row in found)  # FINESS number without address
    assert any('"' in row[24] for row in found)
    assert any("CEDEX" in row[34] for row in found)
    assert any(row[18] and not row[23] for row in found)  # no technical identifier
    people = [row[2] for row in found]
    assert len(people) > len(set(people))


def test_quirks_of_roles_addresses_and_mailboxes(tmp_path):
    made = generate(tmp_path, professionals=4000, structures=300, seed=11)
    activities, mailboxes = rows(made.activities)[1:], rows(made.mailboxes)[1:]
    assert {row[52][0] for row in activities if row[52][:1].isdigit()} == {"3", "4"}
    assert all(row[53] for row in activities if row[52])
    assert any(row[26] for row in activities)  # addressee
    assert any(row[42] for row in activities)  # fax
    tied = [row for row in mailboxes if row[4] and row[6]]
    assert {row[5] for row in tied} == {"1", "2", "3", "4"}
    assert {row[5] for row in mailboxes if row[0] == "ORG"} == {"1", "2", "3", "4"}
    # Each is at a workplace that the person has, and some people have no other mailbox.
    places = {(row[2], number) for row in activities for number in row[19:24] if number}
    assert all((row[4], row[6]) in places for row in tied)
    assert {row[4] for row in tied} - {row[4] for row in mailboxes if not row[6]}
    finess = [line.split(";") for line in made.finess_csv.read_text(encoding="utf-8").splitlines()]
    assert all(any(row[column] for row in finess[1:]) for column in (5, 6, 17))


def test_scattered_people_on_request(tmp_path):
    together = generate(tmp_path / "a", professionals=400, structures=60, seed=11)
    scattered = generate(tmp_path / "b", professionals=400, structures=60, seed=11, scattered=3)
    assert sorted(rows(together.activities)) == sorted(rows(scattered.activities))
    people = [row[2] for row in rows(scattered.activities)[1:]]
    runs = sum(one != other for one, other in zip(people, people[1:], strict=False)) + 1
    assert runs > len(set(people))


def test_command(tmp_path, capsys):
    call_command("generate_directory", tmp_path, professionals=20, structures=10, seed=3)
    assert "situations d'exercice" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 6
