"""`manage.py metrics`: answer Prometheus, in a process of its own (docs/decisions/2026-11-29-metrics.md)."""

import signal
import threading

from django.conf import settings
from django.core.management.base import CommandError

from coordination.common import commands
from coordination.operations import serving


class Command(commands.Command):
    help = "Répond à Prometheus sur METRICS_BIND (127.0.0.1:9464), ou écrit les mesures une fois (--une-fois)."

    def add_arguments(self, parser):
        parser.add_argument("--une-fois", action="store_true", help="écrire les mesures sur la sortie, et finir")

    def handle(self, *, une_fois, **options):
        if une_fois:
            self.stdout.write(serving.text())
            return
        try:
            server = serving.server(settings.METRICS_BIND, settings.METRICS_TOKEN)
        except (serving.NotExposed, OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            # From a thread: the server waits for the end of what its own thread does.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        self.stdout.write(f"Mesures sur {settings.METRICS_BIND}, adresse /metrics.")
        server.serve_forever()
        server.server_close()
