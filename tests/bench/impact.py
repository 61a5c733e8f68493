"""What it costs to know whom a draft of the matrix concerns (issue 3 §6): statements, and time beside a plain count.

The draft takes a rubric from one profile, lowers another and moves a profession: three groups of people, each reached
through their own habilitations and through the structures they are delegates of.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from tests.bench import servers
from tests.bench.copies import copied, copy_rows

HABILITATIONS = 100_000
PER_DOSSIER = 5
ACCOUNTS = 1_000
STRUCTURES = 50
TURNS = 7
MOST_SQL = 2
PROFESSIONS = ("10", "60", "48", "41", "42", "35", "70", "93")
# What anybody would write to count the dossiers that are open to somebody.
PLAIN = (
    "SELECT count(DISTINCT dossier_id), count(DISTINCT user_id) FROM habilitations_habilitation"
    " WHERE state = 'oui' AND ended_at IS NULL"
)


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from habilitations import published
    from habilitations.differences import LEVEL, RULE, Edit, Key, applied
    from habilitations.impact import impact

    with servers.database(lambda: fill(HABILITATIONS)):
        published.forget()
        before = published.current()
        edits = [Edit(Key(LEVEL, "educateur", "social"), ""), Edit(Key(LEVEL, "medecin", "plan"), "lecture"),
                 Edit(Key(RULE, "42", ""), "aide_soignant")]  # fmt: skip
        after = applied(before, edits)
        with CaptureQueriesContext(connection) as asked:
            effects = impact(before, after)
        if len(effects) != len(edits) or not all(effect.total.dossiers for effect in effects):
            raise RuntimeError("the draft concerns nobody")

        def plain() -> None:
            with connection.cursor() as cursor:
                cursor.execute(PLAIN)
                cursor.fetchall()

        took, yardstick = _in_turn(lambda: impact(before, after), plain)
    published.forget()
    reached = max(effect.total.dossiers for effect in effects)
    return [
        {
            "name": f"Impact of a draft of the matrix over {HABILITATIONS:,} habilitations".replace(",", " "),
            "value": f"{took:.0f} ms, {len(asked)} SQL, up to {reached} dossiers in a group",
            "ratio": took / yardstick,
            "yardstick": f"one plain count of the same table {yardstick:.0f} ms",
            "goal": f"≤ {MOST_SQL} SQL",
            "ok": len(asked) <= MOST_SQL,
        }
    ]


def fill(size: int) -> None:
    """Publish the shipped matrix and give `size` habilitations, one in ten through a structure and its delegates."""
    from coordination.accounts.models import User
    from coordination.directory.models import Source, Structure
    from coordination.dossiers.models import Dossier
    from habilitations.models import Delegate, Habilitation, LegalStructure, VouchedProfession
    from tests.bench import town

    reader = town.build(dossiers=1).reader
    houses = Structure.objects.bulk_create(
        Structure(source=Source.LOCAL, name=f"SERVICE {n}", search_name=f"service {n}", phone="+33536492000")
        for n in range(STRUCTURES)
    )
    LegalStructure.objects.bulk_create(LegalStructure(structure=house) for house in houses)
    users = User.objects.bulk_create(
        User(email=f"compte{n}@mesure.example", family_name=f"MESURE{n}", given_name="Léa", password="!")
        for n in range(ACCOUNTS)
    )
    VouchedProfession.objects.bulk_create(
        VouchedProfession(
            user=user, profession=PROFESSIONS[n % len(PROFESSIONS)], structure=houses[n % STRUCTURES],
            structure_name=houses[n % STRUCTURES].name, how=VouchedProfession.How.DIRECTORY,
        )
        for n, user in enumerate(users)
    )  # fmt: skip
    Delegate.objects.bulk_create(
        Delegate(structure=houses[n % STRUCTURES], user=user) for n, user in enumerate(users) if n % 4 == 0
    )
    pattern = Dossier.objects.bulk_create([town.dossier_row(0, reader)])[0]
    opened = Habilitation.objects.bulk_create(
        [Habilitation(dossier=pattern, user=users[0], state="oui", state_by=reader)]
    )[0]
    copy_rows(
        Dossier, [pattern.pk], range(1, size // PER_DOSSIER + 1),
        {"id": copied("id"), "creation_key": "gen_random_uuid()"},
    )  # fmt: skip
    rank, is_house = f"(n / {PER_DOSSIER})", "n %% 10 = 9"
    somebody = f"{_array(users)}[1 + ({rank} * 7 + n %% {PER_DOSSIER} * 131) %% {ACCOUNTS}]"
    copy_rows(Habilitation, [opened.pk], range(size), {
        "id": "gen_random_uuid()",
        "dossier_id": f"md5(t.dossier_id::text || 1 + {rank})::uuid",
        "user_id": f"CASE WHEN {is_house} THEN NULL ELSE {somebody} END",
        "structure_id": f"CASE WHEN {is_house} THEN {_array(houses)}[1 + {rank} %% {STRUCTURES}] END",
    })  # fmt: skip
    town.carry_all()


def _array(rows) -> str:
    return "(ARRAY[" + ", ".join(f"'{row.pk}'" for row in rows) + "]::uuid[])"


def _in_turn(*acts: Callable[[], object]) -> list[float]:
    """Return the median milliseconds of each act; they alternate, so that a busy moment falls on all of them."""
    times: list[list[float]] = [[] for _ in acts]
    for _ in range(TURNS):
        for act, measured in zip(acts, times, strict=True):
            started = time.perf_counter()
            act()
            measured.append(time.perf_counter() - started)
    return [statistics.median(measured) * 1000 for measured in times]
