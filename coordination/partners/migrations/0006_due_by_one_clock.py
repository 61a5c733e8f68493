"""As for letters and jobs (outbox.0009): the database says when an exchange is due."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("partners", "0005_versions_and_trials")]

    operations = [
        migrations.AlterField(
            model_name="relay",
            name="next_attempt_at",
            field=models.DateTimeField("prochain essai", db_default=Now()),
        ),
        migrations.AlterField(
            model_name="relay",
            name="ring_after",
            field=models.DateTimeField(db_default=Now() + timedelta(seconds=1)),
        ),
    ]
