"""Searching the journals of all dossiers, for who answers for the protection of data. No dossier is read.

People are found first, by the names and the professions of their accounts; their lines are then read from the index of
who acted. A search without bounds is refused (SEC-12). Three SQL statements at most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.dates import InvalidDate
from coordination.common.identifiers import clean_identifier
from coordination.common.text import fold
from coordination.dossiers.journal.reading import PER_PAGE, folded, read_day, span
from habilitations.models import Trace, VouchedProfession

LONGEST_SPAN = 366
# So many people answer to one search; beyond, it is told to be more precise.
MOST_PEOPLE = 200
USUAL_SPAN = 30
_LONGEST = 100


@dataclass(frozen=True)
class Asked:
    """What the form asks; `errors` names the fields that cannot be used, and nothing is then searched."""

    who: str = ""
    structure: str = ""
    dossier: UUID | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    before: tuple[dt.datetime, UUID] | None = None
    typed: Mapping[str, str] | None = None
    errors: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Result:
    """One page of lines, newest first; where to go on from; whether too many people answer to the names."""

    traces: list[Trace]
    next_before: str = ""
    too_many: bool = False


def read_asked(said: Mapping[str, str]) -> Asked:
    """Return what a posted form asks. Both days are needed, a year apart at most, and something to look for."""
    typed = {name: said.get(name, "").strip()[:_LONGEST] for name in ("qui", "structure", "dossier", "du", "au")}
    errors: dict[str, str] = {}
    first, last = (_day(name, typed[name], errors) for name in ("du", "au"))
    if first and last and not dt.timedelta(0) <= last - first <= dt.timedelta(days=LONGEST_SPAN):
        errors["au"] = "La fin est avant le début, ou plus d’un an après."
    dossier = None
    if typed["dossier"]:
        try:
            dossier = UUID(typed["dossier"])
        except ValueError:
            errors["dossier"] = "Cette référence n’est pas celle d’un dossier."
    if not (typed["qui"] or typed["structure"] or typed["dossier"]):
        errors["qui"] = "Indiquez une personne, une structure ou un dossier."
    return Asked(
        typed["qui"], typed["structure"], dossier, first, last, _cursor(said.get("avant", "")), typed, errors or None
    )


def start(today: dt.date | None = None) -> Asked:
    """Return the empty form: the last thirty days."""
    today = today or timezone.localdate()
    first = today - dt.timedelta(days=USUAL_SPAN)
    days = {"du": f"{first:%d/%m/%Y}", "au": f"{today:%d/%m/%Y}"}
    return Asked(typed={"qui": "", "structure": "", "dossier": ""} | days)


def search(asked: Asked) -> Result:
    """Return the lines of one page. Nothing when nobody answers to the names."""
    traces = span(Trace.objects.order_by("-at", "-id"), asked.first, asked.last)
    if asked.who or asked.structure:
        people = list(_people(asked)[: MOST_PEOPLE + 1])
        if len(people) > MOST_PEOPLE:
            return Result([], too_many=True)
        traces = traces.filter(actor_id__in=people)
    if asked.structure:
        placed = traces.annotate(folded_structure=folded("structure_name"))
        traces = _with_words(placed, "folded_structure", asked.structure)
    if asked.dossier:
        traces = traces.filter(dossier_id=asked.dossier)
    if asked.before:
        at, pk = asked.before
        traces = traces.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(traces[: PER_PAGE + 1])
    page = found[:PER_PAGE]
    following = f"{page[-1].at.isoformat()}|{page[-1].pk}" if len(found) > PER_PAGE else ""
    return Result(page, following)


def _people(asked: Asked) -> QuerySet:
    """Return the ids of the accounts asked for: by name or national number, and by structure, of today or before."""
    people = User.objects.order_by("pk").values_list("pk", flat=True)
    if asked.who:
        number = clean_identifier(asked.who)
        if number.isdigit():
            people = people.filter(pk__in=VouchedProfession.objects.filter(national_id=number).values("user"))
        else:
            names = Concat(F("family_name"), Value(" "), F("given_name"), output_field=CharField())
            people = _with_words(people.annotate(folded_name=folded(names)), "folded_name", asked.who)
    if asked.structure:
        places = VouchedProfession.objects.annotate(folded_place=folded("structure_name"))
        people = people.filter(pk__in=_with_words(places, "folded_place", asked.structure).values("user"))
    return people


def _with_words(rows: QuerySet, column: str, text: str) -> QuerySet:
    for word in fold(text).split():
        rows = rows.filter(**{f"{column}__contains": word})
    return rows


def _day(name: str, typed: str, errors: dict[str, str]) -> dt.date | None:
    try:
        return read_day(typed)
    except InvalidDate as refusal:
        errors[name] = str(refusal)
        return None


def _cursor(said: str) -> tuple[dt.datetime, UUID] | None:
    at, _, pk = said.partition("|")
    try:
        moment = dt.datetime.fromisoformat(at)
        return (moment, UUID(pk)) if moment.tzinfo else None
    except ValueError:
        return None
