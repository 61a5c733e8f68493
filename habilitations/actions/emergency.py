"""« Accès d’urgence »: opened by its author for himself, left, reviewed; forbidden beforehand by the person (SEC-8).

Why: docs/decisions/2026-11-28-emergency-access.md.
"""

from __future__ import annotations

import datetime as dt
from functools import reduce
from operator import or_
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.models import User
from habilitations import access, acting, closures, emergency
from habilitations.access import Access
from habilitations.errors import (
    AlreadyBanned,
    AlreadyReviewed,
    BanDateNotPossible,
    EmergencyNotOpened,
    NotAllowed,
    NothingBanned,
    OwnEmergency,
    VerdictUnknown,
    WhyMissing,
)
from habilitations.letters import EMERGENCY
from habilitations.models import (
    DataProtectionOfficer,
    EmergencyAccess,
    EmergencyBan,
    EmergencyReview,
    Habilitation,
)
from habilitations.officers import may_search_journals
from habilitations.rubriques import Action
from habilitations.traces import NOWHERE, Via, record, record_account

OPENED, LEFT, REVIEWED = "urgence", "fin d’urgence", "revue d’urgence"
BANNED, ALLOWED = "interdiction", "fin d’interdiction"
KIND = "urgence"


def shut_to(user) -> Q:
    """Return the condition, on dossiers, of those that no emergency opens to the account.

    The person refused him, or his structure, under whatever entry of the circle and of the directory, in it still or
    not; took back what she granted them, or forbade it, or closed the dossier, to everybody.
    """
    banned = EmergencyBan.objects.filter(withdrawn_at=None).values("dossier_id")
    shut = (closures.closed_whole_to(user), access.shut_to(user), banned)
    return reduce(or_, (Q(pk__in=dossiers) for dossiers in shut))


def may_open(user) -> bool:
    """Say whether the account may ask for emergency accesses: the setting is on, and rule 9 names its profile."""
    return emergency.is_on() and user.is_active and access.profile_of(user) in emergency.PROFILES


@transaction.atomic
def open_emergency(dossier_id: UUID, *, by, reason: str, detail: str, via: Via = NOWHERE) -> EmergencyAccess:
    """Open a dossier to oneself, read only, until BRIS_DE_GLACE_MINUTES from now; who answers for it is told by mail.

    `reason` is an EmergencyAccess.Reason, `detail` a sentence. The caller has found the dossier among those that
    `shut_to` leaves, and has seen that `by` is not inside. Traced in the journal of the dossier and in his account's.
    Raises NotAllowed (rule 9), WhyMissing, EmergencyNotOpened (refused, forbidden or opened meanwhile).
    """
    if not may_open(by):
        raise NotAllowed
    if reason not in EmergencyAccess.Reason.values or not detail.strip():
        raise WhyMissing
    now = timezone.now()
    if access.to_dossier(by, dossier_id) is not None:
        raise EmergencyNotOpened
    try:
        with transaction.atomic():
            row = EmergencyAccess.objects.create(
                dossier_id=dossier_id, user=by, reason=reason, detail=detail.strip()[:300], opened_at=now,
                ends_at=now + dt.timedelta(minutes=settings.BRIS_DE_GLACE_MINUTES),
            )  # fmt: skip
    except IntegrityError as error:
        # Sent twice at once.
        raise EmergencyNotOpened from error
    found = access.to_dossier(by, dossier_id)
    if found is None:
        raise EmergencyNotOpened
    said = {"action": OPENED, "object_kind": KIND, "object_id": row.pk, "via": via}
    record(user=by, dossier_id=dossier_id, access=found, reason=row.get_reason_display(), **said)
    # The trace waits for whoever is writing in this dossier. What he closed meanwhile is closed.
    dossier = Habilitation._meta.get_field("dossier").related_model
    found = access.to_dossier(by, dossier_id)
    if found is None or found.ends_at is None or dossier.objects.filter(shut_to(by), pk=dossier_id).exists():
        raise EmergencyNotOpened
    record_account(user=by, **said | {"object_kind": f"{KIND} {reason}"})
    _tell(row)
    return row


