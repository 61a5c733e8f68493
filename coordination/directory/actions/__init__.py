"""Entries made for the coordination, and the account that belongs to a professional.

What the national files bring is changed by the importers only.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError, transaction

from coordination.accounts.models import User
from coordination.common.french import plural
from coordination.common.identifiers import InvalidName, parse_person_name
from coordination.common.text import capital_family, capital_given, fold, seen
from coordination.directory.attaching import tell_attached
from coordination.directory.errors import (
    AlreadyAttached,
    AlreadyInDirectory,
    StructureContactMissing,
    StructureMergeRefused,
)
from coordination.directory.models import Activity, Attachment, Professional, Source, Structure
from habilitations.actions import activate_waiting, count_contradictions, same_structures, vouch_profession
from habilitations.models import VouchedProfession
from habilitations.traces import NOWHERE, Via, record_account

# Columns of a structure that a person may fill; the rest says where the row comes from.
STRUCTURE_FIELDS = frozenset({
    "name", "short_name", "finess", "finess_ej", "siren", "siret", "category", "sector", "address", "postal_code",
    "town", "commune_code", "phone", "email", "mss_address", "manager_name", "kind",
})  # fmt: skip
_NAMES = frozenset({"name", "short_name", "manager_name"})


@transaction.atomic
def create_local_structure(*, by: User, **values: Any) -> Structure:
    """Create a structure the national files do not know, from checked values (names of STRUCTURE_FIELDS).

    `name` is required, with a phone, an e-mail or an MSSanté address (issue 2, section 6). Raises
    StructureContactMissing; InvalidName for a name of which one reads nothing; AlreadyInDirectory when its FINESS
    number is there already; TypeError for a column that is not a person's to fill.
    """
    unknown = values.keys() - STRUCTURE_FIELDS
    if unknown:
        raise TypeError(f"not fields of a local structure: {', '.join(sorted(unknown))}")
    if not any(values.get(name) for name in ("phone", "email", "mss_address")):
        raise StructureContactMissing
    finess = values.get("finess") or ""
    if finess and Structure.objects.filter(finess=finess).exists():
        raise AlreadyInDirectory(name="Cette structure", field="finess")
    values |= {name: seen(values[name]) for name in _NAMES & values.keys()}
    name, short = values.pop("name"), values.get("short_name", "")
    if not fold(name):
        raise InvalidName(field="name")
    # Folding opens œ and ß into two.
    searched = fold(f"{name} {short}")[:300]
    structure = Structure(**values, name=name, source=Source.LOCAL, search_name=searched, created_by=by)
    try:
        with transaction.atomic():
            structure.save(force_insert=True)
    except IntegrityError as error:
        # Somebody created it between the question and the answer.
        raise AlreadyInDirectory(name="Cette structure", field="finess") from error
    return structure


@transaction.atomic
def create_local_professional(
    *,
    by: User,
    family_name: str,
    given_name: str = "",
    profession: str = "",
    structure: Structure | None = None,
    civility: str = "",
    rpps: str = "",
    adeli: str = "",
    email: str = "",
    phone: str = "",
    speciality: str = "",
    fonction: str = "",
) -> Professional:
    """Create a professional, with or without RPPS, and the activity under which the search finds them.

    With an RPPS or ADELI number the row is the one the national file will take over at its next load.
    Raises InvalidName (no letter in a name), AlreadyInDirectory when that number is there already.
    """
    # Capitals open ß into two letters, folding œ as well.
    family = capital_family(parse_person_name(family_name, field="family_name"))[:120]
    given = capital_given(parse_person_name(given_name, field="given_name"))[:120] if given_name else ""
    national_id = f"8{rpps}" if rpps else (f"0{adeli}" if adeli else "")
    already = AlreadyInDirectory(name="Ce professionnel", field="rpps" if rpps else "adeli")
    if national_id and Professional.objects.filter(national_id=national_id).exists():
        raise already
    professional = Professional(
        source=Source.LOCAL,
        national_id=national_id,
        rpps=rpps,
        adeli=adeli,
        civility=civility,
        family_name=family,
        given_name=given,
        search_family=fold(family)[:150],
        search_given=fold(given)[:150],
        email=email,
        phone=phone,
        created_by=by,
    )
    try:
        with transaction.atomic():
            professional.save(force_insert=True)
    except IntegrityError as error:
        # Somebody created him between the question and the answer.
        raise already from error
    add_local_activity(
        professional, by=by, profession=profession, structure=structure, speciality=speciality, fonction=fonction
    )
    return professional


def add_local_activity(
    professional: Professional,
    *,
    by: User,
    profession: str,
    structure: Structure | None = None,
    speciality: str = "",
    fonction: str = "",
) -> Activity:
    """Say that the professional practises this profession, in this structure if there is one."""
    place = {
        "structure_name": structure.name,
        "address": structure.address,
        "postal_code": structure.postal_code,
        "town": structure.town,
        "commune_code": structure.commune_code,
        "sector": structure.sector,
        "address_borrowed": True,
    } if structure else {}  # fmt: skip
    return Activity.objects.create(
        professional=professional,
        structure=structure,
        # No file will ever look for it: any number the person does not have yet.
        natural_key=secrets.randbits(62),
        profession=profession,
        speciality=speciality,
        fonction=fonction,
        category="C",
        phone=professional.phone or (structure.phone if structure else ""),
        email=professional.email or (structure.email if structure else ""),
        search_family=professional.search_family,
        search_given=professional.search_given,
        **place,
    )


@transaction.atomic
def attach_account(
    user: User, professional: Professional, structure: Structure | None = None, *, by: User
) -> Attachment:
    """Say that this account belongs to this professional, working in this structure.

    Gives no right by itself: a profession gives rights once vouched for. What was granted or refused to the
    professional now concerns the account. Raises AlreadyAttached.
    """
    try:
        with transaction.atomic():
            attachment = Attachment.objects.create(user=user, professional=professional, structure=structure)
    except IntegrityError as error:
        raise AlreadyAttached() from error
    activate_waiting(user, professional, by=by)
    tell_attached(user, professional)
    return attachment


def lock_account(user: User) -> None:
    """Make a confirmation and a move to another structure wait for each other, whether it is attached yet or not.

    Needs an open transaction. Whoever locks the attachment too does it before.
    """
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


@transaction.atomic
def confirm_account(user: User, activity: Activity, *, how: str, by: User) -> VouchedProfession:
    """Say that this account is the professional of this activity, and vouch for the profession he practises there.

    `how` is a VouchedProfession.How. Raises AlreadyAttached, AlreadyVouched.
    """
    lock_account(user)
    professional = activity.professional
    # After a profession has ended the account is still this person.
    if not Attachment.objects.of(user).filter(professional=professional).exists():
        attach_account(user, professional, activity.structure, by=by)
    return vouch_profession(
        user,
        profession=activity.profession,
        fonction=activity.fonction,
        national_id=professional.national_id,
        structure=activity.structure,
        how=how,
        by=by,
        professional=professional,
    )


@transaction.atomic
def merge_structure(local: Structure, into: Structure, *, by: User, via: Via = NOWHERE) -> Structure:
    """Say that a structure created here is the same as another one: a pointer, nothing is rewritten. Traced: what was
    granted to either is then of both.

    Raises StructureMergeRefused for a structure of the national files, one already merged, itself, a cycle, or
    two entries of which one is refused and the other granted in one dossier: the access would outlive the refusal.
    """
    # In the order of the keys, so that two crossed merges wait for each other instead of blocking.
    ids = [local.pk, into.pk]
    locked = {s.pk: s for s in Structure.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")}
    local, into = locked[local.pk], locked[into.pk]
    if local.source != Source.LOCAL:
        raise StructureMergeRefused(
            "Seule une structure créée pour la coordination peut être fusionnée dans une autre."
        )
    if local.merged_into_id:
        raise StructureMergeRefused("Cette structure est déjà fusionnée dans une autre.")
    if _leads_to(into, local):
        raise StructureMergeRefused("Une structure ne peut pas être fusionnée dans elle-même, même par un détour.")
    refused = count_contradictions(same_structures(local.pk, into.pk))
    if refused:
        raise StructureMergeRefused(
            f"Fusion impossible. Dans {plural(refused, 'dossier')}, le patient a refusé le partage avec l’une de ces "
            "structures et l’autre est habilitée : il faut d’abord y fermer cet accès ou y retirer le refus."
        )
    local.merged_into = into
    local.save(update_fields=["merged_into"])
    record_account(user=by, action="fusion", object_kind="structure", object_id=local.pk, via=via)
    return local


def _leads_to(start: Structure, goal: Structure) -> bool:
    current: Structure | None = start
    while current is not None:
        if current.pk == goal.pk:
            return True
        current = current.merged_into
    return False
