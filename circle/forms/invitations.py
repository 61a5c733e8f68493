"""What is typed to invite, and by the person invited."""

from __future__ import annotations

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from circle.forms.fields import EmailField
from circle.forms.sharing import SharingFields
from coordination.accounts.forms import RULES
from coordination.accounts.models import User
from coordination.common import nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_person_name, parse_rpps
from coordination.common.ids import uuid7
from coordination.common.text import capital_family, capital_given
from coordination.dossiers.forms import TidyForm

MESSAGE = {
    "label": "Message personnel",
    "max_length": 600,
    "required": False,
    "widget": forms.Textarea,
    "help_text": "Ne dites ni qui est la personne accompagnée, ni rien de sa santé : un e-mail se lit en chemin.",
}
FRENCH = {
    "password_too_similar": "Ce mot de passe ressemble trop à votre nom ou à votre adresse.",
    "password_too_short": "Ce mot de passe est trop court : 12 caractères au moins.",
    "password_too_common": "Ce mot de passe est trop courant.",
    "password_entirely_numeric": "Un mot de passe ne se fait pas de chiffres seulement.",
}


_PROFESSIONS = [("", "Choisir"), *nomenclatures.choices("profession")]


class InvitationFields(forms.Form):
    """« Invitation » in the form that adds somebody: the address, and a few words of one's own."""

    invitation_email = EmailField(label="Adresse e-mail professionnelle")
    invitation_message = forms.CharField(**MESSAGE)

    def invitation(self) -> dict | None:
        """Return what `invite_member` takes, None when no address is typed."""
        email = self.cleaned_data.get("invitation_email")
        return {"email": email, "message": self.cleaned_data["invitation_message"]} if email else None


class InviteForm(SharingFields, InvitationFields):
    """« Inviter par e-mail » a member already in the circle, who is habilitated in the same act if he was not."""

    opens = True

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["invitation_email"].required = True

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["rests"] = self.read_sharing(cleaned) if self.asks_sharing else None
        return cleaned


