"""Reading settings from environment variables; nothing here knows Django."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit


class WrongVariable(ValueError):
    """The value of a variable cannot be understood; the message names it and says what it takes."""


def text(name: str, default: str = "") -> str:
    """The variable, stripped; `default` when it is absent or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    """True for 1, true, yes, oui, on (any case)."""
    value = text(name)
    return value.lower() in {"1", "true", "yes", "oui", "on"} if value else default


def number(name: str, default: int) -> int:
    """The variable as an integer; a WrongVariable names it."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise WrongVariable(f"{name} must be a whole number, not {value!r}.") from None


def listed(name: str, default: str = "") -> list[str]:
    """The comma-separated values of the variable, without the empty ones."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(url: str, pooler: str = "") -> dict:
    """Turn `postgres://user:password@host:port/name?sslmode=…` into Django's dictionary.

    A Unix socket is written in the query: `postgres://user@/name?host=/run/postgresql`. `pooler`: what is between,
    which lends a connection for a session, or for a transaction.
    Raises WrongVariable for any other engine: the product needs PostgreSQL everywhere; and for any other pooler.
    """
    if pooler not in {"", "session", "transaction"}:
        raise WrongVariable("DATABASE_POOLER is session or transaction, or nothing when no pooler is between.")
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise WrongVariable("DATABASE_URL must start with postgres:// (PostgreSQL 15 or newer).")
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


def broker(url: str) -> str:
    """Return REDIS_URL as Celery writes it: there, a Unix socket has a name that Redis’s own client does not know.

    `unix://:password@/run/redis/redis.sock?db=0` is what the rest of the product reads.
    Raises WrongVariable for what is no Redis.
    """
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss"}:
        return url
    if parts.scheme == "unix":
        number_of = dict(parse_qsl(parts.query)).get("db", "0")
        return urlunsplit(("redis+socket", parts.netloc, parts.path, f"virtual_host={number_of}", ""))
    raise WrongVariable("REDIS_URL must start with redis://, rediss:// or unix:// (redis://:password@host:6379/0).")
