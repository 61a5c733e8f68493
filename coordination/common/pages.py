"""The small pages of the footer: open to everybody, without any data but the operator's own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coordination.common.context import register_link

NOT_SAID = "Non renseigné"


@require_safe
@login_not_required
def accessibility(request: HttpRequest) -> HttpResponse:
    """« Accessibilité »: the declaration, with what was checked and what was not (RGAA 4.1)."""
    return _page(request, "pages/accessibility.html")


@require_safe
@login_not_required
def help_page(request: HttpRequest) -> HttpResponse:
    """« Aide »: the main acts, five lines each."""
    return _page(request, "pages/help.html")


@require_safe
@login_not_required
def shortcuts(request: HttpRequest) -> HttpResponse:
    """« Raccourcis clavier »: those that static/js answers, no other."""
    return _page(request, "pages/shortcuts.html")


@require_safe
@login_not_required
def legal(request: HttpRequest) -> HttpResponse:
    """« Mentions légales »: who answers for this service, from the settings."""
    said = [
        ("Éditeur", settings.LEGAL_PUBLISHER),
        ("Directeur de la publication", settings.LEGAL_DIRECTOR),
        ("Hébergeur de données de santé", settings.LEGAL_HOST),
        ("Délégué à la protection des données", settings.LEGAL_DATA_PROTECTION),
        ("Contact", settings.CONTACT_EMAIL),
    ]
    return _page(request, "pages/legal.html", facts=[(term, value or NOT_SAID) for term, value in said])


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {"contact": settings.CONTACT_EMAIL} | context)


def register() -> None:
    """Put the pages in the footer."""
    register_link("footer", "help", "Aide", "help", order=10)
    register_link("footer", "shortcuts", "Raccourcis clavier", "shortcuts", order=20)
    register_link("footer", "accessibility", "Accessibilité : non conforme", "accessibility", order=30)
    register_link("footer", "legal", "Mentions légales", "legal", order=40)
