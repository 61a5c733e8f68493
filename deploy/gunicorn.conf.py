"""gunicorn: measured on two cores, two synchronous workers beat threads and pools (stack, §6.3)."""

import logging
import os
import threading

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
# Long URLs and headers have no use here.
limit_request_line = 4094


def pre_fork(_server, _worker):
    """A database connection opened while loading must not be shared by the workers."""
    from django.db import connections

    connections.close_all()


def post_worker_init(_worker):
    """Read the names of the directory beside the first requests, so that no first search waits for them."""
    threading.Thread(target=_warm, daemon=True).start()


def _warm():
    from django.db import connection

    try:
        from coordination.directory.search import vocabulary

        vocabulary.warm()
    except Exception as error:  # an empty database must not stop a worker: the first search will say what is wrong
        logging.getLogger("coordination.web").warning("directory.not_read_yet", extra={"error": type(error).__name__})
    finally:
        connection.close()
