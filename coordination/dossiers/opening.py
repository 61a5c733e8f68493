"""How a dossier is opened: a place that the circle fills.

Opening a dossier puts its creator in the circle, and the circle is a floor above. The creation screen
asks here; `circle` registers its action when Django starts.
"""

from __future__ import annotations

from collections.abc import Callable

from coordination.dossiers.models import Dossier

_registered: dict[str, Callable[..., Dossier]] = {}


def register(open_dossier: Callable[..., Dossier]) -> None:
    """Say which function opens a dossier: `open_dossier(*, by, traits, contacts, motif, ...) -> Dossier`."""
    _registered["open_dossier"] = open_dossier


def open_dossier(**details) -> Dossier:
    """Make the dossier, its creator a habilitated member of its circle, in one transaction.

    Takes what `actions.create_dossier` takes and raises what it raises.
    """
    return _registered["open_dossier"](**details)
