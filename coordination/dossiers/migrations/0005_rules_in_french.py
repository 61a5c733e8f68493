"""The sentences of two rules: nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dossiers", "0004_typographic_apostrophes")]

    operations = [
        migrations.AlterConstraint(
            model_name="identityversion",
            name="identity_version_unique",
            constraint=models.UniqueConstraint(
                fields=("dossier", "version"),
                name="identity_version_unique",
                violation_error_message="Cette version de l’identité est déjà enregistrée.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="visit",
            name="one_visit_row_per_dossier",
            constraint=models.UniqueConstraint(
                fields=("user", "dossier"),
                name="one_visit_row_per_dossier",
                violation_error_message="Le dernier passage dans ce dossier est déjà noté.",
            ),
        ),
    ]
