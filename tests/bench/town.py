"""People and dossiers to measure on: one circle of thirty by the product's own actions, thousands of others in bulk.

All names are invented.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import product as every

from django.db import connection
from django.utils import timezone

from circle import actions
from circle.models import Change, Member, Period, RoleHolding
from coordination.accounts.models import User
from coordination.common.text import fold
from coordination.dossiers.door import Entry
from coordination.dossiers.models import Dossier
from habilitations.models import Consent, Habilitation, Refusal, StateChange
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

MEMBERS = 30
DOSSIERS = 2_000
READERS = 5
MEMBERS_ELSEWHERE = 6
FIRST = ("ARBRE", "BRUYÈRE", "CHÂTAIGNE", "DALLE", "ÉCORCE", "FOUGÈRE", "GRANIT", "HÊTRE", "IVRAIE", "LIERRE")
SECOND = ("DES VALLÉES", "DU PRÉ", "-ROCHE", "-SOURCE", "")
GIVEN = ("Jeanne", "Élise", "Hugo", "Nadège", "Paul", "Rose", "Yann", "Inès")
NAMES = list(every(FIRST, SECOND, GIVEN))


@dataclass(frozen=True)
class Town:
    """Who reads, and the circles of thirty he opens."""

    reader: User
    entries: tuple[Entry, ...]

    @property
    def entry(self) -> Entry:
        return self.entries[0]


def build(dossiers: int = DOSSIERS, circles: int = 1) -> Town:
    publish_default_matrix()
    readers = [make.coordinator(family_name=f"LECTRICE-{FIRST[n]}", given_name="Maëlle") for n in range(READERS)]
    add_dossiers(readers, dossiers)
    return Town(readers[0], tuple(circle_of_thirty(readers[0]) for _ in range(circles)))


def circle_of_thirty(reader: User) -> Entry:
    """Open a dossier whose circle holds every kind of member in every state; two more have left it."""
    entry = make.open_circle(reader)
    refusal = {"refused_on": timezone.localdate(), "collected": Refusal.Collected.ORAL, "comment": ""}
    doctor = make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul")
    make.add(entry, doctor.attachment.professional, role="PCP", wanted="oui")
    for rank in range(6):
        nurse = make.account(make.NURSE, family_name=f"INFIRMIER-{FIRST[rank]}")
        make.add(entry, nurse.attachment.professional, wanted="oui")
    for rank, (wanted, profession) in enumerate(every(("attente", "non", "refus"), (make.NURSE, "70", "21"))):
        someone = make.listed(profession, family_name=f"ANNUAIRE-{FIRST[rank]}")
        # « oui » for somebody without an account is « en attente ».
        asked = {"attente": "oui"}.get(wanted, wanted)
        make.add(entry, someone, wanted=asked, refusal=refusal if wanted == "refus" else None, discreet=rank == 3)
    for rank in range(4):
        make.by_hand(entry, family_name=f"MANUEL-{FIRST[rank]}", given_name=GIVEN[rank])
    for rank, role in enumerate(("CAREGIVER", "GUARD", "NOK", "ECON")):
        make.relative(entry, role=role, family_name=f"PROCHE-{FIRST[rank]}", given_name=GIVEN[rank])
    for rank in range(5):
        house = make.StructureFactory(name=f"SERVICE {FIRST[rank]}", phone="+33536492000", town="Albi")
        if rank < 2:
            house = make.legal_structure(make.account(make.SOCIAL), name=f"SSIAD {FIRST[rank]}", town="Albi")
        make.add_house(entry, house, wanted="oui" if rank < 2 else "non")
    for rank in (7, 8):
        left = make.add(entry, make.listed(family_name=f"PARTI-{FIRST[rank]}"))
        actions.remove_member(entry, left, reason=Period.EndReason.FIN)
    assert Period.objects.current().filter(dossier=entry.dossier).count() == MEMBERS
    return entry


def add_dossiers(readers: list[User], count: int, members: int = MEMBERS_ELSEWHERE) -> None:
    """Add dossiers in bulk, shared out between the readers, each with members."""
    made = [dossier_row(rank, readers[rank % len(readers)]) for rank in range(count)]
    Dossier.objects.bulk_create(made)
    opened = [
        Habilitation(dossier=d, user=d.created_by, state="oui", state_by=d.created_by,
                     professional=d.created_by.attachment.professional)
        for d in made
    ]  # fmt: skip
    Habilitation.objects.bulk_create(opened)
    carry(opened)
    rows = [
        Member(dossier=h.dossier, kind="annuaire", habilitation=h, professional=h.professional, created_by=h.user)
        for h in opened
    ]
    _put_in(rows, "REFERENT")
    for dossier in made:
        add_members(dossier, members - 1)


def carry(opened: list[Habilitation]) -> None:
    """Say on what each grant rests, in bulk."""
    today = timezone.localdate()
    Consent.objects.bulk_create(
        (Consent(dossier_id=h.dossier_id, habilitation=h, ground=Consent.Ground.RECOGNISED, starts_on=today)
         for h in opened),
        batch_size=5_000,
    )  # fmt: skip


def carry_all() -> None:
    """Say on what every grant rests that rests on nothing yet, in one statement: for great numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO habilitations_consent (id, dossier_id, habilitation_id, ground, starts_on,"
            ' information_version, collected, proof, rubriques, recorded_at, "end", ended_collected)'
            " SELECT gen_random_uuid(), h.dossier_id, h.id, 'reconnue', current_date, '', '', '', '{}', now(), '', ''"
            " FROM habilitations_habilitation h WHERE h.state = 'oui' AND NOT EXISTS ("
            "     SELECT 1 FROM habilitations_consent c WHERE c.dossier_id = h.dossier_id AND c.habilitation_id = h.id"
            " )"
        )


