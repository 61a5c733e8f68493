"""The accounts of a structure, by the person named to look after them: offered, confirmed, no longer confirmed.

He vouches for others, in his structure only, and never touches an account that is not (yet) one of its accounts: it
becomes one when its holder says yes (decision 2026-11-28). Shutting an account stays an administrator's act.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.actions import create_account, send_password_link
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.common.text import capital_family, capital_given, person_name, squeeze
from coordination.directory.actions import (
    add_local_activity,
    attach_account,
    confirm_account,
    create_local_professional,
    lock_account,
)
from coordination.directory.errors import (
    AlreadyAttached,
    AlreadyInStructure,
    AlreadyOffered,
    OfferAnswered,
    ProfessionNotListed,
    ReasonMissing,
)
from coordination.directory.models import Activity, Attachment, AttachmentOffer, Professional, Source, Structure
from coordination.directory.newcomers import Newcomer
from habilitations import access
from habilitations.actions import end_profession
from habilitations.errors import NotAllowed, NotOfYourStructure, VouchedElsewhere
from habilitations.models import VouchedProfession
from habilitations.traces import NOWHERE, Via, record_account

KINDS = {
    "account.offer": "Demande de rattachement d’un compte",
    "account.asked_elsewhere": "Compte demandé sous une autre adresse",
}


@transaction.atomic
def offer_account(structure: Structure, who: Newcomer, *, by: User, via: Via = NOWHERE) -> AttachmentOffer:
    """Open an account for somebody of the structure, or ask the account he has: one row and one mail in both cases.

    Nothing of an existing account changes until its holder says yes. Raises NotOfYourStructure, AlreadyInStructure,
    AlreadyOffered, ProfessionNotListed, InvalidAddress.
    """
    access.require_looks_after(by, structure.pk)
    mine = access.administered_structures(by)
    _require_of_structure(who, mine)
    holder = _holder(who)
    if holder is not None and _is_of(holder, mine):
        raise AlreadyInStructure
    is_new = holder is None
    opens = holder is None or _opens(holder)
    if holder is None:
        holder = create_account(
            email=who.email, family_name=capital_family(who.family_name), given_name=capital_given(who.given_name),
            by=by, is_vetted=True, opened_for=_asked_by(structure, by),
        )  # fmt: skip
    try:
        with transaction.atomic():
            offer = AttachmentOffer.objects.create(
                structure=structure, email=who.email.strip().lower(), family_name=capital_family(who.family_name),
                given_name=capital_given(who.given_name), profession=who.profession, fonction=who.fonction,
                professional=who.professional, user=holder, opens_account=opens, offered_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyOffered from error
    if not is_new and holder.is_active:
        _ask(offer, holder, _asked_by(structure, by))
    if who.professional is not None:
        _tell_known_address(who, holder, mine)
    record_account(user=by, action="création de compte", object_kind="demande", object_id=offer.pk, via=via)
    return offer


@transaction.atomic
def accept_offer(offer: AttachmentOffer, *, by: User, via: Via = NOWHERE) -> Attachment:
    """The holder says yes: his account is one of the structure's, his profession still to be confirmed.

    Raises NotAllowed (not his), OfferAnswered, VouchedElsewhere, ProfessionNotListed, AlreadyAttached.
    """
    offer = _waiting(offer, by)
    structure = offer.structure
    attachment = _locked_attachment(by)
    if refusal := why_not_accept(offer, attachment):
        raise refusal
    codes = {"profession": offer.profession, "fonction": offer.fonction}
    if attachment is not None:
        attachment.structure = structure
        attachment.save(update_fields=["structure"])
    else:
        known = offer.professional or create_local_professional(
            by=offer.offered_by, family_name=by.family_name, given_name=by.given_name, email=by.email,
            structure=structure, **codes,
        )  # fmt: skip
        attachment = attach_account(by, known, structure, by=by)
    professional = attachment.professional
    if not professional.activities.active().filter(structure=structure, **codes).exists():
        add_local_activity(professional, by=offer.offered_by, structure=structure, **codes)
    _answer(offer, is_accepted=True)
    record_account(user=by, action="rattachement", object_kind="structure", object_id=structure.pk, via=via)
    return attachment


def why_not_accept(offer: AttachmentOffer, attachment: Attachment | None) -> DomainError | None:
    """Return the refusal that accepting would meet: the page says it and does not offer what will be refused.

    `attachment`: that of the offer's holder, if any. Returns VouchedElsewhere, AlreadyAttached or ProfessionNotListed;
    None when he may say yes. Two SQL statements at most.
    """
    if VouchedProfession.objects.current().filter(user=offer.user_id).exists():
        return VouchedElsewhere(
            "Votre profession est déjà confirmée ailleurs : seul un administrateur peut la changer de structure."
        )
    if attachment is None and offer.professional_id:
        if Attachment.objects.filter(professional=offer.professional_id).exists():
            return AlreadyAttached()
        return None if _is_listed(offer.professional, offer) else ProfessionNotListed()
    return None if attachment is None or _is_listed(attachment.professional, offer) else ProfessionNotListed()


@transaction.atomic
def refuse_offer(offer: AttachmentOffer, *, by: User, via: Via = NOWHERE) -> None:
    """The holder says no: nothing of his account has changed. Raises NotAllowed, OfferAnswered."""
    offer = _waiting(offer, by)
    _answer(offer)
    record_account(user=by, action="refus de demande", object_kind="demande", object_id=offer.pk, via=via)


@transaction.atomic
def withdraw_offer(offer: AttachmentOffer, *, by: User, via: Via = NOWHERE) -> None:
    """Who looks after the structure takes an unanswered offer back. Raises NotOfYourStructure, OfferAnswered."""
    access.require_looks_after(by, offer.structure_id)
    offer = AttachmentOffer.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    if offer.answered_at is not None:
        raise OfferAnswered
    _answer(offer)
    record_account(user=by, action="retrait de demande", object_kind="demande", object_id=offer.pk, via=via)


@transaction.atomic
def confirm_in_structure(user: User, activity: Activity, *, by: User, via: Via = NOWHERE) -> VouchedProfession:
    """Vouch for the profession that an account of the structure practises there; what waited for it opens.

    Raises NotOfYourStructure, OwnProfession, VouchedElsewhere, AlreadyVouched.
    """
    access.require_looks_after(by, activity.structure_id, other_than=user)
    # Locked before the question: a confirmation and a move elsewhere wait for each other.
    attachment = Attachment.objects.of(user).select_for_update(of=("self",)).first()
    mine = access.administered_structures(by)
    if attachment is None or attachment.structure_id not in mine:
        raise NotOfYourStructure
    if attachment.professional_id != activity.professional_id or activity.ceased_at:
        raise NotOfYourStructure
    if _elsewhere(user, mine):
        raise VouchedElsewhere
    vouched = confirm_account(user, activity, how=VouchedProfession.How.STRUCTURE, by=by)
    record_account(user=by, action="confirmation", object_kind="compte", object_id=user.pk, via=via)
    return vouched


@transaction.atomic
def withdraw_confirmation(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> VouchedProfession:
    """End the profession an account has in the structure, whoever had confirmed it: its rights end at once.

    Raises NotOfYourStructure, OwnProfession, ReasonMissing, VouchedElsewhere, NotVouched.
    """
    if not squeeze(reason):
        raise ReasonMissing
    mine = access.administered_structures(by)
    current = VouchedProfession.objects.current().select_for_update(of=("self",)).filter(user=user).first()
    if current is not None and current.structure_id in mine:
        access.require_looks_after(by, current.structure_id, other_than=user)
    elif not _is_of(user, mine):
        raise NotOfYourStructure
    elif current is not None:
        raise VouchedElsewhere
    ended = end_profession(user, by=by, reason=squeeze(reason))
    record_account(user=by, action="fin de confirmation", object_kind="compte", object_id=user.pk, via=via)
    return ended


def _holder(who: Newcomer) -> User | None:
    """Return the account that this person has: the one of the professional chosen, else the one of the address."""
    if who.professional is not None:
        attachment = Attachment.objects.filter(professional=who.professional).select_related("user").first()
        if attachment is not None:
            return attachment.user
    return User.objects.with_email(who.email).first()


def _opens(holder: User) -> bool:
    """Return whether the first sign-in will be the answer, as for an account opened by the offer itself.

    One that a structure has already, or that another one offers first, is asked in words.
    """
    if holder.last_login is not None or Attachment.objects.of(holder).exclude(structure=None).exists():
        return False
    return not AttachmentOffer.objects.waiting().filter(user=holder, opens_account=True).exists()


def _asked_by(structure: Structure, by: User) -> dict:
    """Return who asks and for which house: a mail that says neither looks like a trap. No patient is named."""
    return {"asked_by": person_name(by.family_name, by.given_name), "structure": structure.name}


def _ask(offer: AttachmentOffer, holder: User, asked: dict) -> None:
    """Write to the holder of an account that was there before; one never used has no password to answer with."""
    if holder.last_login is None:
        send_password_link(holder, opened_for=asked)
    if not offer.opens_account:
        link = mails.absolute(reverse("directory:offer", args=[offer.pk]))
        context = {"link": link, **asked}
        mails.send("directory/emails/offer.html", to=holder.email, context=context, account_id=holder.pk)


def _tell_known_address(who: Newcomer, holder: User, structure_ids) -> None:
    """Tell the address that the directory has of somebody chosen there, when the account answers to another one.

    The structure types the address: a mailbox of its own would otherwise receive, unseen, what waits for a colleague.
    """
    practised = who.professional.activities.active().filter(structure__in=structure_ids).exclude(email="")
    known = who.professional.email or practised.order_by("pk").values_list("email", flat=True).first() or ""
    if known and known.lower() != holder.email.lower():
        mails.send("directory/emails/asked_elsewhere.html", to=known, context={}, account_id=holder.pk)


def _is_of(user: User, structure_ids) -> bool:
    attached = Attachment.objects.of(user).filter(structure__in=structure_ids).exists()
    return attached or VouchedProfession.objects.current().filter(user=user, structure__in=structure_ids).exists()


def _elsewhere(user: User, structure_ids) -> bool:
    current = VouchedProfession.objects.current().filter(user=user)
    return current.exclude(structure__in=structure_ids).exists()


def _require_of_structure(who: Newcomer, structure_ids) -> None:
    """Somebody chosen in the directory practises there already, under that trade and that function.

    Else a mailbox of one's own would be enough to become any professional of the country, and what waits for him.
    The function counts as much as the profession: the pair decides the profile (profiles.csv).
    """
    if who.professional is None:
        return
    practised = who.professional.activities.active().filter(structure__in=structure_ids)
    if not practised.filter(profession=who.profession, fonction=who.fonction).exists():
        raise NotOfYourStructure("L’annuaire ne voit pas cette personne exercer ce métier dans votre structure.")


def _is_listed(professional: Professional | None, offer: AttachmentOffer) -> bool:
    """What the national files say of a person is not for a structure to change: neither trade nor function."""
    if professional is None or professional.source == Source.LOCAL:
        return True
    return professional.activities.listed().filter(profession=offer.profession, fonction=offer.fonction).exists()


def _locked_attachment(user: User) -> Attachment | None:
    """Lock the attachment, then the account, as a confirmation does: of the two, one waits for the other.

    Comes before asking whether he is confirmed: the answer must still hold when the account moves.
    """
    attachments = Attachment.objects.of(user).select_related("professional")
    attachment = attachments.select_for_update(of=("self",)).first()
    lock_account(user)
    return attachment or attachments.first()


def _waiting(offer: AttachmentOffer, by: User) -> AttachmentOffer:
    offer = AttachmentOffer.objects.select_related("structure", "professional", "offered_by").select_for_update(
        of=("self",)
    ).get(pk=offer.pk)  # fmt: skip
    if offer.user_id != by.pk:
        raise NotAllowed("Cette demande ne vous est pas adressée.")
    if offer.answered_at is not None:
        raise OfferAnswered
    return offer


def _answer(offer: AttachmentOffer, *, is_accepted: bool = False) -> None:
    offer.answered_at, offer.is_accepted = timezone.now(), is_accepted
    offer.save(update_fields=["answered_at", "is_accepted"])
