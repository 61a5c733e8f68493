"""What one answers to the times proposed for a meeting; and minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from agenda import zones
from agenda.actions.votes import Said
from agenda.events import local
from agenda.forms.fields import DayField, HourField
from agenda.models import Answer, Proposal
from agenda.recurrence import instant
from agenda.week import Event
from coordination.common.errors import DomainError
from coordination.common.french import long_date
from coordination.dossiers.forms import TidyForm


class VoteForm(TidyForm):
    """Yes, if needed or no to each time; another moment; a word."""

    other_day = DayField(label="Un autre moment possible", required=False)
    other_hour = HourField(label="À", required=False)
    comment = forms.CharField(
        label="Un mot à l’organisateur", max_length=300, required=False, help_text="Sans information de santé."
    )

    def __init__(
        self, *args, times: Sequence[Proposal], zone: str, answered: Mapping[UUID, str] = {}, initial=None, **kwargs
    ) -> None:  # fmt: skip
        said = {f"creneau_{pk}": choice for pk, choice in answered.items()}
        super().__init__(*args, initial=said | (initial or {}), **kwargs)
        self._times, self._zone = times, ZoneInfo(zone)
        choices = {}
        for time in times:
            choices[f"creneau_{time.pk}"] = forms.ChoiceField(
                label=moment_of_time(time, zone), choices=Answer.Choice.choices, widget=forms.RadioSelect,
                error_messages={"required": "Répondez pour ce créneau.", "invalid_choice": "Choisissez une réponse."},
            )  # fmt: skip
        # The times first, as they are read.
        self.fields = choices | self.fields

    def votes(self) -> list[forms.BoundField]:
        return [self[f"creneau_{time.pk}"] for time in self._times]

    def clean(self) -> dict:
        cleaned = super().clean()
        day, hour = cleaned.get("other_day"), cleaned.get("other_hour")
        if (day is None) != (hour is None) and not self.errors:
            self.add_error("other_day" if day is None else "other_hour", "Indiquez le jour et l’heure.")
        if day and hour:
            try:
                zones.require_hour(dt.datetime.combine(day, hour), self._zone.key)
            except DomainError as refusal:
                self.add_error("other_hour", str(refusal))
        return cleaned

    def said(self) -> Said:
        """Return what the action takes."""
        data = self.cleaned_data
        choices = {time.pk: data[f"creneau_{time.pk}"] for time in self._times}
        return Said(choices=choices, other=self._other(data), comment=data["comment"])

    def _other(self, data: Mapping) -> tuple[dt.datetime, dt.datetime] | None:
        if not data["other_day"]:
            return None
        start = instant(dt.datetime.combine(data["other_day"], data["other_hour"]), self._zone)
        return start, start + (self._times[0].ends_at - self._times[0].starts_at)


def moment_of_time(time: Proposal, zone: str) -> str:
    """Return "Mardi 8 décembre 2026, 10:00 à 11:00" on the clock of the meeting."""
    starts, ends = local(time.starts_at, zone), local(time.ends_at, zone)
    return f"{long_date(starts)}, {Event(starts, ends, '').hours}".capitalize()


class MinutesForm(TidyForm):
    minutes = forms.CharField(label="Compte rendu", max_length=20_000, widget=forms.Textarea)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
