"""Noisy neighbours: what a very large dossier and a software at its limit take from everybody else (SCALE-14).

The others ask for circles of thirty at regular intervals, a third of what is served at most, alone; then beside three
people who turn in a dossier of three hundred members and five thousand lines of journal, a page a second together, and
a software that calls twice as often as it may (600 a minute; the rest is refused). In turn. Only the answers of the
others are compared.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import servers

CIRCLES = 24
MEMBERS, LINES = 300, 5_000
ROUNDS, SECONDS = 3, 5
FULL_ROUNDS, FULL_SECONDS = 7, 15
OTHERS, PEOPLE, SOFTWARE = 0.33, 1.0, 20.0
LIMIT = "600"
GOAL = 1.1


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    with servers.database(_fill) as (there, large, headers), servers.product(FHIR_CALLS_PER_MINUTE=LIMIT) as (base, _):
        cookie = servers.signed_in(there.reader)
        paths = tuple(f"/dossiers/{entry.dossier.pk}/cercle/" for entry in there.entries)
        others = servers.Page(base + paths[0], cookie, paths)
        turns = tuple(f"/dossiers/{large}/{page}" for page in ("", "cercle/", "journal/"))
        noise = (
            (servers.Page(base + turns[0], cookie, turns), PEOPLE),
            (servers.Page(f"{base}/fhir/CareTeam?patient={large}", sent=headers), SOFTWARE),
        )
        servers.open_loop(others, 0, 1)
        rate = OTHERS * len(servers.open_loop(others, 0, 3)) / 3
        alone, beside, refused = [], [], 0
        for _ in range(rounds):
            alone += servers.open_loop(others, rate, seconds)
            with ExitStack() as stack:
                running = [stack.enter_context(servers.asking(page, often, seconds)) for page, often in noise]
                beside += servers.open_loop(others, rate, seconds)
                people, software = (servers.answers(process) for process in running)
            if {status for *_, status in people} != {200} or {status for *_, status in software} - {200, 429}:
                raise RuntimeError(f"the noise is another: {people[:2]} {software[:2]}")
            refused += sum(status == 429 for *_, status in software)
    return [_figure(share, alone, beside, rate, refused) for share in (0.5, 0.95)]


def _figure(share: float, alone: list, beside: list, rate: float, refused: int) -> dict:
    quiet, noisy = (1000 * sorted(took for _, took, _ in asked)[int(len(asked) * share)] for asked in (alone, beside))
    served = all(status == 200 for *_, status in (*alone, *beside))
    goal = GOAL if share == 0.95 else None
    return {
        "name": f"Others beside noisy neighbours, p{100 * share:.0f} ({rate:.0f} /s, {refused} calls refused)",
        "value": f"{noisy:.1f} ms",
        "ratio": noisy / quiet,
        "yardstick": f"alone {quiet:.1f} ms",
        "goal": f"≤ {goal} ×" if goal else None,
        "ok": noisy / quiet <= goal and served if goal else None,
    }


def _fill() -> tuple:
    """Fill a town, and the large dossier; return (town, its identifier, the headers of the software)."""
    from django.db import connection

    from tests.bench import calls, town

    there = town.build(dossiers=200, circles=CIRCLES)
    large = town.circle_of_thirty(there.reader).dossier
    town.add_members(large, MEMBERS - town.MEMBERS)
    with connection.cursor() as cursor:
        for start in range(0, LINES, 200):
            cursor.execute(
                """
                INSERT INTO habilitations_trace
                SELECT gen_random_uuid(), now() - interval '1 minute' * (%s - n), %s, 0, md5((n %% 40)::text)::uuid,
                    'INVENTÉ ' || n %% 40, '', '60', '', 'Cabinet', 'infirmier', NULL, 1, 'lecture', 'cercle', 'ok',
                    '', NULL, '', '', '', '', ''
                FROM generate_series(%s, %s) AS n""",
                [LINES, large.pk, start + 1, start + 200],
            )
    return there, large.pk, calls.connect(there.reader, "HÔPITAL DES CHÊNES")
