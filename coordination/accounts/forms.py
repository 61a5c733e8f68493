"""Shape of what people type about their own account. The sign-in forms are allauth's, with our words."""

import struct

from allauth.account import forms as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms

from coordination.accounts.models import Theme, User

EMAIL = "Adresse e-mail"
RULES = "12 caractères ou plus, qui ne soient ni courants ni proches de votre nom."


def _plain(field: forms.Field, label: str, help_text: str = "") -> None:
    """Give a field our words, and take away allauth's placeholder and raw HTML help."""
    field.label, field.help_text = label, help_text
    field.widget.attrs.pop("placeholder", None)


class LoginForm(account.LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["login"], EMAIL)
        _plain(self.fields["password"], "Mot de passe")
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ResetPasswordForm(account.ResetPasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["email"], EMAIL)

    def clean_email(self):
        """Look the address up once, by index, whether it is known or not."""
        email = get_account_adapter().clean_email(self.cleaned_data["email"].lower())
        self.users = list(User.objects.active().with_email(email))
        return email


class ResetPasswordKeyForm(account.ResetPasswordKeyForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["password1"], "Nouveau mot de passe", RULES)
        _plain(self.fields["password2"], "Le même, une seconde fois")


class ChangePasswordForm(account.ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["oldpassword"], "Mot de passe actuel")
        _plain(self.fields["password1"], "Nouveau mot de passe", RULES)
        _plain(self.fields["password2"], "Le même, une seconde fois")


class ReauthenticateForm(account.ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["password"], "Mot de passe")


def _digits(field):
    """Ask for the number pad of a phone: the codes of an application and those kept on paper are digits only."""
    _plain(field, "Code", "Le code à 6 chiffres de votre application, ou un code de secours.")
    field.widget.attrs["inputmode"] = "numeric"


class AuthenticateForm(mfa.AuthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _digits(self.fields["code"])


class ReauthenticateCodeForm(mfa.ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _digits(self.fields["code"])


class ActivateTOTPForm(totp.ActivateTOTPForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["code"], "Code affiché par l’application", "6 chiffres.")
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


# What the parser of key answers raises on rubbish; allauth foresees only some of it.
RUBBISH = (TypeError, ValueError, KeyError, IndexError, AttributeError, struct.error)


def _refuse_rubbish(check):
    """Return what `check` returns; an answer that no browser would give is a refusal, not a server error."""
    try:
        return check()
    except RUBBISH:
        raise get_adapter().validation_error("incorrect_code") from None


class _KeyAnswer:
    """The answer of a key. One that does not hold is told as a wrong code is, which allauth tells by itself."""

    user: User
    reauthenticated: bool

    def clean_credential(self):
        try:
            return _refuse_rubbish(super().clean_credential)  # type: ignore[misc] - of the form it is mixed into
        except forms.ValidationError as refusal:
            if refusal.code == "incorrect_code":
                authentication_failed.send(
                    sender=Authenticator,
                    request=context.request,
                    user=self.user,
                    authenticator=None,
                    reauthentication=self.reauthenticated,
                )
            raise


class KeyAnswerForm(_KeyAnswer, webauthn.AuthenticateWebAuthnForm):
    pass


class ReauthenticateKeyForm(_KeyAnswer, webauthn.ReauthenticateWebAuthnForm):
    pass


class AddKeyForm(webauthn.AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["name"], "Nom de la clé", "Pour la reconnaître dans votre liste.")
        self.fields["name"].max_length = 60

    def clean(self):
        return _refuse_rubbish(super().clean)


class RenameKeyForm(webauthn.EditWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _plain(self.fields["name"], "Nom de la clé")
        self.fields["name"].max_length = 60


class _OwnForm(forms.ModelForm):
    """What a person says of her own account."""

    def save(self, commit=True):
        """Write the columns of this form and no other: the rest may have changed since it was read (a suspension)."""
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=self._meta.fields)
        return user


class ProfileForm(_OwnForm):
    class Meta:
        model = User
        fields = ["title"]
        labels = {"title": "Fonction affichée sous votre nom"}
        help_texts = {"title": "Par exemple : Coordinatrice, DAC Exemple."}
        widgets = {"title": forms.TextInput(attrs={"autocomplete": "organization-title"})}


class DisplayForm(_OwnForm):
    theme = forms.ChoiceField(label="Couleurs", choices=Theme.choices, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ["theme", "shortcuts_enabled"]
        labels = {"shortcuts_enabled": "Raccourcis d’une seule lettre"}
        help_texts = {"shortcuts_enabled": "Par exemple A pour ajouter un membre. Sans effet dans un champ."}
