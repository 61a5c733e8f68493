"""The chain of a dossier's traces, computed again outside the database (SEC-10). Pure.

Each trace carries the hash of the one before it. What is hashed, and by whom, is written in migration
0002_journal: sha256(previous hash, then the UTF-8 text of a JSON array of COLUMNS in this order; times
in UTC with microseconds; identifiers in lower case). A line that names for whom its author acted has two
values more (migration 0017_journal_on_behalf_of), one that names by which software has these two and a third
(0025_journal_software): arrays of other lengths, so no line reads as another.
The first trace of a dossier follows the empty hash.

Shown false: a line changed, removed, inserted or moved; lines cut from the end when the head is given; a chain
written anew, head included, when anchors are given: what signed roots kept of the chain at their time (roots.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from binascii import hexlify
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

COLUMNS = (
    "id", "at", "dossier_id", "seq", "actor_id", "actor_name", "actor_national_id", "profession", "fonction",
    "structure_name", "profile", "habilitation_id", "matrix_version", "action", "rubrique", "outcome",
    "object_kind", "object_id", "reason", "request_id", "address",
)  # fmt: skip
# Hashed only where one of them says something; the last one brings those before it.
FOR_WHOM = ("on_behalf_of_id", "on_behalf_of_name")
ADDED = (*FOR_WHOM, "software")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that does not hold: its place in the chain, its id when it has one, and what is wrong.

    `until`: the false line stands somewhere from `seq` to there, when nothing tells more.
    """

    seq: int
    id: UUID | None
    reason: str
    until: int | None = None


class Anchor(NamedTuple):
    """What a signed root kept of one chain: the hash of a line (`first_seq` = `last_seq`).

    `purged`: the hashes at both ends of lines that were removed with their month.
    """

    root: int
    first_seq: int
    last_seq: int
    previous_hash: bytes
    hash: bytes
    purged: bool = False


def canonical(line: Mapping[str, Any]) -> str:
    """Return the text of a trace, the same that the database hashed."""
    if line.get("software"):
        names = COLUMNS + ADDED
    else:
        names = COLUMNS + FOR_WHOM if any(line.get(name) for name in FOR_WHOM) else COLUMNS
    return json.dumps([_plain(line.get(name)) for name in names], ensure_ascii=False, separators=(", ", ": "))


def link(previous_hash: bytes, line: Mapping[str, Any]) -> bytes:
    """Return the hash of a trace that follows `previous_hash`."""
    return hashlib.sha256(bytes(previous_hash) + canonical(line).encode()).digest()


def first_fault(
    lines: Iterable[Mapping[str, Any]],
    *,
    head: tuple[int, bytes] | None = None,
    anchors: Sequence[Anchor] = (),
) -> Fault | None:
    """Return the first false line of ONE dossier's traces given in the order of `seq`; None when all hold.

    `lines` are mappings of COLUMNS and ADDED plus "previous_hash" and "hash" (the rows of `Trace.objects.values()`).
    `head` is the (seq, hash) the chain must end on: without it, lines cut from the end go unseen. `anchors`: what
    signed roots kept of this chain, in the order of `last_seq`; lines they say purged may be absent.
    """
    walk = Walk(anchors)
    for line in lines:
        if fault := walk.step(line):
            return fault
    return walk.end(head)


class Walk:
    """One pass along a chain: the last line seen, the roots still to be met, the purged lines that may be jumped."""

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self.seq, self.last, self.last_in_hex = 0, b"", b""
        self.proven = 0
        self.roots = deque(anchor for anchor in anchors if not anchor.purged)
        self.purged = {anchor.first_seq: anchor for anchor in anchors if anchor.purged}

    def passes(self, text: bytes, own_hash: bytes) -> bool:
        """Pass the next line, its text without brackets and its hash in hexadecimal, when it plainly holds.

        The caller has compared its rank and the hash before it, `last_in_hex`; else he asks `step`.
        """
        found = hashlib.sha256(b"%b[%b]" % (self.last, text)).digest()
        if hexlify(found) != own_hash or (self.roots and self.roots[0].last_seq <= self.seq + 1):
            return False
        self.seq, self.last, self.last_in_hex = self.seq + 1, found, own_hash
        return True

    def step(self, line: Mapping[str, Any]) -> Fault | None:
        if line["seq"] != self.seq + 1 and (fault := self._jump()):
            return fault
        if fault := _fault(line, self.seq + 1, self.last):
            return fault
        self._at(line["seq"], bytes(line["hash"]))
        return self._meet()

    def end(self, head: tuple[int, bytes] | None) -> Fault | None:
        if fault := self._jump():
            return fault
        if self.roots or (head is not None and (self.seq, self.last) != (head[0], bytes(head[1]))):
            return Fault(self.seq + 1, None, "la fin de la chaîne manque")
        return None

    def _at(self, seq: int, own_hash: bytes) -> None:
        self.seq, self.last, self.last_in_hex = seq, own_hash, hexlify(own_hash)

    def _jump(self) -> Fault | None:
        while (gone := self.purged.get(self.seq + 1)) and bytes(gone.previous_hash) == self.last:
            self._at(gone.last_seq, bytes(gone.hash))
            if fault := self._meet():
                return fault
        return None

    def _meet(self) -> Fault | None:
        """Compare the line just passed with the roots that knew it; those that knew a purged line say nothing more."""
        while self.roots and self.roots[0].last_seq <= self.seq:
            root = self.roots.popleft()
            if root.last_seq < self.seq:
                continue
            if bytes(root.hash) != self.last:
                until = self.seq if self.seq > self.proven + 1 else None
                return Fault(self.proven + 1, None, f"réécrit depuis la racine n°\u00a0{root.root}", until)
            self.proven = self.seq
        return None


def _fault(line: Mapping[str, Any], expected: int, last: bytes) -> Fault | None:
    if line["seq"] != expected:
        missing = line["seq"] > expected
        return Fault(expected, None if missing else line["id"], "ligne manquante" if missing else "ligne en trop")
    if bytes(line["previous_hash"]) != last:
        return Fault(expected, line["id"], "ne suit pas la ligne précédente")
    if bytes(line["hash"]) != link(last, line):
        return Fault(expected, line["id"], "contenu modifié")
    return None


def _plain(value: Any) -> str | int | None:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, UUID) else value
