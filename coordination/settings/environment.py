"""Reading settings from environment variables; nothing here knows Django."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit


def text(name: str, default: str = "") -> str:
    """The variable, stripped; `default` when it is absent or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    """True for 1, true, yes, oui, on (any case)."""
    value = text(name)
    return value.lower() in {"1", "true", "yes", "oui", "on"} if value else default


def number(name: str, default: int) -> int:
    """The variable as an integer; a ValueError names the variable."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {value!r}.") from None


def listed(name: str, default: str = "") -> list[str]:
    """The comma-separated values of the variable, without the empty ones."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(url: str, pooler: str = "") -> dict:
    """Turn `postgres://user:password@host:port/name?sslmode=…` into Django's dictionary.

    A Unix socket is written in the query: `postgres://user@/name?host=/run/postgresql`. `pooler`: what is between,
    which lends a connection for a session, or for a transaction.
    Raises ValueError for any other engine: the product needs PostgreSQL everywhere; and for any other pooler.
    """
    if pooler not in {"", "session", "transaction"}:
        raise ValueError("DATABASE_POOLER is session or transaction, or nothing when no pooler is between.")
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("DATABASE_URL must start with postgres:// (PostgreSQL 15 or newer).")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "coordination.common.database",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", str(parts.port or "")),
        # One connection per process, kept: measured at 891 list pages a second with two workers.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Nothing that a session keeps is found again behind a pooler of transactions: neither cursors nor prepared
        # statements (common.statements), nor for whom it speaks (habilitations.second_wall).
        "DISABLE_SERVER_SIDE_CURSORS": pooler == "transaction",
        "OPTIONS": options,
    }
