"""What is always true of people, of their circle, of those invited."""

from __future__ import annotations

import uuid

from django.utils import timezone

from circle import actions as circle
from circle.models import Circle, CircleVersion, Invitation, Member, Period, PlannedStay, RoleHolding
from circle.roles import PCP
from coordination.accounts import actions as accounts
from coordination.accounts.models import Draft, User
from coordination.dossiers.actions import create_dossier
from coordination.dossiers.models import Dossier, IdentityVersion
from tests.circle import factories as make
from tests.dossiers.factories import DossierFactory
from tests.invariants.attacks import Attack, Invariant, changes, inserts
from tests.invariants.world import DAY, TODAY, World

INS, OID = "269054958815780", "1.2.250.1.213.1.4.10"


def professional_twice(w: World) -> Attack:
    dossier, someone = w.dossier(), make.listed()
    habilitations = [w.habilitation(dossier) for _ in range(32)]
    said = {"kind": "annuaire", "professional": someone, "family_name": "", "mobile": ""}
    return inserts(
        lambda i: w.draft_relative(habilitations[i], **said), Member.objects.filter(dossier=dossier)
    )  # fmt: skip


def professional_twice_by_the_act(w: World) -> Attack:
    entry, someone = w.entry(), make.listed()
    return Attack(lambda _: make.add(entry, someone), Member.objects.filter(professional=someone))


def structure_twice(w: World) -> Attack:
    dossier, house = w.dossier(), w.structure()
    habilitations = [w.habilitation(dossier) for _ in range(32)]
    said = {"kind": "structure", "structure": house, "family_name": "", "mobile": ""}
    return inserts(lambda i: w.draft_relative(habilitations[i], **said), Member.objects.filter(dossier=dossier))


def structure_twice_by_the_act(w: World) -> Attack:
    entry, house = w.entry(), w.structure()
    return Attack(lambda _: make.add_house(entry, house), Member.objects.filter(structure=house))


def habilitation_of_two_members(w: World) -> Attack:
    row = w.habilitation()
    return inserts(lambda _: w.draft_relative(row), Member.objects.filter(habilitation=row))


def member_made_twice(w: World) -> Attack:
    dossier, key = w.dossier(), uuid.uuid4()
    habilitations = [w.habilitation(dossier) for _ in range(32)]
    return inserts(
        lambda i: w.draft_relative(habilitations[i], creation_key=key), Member.objects.filter(dossier=dossier)
    )


def member_made_twice_by_the_act(w: World) -> Attack:
    """The second one is answered with what the first one made."""
    entry, key = w.entry(), uuid.uuid4()
    return Attack(
        lambda _: make.relative(entry, creation_key=key), Member.objects.filter(creation_key=key), allowed=32
    )  # fmt: skip


def of_a_relative(**values):
    return lambda w: changes(Member.objects.filter(pk=w.relative().pk), **values)


def stay_twice(w: World) -> Attack:
    member = w.relative()
    return inserts(lambda i: w.stay(member, starts_on=TODAY() - i * DAY), Period.objects.filter(member=member))


def of_a_stay(*, lasting: int, **values):
    """A stay from today that ends so many days later."""

    def attack(w: World) -> Attack:
        stay = w.stay(w.relative())
        stay.save()
        return changes(Period.objects.filter(pk=stay.pk), ends_on=stay.starts_on + lasting * DAY, **values)

    return attack


def holding(w: World, member: Member, role: str, **fields) -> RoleHolding:
    said = {"dossier_id": member.dossier_id, "member": member, "role": role, "starts_on": TODAY()}
    return RoleHolding(**said | {"exclusive": True, "given_by": w.author} | fields)


def unique_role_twice(w: World) -> Attack:
    dossier = w.dossier()
    members = [w.relative(dossier) for _ in range(32)]
    return inserts(lambda i: holding(w, members[i], "COOR"), RoleHolding.objects.filter(dossier=dossier))


def unique_role_twice_by_the_act(w: World) -> Attack:
    entry = w.entry()
    members = [make.add(entry, make.listed(make.DOCTOR)) for _ in range(8)]
    standing = RoleHolding.objects.filter(dossier=entry.dossier, role=PCP)
    # He who has it may be given it again: eight members, four times each.
    return Attack(lambda i: circle.change_role(entry, members[i % 8], role=PCP), standing, allowed=4)


def two_roles_at_once(w: World) -> Attack:
    member = w.relative()
    return inserts(
        lambda i: holding(w, member, f"ROLE{i}", exclusive=False), RoleHolding.objects.filter(member=member)
    )  # fmt: skip


def plan(w: World, member: Member, **fields) -> PlannedStay:
    said = {"dossier_id": member.dossier_id, "member": member, "starts_on": TODAY() + DAY, "planned_by": w.author}
    return PlannedStay(**said | fields)


