"""What each room asks of the settings of a production, and the refusal to start without it (SECT-15).

A room declares its demands in its own `checks.py`, beside the code that relies on them, and registers them when it is
ready. `manage.py check --deploy` says every one that does not hold, with Django's own; the web server and the workers
of a production refuse to start (`refuse_unsafe_start`). What is read from the environment before Django exists is
refused earlier (coordination/settings/guard.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


class Demand(NamedTuple):
    """A number of the room, what is wrong and what to do in one French sentence, and what must be true of settings."""

    number: int
    sentence: str
    holds: Callable[[Any], bool]


# {id of its check: what a room asks}.
DEMANDED: dict[str, Demand] = {}
# Our own, beside Django's `security`: both are asked at the start of a production.
TAG = "production"


def register(room: str, demands: Sequence[Demand]) -> None:
    """Have Django ask the demands of a room (`E001` of `accounts` is `accounts.E001`) at `check --deploy`.

    A setting whose form is not even what the demand expects does not hold. Raises ValueError for a number used twice.
    """
    named = {f"{room}.E{one.number:03}": one for one in demands}
    if len(named) != len(demands) or named.keys() & DEMANDED.keys():
        raise ValueError(f"Two demands of {room} have one number.")
    DEMANDED.update(named)

    def asked(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:
        return [checks.Error(one.sentence, id=key) for key, one in named.items() if not _holds(one, settings)]

    checks.register(asked, TAG, deploy=True)


def _holds(demand: Demand, values: Any) -> bool:
    try:
        return demand.holds(values)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return False


def unsafe_settings() -> list[str]:
    """Return what Django's own checks of security and our demands say of these settings, silenced or not."""
    said = checks.run_checks(tags=[checks.Tags.security, TAG], include_deployment_checks=True)
    return [f"{one.id}: {one.msg}" for one in said]


def refuse_unsafe_start() -> None:
    """Stop a production that would run unsafely. Raises ImproperlyConfigured with every reason at once."""
    if settings.REFUSES_UNSAFE_START and (reasons := unsafe_settings()):
        raise ImproperlyConfigured("Production refuses to start:\n" + "\n".join(f"- {reason}" for reason in reasons))
