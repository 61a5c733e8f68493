"""gunicorn: measured on two cores, two synchronous workers beat threads and pools (stack, §6.3)."""

import gc
import logging
import os
import threading
import time

from coordination.common import away, long_answers
from coordination.common.server_log import ServerLog

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "sync"
# Loaded once, then forked: less memory, and a broken import stops the start instead of looping.
preload_app = True
timeout = 60
graceful_timeout = 15
max_requests = 20_000
max_requests_jitter = 2_000
# Requests are logged by the application, with an identifier and without what names a person.
accesslog = None
logger_class = ServerLog
# TLS straight from gunicorn; behind a proxy, leave both empty and set TLS_PROXY_HEADER.
certfile = os.environ.get("TLS_CERTIFICATE") or None
keyfile = os.environ.get("TLS_KEY") or None
# gunicorn would listen for its own commands (stop, more workers) on a socket in the account's home, which units and
# containers do not let it write in; ours come by signals (deploy/renew-web).
control_socket_disable = True
# Long URLs and headers have no use here.
limit_request_line = 4094
# Connections that may wait, for each process, before some are refused (coordination/common/overload.py); 0: never.
_QUEUE = int(os.environ.get("WEB_QUEUE", "16"))


def when_ready(_server):
    """Leave what was loaded out of the collector: nothing of it will go, and each full round would walk through it."""
    gc.collect()
    gc.freeze()


def pre_fork(_server, _worker):
    """A database connection opened while loading must not be shared by the workers."""
    from django.db import connections

    connections.close_all()


def post_worker_init(worker):
    """Let an export that lasts say that it does (`timeout`), refuse the requests that are too many (PERF-18), and read
    the names of the directory beside the first requests, so that no first search waits for them."""
    long_answers.watched(worker.notify)
    if _QUEUE:
        worker.wsgi = _gate(worker)
    threading.Thread(target=_warm, daemon=True).start()


def post_request(worker, _request, _environ, _response):
    """Who was refused memory gives its place to another, which was made before: what it holds may be half done."""
    if worker.alive and away.is_worn():
        logging.getLogger("coordination.web").warning("web.renewed", extra={"reason": "memory"})
        worker.alive = False


def worker_exit(_server, worker):
    """What was refused and not written yet is: service levels are computed from the log."""
    from coordination.common import overload

    if isinstance(gate := getattr(worker, "wsgi", None), overload.Gate):
        gate.tell(0, time.monotonic())


def _gate(worker):
    import json

    from coordination.common import error_pages, overload
    from coordination.fhir import outcomes

    away = json.dumps(outcomes.outcome(outcomes.Away().issues)).encode()
    refusals = {"/fhir/": ("application/fhir+json", away), "": ("text/html; charset=utf-8", error_pages.too_many())}
    listeners = [listener.sock for listener in worker.sockets]
    gate = overload.Gate(worker.wsgi, lambda: overload.waiting(listeners), _QUEUE * workers, refusals)
    gate.watch()
    return gate


def _warm():
    from django.db import connection

    from coordination.common import error_pages

    try:
        # While there is memory to draw it.
        error_pages.drawn_beforehand()
        from coordination.directory.search import vocabulary

        vocabulary.warm()
    except Exception as error:  # an empty database must not stop a worker: the first search will say what is wrong
        logging.getLogger("coordination.web").warning("directory.not_read_yet", extra={"error": type(error).__name__})
    finally:
        connection.close()
