"""Encryption of the few columns that hold secrets or unfinished texts (SEC-19).

The key comes from SECRET_KEY; to rotate it, move the old one to SECRET_KEY_FALLBACKS: old rows stay readable.
"""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def encrypt(text: str) -> str:
    """Return `text` encrypted and authenticated, as ASCII."""
    return _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text of a token made by `encrypt`. Raises ValueError when no current key opens it."""
    try:
        return _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("No current key opens this column.") from None


@lru_cache(maxsize=4)
def _fernet(*secrets: str) -> MultiFernet:
    keys = (hashlib.blake2b(secret.encode(), digest_size=32, person=b"columns").digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
