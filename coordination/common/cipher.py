"""Encryption of the few columns that hold secrets or unfinished texts (SEC-19).

The key comes from SECRET_KEY; to rotate it, move the old one to SECRET_KEY_FALLBACKS: old rows stay readable, and
`manage.py rechiffrer` writes them again under the new one.
"""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def encrypt(text: str) -> str:
    """Return `text` encrypted and authenticated, as ASCII."""
    return _fernet(*secrets()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text of a token made by `encrypt`. Raises ValueError when no current key opens it."""
    try:
        return _fernet(*secrets()).decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("No current key opens this column.") from None


def renewed(token: str) -> str:
    """Return a token of `encrypt` written again under the current key. Raises ValueError when no key opens it."""
    try:
        return _fernet(*secrets()).rotate(token.encode()).decode()
    except InvalidToken:
        raise ValueError("No current key opens this column.") from None


def is_current(token: str) -> bool:
    """Say whether the current key alone opens this token."""
    try:
        _fernet(settings.SECRET_KEY).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def secrets() -> list[str]:
    """Return the current key, then the former ones: what was signed under them still holds."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


@lru_cache(maxsize=4)
def _fernet(*secrets: str) -> MultiFernet:
    keys = (hashlib.blake2b(secret.encode(), digest_size=32, person=b"columns").digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
