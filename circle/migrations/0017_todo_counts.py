"""How many things wait in « À faire », for the top bar: an empty table, which the query of the session reads."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_typographic_apostrophes"),
        ("circle", "0016_one_member_in_each_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="TodoCount",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("count", models.PositiveIntegerField(verbose_name="en attente")),
                ("counted_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="compté le")),
            ],
            options={
                "verbose_name": "nombre de choses à faire",
            },
        ),
    ]
