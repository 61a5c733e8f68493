import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("circle", "0007_typographic_apostrophes"),
        ("directory", "0007_typographic_apostrophes"),
        ("dossiers", "0004_typographic_apostrophes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="declined_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="écartée le"),
        ),
        migrations.AddField(
            model_name="invitation",
            name="declined_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("declined_at", None), ("declined_by", None)),
                    models.Q(
                        ("accepted_at__isnull", False),
                        ("confirmed_at", None),
                        ("declined_at__isnull", False),
                        ("declined_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="declined_invitation_was_accepted",
                violation_error_message="Seule une invitation acceptée et pas confirmée s’écarte, par quelqu’un.",
            ),
        ),
    ]
