"""COPY into PostgreSQL, whose log learns nothing of why we stopped."""

from contextlib import AbstractContextManager
from typing import Any

from psycopg.copy import Copy, LibpqWriter


class Interrupted(Exception):
    """All that the server is told; it writes the sentence in its log."""


class _NeutralWriter(LibpqWriter):
    def finish(self, exc: BaseException | None = None) -> None:
        # psycopg would send the text of the exception, which may quote a line of the file.
        super().finish(Interrupted("stopped by the application") if exc else None)


def copy_in(cursor: Any, statement: str) -> AbstractContextManager[Copy]:
    """Open a COPY FROM STDIN on a cursor of Django; an exception inside goes up as it is, unsaid to the server."""
    own = cursor.cursor
    return own.copy(statement, writer=_NeutralWriter(own))
