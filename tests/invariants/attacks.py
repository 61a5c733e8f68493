"""What an invariant is, and thirty-two connections that attack one at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model, QuerySet

from coordination.common.constraints import sentence_of
from coordination.common.errors import DomainError

if TYPE_CHECKING:
    from tests.invariants.world import World

ATTACKERS = 32
PATIENCE = 60
READ_COMMITTED, SERIALIZABLE = "READ COMMITTED", "SERIALIZABLE"
TRIES = 100
# What PostgreSQL asks to begin again in SERIALIZABLE; and of an act, that looked before it wrote, a key found taken
# since (PostgreSQL, « Serialization Failure Handling »: it may be one).
BEGIN_AGAIN = frozenset({"40001"})
LOOKED_BEFORE = BEGIN_AGAIN | {"23505", "23P01"}
DEADLOCK, NOT_ALLOWED = "40P01", "42501"


@dataclass(frozen=True)
class Attack:
    """`attempt(i)`: what the connection number i tries, in a transaction of its own.

    Of the thirty-two, `allowed` are done; then `standing` has `rows` rows.
    """

    attempt: Callable[[int], Any]
    standing: QuerySet
    allowed: int = 1
    rows: int = 1


@dataclass(frozen=True)
class Invariant:
    """One line of the table: what is always true, which constraints or triggers of the database hold it, its attacks.

    `rows` writes rows as no screen would; `acts` calls the act of the screens, which tells its refusal. `is_told`
    False: what is refused has no sentence, since no act tells it: it gives back what is there, or asks before.
    """

    sentence: str
    holds: tuple[str, ...]
    rows: Callable[[World], Attack]
    acts: Callable[[World], Attack] | None = None
    is_told: bool = True


def inserts(make: Callable[[int], Model], standing: QuerySet, *, allowed: int = 1) -> Attack:
    """Thirty-two rows where `allowed` may stand."""
    return Attack(lambda i: make(i).save(force_insert=True), standing, allowed, allowed)


def changes(standing: QuerySet, **values: Any) -> Attack:
    """The rows as they must never be: thirty-two times, none is done."""

    def attempt(_):
        assert standing.update(**values), "nothing to attack"

    return Attack(attempt, standing.filter(**values), 0, 0)


def statements(sql: str, params: list, standing: QuerySet, *, rows: int = 0) -> Attack:
    """A statement that must never be done."""

    def attempt(_):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            assert cursor.rowcount, "nothing to attack"

    return Attack(attempt, standing, 0, rows)


class Attackers:
    """Thirty-two threads and their connections, kept from one attack to the next."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(ATTACKERS)

    def close(self) -> None:
        self._together(lambda _: connection.close())
        self._pool.shutdown()

    def attack(
        self, attack: Attack, isolation: str = READ_COMMITTED, again: frozenset[str] = frozenset()
    ) -> list[Exception]:
        """Return what the attempts that failed raised; the others are done. `again`: the errors that begin again."""
        self._together(lambda _: say(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}"))
        return [error for error in self._together(lambda i: self._attempt(attack, i, again)) if error is not None]

    def _attempt(self, attack: Attack, i: int, again: frozenset[str]) -> Exception | None:
        for _ in range(TRIES):
            try:
                with transaction.atomic():
                    attack.attempt(i)
            except Exception as error:
                if state_of(error) not in again:
                    return error
            else:
                return None
        return AssertionError(f"begun again {TRIES} times")

    def _together(self, act: Callable[[int], Any]) -> list:
        start = threading.Barrier(ATTACKERS)

        def run(i: int):
            start.wait(PATIENCE)
            return act(i)

        return list(self._pool.map(run, range(ATTACKERS), timeout=PATIENCE))


def say(sql: str) -> None:
    """Execute a statement of ours, in the connection of this thread."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error of the database; "" of another."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def judged(error: Exception, invariant: Invariant, *, by_an_act: bool) -> str:
    """Return what is wrong with a refusal; "" when the loser is told why, in French, by what holds this invariant."""
    if by_an_act and isinstance(error, DomainError):
        return "" if str(error) else f"{type(error).__name__} without a sentence"
    if isinstance(error, IntegrityError):
        held = error.__cause__.diag.constraint_name in invariant.holds
        is_told = sentence_of(error) or (not invariant.is_told and not by_an_act)
        return "" if held and is_told else f"refused by {error.__cause__.diag.constraint_name}: {error}"
    if isinstance(error, DatabaseError) and not by_an_act:
        # Triggers of what is never changed; and of two rows that exclude each other, one may be told of a deadlock
        # (the acts must not: they lock what they share).
        return "" if state_of(error) in (NOT_ALLOWED, DEADLOCK) else repr(error)
    return repr(error)
