"""What a partner sends through the API: rows it alone knows, proposed to nobody on screens.

The national files keep the last word: a row that they come to know becomes theirs at the next load, and who it was
for a partner is kept beside it (`fhir.Kept`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from coordination.accounts.models import User
from coordination.common.text import fold
from coordination.directory.errors import AlreadyInDirectory
from coordination.directory.models import Activity, Professional, Source, Structure

Row = TypeVar("Row", Structure, Professional)
Made = TypeVar("Made", Structure, Professional, Activity)
# The key of each call, and the columns it says.
Received = Iterable[tuple[UUID, dict[str, Any]]]


@transaction.atomic
def receive_structure(*, by: User, partner: str, key: UUID, **values: Any) -> Structure:
    """Create a structure that a partner alone knows; `key` is its id: the same call twice makes one row (REL-7).

    `values` are columns of Structure already checked (`directory.fhir.reading.structure`). No means of contact is
    asked: a person who creates one owes it to the next, a partner tells what it has. Raises AlreadyInDirectory when
    another row took its FINESS number meanwhile.
    """
    if made := Structure.objects.filter(pk=key, partner=partner).first():
        return made
    return _saved(_new_structure(by, partner, key, values), "Cette structure", "finess")


def receive_structures(sent: Received, *, by: User, partner: str) -> list[Structure]:
    """Create several as `receive_structure` does one, in the caller's transaction: each (key, values). Two statements.

    A number that another row took is left to the constraint to refuse.
    """
    return _made(Structure, partner, [_new_structure(by, partner, key, values) for key, values in sent])


@transaction.atomic
def change_received_structure(structure: Structure, *, by: User, **values: Any) -> Structure:
    """Replace what a partner said of a structure it alone knows. Raises AlreadyInDirectory (FINESS number)."""
    for name, value in values.items():
        setattr(structure, name, value)
    structure.search_name = _search_name(values)
    return _saved(structure, "Cette structure", "finess")


@transaction.atomic
def receive_professional(*, by: User, partner: str, key: UUID, **values: Any) -> Professional:
    """Create a professional that a partner alone knows, without any place of work. Raises AlreadyInDirectory."""
    if made := Professional.objects.filter(pk=key, partner=partner).first():
        return made
    return _saved(_new_professional(by, partner, key, values), "Ce professionnel", "rpps")


def receive_professionals(sent: Received, *, by: User, partner: str) -> list[Professional]:
    """Create several as `receive_professional` does one, in the caller's transaction: each (key, values)."""
    return _made(Professional, partner, [_new_professional(by, partner, key, values) for key, values in sent])


@transaction.atomic
def change_received_professional(professional: Professional, *, by: User, **values: Any) -> Professional:
    """Replace what a partner said of a professional it alone knows; the names of his activities follow."""
    for name, value in _named(values).items():
        setattr(professional, name, value)
    saved = _saved(professional, "Ce professionnel", "rpps")
    names = {"search_family": saved.search_family, "search_given": saved.search_given}
    saved.activities.exclude(**names).update(**names)
    return saved


@transaction.atomic
def receive_activity(
    professional: Professional, *, by: User, partner: str, key: UUID, structure: Structure | None, **values: str
) -> Activity:
    """Say for a partner that the professional practises there: gives no right, vouches for nothing."""
    if made := Activity.objects.filter(pk=key, partner=partner).first():
        return made
    row = _new_activity(professional, partner, key, structure, values)
    row.save(force_insert=True)
    return row


def receive_activities(
    sent: Iterable[tuple[UUID, Professional, Structure | None, dict[str, str]]], *, partner: str
) -> list[Activity]:
    """Create several as `receive_activity` does one, in the caller's transaction: each (key, who, where, values)."""
    return _made(
        Activity, partner, [_new_activity(who, partner, key, where, values) for key, who, where, values in sent]
    )


@transaction.atomic
def change_received_activity(activity: Activity, *, by: User, structure: Structure | None, **values: str) -> Activity:
    """Replace what a partner said of a place of work it alone knows."""
    for name, value in (_where(structure) | values).items():
        setattr(activity, name, value)
    activity.save()
    return activity


def _new_structure(by: User, partner: str, key: UUID, values: dict[str, Any]) -> Structure:
    return Structure(
        pk=key, source=Source.PARTNER, partner=partner, created_by=by, search_name=_search_name(values), **values
    )


def _new_professional(by: User, partner: str, key: UUID, values: dict[str, Any]) -> Professional:
    return Professional(pk=key, source=Source.PARTNER, partner=partner, created_by=by, **_named(values))


def _new_activity(
    professional: Professional, partner: str, key: UUID, structure: Structure | None, values: dict[str, str]
) -> Activity:
    return Activity(
        pk=key,
        professional=professional,
        # No file will ever look for it: any number the person does not have yet.
        natural_key=secrets.randbits(62),
        partner=partner,
        category="C",
        search_family=professional.search_family,
        search_given=professional.search_given,
        **_where(structure),
        **values,
    )


def _made(model: type[Made], partner: str, rows: list[Made]) -> list[Made]:
    """Store new rows; return them in order, those that the same call made before as they are."""
    manager = model._default_manager
    there = manager.filter(pk__in=[row.pk for row in rows], partner=partner).in_bulk()
    manager.bulk_create(row for row in rows if row.pk not in there)
    return [there.get(row.pk, row) for row in rows]


def _where(structure: Structure | None) -> dict[str, Any]:
    names = ("address", "postal_code", "town", "commune_code", "sector")
    return {
        "structure": structure,
        "structure_name": structure.name if structure else "",
        "address_borrowed": structure is not None,
    } | {name: getattr(structure, name) if structure else "" for name in names}


def _named(values: dict[str, Any]) -> dict[str, Any]:
    searched = {f"search_{name}": fold(values[f"{name}_name"])[:150] for name in ("family", "given")}
    return values | searched


def _search_name(values: dict[str, Any]) -> str:
    return fold(f"{values['name']} {values.get('short_name', '')}")[:300]


def _saved(row: Row, name: str, field: str) -> Row:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise AlreadyInDirectory(name=name, field=field) from error
    return row
