"""What is typed about a partner."""

import re

from django import forms
from django.apps import apps
from django.db.models import Q

from coordination.partners import wire
from coordination.partners.errors import AddressNotAllowed
from coordination.partners.models import Partner
from habilitations.models import SoftwareClient

# Of HTTP (RFC 9110, token), without what could be another header.
HEADER_NAME = r"[A-Za-z0-9\-]{1,60}"
# Headers that say something else, or that the call writes itself.
OURS = {"authorization", "accept", "content-type", "content-length", "host", "prefer", "idempotency-key", "cookie"}


def _address(label: str, help_text: str) -> forms.CharField:
    attributes = {"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, help_text=help_text, max_length=300, widget=forms.TextInput(attrs=attributes)
    )  # fmt: skip


class PartnerForm(forms.ModelForm):
    """`secret` is never shown again; left empty on a known partner, the former one is kept."""

    base_url = _address(
        "Adresse de l’API FHIR", "Celle que donne sa documentation, par exemple https://cercles.exemple.fr/fhir."
    )
    token_url = _address(
        "Adresse des jetons d’accès", "Là où le secret s’échange contre un jeton (OAuth2, client credentials)."
    )
    secret = forms.CharField(
        label="Secret",
        required=False,
        max_length=500,
        help_text="Il est gardé chiffré, et n’est plus jamais montré.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    structures = forms.CharField(
        label="Structures dont l’agenda est échangé",
        required=False,
        max_length=2000,
        help_text="Numéros FINESS ou SIRET, séparés par une espace. Vide : aucun agenda n’est échangé.",
    )

    # Of the partner that is changed, as it was read.
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Partner
        fields = ["name", "base_url", "token_url", "client_id", "scope", "acting_header", "software", "active"]
        # Declared above: a field made from the model for nothing would warn of the scheme it assumes.
        field_classes = {"base_url": forms.CharField, "token_url": forms.CharField}
        help_texts = {
            "scope": "Séparées par une espace. Vide : celles que le partenaire donne d’office.",
            "acting_header": "Vide : le professionnel pour qui l’échange est fait n’est pas nommé au partenaire.",
            "software": "Celui par lequel ce partenaire appelle ici : ce qu’il envoie ne lui est pas renvoyé.",
            "active": "Hors service, ce qui attend reste en file et rien de nouveau n’est demandé.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        software = self.fields["software"]
        assert isinstance(software, forms.ModelChoiceField)
        software.queryset = SoftwareClient.objects.connected().order_by("name", "pk")
        software.empty_label = "Aucun"
        if not self.instance._state.adding:
            self.initial.setdefault("version", self.instance.version)
            numbers = (one.finess or one.siret for one in self.instance.structures.order_by("pk"))
            self.initial.setdefault("structures", " ".join(filter(None, numbers)))
        if not self.instance._state.adding:
            self.fields["secret"].help_text = "Vide : le secret actuel est gardé. Il n’est jamais montré."

    def clean_base_url(self):
        return self._allowed("base_url").rstrip("/")

    def clean_token_url(self):
        return self._allowed("token_url")

    def _allowed(self, name):
        said = self.cleaned_data[name].strip()
        if not wire.is_allowed(said):
            raise forms.ValidationError(AddressNotAllowed.message)
        return said

    def clean_structures(self):
        """The structures that these numbers name; each must be one of the directory."""
        numbers = self.cleaned_data["structures"].replace(",", " ").split()
        structures = apps.get_model("directory.Structure").objects.filter(merged_into=None)
        found = []
        for number in numbers:
            one = structures.filter(Q(finess=number) | Q(siret=number)).order_by("pk").first()
            if one is None:
                raise forms.ValidationError(f"Aucune structure de l’annuaire n’a le numéro {number[:20]}.")
            found.append(one)
        return found

    def clean_acting_header(self):
        said = self.cleaned_data["acting_header"].strip()
        if said and (not re.fullmatch(HEADER_NAME, said) or said.lower() in OURS):
            raise forms.ValidationError("Ce n’est pas un nom d’en-tête utilisable.")
        return said

    @property
    def said(self):
        """What the actions are given: the fields, and the secret apart."""
        names = [*self.Meta.fields, "structures", "secret"]
        return {name: self.cleaned_data[name] for name in names}
