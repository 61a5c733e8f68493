"""Opening, shutting and correcting accounts, by a named administrator."""

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from coordination.accounts import actions
from coordination.accounts.errors import AccountClosed, EmailTaken, NotAnAdministrator, OwnAccount
from coordination.accounts.forms import DisplayForm, ProfileForm
from coordination.accounts.models import AccountChange, User
from coordination.outbox.errors import InvalidAddress
from coordination.outbox.models import Message
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

PERSON = {"family_name": "NOUVELLE", "given_name": "Ana"}


def test_an_account_is_opened_with_its_history(administrator):
    user = actions.create_account(email=" Ana@Cabinet.example ", **PERSON, title="Infirmière", by=administrator)
    assert (user.email, user.title, user.is_administrator) == ("ana@cabinet.example", "Infirmière", False)
    assert not user.has_usable_password()
    change = AccountChange.objects.get()
    assert (change.user, change.by, change.kind) == (user, administrator, AccountChange.Kind.CREATED)


def test_a_given_password_needs_no_mail():
    user = actions.create_account(email="ana@cabinet.example", **PERSON, password="quatre mots bien choisis")
    assert EmailAddress.objects.get(user=user).verified
    assert not Message.objects.exists()


@pytest.mark.parametrize("email", ["INES@cabinet.example", "ines@cabinet.example"])
def test_one_account_per_address(email):
    UserFactory(email="ines@cabinet.example")
    with pytest.raises(EmailTaken):
        actions.create_account(email=email, **PERSON)


def test_the_database_refuses_the_same_address_in_another_case():
    UserFactory(email="ines@cabinet.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(email="INES@cabinet.example", address=None)


def test_the_database_refuses_an_open_suspended_account(user):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(InvalidAddress):
        actions.create_account(email="pas une adresse", **PERSON)


def test_only_an_open_administrator_may(user):
    other = UserFactory()
    shut = UserFactory(administrator=True, suspended=True)
    for by in (other, shut):
        with pytest.raises(NotAnAdministrator):
            actions.create_account(email="ana@cabinet.example", **PERSON, by=by)
        for act in (actions.suspend_account, actions.close_account, actions.reopen_account):
            with pytest.raises(NotAnAdministrator):
                act(user, by=by)
        with pytest.raises(NotAnAdministrator):
            actions.change_email(user, "ana@cabinet.example", by=by)


@pytest.mark.parametrize("act", [actions.suspend_account, actions.close_account, actions.reopen_account])
def test_nobody_shuts_or_opens_their_own_account(administrator, act):
    with pytest.raises(OwnAccount):
        act(administrator, by=administrator)


def test_a_stale_administrator_object_does_not_help(user, administrator):
    suspended = UserFactory(is_active=False, suspended_at=timezone.now())
    User.objects.filter(pk=administrator.pk).update(is_administrator=False)
    with pytest.raises(NotAnAdministrator):
        actions.suspend_account(user, by=administrator)
    with pytest.raises(NotAnAdministrator):
        actions.reopen_account(suspended, by=administrator)


def test_suspend_close_reopen(user, administrator):
    user = actions.suspend_account(user, by=administrator, reason="absence longue")
    assert (user.is_active, user.suspended_at is not None) == (False, True)
    actions.suspend_account(user, by=administrator)
    user = actions.close_account(user, by=administrator)
    assert user.closed_at is not None
    with pytest.raises(AccountClosed):
        actions.send_password_link(user)
    user = actions.reopen_account(user, by=administrator)
    assert (user.is_active, user.suspended_at, user.closed_at) == (True, None, None)
    history = AccountChange.objects.order_by("at").values_list("kind", "by", "reason")
    assert list(history) == [
        ("suspended", administrator.pk, "absence longue"),
        ("closed", administrator.pk, ""),
        ("reopened", administrator.pk, ""),
    ]


def test_another_address_is_verified_again_and_the_old_one_is_told(user, administrator):
    before = user.email
    user = actions.change_email(user, "Nouvelle@Cabinet.example", by=administrator)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("nouvelle@cabinet.example", False, True)
    message = Message.objects.get()
    assert (message.to, message.kind) == (before, "account.email_changed")
    with pytest.raises(EmailTaken):
        actions.change_email(user, administrator.email, by=administrator)


class TestCommands:
    def test_the_first_administrator(self, capsys):
        call_command(
            "create_account", "--email", "ana@cabinet.example", "--nom", "NOUVELLE", "--prenom", "Ana",
            "--administrateur", "--afficher-le-lien",
        )  # fmt: skip
        assert User.objects.administrators().get().email == "ana@cabinet.example"
        assert "/compte/mot-de-passe/nouveau/" in capsys.readouterr().out
        assert Message.objects.get().kind == "account.password_first"

    def test_what_is_not_given_is_asked(self, monkeypatch):
        answers = iter(["ana@cabinet.example", "NOUVELLE", "Ana"])
        monkeypatch.setattr("builtins.input", lambda question: next(answers))
        call_command("create_account")
        assert not User.objects.get().is_administrator

    def test_refusals_are_sentences(self, user, administrator):
        with pytest.raises(CommandError, match="existe déjà"):
            call_command("create_account", "--email", user.email, "--nom", "X", "--prenom", "Y")
        with pytest.raises(CommandError, match="--par"):
            call_command("account", "suspendre", "--email", user.email, "--par", "absente@cabinet.example")
        with pytest.raises(CommandError, match="administrateur"):
            call_command("account", "fermer", "--email", administrator.email, "--par", user.email)
        with pytest.raises(CommandError, match="administrateur"):
            call_command("account", "lien", "--email", administrator.email, "--par", user.email)
        assert not Message.objects.filter(to=administrator.email).exists()

    def test_acts(self, user, administrator):
        names = ["--email", user.email, "--par", administrator.email]
        call_command("account", "suspendre", *names, "--motif", "absence")
        user.refresh_from_db()
        assert not user.is_active
        call_command("account", "rouvrir", *names)
        call_command("account", "lien", *names)
        call_command("account", "adresse", *names, "--nouvelle-adresse", "autre@cabinet.example")
        user.refresh_from_db()
        assert (user.is_active, user.email) == (True, "autre@cabinet.example")


class TestWhatAPersonSavesMeanwhile:
    """Her own forms write their own columns: what an administrator did between her reading and her writing stays."""

    def test_her_preferences_do_not_open_her_account_again(self, user, administrator):
        typed = [
            (ProfileForm, {"title": "Infirmière"}),
            (DisplayForm, {"theme": "dark", "shortcuts_enabled": "on"}),
        ]
        read = [form(data, instance=User.objects.get(pk=user.pk)) for form, data in typed]
        assert all(form.is_valid() for form in read)
        actions.suspend_account(user, by=administrator)
        for form in read:
            form.save()
        user.refresh_from_db()
        assert (user.is_active, user.title, user.theme) == (False, "Infirmière", "dark")

    def test_her_new_password_neither(self, client, user, administrator, sign_in, monkeypatch):
        sign_in(user)
        chosen = User.set_password

        def shut_meanwhile(row, raw):
            actions.suspend_account(user, by=administrator)
            actions.change_email(user, "autre@cabinet.example", by=administrator)
            chosen(row, raw)

        monkeypatch.setattr(User, "set_password", shut_meanwhile)
        new = "un autre choix de mots"
        client.post("/compte/mot-de-passe/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
        user.refresh_from_db()
        assert user.check_password(new), "the act itself is done"
        assert (user.is_active, user.email) == (False, "autre@cabinet.example")
