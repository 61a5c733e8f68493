"""Reads that every page repeats: the ORM writes their SQL once, then only the values change.

Building a queryset with its subqueries costs several times its execution, on each request. The rule stays
written as a queryset, in one place; what is kept is the statement it gives.

    _visits = Prepared(lambda *, user_id: Visit.objects.filter(user=user_id).values_list("dossier", "seen_at"))
    _visits.tuples(user_id=user.pk)

Several ids are one value: `each_of(ids)` in the queryset, `ids_in_one(...)` when it is asked.

A rule that other querysets ask in their conditions is kept the same way, and given to them by `subquery`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from coordination.common.statements import ids_in_one
from coordination.common.statements import rows as run

# Shapes come from code, not from people; a hundred is already a mistake, not a leak of memory.
MOST_SHAPES = 500


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL, where its values go (True, name) among its constants (False, constant), and its columns."""

    sql: str
    places: list[tuple[bool, Any]]
    columns: list[str]
    model: type[Model]


class Prepared:
    """A queryset function whose statement is kept, one for each shape.

    `build(*shape, **values)` returns a queryset. `shape` changes the statement (an order, a filter or not) and
    must be hashable; `values` (UUID, str, datetime, date) only change its parameters. `one_plan` says that the best
    plan is the same for all values: the server keeps it too.
    """

    def __init__(self, build: Callable[..., QuerySet], *, one_plan: bool = False) -> None:
        self._build, self._one_plan = build, one_plan
        self._kept: dict[tuple, _Statement] = {}

    def tuples(self, *shape, **values) -> list[tuple]:
        """Return the rows in the order of the queryset's columns."""
        return self._run(self._statement(shape, values), values)

    def instances(self, *shape, **values) -> list[Any]:
        """Return objects of the queryset's model, annotations as attributes, columns left out deferred."""
        statement = self._statement(shape, values)
        fields = [
            field.attname for field in statement.model._meta.concrete_fields if field.attname in statement.columns
        ]
        extra = statement.columns[len(fields) :]
        found, alias = [], connection.alias
        for row in self._run(statement, values):
            instance = statement.model.from_db(alias, fields, row[: len(fields)])
            for name, value in zip(extra, row[len(fields) :], strict=True):
                setattr(instance, name, value)
            found.append(instance)
        return found

    def subquery(self, *shape, **values) -> RawSQL:
        """Return the statement, of one column, for a condition of another queryset: `filter(dossier_id__in=...)`."""
        statement = self._statement(shape, values)
        return RawSQL(statement.sql, _parameters(statement, values))  # noqa: S611 - what the ORM wrote  # nosec B611

    def _run(self, statement: _Statement, values) -> list[tuple]:
        parameters = _parameters(statement, values)
        if self._one_plan:
            return run(statement.sql, parameters)
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            return cursor.fetchall()

    def _statement(self, shape: tuple, values: dict) -> _Statement:
        key = (shape, *sorted(values))
        if key not in self._kept:
            if len(self._kept) >= MOST_SHAPES:
                self._kept.clear()
            self._kept[key] = self._compile(shape, values)
        return self._kept[key]

    def _compile(self, shape: tuple, values: dict) -> _Statement:
        """Build once with stand-ins, which show in the parameters where each value goes."""
        stand_ins = {name: _stand_in(value, rank) for rank, (name, value) in enumerate(sorted(values.items()))}
        names = {stand_in: name for name, stand_in in stand_ins.items()}
        queryset = self._build(*shape, **stand_ins)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        places = [(True, names[p]) if _hashable(p) and p in names else (False, p) for p in parameters]
        lost = set(values) - {said for is_value, said in places if is_value}
        if lost:
            raise ValueError(f"the statement does not use {', '.join(sorted(lost))} as it is")
        columns = [alias or getattr(column, "target", column).attname for column, _, alias in compiler.select]
        return _Statement(sql, places, columns, queryset.model)


def among(ids: Iterable[UUID]) -> RawSQL:
    """Return the ids as one value, for `filter(pk__in=...)`: the ORM writes one for each, and reads them all again."""
    return each_of(ids_in_one(ids))


def each_of(ids: str) -> RawSQL:
    """Return the same of ids already in one (`statements.ids_in_one`): what a prepared statement is given."""
    return RawSQL("SELECT unnest(%s::uuid[])", [ids])  # noqa: S611 - a constant


def read_first(ids: RawSQL | QuerySet) -> Func:
    """Return a subquery of ids that is read before anything else, and once: `filter(pk__in=read_first(...))`.

    The plan is then the same for who opens ten dossiers and for who opens five thousand (`one_plan`): left free, the
    planner takes every dossier of the base in turn for the second.
    """
    return Func(ids, template="(SELECT UNNEST(ARRAY%(expressions)s))")


def one_of(column: str, ids: QuerySet) -> Q:
    """Return the condition that a column is one of a few ids, read before anything else, and once.

    By these an index of the column is read, where `read_first` leaves the planner another way round.
    """
    few = Func(
        F(column), ArraySubquery(ids), template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()
    )
    return Q(few)


def _parameters(statement: _Statement, values: dict) -> list[Any]:
    return [values[said] if is_value else said for is_value, said in statement.places]


def _stand_in(value: Any, rank: int) -> Any:
    """Return a value of the same type that no constant of the statement can equal."""
    if isinstance(value, UUID):
        return uuid4()
    if type(value) is str:
        return token_hex(16)
    if isinstance(value, dt.datetime):
        return dt.datetime(1, 2, 3, 4, 5, rank, tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.date(1, 2, rank + 1)
    raise TypeError(f"{type(value).__name__} belongs to the shape")


def _hashable(value: Any) -> bool:
    return isinstance(value, (UUID, str, dt.date))
