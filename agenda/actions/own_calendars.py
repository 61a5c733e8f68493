"""Calendars that somebody keeps elsewhere: made known, read again, corrected, removed. Only when he is busy is kept.

A site is asked outside of any transaction; what it says is written in one, unless what is asked has changed meanwhile.
A reading that fails leaves the times of the last good one, and says since when.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from agenda import fetching
from agenda.actions.horizon import HORIZON
from agenda.actions.schedules import locked_schedule
from agenda.actions.taking import let_go, take_imported
from agenda.calendar_errors import AnotherIsRead, CalendarNamed, CalendarPasswordMissing, TooManyCalendars
from agenda.errors import NotInYourAgenda
from agenda.ics.errors import CalendarRefused, NotFetched, SiteTooSlow
from agenda.ics.reading import Busy, busy_times
from agenda.models import OwnCalendar, Schedule
from coordination.accounts.models import User
from coordination.common import cipher
from coordination.common.database import alone
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.access import may_administer
from habilitations.errors import NotAllowed
from habilitations.traces import NOWHERE, Via, record_account

KIND = OwnCalendar.Kind
OBJECT: Final = "calendrier personnel"
MOST: Final = 5
# What is past is asked by nobody any more; a night of work began yesterday.
BEFORE: Final = dt.timedelta(days=1)
# Somebody waits in front of the page, which answers within two seconds (REL-17): a slower site is read apart.
WAITED: Final = 1.5
LATER = "Ce site met du temps à répondre : il est lu à part, d’ici quelques minutes."
EVERY: Final = dt.timedelta(minutes=30)
# After so many failures in a row, each wait is the double of the one before, up to a day.
LONGEST: Final = dt.timedelta(days=1)
# How many one turn of the beat begins, and what one of them is not asked again for: what expires in their queue.
AT_ONCE, CLAIM = 100, dt.timedelta(minutes=10)
# A site is left alone so many times what it took: 45 seconds, four hours and a half.
TIMES_TAKEN: Final = 360
UNREADABLE_KEY = "L’adresse ou le mot de passe gardé ne se lit plus : donnez-les de nouveau."
UNFORESEEN = "Ce calendrier n’a pas pu être lu. L’erreur est signalée à l’exploitant."
# Of the one reading that somebody waits for; a number of our own.
_WAITED_LOCK: Final = 0x6361_6C77


@dataclass(frozen=True, slots=True)
class Said:
    """What its owner says of a calendar. `address`, `password` empty on a known one: the former is kept."""

    name: str
    kind: str
    address: str = field(repr=False)
    login: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: `busy` None when nothing has changed since the last time."""

    busy: Busy | None
    etag: str
    until: dt.datetime


def add_calendar(schedule: Schedule, said: Said, *, by: User, via: Via = NOWHERE) -> OwnCalendar:
    """Read a calendar once, then keep where it is and when its owner is busy. No transaction: a site is asked first.

    One whose site is slow is kept unread: `last_error` says that it is read apart.
    Raises TooManyCalendars, CalendarNamed, AnotherIsRead, NotFetched and CalendarRefused (agenda.ics.errors),
    NotInYourAgenda.
    """
    _require_room(schedule)
    _require_name(schedule, said.name)
    with _alone():
        read = _read_at_once(_source(said), schedule.zone)
    with transaction.atomic():
        found = locked_schedule(schedule, by=by)
        _require_room(found)
        _require_name(found, said.name)
        made = OwnCalendar(schedule=found)
        _set(made, said)
        made.save()
        _keep_or_put_off(made, found, read)
        record_account(user=by, action="ajout calendrier", object_kind=OBJECT, object_id=made.pk, via=via)
    return made


def change_calendar(
    schedule: Schedule, pk: UUID, said: Said, *, by: User, version: int | None = None, via: Via = NOWHERE
) -> OwnCalendar:
    """Say otherwise where a calendar is or how it is read; it is read before anything is kept. No transaction.

    One whose site is slow is kept as said, and read apart. `version`: the generation that was read.

    Raises ChangedMeanwhile, before the site is asked and after; CalendarPasswordMissing when the site changes and the
    password does not, and as `add_calendar`.
    """
    known = _found(schedule, pk)
    _require_generation(known, version)
    _require_name(schedule, said.name, but=pk)
    address = said.address or _address(known)
    password = said.password
    if known.password_sealed and not password and said.kind == KIND.CALDAV:
        if _site(address) != _site(_address(known)) or said.login != known.login:
            raise CalendarPasswordMissing
        password = _opened(known.password_sealed)
    whole = Said(said.name, said.kind, address, said.login, password)
    with _alone():
        read = _read_at_once(_source(whole), schedule.zone)
    with transaction.atomic():
        found = locked_schedule(schedule, by=by)
        _require_name(found, said.name, but=pk)
        row = _locked(found, pk)
        _require_generation(row, version)
        _set(row, whole)
        row.generation += 1
        row.save()
        _keep_or_put_off(row, found, read)
        record_account(user=by, action="réglage calendrier", object_kind=OBJECT, object_id=pk, via=via)
    return row


