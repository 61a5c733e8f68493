"""Every change of a dossier: its opening, the identity of its person, her contacts, its state."""

from __future__ import annotations

import datetime as dt
import zlib
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from coordination.common.dates import Precision
from coordination.common.identifiers import parse_person_name
from coordination.common.ins import InsMatricule, first_given_name
from coordination.common.prepared import Prepared
from coordination.common.resending import require_same
from coordination.directory.models import Attachment
from coordination.dossiers import closing
from coordination.dossiers import identity_status as moves
from coordination.dossiers.errors import (
    CareGoesOn,
    ChangedMeanwhile,
    ClosingReasonMissing,
    DossierIsReadOnly,
    InsAlreadyUsed,
    LooksLikeAnother,
    ReopeningReasonMissing,
    StatusUnchanged,
)
from coordination.dossiers.lookalikes import find_lookalikes
from coordination.dossiers.lookups import same_name
from coordination.dossiers.models import Dossier, IdentityStatus, IdentityTraits, IdentityVersion, StatusChange, Visit
from habilitations import access
from habilitations import actions as habilitations
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action, Niveau
from habilitations.traces import NOWHERE, Via

TRAITS = tuple(f.name for f in IdentityTraits._meta.get_fields())
# What makes the person, by the INS reference: changing one of them by hand breaks the link with INSi.
STRICT_TRAITS = ("birth_name", "birth_given_names", "first_given_name", "sex", "birth_date", "birth_place_code")
NAMES = ("birth_name", "birth_given_names", "first_given_name", "used_name", "used_given_name")
CONTACTS = ("phone", "mobile", "email", "address", "postal_code", "town", "commune_code")
# First half of the advisory lock taken on a person being created; a number of our own.
PERSON_LOCK = 0x1D
# Pages read within the same half hour are one visit, so that the news do not vanish while one reads them.
SAME_VISIT = dt.timedelta(minutes=30)
# A page loaded again at once writes nothing.
VISIT_WRITTEN_EVERY = dt.timedelta(minutes=1)


@transaction.atomic
def create_dossier(
    *,
    by,
    traits: dict,
    contacts: dict,
    motif: str,
    referent_structure=None,
    duplicate_reason: str = "",
    creation_key: UUID,
) -> Dossier:
    """Create the dossier of a person, without any member: `circle.actions.open_dossier` adds its creator.

    `traits` holds fields of IdentityTraits (birth_name, birth_given_names, sex and birth_date required),
    `contacts` fields of CONTACTS. A key already used gives back the dossier it made, if it says the same. Raises
    AlreadySent, InsAlreadyUsed, LooksLikeAnother (a lookalike and no `duplicate_reason`), InvalidName (a name without
    a letter), StatusNotByHand, IdentityNotSound, and the errors of InsMatricule.parse (INS-1, 2, 6, 7, 8).
    """
    # Two people, or two clicks, creating the same person at the same time: one waits, then sees the other's.
    _lock_person(traits["birth_name"], traits["birth_date"])
    traits = _checked_traits(traits)
    said = {name: contacts.get(name, "") for name in CONTACTS} | {"motif": motif, "created_by": by} | traits
    if made := Dossier.objects.filter(creation_key=creation_key).first():
        require_same(made, referent_structure=referent_structure, **said)
        return made
    found = find_lookalikes(
        by=by,
        birth_name=traits["birth_name"],
        birth_date=traits["birth_date"],
        birth_date_precision=traits.get("birth_date_precision") or Precision.DAY,
        used_name=traits.get("used_name", ""),
        ins_matricule=traits["ins_matricule"],
        ins_oid=traits["ins_oid"],
    )
    if found.same_ins:
        raise InsAlreadyUsed
    if found and not duplicate_reason.strip():
        raise LooksLikeAnother
    dossier = Dossier(
        **said,
        referent_structure=referent_structure,
        duplicate_reason=duplicate_reason.strip() if found else "",
        status_on=timezone.localdate(),
        creation_key=creation_key,
    )
    _save_identity(dossier)
    return dossier


