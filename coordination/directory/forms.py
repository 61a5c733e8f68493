"""Input of the directory screens: the filters beside the box, a structure created for the coordination."""

from __future__ import annotations

from collections import Counter
from functools import cache

from django import forms

from coordination.common import communes, identifiers, nomenclatures, phones
from coordination.common.errors import DomainError
from coordination.common.text import squeeze
from coordination.directory.errors import StructureContactMissing
from coordination.directory.models import Structure
from coordination.directory.newcomers import Newcomer

LONGEST_NAME = 120


@cache
def professions() -> list[tuple[str, str]]:
    """Return the choices of the filter « Profession »."""
    return [("", "Toutes les professions"), *nomenclatures.choices("profession")]


@cache
def categories() -> list[tuple[str, str]]:
    """Return the choices of the filter « Catégorie »."""
    return [("", "Toutes les catégories"), *nomenclatures.choices("categorie_etablissement")]


class StructureForm(forms.Form):
    """SPICO's fields (guide, « Ajout manuel de structure »): identifiers checked, phone and town normalised."""

    name = forms.CharField(label="Libellé", max_length=200)
    short_name = forms.CharField(label="Sigle", max_length=80, required=False)
    category = forms.ChoiceField(label="Catégorie d’établissement", required=False)
    finess = forms.CharField(label="Numéro FINESS", max_length=15, required=False, help_text="9 caractères.")
    siret = forms.CharField(label="Numéro SIRET", max_length=20, required=False, help_text="14 chiffres.")
    siren = forms.CharField(label="Numéro SIREN", max_length=15, required=False, help_text="9 chiffres.")
    address = forms.CharField(label="Adresse", max_length=300, required=False)
    town = forms.CharField(label="Ville", max_length=80, required=False)
    postal_code = forms.CharField(label="Code postal", max_length=5, required=False)
    manager_name = forms.CharField(label="Responsable", max_length=120, required=False)
    phone = forms.CharField(label="Numéro de téléphone", max_length=25, required=False)
    email = forms.CharField(label="Adresse e-mail", max_length=254, required=False)
    seen_doubles = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = [("", "Non précisée"), *categories()[1:]]

    def clean_name(self) -> str:
        return squeeze(self.cleaned_data["name"])

    def clean_finess(self) -> str:
        return self._read("finess", identifiers.parse_finess)

    def clean_siret(self) -> str:
        return self._read("siret", identifiers.parse_siret)

    def clean_siren(self) -> str:
        return self._read("siren", identifiers.parse_siren)

    def clean_phone(self) -> str:
        return self._read("phone", phones.normalise_phone)

    def clean_email(self) -> str:
        return self._read("email", identifiers.parse_email)

    def clean(self) -> dict:
        values = super().clean()
        siret, siren = values.get("siret"), values.get("siren")
        if siret and siren and not siret.startswith(siren):
            self.add_error("siren", "Le numéro SIREN est le début du numéro SIRET : ces deux numéros se contredisent.")
        if siret and not siren:
            values["siren"] = identifiers.siren_of_siret(siret)
        if not values.get("phone") and not values.get("email") and not {"phone", "email"} & set(self.errors):
            self.add_error("phone", StructureContactMissing.message)
        self._place(values)
        return values

    def fields_of_structure(self) -> dict[str, str]:
        """Return what `actions.create_local_structure` takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen_doubles"}

    def _read(self, name: str, parse) -> str:
        text = squeeze(self.cleaned_data.get(name))
        if not text:
            return ""
        try:
            return parse(text)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error

    def _place(self, values: dict) -> None:
        """Fill the commune; a town the list does not know is refused, one that several communes share is asked."""
        values["commune_code"] = ""
        town, code = squeeze(values.get("town")), squeeze(values.get("postal_code"))
        if not town and not code:
            return
        found = communes.resolve(town, code)
        if not found:
            self.add_error("town" if town else "postal_code", "Cette ville n’est pas dans la liste des communes.")
            return
        if len(found) > 1 and not code:
            self.add_error("postal_code", "Plusieurs communes portent ce nom : précisez le code postal.")
            return
        if len(found) > 1 and not town:
            names = ", ".join(commune.name for commune in found[:5])
            self.add_error("town", f"Plusieurs communes ont ce code postal ({names}) : précisez la ville.")
            return
        commune = found[0]
        values |= {
            "commune_code": commune.insee,
            "town": commune.name,
            "postal_code": code if len(code) == 5 else commune.postal_code,
        }


class AccountForm(forms.Form):
    """Somebody of the structure who needs an account; names, profession and function are the directory's when it knows
    them.
    """

    family_name = forms.CharField(label="Nom", max_length=LONGEST_NAME)
    given_name = forms.CharField(label="Prénom", max_length=LONGEST_NAME)
    profession = forms.ChoiceField(label="Profession")
    fonction = forms.ChoiceField(label="Fonction dans la structure", required=False)
    email = forms.CharField(label="Adresse e-mail", max_length=254)
    structure = forms.ModelChoiceField(label="Structure", queryset=None, empty_label=None)

    def __init__(self, *args, places, activity=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.activity = activity
        trades, roles = nomenclatures.choices("profession"), nomenclatures.choices("role")
        # A role that is a profession too is offered as the profession.
        known = {words for _, words in trades}
        alone = [(code, words) for code, words in roles if words not in known]
        self.fields["profession"].choices = [
            ("", "Choisir"), ("Professions", trades), ("Rôles sans profession", alone),
        ]  # fmt: skip
        self.fields["fonction"].choices = [("", "Aucune en particulier"), *roles]
        self.fields["structure"].queryset = Structure.objects.filter(pk__in=[place.pk for place in places])
        times = Counter(place.name for place in places)
        self.fields["structure"].label_from_instance = lambda place: (
            place.name if times[place.name] == 1 else ", ".join(filter(None, (place.name, place.town, place.finess)))
        )
        if activity is not None:
            for name in ("family_name", "given_name", "profession", "fonction"):
                del self.fields[name]
            self.initial = {"structure": activity.structure_id, **(self.initial or {})}

    def clean_family_name(self) -> str:
        return self._name("family_name")

    def clean_given_name(self) -> str:
        return self._name("given_name")

    def _name(self, field: str) -> str:
        try:
            said = identifiers.parse_person_name(self.cleaned_data[field])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error
        # Kept in capitals, where ß opens into two.
        if len(said.upper()) > LONGEST_NAME:
            raise forms.ValidationError(f"Ce nom est trop long : {LONGEST_NAME} caractères au plus.")
        return said

    def clean_email(self) -> str:
        try:
            return identifiers.parse_email(squeeze(self.cleaned_data["email"]))
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error

    def newcomer(self) -> Newcomer:
        """Return what `actions.accounts.offer_account` takes."""
        said = self.cleaned_data
        if self.activity is None:
            return Newcomer(
                said["email"], said["family_name"], said["given_name"], said["profession"], said["fonction"]
            )
        person = self.activity.professional
        return Newcomer(
            said["email"], person.family_name, person.given_name, self.activity.profession,
            self.activity.fonction, person,
        )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Motif", max_length=300)
