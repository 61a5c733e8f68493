"""The queues as the screen draws them. A row is shown by its kind, its moments and its failure: neither to whom it
goes nor of whom it speaks (rule 10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Window

from agenda.models import OwnCalendar
from coordination.common.french import date_fr
from coordination.directory.models import ImportRun
from coordination.operations import actions
from coordination.outbox import kinds
from coordination.outbox.models import Figures, Job, Message
from coordination.partners import relaying
from coordination.partners.models import Relay

# Dead letters drawn of each queue: the oldest, the others come as these are settled.
SHOWN = 25
RETRY, DISMISS = "reprendre", "abandonner"
CALENDARS = "calendriers"


@dataclass(frozen=True)
class Queue:
    """One queue: its rows, what names one of them, and what each deed does to it."""

    key: str
    label: str
    # Words of the confirmation: « ce courriel », « ces courriels ».
    this: str
    these: str
    rows: Callable[[], Any]
    name: Callable[[Any], str]
    deeds: dict[str, Callable[..., None]]

    def dead(self) -> QuerySet:
        """The dead letters, the oldest first."""
        return self.rows().failed().order_by("created_at", "pk")


QUEUES = {
    queue.key: queue
    for queue in (
        Queue(
            "courriels", "Courriels", "ce courriel", "ces courriels",
            lambda: Message.objects.defer("text", "html", "to", "subject"),
            lambda row: kinds.name_of(row.kind),
            {RETRY: actions.retry_letter, DISMISS: actions.dismiss_letter},
        ),
        Queue(
            "travaux", "Travaux dus", "ce travail", "ces travaux",
            lambda: Job.objects.all(), lambda row: row.kind,
            {RETRY: actions.retry_job, DISMISS: actions.dismiss_job},
        ),
        Queue(
            "echanges", "Échanges avec les partenaires", "cet échange", "ces échanges",
            lambda: Relay.objects.select_related("partner"),
            lambda row: f"{relaying.label_of(row.kind)}, {row.partner.name}",
            {RETRY: actions.retry_exchange, DISMISS: actions.dismiss_exchange},
        ),
    )
}  # fmt: skip

# Kinds of national files, and the command that loads each.
LOADS = {
    "rpps": ("Professionnels (RPPS)", "import_rpps"),
    "savoir-faire": ("Savoir-faire", "import_rpps"),
    "mssante": ("Boîtes MSSanté", "import_mssante"),
    "finess": ("Structures (FINESS)", "import_finess"),
    "finess-csv": ("Structures (FINESS, ancien format)", "import_finess"),
    "structures": ("Structures d’un répertoire régional", "import_structures"),
}


@dataclass(frozen=True)
class Drawn:
    """One queue at this moment: its figures, and the oldest of its dead letters."""

    queue: Queue
    figures: Figures
    rows: list[dict[str, Any]]

    @property
    def more(self) -> int:
        return self.figures.dead - len(self.rows)


def drawn() -> list[Drawn]:
    """Return the queues of rows. Two SQL statements each, whatever they hold."""
    return [_drawn(queue) for queue in QUEUES.values()]


def _drawn(queue: Queue) -> Drawn:
    found = list(queue.dead().annotate(dead=Window(Count("pk")))[:SHOWN])
    figures = queue.rows().waiting_figures(dead=found[0].dead if found else 0)
    return Drawn(queue, figures, [{"row": row, "name": queue.name(row)} for row in found])


def calendars() -> dict[str, Any]:
    """Return the figures of the calendars kept elsewhere, and their failures by sentence. Two SQL statements."""
    rows = OwnCalendar.objects.all()
    return rows.figures() | {"sentences": list(rows.failing_by_sentence()[:SHOWN])}


def loads() -> list[dict[str, Any]]:
    """Return the last load of each kind of national file. One SQL statement."""
    state = ImportRun.State
    return [
        {
            "run": run, "label": LOADS.get(run.kind, (run.kind, ""))[0], "command": LOADS.get(run.kind, ("", ""))[1],
            "failed": run.state in (state.REFUSED, state.INTERRUPTED), "running": run.state == state.RUNNING,
            "file_day": date_fr(run.file_date) if run.file_date else "",
        }
        for run in ImportRun.objects.latest_of_each()
    ]  # fmt: skip
