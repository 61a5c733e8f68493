"""Where the next page begins, said in a link that nobody can read or change.

The criteria of a search may hold an INS or a name: no address carries them (SEC-22). A page begins after the last
resource of the one before, by its place in the order and not by a number: what is added or removed meanwhile neither
repeats nor hides one (issue 4, §1).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q, QuerySet

from coordination.common import cipher
from coordination.fhir.outcomes import Unreadable

PAGE = "_page"
_NOT_OURS = "Ce lien de page n’est pas ou n’est plus valable : relancez la recherche."


def sealed(content: dict[str, Any]) -> str:
    """Return a text for an address, that only this server reads."""
    return cipher.encrypt(json.dumps(content, separators=(",", ":"), default=_plain))


def following(address: str, content: dict[str, Any], formats: Iterable[str]) -> dict[str, str]:
    """Return the link to the next page of a list: `content` sealed, and in the format that was asked by `_format`."""
    query = [(PAGE, sealed(content)), *(("_format", one) for one in formats)]
    return {"relation": "next", "url": f"{address}?{urlencode(query)}"}


def opened(token: str, *, owner: str, of: str) -> dict[str, Any]:
    """Return what `sealed` was given. Raises Unreadable for what this server did not write, or wrote for another.

    `of`: the list that is gone through, as `sealed` was told: a page of one begins nowhere in another.
    """
    try:
        content = json.loads(cipher.decrypt(token))
    except (ValueError, UnicodeEncodeError):
        raise Unreadable(_NOT_OURS) from None
    if not isinstance(content, dict) or (content.get("owner"), content.get("of")) != (owner, of):
        raise Unreadable(_NOT_OURS)
    return content


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


@dataclass(frozen=True, slots=True)
class Order:
    """The columns that order the rows of one provider, each with its direction; the id always ends it."""

    columns: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, sort: Sequence[str], sorts: Any) -> Order:
        """Return the order that `_sort` asks of a provider: what it cannot sort by is left out."""
        wanted = [(name.removeprefix("-"), name.startswith("-")) for name in sort]
        columns = [(sorts[name], down) for name, down in wanted if name in sorts]
        down = next((down for name, down in wanted if name == "_id"), False)
        return cls((*columns, ("pk", down)))

    def page(self, rows: QuerySet[Any], after: Sequence[Any] | None, count: int) -> list[tuple[Any, ...]]:
        """Return the places (columns, id) of `count` rows after a place. One SQL statement."""
        if after is not None:
            rows = rows.filter(self._after(after))
        ordered = rows.order_by(*(_ordering(column, down) for column, down in self.columns))
        return list(ordered.values_list(*(column for column, _ in self.columns))[:count])

    def _after(self, place: Sequence[Any]) -> Q:
        """Rows after a place: later in the first column, or equal there and later in the next, and so on."""
        found, equal = Q(pk__in=[]), Q()
        for (column, down), value in zip(self.columns, place, strict=True):
            found |= equal & _beyond(column, down, value)
            equal &= Q(**{f"{column}__isnull": True}) if value is None else Q(**{column: value})
        return found


def _ordering(column: str, down: bool) -> Any:
    # Without a value comes last, whatever the direction.
    return F(column).desc(nulls_last=True) if down else F(column).asc(nulls_last=True)


def _beyond(column: str, down: bool, value: Any) -> Q:
    if value is None:
        return Q(pk__in=[])
    return Q(**{f"{column}__{'lt' if down else 'gt'}": value}) | (
        Q(pk__in=[]) if column == "pk" else Q(**{f"{column}__isnull": True})
    )


def id_of(place: Sequence[Any]) -> UUID:
    """Return the id that a place ends with."""
    last = place[-1]
    return last if isinstance(last, UUID) else UUID(last)
