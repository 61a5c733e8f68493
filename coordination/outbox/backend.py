"""Django's e-mail backend of the whole product: every `send_mail`, ours or a library's, becomes a row."""

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from coordination.outbox import actions, kinds


class OutboxBackend(BaseEmailBackend):
    """Writes one row per recipient. The headers `X-Outbox-Kind` and `X-Outbox-Sensitive` are read and not sent."""

    def send_messages(self, email_messages):
        # A library may send outside any transaction; the rows of one call are then kept or lost together.
        with transaction.atomic():
            for mail in email_messages:
                self._queue(mail)
        return len(email_messages)

    def _queue(self, mail):
        html = next((body for body, mimetype in getattr(mail, "alternatives", []) if mimetype == "text/html"), None)
        for address in mail.recipients():
            actions.queue(
                to=address,
                subject=mail.subject,
                text=mail.body,
                html=html,
                kind=mail.extra_headers.get("X-Outbox-Kind", kinds.LIBRARY),
                sensitive="X-Outbox-Sensitive" in mail.extra_headers,
            )
