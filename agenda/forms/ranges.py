"""What a professional types of his own agenda: openings and absences, once or every so many weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms

from agenda.actions.openings import OpeningSaid, When
from agenda.forms.fields import AgendaDateField, HourField
from agenda.models import Absence, Opening
from agenda.models.schedules import Modality
from agenda.rule_formats import rule_from_text
from agenda.rules import Day, Freq, Rule
from agenda.service_types import label_of
from agenda.wording import WEEKDAYS, is_simple
from agenda.zones import wall
from coordination.directory.models import Structure
from coordination.dossiers.forms import TidyForm

ONCE, KEEP = "", "garder"
WEEKS = [
    (ONCE, "Une seule fois"),
    ("1", "Chaque semaine"),
    ("2", "Une semaine sur deux"),
    ("3", "Toutes les 3 semaines"),
    ("4", "Toutes les 4 semaines"),
]
MIDNIGHT = dt.time()


class RangeForm(TidyForm):
    """A day, hours, and how they repeat. `row`: the opening or absence that is changed."""

    first_day = AgendaDateField(label="Premier jour", error_messages={"required": "Indiquez le jour."})
    starts = HourField(label="De")
    ends = HourField(label="À")
    weeks = forms.ChoiceField(label="Répétition", choices=WEEKS, required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label="Jours de la semaine",
        choices=[(number, day.capitalize()) for number, day in enumerate(WEEKDAYS)],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Sans choix, le jour de la semaine du premier jour.",
    )
    until = AgendaDateField(label="Jusqu’au", required=False, help_text="Sans date, la répétition continue.")
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, row: Opening | Absence | None = None, initial=None, **kwargs) -> None:
        self.row = row
        super().__init__(*args, initial=(self.said_by(row) if row else {}) | (initial or {}), **kwargs)
        if row and row.rule and not is_simple(rule_from_text(row.rule)):
            self.fields["weeks"].choices = [*WEEKS, (KEEP, "La répétition reçue d’un autre logiciel")]

    @staticmethod
    def said_by(row: Opening | Absence) -> dict[str, Any]:
        """Return what the form shows of a row."""
        starts, ends = wall(row.starts), wall(row.ends)
        said: dict[str, Any] = {
            "first_day": starts.date(), "starts": starts.time(), "ends": ends.time(), "version": row.version,
        }  # fmt: skip
        if not row.rule:
            return said
        rule = rule_from_text(row.rule)
        if not is_simple(rule):
            return said | {"weeks": KEEP}
        days = [day.weekday for day in rule.by_day] or [starts.weekday()]
        return said | {"weeks": str(rule.interval), "weekdays": days, "until": rule.until}

    def clean(self):
        data = super().clean()
        if data.get("weeks", ONCE) in (ONCE, KEEP):
            return data
        if data.get("until") and data.get("first_day") and data["until"] < data["first_day"]:
            self.add_error("until", "La répétition se termine avant de commencer.")
        return data

    def when(self) -> When:
        """Return what was typed; a repetition begins on the first of its weekdays."""
        data = self.cleaned_data
        rule = self._rule(data)
        day = _first_of(data["first_day"], data["weekdays"]) if self._repeats(data) else data["first_day"]
        starts, ends = self._span(data)
        return When(dt.datetime.combine(day, starts), dt.datetime.combine(day, MIDNIGHT) + ends, rule)

    def _span(self, data: Mapping[str, Any]) -> tuple[dt.time, dt.timedelta]:
        """Return the hour it begins and how long after midnight of that day it ends."""
        ends = data["ends"]
        return data["starts"], dt.timedelta(hours=ends.hour, minutes=ends.minute)

    @staticmethod
    def _repeats(data: Mapping[str, Any]) -> bool:
        return data["weeks"] not in (ONCE, KEEP)

    def _rule(self, data: Mapping[str, Any]) -> Rule | None:
        if data["weeks"] == KEEP:
            return rule_from_text(self.row.rule)
        if not self._repeats(data):
            return None
        days = tuple(Day(number) for number in sorted(data["weekdays"]))
        return Rule(Freq.WEEKLY, interval=int(data["weeks"]), until=data["until"], by_day=days)


class OpeningForm(RangeForm):
    """« Plage d’ouverture ». `structures`: where this person works; `codes`: what the agenda offers."""

    modality = forms.ChoiceField(label="Modalité", choices=[("", "Au choix"), *Modality.choices], required=False)
    structure = forms.ModelChoiceField(
        label="Structure", queryset=Structure.objects.none(), required=False, empty_label="Aucune en particulier"
    )
    place = forms.CharField(label="Lieu", max_length=300, required=False)
    video_url = forms.URLField(
        label="Lien de visioconférence",
        max_length=300,
        required=False,
        assume_scheme="https",
        error_messages={"invalid": "Cette adresse n’est pas celle d’une page : elle commence par https://."},
    )
    service_codes = forms.MultipleChoiceField(
        label="Types de rendez-vous",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Sans choix, tous ceux de votre agenda.",
    )

    field_order = (
        "first_day", "starts", "ends", "weeks", "weekdays", "until", "modality", "structure", "place", "video_url",
        "service_codes",
    )  # fmt: skip

    def __init__(self, *args, structures, codes, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["structure"].queryset = structures
        self.fields["service_codes"].choices = [(code, label_of(code) or code) for code in codes]

    @staticmethod
    def said_by(row: Opening) -> dict[str, Any]:
        return RangeForm.said_by(row) | {
            "modality": row.modality, "structure": row.structure_id, "place": row.place, "video_url": row.video_url,
            "service_codes": row.service_codes,
        }  # fmt: skip

    def said(self) -> OpeningSaid:
        return OpeningSaid(**{name: self.cleaned_data[name] for name in OpeningSaid.__dataclass_fields__})


class AbsenceForm(RangeForm):
    """« Absence »: whole days, or some hours of a day."""

    last_day = AgendaDateField(label="Dernier jour", required=False, help_text="Laissez vide pour un seul jour.")
    all_day = forms.BooleanField(label="Toute la journée", required=False, initial=True)
    starts = HourField(label="De", required=False)
    ends = HourField(label="À", required=False)
    label = forms.CharField(
        label="Libellé", max_length=120, required=False, help_text="Vous seul le lisez. Les autres voient « Occupé »."
    )

    field_order = ("first_day", "last_day", "all_day", "starts", "ends", "label", "weeks", "weekdays", "until")

    @staticmethod
    def said_by(row: Absence) -> dict[str, Any]:
        said = RangeForm.said_by(row)
        last = wall(row.ends) - dt.timedelta(days=1) if row.all_day else wall(row.ends)
        said |= {"all_day": row.all_day, "label": row.label}
        if last.date() != said["first_day"]:
            said["last_day"] = last.date()
        return said | ({"starts": None, "ends": None} if row.all_day else {})

    def clean(self):
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "Le dernier jour doit suivre le premier.")
        for name in () if data.get("all_day") else ("starts", "ends"):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, "Indiquez l’heure, ou choisissez « Toute la journée ».")
        return data

    def _span(self, data: Mapping[str, Any]) -> tuple[dt.time, dt.timedelta]:
        days = (data["last_day"] or data["first_day"]) - data["first_day"]
        if data["all_day"]:
            return MIDNIGHT, days + dt.timedelta(days=1)
        return data["starts"], days + dt.timedelta(hours=data["ends"].hour, minutes=data["ends"].minute)


def _first_of(day: dt.date, weekdays: list[int]) -> dt.date:
    """Return the first day from this one that is one of these weekdays; itself when none is chosen."""
    if not weekdays:
        return day
    return day + dt.timedelta(days=min((number - day.weekday()) % 7 for number in weekdays))
