"""« Ajout manuel de personne » and the edit form of a member: the fields of SPICO's forms, in its words."""

from __future__ import annotations

from django import forms

from circle.forms.access import SOMEBODY_ELSE, RoleFields
from circle.forms.fields import AddressFields, EmailField, FrenchDateField, PhoneField
from circle.forms.invitations import MESSAGE
from circle.forms.sharing import SharingFields
from circle.models import Member
from coordination.common import nomenclatures
from coordination.common.ids import uuid7
from coordination.common.text import capital_family, capital_given
from coordination.dossiers.forms import TidyForm
from coordination.dossiers.places import Place

PROFESSIONAL, RELATIVE = "professionnel", "aidant"
# The name of the button that invites.
INVITING = "inviter"
# What the link with the person says of one's gender: « Aidante principale » needs no other question.
WOMEN = frozenset({
    "MTH", "NMTH", "STPMTH", "GRMTH", "GGRMTH", "DAU", "SIS", "HSIS", "GRNDDAU", "AUNT", "NIECE", "WIFE", "DAUC",
})  # fmt: skip
MEN = frozenset({
    "FTH", "NFTH", "STPFTH", "GRFTH", "GGRFTH", "SON", "BRO", "HBRO", "GRNDSO", "UNCLE", "NEPHEW", "HUSB", "SONC",
})  # fmt: skip
NO_CONTACT = "Indiquez au moins un moyen de contact : téléphone fixe, mobile ou adresse e-mail."
DESCRIPTION = {"label": "Description", "max_length": 500, "required": False, "widget": forms.Textarea}
DISCREET = {
    "label": "Membre discret",
    "required": False,
    "help_text": (
        "Visible seulement de ceux qui lisent le volet médical : à choisir quand la présence de cette personne "
        "révèle un soin. Si vous ne lisez pas ce volet, vous ne verrez plus ce membre vous-même."
    ),
}


class ReachFields(AddressFields):
    """Who someone is and how to reach them."""

    family_name = forms.CharField(label="Nom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    given_name = forms.CharField(label="Prénom", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = EmailField(label="Adresse e-mail")
    phone = PhoneField(label="Numéro de téléphone fixe")
    mobile = PhoneField(label="Numéro de mobile")
    description = forms.CharField(**DESCRIPTION)

    def clean_family_name(self) -> str:
        return capital_family(self.cleaned_data["family_name"])

    def clean_given_name(self) -> str:
        return capital_given(self.cleaned_data["given_name"])

    def clean(self) -> dict:
        cleaned = super().clean()
        ways = ("email", "phone", "mobile")
        # A way that was mistyped is already said: asking for another one would hide the first error.
        if not any(cleaned.get(way) for way in ways) and not any(way in self.errors for way in ways):
            self.add_error("mobile", NO_CONTACT)
        return cleaned

    def fields_of_member(self) -> dict:
        """Return what was typed, by column of Member."""
        said = self.cleaned_data
        names = ("family_name", "given_name", "email", "phone", "mobile", "description")
        return {name: said[name] for name in names} | self.where()


class ProfessionalFields(ReachFields):
    profession = forms.ChoiceField(label="Profession")
    structure_name = forms.CharField(label="Structure", max_length=200, required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["profession"].choices = [("", "Choisir"), *nomenclatures.choices("profession")]

    def fields_of_member(self) -> dict:
        said = self.cleaned_data
        return super().fields_of_member() | {
            "profession": said["profession"],
            "structure_name": said["structure_name"],
        }


class RelativeFields(ReachFields):
    relation = forms.ChoiceField(label="Lien avec le patient/usager")
    unlisted = forms.BooleanField(label="Sur liste rouge", required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["relation"].choices = [("", "Choisir"), *nomenclatures.choices("relation")]

    def fields_of_member(self) -> dict:
        said = self.cleaned_data
        civility = "MME" if said["relation"] in WOMEN else "M" if said["relation"] in MEN else ""
        return super().fields_of_member() | {
            "civility": civility,
            "relation": said["relation"],
            "unlisted": said["unlisted"],
        }


class AddedByHand(RoleFields, SharingFields):
    """What a hand entry asks besides the person: role, dates, and why it is not the one already known."""

    discreet = forms.BooleanField(**DISCREET)
    starts_on = FrenchDateField(label="Dans le cercle depuis le")
    duplicate_reason = forms.CharField(**SOMEBODY_ELSE)
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)


class ManualProfessionalForm(ProfessionalFields, AddedByHand):
    """A professional whom the directory does not know; invited by e-mail in the same act, he may be habilitated."""

    NAMES = AddedByHand.NAMES | {"invitation_email": "email"}
    invitation_message = forms.CharField(**MESSAGE)

    # The order of the screen: an error summary reads like the form.
    field_order = (
        "family_name", "given_name", "profession", "email", "mobile", "phone", "structure_name", "address",
        "postal_code", "town_texte", "role", "starts_on", "description", "discreet", "rests_on", "rests_since",
        "rests_how", "rests_told", "invitation_message",
    )  # fmt: skip

    def clean(self) -> dict:
        cleaned = super().clean()
        if self.is_inviting and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", "Pour inviter cette personne, indiquez son adresse e-mail.")
        cleaned["rests"] = self.read_sharing(cleaned) if self.is_inviting and self.asks_sharing else None
        return cleaned

    @property
    def is_inviting(self) -> bool:
        """Whether the button pressed was « Ajouter, habiliter et inviter »."""
        return INVITING in self.data

    @property
    def opens(self) -> bool:
        return self.is_inviting

    def invitation(self) -> dict | None:
        """Return what `invite_member` takes, None when nobody is invited."""
        said = self.cleaned_data
        return {"email": said["email"], "message": said["invitation_message"]} if self.is_inviting else None


class RelativeForm(RelativeFields, AddedByHand):
    """An aidant, a legal representative, a trusted person."""

    field_order = (
        "family_name", "given_name", "relation", "mobile", "unlisted", "phone", "email", "address", "postal_code",
        "town_texte", "role", "starts_on", "description", "discreet",
    )  # fmt: skip


class EditFields(forms.Form):
    """A sheet that is changed. What is stored of `found` stays while it is left, were it in no list of the screen:
    a software may have sent it."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, found: Member | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.found = found
        if found:
            self.lives_at = Place(found.town, found.commune_code, found.postal_code)

    def offer_stored(self, name: str, concept: nomenclatures.Concept | None) -> None:
        """Add the stored code of a field to its choices where it is not among them."""
        choices = self.fields[name].choices
        if concept and concept.code not in dict(choices):
            self.fields[name].choices = [*choices, (concept.code, concept.label)]


class EditProfessionalForm(ProfessionalFields, EditFields):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.found:
            self.offer_stored("profession", nomenclatures.find_profession_or_role(self.found.profession))


class EditRelativeForm(RelativeFields, EditFields):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.found:
            self.offer_stored("relation", nomenclatures.get("relation_complete", self.found.relation))

    def fields_of_member(self) -> dict:
        said = super().fields_of_member()
        # A link that says no gender, and is left as it was, takes none away: a software may have said one.
        if self.found and not said["civility"] and said["relation"] == self.found.relation:
            del said["civility"]
        return said


class EditLinkedForm(TidyForm, EditFields):
    """A member linked to the directory: what is typed here is added to what the directory says."""

    email = EmailField(label="Adresse e-mail")
    phone = PhoneField(label="Numéro de téléphone fixe")
    mobile = PhoneField(label="Numéro de mobile")
    description = forms.CharField(**DESCRIPTION)

    def fields_of_member(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("email", "phone", "mobile", "description")}
