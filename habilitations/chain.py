"""The chain of a dossier's traces, computed again outside the database (SEC-10). Pure.

Each trace carries the hash of the one before it. What is hashed, and by whom, is written in migration
0002_journal: sha256(previous hash, then the UTF-8 text of a JSON array of COLUMNS in this order; times
in UTC with microseconds; identifiers in lower case). The first trace of a dossier
follows the empty hash.

Shown false: a line changed, removed, inserted or moved, and lines cut from the end when the head is
given. Not shown: a chain written anew to its end together with its head, by someone who may do anything
in the database; a copy of a past head kept elsewhere shows that too (give it as `head`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

COLUMNS = (
    "id", "at", "dossier_id", "seq", "actor_id", "actor_name", "actor_national_id", "profession", "fonction",
    "structure_name", "profile", "habilitation_id", "matrix_version", "action", "rubrique", "outcome",
    "object_kind", "object_id", "reason", "request_id", "address",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that does not hold: its place in the chain, its id when it has one, and what is wrong."""

    seq: int
    id: UUID | None
    reason: str


def canonical(line: Mapping[str, Any]) -> str:
    """Return the text of a trace, the same that the database hashed."""
    return json.dumps([_plain(line[name]) for name in COLUMNS], ensure_ascii=False, separators=(", ", ": "))


def link(previous_hash: bytes, line: Mapping[str, Any]) -> bytes:
    """Return the hash of a trace that follows `previous_hash`."""
    return hashlib.sha256(bytes(previous_hash) + canonical(line).encode()).digest()


def first_fault(lines: Iterable[Mapping[str, Any]], *, head: tuple[int, bytes] | None = None) -> Fault | None:
    """Return the first false line of ONE dossier's traces given in the order of `seq`; None when all hold.

    `lines` are mappings of COLUMNS plus "previous_hash" and "hash" (the rows of `Trace.objects.values()`).
    `head` is the (seq, hash) the chain must end on: without it, lines cut from the end go unseen.
    """
    seq, last = 0, b""
    for line in lines:
        fault = _fault(line, seq + 1, last)
        if fault:
            return fault
        seq, last = line["seq"], bytes(line["hash"])
    if head is not None and (seq, last) != (head[0], bytes(head[1])):
        return Fault(seq + 1, None, "la fin de la chaîne manque")
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