@transaction.atomic
def open_without_circle(
    *, by, traits: dict, contacts: dict, motif: str = Dossier.Motif.AUTRE, duplicate_reason: str = "",
    creation_key: UUID,
) -> Dossier:  # fmt: skip
    """Open a dossier to its creator without putting him in the circle: what `POST Patient` does (house.md, homes).

    Raises NotAllowed (action right "creer_dossier") and what `create_dossier` raises.
    """
    if not access.may_create_dossier(by):
        raise NotAllowed("Votre profession ne permet pas de créer un dossier.")
    made = create_dossier(
        by=by, traits=traits, contacts=contacts, motif=motif, duplicate_reason=duplicate_reason,
        creation_key=creation_key,
    )  # fmt: skip
    if not made.habilitations.filter(user=by).exists():
        attachment = Attachment.objects.of(by).select_related("professional").first()
        habilitations.grant_creator(made.pk, by, by=by, professional=attachment.professional if attachment else None)
    return made


@transaction.atomic
def update_identity(dossier: Dossier, *, by, version: int, traits: dict) -> Dossier:
    """Change traits, attributes or what was checked of an identity; the former one is kept (INS-3).

    `traits` holds the fields to change; an empty matricule leaves the one recorded, None removes it. A strict
    trait changed by hand drops the INS and brings the status back to the `identity_status` given (PROV or
    VALI, PROV by default). Raises ChangedMeanwhile, DossierIsReadOnly, InvalidName, StatusNotByHand,
    IdentityNotSound, InsAlreadyUsed and the errors of InsMatricule.parse.
    """
    dossier = _locked(dossier)
    if dossier.version != version:
        current = {name: getattr(dossier, name) for name in traits}
        raise ChangedMeanwhile(who=_last_editor(dossier), current=current, version=dossier.version)
    wanted = _with_first_name(dossier, traits)
    typed = wanted.get("ins_matricule", "") != ""
    new_ins = _parsed_ins(wanted)
    again = new_ins is not None and (new_ins.value, new_ins.oid) == (dossier.ins_matricule, dossier.ins_oid)
    strict = any(wanted.get(name, getattr(dossier, name)) != getattr(dossier, name) for name in STRICT_TRAITS)
    move = _next_status(dossier, wanted, strict=strict)
    before = _snapshot(dossier)
    for name, value in wanted.items():
        setattr(dossier, name, value)
    if typed and not (again and move.keeps_ins):
        move = moves.ins_typed(move.status)
    _apply(dossier, move, new_ins)
    return _keep_former(dossier, before, by=by, reason="Traits modifiés" if strict else "Identité mise à jour")


@transaction.atomic
def receive_ins(dossier: Dossier, *, by, matricule: str, oid: str) -> Dossier:
    """Record what the INSi service answered (code 00): the only way to RECUP and QUAL (INS-3).

    Raises InvalidMatricule, UnknownOid, TestOidRefused, IdentityNotSound, InsAlreadyUsed.
    """
    dossier = _locked(dossier)
    ins = InsMatricule.parse(matricule, oid, settings.INS_TEST_ALLOWED)
    move = moves.ins_received(dossier.identity_status, sound=not (dossier.doubtful or dossier.fictitious))
    before = _snapshot(dossier)
    dossier.ins_matricule, dossier.ins_oid, dossier.identity_status = ins.value, ins.oid, move.status
    return _keep_former(dossier, before, by=by, reason="Réponse du téléservice INSi")


@transaction.atomic
def update_contacts(dossier: Dossier, *, by, version: int, contacts: dict) -> Dossier:
    """Change how the person is reached, the motif or the referent structure.

    `contacts` holds fields of CONTACTS, `motif`, `referent_structure`; `version` is `contacts_version` as it
    was read. Raises ChangedMeanwhile, DossierIsReadOnly.
    """
    dossier = _locked(dossier)
    if dossier.contacts_version != version:
        who = dossier.contacts_changed_by.get_full_name() if dossier.contacts_changed_by else ""
        current = {name: getattr(dossier, name) for name in contacts}
        raise ChangedMeanwhile(who=who, current=current, version=dossier.contacts_version)
    if all(getattr(dossier, name) == value for name, value in contacts.items()):
        return dossier
    for name, value in contacts.items():
        setattr(dossier, name, value)
    dossier.contacts_version += 1
    dossier.contacts_changed_at, dossier.contacts_changed_by = timezone.now(), by
    dossier.save()
    return dossier


