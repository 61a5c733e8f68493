"""Personal tokens: a person's own programs, for a year at most, until she or what happens to her account ends them."""

import datetime as dt

import pytest
from allauth.account.signals import password_reset
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from coordination.accounts import actions as accounts
from habilitations import actions, secrets
from habilitations.client_errors import ScopesMissing, TokenEndNotPossible, TooManyTokens
from habilitations.errors import AccountNotOpen
from habilitations.models import AccountTrace, PersonalToken
from tests.accounts.factories import PASSWORD, UserFactory
from tests.fhir.callers import personal

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-24")]


@pytest.fixture
def user():
    return UserFactory()


def test_a_token_is_kept_hashed_only(user):
    made, secret = personal(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM habilitations_personaltoken t")
        kept = cursor.fetchone()[0]
    assert secret not in kept
    assert made.token_hash == secrets.hashed(secret)
    line = AccountTrace.objects.latest("id")
    assert (line.action, line.actor_id, line.object_id) == ("nouveau jeton", user.pk, made.pk)


@pytest.mark.parametrize("days", [-1, 367, 4000])
def test_it_ends_within_a_year(user, days):
    with pytest.raises(TokenEndNotPossible):
        personal(user, days=days)


def test_the_database_holds_the_year_too(user):
    made, _ = personal(user, days=366)
    for last in (made.created_on + dt.timedelta(days=367), made.created_on - dt.timedelta(days=1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            PersonalToken.objects.filter(pk=made.pk).update(expires_on=last)
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalToken.objects.filter(pk=made.pk).update(scopes=[])


def test_a_token_that_may_nothing_is_not_made(user):
    for scopes in ((), ("system/Patient.rs",), ("user/Patient.rs", "openid")):
        with pytest.raises(ScopesMissing):
            personal(user, scopes=scopes)


def test_a_shut_account_makes_none():
    with pytest.raises(AccountNotOpen):
        personal(UserFactory(suspended=True))


@pytest.mark.asvs("v5.0.0-2.3.2")
def test_so_many_and_no_more(user):
    for _ in range(20):
        personal(user)
    with pytest.raises(TooManyTokens, match="20"):
        personal(user)
    actions.revoke_personal_token(user, PersonalToken.objects.first().pk)
    personal(user)


@pytest.mark.asvs("v5.0.0-10.4.9")
@pytest.mark.req("SECT-7")
def test_one_s_own_token_is_ended_and_nobody_else_s(user):
    made, _ = personal(user)
    assert not actions.revoke_personal_token(UserFactory(), made.pk)
    assert PersonalToken.objects.alive().exists()
    assert actions.revoke_personal_token(user, made.pk)
    assert not actions.revoke_personal_token(user, made.pk)
    assert not PersonalToken.objects.alive().exists()
    assert AccountTrace.objects.filter(action="fin de jeton", object_id=made.pk).count() == 1


def test_it_serves_until_the_end_of_its_last_day(user):
    made, _ = personal(user, days=0)
    assert PersonalToken.objects.alive().exists()
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    PersonalToken.objects.filter(pk=made.pk).update(expires_on=yesterday, created_on=yesterday)
    assert not PersonalToken.objects.alive().exists()


@pytest.mark.req("SECT-7")
@pytest.mark.parametrize("act", ["suspend_account", "close_account"])
def test_an_account_shut_and_opened_again_does_not_find_them_working(user, act):
    personal(user)
    by = UserFactory(administrator=True)
    getattr(accounts, act)(user, by=by)
    assert not PersonalToken.objects.alive().exists()
    accounts.reopen_account(user, by=by)
    assert not PersonalToken.objects.alive().exists()
    user.refresh_from_db()
    personal(user)
    assert PersonalToken.objects.alive().count() == 1


@pytest.mark.req("SECT-22")
def test_a_new_password_ends_them(client, user):
    personal(user)
    client.force_login(user)
    new = "cinq mots très bien choisis"
    said = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/compte/mot-de-passe/", said).status_code == 302
    assert not PersonalToken.objects.alive().exists()
    line = AccountTrace.objects.filter(action="fin des jetons").get()
    assert (line.actor_id, line.count) == (user.pk, 1)


def test_a_password_chosen_by_a_link_ends_them(user):
    personal(user)
    password_reset.send(sender=type(user), request=RequestFactory().get("/"), user=user)
    assert not PersonalToken.objects.alive().exists()


def test_another_address_ends_them(user):
    personal(user)
    accounts.change_email(user, "autre@cabinet.example", by=UserFactory(administrator=True))
    assert not PersonalToken.objects.alive().exists()
