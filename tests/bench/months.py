"""The journal by month: what a hundred partitions add to a read, and how long anybody waits when a month goes or comes
(SCALE-7).

The yardstick of a read is the same lines in one table: the same page, on the same connection, which looks for the
journal there first (search_path). Blocks of pages alternate. The lines of the dossier that is read are spread over
thirty-six months.
"""

from __future__ import annotations

import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tests.bench import servers

MONTHS, PARTITIONS = 36, 100
LINES, OTHERS, FULL_OTHERS = 2_000, 1_000, 20_000
BLOCKS, FULL_BLOCKS, PER_BLOCK = 6, 15, 12
READ, WAIT = 1.05, 100
WRITERS = 2
ONE = "one_table"
# How long a question holds the journal while months go and come: a page of statistics, not a page of the product.
QUESTION = 0.3


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    others = FULL_OTHERS if full else OTHERS
    with servers.database(lambda: town.build(dossiers=200)) as there:
        page, dossier_id = _page(there)
        _fill(dossier_id, others)
        figures = [
            *_read("A page of the journal of a dossier", page, full),
            *_read("A trace written", lambda: there.entry.trace("lecture"), full),
        ]
        _drop_the_yardstick()
        return [*figures, *_waits(there)]


# ---- Reading ---------------------------------------------------------------------------------------


def _page(there) -> tuple[Callable[[], None], object]:
    from django.test import Client

    from habilitations.models import Habilitation

    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(there.reader)
    mine = Habilitation.objects.granting().filter(user=there.reader).exclude(dossier=there.entry.dossier.pk)
    dossier_id = mine.values_list("dossier_id", flat=True)[0]

    def page() -> None:
        if client.get(f"/dossiers/{dossier_id}/journal/").status_code != 200:
            raise RuntimeError("the journal did not open")

    return page, dossier_id


def _fill(dossier_id, others: int) -> None:
    """Make the months that are missing, fill thirty-six of them, and copy all lines into one table."""
    with _cursor() as cursor:
        present = _partitions(cursor)
        for back in range(1, PARTITIONS - present + 1):
            _open_month(cursor, back + 1)
        if _partitions(cursor) != PARTITIONS:
            raise RuntimeError(f"{_partitions(cursor)} partitions")
        for many, whose in ((LINES, f"'{dossier_id}'::uuid"), (others * MONTHS, "md5((n %% 5000)::text)::uuid")):
            # Between two transactions only are the former places of the end of a chain swept.
            for start in range(0, many, 200):
                cursor.execute(
                    f"""
                    INSERT INTO habilitations_trace
                    SELECT gen_random_uuid(), now() - interval '{MONTHS} months' * (1 - n / {many}.0), {whose}, 0,
                        md5((n %% 40)::text)::uuid, 'INVENTÉ ' || n %% 40, '', '60', '', 'Cabinet', 'infirmier',
                        NULL, 1, 'lecture', 'cercle', 'ok', '', NULL, '', '', '', '', ''
                    FROM generate_series(%s, %s) AS n""",
                    [start + 1, min(start + 200, many)],
                )
        cursor.execute(f"CREATE SCHEMA {ONE}")
        # With the ends of its own chains: what is written there is on nobody else's.
        for table in ("habilitations_trace", "habilitations_accounttrace", "habilitations_tracehead"):
            cursor.execute(f"CREATE TABLE {ONE}.{table} (LIKE public.{table} INCLUDING ALL)")
            cursor.execute(f"INSERT INTO {ONE}.{table} SELECT * FROM public.{table}")
        cursor.execute(
            f"CREATE TRIGGER trace_is_chained BEFORE INSERT ON {ONE}.habilitations_trace"
            " FOR EACH ROW EXECUTE FUNCTION habilitations_chain_trace()"
        )
        cursor.execute("VACUUM ANALYZE")


def _partitions(cursor) -> int:
    cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'habilitations_trace'::regclass")
    return cursor.fetchone()[0]