@transaction.atomic
def change_status(
    dossier: Dossier, *, by, access, status: str, reason: str = "", note: str = "", care_over: bool = False,
    seen: str = "", via: Via = NOWHERE,
) -> Dossier:  # fmt: skip
    """Move a dossier between « en évaluation », « actif », « en pause » and « clôturé ».

    Entering or leaving a read-only state needs the right to close; the rest, to write the identity. `care_over`, said
    when it closes or later, ends what the sharing rested on but for who may reopen
    (`habilitations.actions.end_care`, SEC-4); reopening gives back nothing. `seen` is the status the screen showed.
    Raises NotAllowed, StatusUnchanged, ClosingReasonMissing, ReopeningReasonMissing, CareGoesOn, ChangedMeanwhile.
    """
    dossier = Dossier.objects.select_for_update(of=("self",)).get(pk=dossier.pk)
    before, after = Dossier.Status(dossier.status), Dossier.Status(status)
    if seen and seen != before:
        last = dossier.status_changes.select_related("by").order_by("-at").first()
        raise ChangedMeanwhile(who=last.by.get_full_name() if last else "", current={"status": before})
    if care_over and after != Dossier.Status.CLOS:
        raise CareGoesOn
    if before == after:
        if not care_over:
            raise StatusUnchanged(state=before.label.lower())
        _end_care(dossier, by=by, access=access, via=via)
        return dossier
    frozen = {Dossier.Status.PAUSE, Dossier.Status.CLOS}
    if frozen & {before, after} or not access.can_write("identite"):
        access.require(Action.CLOSE_DOSSIER)
    if after == Dossier.Status.CLOS and reason not in Dossier.ClosingReason.values:
        raise ClosingReasonMissing
    if before == Dossier.Status.CLOS and not note.strip():
        raise ReopeningReasonMissing
    dossier.status, dossier.status_on, dossier.status_note = after, timezone.localdate(), note.strip()
    dossier.closing_reason = reason if after == Dossier.Status.CLOS else ""
    dossier.save()
    StatusChange.objects.create(
        dossier=dossier, by=by, before=before, after=after, reason=dossier.closing_reason, note=note.strip()
    )
    if care_over:
        _end_care(dossier, by=by, access=access, via=via)
    return dossier


def _end_care(dossier: Dossier, *, by, access, via: Via) -> None:
    closing.tell(dossier, habilitations.end_care(dossier.pk, by=by, access=access), by=by, access=access, via=via)


_visits = Prepared(
    lambda *, user_id, dossier_id: Visit.objects.filter(user=user_id, dossier=dossier_id).values_list(
        "seen_at", "previous_seen_at"
    ),
    one_plan=True,
)


def mark_visited(user, dossier: Dossier) -> dt.datetime | None:
    """Record that the account opens the dossier; return since when news are new to it, None the first time.

    The page opened first is the first visit: the next ones, even a minute later, tell what others did since.
    One SQL statement when the last writing is recent, two otherwise.
    """
    now = timezone.now()
    visits = _visits.tuples(user_id=user.pk, dossier_id=dossier.pk)
    if not visits:
        first = Visit(user=user, dossier=dossier, seen_at=now, previous_seen_at=now)
        Visit.objects.bulk_create([first], ignore_conflicts=True)
        return None
    seen_at, previous_seen_at = visits[0]
    if seen_at < now - VISIT_WRITTEN_EVERY:
        over = Q(seen_at__lt=now - SAME_VISIT)
        Visit.objects.filter(user=user, dossier=dossier).update(
            previous_seen_at=Case(When(over, then=F("seen_at")), default=F("previous_seen_at")), seen_at=Value(now)
        )
    return seen_at if seen_at < now - SAME_VISIT or previous_seen_at is None else previous_seen_at


def mark_all_seen(user, dossier: Dossier) -> None:
    """Forget the news of a dossier: « Tout marquer comme vu »."""
    now = timezone.now()
    Visit.objects.update_or_create(user=user, dossier=dossier, defaults={"seen_at": now, "previous_seen_at": now})


def _lock_person(birth_name: str, birth_date: dt.date) -> None:
    # The year alone: one of two who create the same person may not know the day.
    key = zlib.crc32(f"{same_name(birth_name)} {birth_date.year}".encode())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PERSON_LOCK, key - 2**31])


