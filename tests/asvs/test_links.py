"""Signed links, the only self-contained tokens here; what is encrypted cannot be changed unseen (ASVS V9, 11.3)."""

import base64
import json

import pytest
from django.core import signing
from django.test import override_settings
from django.urls import reverse

from agenda import links as meetings
from circle import links as invitations
from circle.models import Invitation
from coordination.accounts.models import User
from coordination.accounts.tokens import PasswordLinkGenerator
from coordination.common import cipher

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-1", "SECT-24")]
SALT, OURS = "circle.invitation", ["0" * 32, 1, "copie", ""]


@pytest.fixture
def token():
    return invitations.token_of(Invitation(generation=3), invitations.COPIED)


def changed(token):
    """Ways to change a token that an attacker could hope to see accepted."""
    body, _, signature = token.rpartition(":")
    forged = signing.b64_encode(json.dumps(["0" * 32, 9, "courriel", "x"]).encode()).decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    hs = base64.urlsafe_b64encode(b'{"alg":"HS256","jku":"https://ailleurs.example"}').decode().rstrip("=")
    return {
        "no signature": body,
        "an empty signature": f"{body}:",
        "another content": f"{forged}:{signature}",
        "a signature cut": token[:-1],
        "a signature lengthened": f"{token}A",
        "a letter changed": ("A" if token[0] != "A" else "B") + token[1:],
        "an unsigned JWT": f"{none}.{forged}.",
        "a JWT that names its key": f"{hs}.{forged}.{signature}",
        "signed by a key of one letter": signing.Signer(key="x", salt=SALT).sign_object(OURS),
        "signed with the salt as key": signing.Signer(key=SALT).sign_object(OURS),
        "a weaker algorithm": signing.Signer(salt=SALT, algorithm="sha1").sign_object(OURS),
        "nothing": "",
        "something else": "x" * 3000,
    }  # fmt: skip


@pytest.mark.asvs("v5.0.0-9.1.1", "v5.0.0-9.1.2")
def test_what_is_not_signed_by_us_as_we_sign_is_refused(token):
    assert invitations.read(token)
    for what, forged in changed(token).items():
        assert invitations.read(forged) is None, what
        assert meetings.participation_of(forged) is None, what


@pytest.mark.asvs("v5.0.0-9.1.3")
def test_a_link_of_another_key_is_refused_and_a_former_key_serves_while_it_is_kept(token, settings):
    former = settings.SECRET_KEY
    with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[]):
        assert invitations.read(token) is None
    with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[former]):
        assert invitations.read(token)


@pytest.mark.asvs("v5.0.0-9.2.2")
def test_a_link_of_one_kind_opens_nothing_of_another(token, client):
    as_meeting = meetings._signer().sign_object(["0" * 32, 1, ""])
    assert invitations.read(as_meeting) is None and meetings.participation_of(token) is None
    session = signing.dumps({"a": 1}, salt="django.contrib.sessions.SessionStore")
    user = User(pk="0" * 8 + "-0000-7000-8000-" + "0" * 12, password="x", email="a@b.example")
    password = PasswordLinkGenerator().make_token(user)
    for other in (session, password):
        assert invitations.read(other) is None and meetings.participation_of(other) is None
    assert not PasswordLinkGenerator().check_token(user, token)
    wrong = (reverse("invitations:answer", args=[as_meeting]), reverse("reponse:answer", args=[token]))
    for path in (*wrong, reverse("flux:calendar", args=[token.replace(":", "-")[:90]])):
        assert client.get(path).status_code == 404, path


@pytest.mark.asvs("v5.0.0-11.2.3", "v5.0.0-11.4.3")
def test_links_are_signed_by_256_bits(token):
    assert signing.Signer().algorithm == "sha256"
    signature = token.rpartition(":")[2]
    assert len(base64.urlsafe_b64decode(signature + "==")) * 8 == 256


@pytest.mark.asvs("v5.0.0-11.3.3")
def test_what_is_encrypted_cannot_be_changed_unseen():
    sealed = cipher.encrypt("secret")
    assert cipher.decrypt(sealed) == "secret" and cipher.encrypt("secret") != sealed
    raw = bytearray(base64.urlsafe_b64decode(sealed))
    for place in range(0, len(raw), 5):
        wrong = bytearray(raw)
        wrong[place] ^= 1
        with pytest.raises(ValueError, match="No current key"):
            cipher.decrypt(base64.urlsafe_b64encode(bytes(wrong)).decode())
    for wrong in (sealed[:-4], "", "gAAAA"):
        with pytest.raises(ValueError, match="No current key"):
            cipher.decrypt(wrong)
