"""Who may be the same person: asked while a dossier is being created, and once more when it is (INS-7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from coordination.common.dates import Precision
from coordination.dossiers.lookups import same_name
from coordination.dossiers.models import Dossier

# What lookalikes are found by.
TRAITS = ("birth_name", "used_name", "birth_date", "birth_date_precision")
SHOWN = 20
READ = 100


@dataclass(frozen=True)
class Lookalikes:
    """What a search before creation found: dossiers one may name, and how many one may not."""

    same_ins: bool = False
    visible: list[Dossier] = field(default_factory=list)
    hidden_count: int = 0

    def __bool__(self) -> bool:
        return self.same_ins or bool(self.visible) or self.hidden_count > 0


def is_found_otherwise(before: Dossier, after: Dossier) -> bool:
    """Say whether anything changed of what lookalikes are found by: else, what stood was told when it began."""
    return any(getattr(before, name) != getattr(after, name) for name in TRAITS)


def lookalikes_of(dossier: Dossier, *, by) -> Lookalikes:
    """Return the other dossiers that this one may be taken for (INS-7). Two SQL statements at most."""
    return find_lookalikes(by=by, other_than=dossier, **{name: getattr(dossier, name) for name in TRAITS})


def find_lookalikes(
    *, by, birth_name: str, birth_date: dt.date, birth_date_precision: str = Precision.DAY, used_name: str = "",
    ins_matricule: str = "", ins_oid: str = "", other_than: Dossier | None = None,
) -> Lookalikes:  # fmt: skip
    """Return the dossiers that may be the same person's (INS-7), `other_than` left out. Three SQL statements at most.

    Same matricule and OID is a certainty, whoever may open that dossier; same name, at birth or used, and same date,
    as far as both are known, a question. Dossiers that `by` may not open are only counted.
    """
    names = (birth_name, used_name)
    keys = {same_name(name) for name in names} - {""}
    likely = Dossier.objects.of_traits(names, birth_date, birth_date_precision)
    likely = likely.order_by("sort_name", "id")[:READ]
    alike = [
        row for row in likely if row != other_than and {same_name(row.birth_name), same_name(row.used_name)} & keys
    ][:SHOWN]
    ids = [dossier.pk for dossier in alike]
    opened = set(Dossier.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return Lookalikes(
        same_ins=bool(ins_matricule) and Dossier.objects.of_ins(ins_matricule, ins_oid).exists(),
        visible=[dossier for dossier in alike if dossier.pk in opened],
        hidden_count=len(alike) - len(opened),
    )
