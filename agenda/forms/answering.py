"""What one who is invited answers."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django import forms

from agenda.forms.fields import AgendaDateField, HourField
from agenda.models import Appointment
from agenda.recurrence import instant
from agenda.zones import require_hour
from coordination.common.errors import DomainError
from coordination.dossiers.forms import TidyForm

ACCEPT, DECLINE, PROPOSE = "accepter", "decliner", "proposer"
REQUIRED = {"day": "Indiquez le jour.", "starts": "Indiquez l’heure.", "ends": "Indiquez l’heure."}


class AnswerForm(TidyForm):
    """Yes, no, or another time on the clock of the appointment."""

    answer = forms.ChoiceField(
        choices=[(ACCEPT, "Accepter"), (DECLINE, "Décliner"), (PROPOSE, "Proposer un autre moment")],
        widget=forms.RadioSelect,
        label="Votre réponse",
        error_messages={"required": "Choisissez une réponse."},
    )
    day = AgendaDateField(label="Jour", required=False)
    starts = HourField(label="De", required=False)
    ends = HourField(label="À", required=False)
    comment = forms.CharField(
        label="Un mot aux participants",
        max_length=300,
        required=False,
        help_text="Sans information de santé.",
    )
    # When and where it is, as the page said it: nothing unread is accepted (`agenda.actions.common.read_as`).
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, appointment: Appointment, **kwargs) -> None:
        self._zone = ZoneInfo(appointment.zone)
        super().__init__(*args, **kwargs)

    def clean(self):
        data = super().clean()
        if data.get("answer") != PROPOSE:
            return data
        for name, sentence in REQUIRED.items():
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, sentence)
        if not self.errors:
            self._read_moment(data)
        return data

    def _read_moment(self, data: dict) -> None:
        """Put `starts_at` and `ends_at` beside what was typed."""
        start = dt.datetime.combine(data["day"], data["starts"])
        end = dt.datetime.combine(data["day"], data["ends"])
        try:
            require_hour(start, self._zone.key)
        except DomainError as refusal:
            self.add_error("starts", str(refusal))
        data["starts_at"], data["ends_at"] = instant(start, self._zone), instant(end, self._zone)
