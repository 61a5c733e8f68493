"""The lines of the journal as COPY gives them: almost the text that was hashed, so that reading them costs little.

A row is its dossier, the values of COLUMNS and ADDED between separators, then both hashes in hexadecimal. Once its
last values are left out of it where they say nothing, it differs from what habilitations/chain.py hashes in two ways:
quotes are doubled, and nothing else is escaped. A row without a backslash, and with the separators of its columns
only, is first taken as it stands. If its hash is the one that the trigger computed, it is the text that the trigger
hashed. That text has no backslash, so it escapes nothing: no quote but around a value, no control character. It reads
as one list of values only, and those are the row's.

Any other row, and any row whose hash is not the one expected, is read exactly: several times dearer, seldom needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from habilitations.chain import ADDED, COLUMNS, Walk

SEPARATOR = b"\x1f"
_ALL = COLUMNS + ADDED
# Each becomes a comma and a space.
_SEPARATORS = len(COLUMNS) - 1
# The end of a line written from the screens: no software; then of one whose author acted for himself: no identifier,
# an empty name. A quote inside a value is doubled, so that these values are all that can end a row so.
_FROM_SCREENS = SEPARATOR + b'""'
_FOR_HIMSELF = SEPARATOR + b"null" + SEPARATOR + b'""'
# The dossier, before everything else; then, in what follows it, where the rank begins: after two identifiers and a
# time between quotes. A time of another length makes the row one that only `exact` tells.
_WHOSE = 36
DOSSIER = itemgetter(slice(_WHOSE))
_RANK = 2 * (_WHOSE + 3) + 30
_NULL = "null"
_NUMBERS = ("seq", "matrix_version")
_VALUE = re.compile(r'"((?:[^"]|"")*)"|([^\x1f]*)')
# Functions are those of PostgreSQL's own catalogue, whatever somebody created under the same names.
_AT = """pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at"""
_COPY = """
COPY (
    SELECT line.dossier_id AS whose, {columns}, pg_catalog.encode(previous_hash, 'hex'), pg_catalog.encode(hash, 'hex')
    FROM habilitations_trace AS line WHERE {where} ORDER BY line.dossier_id, line.seq
) TO STDOUT (FORMAT csv, DELIMITER E'\\x1f', NULL '{null}', ENCODING 'UTF8', FORCE_QUOTE ({quoted}))"""


def rows(where: str, params: dict[str, Any]) -> Iterator[bytes]:
    """Yield the rows of the lines that `where` keeps (a condition on `line`), by dossier then by rank.

    Nothing else may be asked of the connection before the last one.
    """
    statement = _COPY.format(
        columns=", ".join(_AT if name == "at" else name for name in _ALL),
        where=where,
        null=_NULL,
        quoted=", ".join(name for name in _ALL if name not in _NUMBERS),
    )
    with connection.cursor() as cursor, cursor.copy(statement, params) as copied:
        yield from map(bytes, copied)


def passes(walk: Walk, row: bytes) -> bool:
    """Pass a row when it plainly holds, as nearly all do; else only `exact` tells."""
    said, previous_hash, own = row[_WHOSE + 1 :].rsplit(SEPARATOR, 2)
    if previous_hash != walk.last_in_hex or not said.startswith(b"%d\x1f" % (walk.seq + 1), _RANK):
        return False
    separators = _SEPARATORS + len(ADDED)
    if said.endswith(_FROM_SCREENS):
        said, separators = said[: -len(_FROM_SCREENS)], separators - 1
        if said.endswith(_FOR_HIMSELF):
            said, separators = said[: -len(_FOR_HIMSELF)], separators - 2
    text = said.replace(SEPARATOR, b", ")
    if len(text) - len(said) != separators or b"\\" in said:
        return False
    return walk.passes(text, own[:-1])


def exact(row: bytes) -> dict[str, Any]:
    """Return the columns of a row and its hashes, as habilitations/chain.py reads a line."""
    text, at, values = row[_WHOSE + 1 :].decode().removesuffix("\n"), 0, []
    while at <= len(text):
        found = _VALUE.match(text, at)
        values.append(_value(*found.groups()))  # type: ignore[union-attr] - the second branch always matches
        at = found.end() + 1  # type: ignore[union-attr]
    *values, previous_hash, own = values
    line = dict(zip(_ALL, values, strict=True))
    line |= {name: int(line[name]) for name in _NUMBERS}
    return line | {
        "id": UUID(line["id"]),
        "previous_hash": bytes.fromhex(previous_hash),
        "hash": bytes.fromhex(own),
    }


def _value(quoted: str | None, bare: str) -> str | None:
    if quoted is not None:
        return quoted.replace('""', '"')
    return None if bare == _NULL else bare
