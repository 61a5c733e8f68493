"""Which passwords are refused, and that nothing else is asked of them (ASVS 6.2)."""

import hashlib

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, get_default_password_validators
from django.contrib.auth.password_validation import validate_password as validate
from django.core.exceptions import ValidationError
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.models import User
from coordination.accounts.passwords import (
    WORDS_OF_THE_HOUSE,
    BreachedPasswordValidator,
    ObviousPasswordValidator,
    is_obvious,
)
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.req("SEC-17")

FINE = [
    "quatre mots bien choisis",
    "un dossier bleu sous la pluie",
    "Zèbre-7-lampadaire",
    "correct horse battery staple",
]


@pytest.mark.asvs("v5.0.0-6.2.11", "v5.0.0-6.2.4")
@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Passw0rd2026!!", "azertyazerty", "AzertyAzertyAzerty", "iloveyou iloveyou", "aaaaaaaaaaaaaa",
        "Coordination2026!", "coordination-coordination", "Dossier-Patient-2026", "dossierdossier", "motdepasse123",
        "M0tdepasse!2026", "infirmière2026!!", "Toulouse31000!", "123456motdepasse", "trustno1!!!!!!",
    ],
)  # fmt: skip
def test_what_anybody_would_try_first_is_refused(password):
    assert is_obvious(password)
    with pytest.raises(ValidationError):
        validate(password, User(email="z@y.example", family_name="A", given_name="B"))


@pytest.mark.parametrize("password", FINE)
def test_a_sentence_that_holds_such_a_word_is_not(password):
    assert not is_obvious(password)
    validate(password, User(email="z@y.example", family_name="A", given_name="B"))


@pytest.mark.asvs("v5.0.0-6.2.4")
def test_every_common_password_made_longer_is_refused():
    """Django's list holds those that most people use, of any length: each, with what people add to reach twelve."""
    listed = sorted(CommonPasswordValidator().passwords)
    assert len(listed) > 15_000
    words = [word for word in listed if word.isalpha() and len(word) >= 4]
    assert len(words) > 3_000
    let_through = [word for word in words[::11] if not is_obvious(f"{word.capitalize()}2026!!!!")]
    assert let_through == []


@pytest.mark.asvs("v5.0.0-6.2.11")
def test_the_words_of_the_house_are_those_of_the_page():
    """docs/security.md says what the list is about; each word of it is refused alone."""
    for word in WORDS_OF_THE_HOUSE:
        assert is_obvious(f"{word}{'2026' * 3}"), word
    for word in ("coordination", "dossier", "patient", "rpps", "finess", "mssante", "motdepasse", "spico"):
        assert word in WORDS_OF_THE_HOUSE


@pytest.mark.asvs("v5.0.0-6.2.12", "v5.0.0-6.2.4")
def test_what_stands_in_a_list_of_leaks_is_refused(tmp_path):
    leaked = ["mot trouvé dans une fuite", "encore un autre trouvé"]
    others = [f"autre {number}" for number in range(2_000)]
    digests = sorted(hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in leaked + others)
    file = tmp_path / "leaks.txt"
    file.write_text("".join(f"{digest}:{number}\r\n" for number, digest in enumerate(digests)))
    validator = BreachedPasswordValidator(str(file))
    for one in leaked + others[::50]:
        with pytest.raises(ValidationError) as refused:
            validator.validate(one)
        assert refused.value.code == "password_breached"
    for one in FINE:
        validator.validate(one)
    # The first and the last line of a file are found too, and so is the only one of a short file.
    for kept in (digests[:1], digests[:2], digests[-1:]):
        file.write_text("".join(f"{digest}:1\n" for digest in kept))
        found = [one for one in leaked + others if _refused(validator, one)]
        assert len(found) == len(kept)
    file.write_text("")
    validator.validate(leaked[0])
    file.unlink()
    with pytest.raises(OSError, match="leaks"):
        validator.validate(leaked[0])
    BreachedPasswordValidator("").validate(leaked[0])


