"""The session engine: one query brings the session and its user, one statement ends all sessions of an account.

Limits (SEC-18): idle and absolute, both folded into `expire_date`. The cookie itself ends with the browser.
"""

from datetime import timedelta
from functools import cache, lru_cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.core import signing
from django.db import connection
from django.utils import timezone

from coordination.common import declaring
from coordination.common.away import is_away
from coordination.common.prepared import Prepared


def expiry(signed_in_at, seen_at):
    """Return when a session ends that was opened and last used at these moments."""
    return min(
        seen_at + timedelta(seconds=settings.SESSION_IDLE_SECONDS),
        signed_in_at + timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS),
    )


# What the rooms above say of a user at every page, answered by the query of the session: {attribute: expression}.
_carried: dict = {}


def carry(attribute, expression):
    """Give `request.user` an attribute without a query of its own; `expression` names the user OuterRef("user_id").

    For what the top bar shows, and for what need not be asked again. As old as the request, and absent from a user
    loaded otherwise: read it with a default, and open nothing by it.
    """
    _carried[attribute] = expression


def _live(*, session_key, now):
    """Return the columns of a session that still holds, then those of its user (all empty for a visitor)."""
    from coordination.accounts.models import Session, User

    columns = [*_columns(Session), *(f"user__{name}" for name in _columns(User)), *_carried]
    live = Session.objects.filter(session_key=session_key, expire_date__gt=now)
    return live.annotate(**_carried).values_list(*columns)


@cache
def _columns(model):
    return [field.attname for field in model._meta.concrete_fields]


# Asked by every request of somebody signed in: through the ORM, it costs more than any other read of the page.
_sessions = Prepared(_live, one_plan=True)


@lru_cache(maxsize=512)
def _signed_text(session_data, salt):
    """Return what a session holds, as text, once its signature was checked; raises like `signing.loads`."""
    return signing.loads(session_data, salt=salt, serializer=_AsItIs)


class _AsItIs:
    def loads(self, data):
        return data


class SessionStore(db.SessionStore):
    # The row this store was loaded from or last saved as; its `user` comes with the same query.
    row = None
    # Words for the browser, given by the middleware.
    device = ""

    def decode(self, session_data):
        """Return the dictionary of a session. The same text has the same signature: it is checked once per process."""
        try:
            return self.serializer().loads(_signed_text(session_data, self.key_salt))
        except (signing.BadSignature, ValueError):
            return super().decode(session_data)

    @classmethod
    def get_model_class(cls):
        from coordination.accounts.models import Session

        return Session

    def _get_session_from_db(self):
        # Before it is known to hold: the same statement tells what waits for its holder in his dossiers.
        declaring.declare_holder("session", self.session_key or "")
        found = _sessions.tuples(session_key=self.session_key or "", now=timezone.now())
        if not found:
            self._session_key = None
        self.row = self._row_of(found[0]) if found else None
        # A visitor's session (a sign-in half-way, a message) is nobody's, and anybody is given one.
        if self.row is None or self.row.user_id is None:
            declaring.withdraw("session")
        return self.row

    def _row_of(self, values):
        columns = _columns(self.model)
        row = self.model.from_db(connection.alias, columns, values[: len(columns)])
        if row.user_id is not None:
            user = self.model._meta.get_field("user").related_model
            after = len(columns) + len(_columns(user))
            row.user = user.from_db(connection.alias, _columns(user), values[len(columns) : after])
            for attribute, value in zip(_carried, values[after:], strict=True):
                setattr(row.user, attribute, value)
        return row

    def create_model_instance(self, data):
        now = timezone.now()
        user_id = UUID(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        before = self.row
        # A new key for the same person (after a password change) does not lengthen the absolute limit.
        goes_on = before is not None and before.user_id == user_id
        signed_in_at = before.signed_in_at if goes_on else now
        row = self.model(
            session_key=self._get_or_create_session_key(),
            session_data=self.encode(data),
            user_id=user_id,
            signed_in_at=signed_in_at,
            last_seen_at=now,
            expire_date=expiry(signed_in_at, now),
            device=self.device or (before.device if before else ""),
        )
        if goes_on:
            row.public_id = before.public_id if before.session_key == row.session_key else row.public_id
            row._state.fields_cache.update(before._state.fields_cache)
        self.row = row
        return row

    def save(self, must_create=False):
        """As Django's, which takes a database that is cut meanwhile for a session that somebody ended (REL-18)."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if is_away(error.__context__):
                raise error.__context__ from error
            raise

    def touch(self):
        """Note that the person is still there: at most once a minute, so that reading pages does not write."""
        now = timezone.now()
        row = self.row
        if (
            row is None
            or row.user_id is None
            or (now - row.last_seen_at).total_seconds() < settings.SESSION_TOUCH_SECONDS
        ):
            return
        row.last_seen_at, row.expire_date = now, expiry(row.signed_in_at, now)
        # An update that finds nothing is right too: the session was ended meanwhile, and must stay so.
        self.model.objects.filter(pk=row.pk).update(last_seen_at=row.last_seen_at, expire_date=row.expire_date)

    def seconds_left(self):
        """Return the seconds before this session ends (0 when it is not a live one)."""
        self._get_session()
        return max(0, int((self.row.expire_date - timezone.now()).total_seconds())) if self.row else 0

    def flush(self):
        super().flush()
        self.row = None
        declaring.withdraw("session")
