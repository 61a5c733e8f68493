"""The rows of the cases in the database, written in bulk: states that the screens reach in weeks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from coordination.accounts.models import User
from coordination.directory.models import Structure
from coordination.dossiers.models import Dossier
from habilitations.models import (
    ActingFor,
    Ceiling,
    Consent,
    Delegate,
    EmergencyAccess,
    Habilitation,
    LegalStructure,
    Opposition,
    Refusal,
    SecretaryConsent,
    VouchedProfession,
)
from tests.bench.town import dossier_row
from tests.circle.factories import DOCTOR, StructureFactory, UserFactory
from tests.security import cases as c

DAY = dt.date(2026, 1, 1)


@dataclass
class Filled:
    """`accounts`: vouched, not vouched, suspended: the same rows each. `others`: those for whom they may act."""

    cases: list[c.Case]
    dossiers: list[Dossier]
    accounts: dict[str, User]
    others: dict[c.Way, User]
    acting: dict[tuple[c.Way, User], ActingFor]
    houses: dict[str, Structure] = field(default_factory=dict)


@dataclass
class Made:
    """What is to be written, by model, in an order that the links allow."""

    by: User
    lines: dict[type, list] = field(default_factory=dict)

    def add(self, row):
        self.lines.setdefault(type(row), []).append(row)
        return row

    def membership(self, row: c.Row, dossier: Dossier, **holder) -> Habilitation:
        """Add an habilitation with its ceilings, its refusal and what it rests on."""
        ended = timezone.now() if row.ended else None
        made = self.add(
            Habilitation(
                dossier=dossier, state=row.state, ended_at=ended, access_until=day(row.last_day), **holder
            )
        )  # fmt: skip
        about = {"dossier": dossier, "habilitation": made}
        for rubric, most in row.ceilings:
            self.add(Ceiling(**about, rubrique=rubric, niveau=most, set_by=self.by))
        if row.state == "refus":
            self.add(Refusal(**about, refused_on=DAY, collected="oral", recorded_by=self.by))
        if row.rests:
            self.add(self.ground(row.rests, about))
        return made

    def ground(self, rests: c.Ground, about: dict) -> Consent:
        now = timezone.now()
        ended = {"end": rests.end, "ended_on": DAY, "ended_at": now} if rests.end else {}
        kind = {"ground": "accord", "collected": "oral"} if rests.rubrics else {"ground": "reconnue"}
        return Consent(
            **about, **kind, **ended, starts_on=DAY, rubriques=list(rests.rubrics), last_day=day(rests.last_day),
            replaced_at=now if rests.replaced else None, recorded_by=self.by,
        )  # fmt: skip

    def write(self) -> None:
        for model in (Habilitation, Ceiling, Refusal, Consent, Opposition, SecretaryConsent, EmergencyAccess):
            model.objects.bulk_create(self.lines.get(model, []), batch_size=5_000)
        with connection.cursor() as cursor:
            # Without statistics, the planner takes tables just filled for empty ones.
            cursor.execute("ANALYZE")


def day(counted: int | None) -> dt.date | None:
    return None if counted is None else timezone.localdate() + dt.timedelta(days=counted)


def fill(wanted: list[c.Case]) -> Filled:
    accounts = {"vouched": UserFactory(), "unknown": UserFactory(), "suspended": UserFactory(suspended=True)}
    for name, ended in (("vouched", None), ("unknown", timezone.now())):
        VouchedProfession.objects.create(
            user=accounts[name], profession=DOCTOR, how="administrateur", ended_at=ended
        )  # fmt: skip
    by = accounts["unknown"]
    dossiers = Dossier.objects.bulk_create(dossier_row(rank, by) for rank in range(len(wanted)))
    others = {way: _other(way) for way in c.WAYS}
    filled = Filled(wanted, dossiers, accounts, others, {})
    filled.houses = {why: _house(why, accounts.values()) for why in (c.STANDS, c.STOOD, c.SHUT)}
    for way, principal in others.items():
        for user in accounts.values():
            filled.acting[way, user] = _acting(way, principal, user)
    made = Made(by)
    for case, dossier in zip(wanted, dossiers, strict=True):
        _fill(made, filled, case, dossier)
    made.write()
    return filled


def _fill(made: Made, filled: Filled, case: c.Case, dossier: Dossier) -> None:
    users, held = filled.accounts.values(), {}
    if case.own:
        held["own"] = [made.membership(case.own, dossier, user=user) for user in users]
    if case.house:
        held["house"] = [made.membership(case.house, dossier, structure=filled.houses[case.delegation])]
    for other in case.others:
        held["other"] = [made.membership(other.row, dossier, user=filled.others[other.way])]
        if other.agreed != c.NEVER and other.way.kind == "secretariat":
            for user in users:
                made.add(_agreed(other, dossier, filled.acting[other.way, user], made.by))
    if case.opposed:
        _oppose(made, filled, case, dossier, held)
    if case.emergency:
        for user in users:
            made.add(_emergency(case.emergency, dossier, user))


def _oppose(made: Made, filled: Filled, case: c.Case, dossier: Dossier, held: dict) -> None:
    opposed, principals = case.opposed, [filled.others[other.way] for other in case.others]
    before = c.Row("non", ended=True, rests=None)
    if opposed.whom == "former":
        held["former"] = [made.membership(before, dossier, user=user) for user in filled.accounts.values()]
    if opposed.whom == "other's former":
        held["other's former"] = [made.membership(before, dossier, user=user) for user in principals]
    spared = {"own": filled.accounts.values(), "other": principals}
    withdrawn = {"withdrawn_at": timezone.now(), "withdrawn_on": DAY} if opposed.withdrawn else {}
    for habilitation in held[opposed.whom] if opposed.whom else [None]:
        made.add(
            Opposition(
                dossier=dossier, habilitation=habilitation, rubrique=opposed.rubric, refused_on=DAY, collected="oral",
                spared=[user.pk for whom in opposed.spares for user in spared[whom]], recorded_by=made.by, **withdrawn,
            )
        )  # fmt: skip


def _agreed(other: c.Other, dossier: Dossier, acting: ActingFor, by: User) -> SecretaryConsent:
    back = {"withdrawn_on": DAY, "withdrawn_at": timezone.now(), "withdrawn_by": by, "withdrawn_collected": "oral"}
    return SecretaryConsent(
        dossier=dossier, acting=acting, given_on=DAY, collected="oral", recorded_by=by,
        **(back if other.agreed == c.TAKEN_BACK else {}),
    )  # fmt: skip


def _emergency(became: str, dossier: Dossier, user: User) -> EmergencyAccess:
    now, hour = timezone.now(), dt.timedelta(hours=1)
    left = {"closed_at": now, "closed_by": user} if became == c.LEFT else {}
    ends = now - hour if became == c.PAST else now + 12 * hour
    return EmergencyAccess(
        dossier=dossier, user=user, reason="vitale", detail="Malaise", opened_at=now - 2 * hour, ends_at=ends, **left
    )


def _house(why: str, users) -> Structure:
    house, now = StructureFactory(), timezone.now()
    LegalStructure.objects.create(structure=house, closed_at=now if why == c.SHUT else None)
    ended = now if why == c.STOOD else None
    Delegate.objects.bulk_create(Delegate(structure=house, user=user, ended_at=ended) for user in users)
    return house


def _other(way: c.Way) -> User:
    user = UserFactory(suspended=not way.active)
    VouchedProfession.objects.create(
        user=user, profession=way.profession, how="administrateur", ended_at=None if way.vouched else timezone.now()
    )
    return user


def _acting(way: c.Way, principal: User, user: User) -> ActingFor:
    now = timezone.now()
    return ActingFor.objects.create(
        kind=way.kind, principal=principal, substitute=user, called=user.email, first_day=day(way.first),
        last_day=day(way.last), rubriques=list(way.rubrics), accepted_at=now if way.accepted else None,
        ended_at=now if way.ended else None, ended_by=principal if way.ended else None,
    )  # fmt: skip
