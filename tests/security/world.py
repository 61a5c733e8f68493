"""One account per profile of the matrix, one dossier per situation, and the accounts that are nobody's carers.

An account has the same situation in a dossier whatever its profile: the dossier is the situation.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from agenda import links as meeting_links
from agenda.actions.appointments import Facts, create_appointment
from agenda.actions.attending import Who
from agenda.actions.feeds import open_feed
from agenda.models import Appointment, Participation, Proposal, Room
from circle import actions, links
from circle.models import Invitation, Member
from coordination.accounts.models import User
from coordination.directory.models import AttachmentOffer, Structure
from coordination.dossiers.door import Entry
from coordination.dossiers.models import Dossier
from coordination.partners.models import Partner, Relay, State
from habilitations import defaults, published
from habilitations.actions import (
    close_profile,
    create_profile,
    create_rubric,
    name_administrator,
    name_officer,
    publish_matrix,
    register_client,
    withdraw_rubric,
)
from habilitations.models import (
    AccessQuestion,
    AccessRequest,
    ActingFor,
    Consent,
    DataProtectionOfficer,
    Delegate,
    EmergencyAccess,
    Habilitation,
    Opposition,
    SecretaryConsent,
    SoftwareClient,
    VouchedProfession,
)
from tests.circle import factories as make
from tests.dossiers.factories import habilitation
from tests.partners.factories import PartnerFactory, RelayFactory
from tests.security import matrix_read_apart as apart

# Inside: with all that the profession gives, by a structure, and in a dossier that is read-only.
GRANTED, DELEGATE, READ_ONLY = "habilité", "délégué", "habilité, dossier clos"
# Outside: asked for, never answered, refused by the person, over, past its last day, never there.
AWAITING, NOT_GRANTED, REFUSED, ENDED = "en attente", "non habilité", "refusé", "terminé"
PAST, OUTSIDER = "dernier jour passé", "étranger"
# Inside with less: a rubric that the person opposes, for another, in an emergency.
OPPOSED, STAND_IN, SECRETARY, EMERGENCY = "rubrique refusée", "remplaçant", "secrétaire", "accès d’urgence"
# Outside: granted, and nothing carries the grant; the person went back on what she agreed to.
NO_GROUND, TAKEN_BACK = "habilité sans fondement", "accord retiré"
OUTSIDE = (AWAITING, NOT_GRANTED, REFUSED, ENDED, PAST, OUTSIDER, NO_GROUND, TAKEN_BACK)
# Every profile is asked in these; a few, those that tell one from the other, in the others.
WHOLE = (GRANTED, DELEGATE, READ_ONLY)
WITH_FEW = (OPPOSED, STAND_IN, SECRETARY, EMERGENCY, *OUTSIDE)
FEW = ("coordinateur_sante", "medecin", "assistant_social", "benevole", "inconnu")
INSIDE = (GRANTED, DELEGATE, READ_ONLY, OPPOSED, STAND_IN, SECRETARY, EMERGENCY)
SITUATIONS = WHOLE + WITH_FEW
# Of whom one acts for, and what a secretary was given: he keeps to it, whatever his profession.
FOR_ANOTHER, PRINCIPAL = (STAND_IN, SECRETARY), "infirmier"
CHOSEN = ("identite", "cercle", "liaison", "medical")
RUBRICS = tuple(apart.LEVELS[PRINCIPAL])
MOST: dict[str, dict[str, int]] = {
    OPPOSED: {"medical": 0},
    SECRETARY: {rubric: 0 for rubric in RUBRICS if rubric not in CHOSEN},
    # Rule 9: reading, of three rubrics.
    EMERGENCY: {rubric: int(rubric in ("identite", "medical", "documents_medicaux")) for rubric in RUBRICS},
}
# Who is nobody's carer.
ANONYMOUS, ADMINISTRATOR, OFFICER, LOOKS_AFTER = "visiteur", "administrateur", "délégué données", "admin structure"
SUSPENDED = "compte suspendu"
APART = (ANONYMOUS, SUSPENDED, ADMINISTRATOR, OFFICER, LOOKS_AFTER)
# Whose offer, session and drafts they are.
OWNER = "coordinateur_sante"
# Of the catalogue, and out of use: nobody's profession, nobody's rubric.
CLOSED_PROFILE, WITHDRAWN_RUBRIC = "profil_ferme", "rubrique_retiree"
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
    # To one rubric, for the member typed by hand: closes nothing to anybody of the table.
    opposition: Opposition
    # Told by the person: who reads her agenda sees it, and the member, who is invited.
    appointment: Appointment
    # The same, its time put to the vote; who was typed by hand is invited by a personal link.
    meeting: Appointment

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
    room: Room | None = None
    partner: Partner | None = None
    relay: Relay | None = None
    client: SoftwareClient | None = None
    # What waits for the owner's answer.
    asked: ActingFor | None = None
    # The secret of the address of a doctor's agenda, who is invited in every dossier; it tells types of appointments.
    feed: str = ""
    people: dict[str, User] = field(default_factory=dict)
    # Who opens the dossiers and fills their circles: a coordinator, a doctor, three nurses.
    carers: tuple[User, ...] = ()
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


def build(
    profiles=tuple(apart.LEVELS), situations=SITUATIONS, prepare: Callable[[Entry], object] = lambda entry: None
) -> World:
    """Make the world. Everything by the product's actions, but the states that one reaches in weeks.

    `situations`: the dossiers that are made at once, GRANTED among them; `settle` makes another when it is asked for.
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
    world.carers = (creator, doctor, *nurses)
    world.feed = open_feed(doctor, level="neutre")[1]
    for situation in situations:
        world.places[situation] = settle(world, situation, prepare)
    _others(world)
    # Read before anybody asks: the first request would otherwise send statements that its twin does not.
    published.current()
    return world


