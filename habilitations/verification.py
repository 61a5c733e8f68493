"""Reading the whole journal again: every chain against its head and the signed roots, every root against its key.

One pass in the order of the dossiers, in one snapshot: the heads and anchors of some hundreds of dossiers, then their
lines one by one as they come (habilitations/copied.py). Memory does not grow with the journal.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from habilitations import copied, roots
from habilitations.chain import Anchor, Fault, Walk
from habilitations.models import JournalCheck, JournalRoot

CHUNK = 2_000
# Dossiers read together: their heads and their anchors are held, their lines pass one by one.
TOGETHER = 500
# Beyond this the faults are counted, not kept.
NAMED = 50
_HEADS = (
    "SELECT dossier_id, seq, hash FROM habilitations_tracehead AS line WHERE {} ORDER BY dossier_id LIMIT %(most)s"
)
_ANCHORS = """
SELECT line.dossier_id, line.root, line.first_seq, line.last_seq, line.previous_hash, line.hash,
    coalesce(root.kind = 'purge', false)
FROM habilitations_journalanchor AS line LEFT JOIN habilitations_journalroot AS root ON root.number = line.root
WHERE {} ORDER BY line.dossier_id, line.last_seq, line.root"""


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
        _verify_chains(report)
    return report


def check(known_root: tuple[int, str] | None = None) -> Report:
    """As `verify`, and keep the result: the journal's screen says when, and whether it held."""
    report = verify(known_root)
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


@dataclass
class _Chain:
    """What is expected of one dossier: the end of its chain, what signed roots kept of it."""

    head: tuple[int, bytes] = (0, b"")
    anchors: list[Anchor] = field(default_factory=list)


def _verify_chains(report: Report) -> None:
    """Go from dossier to dossier in their order, so many heads at a time; what has no head falls between two."""
    after: UUID | None = None
    while True:
        low = "true" if after is None else "line.dossier_id > %(after)s"
        heads = _fetch(_HEADS.format(low), {"after": after, "most": TOGETHER})
        last = heads[-1][0] if len(heads) == TOGETHER else None
        where = low if last is None else f"{low} AND line.dossier_id <= %(last)s"
        bounds = {"after": after, "last": last}
        chains: dict[UUID, _Chain] = defaultdict(_Chain)
        for dossier_id, seq, end in heads:
            chains[dossier_id].head = (seq, bytes(end))
        for dossier_id, *kept in _fetch(_ANCHORS.format(where), bounds):
            chains[dossier_id].anchors.append(Anchor(*kept))
        _verify_lines(report, chains, copied.rows(where, bounds))
        report.dossiers += len(chains)
        if last is None:
            return
        after = last


def _verify_lines(report: Report, chains: dict[UUID, _Chain], rows: Iterator[bytes]) -> None:
    """Walk along the chains of some dossiers, their rows in order; then say what is missing of those without rows."""
    silent = set(chains)
    for dossier_id, lines in itertools.groupby(rows, key=copied.DOSSIER):
        known = UUID(dossier_id.decode())
        silent.discard(known)
        _report(report, known, _walk(report, chains[known], lines))
    for known in sorted(silent):
        _report(report, known, _walk(report, chains[known], ()))


def _walk(report: Report, chain: _Chain, rows: Iterable[bytes]) -> Fault | None:
    walk, fault, read = Walk(chain.anchors), None, 0
    for read, row in enumerate(rows, 1):  # noqa: B007 - counted to the last
        if fault is None and not copied.passes(walk, row):
            fault = walk.step(copied.exact(row))
    report.lines += read
    return fault or walk.end(chain.head)


def _report(report: Report, dossier_id: UUID, fault: Fault | None) -> None:
    if fault is None:
        return
    ranks = f"ligne {fault.seq}" if fault.until is None else f"lignes {fault.seq} à {fault.until}"
    report.add(Found(f"Dossier {dossier_id}, {ranks}", fault.reason, dossier_id, fault.seq))


def _fetch(statement: str, params: dict[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


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
