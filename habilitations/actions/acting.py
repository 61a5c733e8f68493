"""Acting for another: declared by one, accepted by the other, ended by either; the person's consent to a secretary.

SEC-15; docs/decisions/2026-11-28-acting-for-another.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.models import User
from coordination.common.french import date_fr
from coordination.common.text import person_name
from habilitations.access import Access
from habilitations.acting_errors import (
    ActingAnswered,
    AlreadyActing,
    AlreadyCalled,
    AlreadyConsented,
    ConsentDateNotPossible,
    DaysNotPossible,
    NobodyCalled,
    NoConsentToWithdraw,
    NotTheirSecretary,
    NotWithoutProfession,
    OwnSecretariat,
    OwnStandIn,
    RubricsMissing,
)
from habilitations.errors import CollectedUnknown, NotAllowed
from habilitations.letters import ACTING
from habilitations.models import ActingFor, Habilitation, SecretaryConsent, VouchedProfession
from habilitations.models.acting import LONGEST
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Rubrique
from habilitations.traces import NOWHERE, Via, record_account

STAND_IN, SECRETARY = ActingFor.Kind.STAND_IN, ActingFor.Kind.SECRETARY
# Words of the traces of accounts: when it begins, when it ends.
_BEGUN = {STAND_IN: "remplacement", SECRETARY: "secrétariat"}
_ENDED = {STAND_IN: "fin de remplacement", SECRETARY: "fin de secrétariat"}


@transaction.atomic
def declare_absence(
    *, by, first_day: dt.date, last_day: dt.date, called: str = "", holder: User | None = None, via: Via = NOWHERE
) -> ActingFor:
    """Declare an absence, and call a stand-in if one is named: `called` is the address or number typed.

    `holder` is the account that answers to it, None when there is none: the answer is the same, and nothing but the
    mail that leaves tells one from the other. Nothing is open before he accepts.
    Raises NotWithoutProfession, DaysNotPossible, OwnStandIn, AlreadyCalled.
    """
    return _declare(STAND_IN, by=by, first_day=first_day, last_day=last_day, called=called, holder=holder, via=via)


@transaction.atomic
def name_secretary(
    *, by, first_day: dt.date, last_day: dt.date | None, called: str, rubriques: Iterable[str],
    holder: User | None = None, via: Via = NOWHERE,
) -> ActingFor:  # fmt: skip
    """Ask somebody to be one's secretary for these rubrics; identity and circle go with any of them.

    Each dossier then waits for the person's consent. Raises NobodyCalled, RubricsMissing, and those of
    `declare_absence`.
    """
    if not called:
        raise NobodyCalled
    chosen = {Rubrique(rubrique) for rubrique in rubriques}
    if not chosen:
        raise RubricsMissing
    return _declare(
        SECRETARY, by=by, first_day=first_day, last_day=last_day, called=called, holder=holder, via=via,
        rubriques=[rubrique for rubrique in Rubrique if rubrique in chosen | set(ALWAYS_READ)],
    )  # fmt: skip


@transaction.atomic
def accept_acting(acting: ActingFor, *, by, via: Via = NOWHERE) -> ActingFor:
    """The one who was called says yes: he enters from the first day on. Raises NotAllowed, ActingAnswered,
    AlreadyActing."""
    row = _asked(acting, by)
    row.accepted_at = timezone.now()
    try:
        with transaction.atomic():
            row.save(update_fields=["accepted_at"])
    except IntegrityError as error:
        raise AlreadyActing from error
    record_account(user=by, action=_BEGUN[row.kind], object_kind="compte", object_id=row.principal_id, via=via)
    return row


@transaction.atomic
def refuse_acting(acting: ActingFor, *, by, via: Via = NOWHERE) -> None:
    """The one who was called says no. Raises NotAllowed, ActingAnswered."""
    _end(_asked(acting, by), by=by, via=via)


@transaction.atomic
def end_acting(acting: ActingFor, *, by, via: Via = NOWHERE) -> None:
    """End it, whichever of the two asks: what was open by it is closed at the next request. Raises NotAllowed."""
    row = ActingFor.objects.select_for_update(of=("self",)).get(pk=acting.pk)
    # Who was called and has not answered refuses.
    if by.pk != row.principal_id and (row.accepted_at is None or by.pk != row.substitute_id):
        raise NotAllowed("Seules les deux personnes concernées peuvent y mettre fin.")
    if row.ended_at is None:
        _end(row, by=by, via=via)


@transaction.atomic
def record_secretary_consent(
    acting: ActingFor, dossier_id: UUID, *, by, access: Access, given_on: dt.date, collected: str
) -> SecretaryConsent:
    """Record that the person agrees to this secretary in this dossier: it is then open to him (SEC-15).

    Raises NotAllowed (action right "noter_refus" and writing the circle), OwnSecretariat, NotTheirSecretary (another
    kind, ended, not accepted, or of somebody without an open access here), CollectedUnknown, ConsentDateNotPossible,
    AlreadyConsented.
    """
    if not access.may_withdraw_refusal:
        raise NotAllowed
    row = ActingFor.objects.standing().select_for_update(of=("self",)).filter(pk=acting.pk).first()
    if row is None or row.kind != SECRETARY or row.accepted_at is None:
        raise NotTheirSecretary
    if row.substitute_id == by.pk:
        raise OwnSecretariat
    if not Habilitation.objects.open().filter(dossier_id=dossier_id, user=row.principal_id).exists():
        raise NotTheirSecretary
    _check(given_on, collected)
    if SecretaryConsent.objects.standing().filter(dossier_id=dossier_id, acting=row).exists():
        raise AlreadyConsented
    return SecretaryConsent.objects.create(
        dossier_id=dossier_id, acting=row, given_on=given_on, collected=collected, recorded_by=by
    )


@transaction.atomic
def withdraw_secretary_consent(
    acting: ActingFor, dossier_id: UUID, *, by, access: Access, withdrawn_on: dt.date, collected: str
) -> SecretaryConsent:
    """Withdraw the person's consent: the dossier is closed to this secretary at the next request.

    Possible in a closed or paused dossier, since it only closes. Raises NotAllowed, NoConsentToWithdraw,
    CollectedUnknown, ConsentDateNotPossible.
    """
    if not access.may_record_refusal:
        raise NotAllowed
    rows = SecretaryConsent.objects.standing().select_for_update(of=("self",))
    consent = rows.filter(dossier_id=dossier_id, acting=acting).first()
    if consent is None:
        raise NoConsentToWithdraw
    _check(withdrawn_on, collected)
    if withdrawn_on < consent.given_on:
        raise ConsentDateNotPossible("Le retrait ne peut pas précéder l’accord.")
    consent.withdrawn_on, consent.withdrawn_collected = withdrawn_on, collected
    consent.withdrawn_at, consent.withdrawn_by = timezone.now(), by
    consent.save(update_fields=["withdrawn_on", "withdrawn_collected", "withdrawn_at", "withdrawn_by"])
    return consent


def _declare(kind: str, *, by, first_day, last_day, called, holder, via, rubriques=()) -> ActingFor:
    if not VouchedProfession.objects.current().filter(user=by).exists():
        raise NotWithoutProfession
    if last_day is not None and (last_day < max(first_day, timezone.localdate()) or last_day - first_day > LONGEST):
        raise DaysNotPossible
    if holder is not None and holder.pk == by.pk:
        raise OwnStandIn
    try:
        with transaction.atomic():
            row = ActingFor.objects.create(
                kind=kind, principal=by, substitute=holder, called=called.strip().lower(), first_day=first_day,
                last_day=last_day, rubriques=list(rubriques),
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyCalled from error
    record_account(user=by, action="absence", object_kind="remplacement", object_id=row.pk, via=via)
    if holder is not None:
        _ask(row, by, holder)
    return row


def _ask(row: ActingFor, by, holder: User) -> None:
    """Write to who is called: who asks, for what, when. No patient is named, nor counted."""
    until = f" jusqu’au {date_fr(row.last_day)}" if row.last_day else ""
    context = {
        "asked_by": person_name(by.family_name, by.given_name),
        "wanted": "le remplacer" if row.kind == STAND_IN else "tenir son secrétariat",
        "days": f"à partir du {date_fr(row.first_day)}{until}",
        "link": mails.absolute(reverse("acting:answer", args=[row.pk])),
    }
    mails.send("habilitations/emails/acting.html", to=holder.email, context=context, account_id=holder.pk, kind=ACTING)


def _asked(acting: ActingFor, by) -> ActingFor:
    row = ActingFor.objects.select_for_update(of=("self",)).get(pk=acting.pk)
    if row.substitute_id != by.pk:
        raise NotAllowed("Cette demande ne vous est pas adressée.")
    if not ActingFor.objects.waiting().filter(pk=row.pk).exists():
        raise ActingAnswered
    return row


def _end(row: ActingFor, *, by, via: Via) -> None:
    row.ended_at, row.ended_by = timezone.now(), by
    row.save(update_fields=["ended_at", "ended_by"])
    other = row.substitute_id if by.pk == row.principal_id else row.principal_id
    record_account(user=by, action=_ENDED[row.kind], object_kind="compte", object_id=other, via=via)


def _check(day: dt.date, collected: str) -> None:
    if collected not in SecretaryConsent.Collected.values:
        raise CollectedUnknown
    if day > timezone.localdate():
        raise ConsentDateNotPossible
