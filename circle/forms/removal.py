"""Why someone leaves the circle."""

from __future__ import annotations

from django import forms

from circle.models import Period
from coordination.dossiers.forms import TidyForm


class RemovalForm(TidyForm):
    reason = forms.ChoiceField(label="Motif", choices=[("", "Choisir"), *Period.EndReason.choices])
    note = forms.CharField(label="Précision", max_length=300, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)
