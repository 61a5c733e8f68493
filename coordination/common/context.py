"""What every page needs besides its own data: navigation, the signed-in user's badge, theme, the undo toast.

Rooms register their entries when Django starts (``AppConfig.ready``), so the ground floor never names a room:

    register_link("nav", "patients", "Patients", "dossiers:patients", order=10)
    register_link("nav", "admin", "Administration", "habilitations:home", order=90, allowed=lambda user: user.is_admin)
    register_link("account", "display", "Affichage", "accounts:display", icon="sun", order=20)
    register_link("footer", "help", "Aide", "help", order=20)
    register_link("administration", "accounts", "Comptes", "administration:accounts", order=60)

Add ``coordination.common.context.interface`` to the context processors of the Jinja2 engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import engines
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from markupsafe import Markup

from coordination.common.addresses import address
from coordination.common.text import initials

Place = Literal["nav", "account", "footer", "administration"]
UNDO_SESSION_KEY = "undo_toast"
# Beyond, how many exactly changes nothing to what one does next.
MOST_SHOWN = 99


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the top bar, the account menu, the footer or the tabs of « Administration »."""

    key: str
    label: str
    url_name: str
    order: int = 50
    icon: str = ""
    allowed: Callable[[Any], bool] | None = None
    # The place whose entries stand under this one in the menu of a phone.
    under: Place | None = None
    # How many things wait behind it for this user.
    count: Callable[[Any], int] | None = None


_links: dict[str, dict[str, Link]] = {"nav": {}, "account": {}, "footer": {}, "administration": {}}
_search: dict[str, str] = {}


def register_link(
    place: Place,
    key: str,
    label: str,
    url_name: str,
    *,
    order: int = 50,
    icon: str = "",
    allowed: Callable[[Any], bool] | None = None,
    under: Place | None = None,
    count: Callable[[Any], int] | None = None,
) -> None:
    """Add an entry to `place`; registering the same key again replaces it. `allowed(user)` must not query.

    `under`: the place whose entries the menu of a phone shows under this one. `count(user)`: how many things wait
    behind it, which must not query either.
    """
    _links[place][key] = Link(key, label, url_name, order, icon, allowed, under, count)


def register_dossier_search(url_name: str) -> None:
    """Name the route that answers « Ouvrir un dossier » (POST, field ``q``); without it the field is not drawn."""
    _search["url_name"] = url_name


def offer_undo(request: HttpRequest, text: str, *, url: str, label: str) -> None:
    """Show the undo toast on the next page: a sentence and a button that POSTs to `url`.

    The sentence may name a person, so it waits in the session, never in a cookie or an address.
    """
    request.session[UNDO_SESSION_KEY] = {"text": text, "url": url, "label": label}


def links(place: Place, user: Any, current: str = "") -> list[dict[str, Any]]:
    """Return the entries of `place` that `user` may see, in order: key, label, url, icon, current, count."""
    kept = [link for link in _links[place].values() if link.allowed is None or link.allowed(user)]
    return [
        {
            "key": link.key,
            "label": link.label,
            "url": address(link.url_name),
            "icon": link.icon,
            "current": link.key == current,
            **_waiting(link, user),
            **({"under": links(link.under, user)} if link.under else {}),
        }
        for link in sorted(kept, key=lambda link: link.order)
    ]


def _waiting(link: Link, user: Any) -> dict[str, str]:
    """Return how many things wait behind an entry, as it is shown; nothing when none does."""
    count = link.count(user) if link.count else 0
    return {"count": str(count) if count <= MOST_SHOWN else f"{MOST_SHOWN}+"} if count else {}


def user_badge(user: Any) -> dict[str, str] | None:
    """Return name, detail and initials of the signed-in user, None for a visitor."""
    if not getattr(user, "is_authenticated", False):
        return None
    given, family = getattr(user, "given_name", ""), getattr(user, "family_name", "")
    # The one place where the given name comes first: it is the user's own name, said to them.
    return {
        "name": f"{given} {family.upper()}".strip() or "Mon compte",
        "detail": getattr(user, "title", ""),
        "initials": initials(given, family) or "?",
    }


def _take_undo(request: HttpRequest) -> dict[str, str] | None:
    # Reading an absent key does not touch the session row: pages without a toast write nothing.
    session = getattr(request, "session", None)
    return session.pop(UNDO_SESSION_KEY, None) if session is not None and UNDO_SESSION_KEY in session else None


def form_token(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the token of the page's forms, drawn at most once per page.

    Django's own draws a new mask each time a template writes it, six times on most pages; one per answer is what
    keeps it from being guessed (BREACH). Still lazy: a page without a form sets no cookie.
    """
    token = SimpleLazyObject(lambda: get_token(request))
    field = SimpleLazyObject(lambda: format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token))
    return {"csrf_token": token, "csrf_input": field}


# Stands for the hidden field of the token in what is drawn once for many pages; no text of a page holds it.
FORM_FIELD = Markup("\x00")


def with_form_field(drawn: str, csrf_input: Any) -> Markup:
    """Return what a template drew with FORM_FIELD as its `csrf_input`, the token of this page in its place."""
    return Markup(drawn.replace(FORM_FIELD, str(csrf_input)))  # noqa: S704 - drawn by a template


def topbar_of(csrf_input: Any, **said: Any) -> Markup:
    """Return the top bar, drawn once per process for one person on one entry; each page puts its own token in it."""
    key = tuple((name, _frozen(value)) for name, value in said.items())
    return with_form_field(_drawn_topbar(key), csrf_input)


@lru_cache(maxsize=512)
def _drawn_topbar(key: tuple) -> str:
    said = {name: _thawed(value) for name, value in key}
    macros = engines["jinja2"].env.get_template("components/chrome.html").module
    return str(macros.topbar(csrf_input=FORM_FIELD, **said))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return ("dict", *((name, _frozen(said)) for name, said in value.items()))
    return ("list", *(_frozen(item) for item in value)) if isinstance(value, list) else value


def _thawed(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    if value[0] == "dict":
        return {name: _thawed(said) for name, said in value[1:]}
    return [_thawed(item) for item in value[1:]]


def interface(request: HttpRequest) -> dict[str, Any]:
    """Context processor of the Jinja2 engine; see the list of variables in ``templates/components/README.md``.

    Functions are called by the base template only, so a fragment costs nothing.
    """
    user = getattr(request, "user", None)
    signed_in = bool(getattr(user, "is_authenticated", False))

    def links_of(place: Place, current: str = "") -> list[dict[str, Any]]:
        return links(place, user, current) if signed_in or place == "footer" else []

    return {
        "product_name": getattr(settings, "PRODUCT_NAME", "Dossier de coordination"),
        "links_of": links_of,
        "user_badge": user_badge(user) if signed_in else None,
        "theme": getattr(user, "theme", "") or "light",
        # A visitor has no « Mon compte » to turn them off in (WCAG 2.1.4).
        "shortcuts_on": signed_in and getattr(user, "shortcuts_enabled", True),
        "dossier_search_url": address(_search["url_name"]) if signed_in and _search else "",
        "logout_url": address("account_logout") if signed_in else "",
        "take_undo_toast": lambda: _take_undo(request),
        "topbar_of": topbar_of,
        # The browser cannot say how it asked, and coming back to an answer to POST needs some help (static/js/app.js).
        "posted": request.method == "POST",
    }
