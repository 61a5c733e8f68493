from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0008_partner_source"),
        ("habilitations", "0025_journal_software"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="vouchedprofession",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["national_id"], name="vouched_by_number"
            ),
        ),
    ]