@transaction.atomic
def remove_calendar(schedule: Schedule, pk: UUID, *, by: User, via: Via = NOWHERE) -> None:
    """Forget a calendar and the times it took. Raises NotInYourAgenda."""
    found = locked_schedule(schedule, by=by)
    row = _locked(found, pk)
    let_go(row.pk)
    row.delete()
    record_account(user=by, action="retrait calendrier", object_kind=OBJECT, object_id=pk, via=via)


def refresh_while_waited_for(pk: UUID) -> OwnCalendar | None:
    """As `refresh_calendar`, of somebody in front of a page: soon, and one at a time. Raises AnotherIsRead."""
    with _alone():
        return refresh_calendar(pk, within=WAITED)


def refresh_calendar(pk: UUID, *, within: float | None = None) -> OwnCalendar | None:
    """Read a calendar again; return it as it is now, None when it is there no more. Never raises for its site.

    Of a failure the sentence is kept, and the next reading waits longer each time. A fault of ours is kept too, then
    raised.
    """
    row = OwnCalendar.objects.select_related("schedule").filter(pk=pk).first()
    if row is None:
        return None
    begun = time.monotonic()
    try:
        return _refreshed(row, within)
    except (NotFetched, CalendarRefused) as failure:
        if within is not None and isinstance(failure, SiteTooSlow):
            return _put_off(row)
        return _note_failure(row, str(failure), took=time.monotonic() - begun)
    except Exception:
        # Else it would be read again at each turn, with the same end, and its owner told nothing.
        _note_failure(row, UNFORESEEN, took=time.monotonic() - begun)
        raise


def _refreshed(row: OwnCalendar, within: float | None) -> OwnCalendar | None:
    begun = time.monotonic()
    outcome = _read(_source_of(row), row.schedule.zone, within=within)
    took = time.monotonic() - begun
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update(of=("self",)).get(pk=row.schedule_id)
        current = schedule.own_calendars.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if current is not None and current.generation == row.generation:
            _keep(current, schedule, outcome, took=took)
        return current


def claim_due() -> list[UUID]:
    """Return which calendars are to be read again now, the longest awaited first, and put the others off them.

    Bounded: those left wait for the next turn.
    """
    now = timezone.now()
    with transaction.atomic():
        rows = OwnCalendar.objects.due(now).in_use()
        keys = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:AT_ONCE])
        OwnCalendar.objects.filter(pk__in=keys).update(next_refresh_at=now + CLAIM)
    return keys


@transaction.atomic
def retry_calendars(*, by: User, via: Via = NOWHERE) -> int:
    """Have the calendars that fail read again at the next turn; return how many. Raises NotAllowed."""
    if not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
    number = OwnCalendar.objects.failing().update(next_refresh_at=timezone.now())
    record_account(user=by, action="reprise calendriers", object_kind=OBJECT, count=number, via=via)
    return number


def wait_after(failures: int, took: float = 0) -> dt.timedelta:
    """Return how long a calendar is left alone after so many failures in a row, none included.

    `took`: seconds that its site took; a slow one is asked less often, so that it does not hold the others.
    """
    return min(max(EVERY * 2 ** min(max(failures - 1, 0), 10), dt.timedelta(seconds=took * TIMES_TAKEN)), LONGEST)


def _read_at_once(source: fetching.Source, zone: str) -> _Read | None:
    """Return what was read, None when the site is too slow for somebody who waits."""
    try:
        return _read(source, zone, within=WAITED)
    except SiteTooSlow:
        return None


def _read(source: fetching.Source, zone: str, *, within: float | None) -> _Read:
    now = timezone.now()
    window = (now - BEFORE, now + HORIZON)
    fetched = fetching.fetch(source, window, within=within)
    if fetched.body is None:
        return _Read(None, fetched.etag, window[1])
    return _Read(busy_times(fetched.body, ZoneInfo(zone), window), fetched.etag, window[1])


@contextmanager
def _alone() -> Iterator[None]:
    """One reading at a time holds a web worker: silent sites named on purpose would hold them all."""
    with alone.held(_WAITED_LOCK) as mine:
        if not mine:
            raise AnotherIsRead
        yield


