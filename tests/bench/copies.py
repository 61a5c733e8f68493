"""Many rows at once, copied by the database from a few made by the product's own models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection, models


def copied(column: str) -> str:
    """Return the expression of an identifier in the n-th copy: the same one wherever it is pointed to."""
    return f"md5(t.{column}::text || n)::uuid"


def copy_rows(model: type[models.Model], keys: Sequence, numbers: range, changed: Mapping[str, str]) -> int:
    """Insert one copy of each row of `keys` per number, with the expressions of `changed` in place of its columns.

    In an expression, `t` is the row copied and `n` the number. Returns how many rows were made.
    """
    columns = [field.column for field in model._meta.concrete_fields]
    values = [changed.get(column, f't."{column}"') for column in columns]
    table = model._meta.db_table
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" t '
            "CROSS JOIN generate_series(%s, %s) AS n WHERE t.id = ANY(%s)",
            [numbers.start, numbers.stop - 1, list(keys)],
        )
        return cursor.rowcount
