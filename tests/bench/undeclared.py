"""The product that says nothing to the database, for tests/bench/rls.py alone: what the wall costs is seen so."""

from coordination.common import declaring
from coordination.common.database.base import DatabaseWrapper
from coordination.wsgi import application

declaring.declare_holder = lambda kind, secret: None
DatabaseWrapper._declare = lambda self: None

__all__ = ["application"]
