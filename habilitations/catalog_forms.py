"""What an administrator writes about a profile or a rubric: its words and its place."""

from __future__ import annotations

import re

from django import forms
from django.core.validators import RegexValidator

from coordination.common.text import fold
from habilitations.catalog import GROUPS, ICONS, Catalog
from habilitations.forms import REQUIRED, name_read
from habilitations.models.catalog import CODE

FIRST = ""
_CODE_HELP = "Laissé vide, il est tiré du nom. Il ne changera jamais."


class _Named(forms.Form):
    """A name, and a code at creation only. `seen`: the last change of the catalogue that the author had read."""

    longest_code = 20
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, new: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if new:
            del self.fields["seen"]
            wrong = "Des lettres minuscules sans accent, des chiffres et des tirets bas, une lettre d’abord."
            self.fields["code"] = forms.CharField(
                label="Code", required=False, max_length=self.longest_code, help_text=_CODE_HELP,
                validators=[RegexValidator(CODE, wrong)],
            )  # fmt: skip

    def clean_label(self) -> str:
        return name_read(self.cleaned_data["label"])

    def clean_seen(self) -> int:
        return self.cleaned_data["seen"] or 0

    def clean(self):
        said = super().clean()
        if "code" in self.fields and not self.errors and not said["code"]:
            made = re.sub(r"[^a-z0-9]+", "_", fold(said["label"])).strip("_")[: self.longest_code].strip("_")
            if re.match(CODE, made):
                said["code"] = made
            else:
                self.add_error("code", "Aucun code ne se tire de ce nom : écrivez-en un.")
        return said


class ProfileForm(_Named):
    longest_code = 40
    label = forms.CharField(label="Nom", max_length=60, error_messages={"required": REQUIRED})
    gathers = forms.CharField(
        label="Qui il réunit", max_length=120, required=False,
        help_text="Au pluriel et en minuscules : « médecins ». Dit à qui demande qui ouvre une rubrique.",
    )  # fmt: skip
    reduced = forms.BooleanField(
        label="Cercle réduit", required=False,
        help_text="Ne voit jamais tout le cercle : la coordination, les personnes à prévenir et sa structure.",
    )  # fmt: skip
    after = forms.ChoiceField(label="Place dans la liste", required=False)

    def __init__(self, *args, catalog: Catalog, code: str = "", **kwargs):
        super().__init__(*args, new=not code, **kwargs)
        self.fields["after"].choices = [
            (FIRST, "En premier"),
            *((p.code, f"Après {p.label}") for p in catalog.profiles.values() if p.code != code),
        ]


class RubricForm(_Named):
    label = forms.CharField(label="Nom", max_length=40, error_messages={"required": REQUIRED})
    short = forms.CharField(
        label="Nom court", max_length=16, required=False, help_text="Tête de colonne de la matrice."
    )
    description = forms.CharField(
        label="Description", max_length=200, required=False, help_text="Montrée dans « Mon accès »."
    )
    group = forms.ChoiceField(label="Groupe", choices=list(GROUPS.items()), error_messages={"required": REQUIRED})
    icon = forms.ChoiceField(label="Icône", choices=list(ICONS.items()), error_messages={"required": REQUIRED})
    after = forms.ChoiceField(
        label="Place dans son groupe", required=False, help_text="Celle d’un autre groupe vaut la première place."
    )

    def __init__(self, *args, catalog: Catalog, code: str = "", **kwargs):
        super().__init__(*args, new=not code, **kwargs)
        others = sorted((e for e in catalog.entries.values() if e.rubrique != code), key=lambda e: e.rank)
        grouped = [
            (title, [(e.rubrique.value, f"Après {e.label}") for e in others if e.group == group])
            for group, title in GROUPS.items()
        ]
        self.fields["after"].choices = [(FIRST, "En premier"), *(pair for pair in grouped if pair[1])]
