"""The secretaries of a member: whether the person agreed to each, noted and withdrawn from his sheet (SEC-15)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from circle import actions
from circle.forms.secretaries import ConsentForm
from circle.views.pages import attempt, draft_initial, drafted, find_member, find_row, links_of, page
from coordination.accounts import drafts, reauthentication
from coordination.common.htmx import redirect
from coordination.common.text import person_name
from coordination.dossiers.door import rubric_view
from habilitations.errors import NotAllowed
from habilitations.models import ActingFor, SecretaryConsent
from habilitations.rubriques import Action, Rubrique

DRAFT = "cercle-secretariat"
WITHDRAW, RECORD = "retirer", "noter"


def secretaries_of(entry, row) -> list[dict]:
    """Return the secretaries of a member, each with the consent that stands here. One SQL statement at most."""
    if row.user_id is None or row.is_reduced or row.ends_on:
        return []
    consents = SecretaryConsent.objects.standing().filter(dossier=entry.dossier.pk, acting=OuterRef("pk"))
    told = (
        _accepted(row)
        .annotate(given_on=Subquery(consents.values("given_on")), how=Subquery(consents.values("collected")))
        .order_by("first_day", "pk")
    )
    return [
        {
            "name": _name(one),
            "given_on": one.given_on,
            "how": SecretaryConsent.Collected(one.how).label if one.how else "",
            "rubriques": ", ".join(Rubrique(rubrique).label for rubrique in one.rubriques),
            "url": reverse("circle:secretary", args=[entry.dossier.pk, row.id, one.pk]) if _may(entry, one) else "",
        }
        for one in told
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, object_kwarg="member_id")
def secretary(request: HttpRequest, entry, member_id: UUID, acting_id: UUID) -> HttpResponse:
    """Note the person's consent to one secretary, or that she takes it back: dated, and how it was collected."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    acting = _accepted(row).filter(pk=acting_id).first() if row.user_id and not row.is_reduced else None
    if acting is None:
        raise Http404
    consents = SecretaryConsent.objects.standing().filter(dossier=entry.dossier.pk, acting=acting)
    consent = consents.select_related("recorded_by").first()
    withdrawing = request.POST.get("acte") == WITHDRAW if request.method == "POST" else consent is not None
    if not (entry.access.may_record_refusal if withdrawing else entry.access.may_withdraw_refusal):
        raise NotAllowed
    kept = {} if request.method == "POST" else draft_initial(request, DRAFT, acting.pk, ConsentForm)
    form = ConsentForm(request.POST if request.method == "POST" else None, initial=kept, withdrawing=withdrawing)
    if form.is_bound and form.is_valid() and _done(request, entry, found, acting, form, withdrawing):
        drafts.clear(request.user, DRAFT, acting.pk)
        said = "Le retrait est noté : ce secrétariat n’entre plus." if withdrawing else "L’accord est noté."
        messages.success(request, said)
        return redirect(request, links.sheet)
    context = {
        "row": row, "form": form, "links": links, "name": _name(acting), "consent": consent,
        "withdrawing": withdrawing, "act": WITHDRAW if withdrawing else RECORD,
        "rubriques": ", ".join(Rubrique(rubrique).label for rubrique in acting.rubriques),
        **drafted(DRAFT, acting.pk, kept),
    }  # fmt: skip
    return page(request, entry, "circle/secretary.html", context, status=422 if form.is_bound else 200)


def _done(request: HttpRequest, entry, found, acting, form: ConsentForm, withdrawing: bool) -> bool:
    day, how = form.cleaned_data["day"], form.cleaned_data["collected"]
    if withdrawing:
        act, said = actions.withdraw_secretary_consent, {"withdrawn_on": day, "collected": how}
    else:
        reauthentication.require(request, "donner accès au dossier", reauthentication.DOSSIER)
        act, said = actions.record_secretary_consent, {"given_on": day, "collected": how}
    return attempt(form, act, entry, found, acting, **said) is not None


def _accepted(row):
    standing = ActingFor.objects.standing().filter(kind=ActingFor.Kind.SECRETARY, accepted_at__isnull=False)
    return standing.filter(principal=row.user_id).select_related("substitute")


def _may(entry, one: ActingFor) -> bool:
    """Say whether this reader may note, or withdraw, the consent to this secretary."""
    if one.given_on:
        return entry.access.may_record_refusal
    return entry.access.may_withdraw_refusal and one.substitute_id != entry.user.pk


def _name(acting: ActingFor) -> str:
    return person_name(acting.substitute.family_name, acting.substitute.given_name)
