from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """What counts the dead letters, made while letters are written (REL-14)."""

    atomic = False

    dependencies = [
        ("outbox", "0006_dismissed"),
    ]

    operations = [
        ValidateConstraint(model_name="message", name="message_dismissed_has_failed"),
        ValidateConstraint(model_name="job", name="job_dismissed_was_given_up"),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("dismissed_at__isnull", True), ("state", "echec")),
                fields=["created_at"],
                name="message_dead",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                condition=models.Q(("dismissed_at__isnull", True), ("given_up_at__isnull", False)),
                fields=["created_at"],
                name="job_dead",
            ),
        ),
    ]
