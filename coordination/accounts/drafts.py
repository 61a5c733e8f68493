"""Text being typed, kept on the server so that the end of a session loses nothing (REL-20).

A draft belongs to one user, one form and one object, and is never shown to anybody else.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import transaction
from django.forms import BaseForm
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from coordination.accounts.errors import DraftTooLong
from coordination.accounts.models import Draft
from coordination.common import cipher

MAX_LENGTH = 200_000
# Kept of one person; beyond, the oldest goes. Nobody types in so many forms within seven days.
MOST = 200
# Never kept: the request's own token, and anything secret that a form might hold.
_LEFT_OUT = {"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code", "credential"}


@transaction.atomic
def save(user, form_key: str, object_id: UUID, posted: str) -> Draft:
    """Keep the urlencoded body of a form, among the last MOST of this user. Raises DraftTooLong beyond MAX_LENGTH."""
    pairs = [(name, value) for name, value in parse_qsl(posted, keep_blank_values=True) if name not in _LEFT_OUT]
    content = urlencode(pairs)
    if len(content) > MAX_LENGTH:
        raise DraftTooLong()
    draft, _ = Draft.objects.update_or_create(
        user=user,
        form_key=form_key,
        object_id=object_id,
        defaults={"content": cipher.encrypt(content), "updated_at": timezone.now()},
    )
    newest = Draft.objects.filter(user=user).order_by("-updated_at", "-pk")
    Draft.objects.filter(pk__in=newest.values("pk")[MOST:]).delete()
    return draft


def load(user, form_key: str, object_id: UUID) -> QueryDict | None:
    """Return what this user was typing in this form about this object, None when there is nothing left to restore."""
    draft = Draft.objects.kept().filter(user=user, form_key=form_key, object_id=object_id).first()
    if draft is None:
        return None
    try:
        return QueryDict(cipher.decrypt(draft.content))
    except ValueError:  # a key was withdrawn: an unreadable draft is no draft
        return None


def initial(form_class: type[BaseForm], kept: QueryDict | None) -> dict[str, Any]:
    """Return what a form shows of a draft: the `initial` of its fields, {} when nothing is kept.

    Read as what is posted is: every ticked box of a list, and a box that is not ticked is unticked,
    whatever is stored.
    """
    if kept is None:
        return {}
    found: dict[str, Any] = {name: said[0] if len(said) == 1 else said for name, said in kept.lists()}
    for name, field in form_class.base_fields.items():  # type: ignore[attr-defined]
        if not field.disabled and not field.widget.value_omitted_from_data(kept, {}, name):
            found[name] = field.widget.value_from_datadict(kept, {}, name)
    return found


def shown(form_key: str, object_id: UUID, kept: object) -> dict[str, Any]:
    """Return what the page of a form needs to keep its draft, and to say that it shows one."""
    return {"draft_url": reverse("accounts:draft", args=[form_key, object_id]), "draft_found": bool(kept)}


def clear(user, form_key: str, object_id: UUID) -> None:
    """Forget the draft, once the form is saved or abandoned."""
    Draft.objects.filter(user=user, form_key=form_key, object_id=object_id).delete()


def purge() -> int:
    """Delete the drafts untouched for seven days; return how many."""
    return Draft.objects.outdated().delete()[0]
