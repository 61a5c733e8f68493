"""What the agendas of the demonstration hold, entered through the agenda's own actions by whom it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from agenda.actions import appointments, consents, series
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who
from agenda.actions.openings import When, add_absence, add_opening
from agenda.actions.schedules import schedule_of
from agenda.models import Appointment
from agenda.recurrence import instant
from agenda.rules import Day, Freq, Rule
from circle.models import Member
from coordination.accounts.models import User
from coordination.dossiers import door
from coordination.dossiers.door import Entry

Users = dict[str, User]
KIND = Appointment.Kind
Keys = Callable[..., UUID]


def load(dossier_id: UUID, name: str, users: Users, key: Keys) -> None:
    """Enter the events of one story, if it has some; `key` gives the same id for the same words."""
    if name in _STORIES:
        _STORIES[name](dossier_id, users, key)


def open_agendas(users: Users) -> None:
    """Say when three people may be asked, and when not; what is already said stays."""
    for who, days, hours in (
        ("coordinatrice", range(5), ((9, 12), (14, 17))),
        ("medecin", (1, 3), ((14, 16),)),
        ("infirmiere", range(5), ((8, 12),)),
    ):
        user = users[who]
        schedule = schedule_of(user)
        if schedule.openings.exists():
            continue
        weekly = Rule(Freq.WEEKLY, by_day=tuple(Day(day) for day in days))
        for first, last in hours:
            add_opening(schedule, by=user, when=When(_at(7 + min(days), first), _at(7 + min(days), last), weekly))
        add_absence(schedule, by=user, when=When(_at(12, 0), _at(13, 0)), label="Formation", all_day=True)


def _martin(dossier_id: UUID, users: Users, key: Keys) -> None:
    """She agreed that everybody sees everything; visits repeat, a meeting waits for its answers."""
    coordinator, doctor, nurse = (_enter(users, who, dossier_id) for who in ("coordinatrice", "medecin", "infirmiere"))
    consents.record_consent(coordinator, on=timezone.localdate() - dt.timedelta(days=30))
    _note(doctor, key(dossier_id, "consultation"), _at(8, 9), 20, "Suivi", service_type="consultation",
          modality="sur_place", place="Cabinet, Carmaux")  # fmt: skip
    _visits(nurse, key(dossier_id, "pansement"), _at(7, 10), 30, "Pansement", days=(Day(0), Day(3)))
    _note(coordinator, key(dossier_id, "synthese"), _at(9, 14), 60, "Synthèse du trimestre", kind=KIND.MEETING,
          members=_members(coordinator, users, "medecin", "infirmiere"), ask=True, modality="video",
          video_url="https://visio.example/synthese")  # fmt: skip
    _note(coordinator, key(dossier_id, "dentiste"), _at(10, 11), 45, "Dentiste", me=False, on_behalf=True)
    _note(coordinator, key(dossier_id, "fille"), _at(18, 0), 3 * 24 * 60, "Chez sa fille", kind=KIND.ABSENCE,
          all_day=True)  # fmt: skip
    _note(coordinator, key(dossier_id, "evaluation"), _at(-3, 10), 90, "Évaluation à domicile", kind=KIND.VISIT,
          service_type="evaluation", modality="domicile", done=True)  # fmt: skip


def _bernard(dossier_id: UUID, users: Users, key: Keys) -> None:
    """Nothing is agreed: the coordinator sees none of the nurse's visits."""
    coordinator, nurse = (_enter(users, who, dossier_id) for who in ("coordinatrice", "infirmiere"))
    _visits(nurse, key(dossier_id, "toilette"), _at(7, 8), 45, "Toilette", days=())
    _note(coordinator, key(dossier_id, "visite"), _at(11, 15), 60, "Visite", kind=KIND.VISIT, modality="domicile")


_STORIES = {"Exemple": _martin, "Bernard": _bernard}


def _enter(users: Users, who: str, dossier_id: UUID) -> Entry:
    return door.look(users[who], dossier_id)


def _at(days: int, hour: int) -> dt.datetime:
    """Return that hour so many days after the Monday of this week, without zone."""
    today = timezone.localdate()
    return dt.datetime.combine(today + dt.timedelta(days=days - today.weekday()), dt.time(hour))


def _facts(local: dt.datetime, minutes: int, title: str, kind: str = KIND.APPOINTMENT, **said) -> Facts:
    zone = ZoneInfo(settings.TIME_ZONE)
    ends = local + dt.timedelta(minutes=minutes)
    starts_at, ends_at = instant(local, zone), instant(ends, zone)
    return Facts(kind=kind, starts_at=starts_at, ends_at=ends_at, zone=settings.TIME_ZONE, title=title, **said)


def _members(entry: Entry, users: Users, *names: str) -> list[UUID]:
    wanted = [users[name].pk for name in names]
    members = Member.objects.filter(dossier_id=entry.dossier.pk, habilitation__user__in=wanted)
    return list(members.values_list("pk", flat=True))


def _note(
    entry: Entry, key: UUID, local: dt.datetime, minutes: int, title: str, *, members=(), me: bool = True,
    ask: bool = False, done: bool = False, on_behalf: bool = False, **said,
) -> None:  # fmt: skip
    facts, who = _facts(local, minutes, title, **said), Who(members, me=me)
    appointments.create_appointment(entry, facts, who, creation_key=key, ask=ask, done=done, on_behalf=on_behalf)


def _visits(entry: Entry, key: UUID, local: dt.datetime, minutes: int, title: str, *, days: tuple[Day, ...]) -> None:
    rule = Rule(Freq.WEEKLY, by_day=days) if days else Rule(Freq.DAILY)
    facts = _facts(local, minutes, title, kind=KIND.VISIT, service_type="passage", modality="domicile")
    ends = local + dt.timedelta(minutes=minutes)
    series.create_series(entry, facts, Who(me=True), starts=local, ends=ends, rule=rule, creation_key=key)
