"""What an account may do in lists by acting for others: never more than the other, never more than itself (SEC-15)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from django.db.models import OuterRef, Subquery

from habilitations import acting
from habilitations.held import Access
from habilitations.models import ActingFor, VouchedProfession


def held_for(own: Access, actings: Collection[UUID]) -> dict[UUID, Access]:
    """Return, for each acting of who holds `own`, what both professions give, nothing being reduced.

    One SQL statement. It opens no dossier, and says nothing of a rubric that may be closed in one: identity and
    circle never are.
    """
    vouched = VouchedProfession.objects.current().filter(user=OuterRef("principal"))
    rows = ActingFor.objects.filter(pk__in=actings).annotate(
        profession=Subquery(vouched.values("profession")[:1]), fonction=Subquery(vouched.values("fonction")[:1])
    )
    return {
        row.pk: replace(own, on_behalf_of=_principal(row, own))
        for row in rows.select_related("principal")
        if row.profession is not None
    }


def _principal(row: ActingFor, own: Access) -> acting.Principal:
    return acting.Principal(
        kind=row.kind,
        id=row.principal_id,
        name=row.principal.get_full_name(),
        profile=own.matrix.profile_of(row.profession, row.fonction),
        rubriques=frozenset(row.rubriques),
        until=row.last_day,
    )