def _account(profile: str) -> User:
    """Return an account of the directory, vouched for: also by the codes that only this world knows."""
    profession, fonction = apart.profession_of(profile)
    family = f"ACTEUR-{profile}".upper().replace("_", "-")
    user = make.account(profession, fonction, vouched=False, family_name=family, given_name="Sam")
    VouchedProfession.objects.create(user=user, profession=profession, fonction=fonction, how="administrateur")
    return user


def settle(world: World, situation: str, prepare: Callable[[Entry], object] = lambda entry: None) -> Place:
    """Make the dossier of a situation, where each account of the world stands in that situation."""
    creator, doctor, *nurses = world.carers
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
    appointment, meeting = _appointment(entry, member), _meeting(entry, member, typed)
    prepare(entry)
    if situation == DELEGATE:
        make.add_house(entry, world.house, wanted="oui")
    elif situation in FOR_ANOTHER:
        _act_for_another(list(world.people.values()), entry.dossier, situation)
    elif situation == EMERGENCY:
        now = timezone.now()
        for user in world.people.values():
            EmergencyAccess.objects.create(
                dossier=entry.dossier, user=user, reason="vitale", detail="Malaise", opened_at=now,
                ends_at=now + dt.timedelta(hours=2),
            )  # fmt: skip
    elif situation != OUTSIDER:
        for user in world.people.values():
            _stand(user, entry.dossier, situation)
    opposed = _oppose(entry.dossier, creator, habilitation=typed.habilitation, rubrique="plan")
    if situation == OPPOSED:
        _oppose(entry.dossier, creator, rubrique="medical")
    if situation == READ_ONLY:
        Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin")
        entry.dossier.refresh_from_db()
    return Place(
        entry, member, hidden, typed, closed, refused, gone, free, asked, Invitation.objects.get(member=waiting),
        opposed, appointment, meeting,
    )  # fmt: skip


def _meeting(entry: Entry, member: Member, typed: Member) -> Appointment:
    """Return a meeting to be fixed: rows, since the same hour in fifteen dossiers would be held once."""
    made = _appointment(entry, member, kind="reunion")
    starts_at, ends_at = made.starts_at, made.ends_at
    Appointment.objects.filter(pk=made.pk).update(starts_at=None, ends_at=None, answer_by=starts_at)
    Proposal.objects.create(dossier=entry.dossier, appointment=made, starts_at=starts_at, ends_at=ends_at)
    # Written to where the circle says today.
    Member.objects.filter(pk=typed.pk).update(email="saisie@ms-exemple.example")
    Participation.objects.create(
        dossier=entry.dossier, appointment=made, key=typed.pk, member=typed, email="saisie@ms-exemple.example"
    )
    made.refresh_from_db()
    return made