def add_members(dossier: Dossier, count: int) -> None:
    """Add relatives to a circle, in bulk."""
    closed = [Habilitation(dossier=dossier, state="non", state_by=dossier.created_by) for _ in range(count)]
    Habilitation.objects.bulk_create(closed)
    rows = []
    for rank, habilitation in enumerate(closed):
        first, second, given = NAMES[rank % len(NAMES)]
        rows.append(
            Member(dossier=dossier, kind="aidant", habilitation=habilitation, family_name=f"{first}{second}",
                   given_name=given, mobile="+33639982055", relation="DAUC", created_by=dossier.created_by)
        )  # fmt: skip
    _put_in(rows, "ECON")


def _put_in(rows: list[Member], role: str) -> None:
    today = timezone.localdate()
    Member.objects.bulk_create(rows)
    Period.objects.bulk_create(
        Period(dossier=m.dossier, member=m, starts_on=today - dt.timedelta(days=40), started_by=m.created_by)
        for m in rows
    )
    RoleHolding.objects.bulk_create(
        RoleHolding(dossier=m.dossier, member=m, role=role, exclusive=False, starts_on=today, given_by=m.created_by)
        for m in rows
    )
    Change.objects.bulk_create(
        Change(dossier=m.dossier, member=m, by=m.created_by, kind=Change.Kind.ADDED) for m in rows
    )
    StateChange.objects.bulk_create(
        StateChange(dossier=m.dossier, habilitation=m.habilitation, by=m.created_by, before="attente", after="non")
        for m in rows
        if m.kind == "aidant" and m.habilitation.state == "non"
    )


def dossier_row(rank: int, creator: User) -> Dossier:
    first, second, given = NAMES[rank % len(NAMES)]
    family = f"{first}{second}"
    born = dt.date(1930, 1, 1) + dt.timedelta(days=rank * 11 % 25_000)
    return Dossier(
        birth_name=family, birth_given_names=given, first_given_name=given, sex="female", birth_date=born,
        motif=Dossier.Motif.DOMICILE, status=Dossier.Status.ACTIF, status_on=timezone.localdate(), town="Carmaux",
        postal_code="81400", commune_code="81060", created_by=creator, search_birth_name=fold(family),
        search_name=f" {fold(family)} {fold(given)}", sort_name=fold(f"{family} {given}"),
    )  # fmt: skip
