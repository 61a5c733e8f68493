"""When and how the person agreed to a secretary, or took her consent back."""

from __future__ import annotations

from django import forms

from circle.forms.fields import FrenchDateField
from coordination.dossiers.forms import TidyForm
from habilitations.models import SecretaryConsent


class ConsentForm(TidyForm):
    """`withdrawing` says what the two fields are about."""

    day = FrenchDateField()
    collected = forms.ChoiceField(choices=[("", "Choisir"), *SecretaryConsent.Collected.choices])

    def __init__(self, *args, withdrawing: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        what = "du retrait" if withdrawing else "de l’accord"
        self.fields["day"].label, self.fields["collected"].label = f"Date {what}", f"Recueil {what}"
