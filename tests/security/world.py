"""One account per profile of the matrix, one dossier per situation, and the accounts that are nobody's carers.

An account has the same situation in a dossier whatever its profile: the dossier is the situation.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from circle import actions, links
from circle.models import Invitation, Member
from coordination.accounts.models import User
from coordination.directory.models import AttachmentOffer, Structure
from coordination.dossiers.door import Entry
from coordination.dossiers.models import Dossier
from habilitations import defaults, published
from habilitations.actions import name_administrator, name_officer, publish_matrix
from habilitations.models import (
    AccessQuestion,
    AccessRequest,
    DataProtectionOfficer,
    Delegate,
    Habilitation,
    VouchedProfession,
)
from tests.circle import factories as make
from tests.dossiers.factories import habilitation
from tests.security import matrix_read_apart as apart

# Inside: with all that the profession gives, by a structure, and in a dossier that is read-only.
GRANTED, DELEGATE, READ_ONLY = "habilité", "délégué", "habilité, dossier clos"
# Outside: asked for, never answered, refused by the person, over, past its last day, never there.
AWAITING, NOT_GRANTED, REFUSED, ENDED = "en attente", "non habilité", "refusé", "terminé"
PAST, OUTSIDER = "dernier jour passé", "étranger"
INSIDE = (GRANTED, DELEGATE, READ_ONLY)
OUTSIDE = (AWAITING, NOT_GRANTED, REFUSED, ENDED, PAST, OUTSIDER)
SITUATIONS = INSIDE + OUTSIDE
# Who is nobody's carer.
ANONYMOUS, ADMINISTRATOR, OFFICER, LOOKS_AFTER = "visiteur", "administrateur", "délégué données", "admin structure"
SUSPENDED = "compte suspendu"
# Whose offer, session and drafts they are.
OWNER = "coordinateur_sante"
REFUSAL = {"refused_on": dt.date(2026, 1, 1), "collected": "oral", "comment": ""}


@dataclass
class Place:
    """A dossier, and what the addresses of its pages need.

    `member`: habilitated, with an account; `hidden`: discreet; `typed`: by hand; `closed`: an account, no access;
    `refused`: the person refuses; `gone`: removed today; `free`: waits for an account, not invited.
    """

    entry: Entry
    member: Member
    hidden: Member
    typed: Member
    closed: Member
    refused: Member
    gone: Member
    free: Member
    request: AccessRequest
    invitation: Invitation

    @property
    def dossier(self) -> Dossier:
        return self.entry.dossier


@dataclass
class World:
    house: Structure
    local: Structure
    colleague: Invitation
    offer: AttachmentOffer | None = None
    question: AccessQuestion | None = None
    officer: DataProtectionOfficer | None = None
    people: dict[str, User] = field(default_factory=dict)
    staff: User | None = None
    apart: dict[str, User | None] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    listed: object = None


def publish() -> None:
    """Publish the shipped matrix, with a made-up code for each profile that no profession leads to."""
    published.forget()
    shipped = defaults.load()
    rules = dict(shipped.profile_rules) | apart.made_up()
    publish_matrix(shipped.levels, shipped.action_rights, rules, by=None, reason="Tests")


def build(profiles=tuple(apart.LEVELS), prepare: Callable[[Entry], object] = lambda entry: None) -> World:
    """Make the world. Everything by the product's actions, but the states that one reaches in weeks.

    `prepare` adds what a module needs in each dossier, while it is still written.
    """
    publish()
    creator = make.coordinator(family_name="CRÉATRICE", given_name="Maëlle")
    house = make.legal_structure(name="Service Exemple")
    local = make.StructureFactory(name="Foyer Exemple")
    colleague = actions.invite_colleague(
        by=creator, email="confrere@ms-exemple.example", family_name="Calque", given_name="Nina",
        profession=make.NURSE, creation_key=uuid.uuid4(),
    )  # fmt: skip
    world = World(house=house, local=local, colleague=colleague, listed=make.listed())
    for profile in profiles:
        world.people[profile] = _account(profile)
    Delegate.objects.bulk_create(Delegate(structure=house, user=user) for user in world.people.values())
    doctor = make.account(make.DOCTOR, family_name="CIBLE", given_name="Paul")
    nurses = [make.account() for _ in range(3)]
    for situation in SITUATIONS:
        world.places[situation] = _place(creator, doctor, nurses, situation, world, prepare)
    _others(world)
    return world


def _account(profile: str) -> User:
    """Return an account of the directory, vouched for: also by the codes that only this world knows."""
    profession, fonction = apart.profession_of(profile)
    family = f"ACTEUR-{profile}".upper().replace("_", "-")
    user = make.account(profession, fonction, vouched=False, family_name=family, given_name="Sam")
    VouchedProfession.objects.create(user=user, profession=profession, fonction=fonction, how="administrateur")
    return user


def _place(creator: User, doctor: User, nurses: list[User], situation: str, world: World, prepare) -> Place:
    entry = make.open_circle(creator)
    member = make.add(entry, doctor.attachment.professional, wanted="oui")
    hidden = make.add(entry, make.listed(family_name="DISCRÈTE"), discreet=True)
    typed = make.by_hand(entry, family_name="SAISIE")
    closed = make.add(entry, nurses[0].attachment.professional)
    refused = make.add(entry, nurses[1].attachment.professional, wanted="refus", refusal=REFUSAL)
    gone = make.add(entry, nurses[2].attachment.professional, wanted="oui")
    actions.remove_member(entry, gone, reason="fin")
    free = make.add(entry, make.listed(), wanted="oui")
    waiting = make.add(
        entry, make.listed(), wanted="oui", invitation={"email": "invitee@ms-exemple.example", "message": ""}
    )
    asked = AccessRequest.objects.create(
        dossier=entry.dossier, habilitation=member.habilitation, user=doctor, rubrique="psychologique"
    )
    prepare(entry)
    if situation == DELEGATE:
        make.add_house(entry, world.house, wanted="oui")
    elif situation != OUTSIDER:
        for user in world.people.values():
            _stand(user, entry.dossier, situation)
    if situation == READ_ONLY:
        Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin")
        entry.dossier.refresh_from_db()
    return Place(
        entry, member, hidden, typed, closed, refused, gone, free, asked, Invitation.objects.get(member=waiting)
    )


def _stand(user: User, dossier: Dossier, situation: str) -> Habilitation:
    """Give an account its row in a dossier."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    state = {AWAITING: "attente", NOT_GRANTED: "non", REFUSED: "refus"}.get(situation, "oui")
    return habilitation(
        dossier, state, user=user, state_by=dossier.created_by,
        ended_at=timezone.now() if situation == ENDED else None,
        access_until=yesterday if situation == PAST else None,
    )  # fmt: skip


