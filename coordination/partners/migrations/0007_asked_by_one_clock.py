"""When an exchange was asked is said by the database, as of letters (outbox/migrations/0010_asked_by_one_clock.py)."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("partners", "0006_due_by_one_clock")]

    operations = [
        migrations.AlterField(
            model_name="relay",
            name="created_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
    ]
