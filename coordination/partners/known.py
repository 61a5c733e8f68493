"""Whether there is a partner at all: what pages drawn all day ask, without a statement of their own."""

from __future__ import annotations

import time

from coordination.partners.models import Partner

# A partner added elsewhere is seen by the other processes this long after.
KEPT_SECONDS = 60.0
_kept: tuple[float, bool] = (0.0, False)


def any_active() -> bool:
    """Say whether a partner is in service; asked of the database once a minute in each process."""
    global _kept
    now = time.monotonic()
    if now >= _kept[0]:
        _kept = (now + KEPT_SECONDS, Partner.objects.active().exists())
    return _kept[1]


def forget() -> None:
    """Ask again at the next page of this process."""
    global _kept
    _kept = (0.0, False)
