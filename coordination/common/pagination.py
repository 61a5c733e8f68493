"""Pages of a list without counting the whole table.

One row more than the page is read to know whether there is a next one. Keyset paging was set aside: its cursor
would carry a name into the URL. The depth is bounded instead; further on, people filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PER_PAGE = 50
DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One page: iterate over it. `first` and `last` are the ranks shown ("1 à 50"), 0 when the page is empty."""

    items: Sequence[Any]
    number: int
    per_page: int
    has_next: bool

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def next_number(self) -> int | None:
        return self.number + 1 if self.has_next else None

    @property
    def previous_number(self) -> int | None:
        return self.number - 1 if self.has_previous else None

    @property
    def first(self) -> int:
        return (self.number - 1) * self.per_page + 1 if self.items else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.per_page + len(self.items) if self.items else 0


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A count that stopped at a limit: "437" or "plus de 1000"."""

    value: int
    exceeded: bool

    def __str__(self) -> str:
        return f"plus de {self.value}" if self.exceeded else str(self.value)


def page_number(raw: str | int | None) -> int:
    """Return a usable page number from a query string: anything unreadable is page 1, the depth is bounded."""
    try:
        number = int(raw or 1)
    except ValueError:
        return 1
    return min(max(number, 1), DEEPEST)


def paginate(rows: QuerySet | Sequence[Any], number: str | int | None = 1, *, per_page: int = PER_PAGE) -> Page:
    """Return one page of an ordered queryset (or list) in exactly one query. Raises nothing: see `page_number`."""
    if isinstance(rows, QuerySet) and not rows.ordered:
        raise ValueError("an unordered queryset has no pages: the same row could come twice")
    page = page_number(number)
    start = (page - 1) * per_page
    read = list(rows[start : start + per_page + 1])
    return Page(read[:per_page], page, per_page, len(read) > per_page and page < DEEPEST)
