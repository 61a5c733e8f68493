"""A closed month of the journal in a file, with the root that signed it: it verifies there once it has left the base.

One line of JSON each, compressed: what the file is and its root; the runs of lines that the root signed; the lines in
the order of their dossiers; those of the accounts, which no chain holds; how many of each, and the seal of those of
the accounts, made with the key of the root when the month left. The values of a line are those that were hashed
(habilitations/chain.py). Neither reading nor writing holds more than one line in memory.

Names are in it: the file is made for its owner alone, and whoever keeps it elsewhere encrypts it.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import itertools
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from coordination.runtime.places import open_private, write_down
from habilitations import copied, roots
from habilitations.chain import ADDED, COLUMNS, link
from habilitations.errors import NotAnArchive
from habilitations.models import AccountTrace, JournalRoot

# Files of the first format have no seal: their lines of accounts are told to be without one.
FORMAT, UNSEALED = 2, 1
NAMES = COLUMNS + ADDED
RUN, LINE, ACCOUNT, END = "suite", "ligne", "compte", "fin"
NOTHING = ("",)
_IN_MONTH = "line.at >= %(first)s AND line.at < %(after)s"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds: its root, how many lines of dossiers, and the first thing that is false (None: it holds).

    `sealed`: whether its lines of accounts are sealed too.
    """

    root: JournalRoot
    lines: int
    fault: str | None
    sealed: bool


def bounds(month: dt.date) -> dict[str, dt.datetime]:
    """Return where a month begins and ends, in UTC: {first, after}."""
    first = dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)
    return {"first": first, "after": (first + dt.timedelta(days=32)).replace(day=1)}


def write(path: Path, root: JournalRoot) -> None:
    """Write the month of a root made for its removal, whole and on the disk, or not at all.

    Raises FileExistsError, OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if path.exists():
        raise FileExistsError(path)
    try:
        with open_private(draft, "wb") as out:
            with gzip.open(out, "wb") as packed:
                for entry in _entries(root):
                    packed.write(_text(entry))
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, path)  # unlike a rename, refuses a file that came meanwhile
        try:
            write_down(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> Found:
    """Verify a file by itself: the key of the root is all it needs. Raises NotAnArchive, OSError."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as runs, gzip.open(path, "rt", encoding="utf-8") as lines:
            said = json.loads(next(runs))
            if said["format"] not in (FORMAT, UNSEALED) or tuple(said["columns"]) != NAMES:
                raise NotAnArchive
            root, sealed = _root(said["root"]), said["format"] == FORMAT
            count, fault = _verify(root, _of(RUN, runs), _told(lines), sealed=sealed)
            return Found(root, count, fault, sealed)
    except (gzip.BadGzipFile, zlib.error, EOFError, StopIteration, ValueError, LookupError, TypeError) as error:
        raise NotAnArchive from error


# ---- What is written -------------------------------------------------------------------------------


def _entries(root: JournalRoot) -> Iterator[Any]:
    month, accounts = bounds(root.month), hashlib.sha256()
    counted = dict.fromkeys((RUN, LINE, ACCOUNT), 0)
    yield {"format": FORMAT, "root": _said(root), "columns": NAMES}
    for entry in itertools.chain(_runs(root), _lines(month), _accounts(month)):
        counted[entry[0]] += 1
        if entry[0] == ACCOUNT:
            accounts.update(_text(entry))
        yield entry
    yield [END, *counted.values(), roots.seal(root, accounts.digest()).hex()]


