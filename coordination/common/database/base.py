"""Django's PostgreSQL, whose connection is looked at before each request instead of being asked a question.

A kept connection may have died with its server. Django asks `SELECT 1`: a round trip on every page, a tenth of what
the database does for it. A server that stops or is killed closes its socket, which then has something to read (the
end): looking costs no round trip. What neither way sees, a network that swallows packets, is for TCP keepalives.
"""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
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