def _open_month(cursor, back: int) -> None:
    """Attach a past month to both journals, as `habilitations_ensure_partitions` does."""
    for parent in ("habilitations_trace", "habilitations_accounttrace"):
        cursor.execute(
            "SELECT to_char(m, '_YYYY_MM'), m AT TIME ZONE 'UTC', (m + interval '1 month') AT TIME ZONE 'UTC'"
            " FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => %s)) past (m)",
            [back],
        )
        suffix, first, after = cursor.fetchone()
        cursor.execute(f"CREATE TABLE {parent}{suffix} (LIKE {parent} INCLUDING DEFAULTS)")
        cursor.execute("SELECT habilitations_seal_partition(%s)", [parent + suffix])
        cursor.execute(
            f"ALTER TABLE {parent} ATTACH PARTITION {parent}{suffix} FOR VALUES FROM ('{first}') TO ('{after}')"
        )


def _read(said: str, act: Callable[[], object], full: bool) -> list[dict]:
    """Time an act over the partitions and over one table, block after block."""
    paths: dict[str, list[float]] = {"public": [], f"{ONE}, public": []}
    for _ in range(FULL_BLOCKS if full else BLOCKS):
        for path, times in paths.items():
            with _cursor() as cursor:
                cursor.execute(f"SET search_path = {path}")
            block = [_timed(act) for _ in range(PER_BLOCK)]
            # Statements are planned anew after the path has changed.
            times += block[PER_BLOCK // 3 :]
    with _cursor() as cursor:
        cursor.execute("SET search_path = public")
    many, one = (1000 * statistics.median(times) for times in paths.values())
    return [
        {
            "name": f"{said}, over {MONTHS} months and {PARTITIONS} partitions, p50",
            "value": f"{many:.2f} ms",
            "ratio": many / one,
            "yardstick": f"the same lines in one table {one:.2f} ms",
            "goal": f"≤ {READ} ×",
            "ok": many / one <= READ,
        }
    ]


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _drop_the_yardstick() -> None:
    with _cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {ONE} CASCADE")


# ---- Waiting ---------------------------------------------------------------------------------------


def _waits(there) -> list[dict]:
    """Time the writers of lines while nothing happens, then while months go and come behind long questions."""
    from habilitations import journal

    there.reader.is_administrator = True
    there.reader.save()
    oldest = journal.last_closed_month()
    gone = [dt.date(oldest.year - year, oldest.month, 1) for year in (0, 1)]
    quiet = _longest(lambda: time.sleep(3))

    def changes() -> None:
        journal.prepare_months(journal.MONTHS_AHEAD + 2)
        for month in gone:
            journal.purge_month(month, by=there.reader)

    with _questions():
        busy = _longest(changes)
    return [
        {
            "name": "Longest wait of who writes a line while two months leave the journal and two are made",
            "value": f"{busy * 1000:.0f} ms, behind questions of {QUESTION * 1000:.0f} ms",
            "ratio": None,
            "yardstick": f"when nothing happens {quiet * 1000:.0f} ms",
            "goal": f"≤ {WAIT} ms",
            "ok": busy * 1000 <= WAIT,
        }
    ]


def _longest(act: Callable[[], object]) -> float:
    """Return the longest that a line took to be written while `act` went on."""
    over, longest = threading.Event(), [0.0] * WRITERS

    def write(rank: int) -> None:
        statement = """
            INSERT INTO habilitations_trace
            SELECT gen_random_uuid(), now(), md5(%s || (random() * 500)::int)::uuid, 0, NULL, 'x', '', '', '', '', '',
                NULL, 1, 'lecture', 'cercle', 'ok', '', NULL, '', '', '', '', ''"""
        with servers.own_connection() as own:
            while not over.is_set():
                longest[rank] = max(longest[rank], _timed(lambda: own.execute(statement, [str(rank)])))
                time.sleep(0.002)

    writers = [threading.Thread(target=write, args=(rank,)) for rank in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        act()
    finally:
        over.set()
        for writer in writers:
            writer.join()
    if not all(longest):
        raise RuntimeError("a connection wrote nothing")
    return max(longest)


@contextmanager
def _questions() -> Iterator[None]:
    """Ask the journal questions that hold it, one after the other."""
    over = threading.Event()

    def ask() -> None:
        with psycopg.connect(servers.database_url()) as own:
            while not over.is_set():
                own.execute("LOCK TABLE habilitations_trace IN ACCESS SHARE MODE")
                time.sleep(QUESTION)
                own.rollback()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def _cursor():
    from django.db import connection

    return connection.cursor()
