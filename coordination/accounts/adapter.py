"""How allauth behaves in this house: no sign-up, our e-mails, our French, nothing revealed."""

import time

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import actions, mails
from coordination.common import cipher
from coordination.common.ids import uuid7
from coordination.outbox.models import Message

RESET = "accounts/emails/password_reset.html"

# allauth's template prefix -> our e-mail. A prefix absent here is a mail this product has no use for: it fails a test.
SECURITY_NOTICES = {
    "account/email/password_changed": "Le mot de passe de votre compte a été changé.",
    "account/email/password_reset": "Le mot de passe de votre compte a été remplacé.",
    "mfa/email/totp_activated": "Une application d’authentification a été ajoutée à votre compte.",
    "mfa/email/totp_deactivated": "L’application d’authentification a été retirée de votre compte.",
    "mfa/email/webauthn_added": "Une clé d’accès a été ajoutée à votre compte.",
    "mfa/email/webauthn_removed": "Une clé d’accès a été retirée de votre compte.",
    "mfa/email/recovery_codes_generated": "De nouveaux codes de secours ont été créés pour votre compte.",
}

MESSAGES = {
    "account/messages/logged_out.txt": "La session est fermée.",
    "account/messages/password_changed.txt": "Le nouveau mot de passe est enregistré.",
    "account/messages/email_confirmed.txt": "L’adresse e-mail est vérifiée.",
    "mfa/messages/totp_activated.txt": "L’application d’authentification est ajoutée.",
    "mfa/messages/totp_deactivated.txt": "L’application d’authentification est retirée.",
    "mfa/messages/webauthn_added.txt": "La clé d’accès est ajoutée.",
    "mfa/messages/webauthn_removed.txt": "La clé d’accès est retirée.",
    "mfa/messages/recovery_codes_generated.txt": "Notez vos codes de secours : ils ne seront plus montrés.",
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "Ce compte n’est pas ouvert.",
        "email_password_mismatch": "L’adresse e-mail ou le mot de passe n’est pas le bon.",
        "incorrect_code": "Ce code n’est pas le bon.",
        "incorrect_password": "Ce mot de passe n’est pas le bon.",
        "enter_current_password": "Écrivez votre mot de passe actuel.",
        "invalid_password_reset": "Ce lien ne sert plus.",
        "rate_limited": "Trop de demandes. Réessayez dans quelques minutes.",
        "too_many_login_attempts": "Trop d’essais. Réessayez dans quelques minutes.",
    }

    def is_open_for_signup(self, request):
        return False

    def format_email_subject(self, subject):
        return subject

    def get_password_change_redirect_url(self, request):
        return reverse("accounts:home")

    def get_reset_password_from_key_url(self, key):
        return mails.password_link_of_key(key)

    def send_mail(self, template_prefix, email, context):
        if template_prefix == "account/email/unknown_account":
            self._pretend_to_send(email)
            return
        user = context.get("user")
        with transaction.atomic():
            mails.send(to=email, account_id=getattr(user, "pk", None), **self._our_mail(template_prefix, context))
            if template_prefix == "account/email/password_reset_key":
                # The twin of the deletion in `_pretend_to_send`: it finds nothing.
                Message.objects.filter(pk=uuid7()).delete()

    def _our_mail(self, prefix, context):
        if prefix == "account/email/password_reset_key":
            return {"template": RESET, "context": {"link": context["password_reset_url"]}, "sensitive": True}
        if prefix in {"account/email/email_confirmation", "account/email/email_confirmation_signup"}:
            path = self._path_of(context["activate_url"])
            return {
                "template": "accounts/emails/email_verification.html",
                "context": {"link": mails.absolute(path)},
                "sensitive": True,
            }
        sentence = SECURITY_NOTICES[prefix]
        return {
            "template": "accounts/emails/security_notice.html",
            "context": {"sentence": sentence, "at": context["timestamp"]},
        }

    @staticmethod
    def _path_of(url):
        return "/" + url.split("/", 3)[3]

    def _pretend_to_send(self, email):
        """Do for an unknown address the work of a known one, commit included, and keep nothing (SECT-21)."""
        with transaction.atomic():
            link = mails.password_link_of_key(f"0-{uuid7().hex}")
            message = mails.send(RESET, to=email, context={"link": link}, sensitive=True)
            Message.objects.filter(pk=message.pk).delete()

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        # Without the IP address and browser that allauth would add: they belong to the traces.
        self.send_mail(template_prefix, user.email, {"user": user, "timestamp": timezone.now()})

    def add_message(self, request, level, message_template=None, message_context=None, extra_tags="", message=None):
        text = message or MESSAGES.get(message_template)
        if text:
            messages.add_message(request, level, text, extra_tags=extra_tags)

    def set_password(self, user, password):
        with transaction.atomic():
            # allauth's writes the whole account as it was read: suspended meanwhile, it would be open again.
            user.set_password(password)
            user.save(update_fields=["password"])
            # Whoever stole a session loses it with the old password (SECT-22).
            here = self.request.session.session_key if self.request.user == user else None
            actions.end_sessions(user, except_key=here)

    def is_reauthentication_required(self, *, app, **kwargs):
        """A sign-in counts as a proof of identity as long as a re-authentication does."""
        records = get_authentication_records(self.request, self.request.user)
        return not records or time.time() - records[-1]["at"] > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Ce code n’est pas le bon.",
        "unverified_email": "Vérifiez d’abord votre adresse e-mail.",
    }

    def _get_site_name(self):
        return settings.PRODUCT_NAME

    def generate_authenticator_name(self, user, type):
        return f"Clé d’accès {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def encrypt(self, text):
        return cipher.encrypt(text)

    def decrypt(self, encrypted_text):
        return cipher.decrypt(encrypted_text)

    def build_totp_svg(self, url):
        """Return the QR code as an inline SVG without any style: dark on light whatever the theme."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        code.make(fit=True)
        rows = code.get_matrix()
        dots = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" width="220" height="220" '
            f'role="img" aria-label="Code QR à photographier avec votre application" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{len(rows)}v{len(rows)}H0z"/><path fill="#000" d="{dots}"/></svg>'
        )
