"""`/sante/vivant`: the process answers. `/sante/pret`: what it stands on answers too.

Open to a probe without an account: words and numbers only, no message of a server.
"""

from collections.abc import Callable

import redis
import structlog
from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from coordination.common.database import role

logger = structlog.stdlib.get_logger(__name__)

OK, DOWN = "ok", "indisponible"
_migrated = _plain = False


@login_not_required
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process can answer at all."""
    return JsonResponse({"statut": "vivant"}, headers={"Cache-Control": "no-store"})


@login_not_required
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and broker are right, else 503; the age of the oldest waiting job in seconds."""
    parts = {
        "base": _state("database", _database_answers),
        "migrations": _state("migrations", _migrations_are_applied),
        "file": _state("broker", _broker_answers),
    }
    good = all(state == OK for state in parts.values())
    body = {"statut": "pret" if good else "pas_pret", **parts, "plus_ancienne_tache_s": _oldest_waiting()}
    return JsonResponse(body, status=200 if good else 503, headers={"Cache-Control": "no-store"})


def _state(part: str, question: Callable[[], bool]) -> str:
    try:
        answer = question()
    except Exception as error:  # whatever is wrong down there, the probe gets an answer
        logger.warning("health.down", part=part, error=type(error).__name__)
        return DOWN
    return OK if answer else DOWN


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,) and _role_is_plain()


def _role_is_plain() -> bool:
    """A production is not ready with a role that its rules do not hold. Once plain it is not asked again."""
    global _plain
    if not _plain and settings.REFUSES_UNSAFE_START and role.sees_through():
        logger.error("health.role_sees_all")
        return False
    _plain = True
    return True


def _migrations_are_applied() -> bool:
    """Reading every migration costs; once applied they stay so for the life of this process."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _broker_answers() -> bool:
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
        return bool(client.ping())


def _oldest_waiting() -> int | None:
    """Seconds, None when the database cannot say. By name: the outbox stands on a higher floor than this one."""
    try:
        message = apps.get_model("outbox", "Message")
        return int(message.objects.oldest_waiting_age().total_seconds())
    except Exception as error:
        logger.warning("health.down", part="outbox", error=type(error).__name__)
        return None
