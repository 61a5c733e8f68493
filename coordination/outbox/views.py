"""The local mailbox, development only: what `make run` sends lands here."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from coordination.outbox.models import LocalMail, Message

SHOWN = 100
LOCAL_BACKEND = "coordination.outbox.mailbox.LocalMailboxBackend"


def _development_only():
    """Deny twice: by its own setting and by the backend, since the page shows sign-in links to anybody."""
    if not (settings.MAILBOX_PAGE and settings.OUTBOX_EMAIL_BACKEND == LOCAL_BACKEND):
        raise Http404


# Open: the first mail one reads is the one that lets one sign in.
@login_not_required
@require_safe
def mailbox(request):
    _development_only()
    arrived = {mail.message_id: mail for mail in LocalMail.objects.defer("text", "html")[:SHOWN]}
    messages = Message.objects.defer("text", "html")[:SHOWN]
    rows = [{"message": message, "mail": arrived.get(message.message_id)} for message in messages]
    return render(request, "outbox/mailbox.html", {"rows": rows})


@login_not_required
@require_safe
def read_mail(request, mail_id):
    _development_only()
    return render(request, "outbox/mail.html", {"mail": get_object_or_404(LocalMail, pk=mail_id)})
