"""Telling the rooms above that somebody left the circle, or is back: what he does there changes with his presence.

The room that follows registers its functions in its `AppConfig.ready`; they run inside the act's transaction, under
the lock of the dossier.
"""

from __future__ import annotations

from collections.abc import Callable

from circle.models import Member

Follower = Callable[[Member], None]
# Called with as many members as come in together.
Followers = Callable[..., None]
_leaving: list[Follower] = []
_returning: list[Followers] = []


def follow(*, leaves: Follower, returns: Followers) -> None:
    """Register what is done when a member leaves, and when some, who were known, are there."""
    if leaves not in _leaving:
        _leaving.append(leaves)
        _returning.append(returns)


def tell_left(member: Member) -> None:
    for function in _leaving:
        function(member)


def tell_returned(*members: Member) -> None:
    for function in _returning if members else ():
        function(*members)
