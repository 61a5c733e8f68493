"""What is typed to find a time for several, and to propose it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from agenda import zones
from agenda.actions.meetings import LONGEST_HOLD, Plan
from agenda.common_slots import Hours
from agenda.forms.fields import DayField, FoldingForm, HourField
from agenda.forms.rooms import RoomField
from agenda.models import Room
from agenda.models.schedules import Modality
from agenda.recurrence import instant
from agenda.rules import FIRST_YEAR, LAST_YEAR
from coordination.common.errors import DomainError
from coordination.common.ids import uuid7
from coordination.dossiers.forms import TidyForm

REQUIRED, WISHED, NOT_INVITED = "indispensable", "souhaite", ""
NEEDS = [(NOT_INVITED, "Non invité"), (REQUIRED, "Indispensable"), (WISHED, "Souhaité")]
MINUTES = [
    (15, "15 minutes"), (30, "30 minutes"), (45, "45 minutes"), (60, "1 heure"), (90, "1 h 30"), (120, "2 heures"),
    (180, "3 heures"),
]  # fmt: skip
LONGEST_WINDOW = dt.timedelta(days=92)
WEEK, SATURDAY = range(5), 5


class FinderForm(FoldingForm):
    """Whom to meet, how long, between which days and hours. `members`: (id, name) of who may be invited."""

    person = forms.BooleanField(label="La personne accompagnée participe", required=False)
    room = RoomField()
    minutes = forms.TypedChoiceField(label="Durée", choices=MINUTES, coerce=int)
    first_day = DayField(label="Chercher du")
    last_day = DayField(label="Au")
    earliest = HourField(label="Entre")
    latest = HourField(label="Et")
    saturday = forms.BooleanField(label="Samedi compris", required=False)
    zone = forms.ChoiceField(label="Fuseau horaire", choices=zones.CHOICES)
    quorum = forms.IntegerField(
        label="Présents au moins", min_value=2, max_value=50, required=False,
        error_messages={"invalid": "Écrivez un nombre.", "min_value": "Deux au moins.", "max_value": "50 au plus."},
        help_text="Combien doivent dire oui, vous compris. Sans nombre, les indispensables suffisent.",
    )  # fmt: skip

    def __init__(
        self, *args, members: Iterable[tuple[str, str]], rooms: Iterable[Room] = (), minutes: int = 60, initial=None,
        **kwargs,
    ) -> None:  # fmt: skip
        said = new_search() | {"minutes": nearest(minutes)}
        super().__init__(*args, initial=said | (initial or {}), **kwargs)
        found = list(rooms)
        if found or self.data.get("room"):
            self.fields["room"].offer(found)
        else:
            del self.fields["room"]
        self._members = {}
        for pk, name in members:
            field = f"presence_{pk}"
            self._members[field] = UUID(pk)
            self.fields[field] = forms.ChoiceField(label=name, choices=NEEDS, required=False)

    def usual(self) -> dict:
        return new_search()

    def presences(self) -> list[forms.BoundField]:
        return [self[name] for name in self._members]

    def summary(self) -> str:
        """Return what a valid search asks, in one line."""
        said = self.cleaned_data
        people = len(self.members()) + bool(said["person"]) + 1
        return (
            f"{people} participants · {dict(MINUTES)[said['minutes']]} · "
            f"du {said['first_day']:%d/%m} au {said['last_day']:%d/%m}"
        )

    def hidden(self) -> list[tuple[str, str]]:
        """Return what the search said, for the form that proposes: (name, value) as they were sent."""
        return [(name, value) for name in self.fields if (value := self.data.get(name))]

    def clean(self) -> dict:
        cleaned = super().clean()
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last:
            if last < first:
                self.add_error("last_day", "Le dernier jour doit suivre le premier.")
            elif last < timezone.localdate(timezone=ZoneInfo(cleaned.get("zone") or settings.TIME_ZONE)):
                self.add_error("last_day", "Ces jours sont passés : choisissez des jours à venir.")
            elif last - first > LONGEST_WINDOW:
                self.add_error("last_day", "Cherchez sur trois mois au plus.")
        earliest, latest = cleaned.get("earliest"), cleaned.get("latest")
        if earliest and latest and _minutes(latest) - _minutes(earliest) < (cleaned.get("minutes") or 0):
            self.add_error("latest", "Ces heures sont trop courtes pour cette durée.")
        if not self.members() and not cleaned.get("person"):
            self.add_error(None, "Choisissez au moins une personne à réunir avec vous.")
        return cleaned

    def members(self) -> dict[UUID, bool]:
        """Return {member: indispensable} of those invited."""
        said = {pk: self.cleaned_data.get(name) for name, pk in self._members.items()}
        return {pk: need == REQUIRED for pk, need in said.items() if need}

    def window(self) -> tuple[dt.datetime, dt.datetime]:
        """Return when to look, from now on."""
        said, zone = self.cleaned_data, ZoneInfo(self.cleaned_data["zone"])
        start = instant(dt.datetime.combine(said["first_day"], dt.time()), zone)
        end = instant(dt.datetime.combine(said["last_day"] + dt.timedelta(days=1), dt.time()), zone)
        return max(start, timezone.now()), max(end, timezone.now() + dt.timedelta(minutes=1))

    def hours(self) -> tuple[Hours, ...]:
        said = self.cleaned_data
        days = frozenset([*WEEK, SATURDAY] if said["saturday"] else WEEK)
        return (Hours(days, _minutes(said["earliest"]), _minutes(said["latest"])),)

    def day_shown(self, asked: dt.date | None) -> dt.date:
        """Return the day that is shown hour by hour: the one asked when it is in the window."""
        said = self.cleaned_data
        return asked if asked and said["first_day"] <= asked <= said["last_day"] else said["first_day"]

    def starts_of(self, day: dt.date, step: int = 30) -> list[dt.datetime]:
        """Return the starts of a day that may be chosen by hand, those to come; hours that do not exist left out."""
        said, zone = self.cleaned_data, ZoneInfo(self.cleaned_data["zone"])
        last = _minutes(said["latest"]) - said["minutes"]
        found = []
        for minute in range(_minutes(said["earliest"]), last + 1, step):
            local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
            start = instant(local, zone)
            if start > timezone.now() and start.astimezone(zone).replace(tzinfo=None) == local:
                found.append(start)
        return found


def _minutes(hour: dt.time) -> int:
    return hour.hour * 60 + hour.minute


def nearest(minutes: int) -> int:
    """Return the duration of the list that is the nearest to this one."""
    return min((choice for choice, _ in MINUTES), key=lambda choice: abs(choice - minutes))


def new_search() -> dict:
    today = timezone.localdate()
    return {
        "minutes": 60, "first_day": today + dt.timedelta(days=1), "last_day": today + dt.timedelta(days=21),
        "earliest": dt.time(8), "latest": dt.time(19), "zone": settings.TIME_ZONE,
    }  # fmt: skip


class PlanForm(TidyForm):
    """What is proposed: the times ticked or typed, what the meeting is about, where, until when one answers."""

    own_day = DayField(label="Un autre jour", required=False)
    own_hour = HourField(label="À", required=False)
    title = forms.CharField(label="Titre", max_length=120, required=False, help_text="Quelques mots : « Synthèse ».")
    reason = forms.CharField(
        label="Motif", max_length=500, required=False,
        help_text="Lu par les participants qui ont un compte. Jamais dans un e-mail.",
    )  # fmt: skip
    modality = forms.ChoiceField(label="Modalité", choices=[("", "Non précisée"), *Modality.choices], required=False)
    place = forms.CharField(
        label="Lieu", max_length=300, required=False,
        help_text="Lu aussi par ceux qui répondent sans compte : pas le nom de la personne.",
    )  # fmt: skip
    video_url = forms.URLField(
        label="Lien de visioconférence", max_length=300, required=False, assume_scheme="https",
        error_messages={"invalid": "Cette adresse n’est pas celle d’une page : elle commence par https://."},
    )  # fmt: skip
    answer_by = DayField(
        label="Réponses attendues jusqu’au", required=False,
        help_text="7 jours au plus : les créneaux proposés sont retenus jusque-là.",
    )  # fmt: skip
    creation_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, initial=None, **kwargs) -> None:
        said = {"answer_by": timezone.localdate() + dt.timedelta(days=3), "creation_key": uuid7()}
        super().__init__(*args, initial=said | (initial or {}), **kwargs)

    def plan(self, search: FinderForm) -> Plan | None:
        """Return what the action takes, None when a time typed does not exist (said beside it)."""
        said, found = self.cleaned_data, search.cleaned_data
        starts = self._starts(ZoneInfo(found["zone"]))
        if self.errors:
            return None
        return Plan(
            members=search.members(), starts=starts, minutes=found["minutes"], zone=found["zone"],
            person=found["person"], quorum=found["quorum"], room=found.get("room"),
            answer_by=self._answer_by(starts, found["zone"]), **{name: said[name] for name in TOLD},
        )  # fmt: skip

    def _starts(self, zone: ZoneInfo) -> list[dt.datetime]:
        chosen = self.data.get("choisir")
        if chosen:
            return _read_starts([chosen])
        starts = _read_starts(self.data.getlist("times"))
        day, hour = self.cleaned_data.get("own_day"), self.cleaned_data.get("own_hour")
        if (day is None) != (hour is None):
            self.add_error("own_day" if day is None else "own_hour", "Indiquez le jour et l’heure.")
        if day and hour:
            local = dt.datetime.combine(day, hour)
            try:
                zones.require_hour(local, zone.key)
            except DomainError as refusal:
                self.add_error("own_hour", str(refusal))
            starts.append(instant(local, zone))
        # One of the best times is also an hour of the grid: said twice, it is proposed once.
        return list(dict.fromkeys(starts))

    def _answer_by(self, starts: list[dt.datetime], zone: str) -> dt.datetime:
        """Return the end of that day, the first time proposed at most; without a day, three days."""
        place = ZoneInfo(zone)
        today = timezone.localdate(timezone=place)
        day = self.cleaned_data["answer_by"] or today + dt.timedelta(days=3)
        until = instant(dt.datetime.combine(day, dt.time(23, 59)), place)
        if day == today + LONGEST_HOLD:
            until = min(until, timezone.now() + LONGEST_HOLD)
        return min([until, *starts])


TOLD = ("title", "reason", "modality", "place", "video_url")


def _read_starts(texts: Iterable[str]) -> list[dt.datetime]:
    """Return the instants that a page wrote; what is none of them, or is out of the agenda, is left out."""
    found = []
    for text in texts:
        try:
            moment = parse_datetime(text)
        except ValueError:
            continue
        if moment is not None and moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
            found.append(moment)
    return found
