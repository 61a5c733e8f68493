"""The words of the directory, kept as one row per kind and read into memory once per process.

The importers call `refresh` at the end of a load. A process asks at most every CHECK_SECONDS whether there was one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from coordination.common.ids import uuid7
from coordination.directory.models import Vocabulary
from coordination.directory.search.lexicon import Lexicon

CHECK_SECONDS = 30

_SOURCES = {
    "family": "SELECT search_family AS w, count(*) AS n FROM directory_activity GROUP BY 1",
    "given": "SELECT search_given AS w, count(*) AS n FROM directory_activity GROUP BY 1",
    "town": "SELECT town AS w, count(*) AS n FROM directory_activity GROUP BY 1",
    "structure": (
        "SELECT w, count(*) AS n FROM directory_structure, unnest(string_to_array(search_name, ' ')) AS w"
        " WHERE length(w) >= 3 GROUP BY 1"
    ),
}


def refresh(cursor: CursorWrapper) -> None:
    """Rewrite the vocabulary from the tables, in the transaction of the caller.

    Reads the activities three times (about two seconds for 2.2 million), keeps nothing in memory. To be called
    when a load changed something; a load that wrote nothing needs none.
    """
    version = uuid7()
    for kind, source in _SOURCES.items():
        # Read apart from the writing: only then may several processes of the server count.
        cursor.execute(
            "SELECT coalesce(string_agg(w || E'\\t' || n, E'\\n' ORDER BY n DESC), '')"
            f" FROM ({source}) AS words WHERE w <> ''"  # noqa: S608 - our constants
        )
        cursor.execute(
            "INSERT INTO directory_vocabulary (id, kind, words, version) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (kind) DO UPDATE SET words = EXCLUDED.words, version = EXCLUDED.version",
            [uuid7(), kind, cursor.fetchone()[0], version],
        )


@dataclass
class _Known:
    lexicon: Lexicon
    version: UUID | None
    checked_at: float


_known: dict[str, _Known] = {}


def current() -> Lexicon:
    """Return the lexicon of the last load, read again when a newer one is there."""
    now = time.monotonic()
    known = _known.get(connection.alias)
    if known and now - known.checked_at < CHECK_SECONDS:
        return known.lexicon
    version = Vocabulary.objects.order_by("-version").values_list("version", flat=True).first()
    if known and known.version == version:
        known.checked_at = now
        return known.lexicon
    lexicon = Lexicon(_read)
    _known[connection.alias] = _Known(lexicon, version, now)
    return lexicon


def forget() -> None:
    """Forget what this process knows: the next search reads the tables again (tests, end of a load)."""
    _known.clear()


def warm() -> None:
    """Read the names now, so that the first search of a new process does not wait for them."""
    lexicon = current()
    lexicon.family, lexicon.given  # noqa: B018 - reading them is building them


def _read(kind: str) -> Iterable[tuple[str, int]]:
    words = Vocabulary.objects.filter(kind=kind).values_list("words", flat=True).first() or ""
    for line in words.splitlines():
        word, _, count = line.partition("\t")
        yield word, int(count)
