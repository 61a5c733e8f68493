"""When an answer by mail was made and done, so that one that comes late is not taken for the last (RFC 5546 §2.1.5)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agenda", "0006_fhir_appointments")]

    operations = [
        migrations.AddField(
            model_name="calendarinvitation",
            name="answer_stamp",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="calendarinvitation",
            name="answer_done_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
