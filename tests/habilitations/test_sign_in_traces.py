"""Coming in and going out leave a trace; what was typed in vain is not kept (SEC-9)."""

import pytest
from django.urls import reverse

from habilitations.models import AccountTrace, Outcome
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-9")]


def sign_in(client, email, password):
    return client.post(reverse("account_login"), {"login": email, "password": password})


@pytest.mark.asvs("v5.0.0-16.3.1")
def test_signing_in_and_out_is_traced(client):
    user = UserFactory()
    sign_in(client, user.email, PASSWORD)
    client.post(reverse("account_logout"))
    said = AccountTrace.objects.filter(actor_id=user.pk).order_by("at").values_list("action", "outcome")
    assert list(said) == [("connexion", Outcome.OK), ("déconnexion", Outcome.OK)]


@pytest.mark.asvs("v5.0.0-16.3.1")
@pytest.mark.parametrize("known", [True, False])
def test_a_failed_sign_in_is_traced_without_what_was_typed(client, known):
    user = UserFactory()
    before = set(AccountTrace.objects.values_list("pk", flat=True))
    sign_in(client, user.email if known else "personne@inconnue.example", "pas le bon mot de passe")
    trace = AccountTrace.objects.exclude(pk__in=before).get()
    assert (trace.actor_id, trace.actor_name, trace.outcome) == (None, "", Outcome.FAILED)
