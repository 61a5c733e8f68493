from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "coordination.operations"
    label = "operations"
    verbose_name = "Exploitation"

    def ready(self):
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.operations import checks

        register_link("administration", "queues", "Files d’attente", "operations:queues", order=85)
        safety.register("operations", checks.DEMANDS)
