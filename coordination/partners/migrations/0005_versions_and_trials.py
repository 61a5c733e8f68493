"""The version of a partner (REL-11), and what came of « Essayer la connexion », which is done apart (REL-17).

With defaults kept by the database: the former version of the product adds partners without them meanwhile (REL-14).
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_dead_letters")]

    operations = [
        migrations.AddField(
            model_name="partner",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="partner",
            name="trial_asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="partner",
            name="ring_after",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="partner",
            name="trial_said",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=300),
        ),
    ]
