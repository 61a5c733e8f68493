from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What counts the exchanges given up, made while others are written (REL-14)."""

    atomic = False

    dependencies = [
        ("partners", "0003_agendas"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="relay",
            index=models.Index(condition=models.Q(("state", "echec")), fields=["created_at"], name="relay_dead"),
        ),
    ]
