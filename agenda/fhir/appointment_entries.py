"""Which appointments a caller may know of, and entering their dossiers: each once per request, with one trace.

An appointment is read by who sees it on screen (`AppointmentQuerySet.visible_to`), and by the software that sent it
(GAP-68): the rule is asked of every row that is told; searches ask one that never says more.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from agenda.actions.common import SENDER
from agenda.models import AgendaConsent, Appointment, Participation, Reader
from agenda.models.appointments import discreet_sources
from circle.fhir.entries import held
from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.errors import DossierUnknown
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Unknown
from habilitations import access
from habilitations.rubriques import Niveau, Rubrique
from habilitations.traces import NOWHERE

AGENDA, MEETINGS = Rubrique.AGENDA, Rubrique.REUNIONS
NOBODY = Q(pk__in=[])
# Under which a call keeps the dossiers whose events it told, each with its trace (`Caller.is_told`).
TRACED = ("entered", "appointments")


def seen(caller: Caller, ids: Iterable[UUID]) -> list[tuple[Appointment, Entry]]:
    """Return those of these appointments that the caller may read, each with the entry of its dossier, traced.

    Six SQL statements at most, whatever their number.
    """
    dossiers = set(Appointment.objects.filter(pk__in=list(ids)).values_list("dossier_id", flat=True))
    entries = _looked(caller, dossiers)
    readers = [Reader.of(entry) for entry in entries.values()]
    rows = Appointment.objects.seen_in(readers, sender=caller.owner).filter(pk__in=list(ids)) if readers else []
    found = [(row, entries[row.dossier_id]) for row in rows]
    _trace(caller, {entry.dossier.pk: entry for _, entry in found})
    return found


def _looked(caller: Caller, dossier_ids: Iterable[UUID]) -> dict[UUID, Entry]:
    known: dict[UUID, Entry | None] = caller.memo.setdefault("agenda looked", {})
    wanted = set(dossier_ids)
    if new := wanted - known.keys():
        found = door.look_many(caller.user, new, via=caller.via or NOWHERE)
        known.update({id: found.get(id) for id in new})
    return {id: entry for id in wanted if (entry := known[id])}


def _trace(caller: Caller, entries: dict[UUID, Entry]) -> None:
    """Leave one trace for each dossier of which something is told: by the rubric read, by none for who is invited.

    Apart from the agendas entered (`entries.entered`): who is only invited to an event reads no agenda.
    """
    traced: dict[UUID, Entry | None] = caller.memo.setdefault(TRACED, {})
    by_rubric: dict[str, list[Entry]] = {}
    for id, entry in entries.items():
        if id not in traced:
            read = next((one.value for one in (AGENDA, MEETINGS) if entry.access.can_read(one)), "")
            by_rubric.setdefault(read, []).append(entry)
            traced[id] = entry
    for rubric, of_it in by_rubric.items():
        door.tell_many(of_it, rubrique=rubric, action=caller.reading)


def enter_to_write(caller: Caller, dossier_id: UUID, *, invited: bool = False, rubric: Rubrique = AGENDA) -> Entry:
    """Enter the agenda of a dossier to change it, with its trace. Raises Unknown (404), LevelMissing (403).

    `invited`: who is, answers whatever the matrix (rule 6): each act asks for what else it needs. As for a circle:
    should the call fail, all is undone and the attempt is traced by itself (SEC-13).
    """
    via, which = caller.via or NOWHERE, None if invited else rubric
    undone = partial(door.tell_undone, caller.user, dossier_id, rubric, Niveau.ECRITURE, via=via)
    caller.afterwards[rubric, dossier_id] = undone
    try:
        door.enter(caller.user, dossier_id, which, Niveau.ECRITURE, action=door.WRITE, via=via)
        entry = door.look(caller.user, dossier_id, via=via)
    except DossierUnknown:
        raise Unknown from None
    if which is not None:
        access.require(entry.access, which, Niveau.ECRITURE)
    entry.read[SENDER] = caller.owner
    caller.memo.setdefault("agenda looked", {})[dossier_id] = entry
    caller.memo.setdefault(TRACED, {})[dossier_id] = entry
    return entry


def found_by(caller: Caller) -> Q:
    """Return the condition, on appointments, that a search may tell the caller of them: within what `seen` reads.

    By his own grants and those of his structures. What he enters for another, or in an emergency, he reads by its id.
    """
    user, said = caller.user, held(caller)
    himself = Q(dossier_id__in=access.dossiers_of(user, through=access.HIMSELF))
    meeting = Q(kind=Appointment.Kind.MEETING)
    told = _reads(caller, AGENDA) & ~meeting | _reads(caller, MEETINGS) & meeting
    own = Q(created_by=user.pk) | Q(organizer=user.pk)
    near = Q(on_behalf=True)
    if said.hat.structure_id:
        near |= Q(structure=said.hat.structure_id)
    agreed = Exists(AgendaConsent.objects.in_force().filter(dossier_id=OuterRef("dossier_id")))
    shown = (near | Q(agreed) | Q(sender=caller.owner)) & (_knows_discreet(caller) | ~Q(Exists(discreet_sources())))
    invited = Exists(Participation.objects.filter(appointment_id=OuterRef("pk"), user=user.pk))
    return himself & Q(merged_into=None) & (told & (own | shown) | Q(invited))


def _reads(caller: Caller, rubric: Rubrique) -> Q:
    if not held(caller).can_read(rubric):
        return NOBODY
    return ~Q(dossier_id__in=access.dossiers_closed_to(caller.user, rubric))


def _knows_discreet(caller: Caller) -> Q:
    if not held(caller).sees_discreet_members:
        return NOBODY
    return ~Q(dossier_id__in=access.dossiers_closed_to(caller.user, Rubrique.MEDICAL))


def attending(caller: Caller) -> Q:
    """Return the condition, on participations, that the caller may know who it is: by whom a search may find."""
    himself = Q(user=caller.user.pk)
    if not held(caller).sees_whole_circle:
        return himself
    in_the_open = Q(member=None, user=None) | Q(member__discreet=False)
    if not held(caller).sees_discreet_members:
        return himself | in_the_open
    closed = access.dossiers_closed_to(caller.user, Rubrique.MEDICAL)
    return himself | in_the_open | (Q(member__discreet=True) & ~Q(dossier_id__in=closed))


def is_shown(entry: Entry, one: Participation) -> bool:
    """Say whether this reader may know who attends, as `naming.names_of` decides on screen."""
    if one.is_the_person or one.room_id or one.user_id == entry.user.pk:
        return True
    if not entry.access.sees_whole_circle:
        return False
    if one.member:
        return not one.member.discreet or entry.access.sees_discreet_members
    return bool(one.label)
