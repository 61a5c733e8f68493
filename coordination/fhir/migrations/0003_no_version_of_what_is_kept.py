"""Nobody reads how many times a resource was sent."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fhir", "0002_numbers_as_sent")]

    operations = [migrations.RemoveField(model_name="kept", name="version")]
