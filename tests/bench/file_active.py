"""The file active of somebody with 5,000 dossiers, as those of the others grow: flat, with as many statements.

The two sizes are measured one after the other in the same base; a statement that touches no table, timed beside, says
what the machine did meanwhile, and the ratio is taken of one to the other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from tests.bench import servers

OWN, FEW, MANY = 5_000, 10_000, 100_000
PATTERNS, HOLDERS = 100, 50
PAGES = {"": "by name", "?tri=nouveau": "by news", "?statut=tous&vue=tous": "all one may open"}
CALLS, FULL_CALLS = 24, 80
FLAT = 1.2
UNIT = "SELECT count(*) FROM generate_series(1, 60000)"


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from django.db import connection

    from tests.bench import town

    calls, few_copies = FULL_CALLS if full else CALLS, (FEW - OWN) // PATTERNS
    with servers.database(lambda: town.build(dossiers=0, circles=0)) as there:
        patterns, holders = fill(there.reader)
        add_copies(_dossiers_of(there.reader), range(1, OWN // PATTERNS))
        add_copies(patterns, range(1, few_copies), holders)
        few = _measured(there.reader, calls)
        add_copies(patterns, range(few_copies, (MANY - OWN) // PATTERNS), holders)
        many = _measured(there.reader, calls)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM dossiers_dossier")
            total = cursor.fetchone()[0]
    return [_figure(said, few[page], many[page], total) for page, said in PAGES.items()]


def _figure(said: str, few: tuple, many: tuple, total: int) -> dict:
    (small, unit, asked), (large, unit_then, asked_then) = few, many
    ratio = (large / unit_then) / (small / unit)
    return {
        "name": f"File active of {OWN} dossiers, {said}, among {total}, p50",
        "value": f"{large:.1f} ms, {asked_then} SQL",
        "ratio": ratio,
        "yardstick": f"among {FEW}: {small:.1f} ms, {asked} SQL",
        "goal": f"≤ {FLAT} ×, as many SQL",
        "ok": ratio <= FLAT and asked == asked_then,
    }


def fill(reader) -> tuple[list, list]:
    """Give the reader the first of his dossiers; return those of others to copy, and who holds the copies."""
    from coordination.accounts.models import User
    from tests.bench import town
    from tests.circle import factories as make

    other = make.coordinator(family_name="AUTRE")
    town.add_dossiers([reader], PATTERNS, members=2)
    town.add_dossiers([other], PATTERNS, members=2)
    holders = User.objects.bulk_create(
        User(email=f"titulaire{n}@mesure.example", family_name=f"TITULAIRE{n}", given_name="Léa", password="!")
        for n in range(HOLDERS)
    )
    return _dossiers_of(other), [user.pk for user in holders]


def _dossiers_of(user) -> list:
    """Return the dossiers that an account was given in bulk."""
    from coordination.dossiers.models import Dossier

    return list(Dossier.objects.filter(created_by=user).order_by("id").values_list("pk", flat=True)[:PATTERNS])


def add_copies(patterns: list, numbers: range, holders: list | None = None) -> None:
    """Copy dossiers with their members, roles and changes; the copies are open to the holders, or to the same one."""
    from circle.models import Change, Member, Period, RoleHolding
    from coordination.dossiers.models import Dossier
    from habilitations.models import Habilitation
    from tests.bench.copies import copied, copy_rows

    its = {"id": copied("id"), "dossier_id": copied("dossier_id")}
    member = its | {"member_id": copied("member_id")}
    holder = {}
    if holders:
        users = "ARRAY[" + ", ".join(f"'{pk}'" for pk in holders) + "]::uuid[]"
        # Nobody stays nobody: most members have no account.
        holder["user_id"] = f"CASE WHEN t.user_id IS NULL THEN NULL ELSE ({users})[1 + n %% {len(holders)}] END"
    copy_rows(Dossier, patterns, numbers, {
        "id": copied("id"), "creation_key": "gen_random_uuid()", "sort_name": "t.sort_name || ' ' || n",
    })  # fmt: skip
    for model, changed in (
        (Habilitation, its | holder),
        (Member, its | {"habilitation_id": copied("habilitation_id"), "creation_key": "gen_random_uuid()"}),
        (Period, member), (RoleHolding, member), (Change, member | {"other_id": "NULL"}),
    ):  # fmt: skip
        keys = model.objects.filter(dossier__in=patterns).values_list("pk", flat=True)
        copy_rows(model, list(keys), numbers, changed)


def _measured(reader, calls: int) -> dict[str, tuple[float, float, int]]:
    """Return {page: (median milliseconds, those of the unit beside it, statements)}."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(reader)

    def page(query: str) -> Callable[[], None]:
        def ask() -> None:
            if client.get(f"/dossiers/{query}").status_code != 200:
                raise RuntimeError("the file active did not open")

        return ask

    def unit() -> None:
        with connection.cursor() as cursor:
            cursor.execute(UNIT)
            cursor.fetchall()

    found = {}
    for query in PAGES:
        asked = page(query)
        for _ in range(3):
            asked()
        with CaptureQueriesContext(connection) as statements:
            asked()
        count = len(statements)
        pages, units = zip(*((_timed(asked), _timed(unit)) for _ in range(calls)), strict=True)
        found[query] = statistics.median(pages), statistics.median(units), count
    return found


def _timed(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000
