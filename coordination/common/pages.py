"""The small pages of the footer: open to everybody, without any data but the operator's own."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coordination.common.context import register_link

NOT_SAID = "Non renseigné"


@cache
def declared(name: str = "rgaa") -> dict[str, Any]:
    """Return a self-audit as shipped: `version`, `evaluated_on`, `counts` by state, the criteria to be told.

    `rgaa` has them as `failing` and `unseen`; `rgesn`, by state, as `told`, with `score` and `priority` counts.
    Written by `make rgaa` and `make rgesn` from the sheets that the tests hold (docs/rgaa.md, docs/rgesn.md).
    """
    said: dict[str, Any] = json.loads((Path(__file__).parent / "data" / f"{name}.json").read_text())
    return said | {"evaluated_on": dt.date.fromisoformat(said["evaluated_on"])}


@require_safe
@login_not_required
def accessibility(request: HttpRequest) -> HttpResponse:
    """« Accessibilité »: the declaration, with what was checked and what was not (RGAA 4.1)."""
    return _page(request, "pages/accessibility.html", audit=declared())


@require_safe
@login_not_required
def ecodesign(request: HttpRequest) -> HttpResponse:
    """« Écoconception »: the declaration, with what is not met and what the operator answers for (RGESN 2024)."""
    return _page(request, "pages/ecodesign.html", audit=declared("rgesn"))


@require_safe
@login_not_required
def site_map(request: HttpRequest) -> HttpResponse:
    """« Plan du site »: where the bars lead whoever looks; the second way to find a page (RGAA 12.1)."""
    return _page(request, "pages/site_map.html")


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
    register_link("footer", "site_map", "Plan du site", "site_map", order=25)
    register_link("footer", "accessibility", "Accessibilité : non conforme", "accessibility", order=30)
    register_link("footer", "ecodesign", "Écoconception", "ecodesign", order=35)
    register_link("footer", "legal", "Mentions légales", "legal", order=40)
