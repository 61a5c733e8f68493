"""PostgreSQL and Redis for whoever asks, for as long as somebody asks.

Each user of a place holds a shared lock on a file. The kernel drops the lock even after kill -9, so the
last one to leave is known without counting, and stops the servers.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from coordination.runtime.account import server_account
from coordination.runtime.broker import Broker
from coordination.runtime.places import Place, open_private
from coordination.runtime.postgres import Cluster
from coordination.runtime.problems import FULL_DISK, Problem, explain_os_error

ROOM_NEEDED = 300_000_000
BOTH = ("DATABASE_URL", "REDIS_URL")


@contextmanager
def embedded(
    profile: str = "run", given: Mapping[str, str] = os.environ, needs: Sequence[str] = BOTH
) -> Iterator[dict[str, str]]:
    """Yield the variables DATABASE_URL and REDIS_URL, or those of them that `needs` names, that `given` does not have.

    Starts only the servers needed, shares those already running, stops them after the last user.
    Raises Problem, with a sentence for the person at the terminal.
    """
    wanted = [name for name in needs if not given.get(name)]
    if not wanted:
        yield {}
        return
    with in_plain_words():
        place = _open(profile)
        users = open_private(place.folder / "users.lock", "w")
    try:
        with in_plain_words():
            variables = _start(place, users.fileno(), wanted)
        yield variables
    finally:
        with in_plain_words():
            _leave(place, users.fileno())
        users.close()


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Around our own gestures only: an error of the command we serve stays what it is."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(error) from error


def _open(profile: str) -> Place:
    place = Place(profile)
    place.make()
    if shutil.disk_usage(place.folder).free < ROOM_NEEDED:
        raise Problem(FULL_DISK.format(where=place.folder))
    return place


def _start(place: Place, users: int, wanted: list[str]) -> dict[str, str]:
    with _one_at_a_time(place.folder):
        fcntl.flock(users, fcntl.LOCK_SH)
        state, account = place.remember(), server_account()
        servers: dict[str, Cluster | Broker] = {
            "DATABASE_URL": Cluster(place, state, account),
            "REDIS_URL": Broker(place, state, account),
        }
        for name in wanted:
            servers[name].start()
        return {name: servers[name].url for name in wanted}


def _leave(place: Place, users: int) -> None:
    with _one_at_a_time(place.folder):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else still needs the servers
        state, account = place.remember(), server_account()
        Broker(place, state, account).stop()
        Cluster(place, state, account).stop()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Starting and stopping never overlap, between any number of commands."""
    with open_private(folder / "change.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
