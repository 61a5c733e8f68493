"""The session ended while a page was open: what the page then asks leads to the entrance, and back to the page."""

import pytest
from django.urls import reverse

from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/dossiers/"


def entrance(page="account_login"):
    return f"{reverse(page)}?next={PAGE}"


def htmx(page="http://testserver/dossiers/"):
    return {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": page}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_fragment_never_draws_the_sign_in_page_inside_another(client, method):
    answer = getattr(client, method)(reverse("directory:professionals"), **htmx())
    assert (answer.status_code, answer["HX-Redirect"], answer.content) == (200, entrance(), b"")


def test_a_fragment_of_an_unknown_page_comes_back_to_the_first_one(client):
    answer = client.get(reverse("directory:professionals"), **htmx("https://elsewhere.example/dossiers/"))
    assert answer["HX-Redirect"] == f"{reverse('account_login')}?next=/"


@pytest.mark.parametrize(
    ("came_from", "back"),
    [("http://testserver/dossiers/", PAGE), ("https://elsewhere.example/dossiers/", "/"), ("", "/")],
)
def test_a_form_sent_too_late_comes_back_to_its_page(client, came_from, back):
    answer = client.post(reverse("accounts:end_other_sessions"), HTTP_REFERER=came_from)
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('account_login')}?next={back}")


def test_a_page_comes_back_to_itself(client):
    answer = client.get(PAGE, {"statut": "clos"})
    assert answer["Location"] == f"{reverse('account_login')}?next=/dossiers/%3Fstatut%3Dclos"


@pytest.mark.req("SEC-16")
def test_a_fragment_waits_for_the_second_factor_as_a_page_does(client, settings):
    settings.MFA_REQUIRED = True
    client.force_login(UserFactory())
    answer = client.post(reverse("directory:professionals"), {"q": "du"}, **htmx())
    assert (answer.status_code, answer["HX-Redirect"]) == (200, entrance("mfa_index"))
