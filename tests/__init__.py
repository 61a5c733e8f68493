"""The harness. What it does by itself, in whichever process, is declared to the database; each request that it makes
declares its own, and begins with nobody (SECT-9)."""

from coordination.common import declaring

declaring.declare_process("tests")
