"""Text being typed, kept on the server so that the end of a session loses nothing (REL-20).

A draft belongs to one user, one form and one object, and is never shown to anybody else.
"""

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from coordination.accounts import cipher
from coordination.accounts.errors import DraftTooLong
from coordination.accounts.models import Draft

MAX_LENGTH = 200_000
# Never kept: the request's own token, and anything secret that a form might hold.
_LEFT_OUT = {"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code", "credential"}


def save(user, form_key: str, object_id: UUID, posted: str) -> Draft:
    """Keep the urlencoded body of a form. Raises DraftTooLong beyond 200 000 characters."""
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


def clear(user, form_key: str, object_id: UUID) -> None:
    """Forget the draft, once the form is saved or abandoned."""
    Draft.objects.filter(user=user, form_key=form_key, object_id=object_id).delete()


def purge() -> int:
    """Delete the drafts untouched for seven days; return how many."""
    return Draft.objects.outdated().delete()[0]
