"""Secrets that programs carry: made here, shown once, kept hashed.

They are drawn, never chosen: 256 bits that nobody guesses, so that one pass of SHA-256 keeps them as well as a slow
hash keeps a password, and a call costs no more for it. The first letters say what kind of secret it is to whoever
finds one in a file.
"""

from __future__ import annotations

import hashlib
import re
import secrets

CLIENT_SECRET, CLIENT_TOKEN, PERSONAL_TOKEN = "coordination_s_", "coordination_c_", "coordination_p_"
_BYTES = 32
_SHAPE = re.compile(r"coordination_[scp]_[A-Za-z0-9_-]{43}")


def make(kind: str) -> str:
    """Return a new secret of a kind."""
    return kind + secrets.token_urlsafe(_BYTES)


def looks_like(kind: str, given: str) -> bool:
    """Say whether a text has the shape of a secret of this kind: anything else is not looked up."""
    return given.startswith(kind) and _SHAPE.fullmatch(given) is not None


def hashed(secret: str) -> str:
    """Return what is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
