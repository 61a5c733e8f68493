"""/dev/courriels/ shows what development sends, and does not exist elsewhere."""

import pytest
from django.urls import reverse

from coordination.outbox import delivery, mailbox
from coordination.outbox.models import LocalMail
from coordination.outbox.views import LOCAL_BACKEND
from tests.outbox.factories import MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def dev(settings):
    settings.MAILBOX_PAGE = True
    settings.OUTBOX_EMAIL_BACKEND = LOCAL_BACKEND


def test_the_name_checked_by_the_views_is_the_class():
    assert f"{mailbox.LocalMailboxBackend.__module__}.{mailbox.LocalMailboxBackend.__name__}" == LOCAL_BACKEND


def test_a_delivered_mail_is_listed_and_read(dev, client):
    message = MessageFactory(
        subject="Choisissez votre mot de passe", text="Le lien", html="<p>Le lien</p>", sensitive=True
    )
    waiting = MessageFactory(subject="Encore en file")
    delivery.deliver(message.pk)
    delivery.deliver(message.pk)
    local = LocalMail.objects.get()
    page = client.get(reverse("outbox:mailbox")).content.decode()
    assert "Choisissez votre mot de passe" in page
    assert "Envoyé" in page
    assert waiting.subject in page
    assert "En file" in page
    assert "Le lien" in client.get(reverse("outbox:read_mail", args=[local.pk])).content.decode()


@pytest.mark.asvs("v5.0.0-15.2.3")
@pytest.mark.parametrize(
    ("page", "backend"), [(False, LOCAL_BACKEND), (True, "django.core.mail.backends.smtp.EmailBackend")]
)
def test_it_is_not_found_outside_development(client, settings, page, backend):
    settings.MAILBOX_PAGE, settings.OUTBOX_EMAIL_BACKEND = page, backend
    assert client.get(reverse("outbox:mailbox")).status_code == 404
    mail = LocalMail.objects.create(message_id="<a@b.example>", to="a@b.example", subject="s", text="t")
    assert client.get(reverse("outbox:read_mail", args=[mail.pk])).status_code == 404
