"""Django's PostgreSQL, whose connection is looked at before each request instead of being asked a question, and says
to the server for whom it speaks.

A kept connection may have died with its server. Django asks `SELECT 1`: a round trip on every page, a tenth of what
the database does for it. A server that stops or is killed closes its socket, which then has something to read (the
end): looking costs no round trip. What neither way sees, a network that swallows packets, is for TCP keepalives.

What `common.declaring` says is sent with the first statement that follows, and only when the server was told another
thing: the same session twice in a row costs nothing.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from coordination.common import declaring


class DatabaseWrapper(base.DatabaseWrapper):
    # What the server was told, None when that is not known: a new connection, or what a rollback took back.
    _told: str | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._told = None
        return super().get_new_connection(conn_params)

    def make_cursor(self, cursor: Any) -> Any:
        self._declare()
        return super().make_cursor(cursor)

    def make_debug_cursor(self, cursor: Any) -> Any:
        self._declare()
        return super().make_debug_cursor(cursor)

    def _rollback(self) -> None:
        super()._rollback()
        self._told = None

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)
        self._told = None

    def _declare(self) -> None:
        """Tell the server for whom the statement to come is sent, unless it knows."""
        actor = declaring.declared()
        # In a transaction that failed the server takes nothing but its end.
        if actor == self._told or self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        with self.wrap_database_errors:
            # SET and not set_config(): a transaction may still choose its isolation after it.
            psycopg.ClientCursor(self.connection).execute(f"SET {declaring.SETTING} = %s", [actor])
        self._told = actor

    def is_usable(self) -> bool:
        connection = self.connection
        if connection is None or connection.closed:
            return False
        if connection.info.transaction_status != TransactionStatus.IDLE:
            return False
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        # Nobody listens for notices: between two statements a living server has nothing to say.
        return not socket.poll(0)
