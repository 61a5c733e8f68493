"""Fields that read what French people type: dates, telephones, addresses, towns."""

from __future__ import annotations

import datetime as dt

from django import forms

from coordination.common.dates import parse_date
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.common.identifiers import parse_email
from coordination.common.phones import normalise_phone
from coordination.dossiers import places
from coordination.dossiers.forms import TidyForm


class ReadField(forms.CharField):
    """A text that a function of the common floor reads; its refusal is the field's error."""

    reader = staticmethod(lambda text: text)

    def clean(self, value):
        text = super().clean(value)
        if not text.strip():
            return self.empty
        try:
            return self.reader(text)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None

    empty: object = ""


class FrenchDateField(ReadField):
    """A day typed in any French way; `cleaned_data` holds a date or None."""

    reader = staticmethod(parse_date)
    empty = None
    widget = forms.TextInput(attrs={"inputmode": "numeric", "format": "jj/mm/aaaa", "autocomplete": "off"})

    def __init__(self, **options) -> None:
        super().__init__(max_length=30, **options)

    def prepare_value(self, value):
        return date_fr(value) if isinstance(value, dt.date) else value


class PhoneField(ReadField):
    reader = staticmethod(normalise_phone)
    widget = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})

    def __init__(self, **options) -> None:
        super().__init__(max_length=30, required=False, **options)


class EmailField(ReadField):
    reader = staticmethod(parse_email)
    widget = forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"})

    def __init__(self, **options) -> None:
        super().__init__(max_length=254, required=False, **options)


class AddressFields(TidyForm):
    """Where someone is: the town comes from the list of communes, typed or chosen."""

    # What is stored, for a form that changes it.
    lives_at: places.Place | None = None

    address = forms.CharField(label="Adresse", max_length=300, required=False)
    postal_code = forms.CharField(
        label="Code postal",
        max_length=5,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "format": "5 chiffres"}),
    )
    town = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)
    town_texte = forms.CharField(label="Ville", max_length=100, required=False)

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["place"] = self.read_town(cleaned, self.lives_at)
        return cleaned

    def hidden_fields(self):
        """The code of the town is drawn with its suggestions, not a second time among the hidden inputs."""
        return [bound for bound in super().hidden_fields() if bound.name != "town"]

    def where(self) -> dict:
        """Return the address as a member or a structure stores it."""
        place = self.cleaned_data["place"]
        return {
            "address": self.cleaned_data["address"],
            "postal_code": place.postal_code,
            "town": place.name,
            "commune_code": place.code,
        }
