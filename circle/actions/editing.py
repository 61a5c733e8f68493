"""Changing what a member's sheet says, who may see it, what it is linked to, and its habilitation."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from circle import fields as sheet
from circle import roles
from circle.actions.adding import main_activity
from circle.actions.answering import OUI, REFUS, answer
from circle.actions.common import KIND, account_of, already_there, lock_circle, locked_member, next_version, record
from circle.actions.inviting import invite_member
from circle.actions.planning import label_of
from circle.actions.refusing import keep_reason, refuse
from circle.errors import AlreadyMember, FieldUnknown, NotManual, RoleNotPossible
from circle.models import Invitation, Member
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import actions as habilitations
from habilitations.errors import GrantNotAllowed
from habilitations.models import Habilitation
from habilitations.rubriques import Action


@transaction.atomic
def update_member(entry, member, *, version: int, fields: dict, is_awaited: bool = False) -> Member:
    """Change the sheet of a member: `fields.WRITABLE` of its kind, and "activity" for a linked one.

    `is_awaited`: a software sent him, and no circle has named him yet.

    Raises ChangedMeanwhile (`who`, `current` {field: stored value}) when somebody saved first, NameMissing,
    ContactMissing, FieldUnknown and the errors of each field.
    """
    lock_circle(entry)
    member = locked_member(entry, member, present=not is_awaited)
    fields = dict(fields)
    activity = fields.pop("activity", None)
    tidy = sheet.clean(member.kind, fields)
    if member.version != version:
        current = {name: getattr(member, name) for name in tidy}
        raise ChangedMeanwhile(who=_last_editor(member), current=current, version=member.version)
    stored = {name: getattr(member, name) for name in sheet.WRITABLE[member.kind]}
    sheet.require_complete(member.kind, stored | tidy)
    changed = {name: value for name, value in tidy.items() if value != stored[name]}
    for name, value in changed.items():
        setattr(member, name, value)
    if activity is not None:
        _move(entry, member, activity)
    _keep_role_possible(member)
    if changed or activity is not None:
        next_version(member, *changed, "activity")
    for name, value in changed.items():
        if name != "commune_code":
            record(
                entry,
                member,
                KIND.EDITED,
                subject=str(Member._meta.get_field(name).verbose_name),
                before=sheet.shown(name, stored[name]),
                after=sheet.shown(name, value),
            )
    return member


@transaction.atomic
def set_discreet(entry, member, discreet: bool) -> Member:
    """Show a member only to profiles that read the medical rubric (rule 7), or to everybody again."""
    lock_circle(entry)
    member = locked_member(entry, member)
    if member.discreet != discreet:
        member.discreet = discreet
        next_version(member, "discreet")
        record(
            entry,
            member,
            KIND.EDITED,
            subject="discret",
            before=sheet.shown("discreet", not discreet),
            after=sheet.shown("discreet", discreet),
        )
    return member


def read_as(row: Habilitation) -> str:
    """Return the mark of the answer that stands, which a form sends back: another one once somebody answered."""
    return f"{row.state} {row.state_at.timestamp()}"


@transaction.atomic
def set_habilitation(
    entry,
    member,
    wanted: str,
    *,
    refusal: dict | None = None,
    withdrawal: dict | None = None,
    duplicate_reason: str = "",
    also: Collection[UUID] = (),
    rests: dict | None = None,
    seen: str | None = None,
) -> Member:
    """Answer « Habilitation : oui / non / refus du patient » for a member; see `answering.answer`. Returns it.

    `seen`: what was read of his habilitation (`read_as`); who opens by an answer given to another one reads it first.

    `also`: ids of the members of the directory who are the same person as this hand-entered one, refused with it.

    Who may add but not grant leaves « habilitation demandée ». `duplicate_reason` is kept: why this member is
    not the hand-entered namesake under refusal, or not the habilitated one. Raises NamesakeRefused,
    SameOneHabilitated (a refusal that would leave the same person an access), OwnHabilitation, GrantNotAllowed,
    RefusalStands (a refusal must be withdrawn first), AidantCannotBeGranted, ManualCannotBeGranted,
    StructureCannotSignIn, ChangedMeanwhile, NotAllowed, and the errors of dates.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    # Closing never waits; and what is so already was sent twice.
    opens = wanted == Habilitation.State.OUI != member.habilitation.state
    if opens and seen is not None and seen != read_as(member.habilitation):
        raise ChangedMeanwhile
    keep_reason(member, duplicate_reason)
    if wanted == REFUS:
        refuse(entry, member, refusal=refusal, duplicate_reason=duplicate_reason, also=also)
    else:
        answer(entry, member, wanted, refusal=refusal, withdrawal=withdrawal, rests=rests)
    return member


