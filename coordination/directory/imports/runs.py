"""One load from beginning to end: alone, traced, all or nothing.

    report = run("rpps", source, body, Options())

`body(load)` stages and merges inside one transaction. A refusal, an error or a kill leaves the directory as it
was; the ImportRun row, written outside the transaction, says which.
"""

from __future__ import annotations

import csv
import datetime
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from coordination.common.database import alone
from coordination.directory.errors import FileRefused, ImportAlreadyRunning
from coordination.directory.imports.progress import Progress
from coordination.directory.imports.sources import Source
from coordination.directory.models import ImportRefusal, ImportRun
from coordination.directory.search import vocabulary

# "annu" in ASCII: any constant does, as long as nobody else takes it.
LOCK = 0x616E6E75
KEPT_REFUSALS = 1000
# Beyond this share the file itself is suspect, not its lines (directories.md A.3).
MAX_REFUSED_SHARE = 0.01
MAX_DEVIATION = 0.10
# Fewer may always go: a small regional file changes by more than a tenth.
ALWAYS_MAY_GO = 100

# Days beyond which a file is said to be old: ten days without a new one were seen in 2026.
OLD = 45

# What a refused line was about, when it does not tell.
UNREADABLE = ""

# Absolute bounds on the number of rows, by kind of file: the national files of 2026 with room to live.
BOUNDS = {
    "rpps": (2_000_000, 2_600_000),
    "savoir-faire": (300_000, 700_000),
    "mssante": (400_000, 800_000),
    # Legal entities and establishments, closed ones included; open establishments only in the legacy file.
    "finess": (200_000, 400_000),
    "finess-csv": (90_000, 130_000),
    "structures": (1, 200_000),
}

# Files that bring names of people, towns or structures.
WORDED = ("rpps", "finess", "finess-csv", "structures")


@dataclass(frozen=True, slots=True)
class Options:
    """Bounds replace those of the kind; `accept_gap` lets the number of rows move by more than 10 %.

    `accept_older`: the file may bear an earlier date than the last one loaded. `cease_anyway`: what is missing ceases
    even when refused lines may have been about it.
    """

    min_rows: int | None = None
    max_rows: int | None = None
    accept_gap: bool = False
    accept_older: bool = False
    cease_anyway: bool = False
    progress: Progress = field(default_factory=Progress)


@dataclass(slots=True)
class Counts:
    new: int = 0
    changed: int = 0
    ceased: int = 0


@dataclass(slots=True)
class Load:
    """What a body fills while it works."""

    run: ImportRun
    source: Source
    options: Options
    read: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    # What the refused lines were about; UNREADABLE when some do not tell.
    held: set[str] = field(default_factory=set)

    @property
    def day(self) -> datetime.date:
        """What the rows of this load were last seen on."""
        return self.run.file_date or self.source.received_day

    @property
    def progress(self) -> Progress:
        return self.options.progress

    def refuse(self, line_number: int, reason: str, *about: str) -> None:
        """Leave one line out; the first ones are kept with their reason.

        `about`: the identifiers of what the line describes, UNREADABLE when they cannot be read, none when the line
        is about nothing that the directory may know.
        """
        self.held.update(about)
        self.refused += 1
        if len(self.refusals) < KEPT_REFUSALS:
            self.refusals.append((line_number, reason))

    def may_cease(self) -> bool:
        """False, and said in the report, when nobody can tell what a refused line was about."""
        if UNREADABLE not in self.held or self.options.cease_anyway:
            return True
        self.messages.append(
            "Des lignes refusées ne disent pas ce qu'elles décrivaient : rien de ce qui a disparu de "
            f"{self.source.name} n'est marqué cessé (--cesser-malgre-refus pour passer outre)."
        )
        return False

    def check_size(self, rows: int) -> None:
        """Refuse a file whose number of rows cannot be right."""
        kind = self.run.kind
        low, high = BOUNDS[kind]
        low = low if self.options.min_rows is None else self.options.min_rows
        high = high if self.options.max_rows is None else self.options.max_rows
        if not low <= rows <= high:
            raise FileRefused(
                f"{rows} lignes dans {self.source.name}, entre {low} et {high} attendues : fichier tronqué, ou "
                "bornes à préciser (--lignes-min, --lignes-max). Rien n'a été modifié."
            )
        before = _last_size(kind)
        if before and not self.options.accept_gap and abs(rows - before) > MAX_DEVIATION * before:
            raise FileRefused(
                f"{rows} lignes dans {self.source.name} contre {before} au chargement précédent : plus de 10 % "
                "d'écart. Si c'est voulu, relancez avec --accepter-ecart. Rien n'a été modifié."
            )

    def check_gone(self, gone: int, known: int, what: str) -> None:
        """Refuse a file of the right size that would still cease more than a tenth of what is known.

        `what` in the plural: "personnes", "structures".
        """
        if not self.options.accept_gap and gone > max(ALWAYS_MAY_GO, MAX_DEVIATION * known):
            raise FileRefused(
                f"{gone} {what} sur {known} n'apparaissent plus dans {self.source.name} : plus de 10 %, ce n'est sans "
                "doute pas le bon fichier. Si c'est voulu, relancez avec --accepter-ecart. Rien n'a été modifié."
            )

    def check_refusals(self) -> None:
        """Refuse the file when too many of its lines are."""
        if self.refused > max(2, MAX_REFUSED_SHARE * self.read):
            line, reason = self.refusals[0]
            raise FileRefused(
                f"{self.refused} lignes illisibles sur {self.read} dans {self.source.name} (la première, "
                f"ligne {line} : {reason}) : le fichier est abîmé. Rien n'a été modifié."
            )


