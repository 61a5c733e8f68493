"""Why someone leaves the circle."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from circle.forms.fields import FrenchDateField
from circle.models import Period
from coordination.dossiers.forms import TidyForm

# A double leaves by being joined with the entry that stays, which takes over its role and its refusal.
REASONS = [(value, label) for value, label in Period.EndReason.choices if value != Period.EndReason.DOUBLON]


class RemovalForm(TidyForm):
    """`day`: today when it is left blank; a day to come plans the departure."""

    day = FrenchDateField(
        label="Jour du départ", required=False, help_text="Aujourd’hui, ou un jour à venir : rien ne change d’ici là."
    )
    reason = forms.ChoiceField(label="Motif", choices=[("", "Choisir"), *REASONS])
    note = forms.CharField(label="Précision", max_length=300, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_day(self) -> dt.date:
        day = self.cleaned_data["day"] or timezone.localdate()
        if day < timezone.localdate():
            raise forms.ValidationError("Choisissez aujourd’hui ou un jour à venir.")
        return day
