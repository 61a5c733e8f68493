"""Reads that every page repeats: the ORM writes their SQL once, then only the values change.

Building a queryset with its subqueries costs several times its execution, on each request. The rule stays
written as a queryset, in one place; what is kept is the statement it gives.

    _members = Prepared(lambda *, user_id: Member.objects.filter(user=user_id).values("id", "role"))
    _members.dicts(user_id=user.pk)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import QuerySet

# Shapes come from code, not from people; a hundred is already a mistake, not a leak of memory.
MOST_SHAPES = 500


class Prepared:
    """A queryset function whose statement is kept, one for each shape.

    `build(*shape, **values)` returns a queryset. `shape` changes the statement (an order, a filter or not) and
    must be hashable; `values` (UUID, datetime, date) only change its parameters.
    """

    def __init__(self, build: Callable[..., QuerySet]) -> None:
        self._build = build
        self._kept: dict[tuple, tuple[str, list[tuple[bool, Any]]]] = {}

    def statement(self, *shape, **values) -> tuple[str, list[Any]]:
        """Return the SQL and its parameters for these values."""
        key = (shape, *sorted(values))
        if key not in self._kept:
            if len(self._kept) >= MOST_SHAPES:
                self._kept.clear()
            self._kept[key] = self._compile(shape, values)
        sql, places = self._kept[key]
        return sql, [values[said] if is_value else said for is_value, said in places]

    def tuples(self, *shape, **values) -> list[tuple]:
        """Run it and return the rows in the order of the queryset's columns."""
        return list(self._run(shape, values))

    def dicts(self, *shape, **values) -> list[dict[str, Any]]:
        """Run it and return the rows by the names of their columns."""
        sql, parameters = self.statement(*shape, **values)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def instances(self, *shape, **values) -> list[Any]:
        """Run it and return objects of the queryset's model, annotations as attributes, other columns deferred."""
        sql, parameters = self.statement(*shape, **values)
        return list(self._model.objects.raw(sql, parameters))

    def _run(self, shape, values) -> Iterator[tuple]:
        sql, parameters = self.statement(*shape, **values)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            yield from cursor.fetchall()

    def _compile(self, shape, values) -> tuple[str, list[tuple[bool, Any]]]:
        """Build once with stand-ins, which show in the parameters where each value goes."""
        stand_ins = {name: _stand_in(value, rank) for rank, (name, value) in enumerate(sorted(values.items()))}
        names = {stand_in: name for name, stand_in in stand_ins.items()}
        queryset = self._build(*shape, **stand_ins)
        self._model = queryset.model
        sql, parameters = queryset.query.sql_with_params()
        places = [(True, names[p]) if _hashable(p) and p in names else (False, p) for p in parameters]
        lost = set(values) - {said for is_value, said in places if is_value}
        if lost:
            raise ValueError(f"the statement does not use {', '.join(sorted(lost))} as it is")
        return sql, places


def _stand_in(value: Any, rank: int) -> Any:
    """Return a value of the same type that no constant of the statement can equal."""
    if isinstance(value, UUID):
        return uuid4()
    if isinstance(value, dt.datetime):
        return dt.datetime(1, 2, 3, 4, 5, rank, tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.date(1, 2, rank + 1)
    raise TypeError(f"{type(value).__name__} belongs to the shape")


def _hashable(value: Any) -> bool:
    return isinstance(value, (UUID, dt.date))
