"""Every name under which an act is known, replaced at once: rooms import acts from one another by name."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from tests.failpoints.acts import ROOMS, acts


def replace_acts(around: Callable) -> None:
    """Put `around(name, act, args, kwargs)` in the place of each act, in every module imported so far."""
    stands_for = {id(act): _standing_for(name, act, around) for name, act in acts().items()}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").split(".")[0] not in (*ROOMS, "tests"):
            continue
        for attribute, value in list(vars(module).items()):
            if id(value) in stands_for:
                setattr(module, attribute, stands_for[id(value)])


def _standing_for(name: str, act: Callable, around: Callable) -> Callable:
    @functools.wraps(act)
    def stand_in(*args, **kwargs):
        return around(name, act, args, kwargs)

    return stand_in
