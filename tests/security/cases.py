"""Every situation of an account in a dossier, one dossier each: what the two engines are compared on (SECT-8).

To add a fact that decides (a consent, a stand-in): one more field of Case, its values in `cases`, its rows in `fill`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from django.utils import timezone

from coordination.accounts.models import User
from coordination.directory.models import Structure
from coordination.dossiers.models import Dossier
from habilitations.models import Ceiling, Delegate, Habilitation, LegalStructure, Refusal, VouchedProfession
from tests.bench.town import dossier_row
from tests.circle.factories import DOCTOR, StructureFactory, UserFactory

BEFORE, TODAY, AFTER = -1, 0, 1
# Who stands for the structure: today, no longer, or for one that is no longer a « personne morale ».
STANDS, STOOD, SHUT = "stands", "stood", "shut"
CEILINGS = ((), (("medical", 0),), (("liaison", 1),), (("medical", 0), ("liaison", 1)))
HOUSE_CEILINGS = ((), (("medical", 1),), (("liaison", 0), ("plan", 1)))


@dataclass(frozen=True)
class Row:
    """One membership: its state, whether it ended, its last day counted from today, what is reduced."""

    state: str
    ended: bool = False
    last_day: int | None = None
    ceilings: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Case:
    own: Row | None
    house: Row | None
    delegation: str = STANDS


def cases() -> Iterator[Case]:
    """Return every own row × every row of a structure × what is reduced in each × who stands for it."""
    own = [None, *_rows(("non", "attente", "oui", "refus"), (None, BEFORE, TODAY, AFTER), CEILINGS)]
    houses = [(None, STANDS)]
    houses += [(row, STANDS) for row in _rows(("non", "oui"), (None, BEFORE, TODAY), HOUSE_CEILINGS)]
    houses += [(Row("oui", ceilings=reduced), why) for why in (STOOD, SHUT) for reduced in HOUSE_CEILINGS[:2]]
    houses.append((Row("refus"), STANDS))
    for mine, (house, delegation) in product(own, houses):
        yield Case(mine, house, delegation)


def _rows(states, last_days, ceilings) -> list[Row]:
    rows = [Row(*said) for said in product(states, (False, True), last_days, ceilings)]
    # The last day of a membership that has ended says nothing more: one of each is kept.
    return [row for row in rows if not row.ended or row.last_day is None]


@dataclass
class Filled:
    """The rows of the cases in the database. `accounts`: vouched, not vouched, suspended: the same rows each."""

    cases: list[Case]
    dossiers: list[Dossier]
    accounts: dict[str, User]


def fill(wanted: list[Case]) -> Filled:
    accounts = {"vouched": UserFactory(), "unknown": UserFactory(), "suspended": UserFactory(suspended=True)}
    VouchedProfession.objects.create(user=accounts["vouched"], profession=DOCTOR, how="administrateur")
    VouchedProfession.objects.create(
        user=accounts["unknown"], profession=DOCTOR, how="administrateur", ended_at=timezone.now()
    )
    houses = {why: _house(why, accounts.values()) for why in (STANDS, STOOD, SHUT)}
    dossiers = Dossier.objects.bulk_create(dossier_row(rank, accounts["unknown"]) for rank in range(len(wanted)))
    rows: list[tuple[Row, Habilitation]] = []
    for case, dossier in zip(wanted, dossiers, strict=True):
        if case.own:
            rows += [(case.own, _habilitation(case.own, dossier, user=user)) for user in accounts.values()]
        if case.house:
            rows.append((case.house, _habilitation(case.house, dossier, structure=houses[case.delegation])))
    Habilitation.objects.bulk_create((made for _, made in rows), batch_size=5_000)
    by = accounts["unknown"]
    Ceiling.objects.bulk_create(
        Ceiling(dossier=made.dossier, habilitation=made, rubrique=rubric, niveau=most, set_by=by)
        for row, made in rows
        for rubric, most in row.ceilings
    )
    Refusal.objects.bulk_create(
        Refusal(dossier=made.dossier, habilitation=made, refused_on=dt.date(2026, 1, 1), collected="oral",
                recorded_by=by)
        for row, made in rows
        if row.state == "refus"
    )  # fmt: skip
    return Filled(wanted, dossiers, accounts)


def _house(why: str, users) -> Structure:
    house, now = StructureFactory(), timezone.now()
    LegalStructure.objects.create(structure=house, closed_at=now if why == SHUT else None)
    ended = now if why == STOOD else None
    Delegate.objects.bulk_create(Delegate(structure=house, user=user, ended_at=ended) for user in users)
    return house


def _habilitation(row: Row, dossier: Dossier, **holder) -> Habilitation:
    until = None if row.last_day is None else timezone.localdate() + dt.timedelta(days=row.last_day)
    ended = timezone.now() if row.ended else None
    return Habilitation(dossier=dossier, state=row.state, ended_at=ended, access_until=until, **holder)
