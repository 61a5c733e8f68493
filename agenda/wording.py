"""How screens say when something repeats. Pure."""

from __future__ import annotations

import datetime as dt

from agenda.rules import Freq, Rule

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_EVERY = {Freq.DAILY: "Tous les jours", Freq.MONTHLY: "Tous les mois", Freq.YEARLY: "Tous les ans"}


def is_simple(rule: Rule) -> bool:
    """Whether a form of weekdays, number of weeks and last day says all of this rule."""
    plain = Rule(Freq.WEEKLY, interval=rule.interval, until=rule.until, by_day=rule.by_day)
    return plain == rule and not isinstance(rule.until, dt.datetime)


def said_rule(rule: Rule, starts: dt.datetime) -> str:
    """Return « Chaque lundi et jeudi, jusqu’au 31/12/2026 »; a rule of other software that says more is only named."""
    if is_simple(rule):
        return _weeks(rule, starts) + _ending(rule)
    every = _EVERY.get(rule.freq)
    if every and rule == Rule(rule.freq, count=rule.count, until=rule.until):
        return every + _ending(rule)
    return "Répétition reçue d’un autre logiciel"


def _weeks(rule: Rule, starts: dt.datetime) -> str:
    days = sorted(day.weekday for day in rule.by_day) or [starts.weekday()]
    if rule.interval == 1:
        return "Tous les jours" if len(days) == 7 else f"Chaque {_and([WEEKDAYS[day] for day in days])}"
    weeks = "Une semaine sur deux" if rule.interval == 2 else f"Toutes les {rule.interval} semaines"
    return f"{weeks}, {_and([f'le {WEEKDAYS[day]}' for day in days])}"


def _ending(rule: Rule) -> str:
    if rule.until is not None:
        return f", jusqu’au {rule.until:%d/%m/%Y}"
    return f", {rule.count} fois" if rule.count else ""


def _and(words: list[str]) -> str:
    return " et ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
