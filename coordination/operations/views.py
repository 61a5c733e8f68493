"""« Files d’attente » of « Administration »: what waits, what fails, what was given up; begin again, or give up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from agenda.actions.own_calendars import retry_calendars
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.operations import actions
from coordination.operations import queues as shown
from coordination.operations.queues import CALENDARS, QUEUES, RETRY, Queue
from habilitations.traces import via_request
from habilitations.views.board import for_administrators

# Done by one click: the page answers in seconds whatever is in the queue. The rest waits for the next click.
AT_ONCE = 500


@dataclass(frozen=True)
class Asked:
    """What the page of a deed asks before it is done."""

    title: str
    question: str
    impact: str
    verb: str
    danger: bool


@require_safe
@for_administrators
def queues(request: HttpRequest) -> HttpResponse:
    """The queues, the calendars kept elsewhere, the loads of the directory. Nine SQL statements whatever they hold."""
    context = {
        "drawn": shown.drawn(), "calendars": shown.calendars(), "loads": shown.loads(), "calendars_key": CALENDARS,
    }  # fmt: skip
    return render(request, "operations/queues.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def act_on_one(request: HttpRequest, queue: str, deed: str, row_id: UUID) -> HttpResponse:
    """« Reprendre » or « Abandonner » one row: asked, then done."""
    found = _queue(queue, deed)
    row = get_object_or_404(found.rows(), pk=row_id)
    if request.method != "POST":
        return _ask(request, _asked(found, deed, found.this, found.name(row)))
    try:
        found.deeds[deed](row, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "C’est remis en file." if deed == RETRY else "C’est abandonné.")
    return redirect(request, "operations:queues")


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def act_on_all(request: HttpRequest, queue: str, deed: str) -> HttpResponse:
    """The same for all the dead letters of a queue, or for all the calendars that fail: asked, then done.

    On those that the question counted: what died since is for the next question.
    """
    if (queue, deed) == (CALENDARS, RETRY):
        return _read_calendars_again(request)
    found = _queue(queue, deed)
    if request.method != "POST":
        return _ask_all(request, found, deed)
    asked = _asked_about(request)
    if not asked:
        messages.error(request, "Rien n’est fait : relisez d’abord ce que ce geste concerne.")
        return _ask_all(request, found, deed, status=409)
    rows = list(found.dead().filter(pk__in=asked))
    done, missed = actions.act_on_each(found.deeds[deed], rows, by=request.user, via=via_request(request))
    missed += len(asked) - len(rows)
    said = "remise en file" if deed == RETRY else "abandonnée"
    many = "remises en file" if deed == RETRY else "abandonnées"
    messages.success(request, f"{plural(done, f'ligne {said}', f'lignes {many}')}.")
    if missed:
        messages.error(request, f"{plural(missed, 'ligne')} : redemandée ou réglée entre-temps, laissée telle quelle.")
    return redirect(request, "operations:queues")


def _read_calendars_again(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        impact = "Ceux qui échouent sont relus au prochain tour, dans les cinq minutes, quelle que soit leur attente."
        asked = Asked("Relire les calendriers en échec", "Relire tous ces calendriers ?", impact, "Relire", False)
        return _ask(request, asked)
    assert isinstance(request.user, User)
    number = retry_calendars(by=request.user, via=via_request(request))
    messages.success(request, f"{plural(number, 'calendrier')} à relire au prochain tour.")
    return redirect(request, "operations:queues")


def _ask_all(request: HttpRequest, found: Queue, deed: str, *, status: int = 200) -> HttpResponse:
    number = found.dead().count()
    what = f"tout : {plural(number, 'ligne')} en échec"
    if number > AT_ONCE:
        what = f"les {AT_ONCE} plus anciennes des {number} lignes en échec"
    ids = found.dead().values_list("pk", flat=True)[:AT_ONCE]
    return _ask(request, _asked(found, deed, what, found.label), ids, status=status)


def _asked_about(request: HttpRequest) -> set[UUID]:
    """Return the rows that the question was about, none when the form does not say."""
    said = request.POST.get("lignes", "").split()
    try:
        return {UUID(one) for one in said[:AT_ONCE]}
    except ValueError:
        return set()


def _queue(key: str, deed: str) -> Queue:
    found = QUEUES.get(key)
    if found is None or deed not in found.deeds:
        raise Http404
    return found


def _asked(queue: Queue, deed: str, what: str, name: str) -> Asked:
    if deed == RETRY:
        impact = "Cela repart tout de suite, avec un nouveau compte d’essais."
        return Asked(f"Reprendre : {name}", f"Reprendre {what} ?", impact, "Reprendre", False)
    impact = "Cela ne partira plus, et le texte d’un courriel est effacé. Les personnes concernées n’en savent rien."
    return Asked(f"Abandonner : {name}", f"Abandonner {what} ?", impact, "Abandonner", True)


def _ask(request: HttpRequest, asked: Asked, ids: Iterable[UUID] = (), *, status: int = 200) -> HttpResponse:
    rows = " ".join(map(str, ids))
    return render(request, "operations/act.html", {"asked": asked, "here": request.path, "rows": rows}, status=status)
