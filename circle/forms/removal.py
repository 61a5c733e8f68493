"""Why someone leaves the circle."""

from __future__ import annotations

from django import forms

from circle.models import Period
from coordination.dossiers.forms import TidyForm

# A double leaves by being joined with the entry that stays, which takes over its role and its refusal.
REASONS = [(value, label) for value, label in Period.EndReason.choices if value != Period.EndReason.DOUBLON]


class RemovalForm(TidyForm):
    reason = forms.ChoiceField(label="Motif", choices=[("", "Choisir"), *REASONS])
    note = forms.CharField(label="Précision", max_length=300, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)
