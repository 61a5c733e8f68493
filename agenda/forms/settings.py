"""« Réglages » of one's own agenda: its clock, and how long each kind of appointment lasts."""

from __future__ import annotations

from django import forms

from agenda import service_types
from agenda.models import Schedule
from agenda.zones import CHOICES, TERRITORIES
from coordination.dossiers.forms import TidyForm

SHORTEST, LONGEST = 5, 720
DURATION = "Indiquez une durée de 5 minutes à 12 heures."


class SettingsForm(TidyForm):
    zone = forms.ChoiceField(
        label="Fuseau horaire",
        choices=CHOICES,
        help_text="Vos ouvertures et vos absences gardent l’heure de leur horloge.",
        error_messages={"invalid_choice": "Choisissez un fuseau horaire de la liste."},
    )
    mails_invitations = forms.BooleanField(
        label="Recevoir les rendez-vous par e-mail dans mon calendrier",
        required=False,
        help_text="Chaque nouveau rendez-vous vous est aussi envoyé comme une invitation : votre messagerie le met"
        " dans votre calendrier, le déplace ou l’efface. L’invitation ne dit ni la personne, ni l’objet, ni le lieu."
        " Ce qui se répète n’est pas envoyé : abonnez-vous pour le voir.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, schedule: Schedule, offered: dict[str, int], initial=None, **kwargs) -> None:
        said = {
            "zone": schedule.zone, "version": schedule.version, "mails_invitations": schedule.mails_invitations,
        }  # fmt: skip
        said |= {_name(code): minutes for code, minutes in offered.items()}
        super().__init__(*args, initial=said | (initial or {}), **kwargs)
        if schedule.zone not in TERRITORIES:
            self.fields["zone"].choices = [(schedule.zone, schedule.zone), *CHOICES]
        for code, found in service_types.every().items():
            self.fields[_name(code)] = forms.IntegerField(
                label=found.label,
                required=False,
                min_value=SHORTEST,
                max_value=LONGEST,
                help_text=f"{found.minutes} minutes d’habitude.",
                error_messages={"invalid": DURATION, "min_value": DURATION, "max_value": DURATION},
            )

    def durations(self):
        """Return the fields of durations, in the order of the list."""
        return [self[_name(code)] for code in service_types.every()]

    def minutes(self) -> dict[str, int]:
        """Return {code: minutes} of what is offered."""
        said = {code: self.cleaned_data[_name(code)] for code in service_types.every()}
        return {code: minutes for code, minutes in said.items() if minutes}


def _name(code: str) -> str:
    return f"duree_{code}"
