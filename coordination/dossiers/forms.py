"""Shape of what is typed about a dossier. Rules are in `actions`; here, only how things are written."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.conf import settings

from coordination.common.dates import BirthDate, InvalidDate, Precision, parse_birth_date, parse_date
from coordination.common.errors import DomainError
from coordination.common.french import phone_fr
from coordination.common.identifiers import clean_identifier, parse_email
from coordination.common.ids import uuid7
from coordination.common.ins import OID_LABELS, OID_NIR, TEST_OIDS
from coordination.common.phones import normalise_phone
from coordination.common.resending import AlreadySent
from coordination.common.text import squeeze
from coordination.dossiers import places
from coordination.dossiers.emergencies import Traits
from coordination.dossiers.models import Dossier, IdentityStatus, Sex
from habilitations.models import EmergencyAccess, EmergencyBan, EmergencyReview


class TidyForm(forms.Form):
    """Text without stray blanks, French sentences of the domain beside the field they speak of."""

    # What lower rooms call these fields.
    NAMES = {"matricule": "ins_matricule", "oid": "ins_oid", "telephone": "phone"}
    is_sent_again = False

    def clean(self) -> dict:
        cleaned = super().clean()
        for name, value in cleaned.items():
            if isinstance(value, str):
                cleaned[name] = squeeze(value)
        return cleaned

    @property
    def http_status(self) -> int:
        """Return the status of the page that shows it: sent, it is there again because something was refused."""
        if not self.is_bound:
            return 200
        return AlreadySent.status if self.is_sent_again else 422

    def read(self, name: str, reader, *args):
        """Return `reader(value, ...)`, or None after having put its refusal beside the field."""
        try:
            return reader(*args)
        except DomainError as error:
            self.add_error(name, str(error))
            return None

    def read_town(self, cleaned: dict, kept: places.Place | None) -> places.Place:
        """Return the town typed; the one that is stored, `kept`, when it is sent back as it was.

        A software may have sent one that no list holds: it does not keep people from changing the rest.
        """
        name, postal_code, code = (cleaned.get(part, "") for part in ("town_texte", "postal_code", "town"))
        if kept and (name, postal_code, code) == (kept.name, kept.postal_code, kept.code):
            return kept
        typed = name or postal_code
        found = self.read("town_texte", places.town, name, postal_code, code) if typed else None
        return found or places.Place("", "", postal_code)

    def refuse(self, error: DomainError) -> None:
        """Show a refusal of the domain beside its field, or on top when it has none here."""
        if isinstance(error, AlreadySent):
            # What is typed stays there, and may be sent as something else.
            self.is_sent_again = True
            self.data = self.data.copy()
            self.data[self.add_prefix("creation_key")] = str(uuid7())
        name = self.NAMES.get(error.field, error.field)
        self.add_error(name if name in self.fields else None, str(error))


class IdentityForm(TidyForm):
    """Traits, INS and attributes of a person (INS-1, 2, 6, 8)."""

    birth_name = forms.CharField(label="Nom de naissance", max_length=120)
    birth_given_names = forms.CharField(
        label="Prénoms de naissance",
        max_length=200,
        help_text="Tous, dans l’ordre de la pièce d’identité.",
    )
    first_given_name = forms.CharField(
        label="Premier prénom",
        max_length=100,
        required=False,
        help_text="Repris de la liste si vous le laissez vide.",
    )
    used_name = forms.CharField(label="Nom utilisé", max_length=120, required=False)
    used_given_name = forms.CharField(label="Prénom utilisé", max_length=100, required=False)
    birth_date = forms.CharField(
        label="Date de naissance",
        max_length=30,
        help_text="Par exemple 14/03/1941. Jour ou mois inconnus : 03/1941 ou 1941.",
    )
    sex = forms.ChoiceField(label="Sexe", choices=[("", "Choisir"), *Sex.choices])
    birth_place = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)
    birth_place_texte = forms.CharField(label="Lieu de naissance", max_length=120, required=False)
    ins_matricule = forms.CharField(
        label="Matricule INS",
        max_length=30,
        required=False,
        help_text="15 caractères avec la clé. Il reste masqué tant que l’identité n’est pas qualifiée.",
    )
    ins_oid = forms.ChoiceField(label="Nature du matricule", required=False)
    identity_status = forms.ChoiceField(label="Confiance dans l’identité", widget=forms.RadioSelect)
    homonym = forms.BooleanField(label="Homonyme connu", required=False)
    doubtful = forms.BooleanField(label="Identité douteuse", required=False)
    fictitious = forms.BooleanField(label="Identité fictive", required=False)

    STATUS_WORDS = {
        IdentityStatus.PROV: "Identité provisoire : aucune pièce vérifiée",
        IdentityStatus.VALI: "Identité validée : pièce d’identité vérifiée",
        IdentityStatus.RECUP: "Identité récupérée : donnée par le téléservice INSi",
        IdentityStatus.QUAL: "Identité qualifiée : donnée par INSi et pièce vérifiée",
    }

    def __init__(self, *args, current_status: str = "", born_at: places.Place | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # Where the person is born as it is stored: perhaps a place that no list holds, which stays while it is left.
        self.born_at = born_at
        self.fields["ins_oid"].choices = _oid_choices()
        self.offered = [IdentityStatus.PROV, IdentityStatus.VALI]
        if current_status and current_status not in self.offered:
            self.offered.append(IdentityStatus(current_status))
        # Every status is a value of the field, so that the rule itself refuses the ones not chosen by hand.
        self.fields["identity_status"].choices = list(self.STATUS_WORDS.items())
        self.fields["identity_status"].widget.choices = [(s.value, self.STATUS_WORDS[s]) for s in self.offered]

    def clean_birth_date(self) -> BirthDate:
        try:
            return parse_birth_date(self.cleaned_data["birth_date"])
        except InvalidDate as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict:
        cleaned = super().clean()
        text, code, kept = cleaned.get("birth_place_texte", ""), cleaned.get("birth_place", ""), self.born_at
        if kept and (text, code) == (places.written(kept.name, kept.code), kept.code):
            cleaned["born_at"] = kept
        else:
            found = self.read("birth_place_texte", places.birth_place, text, code) if text else None
            cleaned["born_at"] = found or places.Place("", "")
        return cleaned

    def traits(self) -> dict:
        """Return the fields of IdentityTraits that were typed."""
        said = self.cleaned_data
        names = (
            "birth_name", "birth_given_names", "first_given_name", "used_name", "used_given_name", "sex",
            "ins_matricule", "ins_oid", "identity_status", "homonym", "doubtful", "fictitious",
        )  # fmt: skip
        return {name: said[name] for name in names} | {
            "birth_date": said["birth_date"].date,
            "birth_date_precision": said["birth_date"].precision.value,
            "birth_place": said["born_at"].name,
            "birth_place_code": said["born_at"].code,
        }


class ContactsFields(TidyForm):
    """How the person is reached, why, and by which structure."""

    phone = forms.CharField(label="Numéro de téléphone fixe", max_length=30, required=False)
    mobile = forms.CharField(label="Numéro de mobile", max_length=30, required=False)
    email = forms.CharField(label="Adresse e-mail", max_length=254, required=False)
    address = forms.CharField(label="Adresse", max_length=300, required=False)
    postal_code = forms.CharField(label="Code postal", max_length=5, required=False)
    town = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)
    town_texte = forms.CharField(label="Ville", max_length=100, required=False)
    motif = forms.ChoiceField(label="Motif", choices=[("", "Choisir"), *Dossier.Motif.choices])
    referent_structure = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    referent_structure_texte = forms.CharField(label="Structure référente", max_length=200, required=False)

    def __init__(self, *args, find_structure=None, lives_at: places.Place | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.find_structure = find_structure
        self.lives_at = lives_at

    def clean_email(self) -> str:
        return self._parsed("email", parse_email)

    def clean_phone(self) -> str:
        return self._parsed("phone", normalise_phone)

    def clean_mobile(self) -> str:
        return self._parsed("mobile", normalise_phone)

    def _parsed(self, name: str, reader) -> str:
        typed = self.cleaned_data[name]
        try:
            return reader(typed) if typed else ""
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["lives_at"] = self.read_town(cleaned, self.lives_at)
        cleaned["structure"] = None
        if cleaned.get("referent_structure_texte"):
            cleaned["structure"] = self.read(
                "referent_structure_texte", self.find_structure, cleaned["referent_structure_texte"],
                cleaned.get("referent_structure", ""),
            )  # fmt: skip
        return cleaned

    def contacts(self) -> dict:
        """Return the fields of `actions.CONTACTS` that were typed."""
        said = self.cleaned_data
        return {name: said[name] for name in ("phone", "mobile", "email", "address")} | {
            "postal_code": said["lives_at"].postal_code,
            "town": said["lives_at"].name,
            "commune_code": said["lives_at"].code,
        }


class CreationForm(IdentityForm, ContactsFields):
    """A new dossier: identity, contacts, and why it is another person when one looks like her."""

    # As on the screen: the summary of errors reads from top to bottom.
    field_order = (*IdentityForm.base_fields, *ContactsFields.base_fields)

    duplicate_reason = forms.CharField(
        label="Pourquoi s’agit-il d’une autre personne ?", max_length=300, required=False
    )
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)


class IdentityEditForm(IdentityForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
    forget_ins = forms.BooleanField(label="Retirer le matricule enregistré", required=False)

    def traits(self) -> dict:
        traits = super().traits()
        # Nothing typed leaves what is recorded; the box removes it.
        if self.cleaned_data["forget_ins"] and not traits["ins_matricule"]:
            traits["ins_matricule"] = None
        return traits


class ContactsForm(ContactsFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


class StatusForm(TidyForm):
    status = forms.ChoiceField(label="Statut du dossier", choices=Dossier.Status.choices, widget=forms.RadioSelect)
    closing_reason = forms.ChoiceField(
        label="Motif de clôture", choices=[("", "Choisir"), *Dossier.ClosingReason.choices], required=False
    )
    note = forms.CharField(label="Précision", max_length=300, required=False)
    care_over = forms.BooleanField(label="La prise en charge est terminée : fermer l’accès du cercle", required=False)
    seen = forms.ChoiceField(choices=Dossier.Status.choices, widget=forms.HiddenInput)


def identity_initial(dossier: Dossier) -> dict:
    """Return what the identity form starts from; the matricule is never part of it (INS-4)."""
    names = (
        "birth_name", "birth_given_names", "first_given_name", "used_name", "used_given_name", "sex",
        "identity_status", "homonym", "doubtful", "fictitious", "version",
    )  # fmt: skip
    return {name: getattr(dossier, name) for name in names} | {
        "birth_date": typed_birth_date(dossier),
        "birth_place": dossier.birth_place_code,
        "birth_place_texte": places.written(dossier.birth_place, dossier.birth_place_code),
        "ins_oid": OID_NIR,
    }


def typed_birth_date(dossier: Dossier) -> str:
    """Return a birth date as one would type it, its unknown part left out: read again, it is the same date."""
    date = dossier.birth_date
    # A day known without its month was stored in January; neither known, on the last day of the year.
    year = f"{date:%Y}" if (date.month, date.day) == (12, 31) else f"{date:%d}/00/{date:%Y}"
    shapes = {Precision.DAY: f"{date:%d/%m/%Y}", Precision.MONTH: f"{date:%m/%Y}", Precision.YEAR: year}
    return shapes[Precision(dossier.birth_date_precision)]


def contacts_initial(dossier: Dossier) -> dict:
    """Return what the form of contacts starts from."""
    structure = dossier.referent_structure
    return {name: getattr(dossier, name) for name in ("email", "address", "postal_code", "motif")} | {
        "phone": phone_fr(dossier.phone),
        "mobile": phone_fr(dossier.mobile),
        "town": dossier.commune_code,
        "town_texte": dossier.town,
        "referent_structure": str(structure.pk) if structure else "",
        "referent_structure_texte": structure.name if structure else "",
        "version": dossier.contacts_version,
    }


def _oid_choices() -> list[tuple[str, str]]:
    return [(oid, label) for oid, label in OID_LABELS.items() if oid not in TEST_OIDS or settings.INS_TEST_ALLOWED]


class AskForm(TidyForm):
    """Why a member asks for a rubric."""

    reason = forms.CharField(
        label="Pourquoi en avez-vous besoin ?", max_length=300, required=False, widget=forms.Textarea
    )


class WhyForm(TidyForm):
    """Why somebody opened what he is asked about."""

    answer = forms.CharField(label="Votre réponse", max_length=500, widget=forms.Textarea)


class EmergencyForm(TidyForm):
    """Who is looked for, exactly, and why: a matricule, or all the traits (SEC-8). Nothing of it is kept anywhere."""

    ins_matricule = forms.CharField(
        label="Matricule INS", max_length=30, required=False, help_text="15 caractères. Il suffit à lui seul."
    )
    birth_name = forms.CharField(label="Nom de naissance", max_length=120, required=False)
    given_name = forms.CharField(label="Premier prénom", max_length=100, required=False)
    birth_date = forms.CharField(label="Date de naissance", max_length=30, required=False, help_text="jj/mm/aaaa")
    sex = forms.ChoiceField(label="Sexe", choices=[("", "Choisir"), *Sex.choices], required=False)
    reason = forms.ChoiceField(
        label="Motif de l’accès", choices=EmergencyAccess.Reason.choices, widget=forms.RadioSelect
    )
    detail = forms.CharField(
        label="Ce qui rend cet accès nécessaire", max_length=300, widget=forms.Textarea,
        help_text="Une phrase, sans le nom de la personne. Elle sera lue par qui répond du dossier.",
    )  # fmt: skip

    TRAITS = ("birth_name", "given_name", "birth_date", "sex")

    def clean_birth_date(self) -> BirthDate | None:
        typed = self.cleaned_data["birth_date"].strip()
        if not typed:
            return None
        try:
            found = parse_birth_date(typed)
        except InvalidDate as error:
            raise forms.ValidationError(str(error)) from None
        if found.precision != Precision.DAY:
            raise forms.ValidationError("Il faut la date complète : jour, mois et année.")
        return found

    def clean(self) -> dict:
        cleaned = super().clean()
        if not cleaned.get("ins_matricule"):
            for name in self.TRAITS:
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, "Indiquez le matricule INS, ou les quatre traits.")
        return cleaned

    def traits(self) -> Traits:
        """Return what to look for: the matricule alone when there is one."""
        said = self.cleaned_data
        if said["ins_matricule"]:
            return Traits(matricule=clean_identifier(said["ins_matricule"]).upper())
        return Traits("", said["birth_name"], said["given_name"], said["sex"], said["birth_date"].date)


class ReviewForm(TidyForm):
    """What was found of one emergency access."""

    verdict = forms.ChoiceField(
        label="Votre conclusion", choices=EmergencyReview.Verdict.choices, widget=forms.RadioSelect
    )
    comment = forms.CharField(
        label="Commentaire", max_length=500, required=False, widget=forms.Textarea,
        help_text="Nécessaire si l’accès est à examiner. Sans information de santé.",
    )  # fmt: skip


class BanForm(TidyForm):
    """When and how the person said that nobody opens her dossier in an emergency."""

    said_on = forms.CharField(label="Date", max_length=30)
    collected = forms.ChoiceField(label="Recueil", choices=[("", "Choisir"), *EmergencyBan.Collected.choices])
    comment = forms.CharField(label="Commentaire", max_length=500, required=False)

    def clean_said_on(self) -> dt.date:
        try:
            return parse_date(self.cleaned_data["said_on"])
        except InvalidDate as error:
            raise forms.ValidationError(str(error)) from None