@dataclass(frozen=True, slots=True)
class Report:
    run: ImportRun
    counts: dict[str, Counts]
    refusals: list[tuple[int, str]]
    messages: list[str]
    seconds: float


def run(
    kind: str,
    source: Source,
    body: Callable[[Load], None],
    options: Options,
    *,
    day: datetime.date | None = None,
    same: tuple[str, ...] = (),
) -> Report:
    """Load one file. Raises FileRefused (nothing changed) or ImportAlreadyRunning.

    `day`: the date the content bears, else the one of the name counts. `same`: kinds of file about the same rows.
    """
    started = time.monotonic()
    with alone.held(LOCK) as mine, closing(options.progress):
        if not mine:
            raise ImportAlreadyRunning
        messages = _close_interrupted()
        record = ImportRun.objects.create(kind=kind, file_name=source.name[:200], file_date=day or source.written_day)
        load = Load(record, source, options, messages=messages)
        try:
            with _no_collection(), transaction.atomic():
                _tune()
                _check_date(load, (kind, *same))
                body(load)
                _refresh_vocabulary(load)
                _drop_staging()
        except FileRefused as refusal:
            _close(load, ImportRun.State.REFUSED, refusal.message)
            raise
        except (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, csv.Error) as error:
            # The readers let through what they should have refused line by line: the file is at fault all the same.
            refusal = FileRefused(
                f"{source.name} contient une valeur que l'annuaire n'accepte pas. Rien n'a été modifié."
            )
            _close(load, ImportRun.State.REFUSED, refusal.message)
            raise refusal from error
        except BaseException:
            _close(load, ImportRun.State.INTERRUPTED, "Arrêté avant la fin ; rien n'a été modifié.")
            raise
        _close(load, ImportRun.State.DONE, "")
    return Report(record, load.counts, load.refusals, load.messages, time.monotonic() - started)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Loads make millions of small lists and no cycle: looking for cycles costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _close_interrupted() -> list[str]:
    """We hold the lock: whatever still says it is running was killed, and its transaction is gone."""
    messages = []
    for killed in ImportRun.objects.filter(state=ImportRun.State.RUNNING):
        killed.state = ImportRun.State.INTERRUPTED
        killed.ended_at = timezone.now()
        killed.reason = "Interrompu ; rien n'a été modifié."
        killed.save(update_fields=["state", "ended_at", "reason"])
        messages.append(
            f"Le chargement de {killed.file_name} commencé le {timezone.localtime(killed.started_at):%d/%m/%Y à %H:%M}"
            " avait été interrompu ; il n'en est rien resté."
        )
    return messages


def _close(load: Load, state: str, reason: str) -> None:
    if connection.connection is None or connection.connection.closed:
        return
    record = load.run
    main = next(iter(load.counts.values()), Counts())
    record.state, record.reason, record.ended_at = state, reason, timezone.now()
    record.read_count, record.refused_count = load.read, load.refused
    if state == ImportRun.State.DONE:
        record.new_count, record.changed_count, record.ceased_count = main.new, main.changed, main.ceased
    record.save()
    ImportRefusal.objects.bulk_create(
        ImportRefusal(run=record, line_number=number, reason=text[:200]) for number, text in load.refusals
    )


def _refresh_vocabulary(load: Load) -> None:
    """The search corrects typos among the words of the directory: they may have changed."""
    if load.run.kind in WORDED and any(c.new or c.changed or c.ceased for c in load.counts.values()):
        load.progress.phase("Vocabulaire")
        with connection.cursor() as cursor:
            vocabulary.refresh(cursor)


def _drop_staging() -> None:
    """Temporary tables go with the transaction; a caller that opened one may load several files in it."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")


def _check_date(load: Load, kinds: tuple[str, ...]) -> None:
    """Refuse a file older than the last one loaded; tell of one that is simply old (directories.md A.1)."""
    day = load.run.file_date
    if day is None:
        return
    last = (
        ImportRun.objects.filter(kind__in=kinds, state=ImportRun.State.DONE)
        .exclude(file_date=None)
        .order_by("-started_at")
        .values_list("file_date", flat=True)
        .first()
    )
    if last and day < last and not load.options.accept_older:
        raise FileRefused(
            f"{load.source.name} date du {day:%d/%m/%Y} et le dernier fichier chargé du {last:%d/%m/%Y} : il "
            "ramènerait l'annuaire en arrière. Si c'est voulu, relancez avec --accepter-plus-ancien. Rien n'a été "
            "modifié."
        )
    age = (timezone.localdate() - day).days
    if age > OLD:
        load.messages.append(f"{load.source.name} date du {day:%d/%m/%Y}, il y a {age} jours.")


def _last_size(kind: str) -> int:
    done = ImportRun.objects.filter(kind=kind, state=ImportRun.State.DONE).order_by("-started_at")
    return done.values_list("read_count", flat=True).first() or 0


def _tune() -> None:
    """Hash joins of two million rows need room, for this transaction only."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")