def _text(entry: Any) -> bytes:
    """Return the line of an entry, as it is written and as it is hashed."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _said(root: JournalRoot) -> dict[str, Any]:
    return {
        "number": root.number, "at": root.at.astimezone(dt.UTC).isoformat(), "kind": root.kind,
        "month": f"{root.month:%Y-%m-%d}", "lines": root.lines,
        **{name: bytes(getattr(root, name)).hex() for name in ("digest", "previous", "signature")},
    }  # fmt: skip


def _root(said: dict[str, Any]) -> JournalRoot:
    return JournalRoot(
        number=said["number"], at=dt.datetime.fromisoformat(said["at"]), kind=said["kind"],
        month=dt.date.fromisoformat(said["month"]), lines=said["lines"],
        **{name: bytes.fromhex(said[name]) for name in ("digest", "previous", "signature")},
    )  # fmt: skip


def _runs(root: JournalRoot) -> Iterator[list[Any]]:
    for _, dossier_id, first, last, previous_hash, end in roots.anchors_of(root.number):
        yield [RUN, str(dossier_id), first, last, bytes(previous_hash).hex(), bytes(end).hex()]


def _lines(month: dict[str, dt.datetime]) -> Iterator[list[Any]]:
    for row in copied.rows(_IN_MONTH, month):
        line = copied.exact(row)
        yield [LINE, line["hash"].hex(), [str(line[name]) if name == "id" else line[name] for name in NAMES]]


def _accounts(month: dict[str, dt.datetime]) -> Iterator[list[Any]]:
    names = [field.attname for field in AccountTrace._meta.concrete_fields]
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT row_to_json(line) FROM (SELECT {', '.join(names)} FROM habilitations_accounttrace AS line"  # noqa: S608
            f" WHERE {_IN_MONTH} ORDER BY at, id) AS line",
            month,
        )
        while rows := cursor.fetchmany(2_000):
            yield from ([ACCOUNT, row if isinstance(row, dict) else json.loads(row)] for (row,) in rows)


# ---- What is read ----------------------------------------------------------------------------------


def _told(lines: Iterable[str]) -> Iterator[Any]:
    """Yield the entries that follow the runs, the end included."""
    return itertools.dropwhile(lambda entry: entry[0] == RUN, map(json.loads, itertools.islice(lines, 1, None)))


def _of(kind: str, lines: Iterable[str]) -> Iterator[Any]:
    return itertools.takewhile(lambda entry: entry[0] == kind, map(json.loads, lines))


def _verify(root: JournalRoot, runs: Iterator[Any], told: Iterator[Any], *, sealed: bool) -> tuple[int, str | None]:
    """Walk along the runs that were signed and the lines that are there; return how many, and the first fault."""
    if root.kind != JournalRoot.Kind.PURGE or not roots.is_signed(root):
        return 0, f"Racine n°\u00a0{root.number} : signature fausse."
    walk = _Walk(told)
    try:
        found = roots.digest((root.number, *walk.along(*run[1:])) for run in runs)
        if found != bytes(root.digest) or walk.seen[RUN] != root.lines:
            return walk.seen[LINE], "Les suites de lignes ne sont pas celles que la racine a signées."
        walk.end(root, sealed=sealed)
    except _False as fault:
        return walk.seen[LINE], str(fault)
    return walk.seen[LINE], None


class _Walk:
    """Where the reading of the lines is, and how many entries of each kind were seen."""

    def __init__(self, told: Iterator[Any]) -> None:
        self.told, self.entry = told, next(told, NOTHING)
        self.seen = dict.fromkeys((RUN, LINE, ACCOUNT), 0)

    def _pass(self) -> None:
        self.seen[self.entry[0]] += 1
        self.entry = next(self.told, NOTHING)

    def along(self, dossier_id: str, first: int, last: int, previous: str, end: str) -> tuple[Any, ...]:
        """Pass the lines of one run; return it as roots.digest wants it. Raises _False."""
        self.seen[RUN] += 1
        hashed = bytes.fromhex(previous)
        for seq in range(first, last + 1):
            if self.entry[0] != LINE:
                raise _False(f"Dossier {dossier_id}, ligne {seq} : ligne manquante.")
            hashed = _follows(self.entry, dossier_id, seq, hashed)
            self._pass()
        if hashed.hex() != end:
            raise _False(f"Dossier {dossier_id}, lignes {first} à {last} : réécrites depuis la signature.")
        return dossier_id, first, last, bytes.fromhex(previous), bytes.fromhex(end)

    def end(self, root: JournalRoot, *, sealed: bool) -> None:
        """Pass what follows the runs. Raises _False when there is more, or less, than the file says, or when a line of
        an account is not the one that was sealed."""
        accounts = hashlib.sha256()
        while self.entry[0] == ACCOUNT:
            accounts.update(_text(self.entry))
            self._pass()
        said, seal = (self.entry[:-1], self.entry[-1]) if sealed else (self.entry, "")
        if list(said) != [END, *self.seen.values()] or next(self.told, None) is not None:
            raise _False("Il y a plus de lignes, ou moins, que le fichier n’en dit.")
        if sealed and not roots.is_sealed(root, accounts.digest(), bytes.fromhex(seal)):
            raise _False("Les lignes des comptes ne sont plus celles qui ont été scellées.")


def _follows(entry: Any, dossier_id: str, seq: int, previous: bytes) -> bytes:
    """Return the hash of a line that follows; raises _False when it is not that one."""
    line = dict(zip(NAMES, entry[2], strict=True))
    where = f"Dossier {dossier_id}, ligne {seq} : "
    if (line["dossier_id"], line["seq"]) != (dossier_id, seq):
        raise _False(where + "ligne manquante.")
    found = link(previous, line)
    if found.hex() != entry[1]:
        raise _False(where + "contenu modifié.")
    return found


class _False(Exception):
    """The first thing of a file that does not hold."""
