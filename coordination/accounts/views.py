"""« Mon compte », the end of a session announced, and drafts. Sign-in itself is allauth's (see urls)."""

from allauth.account import views as account
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coordination.accounts import actions, drafts, notices, reauthentication, second_factor
from coordination.accounts.decorators import account_page, passive
from coordination.accounts.errors import DraftTooLong
from coordination.accounts.forms import DisplayForm, ProfileForm
from coordination.accounts.models import Draft, Session, User

DRAFT = "compte-profil"
# Of a form whose draft is kept, as the column takes it.
LONGEST_KEY = Draft._meta.get_field("form_key").max_length
FORMS = {"profil": ProfileForm, "affichage": DisplayForm}
FACTORS = {Authenticator.Type.WEBAUTHN: "Clé d’accès", Authenticator.Type.TOTP: "Application d’authentification"}


@account_page
@require_http_methods(["GET", "HEAD", "POST"])
def home(request):
    """Profile, display, security and open sessions; each form posts its own name."""
    # A plain copy: a refused form must not change the name shown in the bar.
    user = User.objects.get(pk=request.user.pk)
    posted = request.POST.get("formulaire") if request.method == "POST" else None
    kept = drafts.load(user, DRAFT, user.pk) if request.method != "POST" else None
    typed = {"profil": drafts.initial(ProfileForm, kept)}
    forms = {
        name: form(request.POST if name == posted else None, instance=user, initial=typed.get(name))
        for name, form in FORMS.items()
    }
    if posted in forms and forms[posted].is_valid():
        forms[posted].save()
        if posted == "profil":
            drafts.clear(user, DRAFT, user.pk)
        messages.success(request, "Vos préférences sont enregistrées.")
        return redirect("accounts:home")
    return render(
        request,
        "accounts/home.html",
        {
            "profile_form": forms["profil"],
            "display_form": forms["affichage"],
            "form": forms.get(posted, forms["profil"]),
            **drafts.shown(DRAFT, user.pk, kept),
            "notices": notices.of(user),
            "factors": _factors_in_words(user),
            "sessions": Session.objects.live().filter(user=user).order_by("-last_seen_at"),
            "current_session": request.session.row.public_id,
        },
    )


def _factors_in_words(user):
    types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return ", ".join(words for type_, words in FACTORS.items() if type_ in types)


@login_not_required
def sign_out(request):
    """allauth's, which also asks the browser to forget what it keeps for this site (ASVS 14.3.1).

    Pages are never kept (`no-store`): its cache holds files that are everybody's, and takes seconds to empty.
    """
    response = account.logout(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = '"storage"'
    return response


@account_page
@require_POST
def end_session(request, public_id):
    """End one other session of one's own; who took a screen left open shows first that he is its owner."""
    reauthentication.require(request, "terminer une de vos sessions")
    if not actions.end_session(request.user, public_id):
        raise Http404
    messages.success(request, "La session est terminée.")
    return redirect("accounts:home")


@account_page
@require_POST
def end_other_sessions(request):
    """End all of one's own sessions but this one, as above."""
    reauthentication.require(request, "terminer vos autres sessions")
    actions.end_sessions(request.user, except_key=request.session.session_key)
    messages.success(request, "Les autres sessions sont terminées.")
    return redirect("accounts:home")


@account_page
@require_http_methods(["GET", "HEAD", "POST"])
@passive
def session(request):
    """How long the session lasts; asking does not prolong it, posting does (« Rester connecté »).

    Whose it is and its token too: a page opened in a session that ended goes on in the next one (static/js/drafts.js).
    """
    if request.method == "POST":
        request.session.touch()
    seconds = request.session.seconds_left()
    return JsonResponse({"seconds_left": seconds, "account": str(request.user.pk), "token": get_token(request)})


@require_http_methods(["POST", "DELETE"])
def draft(request, form_key, object_id):
    """Keep or forget what is being typed in a form."""
    if len(form_key) > LONGEST_KEY:
        raise Http404
    if request.method == "DELETE":
        drafts.clear(request.user, form_key, object_id)
        return HttpResponse(status=204)
    if not ratelimit.consume(request, action="drafts"):
        return JsonResponse({"error": "Trop de brouillons en peu de temps."}, status=429)
    try:
        kept = drafts.save(request.user, form_key, object_id, request.body.decode("utf-8", "replace"))
    except DraftTooLong as error:
        return JsonResponse({"error": str(error)}, status=413)
    return JsonResponse({"saved_at": kept.updated_at.isoformat()})


@account_page
@require_GET
def key_list(request):
    """allauth goes to its list of keys after a change; ours is part of the second factor's page."""
    return redirect(reverse("mfa_index"))


@account_page
@require_GET
def resume(request):
    """After the recovery codes: go on to what the enrolment had interrupted, else home."""
    return redirect(request.session.pop(second_factor.THEN, None) or "/")


def closed(request, *args, **kwargs):
    """Pages of allauth that this product does not have, but whose names allauth looks up."""
    raise Http404
