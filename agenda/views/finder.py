"""« Trouver un créneau commun »: who, how long, between which days; three best times; or by hand, side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods

from agenda import common_slots, finding, zones
from agenda.actions import meetings as actions
from agenda.common_slots import Choice, State
from agenda.finding import Invited
from agenda.forms.finder import FinderForm, PlanForm
from agenda.forms.votes import moment_of_time
from agenda.models import Appointment, Proposal, Room
from agenda.own import durations_of
from agenda.views.meetings import page, sheet_of
from agenda.views.own_pages import kept_draft
from agenda.views.pages import attempt, draft_url
from circle import roles
from circle.lines import MemberRow
from circle.models import Member
from coordination.accounts import drafts
from coordination.common.htmx import redirect
from coordination.dossiers.door import Entry, rubric_view
from habilitations.rubriques import Niveau, Rubrique

DRAFT = "reunion-nouvelle"
BEST = 3
WORDS = {
    State.FREE: ("Libre", "ok"), State.BUSY: ("Occupé", "refus"), State.CLOSED: ("Hors ouverture", "auc"),
    State.TENTATIVE: ("À confirmer", "att"), State.UNKNOWN: ("Inconnu", "plain"),
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE)
def find(request: HttpRequest, entry: Entry) -> HttpResponse:
    """The search is in the address (ids, hours: nothing that names anybody); what is proposed is sent."""
    rows = [row for row in Member.objects.rows(entry) if row.kind != roles.STRUCTURE]
    sent = request.POST if request.method == "POST" else request.GET or None
    search = FinderForm(
        sent,
        members=_members(entry, rows),
        rooms=Room.objects.offered_to(entry),
        minutes=60 if sent else durations_of(entry.user).get("reunion", 60),
        auto_id="cherche_%s",
    )
    if not (search.is_bound and search.is_valid()):
        context = {"search": search, "plan": None}
        return page(request, entry, "agenda/finder.html", context, status=422 if search.is_bound else 200)
    kept = kept_draft(request, DRAFT, entry.dossier.pk)
    plan = PlanForm(request.POST if request.method == "POST" else None, initial=_meant(kept))
    if plan.is_bound and plan.is_valid():
        made = _propose(entry, plan, search)
        if made is not None:
            drafts.clear(request.user, DRAFT, entry.dossier.pk)
            messages.success(request, _said(made))
            return redirect(request, sheet_of(made))
    context = {
        "search": search, "plan": plan, "draft_url": draft_url(DRAFT, entry.dossier.pk), "draft_found": bool(kept),
        **_found(request, entry, search, {row.id: row.name for row in rows}),
    }  # fmt: skip
    return page(request, entry, "agenda/finder.html", context, status=422 if plan.is_bound else 200)


def _members(entry: Entry, rows: Iterable[MemberRow]) -> list[tuple[str, str]]:
    """Return who may be invited: neither structures, which have no time (left out by then), nor oneself."""
    return [
        (str(row.id), f"{row.name}, {row.second}" if row.second else row.name)
        for row in rows
        if row.user_id != entry.user.pk
    ]


def _meant(kept: dict | None) -> dict:
    """Return what was being typed of the meeting; who and when are those of the search of now."""
    names = ("title", "reason", "modality", "place", "video_url")
    return {name: kept[name] for name in names if name in kept} if kept else {}


def _propose(entry: Entry, form: PlanForm, search: FinderForm) -> Appointment | None:
    plan = form.plan(search)
    if plan is None:
        return None
    key = form.cleaned_data["creation_key"] or form.initial["creation_key"]
    done, made = attempt(form, actions.propose_meeting, entry, plan, creation_key=key)
    return made if done else None


def _said(made: Appointment) -> str:
    if made.status == Appointment.Status.BOOKED:
        return "La réunion est fixée."
    return "Les participants sont invités à répondre. La réunion sera fixée quand ils seront d’accord."


def _found(request: HttpRequest, entry: Entry, search: FinderForm, names: dict[UUID, str]) -> dict:
    said = search.cleaned_data
    zone = ZoneInfo(said["zone"])
    people = finding.invited(entry, search.members(), names=names, person=said["person"], room=said.get("room"))
    window = search.window()
    agendas = finding.agendas(entry, people, window)
    choices = common_slots.common_slots(
        agendas, duration=said["minutes"], window=window, zone=zone, allowed=search.hours(),
        quorum=0, limit=BEST,
    )  # fmt: skip
    day = search.day_shown(_day(request))
    starts = search.starts_of(day)
    return {
        "people": people,
        "choices": [_choice(choice, people, said["zone"]) for choice in choices],
        "unknown": [one.name for one, agenda in zip(people, agendas, strict=True) if agenda.opens is None],
        # Those chosen stay so when something else is to be corrected; before, the best ones are.
        "ticked": set(request.POST.getlist("times")) if request.method == "POST" else {_value(one) for one in choices},
        "grid": _grid(people, agendas, starts, said, zone),
        "day": day,
        # Folded away while the best times are enough: it is long on a phone.
        "by_hand": not choices or "jour" in request.GET,
        "days": _days(search, day),
        "zone_said": zones.said(said["zone"]),
    }


def _choice(choice: Choice, people: Sequence[Invited], zone: str) -> dict:
    names = {one.key: one.name for one in people}
    rooms = {one.key for one in people if one.is_room}
    free, wanted = len(set(choice.free) - rooms), len(people) - len(rooms)
    notes = [
        (words, [names[key] for key in keys])
        for words, keys in (
            ("Manque", choice.busy), ("À confirmer", choice.tentative), ("Disponibilités inconnues", choice.unknown)
        )
        if keys
    ]  # fmt: skip
    time = Proposal(starts_at=choice.start, ends_at=choice.end)
    return {
        "value": _value(choice),
        "moment": moment_of_time(time, zone),
        "count": f"{free} sur {wanted}",
        "kind": "ok" if len(choice.free) == len(people) else "att",
        "all_free": len(choice.free) == len(people),
        "notes": [f"{words} : {', '.join(who)}" for words, who in notes],
    }


def _value(choice: Choice) -> str:
    return choice.start.isoformat()


def _grid(people, agendas, starts: Sequence[dt.datetime], said: dict, zone: ZoneInfo) -> list[dict]:
    length = dt.timedelta(minutes=said["minutes"])
    states = finding.by_hand(agendas, starts, length)
    return [
        {
            "value": start.isoformat(),
            "hour": f"{start.astimezone(zone):%H:%M}",
            "states": [WORDS[state] for state in row],
        }
        for start, row in zip(starts, states, strict=True)
    ]


def _day(request: HttpRequest) -> dt.date | None:
    try:
        return parse_date(request.GET.get("jour", ""))
    except ValueError:
        return None


def _days(search: FinderForm, day: dt.date) -> dict[str, str]:
    """Return the addresses of the days beside the one shown, inside the search."""
    said, links = search.cleaned_data, {"previous": "", "next": ""}
    for name, other in (("previous", day - dt.timedelta(days=1)), ("next", day + dt.timedelta(days=1))):
        if said["first_day"] <= other <= said["last_day"]:
            asked = [*search.hidden(), ("jour", f"{other:%Y-%m-%d}")]
            links[name] = f"?{urlencode(asked)}#a-la-main"
    return links
