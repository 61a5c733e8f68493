"""What is said of a time that is taken: of one’s own agenda, what; of another’s, only that he is not free.

What the reader may not see in the dossier is never told by a clash: the person and her relatives are warned about from
what he sees, and nothing else (AGD-12: hidden, and not « occupé »).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from agenda.actions.taking import clashes
from agenda.errors import TimeTaken
from agenda.models import Appointment, Occupation, Participation
from agenda.naming import PERSON, YOU, names_of
from circle.models import Member


def explained(entry, appointment: Appointment, people: Sequence[Participation]) -> TimeTaken:
    """Return the refusal of a booking, with whose time is taken as far as this reader may know.

    `people`: those who attend. Two SQL statements, once it is refused.
    """
    keys = [one.key for one in people]
    found = clashes(keys, *appointment.span, but=appointment.pk).filter(exclusive=True)
    taken = {row.key: row for row in found}
    names = names_of(entry, people)
    said = {names.get(one.pk, ""): taken[one.key] for one in people if one.key in taken}
    if YOU in said:
        return TimeTaken(sentence=_own_words(said[YOU], appointment.zone))
    name = min(filter(None, said), default="")
    return TimeTaken(sentence=f"{name} : ce moment n’est pas libre. Choisissez-en un autre.") if name else TimeTaken()


def _own_words(row: Occupation, zone: str) -> str:
    """Say what takes one’s own time: its hours; the dossier it is in may be closed to this page."""
    place = ZoneInfo(zone)
    start, end = row.starts_at.astimezone(place), row.ends_at.astimezone(place)
    return f"Vous n’êtes pas libre : vous avez un rendez-vous le {start:%d/%m/%Y} de {start:%H:%M} à {end:%H:%M}."


def warnings(entry, appointment: Appointment, people: Sequence[Participation]) -> list[str]:
    """Return what deserves a look and refuses nothing: sentences for who has just written this event.

    The person or a relative has another event then, of those the reader sees; somebody is absent or has something of
    his own. Three SQL statements.
    """
    if appointment.starts_at is None or appointment.span[1] <= timezone.now():
        return []
    names = names_of(entry, people)
    return [*_others_of_the_dossier(entry, appointment, people, names), *_not_free(appointment, people, names)]


def _others_of_the_dossier(entry, appointment, people, names) -> list[str]:
    relatives = {one.key for one in people if one.member and one.member.kind == Member.Kind.AIDANT}
    watched = relatives | {one.key for one in people if one.is_the_person}
    if not watched:
        return []
    others = (
        Appointment.objects.visible_to(entry)
        .between(appointment.starts_at, appointment.ends_at)
        .filter(status__in=Appointment.LIVE)
        .exclude(pk=appointment.pk)
    )
    found = Participation.objects.filter(appointment__in=others, key__in=watched).select_related("appointment")
    name_of = {one.key: names.get(one.pk, "") for one in people}
    said: dict[tuple[str, UUID], str] = {}
    for one in found.order_by("appointment__starts_at"):
        who = name_of.get(one.key)
        if who:
            said.setdefault((who, one.appointment_id), _also(who, one.appointment))
    return list(said.values())


def _also(who: str, other: Appointment) -> str:
    place = ZoneInfo(other.zone)
    what = other.get_kind_display().lower()
    start, end = (instant.astimezone(place) for instant in other.span)
    hours = f"de {start:%H:%M} à {end:%H:%M}"
    if other.kind in (Appointment.Kind.ABSENCE, Appointment.Kind.HOSPITAL):
        hours = f"jusqu’au {end:%d/%m/%Y}"
    return f"{who} a déjà quelque chose à ce moment : {what} {hours}."


def _not_free(appointment, people, names) -> list[str]:
    """Those whose own agenda says that they are not there: an absence, a busy time; never what."""
    of_key = {one.key: names[one.pk] for one in people if one.pk in names and names[one.pk] != PERSON}
    relatives = {one.key for one in people if one.member and one.member.kind == Member.Kind.AIDANT}
    keys = set(of_key) - relatives
    rows = clashes(keys, *appointment.span, but=appointment.pk).filter(exclusive=False)
    busy: set[str] = set()
    held: set[str] = set()
    for row in rows:
        (held if row.kind == Occupation.Kind.HOLD else busy).add(of_key[row.key])
    return [
        *(
            "Votre agenda dit que vous n’êtes pas libre à ce moment."
            if name == YOU
            else f"{name} : son agenda dit que ce moment n’est pas libre."
            for name in sorted(busy)
        ),
        *(f"{name} : ce moment est retenu." for name in sorted(held)),
    ]
