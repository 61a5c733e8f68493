"""Coming in and going out leave a trace; what was typed in vain is not kept (SEC-9)."""

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.urls import reverse

from coordination.accounts import mails
from habilitations.models import AccountTrace, Outcome
from tests.accounts.factories import PASSWORD, UserFactory
from tests.accounts.test_second_factor import code_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-9")]


SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def user():
    cache.clear()
    return UserFactory()


def told(user):
    said = AccountTrace.objects.filter(actor_id=user.pk).order_by("at")
    return list(said.values_list("action", "outcome", "object_kind"))


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


@pytest.mark.asvs("v5.0.0-16.3.1")
def test_a_wrong_second_factor_is_traced_and_names_the_account(client, user):
    TOTP.activate(user, SECRET)
    sign_in(client, user.email, PASSWORD)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    client.post(reverse("mfa_authenticate"), {"credential": '{"id": "x"}'})
    assert told(user) == [("second facteur", Outcome.FAILED, "")] * 2


@pytest.mark.asvs("v5.0.0-16.3.1")
def test_a_wrong_code_shown_again_is_traced_too(client, user):
    sign_in(client, user.email, PASSWORD)
    TOTP.activate(user, SECRET)
    client.post(reverse("mfa_reauthenticate"), {"code": "000000"})
    assert told(user)[1:] == [("second facteur", Outcome.FAILED, "")]


@pytest.mark.django_db(transaction=True)
def test_what_protects_an_account_is_traced_when_it_changes(client, user):
    TOTP.activate(user, SECRET)
    code, *_ = RecoveryCodes.activate(user).get_unused_codes()
    sign_in(client, user.email, PASSWORD)
    client.post(reverse("mfa_authenticate"), {"code": code})
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))
    new = {"oldpassword": PASSWORD, "password1": "une phrase de passe neuve", "password2": "une phrase de passe neuve"}
    client.post(reverse("account_change_password"), new)
    assert told(user)[1:] == [
        ("codes renouvelés", Outcome.OK, "recovery_codes"),
        ("retrait de facteur", Outcome.OK, "totp"),
        ("retrait de facteur", Outcome.OK, "recovery_codes"),
        ("mot de passe", Outcome.OK, "compte"),
    ]


def test_a_password_chosen_by_a_link_is_traced(client, user):
    page = client.get(mails.password_link(user).removeprefix(mails.absolute("")), follow=True)
    new = {"password1": "une phrase de passe neuve", "password2": "une phrase de passe neuve"}
    client.post(page.request["PATH_INFO"], new)
    assert told(user) == [("mot de passe", Outcome.OK, "compte")]


@pytest.mark.django_db(transaction=True)
def test_a_factor_added_is_traced(client, user):
    sign_in(client, user.email, PASSWORD)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    client.post(reverse("mfa_activate_totp"), {"code": code_of(re.search(r"<samp>(\w+)</samp>", page)[1])})
    assert ("ajout de facteur", Outcome.OK, "totp") in told(user)
