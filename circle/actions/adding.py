"""The five ways into a circle, and the creation of a dossier, which puts its creator there."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from circle import duplicates, presence, roles
from circle import fields as sheet
from circle.actions.answering import answer_arrival
from circle.actions.assigning import give_first_role, give_role
from circle.actions.common import KIND, account_of, already_there, entry_kept, lock_circle, overtake_arrivals, record
from circle.actions.inviting import invite_member
from circle.actions.limiting import carry_oppositions
from circle.actions.resending import made_by
from circle.errors import CreatorNotInDirectory, DateNotPossible, LooksLikeDirectory, LooksLikeMember
from circle.history import CREATION
from circle.models import Change, Member, Period
from coordination.common.resending import other_answers, require_same
from coordination.common.text import seen
from coordination.directory import actions as directory
from coordination.directory.models import Activity, Attachment, Structure
from coordination.dossiers.actions import create_dossier
from coordination.dossiers.models import Dossier
from habilitations import actions as habilitations
from habilitations.access import may_create_dossier
from habilitations.actions.twins import other_entries
from habilitations.errors import NotAllowed
from habilitations.models import Habilitation
from habilitations.rubriques import Action


@transaction.atomic
def open_dossier(*, by, role: str = "", creation_key: UUID, **dossier) -> Dossier:
    """Create a dossier with its creator in the circle, habilitated: one act (SPICO guide).

    `dossier` is what `create_dossier` takes. Without `role` the creator has the one of his profession, a
    coordinator that of référent. Raises NotAllowed (action right "creer_dossier"), CreatorNotInDirectory,
    RoleUnknown, RoleNotPossible (a role that is not for him), and what `create_dossier` raises.
    """
    if not may_create_dossier(by):
        raise NotAllowed("Votre profession ne permet pas de créer un dossier.")
    attachment = Attachment.objects.of(by).select_related("professional").first()
    if attachment is None:
        raise CreatorNotInDirectory
    made = create_dossier(by=by, creation_key=creation_key, **dossier)
    if Habilitation.objects.filter(dossier=made, user=by).exists():
        return made
    activity = main_activity(attachment.professional, structure_id=attachment.structure_id)
    member = Member.objects.create(
        dossier=made,
        kind=roles.DIRECTORY,
        professional=attachment.professional,
        activity=activity,
        created_by=by,
        habilitation=habilitations.grant_creator(made.pk, by, by=by, professional=attachment.professional),
    )
    today = timezone.localdate()
    Period.objects.create(dossier=made, member=member, starts_on=today, started_by=by)
    codes = member.profession_codes
    code = roles.canonical(role) or next((r.code for r in roles.likely(roles.DIRECTORY, *codes)), "")
    if code == roles.PCP and not role:
        code = roles.PROV
    Change.objects.create(dossier=made, member=member, by=by, kind=KIND.ADDED, subject=CREATION)
    if code:
        give_first_role(member, code, by=by)
    return made


@transaction.atomic
def add_professional(
    entry,
    *,
    professional,
    activity: Activity | None = None,
    role: str,
    wanted: str,
    refusal: dict | None = None,
    description: str = "",
    discreet: bool = False,
    handover: dict | None = None,
    starts_on: dt.date | None = None,
    duplicate_reason: str = "",
    invitation: dict | None = None,
    rests: dict | None = None,
    creation_key: UUID,
) -> Member:
    """Add a professional of the directory, who stays linked to it; one who left comes back (new period).

    `wanted` in {"oui", "non", "refus"}; `refusal` {"refused_on", "collected", "comment"}; `handover`
    {"starts_on", "new_role"}; `starts_on` the day of the role, and of the entry when it is past. Who may add
    but not grant leaves « habilitation demandée ». A key already used gives back the member it made.
    `duplicate_reason` says why he is not the hand-entered namesake under refusal. `invitation` {"email", "message"}
    invites him in the same act; `rests` is what an answer « oui » rests on (`answering.answer`). Raises AlreadySent,
    NamesakeRefused, NotAllowed, DossierIsReadOnly, AlreadyMember, the errors of `give_role`, of `invite_member` and of
    habilitations.
    """
    enter_to_add(entry)
    text = sheet.clean(roles.DIRECTORY, {"description": description})
    said = text | {"kind": roles.DIRECTORY, "professional": professional, "discreet": discreet}
    said |= {"activity": activity} if activity else {}
    if made := made_by(entry, creation_key, said, role=role, wanted=wanted, refusal=refusal):
        return made
    member = Member.objects.filter(dossier_id=entry.dossier.pk, professional=professional).first()
    details = {
        "activity": activity or main_activity(professional),
        "discreet": discreet,
        "creation_key": creation_key,
        **text,
    }
    if duplicate_reason.strip():
        details["duplicate_reason"] = duplicate_reason.strip()
    account = account_of(professional)
    if member:
        come_back(entry, member, details, account=account, starts_on=starts_on)
    else:
        opened = open_row(entry, user=account, professional=professional)
        member = create_member(entry, roles.DIRECTORY, opened, details | {"professional": professional}, starts_on)
    return _settle(
        entry,
        member,
        role,
        wanted,
        refusal,
        starts_on=starts_on,
        handover=handover,
        invitation=invitation,
        rests=rests,
    )


@transaction.atomic
def add_manual_professional(
    entry,
    *,
    fields: dict,
    role: str,
    wanted: str = "non",
    refusal: dict | None = None,
    discreet: bool = False,
    handover: dict | None = None,
    starts_on: dt.date | None = None,
    duplicate_reason: str = "",
    invitation: dict | None = None,
    rests: dict | None = None,
    creation_key: UUID,
) -> Member:
    """Add by hand a professional the directory does not know: shown for information, habilitated only if invited.

    Whoever accepts the `invitation` {"email", "message"} becomes this member's account: same row, same period.
    `fields` are those of `fields.WRITABLE["manuel"]`. Raises LooksLikeMember and LooksLikeDirectory (each with
    what was found) unless a reason is typed, NameMissing, ContactMissing, and as `add_professional`.
    """
    enter_to_add(entry)
    said = sheet.clean(roles.MANUAL, fields) | {"kind": roles.MANUAL, "discreet": discreet}
    if made := made_by(entry, creation_key, said, role=role, wanted=wanted, refusal=refusal):
        return made
    tidy = typed(entry, roles.MANUAL, fields, duplicate_reason)
    details = tidy | {"discreet": discreet, "creation_key": creation_key, "duplicate_reason": duplicate_reason.strip()}
    member = create_member(entry, roles.MANUAL, open_row(entry), details, starts_on)
    return _settle(
        entry,
        member,
        role,
        wanted,
        refusal,
        starts_on=starts_on,
        handover=handover,
        invitation=invitation,
        rests=rests,
    )


@transaction.atomic
def add_person(
    entry,
    *,
    fields: dict,
    role: str,
    wanted: str = "non",
    refusal: dict | None = None,
    discreet: bool = False,
    handover: dict | None = None,
    starts_on: dt.date | None = None,
    duplicate_reason: str = "",
    creation_key: UUID,
) -> Member:
    """Add a relative: aidant, représentant légal, personne de confiance, entourage. Cannot be habilitated.

    `fields` are those of `fields.WRITABLE["aidant"]` (lien, sur liste rouge...). Raises LooksLikeMember unless
    a reason is typed, NameMissing, ContactMissing, and as `add_professional`.
    """
    enter_to_add(entry)
    said = sheet.clean(roles.PERSON, fields) | {"kind": roles.PERSON, "discreet": discreet}
    if made := made_by(entry, creation_key, said, role=role, wanted=wanted, refusal=refusal):
        return made
    tidy = typed(entry, roles.PERSON, fields, duplicate_reason)
    details = tidy | {"discreet": discreet, "creation_key": creation_key, "duplicate_reason": duplicate_reason.strip()}
    member = create_member(entry, roles.PERSON, open_row(entry), details, starts_on)
    return _settle(entry, member, role, wanted, refusal, starts_on=starts_on, handover=handover)


@transaction.atomic
def add_structure(
    entry,
    *,
    structure,
    role: str = "",
    wanted: str,
    refusal: dict | None = None,
    description: str = "",
    discreet: bool = False,
    handover: dict | None = None,
    starts_on: dt.date | None = None,
    rests: dict | None = None,
    creation_key: UUID,
) -> Member:
    """Add a structure of the directory; habilitated only if it is a « personne morale » with delegates.

    Raises StructureCannotSignIn for "oui" otherwise, AlreadyMember, and as `add_professional`.
    """
    enter_to_add(entry)
    text = sheet.clean(roles.STRUCTURE, {"description": description})
    said = text | {"kind": roles.STRUCTURE, "discreet": discreet}
    if made := made_by(entry, creation_key, said, role=role, wanted=wanted, refusal=refusal):
        if entry_kept(made.structure) != entry_kept(structure):
            raise other_answers(made)
        return made
    details = {"discreet": discreet, "creation_key": creation_key, **text}
    structure, member = house_of(entry, structure)
    if member:
        come_back(entry, member, details, account=None, starts_on=starts_on)
    else:
        member = create_house(entry, structure, details, starts_on)
    return _settle(entry, member, role, wanted, refusal, starts_on=starts_on, handover=handover, rests=rests)


@transaction.atomic
def add_manual_structure(
    entry,
    *,
    fields: dict,
    role: str = "",
    wanted: str = "non",
    refusal: dict | None = None,
    description: str = "",
    discreet: bool = False,
    creation_key: UUID,
) -> Member:
    """Create a structure for the coordination (directory.actions.create_local_structure), and add it."""
    enter_to_add(entry)
    text = sheet.clean(roles.STRUCTURE, {"description": description})
    said = text | {"kind": roles.STRUCTURE, "discreet": discreet}
    if made := made_by(entry, creation_key, said, role=role, wanted=wanted, refusal=refusal):
        require_same(made.structure, **fields | {"name": seen(fields["name"])})
        return made
    return add_structure(
        entry,
        structure=directory.create_local_structure(by=entry.user, **fields),
        role=role,
        wanted=wanted,
        refusal=refusal,
        description=description,
        discreet=discreet,
        creation_key=creation_key,
    )


def house_of(entry, structure) -> tuple[Structure, Member | None]:
    """Return the entry kept for a structure, and its member here whatever its name: a circle holds it once."""
    structure = entry_kept(structure)
    known = Member.objects.filter(structure__in=habilitations.same_structures(structure.pk)).with_names()
    there = Exists(Period.objects.current().filter(member=OuterRef("pk")))
    found = list(known.filter(dossier_id=entry.dossier.pk).annotate(there=there).order_by("pk"))
    here = [one for one in found if one.there] or [one for one in found if one.structure == structure]
    return structure, next(iter(here), None)


def create_house(entry, structure, details: dict, starts_on: dt.date | None) -> Member:
    """Make the member of a structure and its stay; what the person opposes to its other name follows it."""
    opened = open_row(entry, structure=structure)
    member = create_member(entry, roles.STRUCTURE, opened, details | {"structure": structure}, starts_on)
    # Under its other name, it had left with what the person opposes to it.
    for twin in other_entries(opened):
        carry_oppositions(entry, twin, member)
    return member


def main_activity(professional, *, structure_id: UUID | None = None) -> Activity | None:
    """Return where a professional practises: in this structure if he does, else his latest known place."""
    found = list(Activity.objects.filter(professional=professional).latest_first())
    here = [activity for activity in found if structure_id and activity.structure_id == structure_id]
    return next(iter(here or found), None)


def enter_to_add(entry) -> None:
    """Take the circle's lock to add somebody. Raises as `lock_circle`, and NotAllowed."""
    lock_circle(entry)
    entry.access.require(Action.ADD_MEMBER)