def two_departures(w: World) -> Attack:
    member = w.relative()
    stay = w.stay(member, starts_on=TODAY() - 40 * DAY)
    stay.save()
    return inserts(
        lambda i: plan(
            w, member, period=stay, starts_on=stay.starts_on, ends_on=TODAY() + (i + 1) * DAY, reason="fin"
        ),
        PlannedStay.objects.filter(member=member),
    )


def two_arrivals(w: World) -> Attack:
    member = w.relative()
    return inserts(
        lambda i: plan(w, member, starts_on=TODAY() + (i + 1) * DAY), PlannedStay.objects.filter(member=member)
    )  # fmt: skip


def circle_twice(w: World) -> Attack:
    dossier = w.dossier()
    return inserts(
        lambda _: Circle(dossier=dossier, changed_at=timezone.now()), Circle.objects.filter(dossier=dossier)
    )  # fmt: skip


def version_rewritten(w: World) -> Attack:
    return changes(CircleVersion.objects.filter(dossier=w.entry().dossier), facts={"faux": True})


def invitation(w: World, **fields) -> Invitation:
    now = timezone.now()
    said = {"email": "invite@ms-exemple.example", "family_name": "EXEMPLE", "invited_by": w.author}
    return Invitation(**said | {"sent_at": now, "expires_at": now + 7 * DAY} | fields)


def member_invited_twice(w: World) -> Attack:
    member = w.relative()
    return inserts(
        lambda _: invitation(w, dossier_id=member.dossier_id, member=member), Invitation.objects.filter(member=member)
    )


def member_invited_twice_by_the_act(w: World) -> Attack:
    entry = w.entry()
    member = make.add(entry, wanted="oui")
    return Attack(
        lambda i: circle.invite_member(entry, member, email=f"adresse{i}@ms-exemple.example"),
        Invitation.objects.filter(member=member),
    )


def colleague_invited_twice(w: World) -> Attack:
    """However the address is written."""
    by = make.coordinator()
    said = ["neuf@ms-exemple.example", "Neuf@ms-exemple.example", "NEUF@MS-EXEMPLE.EXAMPLE"]
    return inserts(
        lambda i: invitation(w, email=said[i % 3], invited_by=by), Invitation.objects.filter(invited_by=by)
    )  # fmt: skip


def of_an_accepted_invitation(**values):
    def attack(w: World) -> Attack:
        row = invitation(w, accepted_at=timezone.now(), accepted_by=w.user(), email=f"{uuid.uuid4()}@ms.example")
        row.save()
        return changes(Invitation.objects.filter(pk=row.pk), **values)

    return attack


def ins_twice(w: World) -> Attack:
    dossiers = [w.dossier() for _ in range(32)]
    standing = Dossier.objects.filter(ins_matricule=INS, ins_oid=OID)
    return Attack(
        lambda i: Dossier.objects.filter(pk=dossiers[i].pk).update(ins_matricule=INS, ins_oid=OID), standing
    )  # fmt: skip


def of_a_dossier(**values):
    return lambda w: changes(Dossier.objects.filter(pk=w.dossier().pk), **values)


def dossier_made_twice(w: World) -> Attack:
    key = uuid.uuid4()
    rows = [DossierFactory.build(created_by=w.author, creation_key=key) for _ in range(32)]
    return inserts(lambda i: rows[i], Dossier.objects.filter(creation_key=key))


def dossier_made_twice_by_the_act(w: World) -> Attack:
    key, traits = uuid.uuid4(), make.TRAITS | {"birth_name": f"EXEMPLE{uuid.uuid4().hex[:8]}"}
    return Attack(
        lambda _: create_dossier(by=w.author, creation_key=key, traits=traits, contacts={}, motif="domicile"),
        Dossier.objects.filter(creation_key=key), allowed=32,
    )  # fmt: skip


def identity_kept_twice(w: World) -> Attack:
    dossier = w.dossier()
    said = {"birth_name": "EXEMPLE", "birth_given_names": "Jeanne", "sex": "female", "birth_date": TODAY()}
    return inserts(
        lambda _: IdentityVersion(dossier=dossier, version=1, reason="essai", **said),
        IdentityVersion.objects.filter(dossier=dossier),
    )


def address_twice(w: World) -> Attack:
    name = uuid.uuid4().hex
    said = [f"{name}@cabinet.example", f"{name}@Cabinet.example", f"{name.upper()}@CABINET.EXAMPLE"]
    return inserts(
        lambda i: User(email=said[i % 3], family_name="SPÉCIMEN", given_name="Inès"),
        User.objects.filter(email__iexact=said[0]),
    )


def address_twice_by_the_act(w: World) -> Attack:
    email = f"{uuid.uuid4().hex}@cabinet.example"
    return Attack(
        lambda _: accounts.create_account(email=email, family_name="SPÉCIMEN", given_name="Inès", by=w.administrator),
        User.objects.filter(email=email),
    )


