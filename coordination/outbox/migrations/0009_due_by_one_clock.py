"""The database, which knows one clock, says when a row is due; the version that serves meanwhile says it itself."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models.functions import Now

FIRST_RING = Now() + timedelta(seconds=1)


class Migration(migrations.Migration):
    dependencies = [("outbox", "0008_quarantine")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="next_attempt_at",
            field=models.DateTimeField("prochain essai", db_default=Now()),
        ),
        migrations.AlterField(
            model_name="message",
            name="ring_after",
            field=models.DateTimeField(db_default=FIRST_RING),
        ),
        migrations.AlterField(
            model_name="job",
            name="next_attempt_at",
            field=models.DateTimeField("dû le", db_default=Now()),
        ),
        migrations.AlterField(
            model_name="job",
            name="ring_after",
            field=models.DateTimeField(db_default=FIRST_RING),
        ),
    ]
