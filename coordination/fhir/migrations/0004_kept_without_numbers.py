"""What was kept before 2026-12-01 says no INS any more, wherever a client had written it (INS-4).

Read since then without it (`keeping._read`), it was still in the table. By itself and row after row, without holding
any: a row written meanwhile was written by a version that takes numbers out, or is read without them. What is told of
a resource, and its version, do not change: `at` stays. Nothing to undo: what was taken out is to be nowhere.
"""

from django.db import migrations
from django.db.models import TextField
from django.db.models.functions import Cast

SYSTEMS = frozenset(f"urn:oid:1.2.250.1.213.1.4.{last}" for last in (8, 9, 10, 11))
TYPES = frozenset({"INS-NIR", "INS-NIA", "INS-NIR-TEST", "INS-NIR-DEMO"})
# What a row that says one holds: a system, or a type.
MARK = r'urn:oid:1\.2\.250\.1\.213\.1\.4\.|"INS-NI'
BATCH = 500
_GONE = object()


def take_out(apps, schema_editor):
    """Write again the rows that say an INS, a batch at a time by their identifiers; run again, it finds none."""
    rows = apps.get_model("fhir", "Kept").objects.using(schema_editor.connection.alias)
    said = rows.annotate(text=Cast("content", TextField())).filter(text__regex=MARK)
    batch = list(said.order_by("pk")[:BATCH])
    while batch:
        for row in batch:
            content = without_numbers(row.content)
            if content != row.content:
                rows.filter(pk=row.pk, at=row.at).update(content=content)
        batch = list(said.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH])


def without_numbers(content):
    """As `coordination.fhir.numbers` did on that day: a migration asks nothing of code that changes."""
    kept = {name: new for name, value in content.items() if (new := _without(value)) is not _GONE}
    if kept != content:
        # A narrative could tell it.
        kept.pop("text", None)
    return kept


def _without(value):
    if isinstance(value, list):
        items = [new for one in value if (new := _without(one)) is not _GONE]
        return items if items or not value else _GONE
    if not isinstance(value, dict):
        return value
    if _is_number(value):
        return _GONE
    found = {name: new for name, one in value.items() if (new := _without(one)) is not _GONE}
    if found == value:
        return value
    if "resourceType" in found:
        found.pop("text", None)
    return found if found.keys() - {"url"} else _GONE


def _is_number(value):
    """Say whether it is an Identifier that its system, or its type alone, says to be an INS."""
    concept = value.get("type")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    told = [one.get("code") for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    return value.get("system") in SYSTEMS or any(code in TYPES for code in told)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fhir", "0003_no_version_of_what_is_kept")]

    operations = [migrations.RunPython(take_out, migrations.RunPython.noop, elidable=True)]