def typed(entry, kind: str, fields: dict, duplicate_reason: str) -> dict:
    """Return the fields of somebody entered by hand, tidied; raises as `add_person`."""
    tidy = sheet.clean(kind, fields)
    sheet.require_complete(kind, tidy)
    if not duplicate_reason.strip():
        _refuse_doubles(entry, kind, tidy)
    return tidy


def _refuse_doubles(entry, kind: str, tidy: dict) -> None:
    known = duplicates.find(
        entry,
        family_name=tidy["family_name"],
        given_name=tidy.get("given_name", ""),
        phones=[tidy.get("phone", ""), tidy.get("mobile", "")],
        email=tidy.get("email", ""),
        profession=tidy.get("profession", ""),
        town=tidy.get("town", ""),
        with_directory=kind == roles.MANUAL,
    )
    # A shared phone is a hint on the screen, not a double: relatives live under one roof.
    namesakes = [row for row, why in known.in_circle if why.startswith(duplicates.SAME_NAME)]
    if namesakes:
        raise LooksLikeMember(namesakes)
    if known.in_directory:
        raise LooksLikeDirectory(known.in_directory)


def open_row(entry, *, user=None, professional=None, structure=None) -> Habilitation:
    """Open the row of the new member; one the account already has without being a member is taken over."""
    if user is not None:
        held = Habilitation.objects.open().filter(dossier_id=entry.dossier.pk, user=user).first()
        if held:
            # Typed by hand, or listed under another entry, somebody may be this account already.
            if member := Member.objects.with_names().filter(habilitation=held).first():
                raise already_there(entry, member)
            return held
    return habilitations.open_habilitation(
        entry.dossier.pk, by=entry.user, user=user, professional=professional, structure=structure
    )


