"""The version of a room, which the second of two who change it is told of (REL-11).

With a default kept by the database: the former version of the product adds rooms without it meanwhile (REL-14).
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agenda", "0007_answers_in_order")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
    ]
