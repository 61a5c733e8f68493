"""Fields of the agenda: a day and an hour as people type them."""

from __future__ import annotations

import datetime as dt
import re

from django import forms

from agenda.recurrence import OutOfTime
from agenda.rules import FIRST_YEAR, LAST_YEAR
from circle.forms.fields import FrenchDateField
from coordination.dossiers.forms import TidyForm

_HOUR = re.compile(r"(\d{1,2})\s*(?:[:hH.]\s*(\d{2})?)?")


class AgendaDateField(FrenchDateField):
    """A day typed in any French way, of the years an agenda has: beyond, clocks overflow."""

    def clean(self, value):
        day = super().clean(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(OutOfTime.message)
        return day


class DayField(AgendaDateField):
    """A day from the calendar of the browser, or typed where it has none."""

    widget = forms.DateInput(attrs={"type": "date", "autocomplete": "off"}, format="%Y-%m-%d")

    def prepare_value(self, value):
        return value


class HourField(forms.CharField):
    """« 09:00 », « 9h30 » or « 9 »; `cleaned_data` holds a time or None."""

    widget = forms.TimeInput(attrs={"type": "time", "autocomplete": "off"}, format="%H:%M")

    def __init__(self, **options) -> None:
        errors = {"required": "Indiquez l’heure."}
        super().__init__(max_length=8, error_messages=errors, **options)

    def clean(self, value):
        text = super().clean(value).strip()
        if not text:
            return None
        found = _HOUR.fullmatch(text)
        try:
            return dt.time(int(found[1]), int(found[2] or 0)) if found else self._refuse()
        except ValueError:
            return self._refuse()

    def _refuse(self):
        raise forms.ValidationError("Cette heure n’existe pas : écrivez par exemple 09:30.")


class FoldingForm(TidyForm):
    """A form whose rarer fields are folded away until they say something."""

    def usual(self) -> dict:
        """Return what the fields of a new form hold; those it does not name are empty."""
        raise NotImplementedError

    def says(self, *names: str) -> bool:
        """Return whether one of these fields is wrong, or holds anything else than usual."""
        usual = self.usual()
        return any(name in self.errors or self._shown(name) != self._shown(name, usual.get(name)) for name in names)

    def _shown(self, name: str, *given):
        value = given[0] if given else self[name].value()
        return self[name].field.widget.format_value(value) or ""
