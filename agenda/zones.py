"""The clocks of the French territories, and how a screen names them. Pure."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agenda.errors import NoSuchHour


class Territory(NamedTuple):
    """A clock: `name` in a list of choices, `said` after « heure »."""

    name: str
    said: str


TERRITORIES = {
    "Europe/Paris": Territory("France hexagonale et Corse (Paris)", "de Paris"),
    "America/Guadeloupe": Territory("Guadeloupe, Saint-Martin, Saint-Barthélemy", "de Guadeloupe"),
    "America/Martinique": Territory("Martinique", "de Martinique"),
    "America/Cayenne": Territory("Guyane", "de Guyane"),
    "Indian/Reunion": Territory("La Réunion", "de La Réunion"),
    "Indian/Mayotte": Territory("Mayotte", "de Mayotte"),
    "America/Miquelon": Territory("Saint-Pierre-et-Miquelon", "de Saint-Pierre-et-Miquelon"),
    "Pacific/Noumea": Territory("Nouvelle-Calédonie (Nouméa)", "de Nouméa"),
    "Pacific/Tahiti": Territory("Polynésie française (Tahiti)", "de Tahiti"),
    "Pacific/Wallis": Territory("Wallis-et-Futuna", "de Wallis"),
}
CHOICES = [(zone, territory.name) for zone, territory in TERRITORIES.items()]


def said(zone: str) -> str:
    """Return « Heure de Paris »; of a clock that is none of ours, its name as other software gave it."""
    territory = TERRITORIES.get(zone)
    return f"Heure {territory.said}" if territory else f"Heure du fuseau {zone}"


def wall(text: str) -> dt.datetime:
    """Return the time on the wall, without zone, that a row keeps as YYYY-MM-DDTHH:MM."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M")


def wall_text(local: dt.datetime) -> str:
    """Return how a row keeps a time on the wall: texts of one shape compare as the times they say."""
    return local.strftime("%Y-%m-%dT%H:%M")


def require_hour(local: dt.datetime, zone: str) -> None:
    """Require a time that the clock of this place shows. Raises NoSuchHour when it jumps over it (issue 5 §4)."""
    back = local.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).astimezone(ZoneInfo(zone))
    if back.replace(tzinfo=None) != local:
        raise NoSuchHour(day=f"{local:%d/%m/%Y}", hour=f"{local:%H:%M}")


def typed_over(local: dt.datetime, stood: dt.datetime, zone: ZoneInfo, *, later: bool = False) -> dt.datetime:
    """Return the UTC instant of a wall-clock time typed where the instant `stood` was shown, to the minute.

    Nobody who leaves what is shown moves anything, not by the seconds a software gave nor from the second of two same
    hours to the first. Another time of that day stays in the hour it was in, or in the second when `later`.
    """
    shown = stood.astimezone(zone)
    if shown.replace(tzinfo=None, second=0, microsecond=0) == local:
        return stood
    fold = int(shown.date() == local.date() and (later or shown.fold))
    return local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)
