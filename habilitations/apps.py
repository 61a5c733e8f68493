from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


def _prepare_journal(sender, using, **kwargs):
    """After a deployment, months are ready even where no worker ran for long."""
    from habilitations.journal import prepare_months

    # Migrating back to before the journal calls this too.
    if "habilitations_trace" in connections[using].introspection.table_names():
        prepare_months()


class HabilitationsConfig(AppConfig):
    name = "habilitations"
    label = "habilitations"
    verbose_name = "Habilitations"

    def ready(self):
        post_migrate.connect(_prepare_journal, sender=self, dispatch_uid="prepare_journal")
