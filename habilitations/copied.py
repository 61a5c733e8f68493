"""The lines of the journal as COPY gives them: almost the text that was hashed, so that reading them costs little.

A row is the values of COLUMNS and ADDED between separators, then both hashes in hexadecimal. Once the two last values
are left out of it where they say nothing, it differs from the text of habilitations/chain.py in two ways: quotes are
doubled, and nothing else is escaped. A row without a backslash, and
with the separators of its columns only, is first taken as it stands. If its hash is the one that the trigger computed,
it is the text that the trigger hashed. That text has no backslash, so it escapes nothing: no quote but around a value,
no control character. It reads as one list of values only, and those are the row's.

Any other row, and any row whose hash is not the one expected, is read exactly: several times dearer, seldom needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from habilitations.chain import ADDED, COLUMNS

SEPARATOR = b"\x1f"
_ALL = COLUMNS + ADDED
# Two brackets, and a comma and a space for each separator.
_LONGER = len(COLUMNS) + 1
# The end of a line whose author acted for himself: no identifier, an empty name. A quote inside a value is doubled, so
# that these two values are all that can end a row so.
_FOR_HIMSELF = SEPARATOR + b"null" + SEPARATOR + b'""'
_NULL = "null"
_NUMBERS = ("seq", "matrix_version")
_VALUE = re.compile(r'"((?:[^"]|"")*)"|([^\x1f]*)')
# Functions are those of PostgreSQL's own catalogue, whatever somebody created under the same names.
_AT = """pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at"""
_COPY = """
COPY (
    SELECT {columns}, pg_catalog.encode(previous_hash, 'hex'), pg_catalog.encode(hash, 'hex')
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


def parts(row: bytes) -> tuple[bytes, int, bytes | None, bytes, bytes, bytes]:
    """Return of a row: dossier (quoted), rank, text to hash (None when only `exact` tells), both hashes, itself.

    The hashes stay in hexadecimal.
    """
    said, previous_hash, own = row.rsplit(SEPARATOR, 2)
    _, _, dossier_id, seq, _ = said.split(SEPARATOR, 4)
    longer = _LONGER
    if said.endswith(_FOR_HIMSELF):
        said = said[: -len(_FOR_HIMSELF)]
    else:
        longer += len(ADDED)
    text = b"[%b]" % said.replace(SEPARATOR, b", ")
    if len(text) - len(said) != longer or b"\\" in said:
        text = None
    return dossier_id, int(seq), text, previous_hash, own[:-1], row


def exact(row: bytes) -> dict[str, Any]:
    """Return the columns of a row and its hashes, as habilitations/chain.py reads a line."""
    text, at, values = row.decode().removesuffix("\n"), 0, []
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