def _tell(row: EmergencyAccess) -> None:
    """Write to those who may grant there and to the officers; the letter says neither who nor why (SEC-22)."""
    grantors = access.users_who_may(row.dossier_id, Action.GRANT, himself=True) - {row.user_id}
    officers = set(DataProtectionOfficer.objects.current().values_list("user_id", flat=True)) - {row.user_id}
    for user in User.objects.filter(pk__in=grantors | officers, is_active=True).order_by("pk"):
        page = "todo" if user.pk in grantors else "dossiers:emergencies"
        mails.send(
            "habilitations/emails/emergency_opened.html",
            to=user.email,
            context={"link": mails.absolute(reverse(page))},
            kind=EMERGENCY,
            account_id=user.pk,
            object_id=row.pk,
        )


@transaction.atomic
def leave_emergency(dossier_id: UUID, *, by, via: Via = NOWHERE) -> int:
    """End one's emergency access to a dossier before its time. Returns how many were under way."""
    rows = EmergencyAccess.objects.running().select_for_update(of=("self",)).filter(dossier_id=dossier_id, user=by)
    return _close(list(rows), by=by, via=via)


def _close(rows: list[EmergencyAccess], *, by, via: Via) -> int:
    for row in rows:
        row.closed_at, row.closed_by = max(timezone.now(), row.opened_at + dt.timedelta(microseconds=1)), by
        row.save(update_fields=["closed_at", "closed_by"])
        record_account(user=by, action=LEFT, object_kind=KIND, object_id=row.pk, via=via)
    return len(rows)


@transaction.atomic
def review_emergency(
    emergency_access: EmergencyAccess, *, by, access: Access | None = None, verdict: str, comment: str = ""
) -> EmergencyReview:
    """Say of an emergency access that it was justified, or what is to be looked into. Dated, said once by each side.

    `access` is that of who may grant in the dossier; without it, `by` must be a data-protection officer. Raises
    NotAllowed, OwnEmergency (his own, or that of the one for whom he acts), VerdictUnknown (unknown, or to be looked
    into without a sentence), AlreadyReviewed.
    """
    as_officer = access is None
    if not (may_search_journals(by) if as_officer else access.may(Action.GRANT)):
        raise NotAllowed
    row = EmergencyAccess.objects.select_for_update(of=("self",)).get(pk=emergency_access.pk)
    if row.user_id == by.pk or (access is not None and acting.concerns(access, row.user_id, by)):
        raise OwnEmergency
    examined = verdict == EmergencyReview.Verdict.TO_EXAMINE
    if verdict not in EmergencyReview.Verdict.values or (examined and not comment.strip()):
        raise VerdictUnknown
    if row.reviews.filter(as_officer=as_officer).exists():
        raise AlreadyReviewed
    return EmergencyReview.objects.create(
        dossier_id=row.dossier_id, emergency=row, by=by, as_officer=as_officer, verdict=verdict,
        comment=comment.strip()[:500],
    )  # fmt: skip


@transaction.atomic
def forbid_emergency(
    dossier_id: UUID, *, by, access: Access, said_on: dt.date, collected: str, comment: str = "", via: Via = NOWHERE
) -> EmergencyBan:
    """Record that the person forbids emergency accesses, and end those under way. Whatever the state of the dossier.

    Called under the trace of the door, which makes openings wait. Raises NotAllowed (who may record refusals),
    AlreadyBanned, BanDateNotPossible (to come, or not said how).
    """
    if not access.may_record_refusal:
        raise NotAllowed
    if said_on is None or said_on > timezone.localdate() or collected not in EmergencyBan.Collected.values:
        raise BanDateNotPossible
    if EmergencyBan.objects.filter(dossier_id=dossier_id, withdrawn_at=None).exists():
        raise AlreadyBanned
    rows = EmergencyAccess.objects.running().select_for_update(of=("self",)).filter(dossier_id=dossier_id)
    _close(list(rows), by=by, via=via)
    return EmergencyBan.objects.create(
        dossier_id=dossier_id, said_on=said_on, collected=collected, comment=comment.strip()[:500], recorded_by=by
    )


@transaction.atomic
def allow_emergency(dossier_id: UUID, *, by, access: Access) -> EmergencyBan:
    """Withdraw the ban, today: a way in opens, as when a refusal is withdrawn. Raises NotAllowed, NothingBanned."""
    if not access.may_withdraw_refusal:
        raise NotAllowed
    rows = EmergencyBan.objects.select_for_update(of=("self",)).filter(dossier_id=dossier_id, withdrawn_at=None)
    ban = rows.first()
    if ban is None:
        raise NothingBanned
    ban.withdrawn_on, ban.withdrawn_at, ban.withdrawn_by = timezone.localdate(), timezone.now(), by
    ban.save(update_fields=["withdrawn_on", "withdrawn_at", "withdrawn_by"])
    return ban
