"""What the habilitation control may offer for a member, said before saving."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from circle import roles
from circle.models import Member
from habilitations import published
from habilitations.access import Access, profile_of
from habilitations.errors import (
    AidantCannotBeGranted,
    GrantNotAllowed,
    ManualCannotBeGranted,
    OwnHabilitation,
    StructureCannotSignIn,
)
from habilitations.models import Delegate, Habilitation, LegalStructure, VouchedProfession
from habilitations.rubriques import Action, Scope


class GrantAnswer(NamedTuple):
    """`can_grant`: the radio « oui » opens or waits; `can_request`: it leaves a request instead; `can_refuse`:
    a refusal may be noted. `sentence` says why « oui » is not there, or what it will do; "" when plain."""

    can_grant: bool
    can_request: bool
    can_refuse: bool
    sentence: str
    can_enter_today: bool = False
    delegates: int = 0


def grant_answer(kind: str, *, access: Access, activity=None, structure=None, user=None, account=None) -> GrantAnswer:
    """Return what a form may offer for such a member. Two SQL statements at most.

    `user` is who fills the form, `account` the account of the professional when there is one.
    """
    can_refuse = access.may_record_refusal
    if kind == roles.PERSON:
        return GrantAnswer(False, False, can_refuse, AidantCannotBeGranted.message)
    if kind == roles.MANUAL and account is None:
        return GrantAnswer(False, False, can_refuse, ManualCannotBeGranted.message)
    delegates = 0
    if kind == roles.STRUCTURE:
        if not LegalStructure.objects.filter(structure=structure, closed_at=None).exists():
            return GrantAnswer(False, False, can_refuse, StructureCannotSignIn.message)
        delegates = Delegate.objects.current().filter(structure=structure).count()
    if user is not None and account is not None and user.pk == account.pk:
        return GrantAnswer(False, False, can_refuse, OwnHabilitation.message)
    bound = structure.pk if structure else (activity.structure_id if activity else None)
    if not access.may(Action.GRANT, structure_id=bound):
        return GrantAnswer(False, access.may(Action.ADD_MEMBER), can_refuse, GrantNotAllowed.message)
    if kind == roles.STRUCTURE:
        return GrantAnswer(True, False, can_refuse, "", can_enter_today=True, delegates=delegates)
    enters = account is not None and _is_vouched(account)
    return GrantAnswer(True, False, can_refuse, "" if enters else _waiting(account), can_enter_today=enters)


def may_invite(user) -> bool:
    """Say whether this account may invite a colleague, outside any dossier (action right "inviter")."""
    return user.is_active and published.current().may(profile_of(user), Action.INVITE)


def may_vouch(user) -> bool:
    """Say whether this account may say of a colleague invited without a dossier that it is the person meant.

    Who may habilitate anybody: in a dossier it is the same right, asked at its door.
    """
    return user.is_active and published.current().scope(profile_of(user), Action.GRANT) == Scope.ALL


def is_last_able_to_grant(dossier_id: UUID, member: Member) -> bool:
    """Say whether nobody else in the dossier could grant once this member has left: to warn, not to forbid."""
    matrix = published.current()
    able = {profile for profile in matrix.actions if matrix.scope(profile, Action.GRANT) == Scope.ALL}
    granted = Habilitation.objects.granting().filter(dossier_id=dossier_id, user__isnull=False)
    pairs = (
        VouchedProfession.objects.current()
        .filter(user__in=granted.values("user_id"), user__is_active=True)
        .values_list("user_id", "profession", "fonction")
    )
    who = {user_id for user_id, profession, fonction in pairs if matrix.profile_of(profession, fonction) in able}
    return who == {member.habilitation.user_id}


def _is_vouched(account) -> bool:
    return account.is_active and VouchedProfession.objects.current().filter(user=account).exists()


def _waiting(account) -> str:
    if account is None:
        return "Cette personne n’a pas encore de compte : son accès attendra qu’elle en ait un."
    return "Sa profession n’est pas encore confirmée : son accès attendra qu’elle le soit."