def _appointment(entry: Entry, member: Member, kind: str = "rendez_vous") -> Appointment:
    starts_at = timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=5)
    facts = Facts(
        kind=kind, starts_at=starts_at, ends_at=starts_at + dt.timedelta(hours=1), zone="Europe/Paris",
        title="Bilan", all_day=False,
    )  # fmt: skip
    # Asked: the same hour in fifteen dossiers would be refused.
    return create_appointment(
        entry, facts, Who([member.pk], me=True), creation_key=uuid.uuid4(), ask=True, on_behalf=True
    )


def _stand(user: User, dossier: Dossier, situation: str) -> Habilitation:
    """Give an account its row in a dossier."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    state = {AWAITING: "attente", NOT_GRANTED: "non", REFUSED: "refus"}.get(situation, "oui")
    made = habilitation(
        dossier, state, user=user, state_by=dossier.created_by,
        ended_at=timezone.now() if situation == ENDED else None,
        access_until=yesterday if situation == PAST else None,
    )  # fmt: skip
    if situation == NO_GROUND:
        Consent.objects.filter(habilitation=made).delete()
    if situation == TAKEN_BACK:
        today = timezone.localdate()
        Consent.objects.filter(habilitation=made).update(end="retrait", ended_on=today, ended_at=timezone.now())
    return made


def _oppose(dossier: Dossier, by: User, **what) -> Opposition:
    day = timezone.localdate()
    return Opposition.objects.create(dossier=dossier, refused_on=day, collected="oral", recorded_by=by, **what)


def _act_for_another(people: list[User], dossier: Dossier, situation: str) -> None:
    """Let each act for a nurse who is in this dossier and in no other."""
    nurse, today, now = make.account(), timezone.localdate(), timezone.now()
    habilitation(dossier, "oui", user=nurse, state_by=dossier.created_by)
    kind = {"kind": "secretariat", "rubriques": list(CHOSEN)} if situation == SECRETARY else {"kind": "remplacement"}
    for user in people:
        acting = ActingFor.objects.create(
            **kind, principal=nurse, substitute=user, called=user.email, first_day=today, accepted_at=now,
            last_day=today + dt.timedelta(days=5),
        )  # fmt: skip
        if situation == SECRETARY:
            SecretaryConsent.objects.create(
                dossier=dossier, acting=acting, given_on=today, collected="oral", recorded_by=dossier.created_by
            )


def _others(world: World) -> None:
    administrator = make.UserFactory(administrator=True, family_name="GESTION", given_name="Camille")
    officer = make.UserFactory(family_name="GABARIT", given_name="Denis")
    world.officer = name_officer(officer, by=administrator)
    world.partner = PartnerFactory(created_by=administrator)
    world.relay = RelayFactory(partner=world.partner, asked_by=administrator, state=State.ECHEC)
    world.client, _ = register_client(
        world.local, name="Logiciel Exemple", contact="support@logiciel.example", scopes=["system/CareTeam.rs"],
        by=administrator,
    )  # fmt: skip
    create_profile(code=CLOSED_PROFILE, label="Métier d’autrefois", by=administrator)
    close_profile(CLOSED_PROFILE, by=administrator)
    create_rubric(code=WITHDRAWN_RUBRIC, label="Volet d’autrefois", group="echanges", icon="folder", by=administrator)
    withdraw_rubric(WITHDRAWN_RUBRIC, by=administrator)
    # Of a profession that opens nothing: what she may do comes from the structure alone.
    keeper = make.account("26", structure=world.local, family_name="GARDIENNE", given_name="Léa")
    name_administrator(world.local, keeper, by=administrator)
    world.room = Room.objects.create(structure=world.local, name="Salle du rez-de-chaussée")
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
        today = timezone.localdate()
        world.asked = ActingFor.objects.create(
            kind="remplacement", principal=world.staff, substitute=owner, called=owner.email, first_day=today,
            last_day=today,
        )  # fmt: skip
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


def link_to_meeting(place: Place) -> str:
    """Return the signed part of the address by which a participant without an account answers."""
    return meeting_links.token_of(place.meeting.participations.exclude(email="").get(user=None))
