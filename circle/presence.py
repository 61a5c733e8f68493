"""Telling the rooms above that somebody left the circle, or is back: what he does there changes with his presence.

The room that follows registers its functions in its `AppConfig.ready`; they run inside the act's transaction, under
the lock of the dossier.
"""

from __future__ import annotations

from collections.abc import Callable

from circle.models import Member

Follower = Callable[[Member], None]
_leaving: list[Follower] = []
_returning: list[Follower] = []


def follow(*, leaves: Follower, returns: Follower) -> None:
    """Register what is done when a member leaves, and when one who had left is there again."""
    if leaves not in _leaving:
        _leaving.append(leaves)
        _returning.append(returns)


def tell_left(member: Member) -> None:
    for function in _leaving:
        function(member)


def tell_returned(member: Member) -> None:
    for function in _returning:
        function(member)
