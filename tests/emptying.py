"""What a test that commits leaves, thrown away.

Django empties every table by TRUNCATE, which makes some eight hundred files anew: two tenths of a second of processor,
more on a busy machine, for twenty tables that have a few rows. Here these rows are deleted. A database that grew is
truncated as Django does: what was rolled back stays in its files until then.
"""

from django.db import transaction

# As the processes of the product say for whom they act: row-level security shows nothing to nobody.
ACTOR = "SET LOCAL coordination.actor = 'system:tests'"
GROWN = 64 * 1024 * 1024
# Some tables keep what they have, others follow each change: that is for the product, and their triggers sleep.
_WITH_TRIGGERS = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
WHERE NOT tgisinternal AND tgtype & 8 > 0 AND tgrelid = ANY(%s::regclass[])
"""
_SIZE = "SELECT sum(pg_relation_size(one)) FROM unnest(%s::regclass[]) one"


def emptied(connection, tables: list[str]) -> bool:
    """Delete every row of these tables; False, and nothing done, if there is too much for that."""
    quoted = [connection.ops.quote_name(name) for name in tables]
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute(_SIZE, [quoted])
        if cursor.fetchone()[0] > GROWN:
            return False
        cursor.execute(ACTOR)
        # Who is still writing ends first, and is seen.
        cursor.execute(f"LOCK TABLE {', '.join(quoted)} IN SHARE ROW EXCLUSIVE MODE")
        found = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in quoted)  # noqa: S608
        cursor.execute(found)
        filled = [name for (name,) in cursor.fetchall()]
        cursor.execute(_WITH_TRIGGERS, [filled])
        asleep = [name for (name,) in cursor.fetchall()]
        statements = [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in asleep]
        statements += [f"DELETE FROM {name}" for name in filled]  # noqa: S608 - the tables of our models
        # A table is not changed while a constraint waits to be judged.
        statements += ["SET CONSTRAINTS ALL IMMEDIATE"]
        statements += [f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in asleep]
        cursor.execute("; ".join(statements))
    return True
