"""The first version of the circles that were there before versions were kept.

By itself: the same transaction could not change the tables that it writes to. A circle that has a version is left as
it is.
"""

from django.db import migrations

FIRST_VERSIONS = """
DO $$ BEGIN
    PERFORM circle_keep_version(dossier_id) FROM (
        SELECT DISTINCT dossier_id FROM circle_period p
        WHERE NOT EXISTS (SELECT FROM circle_circleversion v WHERE v.dossier_id = p.dossier_id)
    ) there;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("circle", "0014_planned_stays")]

    operations = [migrations.RunSQL([FIRST_VERSIONS], reverse_sql=[])]
