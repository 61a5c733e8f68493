"""The e-mails of accounts: rendered by our own templates, queued in the outbox. No patient is ever named in one."""

from urllib.parse import quote

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from coordination.accounts.tokens import PasswordLinkGenerator
from coordination.outbox import kinds
from coordination.outbox.actions import queue

KINDS = {
    "account.password_reset": "Lien pour changer de mot de passe",
    "account.password_first": "Lien pour un premier mot de passe",
    "account.email_verification": "Vérification d’une adresse",
    "account.email_changed": "Changement d’adresse",
    "account.security_notice": "Avis de sécurité d’un compte",
}


def absolute(path: str) -> str:
    """Return the public address of a path. From a setting, never from the Host header of the request that asks."""
    return f"{settings.SITE_URL}{path}"


def password_link(user) -> str:
    """Return a single-use address where this person chooses a password."""
    return password_link_of_key(f"{user_pk_to_url_str(user)}-{PasswordLinkGenerator().make_token(user)}")


def password_link_of_key(key: str) -> str:
    """Return the address for allauth's opaque key."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return absolute(path.replace("UID-KEY", quote(key)))


def send(
    template: str, *, to: str, context: dict, sensitive: bool = False, account_id=None, kind: str = "", object_id=None,
    object_version: int | None = None,
):  # fmt: skip
    """Queue the e-mail of an HTML template; its subject and text stand beside it (`.subject.txt`, `.txt`).

    `kind`, `object_id` and `object_version` are those of `outbox.queue`, for rooms above. Needs an open transaction.
    Raises UndeclaredKind when no room named the kind.
    """
    stem = template.removesuffix(".html")
    kind = kind or f"account.{stem.rpartition('/')[2]}"
    kinds.require(kind)
    context = {"site_url": settings.SITE_URL, **context}
    subject, text, html = (render_to_string(f"{stem}.{part}", context) for part in ("subject.txt", "txt", "html"))
    return queue(
        to=to,
        subject=subject,
        text=text,
        html=html,
        kind=kind,
        sensitive=sensitive,
        account_id=account_id,
        object_id=object_id,
        object_version=object_version,
    )