def create_member(entry, kind: str, habilitation: Habilitation, details: dict, starts_on: dt.date | None) -> Member:
    """Make a member and his stay, under the circle's lock, with its line of history."""
    member = Member.objects.create(
        dossier_id=entry.dossier.pk, kind=kind, habilitation=habilitation, created_by=entry.user, **details
    )
    begin_stay(entry, member, starts_on, is_new=True)
    record(entry, member, KIND.ADDED)
    return member


def come_back(entry, member: Member, details: dict, *, account, starts_on: dt.date | None) -> None:
    """Begin a new stay of a member who left, or who was never there. Raises AlreadyMember, DateNotPossible."""
    is_return = member.periods.exists()
    if member.periods.current().exists():
        raise already_there(entry, member)
    habilitations.reopen_habilitation(member.habilitation, by=entry.user, user=account, as_it_was=False)
    member.habilitation.refresh_from_db()
    for name, value in details.items():
        setattr(member, name, value)
    member.version += 1
    member.save(update_fields=[*details, "version"])
    begin_stay(entry, member, starts_on)
    record(entry, member, KIND.RETURNED if is_return else KIND.ADDED)
    presence.tell_returned(member)


def begin_stay(entry, member: Member, starts_on: dt.date | None, *, is_new: bool = False) -> None:
    """Write that a member is there since a day, today at most. Raises DateNotPossible. `is_new`: made just now."""
    today = timezone.localdate()
    first = min(starts_on or today, today)
    if first < entry.dossier.birth_date:
        raise DateNotPossible("Cette date précède la naissance de la personne.")
    if not is_new and member.periods.filter(ends_on__gt=first).exists():
        raise DateNotPossible("Ce membre était déjà dans le cercle à cette date.")
    Period.objects.create(dossier_id=entry.dossier.pk, member=member, starts_on=first, started_by=entry.user)
    if not is_new:
        overtake_arrivals(member, until=today + dt.timedelta(days=1))


def _settle(
    entry, member: Member, role, wanted, refusal, *, starts_on=None, handover=None, invitation: dict | None = None,
    rests: dict | None = None,
) -> Member:  # fmt: skip
    overtake_arrivals(member)
    give_role(entry, member, role, starts_on=starts_on, handover=handover)
    answer_arrival(entry, member, wanted, refusal=refusal, is_invited=invitation is not None, rests=rests)
    if invitation is not None:
        invite_member(entry, member, **invitation)
    return member
