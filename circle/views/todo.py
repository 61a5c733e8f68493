"""« À faire », and the answer to a request."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from circle import actions
from circle import todo as listed
from circle.actions.counting import note_todo_count
from circle.forms.limits import AnswerForm
from circle.models import Member
from circle.views.drawing import may_grant
from circle.views.pages import attempt, draft_initial, drafted, find_row, page
from coordination.accounts import drafts, reauthentication
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from habilitations import traces
from habilitations.actions.requests import can_be_accepted
from habilitations.errors import GrantNotAllowed
from habilitations.models import AccessRequest
from habilitations.rubriques import Niveau, Rubrique

DRAFT = "cercle-demande"
ACCEPT = "accepter"


@require_safe
def todo(request: HttpRequest) -> HttpResponse:
    """What waits for an answer: what others ask of this person, requests, and accesses that end soon."""
    found = listed.waiting(request.user)
    count = found.count
    note_todo_count(request.user, count)
    traces.record_account(
        user=request.user, action="lecture", object_kind="a_faire", count=count, via=traces.via_request(request)
    )
    context = {"todo": found.todo, "questions": found.questions, "notices": found.notices, "count": count}
    return render(request, "circle/todo.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="request_id")
def answer_request(request: HttpRequest, entry, request_id: UUID) -> HttpResponse:
    """Accept, when something was reduced for the asker in this dossier; else say why not, in a sentence."""
    asked = _find(entry, request_id)
    row = find_row(entry, Member.objects.values_list("pk", flat=True).get(habilitation=asked.habilitation_id))
    if not may_grant(row, entry):
        raise GrantNotAllowed
    kept = {} if request.method == "POST" else draft_initial(request, DRAFT, asked.pk, AnswerForm)
    form = AnswerForm(request.POST if request.method == "POST" else None, initial=kept)
    if form.is_bound and form.is_valid():
        accept = request.POST.get("reponse") == ACCEPT
        if accept:
            reauthentication.require(request, "donner accès au dossier", reauthentication.DOSSIER)
        said = form.cleaned_data["answer"]
        if attempt(form, actions.answer_request, entry, asked, accept=accept, answer=said) is not None:
            drafts.clear(request.user, DRAFT, asked.pk)
            messages.success(request, "Demande acceptée." if accept else "Demande refusée : réponse transmise.")
            return redirect(request, "todo")
    context = {
        "asked": asked,
        "rubrique": entry.access.matrix.catalog.rubric_label(asked.rubrique),
        "is_open": asked.state == AccessRequest.State.OPEN,
        "can_accept": can_be_accepted(asked),
        "form": form,
        "row": row,
        **drafted(DRAFT, asked.pk, kept),
    }
    return page(request, entry, "circle/answer_request.html", context, status=422 if form.errors else 200)


def _find(entry, request_id: UUID) -> AccessRequest:
    found = AccessRequest.objects.select_related("user", "habilitation", "answered_by")
    asked = found.filter(pk=request_id, dossier_id=entry.dossier.pk).first()
    if asked is None:
        raise Http404
    return asked
