"""Places, services and equipment that a software makes known so that agendas may be of them (GAP flow 1)."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Manager

from coordination.accounts.models import User
from coordination.directory.models.received import Received

Row = TypeVar("Row", bound=Received)


@transaction.atomic
def receive(model: type[Row], *, by: User, partner: str, key: UUID, **values: Any) -> Row:
    """Keep what a partner makes known; `key` is its id: the same call twice makes one row (REL-7).

    `values`: columns already checked (`directory.fhir.received`). Source: agenda.md §3.1, GAP-6.
    """
    rows: Manager[Row] = model._default_manager
    if made := rows.filter(pk=key, partner=partner).first():
        return made
    return rows.create(pk=key, partner=partner, created_by=by, **values)


@transaction.atomic
def change_received(row: Row, **values: Any) -> Row:
    """Replace what its partner says of it. Source: agenda.md §3.1, GAP-8."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row
