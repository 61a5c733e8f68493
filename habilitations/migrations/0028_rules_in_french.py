"""The sentences of four rules of the matrix: nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0027_month_removed_quickly")]

    operations = [
        migrations.AlterConstraint(
            model_name="matrixrow",
            name="matrix_cell_unique",
            constraint=models.UniqueConstraint(
                fields=("version", "profile", "rubrique"),
                name="matrix_cell_unique",
                violation_error_message="La matrice a déjà un niveau pour ce profil et cette rubrique.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="matrixrow",
            name="matrix_level_known",
            constraint=models.CheckConstraint(
                condition=models.Q(("niveau__in", [0, 1, 2])),
                name="matrix_level_known",
                violation_error_message="Ce niveau de la matrice n’existe pas.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="actionright",
            name="action_right_unique",
            constraint=models.UniqueConstraint(
                fields=("version", "profile", "action"),
                name="action_right_unique",
                violation_error_message="La matrice dit déjà si ce profil peut faire cette action.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="profilerule",
            name="profile_rule_unique",
            constraint=models.UniqueConstraint(
                fields=("version", "profession", "fonction"),
                name="profile_rule_unique",
                violation_error_message="La matrice donne déjà un profil à cette profession.",
            ),
        ),
    ]
