"""What partners call the resources of a circle: read for one transaction, written from its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from circle.relays.bundles import Known, Name
from coordination.partners.models import Partner, RelayedId


def known_to(partner: Partner, names: Iterable[Name]) -> dict[Name, Known]:
    """Return {Type/id: what the partner calls it} of those it knows. One SQL statement."""
    ids = {name.partition("/")[2] for name in names}
    rows = RelayedId.objects.filter(partner=partner, local_id__in=ids)
    return {f"{row.resource_type}/{row.local_id}": _known(row) for row in rows}


def called_there(partner: Partner, names: Iterable[Name]) -> dict[Name, Name]:
    """Return {Type/id there: Type/id here} of those that were exchanged before. One SQL statement."""
    ids = {name.partition("/")[2] for name in names}
    rows = RelayedId.objects.filter(partner=partner, remote_id__in=ids)
    return {f"{row.resource_type}/{row.remote_id}": f"{row.resource_type}/{row.local_id}" for row in rows}


def keep(partner: Partner, names: Mapping[Name, Known]) -> None:
    """Keep what a partner calls ours, over what it called them before. One SQL statement."""
    rows = [
        RelayedId(
            partner=partner, resource_type=name.partition("/")[0], local_id=name.partition("/")[2],
            remote_id=known.remote_id, remote_version=known.version, made=known.made, digest=known.digest,
            identifier=list(known.identifier) if known.identifier is not None else None,
        )
        for name, known in names.items()
    ]  # fmt: skip
    RelayedId.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["partner", "resource_type", "local_id"],
        update_fields=["remote_id", "remote_version", "made", "digest", "identifier", "at"],
    )


def _known(row: RelayedId) -> Known:
    identifier = tuple(row.identifier) if row.identifier is not None else None
    return Known(row.remote_id, row.remote_version, row.made, row.digest, identifier)
