"""The product without its journal, for tests/bench/readers.py alone: what a trace costs is seen by leaving it out."""

from coordination.wsgi import application
from habilitations import traces

traces.write = lambda sql, params: None

__all__ = ["application"]
