"""What the table leaves out because it is not here: it is still not here."""

import re

import pytest
from django.urls import get_resolver

from tests.asvs import reading, sheet
from tests.asvs.sheet import EXCLUDED

pytestmark = pytest.mark.req("SECT-1")

# {requirements left out: packages, and words of our sources, that would bring them back}
BROUGHT_BACK = {
    "1.2.6": (("ldap3", "python-ldap", "django-auth-ldap", "bonsai"), r"\bldaps?://"),
    "1.2.7": (("lxml", "elementpath", "saxonche"), r"\.xpath\(|\bXPath\b"),
    "1.2.8": (("pylatex", "pdflatex"), r"\b(pdf|xe|lua)latex\b"),
    "1.3.1": (("nh3", "bleach", "django-tinymce", "django-ckeditor"), r"contenteditable=|execCommand|tinymce"),
    "1.3.8": ((), r"\bjndi:"),
    "1.3.9": (("pymemcache", "python-memcached", "pylibmc"), r"\bmemcache"),
    "3.5.5": ((), r"postMessage|addEventListener\(\s*[\"']message[\"']"),
    "4.3.": (("graphene", "graphene-django", "strawberry-graphql", "ariadne", "graphql-core"), r"\bgraphql\b"),
    "4.4.": (("channels", "websockets", "daphne", "wsproto"), r"\bWebSocket\b|wss?://"),
    "6.6.": (("twilio", "django-sms", "vonage"), r"\bsms\b.*\bsend|send_sms"),
    "6.8.": (("python3-saml", "pysaml2", "mozilla-django-oidc"), r"allauth\.socialaccount|openid_connect"),
    "7.6.1": (("python3-saml", "pysaml2", "mozilla-django-oidc"), r"allauth\.socialaccount"),
    "10.2.": (("requests-oauthlib", "authlib"), r"code_verifier|response_type=code|authorization_endpoint"),
    "10.4.": (("django-oauth-toolkit", "authlib"), r"redirect_uris|RefreshTokenGrant|AuthorizationCodeGrant"),
    "10.5.": (("mozilla-django-oidc",), r"id_token"),
    "10.6.": (("django-oidc-provider",), r"id_token_hint"),
    "11.4.4": (("argon2-cffi-bindings",), r"pbkdf2_hmac|scrypt\(|PBKDF2HMAC"),
    "12.1.3": ((), r"ssl_client_(verify|cert)|SSL_CLIENT_|verify_client|CERT_OPTIONAL"),
    "17.": (("aiortc", "livekit"), r"RTCPeerConnection|webrtc"),
}  # fmt: skip
SOURCES = [
    path
    for folder in (*reading.ROOMS, "templates", "static/js")
    for path in sorted((reading.ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".html", ".js"} or path.name == "Caddyfile"
]


@pytest.fixture(scope="module")
def text():
    """The sources, without what they say of themselves: comments and docstrings may name what is absent."""
    return "\n".join(without_words(path) for path in SOURCES)


def without_words(path):
    said = path.read_text()
    blocks, rest = (r'""".*?"""', r"#.*$") if path.suffix == ".py" else (r"/\*.*?\*/|\{#.*?#\}", r"^\s*(//|#).*$")
    return re.sub(rest, "", re.sub(blocks, "", said, flags=re.DOTALL), flags=re.MULTILINE)


@pytest.mark.parametrize("left_out", BROUGHT_BACK)
def test_it_is_still_not_here(left_out, text):
    packages, words = BROUGHT_BACK[left_out]
    assert [one.number for one in sheet.requirements() if one.held == EXCLUDED and one.number.startswith(left_out)]
    assert reading.locked() & set(packages) == set(), "this requirement is no longer about nothing"
    assert re.findall(words, text) == []


def test_what_would_be_brought_back_is_seen(text):
    """The reading finds what is there: the packages of the lock, and words of each kind of source."""
    assert {"django", "fido2", "oauthlib"} <= reading.locked()
    for word in (r"\bMultiFernet\b", r"textContent", r"csrf_input", r"reverse_proxy"):
        assert re.search(word, text), word


def test_the_api_gives_tokens_by_one_grant_and_nothing_else_of_oauth_has_an_address():
    from habilitations import oauth

    assert oauth.GRANT == "client_credentials"
    served = {str(one.pattern) for one in get_resolver("habilitations.api_urls").url_patterns}
    assert served == {"oauth/token", ".well-known/smart-configuration"}
