"""People found in the first ten on a small invented directory, by the method of the bench (PERF-8)."""

import random

import pytest

from coordination.directory import search
from tests.bench.search import Person, slip, variant
from tests.directory.search_data import learn, person

pytestmark = [pytest.mark.django_db, pytest.mark.req("PERF-8")]

TOWNS = [
    ("Carmaux", "81400", "81060"),
    ("Albi", "81000", "81004"),
    ("Blaye-les-Mines", "81400", "81033"),
    ("Toulouse", "31000", "31555"),
    ("Saint-Sulpice-la-Pointe", "81370", "81271"),
]
GIVEN = ["Maëlle", "Jean-Pierre", "Nadia", "Noé", "Anne", "Hervé", "Zoé", "Marc", "Élodie", "Paul"]
STARTS = ["Échan", "Spéci", "Mod", "Exem", "Fict", "Brou", "Chan", "Tess", "Lorr", "Virm", "Gaut", "Pré"]
ENDS = ["tillon", "men", "èle", "ple", "ard", "ier", "ault", "oux", "asse", "ignac", "eret", "ouil"]
PARTICLES = ["", "", "", "de ", "de la ", "Le ", "d'"]


@pytest.fixture
def people():
    draw = random.Random(3)
    made = []
    for start in STARTS:
        for end in ENDS:
            family = f"{draw.choice(PARTICLES)}{start}{end}".upper()
            if draw.random() < 0.1:
                family += f"-{draw.choice(STARTS)}{draw.choice(ENDS)}".upper()
            town, postal_code, commune = draw.choice(TOWNS)
            given = draw.choice(GIVEN)
            activity = person(family, given, town=town, postal_code=postal_code, commune=commune)
            made.append(Person(activity.professional_id, family, given, town, postal_code, "60", ""))
    learn()
    return made


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (0.995, lambda p, draw: f"{p.family} {p.given} {p.town}"),
        (0.995, lambda p, draw: f"{p.family} {p.given}"),
        (0.99, variant),
        (0.90, lambda p, draw: f"{slip(p.family, draw)} {p.given} {p.town}"),
        (0.75, lambda p, draw: f"{slip(p.family, draw)} {p.given}"),
        (0.75, lambda p, draw: f"{p.family} {slip(p.given, draw)} {p.town}"),
        (0.75, lambda p, draw: f"{p.family} {p.given} {slip(p.town, draw)}"),
    ],
    ids=["exact", "without town", "variants", "typo", "typo without town", "typo in given name", "typo in town"],
)
def test_the_right_person_is_in_the_first_ten(people, goal, text):
    draw = random.Random(7)
    missed = []
    for someone in people:
        asked = text(someone, draw)
        found = search.search(asked, limit=10, kinds=("professional",)).professionals.results
        if someone.id not in {result.professional_id for result in found}:
            missed.append((asked, someone.family))
    assert 1 - len(missed) / len(people) >= goal, missed