def _refused(validator, password):
    try:
        validator.validate(password)
    except ValidationError:
        return True
    return False


def test_both_are_asked_of_each_password():
    kinds = {type(one) for one in get_default_password_validators()}
    assert {ObviousPasswordValidator, BreachedPasswordValidator} <= kinds


@pytest.mark.django_db
class TestOnThePages:
    def change(self, client, old, new):
        return client.post("/compte/mot-de-passe/", {"oldpassword": old, "password1": new, "password2": new})

    @pytest.mark.asvs("v5.0.0-6.2.3")
    def test_the_present_password_is_asked(self, client, user, sign_in, fresh_counters):
        sign_in(user)
        answer = self.change(client, "pas le bon mot", "un autre choix de mots")
        assert answer.status_code == 200 and "mot de passe actuel" in answer.content.decode()
        user.refresh_from_db()
        assert user.check_password(PASSWORD)
        assert self.change(client, PASSWORD, "un autre choix de mots").status_code == 302

    @pytest.mark.asvs("v5.0.0-6.2.5", "v5.0.0-6.2.8", "v5.0.0-6.2.9")
    @pytest.mark.parametrize(
        "password",
        [
            "uniquement des minuscules", "  des espaces autour  ", "É" * 3 + "ꬰ漢字🙂 mélange", "z" + "aé 9" * 40,
            "Majuscules Et Minuscules", "sans chiffre ni signe ni rien",
        ],
    )  # fmt: skip
    def test_any_characters_at_any_length_compared_as_typed(self, client, user, sign_in, fresh_counters, password):
        sign_in(user)
        assert self.change(client, PASSWORD, password).status_code == 302
        user.refresh_from_db()
        others = {password.strip(), password.lower(), password.upper(), password[:64], password[:72], password + " "}
        elsewhere = type(client)()
        for wrong in others - {password}:
            assert not user.check_password(wrong)
        assert elsewhere.post("/compte/connexion/", {"login": user.email, "password": password}).status_code == 302

    @pytest.mark.asvs("v5.0.0-6.2.10")
    def test_a_password_of_long_ago_still_opens(self, client, user, sign_in):
        ago = timezone.now() - timezone.timedelta(days=4000)
        User.objects.filter(pk=user.pk).update(last_login=ago, created_at=ago)
        assert sign_in(user).url == "/"
        assert not [
            field.name for field in User._meta.concrete_fields if "password" in field.name and field.name != "password"
        ]

    @pytest.mark.asvs("v5.0.0-6.4.2")
    def test_nothing_but_the_address_is_asked_to_replace_it(self, client):
        from coordination.accounts.forms import LoginForm, ResetPasswordForm

        assert set(ResetPasswordForm().fields) == {"email"}
        assert set(LoginForm().fields) - {"remember"} == {"login", "password"}
        words = ("hint", "question", "answer", "indice", "reminder")
        assert not [one.name for one in User._meta.concrete_fields if any(word in one.name for word in words)]

    @pytest.mark.asvs("v5.0.0-6.4.3", "v5.0.0-7.6.2")
    def test_a_link_to_a_new_password_opens_no_session_and_spares_no_factor(self, client, user, sign_in, settings):
        from allauth.mfa.totp.internal.auth import TOTP

        settings.MFA_REQUIRED = True
        TOTP.activate(user, "JBSWY3DPEHPK3PXP")
        path = "/" + mails.password_link(user).split("/", 3)[3]
        page = client.get(path, follow=True)
        new = "un autre choix de mots"
        client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
        assert client.get("/page-essai/").status_code == 302, "no session was opened"
        assert sign_in(user, password=new).url == "/compte/second-facteur/verifier/"
        assert client.get("/page-essai/").status_code == 302


@pytest.mark.django_db
@pytest.mark.asvs("v5.0.0-6.3.2")
def test_nobody_has_an_account_before_somebody_opens_one():
    """What migrations leave: the test database is made by them."""
    assert not User.objects.exists()
    UserFactory()
    assert User.objects.count() == 1
