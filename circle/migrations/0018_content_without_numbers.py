"""What a CareTeam said of its person before 2026-12-01 says no INS any more, in its row nor in its versions (INS-4).

As what is kept of other resources (fhir.0004), and with its rule. A version is never written again: here it says the
same of the circle, and its number stays; the trigger that refuses it is set aside inside each transaction, of a
hundred circles. Who works is waited for half a second at most: `manage.py migrate` comes back, and goes on with the
circles that are left. Nothing to undo: what was taken out is to be nowhere.
"""

import json
from importlib import import_module

from django.db import migrations, transaction

from coordination.fhir.formats import stored

rule = import_module("coordination.fhir.migrations.0004_kept_without_numbers")
BATCH = 100
FOUND = """
SELECT dossier_id FROM circle_circle WHERE content::text ~ %s
UNION SELECT dossier_id FROM circle_circleversion WHERE facts->>'content' ~ %s ORDER BY dossier_id
"""
SET_ASIDE = "ALTER TABLE circle_circleversion DISABLE TRIGGER circle_version_is_written"
PUT_BACK = "ALTER TABLE circle_circleversion ENABLE TRIGGER circle_version_is_written"
VERSIONS = "SELECT facts->>'content', id FROM circle_circleversion WHERE dossier_id = ANY(%s) ORDER BY id"
ROWS = "SELECT content::text, id FROM circle_circle WHERE dossier_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
WRITTEN_VERSION = "UPDATE circle_circleversion SET facts = jsonb_set(facts, '{content}', %s::jsonb) WHERE id = %s"
WRITTEN_ROW = "UPDATE circle_circle SET content = %s::jsonb WHERE id = %s"


def take_out(apps, schema_editor):
    """Write again the circles that say an INS, a batch at a time; run again, it finds none."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(FOUND, [rule.MARK, rule.MARK])
        dossiers = [dossier_id for (dossier_id,) in cursor.fetchall()]
    for first in range(0, len(dossiers), BATCH):
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '500ms'")
            cursor.execute(SET_ASIDE)
            # The row and its last version say the same at the end: no other version is made.
            for asked, written in ((ROWS, WRITTEN_ROW), (VERSIONS, WRITTEN_VERSION)):
                cursor.execute(asked, [dossiers[first : first + BATCH]])
                told = [(_without(text), id) for text, id in cursor.fetchall() if text]
                cursor.executemany(written, [line for line in told if line[0] is not None])
            # What waits for the end of the transaction is done before: a table with something pending is not changed.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(PUT_BACK)


def _without(text):
    """Return the content of a circle, as text, without what it says of numbers; None when it says nothing of them."""
    content = json.loads(text, cls=stored.Decoder)
    sent = rule.without_numbers(content.get("sent") or {})
    return None if sent == content.get("sent") else stored.Encoder().encode(content | {"sent": sent})


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("circle", "0017_todo_counts"), ("fhir", "0004_kept_without_numbers")]

    operations = [migrations.RunPython(take_out, migrations.RunPython.noop, elidable=True)]
