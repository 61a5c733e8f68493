"""What a production must hold so that no letter and no work is lost or opened by somebody else (SECT-15)."""

from coordination.common.safety import Demand

DEMANDS = (
    Demand(
        1,
        "EMAIL_BACKEND est la boîte d’envoi : un autre écrirait aux gens hors de toute transaction.",
        lambda s: s.EMAIL_BACKEND == "coordination.outbox.backend.OutboxBackend",
    ),
    Demand(
        2,
        "CELERY_ACCEPT_CONTENT n’accepte que json : tout autre format exécute ce qu’il lit.",
        lambda s: list(s.CELERY_ACCEPT_CONTENT) == ["json"],
    ),
    Demand(
        3,
        "CELERY_TASK_ALWAYS_EAGER est faux : un courriel lent retiendrait la page.",
        lambda s: not getattr(s, "CELERY_TASK_ALWAYS_EAGER", False),
    ),
    Demand(
        4,
        "CELERY_TASK_ACKS_LATE est vrai et le délai du courtier dépasse la plus longue tâche : sinon elle se perd ou "
        "se fait deux fois.",
        lambda s: (
            s.CELERY_TASK_ACKS_LATE is True
            and s.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > s.CELERY_TASK_TIME_LIMIT
        ),
    ),
)
