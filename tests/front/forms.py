"""Forms of the style pages: every kind of field, invented people only."""

from django import forms

SPECIAL = "Il manque ce qui suit l’arobase, par exemple « nom@domaine.fr »"


class PersonForm(forms.Form):
    kind = forms.ChoiceField(
        label="Qui ajoutez-vous ?",
        widget=forms.RadioSelect,
        choices=[
            ("pro", "Un professionnel"),
            ("aidant", "Un aidant, un représentant légal, une personne de confiance"),
        ],
    )
    family_name = forms.CharField(label="Nom", max_length=80)
    given_name = forms.CharField(label="Prénom", max_length=80)
    profession = forms.ChoiceField(
        label="Profession",
        choices=[("", "Choisir"), ("Rééducation", [("ergo", "Ergothérapeute"), ("kine", "Masseur-kinésithérapeute")])],
    )
    email = forms.EmailField(label="Adresse e-mail", error_messages={"invalid": SPECIAL})
    mobile = forms.RegexField(
        r"^(\d\D*){10}$", label="Numéro de mobile", error_messages={"invalid": "10 chiffres attendus, 9 saisis"}
    )
    landline = forms.CharField(label="Numéro de téléphone fixe", required=False)
    structure = forms.CharField(label="Structure", required=False)
    role = forms.ChoiceField(label="Rôle", choices=[("ergo", "Ergothérapeute")])
    address = forms.CharField(label="Adresse", required=False)
    postal_code = forms.CharField(label="Code postal")
    town = forms.CharField(label="Ville", required=True)
    red_list = forms.BooleanField(label="Sur liste rouge", required=False)
    description = forms.CharField(
        label="Description", required=False, widget=forms.Textarea, help_text="Visible par les membres du cercle."
    )
    channels = forms.MultipleChoiceField(
        label="Prévenir par",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("mail", "E-mail"), ("sms", "SMS")],
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class AccessForm(forms.Form):
    role = forms.ChoiceField(
        label="Rôle", widget=forms.RadioSelect, choices=[("mt", "Médecin traitant"), ("mg", "Médecin généraliste")]
    )
    habilitation = forms.ChoiceField(
        label="Habilitation",
        widget=forms.RadioSelect,
        choices=[("oui", "Oui"), ("non", "Non"), ("refus", "Refus")],
    )
    handover_date = forms.DateField(label="À partir du", required=False)
    handover_role = forms.ChoiceField(
        label="Son nouveau rôle", choices=[("mg", "Médecin généraliste")], required=False
    )
    refusal_date = forms.DateField(label="Date du refus", required=False)
    refusal_comment = forms.CharField(label="Comment le refus a été recueilli", required=False)
    email = forms.EmailField(label="Adresse e-mail professionnelle")
    description = forms.CharField(label="Description, visible dans le cercle", required=False)
