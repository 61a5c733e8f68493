"""« Inviter plusieurs personnes » from a circle: lines, what will become of each, then one act a line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlencode
from uuid import uuid5

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, arrivals, several
from circle.arrivals import PRESENT, Arrival
from circle.errors import LooksLikeDirectory, LooksLikeMember
from circle.forms.access import NO, YES
from circle.forms.several import ArrivalsForm, PeopleForm
from circle.views import picking
from circle.views.colleagues import letter_preview, text_of_file
from circle.views.pages import circle_url, draft_initial, drafted, page, show_identity_to_open
from coordination.accounts import drafts
from coordination.accounts.errors import DraftTooLong
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from habilitations.rubriques import Action, Niveau, Rubrique

DRAFT = "cercle-plusieurs"
LOOK = "aperçu"
# Seconds of acts in one answer; the page says how far it is and goes on by itself.
AT_ONCE = 2.0
# What the page of progress carries from one answer to the next: lines done, and why the others were not.
DONE, REFUSED = "fait", "refus-"
# What was done of a line: an answer of the form, or the invitation of somebody who was there.
MEMBER = "membre"
KINDS = (YES, NO, MEMBER)
TOO_MANY = "Trop d’invitations en une heure : réessayez plus tard."


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.INVITE)
def invite_several(request: HttpRequest, entry) -> HttpResponse:
    """The lines to paste; then, sent back with an answer for each, the acts. A line is done whole or not at all."""
    if request.method != "POST":
        kept = draft_initial(request, DRAFT, entry.dossier.pk, PeopleForm)
        return _people_page(request, entry, PeopleForm(initial=kept, dossier=entry.dossier), kept=kept)
    lines = several.read(request.POST.get("lines", "")[:20_000])
    form = _answers(request, entry, lines, request.POST)
    if not form.is_valid():
        return _check_page(request, entry, lines, form, status=422)
    show_identity_to_open(request, form)
    done, refused = _carried(request)
    left = [arrival for arrival in form.to_do if arrival.line.number not in done.keys() | refused.keys()]
    until = time.monotonic() + AT_ONCE
    for rank, arrival in enumerate(left):
        if rank and time.monotonic() >= until:
            return _progress_page(request, entry, done, refused, len(left) - rank)
        if why := _bring_in(request, entry, form, arrival):
            refused[arrival.line.number] = why
        else:
            done[arrival.line.number] = _kind(form, arrival)
    return _end(request, entry, lines, done, refused)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.INVITE, action=LOOK)
def check_several(request: HttpRequest, entry) -> HttpResponse:
    """What will become of each line, before anything is done."""
    form = PeopleForm(request.POST, request.FILES, dossier=entry.dossier)
    text = ""
    if form.is_valid():
        text = "\n".join(filter(str.strip, (form.cleaned_data["lines"], text_of_file(form))))
        if not form.errors and not text.strip():
            form.add_error("lines", "Écrivez au moins une ligne, ou choisissez un fichier.")
    if form.errors:
        return _people_page(request, entry, form, status=422)
    lines, asked = several.read(text), _asked(form, text)
    # « Revenir aux lignes » finds them again, even when the browser had no time to keep them. A file may be longer
    # than a draft: it is still there to be chosen again.
    with suppress(DraftTooLong):
        drafts.save(request.user, DRAFT, entry.dossier.pk, urlencode(asked))
    return _check_page(request, entry, lines, _answers(request, entry, lines, initial=asked))


def _asked(form: PeopleForm, text: str) -> dict:
    return {"lines": text, "message": form.cleaned_data["message"]}


def _answers(request: HttpRequest, entry, lines, data=None, initial=None) -> ArrivalsForm:
    may_grant = entry.access.may(Action.GRANT)
    found = arrivals.of_lines(entry, lines, may_grant=may_grant)
    form = ArrivalsForm(
        data, initial=initial, arrivals=found, unique=picking.unique_roles(), may_grant=may_grant,
        asks_sharing=may_grant and entry.access.may_withdraw_refusal,
    )  # fmt: skip
    form.found = found
    return form


def _bring_in(request: HttpRequest, entry, form: ArrivalsForm, arrival: Arrival) -> str:
    """Do what was asked of one line; return why it was not done, "" when it was."""
    wanted = form.wanted_of(arrival)
    if wanted == YES and not ratelimit.consume(request, action="invitations"):
        return TOO_MANY
    try:
        actions.bring_in(
            entry, arrival, who=form.who_of(arrival), wanted=wanted, role=form.role_of(arrival),
            message=form.cleaned_data["message"], rests=form.cleaned_data["rests"],
            # The same line sent twice is done once.
            creation_key=uuid5(form.cleaned_data["creation_key"], str(arrival.line.number)),
        )  # fmt: skip
    except (LooksLikeMember, LooksLikeDirectory):
        return arrivals.ALIKE
    except DomainError as error:
        return str(error)
    return ""


def _carried(request: HttpRequest) -> tuple[dict[int, str], dict[int, str]]:
    """Return the lines done by the answers before this one with what was done of each, and why others were not."""
    told = (value.partition(" ") for value in request.POST.getlist(DONE))
    done = {int(number): kind for number, _, kind in told if _is_number(number) and kind in KINDS}
    said = ((name.removeprefix(REFUSED), why) for name, why in request.POST.items() if name.startswith(REFUSED))
    return done, {int(number): why[:300] for number, why in said if _is_number(number)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _kind(form: ArrivalsForm, arrival: Arrival) -> str:
    return MEMBER if form.who_of(arrival) == PRESENT else form.wanted_of(arrival)


def _said_of(done: dict[int, str], *, may_grant: bool) -> str:
    """Return "2 personnes ajoutées, habilitées et prévenues par e-mail, 1 personne ajoutée sans habilitation.".

    Whether an invitation left or an account was already there is not told apart.
    """
    opened = ("ajoutée, habilitée et prévenue par e-mail", "ajoutées, habilitées et prévenues par e-mail")
    asked = ("ajoutée, habilitation demandée", "ajoutées, habilitation demandée")
    words = {
        YES: opened if may_grant else asked,
        NO: ("ajoutée sans habilitation", "ajoutées sans habilitation"),
        MEMBER: ("déjà membre et invitée", "déjà membres et invitées"),
    }
    count = Counter(done.values())
    told = [f"{plural(count[kind], 'personne')} {words[kind][count[kind] > 1]}" for kind in words if count[kind]]
    return f"{', '.join(told)}."


def _end(request: HttpRequest, entry, lines: Iterable[several.Line], done, refused: dict[int, str]) -> HttpResponse:
    """Say what was done; what is left to correct comes back, and nothing else."""
    read = [line._replace(error=refused.get(line.number) or line.error) for line in lines]
    left = [line for line in read if line.error and line.number not in done]
    if done:
        messages.success(request, _said_of(done, may_grant=entry.access.may(Action.GRANT)))
    if not left:
        drafts.clear(request.user, DRAFT, entry.dossier.pk)
        return redirect(request, circle_url(entry))
    lines = several.kept(request.POST["lines"], {line.number for line in left})
    # Numbered as in the text that comes back, under its heading if it has one: the lines done are no longer in it.
    refused_lines = [line._replace(number=n) for n, line in enumerate(left, 1 + len(lines.splitlines()) - len(left))]
    kept = {"lines": lines, "message": request.POST.get("message", "")}
    return _people_page(request, entry, PeopleForm(initial=kept, dossier=entry.dossier), refused=refused_lines)


def _people_page(request, entry, form: PeopleForm, *, kept=None, refused=(), status: int = 200) -> HttpResponse:
    context = {
        "form": form, "refused": refused, "most": several.MOST, "check_url": _url("check_several", entry),
        "letter": letter_preview(request, form["message"].value() or "", to_a_dossier=True),
    }  # fmt: skip
    context |= drafted(DRAFT, entry.dossier.pk, kept)
    return page(request, entry, "circle/gather.html", context, status=status)


def _check_page(request, entry, lines, form: ArrivalsForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form, "found": form.found, "open": len(form.arrivals), "act_url": _url("invite_several", entry),
    }  # fmt: skip
    return page(request, entry, "circle/gather_check.html", context, status=status)


def _progress_page(request, entry, done: dict[int, str], refused: dict[int, str], left: int) -> HttpResponse:
    told = {"csrfmiddlewaretoken", DONE}
    sent = [(name, value) for name, values in request.POST.lists() for value in values if name not in told]
    carried = [(name, value) for name, value in sent if not name.startswith(REFUSED)]
    carried += [(DONE, f"{number} {kind}") for number, kind in sorted(done.items())]
    carried += [(f"{REFUSED}{number}", why) for number, why in refused.items()]
    treated = len(done) + len(refused)
    context = {
        "carried": carried, "treated": treated, "total": treated + left, "act_url": _url("invite_several", entry),
    }  # fmt: skip
    return page(request, entry, "circle/gather_progress.html", context)


def _url(name: str, entry) -> str:
    return reverse(f"circle:{name}", args=[entry.dossier.pk])
