import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("circle", "0003_role_cuts"),
    ]

    operations = [
        migrations.AddField(
            model_name="period",
            name="given_role",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="circle.roleholding",
            ),
        ),
    ]