class ColleagueForm(TidyForm):
    """« Inviter un confrère à utiliser l'application », without a dossier."""

    NAMES = TidyForm.NAMES | {"invitation_email": "email", "invitation_message": "message"}
    family_name = forms.CharField(label="Nom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    given_name = forms.CharField(label="Prénom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    profession = forms.ChoiceField(label="Profession")
    email = EmailField(label="Adresse e-mail professionnelle")
    message = forms.CharField(**MESSAGE)
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["profession"].choices = _PROFESSIONS
        self.fields["email"].required = True

    def clean_family_name(self) -> str:
        return self.read("family_name", parse_person_name, self.cleaned_data["family_name"]) or ""


class LinesForm(TidyForm):
    """Several colleagues at once: pasted lines, or the same in a CSV file."""

    lines = forms.CharField(
        label="Une personne par ligne", max_length=20_000, required=False, widget=forms.Textarea,
        help_text="adresse ; nom ; prénom ; profession. Séparateur : point-virgule, virgule ou tabulation.",
    )  # fmt: skip
    file = forms.FileField(label="Ou un fichier CSV", required=False, help_text="100 Ko au plus.")
    message = forms.CharField(**MESSAGE)

    def clean(self) -> dict:
        # Line ends are what separates people: not squeezed.
        typed = self.data.get("lines", "").replace("\0", "")[:20_000]
        cleaned = super().clean()
        cleaned["lines"] = typed
        return cleaned


class ResendForm(TidyForm):
    """« Renvoyer » and « Corriger l'adresse »: a new link, to this address."""

    NAMES = TidyForm.NAMES | {"invitation_email": "email"}
    email = EmailField(label="Adresse e-mail professionnelle")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True


class RightsForm(TidyForm):
    """By which profession the account confirmed enters, asked when it is not the one invited."""

    rights = forms.CharField(label="Droits de cette personne", max_length=20, required=False)

    @staticmethod
    def value_of(invitation) -> str:
        """Return what the page sends back: the (profession, fonction) that it showed."""
        return "/".join(invitation.counting_profession)

    @property
    def chosen(self) -> tuple[str, str] | None:
        """Return the (profession, fonction) chosen, None when nothing was."""
        profession, slash, fonction = self.cleaned_data["rights"].partition("/")
        return (profession, fonction) if slash else None

    # What decides is on the page: there is nothing else to look at first.
    is_seen = True


class ProfessionForm(TidyForm):
    """The profession that who confirms vouches for, when none was invited; the person invited may have said hers.

    `seen`: the one whose rights the page showed.
    """

    profession = forms.ChoiceField(
        label="Profession que vous confirmez", required=False,
        help_text="Ce que cette personne dit d’elle ne prouve rien : confirmez ce que vous savez.",
    )  # fmt: skip
    seen = forms.CharField(max_length=4, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, said: str, **kwargs) -> None:
        super().__init__(*args, initial={"profession": said, "seen": said}, **kwargs)
        self.fields["profession"].choices = _PROFESSIONS

    @property
    def chosen(self) -> tuple[str, str] | None:
        """Return the (profession, fonction) chosen, None when nothing was."""
        profession = self.cleaned_data["profession"]
        return (profession, "") if profession else None

    @property
    def is_seen(self) -> bool:
        """Whether the page showed what this profession opens before it was confirmed."""
        return self.cleaned_data["profession"] in ("", self.cleaned_data["seen"])


class RefusalReasonForm(TidyForm):
    reason = forms.CharField(
        label="Motif", max_length=300, required=False, widget=forms.Textarea,
        help_text="Lu par la personne qui vous invite. Rien de la santé de quiconque.",
    )  # fmt: skip


class AccountForm(TidyForm):
    """The account of who accepts: a name, a password, and an RPPS number if one has it. Five fields.

    Where nobody said of what profession he is (`asks_profession`), he says it instead of his number, which the
    directory knows: the second factor makes the sixth field of the way in. It gives no right by itself.
    """

    family_name = forms.CharField(
        label="Nom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    given_name = forms.CharField(
        label="Prénom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    profession = forms.ChoiceField(
        label="Votre profession", required=False,
        help_text="Quelqu’un la confirmera avant tout accès.",
    )  # fmt: skip
    rpps = forms.CharField(
        label="Numéro RPPS", max_length=14, required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="11 chiffres, si vous en avez un.",
    )  # fmt: skip
    password1 = forms.CharField(
        label="Mot de passe", strip=False, help_text=RULES,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    password2 = forms.CharField(
        label="Le même, une seconde fois", strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *args, email: str, asks_profession: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["profession"].choices = _PROFESSIONS
        del self.fields["rpps" if asks_profession else "profession"]

    def clean_family_name(self) -> str:
        return self.read("family_name", parse_person_name, self.cleaned_data["family_name"]) or ""

    def clean_rpps(self) -> str:
        typed = self.cleaned_data["rpps"].strip()
        if not typed:
            return ""
        try:
            return parse_rpps(typed)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict:
        # A password is taken as typed, blanks included.
        typed = {name: self.cleaned_data.get(name) for name in ("password1", "password2")}
        cleaned = super().clean() | typed
        # Capitals may be longer than what was typed (ß).
        cleaned["family_name"] = capital_family(cleaned.get("family_name"))[:120]
        cleaned["given_name"] = capital_given(cleaned.get("given_name"))[:120]
        first, second = typed.values()
        if first and second and first != second:
            self.add_error("password2", "Les deux mots de passe ne sont pas les mêmes.")
        if first:
            self._judge(first, cleaned)
        return cleaned

    def _judge(self, password: str, cleaned: dict) -> None:
        person = User(email=self.email, family_name=cleaned["family_name"], given_name=cleaned["given_name"])
        try:
            password_validation.validate_password(password, person)
        except ValidationError as refusal:
            for error in refusal.error_list:
                self.add_error("password1", FRENCH.get(error.code, error))
