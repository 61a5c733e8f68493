"""The sweep as a process of its own, which needs no broker: `manage.py sweep_outbox` beside the workers."""

import signal
import threading
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import close_old_connections
from django.db.utils import DatabaseError, InterfaceError

from coordination.common import commands
from coordination.outbox import delivery
from coordination.outbox.sweeping import sweep
from coordination.outbox.tasks import LONGEST_DELIVERY


def deliver(message_id: UUID) -> bool:
    """Hand a letter over within the time that a worker has for it.

    A mail server that says a word every few seconds never meets EMAIL_TIMEOUT: it would hold here all that waits.
    """
    former = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_DELIVERY)
    try:
        return delivery.deliver(message_id)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _late(_number, _frame):
    raise SoftTimeLimitExceeded


class Command(commands.Command):
    help = "Relance les messages et travaux dus, et les fait ici quand le courtier ne répond pas."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="un seul passage")
        parser.add_argument(
            "--every", metavar="SECONDES", type=commands.above_zero, default=2.0, help="entre deux passages (2)"
        )

    def handle(self, *, once, every, **options):
        if once:
            self.stdout.write(f"{sweep(deliver=deliver)} ligne(s) relancée(s).")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self._pass()
            stop.wait(every)

    def _pass(self):
        try:
            sweep(helping=True, deliver=deliver)
        except (DatabaseError, InterfaceError) as error:
            # The database restarts: the next pass opens a new connection.
            self.stderr.write(f"Balayage remis : {type(error).__name__}.")
        finally:
            close_old_connections()
