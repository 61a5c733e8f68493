"""Telling the rooms above that the row of a member has its account: what they sent to find one has no more object.

The room that follows such rows registers a function in its `AppConfig.ready`; it runs inside the act's transaction.
"""

from collections.abc import Callable, Collection
from uuid import UUID

Follower = Callable[[Collection[UUID], object], None]
_followers: list[Follower] = []


def follow(function: Follower) -> None:
    """Register `function(habilitation_ids, by)`; `by` is None when nobody did it."""
    if function not in _followers:
        _followers.append(function)


def tell_bound(habilitation_ids: Collection[UUID], *, by) -> None:
    """Say that these rows have just been bound to an account."""
    for function in _followers if habilitation_ids else ():
        function(habilitation_ids, by)
