"""What a calendar program reads at the secret address of somebody’s agenda: one calendar, at the level he chose.

Busy and neutral say nothing of a dossier, and are answered « unchanged » in one SQL statement. The full level asks the
engine for each dossier at each fetch and leaves one trace in each (SECT-10): a right lost since shows at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.utils import timezone

from agenda import service_types
from agenda.ics.events import Line, Status
from agenda.ics.feed import feed
from agenda.models import Appointment, Feed, Participation
from agenda.own import person_of
from agenda.uids import uid_of
from coordination.accounts.mails import absolute
from coordination.accounts.models import User
from coordination.common.addresses import address
from coordination.common.statements import rows as run
from coordination.dossiers.door import Entry, look_many
from habilitations import secrets, traces
from habilitations.rubriques import Rubrique

LEVEL, STATUS, ANSWER = Feed.Level, Appointment.Status, Participation.Status
NAME: Final = "Agenda Coordination"
# How far a program looks back, and ahead: as far as what repeats is written.
BEFORE, AHEAD = dt.timedelta(days=93), dt.timedelta(days=400)
# The last fetch is shown to the quarter of an hour: not written at each.
NOTED_EVERY: Final = dt.timedelta(minutes=15)
# Of who left a circle, what was over that day: he follows nothing of it any more.
_SHOWN = """a.merged_into_id IS NULL AND a.status <> 'entered-in-error' AND p.status <> 'declined'
    AND a.starts_at < %(end)s AND a.ends_at > %(start)s
    AND (p.member_id IS NULL OR EXISTS (SELECT 1 FROM circle_period c WHERE c.member_id = p.member_id
        AND (c.ends_on IS NULL OR a.ends_at <= c.ended_at)))"""
# Whose it is, what it says, and that it was read: at once, so that « nothing changed » costs one statement.
_LOOK = f"""
WITH feed AS (
    SELECT f.id, f.user_id, f.level, f.state, f.state_at, f.fetched_at
    FROM agenda_feed f JOIN accounts_user u ON u.id = f.user_id
    WHERE f.token_digest = %(digest)s AND u.is_active
), noted AS (
    UPDATE agenda_feed SET fetched_at = %(now)s WHERE id IN (
        SELECT id FROM feed WHERE fetched_at IS NULL OR fetched_at < %(noted)s)
)
SELECT feed.id, feed.user_id, feed.level, feed.state, feed.state_at, (
    SELECT md5(string_agg(concat_ws('|', a.id, a.version, a.sequence, a.status, a.kind, a.service_type, a.starts_at,
        a.ends_at, a.zone, a.all_day, a.changed_at, p.status), ',' ORDER BY a.id))
    FROM agenda_participation p JOIN agenda_appointment a ON a.id = p.appointment_id
    WHERE p.user_id = feed.user_id AND {_SHOWN})
