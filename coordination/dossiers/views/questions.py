"""« Demander pourquoi » from the journal, and the answer of who is asked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts import drafts
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.forms import WhyForm
from coordination.dossiers.journal.questions import Waiting, waiting_for
from habilitations import actions, traces
from habilitations.models import AccessQuestion
from habilitations.rubriques import Action, Rubrique

DRAFT = "journal-pourquoi"


@require_POST
@rubric_view(Rubrique.JOURNAL, right=Action.READ_JOURNAL, action="question", object_kwarg="trace_id")
def ask(request: HttpRequest, entry, trace_id: UUID) -> HttpResponse:
    """One click in the journal: the author of the line is asked."""
    question = actions.ask_why(entry.dossier.pk, trace_id, by=entry.user, access=entry.access)
    whom = question.user.get_full_name()
    messages.success(request, f"Question envoyée à {whom}. Sa réponse sera écrite ici, sous la ligne.")
    return redirect(request, "dossiers:journal", entry.dossier.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """The answer of who is asked, inside the dossier or not any more. Anybody else finds nothing."""
    found = waiting_for(request.user, question_id)
    if not found:
        return _over(request, question_id)
    waiting = found[0]
    kept = None if request.method == "POST" else drafts.load(request.user, DRAFT, question_id)
    form = WhyForm(request.POST or None, initial=drafts.initial(WhyForm, kept))
    if form.is_bound and form.is_valid() and _answered(request, waiting, form):
        drafts.clear(request.user, DRAFT, question_id)
        messages.success(request, "Réponse transmise.")
        return redirect(request, "todo")
    via = traces.via_request(request)
    traces.record_account(user=request.user, action="lecture", object_kind="question", object_id=question_id, via=via)
    context = {"asked": waiting, "form": form, **drafts.shown(DRAFT, question_id, kept)}
    return render(request, "dossiers/answer_why.html", context, status=422 if form.errors else 200)


def _answered(request: HttpRequest, waiting: Waiting, form: WhyForm) -> bool:
    question = AccessQuestion.objects.get(pk=waiting.question_id)
    try:
        actions.answer_why(
            question, answer=form.cleaned_data["answer"], by=request.user, via=traces.via_request(request)
        )
    except DomainError as refusal:
        form.add_error("answer", str(refusal))
        return False
    return True


def _over(request: HttpRequest, question_id: UUID) -> HttpResponse:
    if not AccessQuestion.objects.filter(pk=question_id, user=request.user).exists():
        raise Http404
    messages.info(request, "Vous avez déjà répondu à cette question.")
    return redirect(request, "todo")
