"""What the database says of how things are, told to Prometheus at each reading: queues, loads, journal, connections.

Labels are names of ours and kinds of files: nothing of a row, nothing that somebody typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

from agenda.models import OwnCalendar
from coordination.directory.models import ImportRun
from coordination.operations.proofs import last_proved_restore
from coordination.outbox.models import Job, Message
from coordination.partners.models import Relay
from habilitations.models import JournalCheck, JournalRoot

logger = structlog.stdlib.get_logger(__name__)
# {queue: its rows}, under the names that `metrics.begun` gives them.
QUEUES: dict[str, Callable[[], Any]] = {
    "message": Message.objects.all,
    "job": Job.objects.all,
    "relay": Relay.objects.all,
}
CALENDARS = "calendar"


class DatabaseFigures:
    """A collector of prometheus_client: asked at each reading, so that a figure is never older than it.

    A part that cannot be read is left out and said by `coordination_database_up`, whose 0 is an alert.
    """

    def describe(self) -> list[Metric]:
        """Nothing is read when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("coordination_database_up", "1 when the figures of the database could be read.")
        found: list[Metric] = []
        try:
            for part in (queues, loads, journal, connections):
                found += part()
        except Exception as error:  # the reading answers whatever the database does
            logger.warning("metrics.database_unread", error=type(error).__name__)
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        yield from [up, *found]


def queues() -> list[Metric]:
    """Return what waits, for how long, and what was given up. Seven SQL statements."""
    waiting = GaugeMetricFamily("coordination_waiting", "Rows that wait, due or not.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "coordination_oldest_waiting_seconds", "Since when the oldest due row waits.", labels=["queue"]
    )
    retrying = GaugeMetricFamily(
        "coordination_retrying", "Rows that wait after an attempt that failed.", labels=["queue"]
    )
    dead = GaugeMetricFamily("coordination_dead_letters", "Rows given up that nobody has settled.", labels=["queue"])
    for name, rows in QUEUES.items():
        figures = rows().figures()
        waiting.add_metric([name], figures.waiting)
        oldest.add_metric([name], figures.oldest.total_seconds())
        retrying.add_metric([name], figures.retrying)
        dead.add_metric([name], figures.dead)
    calendars = OwnCalendar.objects.all().figures()
    waiting.add_metric([CALENDARS], calendars["due"])
    oldest.add_metric([CALENDARS], calendars["oldest"].total_seconds())
    retrying.add_metric([CALENDARS], calendars["failing"])
    return [waiting, oldest, retrying, dead]


def loads() -> list[Metric]:
    """Return when each kind of national file was last loaded. One SQL statement."""
    good = GaugeMetricFamily(
        "coordination_import_last_success_timestamp_seconds", "When a file was last loaded.", labels=["kind"]
    )
    failed = GaugeMetricFamily(
        "coordination_import_last_failed", "1 when the last load of a kind of file was refused or interrupted.",
        labels=["kind"],
    )  # fmt: skip
    for run in ImportRun.objects.latest_of_each():
        if run.last_good_at:
            good.add_metric([run.kind], run.last_good_at.timestamp())
        failed.add_metric([run.kind], int(run.state in (ImportRun.State.REFUSED, ImportRun.State.INTERRUPTED)))
    return [good, failed]


def journal() -> list[Metric]:
    """Return when the journal was last signed and verified, what was found, and the last proved restore."""
    root = JournalRoot.objects.order_by("-number").values_list("at", flat=True).first()
    check = JournalCheck.objects.order_by("-at").first()
    checked_at = check.at if check else None
    faults = GaugeMetricFamily("coordination_journal_faults", "False lines found by the last verification.")
    if check:
        faults.add_metric([], check.faults)
    return [
        _moment("coordination_journal_signed_timestamp_seconds", "When the journal was last signed.", root),
        _moment("coordination_journal_checked_timestamp_seconds", "When it was last verified.", checked_at),
        faults,
        _moment(
            "coordination_restore_proved_timestamp_seconds", "When a restore was last proved.", last_proved_restore()
        ),
    ]


def connections() -> list[Metric]:
    """Return how many connections this database has, by state, and how many the server takes. One SQL statement."""
    used = GaugeMetricFamily("coordination_database_connections", "Connections to this database.", labels=["state"])
    most = GaugeMetricFamily("coordination_database_connections_max", "Connections that the server takes.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'unknown'), count(*), current_setting('max_connections')::int"
            " FROM pg_stat_activity WHERE datname = current_database() GROUP BY state"
        )
        for state, number, limit in cursor.fetchall():
            used.add_metric([state.replace(" ", "_")], number)
            most.samples.clear()
            most.add_metric([], limit)
    return [used, most]


def _moment(name: str, help_text: str, at: datetime | None) -> Metric:
    """A moment that never was has no sample: an alert on its absence says it."""
    metric = GaugeMetricFamily(name, help_text)
    if at:
        metric.add_metric([], at.timestamp())
    return metric
