"""A visit that repeats: its occurrences are events like others, written over a rolling horizon.

Each occurrence keeps the same id and recurrence_id for good. One changed or cancelled by itself is detached: its
series leaves it alone. « Celle-ci et les suivantes » ends the series there and begins another, whose occurrences are
the same rows at their new time: what calendars know of them stays true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from agenda import letters
from agenda.actions.appointments import STATUS, Facts, require_sound, source_of, who_attends
from agenda.actions.attending import Who, attendees, participations_of, taken_by, write_participations
from agenda.actions.clashing import explained
from agenda.actions.common import KIND, lock_agenda, locked_appointment, record, rubric_of, tell_followers
from agenda.actions.horizon import HORIZON
from agenda.actions.resending import made_before
from agenda.actions.taking import let_go, take_many, take_time
from agenda.errors import AlreadyOver, CancelReasonMissing, TimeTaken
from agenda.keys import present
from agenda.models import Appointment, AppointmentChange, Participation, Series
from agenda.recurrence import Occurrence, check, occurrences
from agenda.rule_formats import rule_from_text, rule_to_text
from agenda.rules import Day, Rule
from agenda.zones import wall, wall_text
from coordination.common.ids import uuid7
from coordination.common.resending import AlreadySent, require_same
from coordination.dossiers.models import READ_ONLY

# Of one series over the horizon: once a day, and a little more.
MOST = 1000
# « Tant de fois » becomes a last day: the most times that the form takes, as far apart as it takes them.
COUNTED_WITHIN = dt.timedelta(weeks=4 * 366)

# What `_next_version` writes.
VERSION = ("version", "sequence", "changed_at")
# The words of an event that « celle-ci et les suivantes » may change.
TOLD = ("service_type", "title", "reason", "comment", "modality", "place", "video_url")


@transaction.atomic
def create_series(
    entry, facts: Facts, who: Who, *, starts: dt.datetime, ends: dt.datetime, rule: Rule, creation_key: UUID,
    on_behalf: bool = False,
) -> Appointment:  # fmt: skip
    """Enter a visit that repeats; return its first occurrence. The same key twice gives the first one, if it
    says the same.

    `starts` and `ends`: what the clock of `facts.zone` says the first time. Refused as a whole when somebody is not
    free at one of its times. Raises as `create_appointment`, and the refusals of `agenda.recurrence`. Source: issue 5
    §1, recurrence as rows over a rolling horizon.
    """
    lock_agenda(entry, rubric_of(facts.kind))
    who, zone = who_attends(facts, who), ZoneInfo(facts.zone)
    made = made_before(entry, creation_key, who, kind=facts.kind, **{name: facts.said[name] for name in TOLD})
    if made is None:
        require_sound(facts)
    check(starts, zone, ends - starts, rule)
    repeats = {
        "starts": wall_text(starts), "ends": wall_text(ends), "zone": facts.zone,
        "rule": rule_to_text(_with_last_day(rule, starts, zone, ends - starts)),
    }  # fmt: skip
    if made is not None:
        if made.series is None:
            raise AlreadySent
        require_same(made.series, **repeats)
        return made
    series = Series.objects.create(dossier=entry.dossier, created_by=entry.user, **repeats)
    people = attendees(entry, who)
    source = source_of(entry, on_behalf)
    rows = [
        _row(series, entry.dossier.pk, facts, occurrence, source, creation_key) for occurrence in falls(series, None)
    ]
    Appointment.objects.bulk_create(rows)
    by_row = [write_participations(entry, row, people, who, accepted=True) for row in rows[:1]]
    Participation.objects.bulk_create(_same(one, row) for row in rows[1:] for one in by_row[0])
    _take_all(entry, rows, dict.fromkeys((row.pk for row in rows), by_row[0]))
    _say_written(series)
    first = rows[0]
    record(entry, first, KIND.CREATED, after=letters.moment_of(first))
    tell_followers(entry, *rows[1:])
    letters.tell(letters.INVITED, first, by_row[0], but=entry.user.pk, repeats=True)
    return first


def _with_last_day(rule: Rule, starts: dt.datetime, zone: ZoneInfo, lasts: dt.timedelta) -> Rule:
    """Return the same rule told by its last day: a rule that is cut in two cannot go on counting."""
    if rule.count is None:
        return rule
    opening = starts.replace(tzinfo=zone)
    window = (opening, opening + COUNTED_WITHIN)
    found = occurrences(starts, zone, lasts, rule, window=window, limit=MOST)
    return replace(rule, count=None, until=found[-1].recurrence_id.date())


def falls(series: Series, since: dt.datetime | None) -> list[Occurrence]:
    """Return the occurrences of a series from an instant (None: from its start) to the horizon, at least the first."""
    start, zone = wall(series.starts), ZoneInfo(series.zone)
    opening = since or start.replace(tzinfo=zone)
    until = max(timezone.now() + HORIZON, start.replace(tzinfo=zone) + dt.timedelta(days=1))
    rule = rule_from_text(series.rule)
    return occurrences(start, zone, wall(series.ends) - start, rule, window=(opening, until), limit=MOST)


def _row(
    series: Series, dossier_id: UUID, facts: Facts, occurrence: Occurrence, source: dict, creation_key: UUID
) -> Appointment:
    said = facts.said | {"starts_at": occurrence.start, "ends_at": occurrence.end}
    name = wall_text(occurrence.recurrence_id)
    # The first keeps the key of the form; the others have one of their own, the same for the same occurrence.
    key = creation_key if name == series.starts else uuid5(series.pk, name)
    return Appointment(
        dossier_id=dossier_id, series=series, recurrence_id=name, status=STATUS.BOOKED, creation_key=key,
        **said, **source,
    )  # fmt: skip


def _same(one: Participation, row: Appointment) -> Participation:
    return Participation(
        dossier_id=row.dossier_id, appointment=row, key=one.key, member_id=one.member_id, user_id=one.user_id,
        room_id=one.room_id, need=one.need, status=one.status, answered_at=one.answered_at, email=one.email,
    )  # fmt: skip


def _take_all(entry, rows: Iterable[Appointment], people: Mapping[UUID, list[Participation]]) -> None:
    """Take the time of all these occurrences at once, each of its own `people`: {occurrence: who attends}.

    Raises TimeTaken, told of the first that is not free.
    """
    rows = [row for row in rows if row.span[1] > timezone.now()]
    try:
        take_many([(row.pk, taken_by(people[row.pk]), *row.span) for row in rows])
    except TimeTaken:
        for row in rows:
            try:
                take_time(row.pk, taken_by(people[row.pk]), *row.span)
            except TimeTaken:
                told = explained(entry, row, people[row.pk])
                raise TimeTaken(sentence=f"Le {letters.moment_of(row)} : {_lower(str(told))}") from None
        raise


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def _say_written(series: Series) -> None:
    # The day there, where `_extend` goes on from its midnight: in UTC it may be tomorrow already.
    series.written_until = (timezone.now() + HORIZON).astimezone(ZoneInfo(series.zone)).date()
    series.save(update_fields=["written_until"])


def extend_all() -> int:
    """Daily: write the occurrences that came within the horizon; return how many. Asked twice, it writes no more.

    Those of a dossier that may be written, and with those still in the circle; of nobody, none. Each series in a
    transaction of its own.
    """
    until = (timezone.now() + HORIZON).date()
    due = Series.objects.filter(ended_at=None).exclude(written_until__gte=until)
    due = due.exclude(dossier__status__in=READ_ONLY)
    return sum(_extend(pk) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _extend(series_id: UUID) -> int:
    series = Series.objects.select_for_update(of=("self",)).get(pk=series_id)
    if series.ended_at:
        return 0
    model = series.occurrences.filter(detached=False, merged_into=None).order_by("-recurrence_id").first()
    # Written when it was created.
    assert series.written_until is not None
    since = dt.datetime.combine(series.written_until, dt.time.min, ZoneInfo(series.zone))
    known = set(series.occurrences.values_list("recurrence_id", flat=True))
    people = present(participations_of(model)) if model else []
    new = [one for one in falls(series, since) if wall_text(one.recurrence_id) not in known] if people else []
    for occurrence in new:
        assert model is not None
        _write_one(series, model, people, occurrence)
    _say_written(series)
    return len(new)


def _write_one(series: Series, model: Appointment, people: list[Participation], occurrence: Occurrence) -> None:
    """Write one more occurrence as the last one stands; to be confirmed when somebody is not free any more."""
    said = {field.name: getattr(model, field.name) for field in Appointment._meta.concrete_fields}
    name = wall_text(occurrence.recurrence_id)
    own = {"id": uuid7(), "starts_at": occurrence.start, "ends_at": occurrence.end, "recurrence_id": name,
           "creation_key": uuid5(series.pk, name), "status": STATUS.BOOKED, "sequence": 0, "version": 1,
           "cancel_reason": "", "cancel_note": "", "minutes": "", "minutes_by": None,
           "identifier_system": "", "identifier_value": ""}  # fmt: skip
    row = Appointment.objects.create(**said | own)
    rows = Participation.objects.bulk_create(_same(one, row) for one in people)
    try:
        take_time(row.pk, taken_by(rows), *row.span)
    except TimeTaken:
        row.status = STATUS.PROPOSED
        row.save(update_fields=["status"])
    tell_followers(None, row)


@transaction.atomic
def move_following(
    entry, appointment_id: UUID, *, starts: dt.datetime | None = None, ends: dt.datetime | None = None,
    version: int | None = None, said: Mapping[str, str] | None = None,
) -> Appointment:  # fmt: skip
    """Put an occurrence and all that follow at another time of the day, or on another day of the rule’s turn.

    `starts` and `ends`: what the clock says, of this occurrence; without both, the hours of the series stay, which a
    clock that changes that night may not show. `said`: words that change too (TOLD), on each of them. Who attends each
    of them stays, and who declined one is left out of it. Those changed by themselves stay as they are. Raises as
    `move_appointment`.
    """
    appointment, series = _of_series(entry, appointment_id, version)
    stands = wall(appointment.recurrence_id)
    if starts is None or ends is None:
        starts, ends = stands, stands + (wall(series.ends) - wall(series.starts))
    shift, lasts = starts - stands, ends - starts
    # By the calendar: two hours earlier is the same day.
    days = (starts.date() - stands.date()).days
    before = letters.moment_of(appointment)
    rows = _following(appointment)
    rule = rule_from_text(series.rule)
    until = rule.until + dt.timedelta(days=days) if rule.until else None
    # What is written goes as far as before, at its new day.
    written = series.written_until + dt.timedelta(days=days) if series.written_until else None
    moved = Series.objects.create(
        dossier=entry.dossier, starts=wall_text(starts), ends=wall_text(ends), zone=series.zone, created_by=entry.user,
        rule=rule_to_text(_shifted(replace(rule, until=until), days)), written_until=written,
    )  # fmt: skip
    _end_before(series, appointment)
    people = _people_of(rows)
    let_go(*[row.pk for row in rows])
    now = timezone.now()
    for row in rows:
        local = wall(row.recurrence_id) + shift
        [when] = occurrences(local, ZoneInfo(moved.zone), lasts, None, window=_around(local, moved.zone))
        row.series, row.recurrence_id = moved, wall_text(local)
        row.starts_at, row.ends_at = when.start, when.end
        _next_version(row, now)
        for name, words in (said or {}).items():
            setattr(row, name, words)
    require_sound(_moment(rows[0]))
    fields = ["series", "recurrence_id", "starts_at", "ends_at", *VERSION, *(said or {})]
    Appointment.objects.bulk_update(rows, fields)
    _take_all(entry, [row for row in rows if row.status in Appointment.TAKING], people)
    _record_all(entry, rows, KIND.MOVED, before, letters.moment_of(rows[0]))
    told = _each_once(people, rows)
    letters.tell(letters.MOVED, rows[0], told, but=entry.user.pk, before=before, repeats=True)
    return rows[0]


def _people_of(rows: list[Appointment], *, in_the_circle: bool = True) -> dict[UUID, list[Participation]]:
    """Return {occurrence: those who attend it}, those who left the circle too when asked. Two SQL statements."""
    rows_of = Participation.objects.filter(appointment__in=rows).select_related("member__professional", "room", "user")
    found = rows_of.order_by("pk")
    people: dict[UUID, list[Participation]] = {row.pk: [] for row in rows}
    for one in present(found) if in_the_circle else found:
        people[one.appointment_id].append(one)
    return people


def _each_once(people: Mapping[UUID, list[Participation]], rows: list[Appointment]) -> list[Participation]:
    """Return those who attend some of these occurrences, each by his first: one letter for all that move."""
    found: dict[UUID, Participation] = {}
    for row in rows:
        for one in people[row.pk]:
            found.setdefault(one.key, one)
    return list(found.values())


def _moment(row: Appointment) -> Facts:
    starts_at, ends_at = row.span
    return Facts(kind=row.kind, starts_at=starts_at, ends_at=ends_at, zone=row.zone)


def _around(local: dt.datetime, zone: str) -> tuple[dt.datetime, dt.datetime]:
    instant = local.replace(tzinfo=ZoneInfo(zone))
    return instant - dt.timedelta(days=2), instant + dt.timedelta(days=2)


def _shifted(rule: Rule, days: int) -> Rule:
    """Return the rule of the same visits some days later: its weekdays turn with them."""
    return replace(rule, by_day=tuple(Day((day.weekday + days) % 7, day.nth) for day in rule.by_day))


@transaction.atomic
def cancel_following(
    entry, appointment_id: UUID, *, reason: str, note: str = "", version: int | None = None
) -> Appointment:
    """Cancel an occurrence and all that follow, those changed by themselves too; the series ends there.

    Raises as `cancel_appointment`.
    """
    if reason not in Appointment.CancelReason.values:
        raise CancelReasonMissing
    appointment, series = _of_series(entry, appointment_id, version)
    before = letters.moment_of(appointment)
    rows = _following(appointment, detached=True)
    people = _each_once(_people_of(rows, in_the_circle=False), rows)
    now = timezone.now()
    for row in rows:
        row.status, row.cancel_reason, row.cancel_note = STATUS.CANCELLED, reason, note[:300]
        _next_version(row, now)
    Appointment.objects.bulk_update(rows, ["status", "cancel_reason", "cancel_note", *VERSION])
    let_go(*[row.pk for row in rows])
    _record_all(entry, rows, KIND.CANCELLED, "", rows[0].get_cancel_reason_display())
    _end_before(series, appointment)
    letters.tell(letters.CANCELLED, appointment, people, but=entry.user.pk, before=before, repeats=True)
    return rows[0]


def _of_series(entry, appointment_id: UUID, version: int | None) -> tuple[Appointment, Series]:
    appointment = locked_appointment(entry, appointment_id, version=version)
    lock_agenda(entry, rubric_of(appointment.kind))
    if appointment.series_id is None or appointment.detached:
        raise AlreadyOver(state="à part de sa série")
    series = Series.objects.select_for_update(of=("self",)).get(pk=appointment.series_id)
    return appointment, series


def _following(appointment: Appointment, *, detached: bool = False) -> list[Appointment]:
    rows = Appointment.objects.filter(
        series=appointment.series,
        recurrence_id__gte=appointment.recurrence_id,
        status__in=Appointment.LIVE,
        merged_into=None,
    )
    rows = rows if detached else rows.filter(detached=False)
    return list(rows.select_for_update(of=("self",)).order_by("recurrence_id"))


def _end_before(series: Series, appointment: Appointment) -> None:
    """End a series the day before an occurrence; at its first one, it is over."""
    rule = rule_from_text(series.rule)
    last = wall(appointment.recurrence_id).date() - dt.timedelta(days=1)
    series.ended_at = timezone.now()
    if last >= wall(series.starts).date():
        series.rule = rule_to_text(replace(rule, until=last))
    series.version += 1
    series.save(update_fields=["ended_at", "rule", "version"])


def _next_version(row: Appointment, now: dt.datetime) -> None:
    """As `common.next_version`, of rows that are saved together: these do not say by themselves when they changed."""
    row.version += 1
    row.sequence += 1
    row.changed_at = now


def _record_all(entry, rows: list[Appointment], kind: str, before: str, after: str) -> None:
    """As `common.record`, of rows that change together."""
    tell_followers(entry, *rows)
    behalf = entry.access.on_behalf_of
    AppointmentChange.objects.bulk_create(
        AppointmentChange(
            dossier_id=row.dossier_id, appointment=row, by=entry.user, kind=kind, before=before, after=after,
            on_behalf_of_id=behalf.id if behalf else None,
        )
        for row in rows
    )  # fmt: skip
