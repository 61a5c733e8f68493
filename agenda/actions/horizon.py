"""Openings and absences as rows, as far as the horizon: free time is then a comparison of rows.

What is past is not rewritten: nobody asks any more whether it was free.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from agenda.actions.taking import let_go, take_absence
from agenda.models import Absence, Opening, OpenTime, Schedule
from agenda.recurrence import Occurrence, occurrences
from agenda.rule_formats import rule_from_text
from agenda.zones import wall, wall_text

HORIZON = dt.timedelta(days=400)
# Of one opening or absence, over the horizon.
MOST = 1000
# How long the rows of past openings are kept.
KEPT = dt.timedelta(days=62)


def falls(range_: Opening | Absence, since: dt.datetime, until: dt.datetime) -> list[Occurrence]:
    """Return when an opening or an absence falls between two instants.

    Raises the refusals of agenda.recurrence: TooManyOccurrences beyond a thousand, RuleTooFine.
    """
    start = wall(range_.starts)
    rule = rule_from_text(range_.rule) if range_.rule else None
    return occurrences(
        start, ZoneInfo(range_.zone), wall(range_.ends) - start, rule, window=(since, until), limit=MOST
    )


def this_morning(zone: str) -> dt.datetime:
    """Return midnight of today there: the rows of today are written whole."""
    return timezone.now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def horizon() -> dt.datetime:
    """Return how far rows are written now."""
    return timezone.now() + HORIZON


def rewrite(schedule: Schedule, range_: Opening | Absence) -> list[Occurrence]:
    """Replace the rows of one opening or absence by what it says now; return when it falls from today on.

    Needs an open transaction and the agenda locked. Raises the refusals of agenda.recurrence.
    """
    times = _valid(schedule, falls(range_, this_morning(range_.zone), horizon()))
    if isinstance(range_, Opening):
        range_.times.all().delete()
    else:
        let_go(range_.pk)
    _write(schedule, range_, times)
    return times


def rewrite_all(schedule: Schedule) -> None:
    """Replace the rows of a whole agenda, whose clock or key has changed. As `rewrite`."""
    for range_ in _ranges(schedule):
        rewrite(schedule, range_)
    _say_written(schedule)


def extend_all() -> int:
    """Daily: write the rows of the days that came within the horizon; return of how many agendas.

    Asked twice, it writes nothing more. Each agenda in a transaction of its own.
    """
    until = horizon().date()
    due = Schedule.objects.filter(active=True).exclude(written_until__gte=until).values_list("pk", flat=True)
    for pk in list(due):
        _extend(pk)
    OpenTime.objects.filter(ends_at__lt=timezone.now() - KEPT).delete()
    return len(due)


@transaction.atomic
def _extend(pk) -> None:
    schedule = Schedule.objects.select_for_update(of=("self",)).get(pk=pk)
    for range_ in _ranges(schedule):
        since = this_morning(range_.zone)
        if schedule.written_until:
            # A day of more, for the clock; what is already there stays.
            written = dt.datetime.combine(schedule.written_until, dt.time(), since.tzinfo)
            since = max(since, written - dt.timedelta(days=1))
        _write(schedule, range_, _valid(schedule, falls(range_, since, horizon())))
    _say_written(schedule)


def _valid(schedule: Schedule, times: list[Occurrence]) -> list[Occurrence]:
    """Return what of these times is within the validity of the agenda (GAP-30); nothing of one that is set aside."""
    first, last = schedule.valid_from, schedule.valid_until
    if not schedule.active:
        return []
    if first is None and last is None:
        return times
    kept = [
        time._replace(
            start=max(time.start, first) if first else time.start, end=min(time.end, last) if last else time.end
        )
        for time in times
    ]
    return [time for time in kept if time.start < time.end]


def _ranges(schedule: Schedule) -> list[Opening | Absence]:
    ranges: list[Opening | Absence] = list(schedule.openings.all())
    ranges.extend(schedule.absences.all())
    return ranges


def _say_written(schedule: Schedule) -> None:
    schedule.written_until = horizon().date()
    schedule.save(update_fields=["written_until"])


def _write(schedule: Schedule, range_: Opening | Absence, times: list[Occurrence]) -> None:
    if isinstance(range_, Absence):
        take_absence(range_.pk, schedule.key, times)
        return
    rows = [
        OpenTime(
            key=schedule.key, opening=range_, recurrence_id=wall_text(time.recurrence_id),
            starts_at=time.start, ends_at=time.end,
        )
        for time in times
    ]  # fmt: skip
    OpenTime.objects.bulk_create(rows, ignore_conflicts=True)
