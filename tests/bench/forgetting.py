"""The product whose connections forget who was declared, for tests/bench/rls.py alone.

A load of one reader would declare him once per process: here each request says it again, as behind a hundred readers.
"""

from django.core.signals import request_started
from django.db import connection

from coordination.wsgi import application


def _forget(**_said) -> None:
    connection._told = None


request_started.connect(_forget, weak=False)

__all__ = ["application"]
