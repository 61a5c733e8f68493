"""gunicorn: measured on two cores, two synchronous workers beat threads and pools (stack, §6.3)."""

import os

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
# TLS straight from gunicorn; behind a proxy, leave both empty and set TLS_PROXY_HEADER.
certfile = os.environ.get("TLS_CERTIFICATE") or None
keyfile = os.environ.get("TLS_KEY") or None
# Long URLs and headers have no use here.
limit_request_line = 4094


def pre_fork(_server, _worker):
    """A database connection opened while loading must not be shared by the workers."""
    from django.db import connections

    connections.close_all()
