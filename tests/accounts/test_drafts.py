"""Text being typed survives the session and is nobody else's (REL-20)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from coordination.accounts import drafts
from coordination.accounts.models import Draft
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db

REF = uuid4()
URL = f"/compte/brouillons/cercle-membre/{REF}/"
FORM = "application/x-www-form-urlencoded"


def test_a_draft_is_kept_and_found_again(client, user):
    client.force_login(user)
    response = client.post(
        URL, "motif=Suivi+du+diab%C3%A8te&role=a&role=b&vide=&csrfmiddlewaretoken=x", content_type=FORM
    )
    assert response.json()["saved_at"]
    client.post("/compte/deconnexion/")
    kept = drafts.load(user, "cercle-membre", REF)
    assert kept.getlist("role") == ["a", "b"]
    assert kept["motif"] == "Suivi du diabète"
    assert kept["vide"] == ""
    assert "csrfmiddlewaretoken" not in kept


def test_a_form_whose_name_is_none_of_ours_is_not_found(client, user):
    """Longer than the column: the database refused it, and the error counted as ours."""
    client.force_login(user)
    url = f"/compte/brouillons/{'a' * 61}/{REF}/"
    assert client.post(url, "motif=x", content_type=FORM).status_code == 404
    assert client.delete(url).status_code == 404


def test_passwords_are_never_kept(user):
    drafts.save(user, "f", REF, "password=secret&oldpassword=secret&code=123&nom=X")
    assert dict(drafts.load(user, "f", REF).items()) == {"nom": "X"}


@pytest.mark.asvs("v5.0.0-14.2.4")
def test_a_draft_is_unreadable_in_the_database(user):
    drafts.save(user, "f", REF, "motif=dialyse")
    assert "dialyse" not in Draft.objects.get().content


def test_the_last_text_wins_in_one_row(user):
    drafts.save(user, "f", REF, "nom=A")
    drafts.save(user, "f", REF, "nom=B")
    assert Draft.objects.count() == 1
    assert drafts.load(user, "f", REF)["nom"] == "B"


def test_nobody_else_gets_it(client, user):
    drafts.save(user, "cercle-membre", REF, "nom=A")
    other = UserFactory()
    assert drafts.load(other, "cercle-membre", REF) is None
    client.force_login(other)
    assert client.delete(URL).status_code == 204
    assert drafts.load(user, "cercle-membre", REF)["nom"] == "A"


def test_it_is_forgotten_when_asked_and_after_seven_days(client, user):
    client.force_login(user)
    drafts.save(user, "cercle-membre", REF, "nom=A")
    assert client.delete(URL).status_code == 204
    assert drafts.load(user, "cercle-membre", REF) is None
    drafts.save(user, "f", REF, "nom=A")
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=7, minutes=1))
    assert drafts.load(user, "f", REF) is None
    assert drafts.purge() == 1


def test_too_long_a_draft_is_refused(client, user):
    client.force_login(user)
    assert client.post(URL, "texte=" + "a" * 200_001, content_type=FORM).status_code == 413
    assert not Draft.objects.exists()


def test_the_oldest_of_too_many_drafts_goes(user, monkeypatch):
    monkeypatch.setattr(drafts, "MOST", 3)
    other = UserFactory()
    drafts.save(other, "f", REF, "nom=A")
    for rank in range(3):
        drafts.save(user, f"f{rank}", REF, "nom=A")
    drafts.save(user, "f0", REF, "nom=B")
    drafts.save(user, "f3", REF, "nom=A")
    assert set(Draft.objects.filter(user=user).values_list("form_key", flat=True)) == {"f0", "f2", "f3"}
    assert drafts.load(other, "f", REF) is not None


@pytest.mark.asvs("v5.0.0-2.4.1")
def test_drafts_sent_in_a_rush_are_refused(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"drafts": "2/m/user"}
    client.force_login(user)
    said = [client.post(URL, f"nom={rank}", content_type=FORM).status_code for rank in range(3)]
    assert said == [200, 200, 429]
    assert drafts.load(user, "cercle-membre", REF)["nom"] == "1"


def test_a_visitor_keeps_nothing(client):
    assert client.post(URL, "nom=A", content_type=FORM).status_code == 302
    assert not Draft.objects.exists()


def test_another_method_is_refused(client, user):
    client.force_login(user)
    assert client.get(URL).status_code == 405


@pytest.mark.asvs("v5.0.0-11.2.2")
def test_a_key_rotation_keeps_old_drafts_readable(user, settings):
    drafts.save(user, "f", REF, "nom=A")
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "une autre clé", [old]
    assert drafts.load(user, "f", REF)["nom"] == "A"
    settings.SECRET_KEY_FALLBACKS = []
    assert drafts.load(user, "f", REF) is None