def _keep(row: OwnCalendar, schedule: Schedule, read: _Read, *, took: float = 0) -> None:
    """Write what was read. Needs an open transaction and the agenda locked."""
    if read.busy is not None:
        row.spans = take_imported(row.pk, schedule.key, read.busy.spans)
        row.unread, row.known_until = read.busy.unread, read.until
    row.etag, row.failures, row.last_error, row.last_ok_at = read.etag, 0, "", timezone.now()
    row.next_refresh_at = _next(0, took)
    row.save()


def _keep_or_put_off(row: OwnCalendar, schedule: Schedule, read: _Read | None) -> None:
    """Write what was read; without it, have the calendar read by the next turn. Needs an open transaction."""
    if read is not None:
        _keep(row, schedule, read)
        return
    row.last_error, row.next_refresh_at = LATER, timezone.now()
    row.save(update_fields=["last_error", "next_refresh_at"])


def _put_off(row: OwnCalendar) -> OwnCalendar:
    """Have a calendar read by the next turn, which waits longer, unless what is asked has changed meanwhile."""
    rows = OwnCalendar.objects.filter(pk=row.pk, generation=row.generation)
    row.last_error, row.next_refresh_at = LATER, timezone.now()
    rows.update(last_error=row.last_error, next_refresh_at=row.next_refresh_at)
    return row


def _note_failure(row: OwnCalendar, sentence: str, *, took: float) -> OwnCalendar:
    """Keep why a reading failed, unless what is asked has changed meanwhile."""
    rows = OwnCalendar.objects.filter(pk=row.pk, generation=row.generation)
    failures = min(row.failures + 1, 1000)
    rows.update(last_error=sentence[:300], failures=failures, next_refresh_at=_next(failures, took))
    row.last_error, row.failures = sentence[:300], failures
    return row


def _next(failures: int, took: float) -> dt.datetime:
    """Spread: those added at the same minute are not read together for ever."""
    return timezone.now() + wait_after(failures, took) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _source(said: Said, etag: str = "") -> fetching.Source:
    with_login = said.kind == KIND.CALDAV
    return fetching.Source(
        said.address, said.login if with_login else "", said.password if with_login else "", caldav=with_login,
        etag=etag,
    )  # fmt: skip


def _source_of(row: OwnCalendar) -> fetching.Source:
    # What is unchanged since was read for a window that ends: once a day, all of it is asked.
    is_known = row.known_until and row.known_until > timezone.now() + HORIZON - dt.timedelta(days=1)
    said = Said(row.name, row.kind, _address(row), row.login, _opened(row.password_sealed))
    return _source(said, row.etag if is_known else "")


def _address(row: OwnCalendar) -> str:
    try:
        return row.address
    except ValueError:
        raise NotFetched(UNREADABLE_KEY) from None


def _opened(sealed: str) -> str:
    if not sealed:
        return ""
    try:
        return cipher.decrypt(sealed)
    except ValueError:
        raise NotFetched(UNREADABLE_KEY) from None


def _set(row: OwnCalendar, said: Said) -> None:
    row.name, row.kind, row.host, row.etag = said.name, said.kind, _site(said.address)[1], ""
    row.address_sealed = cipher.encrypt(said.address)
    with_login = said.kind == KIND.CALDAV
    row.login = said.login if with_login else ""
    row.password_sealed = cipher.encrypt(said.password) if with_login and said.password else ""


def _site(address: str) -> tuple[str, str]:
    parts = urlsplit(fetching.normal(address))
    return parts.scheme, parts.netloc.lower()


def _found(schedule: Schedule, pk: UUID) -> OwnCalendar:
    row = OwnCalendar.objects.filter(schedule=schedule.pk, pk=pk).first()
    if row is None:
        raise NotInYourAgenda
    return row


def _locked(schedule: Schedule, pk: UUID) -> OwnCalendar:
    row = schedule.own_calendars.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotInYourAgenda
    return row


def _require_generation(row: OwnCalendar, version: int | None) -> None:
    if version is not None and version != row.generation:
        raise ChangedMeanwhile(who="Une autre session")


def _require_room(schedule: Schedule) -> None:
    if OwnCalendar.objects.filter(schedule=schedule.pk).count() >= MOST:
        raise TooManyCalendars


def _require_name(schedule: Schedule, name: str, *, but: UUID | None = None) -> None:
    same = OwnCalendar.objects.filter(schedule=schedule.pk, name=name)
    if (same.exclude(pk=but) if but else same).exists():
        raise CalendarNamed