def _checked_traits(traits: dict) -> dict:
    """Return the traits of a new identity, its status and INS checked."""
    wanted = {name: value for name, value in traits.items() if name in TRAITS}
    if not wanted.get("first_given_name"):
        wanted["first_given_name"] = first_given_name(wanted["birth_given_names"])
    wanted |= _readable_names(wanted)
    sound = not (wanted.get("doubtful") or wanted.get("fictitious"))
    status = wanted.get("identity_status") or IdentityStatus.PROV
    wanted["identity_status"] = moves.chosen_by_hand(moves.PROV, status, sound=sound).status
    ins = _parsed_ins(wanted)
    return wanted | {"ins_matricule": ins.value if ins else "", "ins_oid": ins.oid if ins else ""}


def _parsed_ins(traits: dict) -> InsMatricule | None:
    """Take the INS out of the traits and check it; None when none was typed."""
    matricule, oid = traits.pop("ins_matricule", ""), traits.pop("ins_oid", "")
    return InsMatricule.parse(matricule, oid, settings.INS_TEST_ALLOWED) if matricule else None


def _with_first_name(dossier: Dossier, traits: dict) -> dict:
    wanted = {name: value for name, value in traits.items() if name in TRAITS}
    given = wanted.get("birth_given_names", dossier.birth_given_names)
    if "first_given_name" in wanted and not wanted["first_given_name"]:
        wanted["first_given_name"] = first_given_name(given)
    return wanted | _readable_names(wanted)


def _readable_names(traits: dict) -> dict:
    """Return the names that are said, without what one cannot see; the used ones may be empty. Raises InvalidName."""
    return {
        name: parse_person_name(traits[name], field=name)
        for name in NAMES
        if traits.get(name) or (name in traits and not name.startswith("used_"))
    }


def _next_status(dossier: Dossier, wanted: dict, *, strict: bool) -> moves.Move:
    chosen = wanted.pop("identity_status", "")
    doubtful = wanted.get("doubtful", dossier.doubtful)
    sound = not (doubtful or wanted.get("fictitious", dossier.fictitious))
    if strict:
        return moves.traits_changed(chosen or moves.PROV, sound=sound)
    if not sound and chosen in ("", dossier.identity_status):
        return moves.flags_changed(dossier.identity_status, sound=False)
    return moves.chosen_by_hand(dossier.identity_status, chosen or dossier.identity_status, sound=sound)


def _apply(dossier: Dossier, move: moves.Move, ins: InsMatricule | None) -> None:
    dossier.identity_status = move.status
    if ins:
        dossier.ins_matricule, dossier.ins_oid = ins.value, ins.oid
    elif not move.keeps_ins:
        dossier.ins_matricule = dossier.ins_oid = ""


def _locked(dossier: Dossier) -> Dossier:
    """Return the row read again under lock, refusing a dossier that became read-only meanwhile."""
    row = Dossier.objects.select_for_update(of=("self",)).get(pk=dossier.pk)
    if row.cap < Niveau.ECRITURE:
        raise DossierIsReadOnly(state=row.get_status_display().lower())
    return row


def _snapshot(dossier: Dossier) -> dict:
    return {name: getattr(dossier, name) for name in TRAITS}


def _keep_former(dossier: Dossier, before: dict, *, by, reason: str) -> Dossier:
    """Save the identity and keep what it was, unless nothing changed."""
    if before == _snapshot(dossier):
        return dossier
    former = dossier.version
    dossier.version += 1
    _save_identity(dossier)
    IdentityVersion.objects.create(dossier=dossier, version=former, replaced_by=by, reason=reason, **before)
    return dossier


def _save_identity(dossier: Dossier) -> None:
    """Save, turning the constraint that two simultaneous acts met into the sentence of the rule."""
    try:
        with transaction.atomic():
            dossier.save()
    except IntegrityError as error:
        if "dossier_ins_unique" in str(error):
            raise InsAlreadyUsed from None
        raise


def _last_editor(dossier: Dossier) -> str:
    last = dossier.identity_versions.select_related("replaced_by").order_by("-version").first()
    return last.replaced_by.get_full_name() if last and last.replaced_by else ""
