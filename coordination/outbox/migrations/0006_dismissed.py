from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """Checked in 0007, without holding the table against its writers (REL-14)."""

    dependencies = [
        ("outbox", "0005_written_for_a_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="dismissed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="classé sans suite"),
        ),
        migrations.AddField(
            model_name="job",
            name="dismissed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="classé sans suite"),
        ),
        AddConstraintNotValid(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("dismissed_at__isnull", True), ("state", "echec"), _connector="OR"),
                name="message_dismissed_has_failed",
                violation_error_message="Seul un message en échec est classé sans suite.",
            ),
        ),
        AddConstraintNotValid(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(("dismissed_at__isnull", True), ("given_up_at__isnull", False), _connector="OR"),
                name="job_dismissed_was_given_up",
                violation_error_message="Seul un travail abandonné est classé sans suite.",
            ),
        ),
    ]
