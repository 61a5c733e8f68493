"""What the pages of one's own agenda share: drafts, refusals beside their field, the tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from coordination.accounts import drafts
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.errors import DomainError
from coordination.dossiers.errors import ChangedMeanwhile

# Where the refusals of agenda.recurrence are said: it knows no form.
FIELDS = {
    "end_before_start": "ends",
    "occurrence_too_long": "ends",
    "until_before_start": "until",
    "rule_never_occurs": "weekdays",
    "rule_malformed": "weekdays",
    "too_many_occurrences": "weeks",
    "rule_too_fine": "weeks",
    "out_of_time": "first_day",
    "nothing_to_come": "first_day",
    "already_in_your_agenda": "first_day",
}


def attempt(form, act: Callable[..., Any], *args, **details) -> tuple[bool, Any]:
    """Do an act; return whether it was done and what it gave. A refusal is said beside its field."""
    try:
        return True, act(*args, **details)
    except ChangedMeanwhile as refusal:
        keep_conflict(form, refusal)
        return False, None
    except DomainError as refusal:
        field = FIELDS.get(refusal.code, refusal.field)
        form.add_error(field if field in form.fields else None, str(refusal))
        return False, None


def kept_draft(
    request: HttpRequest, key: str, object_id: UUID, many: tuple[str, ...] = (), boxes: tuple[str, ...] = ()
) -> dict[str, Any] | None:
    """Return what this user was typing in a form that is asked again, None when nothing.

    `many`: lists of it; `boxes`: those to tick, which a form says nothing of once they are unticked.
    """
    kept = None if request.method == "POST" else drafts.load(request.user, key, object_id)
    if not kept:
        return None
    return kept.dict() | {name: kept.getlist(name) for name in many} | {name: name in kept for name in boxes}


def form_page(
    request: HttpRequest, template: str, form, key: str, object_id: UUID, *, found: bool,
    version: int | str | None = None, stored: Callable[[], Any] | None = None, said_in: str = "version",
    **context: Any,
) -> HttpResponse:  # fmt: skip
    """Draw a form whose text is kept. `version`, `stored` and `said_in`: as `conflicts.both_texts`."""
    context |= both_texts(form, version, stored, said_in=said_in) | {
        "form": form,
        "draft_url": reverse("accounts:draft", args=[key, object_id]),
        "draft_found": found,
    }
    return render(request, template, context, status=status_of(form))
