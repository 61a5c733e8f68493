"""Reading the whole journal again: every chain against its head and the signed roots, every root against its key.

One pass in the order of the dossiers, by server-side cursors in one snapshot: memory does not grow with the journal.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from habilitations import roots
from habilitations.chain import COLUMNS, Anchor, first_fault
from habilitations.models import JournalCheck, JournalRoot

CHUNK = 2_000
# Beyond this the faults are counted, not kept.
NAMED = 50
_ANCHORS, _HEADS, _LINES = range(3)
_LINE = (*COLUMNS, "previous_hash", "hash")
_READ = {
    _ANCHORS: """
        SELECT a.dossier_id, a.root, a.first_seq, a.last_seq, a.previous_hash, a.hash,
            coalesce(r.kind = 'purge', false)
        FROM habilitations_journalanchor a LEFT JOIN habilitations_journalroot r ON r.number = a.root
        ORDER BY a.dossier_id, a.last_seq, a.root""",
    _HEADS: "SELECT dossier_id, seq, hash FROM habilitations_tracehead ORDER BY dossier_id",
    _LINES: f"SELECT dossier_id, {', '.join(_LINE)} FROM habilitations_trace ORDER BY dossier_id, seq",  # noqa: S608
}


@dataclass(frozen=True, slots=True)
class Found:
    """One fault of the journal: of a line of a dossier, or of a root (no dossier)."""

    where: str
    reason: str
    dossier_id: UUID | None = None
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.where} : {self.reason}."


@dataclass
class Report:
    """What a verification read and found; `faults` keeps the first ones, `wrong` counts them all."""

    lines: int = 0
    dossiers: int = 0
    root: int = 0
    wrong: int = 0
    faults: list[Found] = field(default_factory=list)

    def add(self, found: Found) -> None:
        self.wrong += 1
        if len(self.faults) < NAMED:
            self.faults.append(found)


def verify(known_root: tuple[int, str] | None = None) -> Report:
    """Read the whole journal and report what is false: for each chain its first false line, for each root why.

    `known_root` is a root kept elsewhere, as (number, signature in hexadecimal): a database put back to a past day
    no longer has it. Writes nothing.
    """
    report = Report()
    with _one_snapshot():
        _verify_roots(report, known_root)
        for dossier_id, parts in itertools.groupby(_together(), key=lambda part: part[0]):
            report.dossiers += 1
            _verify_chain(report, dossier_id, parts)
    return report


def check() -> Report:
    """Verify, and keep the result: the journal's screen says when, and whether it held."""
    report = verify()
    JournalCheck.objects.create(
        at=timezone.now(), lines=report.lines, dossiers=report.dossiers, faults=report.wrong, root=report.root
    )
    return report


def _verify_roots(report: Report, known_root: tuple[int, str] | None) -> None:
    last = b""
    for root in JournalRoot.objects.order_by("number").iterator(CHUNK):
        where = f"Racine n°\u00a0{root.number}"
        for missing in range(report.root + 1, root.number):
            report.add(Found(f"Racine n°\u00a0{missing}", "manquante"))
        if not roots.is_signed(root):
            report.add(Found(where, "signature fausse"))
        elif bytes(root.previous) != last:
            report.add(Found(where, "ne suit pas la précédente"))
        elif roots.digest(roots.anchors_of(root.number)) != bytes(root.digest):
            report.add(Found(where, "ses ancres ne sont plus celles qui ont été signées"))
        if known_root and root.number == known_root[0] and bytes(root.signature).hex() != known_root[1]:
            report.add(Found(where, "n’est pas celle qui a été gardée ailleurs"))
        report.root, last = root.number, bytes(root.signature)
    if known_root and known_root[0] > report.root:
        report.add(Found(f"Racine n°\u00a0{known_root[0]}", "gardée ailleurs, absente d’ici : le journal a été ramené"
                         " à un état antérieur"))  # fmt: skip


def _verify_chain(report: Report, dossier_id: UUID, parts: Iterator[tuple]) -> None:
    """The parts of one dossier come in the order of _READ: anchors, head, lines."""
    anchors, head, first = [], None, None
    for _, kind, row in parts:
        if kind == _LINES:
            first = row
            break
        if kind == _ANCHORS:
            anchors.append(Anchor(*row))
        else:
            head = (row[0], bytes(row[1]))
    fault = first_fault(_lines(report, first, parts), head=head or (0, b""), anchors=anchors)
    if fault is None:
        return
    ranks = f"ligne {fault.seq}" if fault.until is None else f"lignes {fault.seq} à {fault.until}"
    report.add(Found(f"Dossier {dossier_id}, {ranks}", fault.reason, dossier_id, fault.seq))


def _lines(report: Report, first: tuple | None, parts: Iterator[tuple]) -> Iterator[dict]:
    rest = (row for _, _, row in parts)
    for row in itertools.chain([first] if first else [], rest):
        report.lines += 1
        yield dict(zip(_LINE, row, strict=True))


def _together() -> Iterator[tuple]:
    """Yield (dossier, kind, row) of the three readings, in the order of the dossiers then of the kinds."""
    return heapq.merge(*(_read(kind) for kind in _READ), key=lambda part: part[:2])


def _read(kind: int) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_READ[kind])
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield row[0], kind, row[1:]


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Read everything as it stood at one instant: a line written meanwhile is neither missing nor too many.

    Inside the transaction of somebody else (tests), his.
    """
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
