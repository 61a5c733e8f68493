from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0004_typographic_apostrophes"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="object_version",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="version de l’objet"),
        ),
    ]