FROM feed"""  # noqa: S608 - our own condition
_COLUMNS = """a.id, a.dossier_id, a.kind, a.status, a.starts_at, a.ends_at, a.zone, a.all_day, a.service_type,
    a.sequence, a.created_at, a.changed_at"""
_WORDS = ", a.title, a.place, a.video_url"
_EVENTS = """
SELECT {columns} FROM agenda_participation p JOIN agenda_appointment a ON a.id = p.appointment_id
WHERE p.user_id = %(user)s AND {shown} ORDER BY a.starts_at, a.id"""
_SAID = {
    STATUS.PROPOSED: Status.TENTATIVE,
    STATUS.PENDING: Status.TENTATIVE,
    STATUS.CANCELLED: Status.CANCELLED,
    STATUS.NOSHOW: Status.CANCELLED,
}
_NEUTRAL = {
    Appointment.Kind.VISIT: "Intervention à domicile",
    Appointment.Kind.MEETING: "Réunion de coordination",
}


class Found(NamedTuple):
    """A feed as its address found it. `state`, `state_at`: what was last served, and since when."""

    id: UUID
    user_id: UUID
    level: str
    state: str
    state_at: dt.datetime
    digest: str
    window: tuple[dt.datetime, dt.datetime]

    @property
    def now(self) -> str:
        """Return what it would say now, in short; "" when only the answer itself tells (full level)."""
        said = f"{self.level}|{self.window[0]:%Y%m%d}|{self.digest}"
        return "" if self.level == LEVEL.FULL else _short(said.encode())


def find(token: str) -> Found | None:
    """Return the feed of an address and note that it is read; None of one that is unknown, closed, or of a closed
    account. One SQL statement.
    """
    now = timezone.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = (today - BEFORE, today + AHEAD)
    asked = {
        "digest": secrets.hashed(token), "now": now, "noted": now - NOTED_EVERY, "start": window[0], "end": window[1],
    }  # fmt: skip
    lines = run(_LOOK, asked)
    return Found._make((*lines[0], window)) if lines else None


def written(found: Found, *, via: traces.Via = traces.NOWHERE) -> bytes:
    """Return the calendar of a feed; at the full level, leave one trace in each dossier told.

    One SQL statement, four at the full level, whatever the number of events.
    """
    if found.level == LEVEL.FULL:
        user = User.objects.get(pk=found.user_id)
        return feed(told_in_full(user, found.window, object_kind="flux", via=via), name=NAME)
    is_neutral = found.level == LEVEL.NEUTRAL
    events = _events(found.user_id, found.window, _COLUMNS)
    return feed([_line(one, _neutral(one) if is_neutral else "Occupé") for one in events], name=NAME)


def told_in_full(
    user: User,
    window: tuple[dt.datetime, dt.datetime],
    *,
    object_kind: str,
    action: str = "lecture",
    via: traces.Via = traces.NOWHERE,
) -> list[Line]:
    """Return the appointments of somebody with their words, as far as each dossier is open to him now; one trace in
    each (SECT-10), by its `action`. Three SQL statements.
    """
    events = list(_events(user.pk, window, _COLUMNS + _WORDS))
    entries = look_many(user, {one.dossier_id for one in events}, via=via)
    traces.record_many(
        user=user, accesses={pk: entry.access for pk, entry in entries.items()}, action=action,
        rubrique=Rubrique.AGENDA.value, object_kind=object_kind, via=via,
    )  # fmt: skip
    people = {pk: person_of(entry) for pk, entry in entries.items()}
    return [_told(one, entries.get(one.dossier_id), people) for one in events]


def noted(found: Found, body: bytes) -> tuple[str, dt.datetime]:
    """Return what names this answer and since when it is true; written when it differs from the last one."""
    state = found.now or _short(body)
    if state == found.state:
        return state, found.state_at
    # Dates of HTTP are whole seconds: two answers never carry the same one.
    since = max(timezone.now(), found.state_at + dt.timedelta(seconds=1))
    Feed.objects.filter(pk=found.id).update(state=state, state_at=since)
    return state, since


class _Event(NamedTuple):
    """The columns of an appointment, those that hold words last."""

    id: UUID
    dossier_id: UUID
    kind: str
    status: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    zone: str
    all_day: bool
    service_type: str
    sequence: int
    created_at: dt.datetime
    changed_at: dt.datetime
    title: str = ""
    place: str = ""
    video_url: str = ""


def _events(user_id: UUID, window: tuple[dt.datetime, dt.datetime], columns: str) -> Iterable[_Event]:
    statement = _EVENTS.format(columns=columns, shown=_SHOWN)
    start, end = window
    return map(_Event._make, _padded(run(statement, {"user": user_id, "start": start, "end": end})))


def _padded(lines: Sequence[tuple]) -> Iterable[tuple]:
    """Give what is not read an empty text."""
    missing = ("",) * (len(_Event._fields) - len(lines[0])) if lines else ()
    return (line + missing for line in lines)


def _told(one: _Event, entry: Entry | None, people: dict[UUID, str]) -> Line:
    """Return an appointment with its words; of a dossier that is closed now, the time alone."""
    if entry is None:
        return _line(one, "Rendez-vous")
    return _line(
        one,
        f"{_title(one)}, {people[one.dossier_id]}",
        location=one.place,
        description=one.video_url,
        url=absolute(address("agenda:appointment", one.dossier_id, one.id)),
    )


def _title(one: _Event) -> str:
    """As `own.title_of` says it of a row."""
    return one.title or service_types.label_of(one.service_type) or str(Appointment.Kind(one.kind).label)


def _neutral(one: _Event) -> str:
    return service_types.label_of(one.service_type) or _NEUTRAL.get(Appointment.Kind(one.kind), "Rendez-vous")


def _line(one: _Event, summary: str, *, location: str = "", description: str = "", url: str = "") -> Line:
    status = _SAID.get(STATUS(one.status), Status.CONFIRMED)
    return Line(
        uid=uid_of(one.id),
        start=one.starts_at,
        end=one.ends_at,
        zone=one.zone,
        last_modified=one.changed_at,
        created=one.created_at,
        sequence=one.sequence,
        all_day=one.all_day,
        summary=summary,
        status=status,
        busy=status is not Status.CANCELLED,
        location=location,
        description=description,
        url=url,
    )


def _short(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()[:32]
