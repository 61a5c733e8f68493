"""Sensitive acts ask for the password again when it was last shown long ago (SEC-18, issue 2 section 3)."""

import time

import pytest
from django.urls import reverse

from coordination.common.ids import uuid7
from tests.accounts.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-18")]

SENSITIVE = {
    "a list leaves with the names in it": ("dossiers:export", 0),
    "the will of the person is changed": ("circle:withdraw_refusal", 2),
    "two structures become one": ("directory:merge_structure", 1),
}


@pytest.mark.parametrize(("name", "ids"), SENSITIVE.values(), ids=SENSITIVE)
def test_an_old_sign_in_is_not_enough(client, name, ids):
    user = UserFactory(is_administrator=True)
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    response = client.get(reverse(name, args=[uuid7() for _ in range(ids)]))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_reauthenticate"))
