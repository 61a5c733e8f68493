"""Whether what the settings name answers from here: asked by `manage.py check --deploy`, and by nothing that starts.

A wrong password, a port that a firewall closes or a name misspelt would else be found by the first person who waits
for a letter. Warnings: a production starts while its database is away, and waits for it.
"""

from __future__ import annotations

from typing import Any, Final

import redis
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.db import DatabaseError, connection

TAG: Final = "servers"
# A person waits before the terminal.
PATIENCE: Final = 5
DATABASE = "La base de données de DATABASE_URL ne répond pas à cette machine : {}."
BROKER = "Redis (REDIS_URL) ne répond pas à cette machine : {}. Les lettres partiraient par le balayage seul."
MAIL = (
    "Le serveur de courriel (EMAIL_HOST, EMAIL_PORT) ne prend rien de cette machine : {}. Aucune lettre ne partirait."
)


def check_servers(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:
    """Warn at `check --deploy` of a server that does not answer, with the words of its client."""
    asked = ((102, DATABASE, _database), (103, BROKER, _broker), (104, MAIL, _mail))
    return [checks.Warning(one.format(why), id=f"common.W{n}") for n, one, ask in asked if (why := ask())]


def _database() -> str:
    try:
        connection.ensure_connection()
    except (DatabaseError, ImproperlyConfigured) as error:
        return _first_line(error)
    return ""


def _broker() -> str:
    if not settings.REDIS_URL:
        return ""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE) as one:
            one.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return _first_line(error)
    return ""


def _mail() -> str:
    """Up to the password: no mail is sent. A backend of development has nobody to reach."""
    mailer = get_connection(settings.OUTBOX_EMAIL_BACKEND, timeout=PATIENCE)
    try:
        try:
            mailer.open()
        finally:
            # After a refusal too, its line is open.
            mailer.close()
    except OSError as error:  # every refusal of a mail server is one
        return _first_line(error)
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
