from django.db import migrations, models

from coordination.common.text import fold


def fill(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    for user in User.objects.only("pk", "family_name", "given_name").iterator():
        user.sort_name = fold(f"{user.family_name} {user.given_name}")[:260]
        user.save(update_fields=["sort_name"])


class Migration(migrations.Migration):
    # The index is made in a transaction of its own, once the rows are written.
    atomic = False

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sort_name",
            field=models.CharField(blank=True, editable=False, max_length=260, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["sort_name", "id"], name="user_by_name"),
        ),
        migrations.AlterField(
            model_name="accountchange",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Compte créé"),
                    ("suspended", "Compte suspendu"),
                    ("closed", "Compte fermé"),
                    ("reopened", "Compte rouvert"),
                    ("email_changed", "Adresse e-mail changée"),
                    ("admin_named", "Nommé administrateur"),
                    ("admin_ended", "N'est plus administrateur"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
    ]