def draft_twice(w: World) -> Attack:
    user, about = w.user(), uuid.uuid4()
    return inserts(
        lambda _: Draft(user=user, form_key="membre", object_id=about, content="scellé"),
        Draft.objects.filter(user=user),
    )


INVARIANTS = [
    Invariant("Une personne n’a qu’un cercle de soins.", ("one_circle_per_dossier",), circle_twice),
    Invariant("Ce que disait un cercle à une date ne se réécrit pas.", ("circle_version_is_written",),
              version_rewritten),
    Invariant("Un professionnel de l’annuaire n’est qu’une fois dans un cercle.", ("professional_once_per_circle",),
              professional_twice, professional_twice_by_the_act),
    Invariant("Une structure n’est qu’une fois dans un cercle.", ("structure_once_per_circle",), structure_twice,
              structure_twice_by_the_act),
    Invariant("Une habilitation est celle d’un seul membre.", ("one_habilitation_per_member",),
              habilitation_of_two_members),
    Invariant("Un ajout envoyé plusieurs fois ne fait qu’un membre.", ("member_created_once",), member_made_twice,
              member_made_twice_by_the_act),
    Invariant("Un membre est ce que dit sa nature : de l’annuaire, structure, saisi à la main ou aidant.",
              ("member_is_what_its_kind_says",), of_a_relative(kind="structure")),
    Invariant("Qui n’est pas de l’annuaire peut être joint.", ("member_can_be_reached",), of_a_relative(mobile="")),
    Invariant("Un membre n’est pas présent deux fois le même jour.", ("member_periods_do_not_overlap",), stay_twice),
    Invariant("Un membre ne sort pas du cercle avant d’y être entré.", ("period_ends_after_it_starts",),
              of_a_stay(lasting=-1, end_reason="fin")),
    Invariant("Une sortie du cercle a un motif.", ("ended_period_has_a_reason",), of_a_stay(lasting=0)),
    Invariant("Un rôle unique n’est tenu que par une personne à la fois.", ("unique_role_has_one_holder",),
              unique_role_twice, unique_role_twice_by_the_act),
    Invariant("Un membre ne tient qu’un rôle à la fois.", ("member_holds_one_role_at_a_time",), two_roles_at_once),
    Invariant("Un membre n’a qu’un départ prévu.",
              ("one_planned_end_per_stay", "planned_stays_do_not_overlap"), two_departures),
    Invariant("Les présences prévues d’un membre ne se chevauchent pas.", ("planned_stays_do_not_overlap",),
              two_arrivals),
    Invariant("Un membre n’a qu’une invitation en cours.", ("one_open_invitation_per_member",), member_invited_twice,
              member_invited_twice_by_the_act),
    Invariant("On n’invite pas deux fois la même adresse, quelle que soit sa casse.",
              ("one_open_invitation_per_colleague",), colleague_invited_twice),
    Invariant("Une invitation est acceptée, refusée ou annulée, une seule fois.", ("invitation_is_closed_once",),
              of_an_accepted_invitation(refused_at=timezone.now())),
    Invariant("Une invitation acceptée l’est par un compte.", ("accepted_invitation_has_an_account",),
              of_an_accepted_invitation(accepted_by=None)),
    Invariant("Un matricule INS n’est que d’un dossier.", ("dossier_ins_unique",), ins_twice),
    Invariant("Une identité qualifiée a son matricule, et n’est ni douteuse ni fictive.",
              ("qualified_identity_is_sound",), of_a_dossier(identity_status="QUAL")),
    Invariant("Un dossier clôturé a un motif.", ("closed_dossier_has_a_reason",), of_a_dossier(status="clos")),
    Invariant("Une création de dossier envoyée plusieurs fois ne fait qu’un dossier.",
              ("dossiers_dossier_creation_key_key",), dossier_made_twice, dossier_made_twice_by_the_act,
              is_told=False),
    Invariant("Chaque ancienne identité n’est gardée qu’une fois.", ("identity_version_unique",), identity_kept_twice,
              is_told=False),
    Invariant("Une adresse e-mail n’est que d’un compte, quelle que soit sa casse.",
              ("user_email_unique_whatever_case", "accounts_user_email_key"), address_twice,
              address_twice_by_the_act, is_told=False),
    Invariant("Un compte est ouvert, ou bien suspendu ou fermé à une date.",
              ("user_active_unless_suspended_or_closed",),
              lambda w: changes(User.objects.filter(pk=w.user().pk), is_active=False)),
    Invariant("Un formulaire en cours n’a qu’un brouillon par personne.", ("draft_one_per_form_and_object",),
              draft_twice),
]  # fmt: skip