@transaction.atomic
def invite_present(entry, member, *, email: str, message: str = "", rests: dict | None = None) -> Invitation:
    """Invite a member already there who has no account; habilitated in the same act if he was not.

    Raises as `set_habilitation` and `invite_member`.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    row = member.habilitation
    if row.state == Habilitation.State.NON and row.requested_at is None:
        answer(entry, member, OUI, is_invited=True, rests=rests)
    return invite_member(entry, member, email=email, message=message)


@transaction.atomic
def link_to_directory(entry, member, *, professional, activity=None) -> Member:
    """Say whom a hand-entered professional is in the directory: same row, same period, same history.

    What was typed stays on the sheet beside the directory's text. Raises NotManual, AlreadyMember,
    RoleNotPossible (the role held does not fit the profession found), NotAllowed,
    GrantNotAllowed (a habilitation waits).
    """
    lock_circle(entry)
    entry.access.require(Action.ADD_MEMBER)
    member = locked_member(entry, member)
    if member.kind != roles.MANUAL:
        raise NotManual
    if member.habilitation.state == Habilitation.State.ATTENTE and not entry.access.may(
        Action.GRANT, structure_id=member.own_structure_id
    ):
        # Granted to whom somebody invited: saying who it is chooses whose account will enter.
        raise GrantNotAllowed
    twin = Member.objects.with_names().filter(dossier_id=entry.dossier.pk, professional=professional).first()
    account = account_of(professional)
    # Who accepted an invitation is this member already; another account of that professional cannot be it too.
    bound = member.habilitation.user
    if twin or (account != bound and account is not None and (bound is not None or _has_row(entry, account))):
        raise already_there(entry, twin) if twin else AlreadyMember
    typed = member.display_name
    member.kind, member.professional = roles.DIRECTORY, professional
    member.activity = activity or main_activity(professional)
    _keep_role_possible(member)
    next_version(member, "kind", "professional", "activity")
    habilitations.bind_professional(
        member.habilitation, professional=professional, user=account or bound, by=entry.user
    )
    record(entry, member, KIND.LINKED, before=typed, after=member.display_name)
    return member


def _has_row(entry, account) -> bool:
    return Habilitation.objects.open().filter(dossier_id=entry.dossier.pk, user=account).exists()


def _move(entry, member: Member, activity) -> None:
    if member.kind != roles.DIRECTORY or activity.professional_id != member.professional_id:
        raise FieldUnknown(field="activity")
    if activity.pk == member.activity_id:
        return
    before = member.activity.structure_name if member.activity else ""
    member.activity = activity
    record(entry, member, KIND.EDITED, subject="lieu d’exercice", before=before, after=activity.structure_name)


def _keep_role_possible(member: Member) -> None:
    """Refuse a profession that the roles held, or to come, do not admit."""
    for holding in member.roles.from_day(timezone.localdate()):
        sentence = roles.why_not(holding.role, member.kind, member.profession_codes[0])
        if sentence:
            raise RoleNotPossible(f"{sentence} Changez d’abord le rôle « {label_of(member, holding.role)} ».")


def _last_editor(member: Member) -> str:
    last = member.changes.exclude(by=None).select_related("by").order_by("-at", "-id").first()
    return last.by.get_full_name() if last else ""
