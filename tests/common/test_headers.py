"""Each answer, the refusals too, tells the browser what it may run and that nothing is kept (SEC-21)."""

import pytest

from tests.accounts.factories import UserFactory

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "manifest-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    "require-trusted-types-for 'script'", "trusted-types default",
}  # fmt: skip


@pytest.mark.asvs("v5.0.0-3.4.3", "v5.0.0-3.4.6", "v5.0.0-14.2.3", "v5.0.0-14.3.2")
@pytest.mark.req("SEC-21")
@pytest.mark.parametrize(
    ("path", "status"), [("/aide/", 200), ("/nulle/part/", 404), ("/dossiers/", 302), ("/sante/vivant", 200)]
)
def test_every_answer_is_private_and_runs_nothing_foreign(client, db, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert set(answer["Content-Security-Policy"].split("; ")) == POLICY
    assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]


def test_an_address_that_only_buttons_use_says_so(client, db):
    """As when a tab is opened again, or its address typed: the browser alone would show an empty page."""
    client.force_login(UserFactory())
    answer = client.get("/compte/sessions/terminer-les-autres/")
    text = answer.content.decode()
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert int(answer["Content-Length"]) == len(answer.content)
    assert "Cette adresse ne s’ouvre pas directement" in text and "Revenir à l’accueil" in text
    # A program that posts where one only reads wants no page.
    assert client.post("/aide/").content == b""
