"""What is typed to connect a software, or to make a personal token."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email
from coordination.common.text import squeeze
from habilitations import scopes
from habilitations.acting_forms import REQUIRED, DayField
from habilitations.forms import name_read

# A token made without thinking does not serve for a year.
USUAL_DAYS = 90


class _ScopesForm(forms.Form):
    """The boxes of what may be asked; `context` is the first word of its scopes."""

    context = scopes.SYSTEM

    allowed = forms.MultipleChoiceField(
        label="Ce qu’il peut demander",
        choices=scopes.boxes,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins une chose permise."},
    )

    def scopes(self) -> list[str]:
        return scopes.compose(self.context, self.cleaned_data["allowed"])


class ScopesForm(_ScopesForm):
    """What a software connected may ask from now on. `seen`: a digest of what it could, when the page was drawn."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ClientForm(_ScopesForm):
    name = forms.CharField(label="Nom du logiciel", max_length=80, error_messages={"required": REQUIRED})
    contact = forms.CharField(
        label="Adresse e-mail de qui s’en occupe", max_length=254, error_messages={"required": REQUIRED},
        help_text="Chez l’éditeur ou dans la structure : pour prévenir avant de changer le secret.",
    )  # fmt: skip
    field_order = ("name", "contact", "allowed")

    def clean_name(self) -> str:
        return name_read(self.cleaned_data["name"])

    def clean_contact(self) -> str:
        try:
            return parse_email(squeeze(self.cleaned_data["contact"]))
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error


class TokenForm(_ScopesForm):
    context = scopes.USER

    name = forms.CharField(
        label="Nom du jeton", max_length=60, error_messages={"required": REQUIRED},
        help_text="Pour le reconnaître : le programme ou l’appareil qui s’en sert, sans nom de personne.",
    )  # fmt: skip
    expires_on = DayField(label="Dernier jour", help_text="Dans un an au plus.")
    field_order = ("name", "expires_on", "allowed")

    def __init__(self, *args, initial=None, **kwargs) -> None:
        usual = {"expires_on": timezone.localdate() + dt.timedelta(days=USUAL_DAYS)}
        super().__init__(*args, initial=usual | (initial or {}), **kwargs)
        self.fields["allowed"].label = "Ce que le jeton permet"

    def clean_name(self) -> str:
        return name_read(self.cleaned_data["name"])
