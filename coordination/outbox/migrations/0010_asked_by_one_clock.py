"""When a row was asked and when a quarantine began are said by the database too: a release compares them."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("outbox", "0009_due_by_one_clock")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="created_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AlterField(
            model_name="job",
            name="created_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AlterField(
            model_name="quarantine",
            name="opened_at",
            field=models.DateTimeField("restaurée le", db_default=Now()),
        ),
    ]
