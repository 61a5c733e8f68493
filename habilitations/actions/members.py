"""The state of one member's habilitation: non, en attente, oui, refus. One column, so they cannot contradict.

Each function locks the row it changes and writes a StateChange. Nobody changes his own.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from habilitations import acting
from habilitations.access import Access
from habilitations.actions.grounds import declare, forget
from habilitations.actions.twins import is_his_house
from habilitations.binding import tell_bound
from habilitations.errors import (
    AidantCannotBeGranted,
    AlreadyHabilitated,
    GrantNotAllowed,
    ManualCannotBeGranted,
    MembershipEnded,
    OwnHabilitation,
    RefusalStands,
    StructureCannotSignIn,
)
from habilitations.keepers import require_another_keeper
from habilitations.kin import same_structures
from habilitations.models import Consent, Habilitation, LegalStructure, Refusal, StateChange, VouchedProfession
from habilitations.rubriques import Action

State = Habilitation.State
OUI, NON = "oui", "non"
# What circle calls its kinds; told apart here only to give the right sentence.
MANUAL, STRUCTURE = "manuel", "structure"


def open_habilitation(dossier_id: UUID, *, by, user=None, structure=None, professional=None) -> Habilitation:
    """Open the row of a new member, in state "non".

    `user` is the account of `professional` when it exists; neither for an aidant or a hand-entered person.
    """
    return Habilitation.objects.create(
        dossier_id=dossier_id, user=user, structure=structure, professional=professional, state_by=by
    )


@transaction.atomic
def grant_creator(dossier_id: UUID, user, *, by, professional=None) -> Habilitation:
    """Open the creator's row, granted: who makes a dossier enters it in the same act (SPICO guide).

    By opening it he declares that the person turns to him (équipe de soins); that she was informed is noted later.
    """
    habilitation = open_habilitation(dossier_id, by=by, user=user, professional=professional)
    declare(habilitation, by=by, ground=Consent.Ground.RECOGNISED, starts_on=timezone.localdate())
    move(habilitation, State.OUI, by=by)
    return habilitation


@transaction.atomic
def set_state(
    habilitation: Habilitation,
    wanted: str,
    *,
    by,
    access: Access,
    member_kind: str,
    member_structure_id: UUID | None = None,
    is_invited: bool = False,
) -> Habilitation:
    """Answer « Habilitation : oui / non » for one member; clears a request.

    "oui" opens at once when someone can enter today (account of a vouched professional, delegates of a
    « personne morale » structure), else the member waits. "non" suspends. `is_invited`: somebody typed by hand waits
    too, for the account that will accept. It opens nothing before a fact carries it (`actions.consents`). A last day
    that is behind, and that of an access suspended, are forgotten; ceilings stay.
    Raises OwnHabilitation, GrantNotAllowed (action right, own structure only for some), RefusalStands,
    AidantCannotBeGranted, ManualCannotBeGranted, StructureCannotSignIn, MembershipEnded, LastKeeper.
    """
    row = locked(habilitation)
    _require_grant(row, by=by, access=access, structure_id=member_structure_id, opens=wanted == OUI)
    if row.state == State.REFUS:
        raise RefusalStands(date=_refusal_date(row))
    if wanted == OUI:
        check_grantable(row, member_kind, is_invited=is_invited)
        target = State.OUI if _someone_can_enter(row) else State.ATTENTE
    else:
        require_another_keeper(row)
        target = State.NON
    row.requested_at = row.requested_by = None
    if wanted != OUI or (row.access_until and row.access_until < timezone.localdate()):
        # The next answer « oui » is a grant of its own.
        row.access_until = None
        row.save(update_fields=["access_until"])
    return move(row, target, by=by)


def check_grantable(row: Habilitation, member_kind: str, *, is_invited: bool = False) -> None:
    """Raise the sentence that says why this member cannot be granted, if so."""
    if row.structure_id:
        if not LegalStructure.objects.filter(pk=row.structure_id, closed_at=None).exists():
            raise StructureCannotSignIn
        _refuse_refused_twin(row)
    elif not (row.user_id or row.professional_id or (is_invited and member_kind == MANUAL)):
        raise ManualCannotBeGranted if member_kind == MANUAL else AidantCannotBeGranted


def _refuse_refused_twin(row: Habilitation) -> None:
    if twin := _refused_twin(row):
        raise RefusalStands(date=_refusal_date(twin))


def _refused_twin(row: Habilitation) -> Habilitation | None:
    """Two entries of the directory found to be one structure: what the person refused to one stands for the other."""
    if row.structure_id is None:
        return None
    entries = same_structures(row.structure_id)
    return Habilitation.objects.filter(dossier_id=row.dossier_id, state=State.REFUS, structure__in=entries).first()


@transaction.atomic
def request_habilitation(
    habilitation: Habilitation, *, by, access: Access, member_kind: str = "", is_invited: bool = False
) -> Habilitation:
    """Leave « habilitation demandée » for those who may grant (action right "ajouter_membre").

    Raises NotAllowed, RefusalStands, AlreadyHabilitated, and the refusals of `check_grantable`.
    """
    row = locked(habilitation)
    access.require(Action.ADD_MEMBER)
    if row.state == State.REFUS:
        raise RefusalStands(date=_refusal_date(row))
    if row.state in (State.OUI, State.ATTENTE):
        raise AlreadyHabilitated
    check_grantable(row, member_kind, is_invited=is_invited)
    if row.requested_at is None:
        row.requested_at, row.requested_by = timezone.now(), by
        row.save(update_fields=["requested_at", "requested_by"])
    return row


@transaction.atomic
def end_habilitation(habilitation: Habilitation, *, by) -> Habilitation:
    """Close the row with the membership. A refusal keeps its state: it stands until it is withdrawn."""
    row = locked(habilitation)
    # Written even when nothing moves: this line is what `reopen_habilitation` goes back to.
    move(row, State.REFUS if row.state == State.REFUS else State.NON, by=by, always=True)
    row.ended_at = timezone.now()
    row.requested_at = row.requested_by = None
    row.save(update_fields=["ended_at", "requested_at", "requested_by"])
    return row


@transaction.atomic
def reopen_habilitation(
    habilitation: Habilitation, *, by, access: Access | None = None, user=None, as_it_was: bool = True
) -> Habilitation:
    """Open the row again: undone removal (`as_it_was`), or a return that starts from "non".

    `user` is the account the professional has by now, if any; `access`, that of who undoes. A standing refusal stays.
    Raises AlreadyHabilitated when the account or the structure got another open row meanwhile, OwnHabilitation when
    someone would give himself back an access (he may still be inside through a structure), or by acting for another
    that of a structure for which he acts himself.
    """
    row = Habilitation.objects.select_for_update(of=("self",)).get(pk=habilitation.pk)
    if row.ended_at is None:
        return row
    # Put back after a refusal, an entry of a structure is no way round it: it comes back without the access.
    gives_back = as_it_was and row.gives_access_back() and _refused_twin(row) is None
    if row.user_id is None and user is not None:
        row.user = user
    _refuse_second_row(row)
    row.ended_at = None
    row.save(update_fields=["ended_at", "user"])
    if row.state == State.REFUS:
        return row
    if not as_it_was:
        # A new beginning in the history: what stood before the end is not a suspension.
        forget(row, by=by)
        return move(row, State.NON, by=by, always=True)
    if gives_back:
        own = row.user_id is not None and by is not None and row.user_id == by.pk
        if own or (access is not None and is_his_house(row, by, access)):
            raise OwnHabilitation
        move(row, State.OUI if _someone_can_enter(row) else State.ATTENTE, by=by)
    return row


def _refuse_second_row(row: Habilitation) -> None:
    """Say in French what the constraints "one open habilitation per account / structure" would refuse."""
    others = Habilitation.objects.open().filter(dossier_id=row.dossier_id).exclude(pk=row.pk)
    same_account = row.user_id is not None and others.filter(user_id=row.user_id).exists()
    if same_account or (row.structure_id is not None and others.filter(structure_id=row.structure_id).exists()):
        raise AlreadyHabilitated


@transaction.atomic
def bind_professional(habilitation: Habilitation, *, professional, user=None, by) -> Habilitation:
    """Say whom the row of a hand-entered member is, once found in the directory; its state does not move."""
    row = locked(habilitation)
    row.professional, row.user = professional, user
    row.save(update_fields=["professional", "user"])
    if user is not None:
        tell_bound([row.pk], by=by)
    return row


@transaction.atomic
def bind_account(habilitation: Habilitation, user, *, by) -> Habilitation:
    """Say which account the row of an invited member is, and open it if it waited and the account is vouched for.

    Raises AlreadyHabilitated (the account has another open row there, or this one is another account's),
    RefusalStands (the person refused this account there, under a row that may have ended), MembershipEnded.
    """
    row = locked(habilitation)
    _refuse_refused_account(row, user)
    if row.user_id is None:
        row.user = user
        _refuse_second_row(row)
        row.save(update_fields=["user"])
    elif row.user_id != user.pk:
        raise AlreadyHabilitated
    if row.state == State.ATTENTE and _someone_can_enter(row):
        move(row, State.OUI, by=by)
    return row


def _refuse_refused_account(row: Habilitation, user) -> None:
    """What the person refused to an account stands, whatever entry of the circle it comes back by."""
    refused = Habilitation.objects.filter(dossier_id=row.dossier_id, state=State.REFUS)
    found = refused.filter(Q(user=user) | Q(professional__attachment__user=user)).exclude(pk=row.pk).first()
    if found:
        raise RefusalStands(date=_refusal_date(found))


@transaction.atomic
def release_account(habilitation: Habilitation, user) -> Habilitation:
    """Take away from a row that is not open the account it was bound to by mistake. Raises MembershipEnded."""
    row = locked(habilitation)
    if row.user_id == user.pk and row.state != State.OUI:
        row.user = None
        row.save(update_fields=["user"])
    return row


@transaction.atomic
def stop_waiting(habilitation: Habilitation, *, by) -> Habilitation:
    """Close a row that waited for somebody who will not come; any other state is left. Opens nothing.

    `by` is None when the person invited says so without an account. Raises MembershipEnded.
    """
    row = locked(habilitation)
    row.requested_at = row.requested_by = None
    return move(row, State.NON if row.state == State.ATTENTE else row.state, by=by)


@transaction.atomic
def activate_waiting(user, professional, *, by) -> int:
    """Bind to an account the rows that wait for its professional, and open those that were granted.

    Rows refused or not granted are bound too: a refusal must be found by the account. Rows stay « en
    attente » until the profession is vouched for. Returns how many became "oui".
    """
    if professional is not None:
        _bind_waiting(user, professional, by=by)
    opened = 0
    refused = Habilitation.objects.filter(user=user, state=State.REFUS).values("dossier_id")
    rows = Habilitation.objects.open().select_for_update(of=("self",)).filter(user=user, state=State.ATTENTE)
    rows = rows.exclude(dossier_id__in=refused)
    # In one order for everybody: two activations cannot wait for each other.
    for row in rows.order_by("pk"):
        if _someone_can_enter(row):
            move(row, State.OUI, by=by)
            opened += 1
    return opened


def _bind_waiting(user, professional, *, by) -> None:
    # Where the account already has an open row, that one decides.
    elsewhere = Habilitation.objects.open().filter(user=user).values("dossier_id")
    waiting = Habilitation.objects.select_for_update(of=("self",)).filter(professional=professional, user=None)
    bound = []
    for row in waiting.exclude(dossier_id__in=elsewhere, ended_at=None).order_by("pk"):
        row.user = user
        row.save(update_fields=["user"])
        bound.append(row.pk)
    tell_bound(bound, by=by)


def locked(habilitation: Habilitation) -> Habilitation:
    """Return the habilitation as stored now, locked until the end of the transaction. Raises MembershipEnded."""
    row = Habilitation.objects.select_for_update(of=("self",)).get(pk=habilitation.pk)
    if row.ended_at is not None:
        raise MembershipEnded
    return row


def _require_grant(row: Habilitation, *, by, access: Access, structure_id: UUID | None, opens: bool) -> None:
    if acting.concerns(access, row.user_id, by) or (opens and is_his_house(row, by, access)):
        raise OwnHabilitation
    if not access.may(Action.GRANT, structure_id=structure_id):
        raise GrantNotAllowed


def _someone_can_enter(row: Habilitation) -> bool:
    if row.structure_id:
        return LegalStructure.objects.filter(pk=row.structure_id, closed_at=None).exists()
    if row.user_id is None:
        return False
    return VouchedProfession.objects.current().filter(user_id=row.user_id, user__is_active=True).exists()


def _refusal_date(row: Habilitation) -> str:
    standing = Refusal.objects.filter(habilitation=row, withdrawn_at=None).values_list("refused_on", flat=True).first()
    return f"{standing:%d/%m/%Y}" if standing else "…"


def move(row: Habilitation, target: str, *, by, always: bool = False) -> Habilitation:
    """Write the state and its history; nothing when the state is already that one, unless `always`."""
    before = row.state
    fields = ["requested_at", "requested_by"]
    if before != target:
        row.state, row.state_at, row.state_by = target, timezone.now(), by
        fields += ["state", "state_at", "state_by"]
    row.save(update_fields=fields)
    if before != target or always:
        StateChange.objects.create(dossier_id=row.dossier_id, habilitation=row, by=by, before=before, after=target)
    return row
