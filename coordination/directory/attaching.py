"""Telling the rooms above that an account is now that of a professional of the directory.

The room that keeps something under the account registers a function in its `AppConfig.ready`; it runs inside the
act's transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from coordination.accounts.models import User
from coordination.directory.models import Professional

Follower = Callable[[User, Professional], None]
_followers: list[Follower] = []


def follow(function: Follower) -> None:
    """Register `function(user, professional)`."""
    if function not in _followers:
        _followers.append(function)


def tell_attached(user: User, professional: Professional) -> None:
    """Call every follower, inside the transaction of the act."""
    for function in _followers:
        function(user, professional)