def _others(world: World) -> None:
    administrator = make.UserFactory(administrator=True, family_name="GESTION", given_name="Camille")
    officer = make.UserFactory(family_name="GABARIT", given_name="Denis")
    world.officer = name_officer(officer, by=administrator)
    # Of a profession that opens nothing: what she may do comes from the structure alone.
    keeper = make.account("26", structure=world.local, family_name="GARDIENNE", given_name="Léa")
    name_administrator(world.local, keeper, by=administrator)
    world.staff = make.account(structure=world.local)
    world.apart = {
        ANONYMOUS: None,
        SUSPENDED: make.UserFactory(suspended=True),
        ADMINISTRATOR: administrator,
        OFFICER: officer,
        LOOKS_AFTER: keeper,
    }
    if OWNER in world.people:
        owner = world.people[OWNER]
        world.question = AccessQuestion.objects.create(
            dossier=world.places[GRANTED].dossier, trace_id=uuid.UUID(int=4), trace_at=timezone.now(),
            action="lecture", user=owner, asked_by=keeper,
        )  # fmt: skip
        world.offer = AttachmentOffer.objects.create(
            structure=world.local, user=owner, email=owner.email, family_name=owner.family_name,
            given_name=owner.given_name, profession=make.NURSE, offered_by=keeper,
        )  # fmt: skip


def link_of(invitation: Invitation) -> str:
    """Return the signed part of the address of an invitation, as its letter gives it."""
    return links.token_of(invitation, links.MAILED)
