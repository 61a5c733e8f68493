from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "coordination.outbox"
    label = "outbox"
    verbose_name = "Messages sortants"

    def ready(self):
        from coordination.common import safety
        from coordination.outbox import checks, kinds

        kinds.declare({kinds.LIBRARY: "Courriel sans nature"})
        safety.register("outbox", checks.DEMANDS)
