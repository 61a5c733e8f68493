"""Sensitive acts ask for the password again when it was last shown long ago (SEC-18, issue 2 section 3)."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.urls import reverse

from coordination.accounts import reauthentication
from coordination.common.ids import uuid7
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-18")]

# Every page of which the whole is sensitive: {what it does: (name, ids in its address, minutes a proof serves)}.
# A form asks once it is checked: tests/circle/test_identity.py, tests/directory/test_views.py and
# tests/directory/test_structure_accounts.py.
WHOLE_PAGES = {
    "a list leaves with the names in it": ("dossiers:export", 0, 10),
    "the circle leaves on paper": ("circle:print_sheet", 1, 60),
    "the circle leaves as a list": ("circle:export_list", 1, 60),
    "a contact leaves for a telephone": ("circle:export_vcard", 2, 60),
}


def shown(client, minutes):
    """Make the session's proof of identity this old."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - minutes * 60}]
    session.save()


@pytest.mark.parametrize(("name", "ids", "minutes"), WHOLE_PAGES.values(), ids=WHOLE_PAGES)
def test_an_old_sign_in_is_not_enough(client, name, ids, minutes):
    client.force_login(UserFactory(is_administrator=True))
    address = reverse(name, args=[uuid7() for _ in range(ids)])
    shown(client, minutes + 1)
    response = client.get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_reauthenticate"))
    shown(client, minutes - 1)
    assert client.get(address).status_code != 302


class TestFiles:
    def test_a_list_asked_by_a_form_is_offered_with_what_was_typed(self, client):
        user = UserFactory()
        client.force_login(user)
        shown(client, 11)
        address, page = reverse("dossiers:export"), "/dossiers/?statut=actif"
        asked = client.post(address, {"q": "exemple", "vue": "tous"}, HTTP_REFERER=f"http://testserver{page}")
        offered = client.post(asked.url, {"password": PASSWORD, "next": page})
        assert offered.status_code == 200
        text = offered.content.decode()
        assert f'action="{address}"' in text
        assert 'name="q" value="exemple"' in text
        assert f'href="{page}"' in text
        assert 'name="password"' not in text
        taken = client.post(address, {"q": "exemple", "vue": "tous"})
        assert taken["Content-Disposition"].startswith("attachment")

    def test_a_file_asked_by_a_link_keeps_its_address(self, client):
        client.force_login(UserFactory())
        shown(client, 11)
        address = reverse("dossiers:export") + "?statut=actif"
        asked = client.get(address, HTTP_REFERER="http://elsewhere.example/page")
        offered = client.post(asked.url, {"password": PASSWORD}).content.decode()
        assert f'href="{address}"' in offered
        assert "elsewhere" not in offered
        assert client.get(address).status_code == 200


def words_of(response):
    return response.content.decode().replace("\xa0", " ")


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize(
    ("page", "act"),
    [
        ("/page-sensible/", "essayer une page"),
        ("/compte/second-facteur/codes/renouveler/", "renouveler vos codes de secours"),
        ("/dossiers/export.xlsx", "exporter la liste des dossiers"),
    ],
)
@pytest.mark.parametrize("how", ["account_reauthenticate", "mfa_reauthenticate"])
def test_the_question_names_the_act_it_protects(client, user, page, act, how):
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    client.force_login(user)
    shown(client, 11)
    asked = client.get(reverse("dossiers:export") if "export" in page else page)
    question = asked.url.replace(reverse("account_reauthenticate"), reverse(how))
    text = words_of(client.get(question))
    assert f"Pour {act}, montrez que" in text
    assert act not in text[text.index("<title>") : text.index("</title>")]
    wrong = words_of(client.post(question, {"password": "faux", "code": "000000"}))
    assert f"Pour {act}, montrez que" in wrong
    # Another tab asks for something else: this question is not about it.
    assert act not in words_of(client.get(reverse(how), {"next": "/annuaire/"}))


@pytest.mark.parametrize("name", sorted(reauthentication.OWN_ACTS))
def test_the_pages_named_exist(name):
    assert reverse(name, args=[1] if name in ("mfa_remove_webauthn", "mfa_edit_webauthn") else [])


def test_an_act_left_without_confirming_is_not_done_by_the_next_question(client, user):
    client.force_login(user)
    shown(client, 11)
    client.post("/page-sensible/", {"motif": "oublié"})
    # Much later, the same page is only asked for.
    asked = client.get("/page-sensible/")
    after = client.post(asked.url, {"password": PASSWORD, "next": "/page-sensible/"})
    assert after.status_code == 302
    assert after.url == "/page-sensible/"


@pytest.mark.parametrize("page", ["mfa_deactivate_totp", "mfa_generate_recovery_codes"])
def test_a_file_left_without_confirming_is_not_offered_by_another_question(client, page):
    user = UserFactory()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    client.force_login(user)
    shown(client, 11)
    client.post(reverse("dossiers:export"), {"q": "exemple"}, HTTP_REFERER="http://testserver/dossiers/")
    asked = client.get(reverse(page))
    assert asked.status_code == 302
    after = client.post(asked.url, {"password": PASSWORD, "next": reverse(page)})
    assert (after.status_code, after.url) == (302, reverse(page))


def test_a_fragment_goes_back_to_its_page(client, user):
    client.force_login(user)
    shown(client, 11)
    answer = client.post(
        "/page-sensible/", {"motif": "x"}, HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/dossiers/"
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"{reverse('account_reauthenticate')}?next=%2Fdossiers%2F"
    after = client.post(answer["HX-Redirect"], {"password": PASSWORD, "next": "/dossiers/"})
    assert after.url == "/dossiers/"
