"""« Ajout manuel de structure » and the search of one."""

from __future__ import annotations

from django import forms

from circle.forms.fields import AddressFields, EmailField, PhoneField, ReadField
from coordination.common import nomenclatures
from coordination.common.identifiers import parse_finess, parse_siren, parse_siret
from coordination.common.ids import uuid7
from coordination.directory.errors import StructureContactMissing
from coordination.dossiers.forms import TidyForm


class FinessField(ReadField):
    widget = forms.TextInput(attrs={"format": "9 caractères"})
    reader = staticmethod(parse_finess)


class SiretField(ReadField):
    widget = forms.TextInput(attrs={"format": "14 chiffres"})
    reader = staticmethod(parse_siret)


class SirenField(ReadField):
    widget = forms.TextInput(attrs={"format": "9 chiffres"})
    reader = staticmethod(parse_siren)


class StructureSearchForm(TidyForm):
    """The toolbar above the list: text, catégorie d'établissement, code postal."""

    q = forms.CharField(label="Nom, sigle ou n° FINESS", max_length=100, required=False)
    category = forms.ChoiceField(label="Catégorie d’établissement", required=False)
    postal_code = forms.CharField(label="Code postal", max_length=5, required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = [
            ("", "Toutes les catégories"), *nomenclatures.choices("categorie_etablissement"),
        ]  # fmt: skip


class ManualStructureForm(AddressFields):
    """A structure that no directory knows: every field of SPICO's form, numbers checked."""

    field_order = (
        "name", "short_name", "finess", "siret", "siren", "address", "postal_code", "town_texte", "manager_name",
        "phone", "email", "role", "description",
    )  # fmt: skip
    name = forms.CharField(label="Libellé", max_length=200)
    short_name = forms.CharField(label="Sigle", max_length=80, required=False)
    finess = FinessField(label="Numéro FINESS", max_length=20, required=False)
    siret = SiretField(label="Numéro SIRET", max_length=20, required=False)
    siren = SirenField(label="Numéro SIREN", max_length=20, required=False)
    manager_name = forms.CharField(label="Responsable", max_length=120, required=False)
    phone = PhoneField(label="Numéro de téléphone")
    email = EmailField(label="Adresse e-mail")
    role = forms.ChoiceField(label="Rôle", required=False)
    description = forms.CharField(label="Description", max_length=500, required=False, widget=forms.Textarea)
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    def __init__(self, *args, roles=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", "Sans rôle particulier"), *roles]

    def clean(self) -> dict:
        cleaned = super().clean()
        siren, siret = cleaned.get("siren"), cleaned.get("siret")
        if siren and siret and not siret.startswith(siren):
            self.add_error("siren", "Ce SIREN n’est pas celui du SIRET : ses 9 chiffres commencent le SIRET.")
        if not cleaned.get("phone") and not cleaned.get("email") and not {"phone", "email"} & set(self.errors):
            self.add_error("phone", StructureContactMissing.message)
        return cleaned

    def fields_of_structure(self) -> dict:
        """Return what was typed, by column of Structure."""
        names = ("name", "short_name", "finess", "siret", "siren", "manager_name", "phone", "email")
        return {name: self.cleaned_data[name] for name in names} | self.where()
