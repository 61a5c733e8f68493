"""The end of care seen from above: places that the circle fills.

Closing a dossier ends what the sharing rested on. Whose it was has a name in the circle, a floor above: it registers
what it writes in its history, and what the page of the state tells before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """What closing does, in names this reader may see; who waits for a new fact, and where to note it (`url`).

    `is_over`: the dossier is closed, and the end of care was said.
    """

    loses: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    url: str = ""
    is_over: bool = False


_registered: dict[str, Callable] = {}


def register(*, tell: Callable, effect: Callable) -> None:
    """Register `tell(dossier, ended, by, access, via)`, run inside the act, and `effect(entry) -> Effect`."""
    _registered.update(tell=tell, effect=effect)


def tell(dossier, ended, *, by, access, via) -> None:
    """Write in the history of the circle and in the journal what `habilitations.actions.end_care` ended."""
    _registered["tell"](dossier, ended, by=by, access=access, via=via)


def effect_of(entry) -> Effect:
    """Return what closing the dossier would do, or did."""
    return _registered["effect"](entry)
