"""Delivery to the local mailbox page. Development only: the production settings refuse this class."""

from django.core.mail.backends.base import BaseEmailBackend

from coordination.outbox.models import LocalMail


class LocalMailboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages):
        for mail in email_messages:
            html = next((body for body, mimetype in mail.alternatives if mimetype == "text/html"), "")
            LocalMail.objects.get_or_create(
                message_id=mail.extra_headers["Message-ID"],
                defaults={"to": mail.to[0], "subject": mail.subject, "text": mail.body, "html": html},
            )
        return len(email_messages)
