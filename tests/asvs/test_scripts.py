"""What our scripts and templates must not do in a browser."""

import re

import pytest

from tests.asvs import reading

pytestmark = pytest.mark.req("SECT-1")


def scripts_with(*words):
    return {(path, word) for path, text in reading.scripts().items() for word in words if word in text}


@pytest.mark.asvs("v5.0.0-3.2.2")
def test_scripts_write_text_as_text():
    assert len(reading.scripts()) >= 6
    assert scripts_with(".innerHTML", ".outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment",
                        "srcdoc", "DOMParser") == set()  # fmt: skip
    assert any("textContent" in text for text in reading.scripts().values())


@pytest.mark.asvs("v5.0.0-14.3.3")
def test_browsers_are_given_nothing_to_keep():
    assert scripts_with("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.open",
                        "serviceWorker") == set()  # fmt: skip
    # What htmx would keep of pages left.
    assert '"historyCacheSize":0' in reading.templates()["templates/base.html"]


@pytest.mark.asvs("v5.0.0-15.3.6")
def test_no_script_copies_keys_that_somebody_chose():
    assert scripts_with("__proto__", "constructor[", "Object.assign(", "setPrototypeOf", "structuredClone(") == set()
    for path, text in reading.scripts().items():
        # An object filled with a key that is not written in the source: keys of forms, and the four of an answer of
        # WebAuthn, listed above its loop.
        for target in re.findall(r"\b(\w+)\[[a-zA-Z_]\w*\]\s*=[^=]", text):
            assert (target, path) == ("response", "static/js/webauthn.js")


@pytest.mark.asvs("v5.0.0-3.7.1")
def test_pages_use_nothing_that_browsers_dropped():
    old = re.compile(r"<(applet|object|embed|bgsound|frameset|frame|marquee|blink|keygen)\b", re.IGNORECASE)
    assert len(reading.templates()) > 100
    assert [path for path, text in reading.templates().items() if old.search(text)] == []


@pytest.mark.asvs("v5.0.0-6.2.6", "v5.0.0-6.2.7")
def test_passwords_are_hidden_and_may_be_pasted_or_filled_in():
    from coordination.accounts import forms

    fields = []
    for form in (forms.LoginForm, forms.ReauthenticateForm, forms.ChangePasswordForm, forms.ResetPasswordKeyForm):
        made = form(user=None) if form in (forms.ReauthenticateForm, forms.ChangePasswordForm) else form()
        fields += [field for name, field in made.fields.items() if "password" in name]
    assert len(fields) >= 7
    for field in fields:
        assert field.widget.input_type == "password"
        assert field.widget.attrs.get("autocomplete", "") in {"current-password", "new-password", ""}
        assert not [name for name in field.widget.attrs if name.startswith("on")]
    assert scripts_with('"paste"', "'paste'", "onpaste") == set()
    assert [path for path, text in reading.templates().items() if "onpaste" in text] == []
