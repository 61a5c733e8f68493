"""« S’abonner à mon agenda »: the address that one’s own calendar program reads, told once by the answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from agenda.actions import feeds as actions
from agenda.calendar_errors import FeedNotOpen
from agenda.forms.calendars import FeedForm
from agenda.models import Feed
from agenda.views.own_pages import attempt
from coordination.accounts import reauthentication
from coordination.accounts.mails import absolute
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.htmx import redirect
from habilitations.traces import via_request

ACT = "ouvrir une adresse d’abonnement à votre agenda"


@require_http_methods(["GET", "HEAD", "POST"])
def feed(request: HttpRequest) -> HttpResponse:
    """Open the address, or say what it shows. What opens something asks who one is (SEC-18); telling less does not."""
    user = request.user
    found = Feed.objects.filter(user=user).first()
    form = FeedForm(request.POST if request.method == "POST" else None, initial=_said_of(found))
    if form.is_bound and form.is_valid():
        level, seen = form.cleaned_data["level"], form.cleaned_data["seen"]
        if found is None and seen:
            keep_conflict(form, FeedNotOpen(), "L’abonnement a été arrêté pendant votre saisie.")
        elif found is None or _tells_more(found.level, level):
            reauthentication.require(request, ACT)
        if found is None and not seen:
            done, given = attempt(form, actions.open_feed, user, level=level, via=via_request(request))
            if done:
                return _told(request, given[1])
        elif found is not None:
            done, _ = attempt(form, actions.change_feed_level, user, level=level, seen=seen, via=via_request(request))
            if done:
                messages.success(request, "Votre choix est enregistré : votre calendrier suit à sa prochaine lecture.")
                return redirect(request, "mon_agenda:feed")
        # Another session may have changed it since this page began.
        found = Feed.objects.filter(user=user).first()
    said = both_texts(
        form, found.level if found else None, lambda: FeedForm(initial=_said_of(found)) if found else FeedForm(),
        said_in="seen",
    )  # fmt: skip
    return render(request, "agenda/feed.html", {"form": form, "feed": found} | said, status=status_of(form))


def _said_of(found: Feed | None) -> dict[str, str]:
    """Return what the form says at first: the least, where there is no address yet."""
    return {"level": found.level, "seen": found.level} if found else {"level": Feed.Level.BUSY, "seen": ""}


@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """« Changer l’adresse »: the former one answers no more."""
    reauthentication.require(request, ACT)
    try:
        _, token = actions.renew_feed(request.user, via=via_request(request))
    except FeedNotOpen as refusal:
        messages.error(request, str(refusal))
        return redirect(request, "mon_agenda:feed")
    return _told(request, token)


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """« Arrêter »: one click, since it only closes."""
    if actions.close_feed(request.user, via=via_request(request)):
        messages.success(request, "L’abonnement est arrêté : son adresse ne répond plus.")
    return redirect(request, "mon_agenda:settings")


def _told(request: HttpRequest, token: str) -> HttpResponse:
    """Show the address, once; webcal opens the calendar program of most phones and computers by itself."""
    https = absolute(reverse("flux:calendar", args=[token]))
    parts = urlsplit(https)
    webcal = https.replace(f"{parts.scheme}:", "webcal:", 1)
    return render(request, "agenda/feed_address.html", {"https": https, "webcal": webcal})


def _tells_more(before: str, after: str) -> bool:
    order = Feed.Level.values
    return after in order and order.index(after) > order.index(before)
