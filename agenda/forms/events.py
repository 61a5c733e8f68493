"""What is typed of an event of a person’s agenda."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone

from agenda import service_types, zones
from agenda.actions.appointments import AWAY, Facts
from agenda.actions.attending import Who
from agenda.errors import NotInTheCircle
from agenda.events import local
from agenda.forms.fields import AgendaDateField, DayField, FoldingForm, HourField
from agenda.forms.rooms import RoomField
from agenda.models import Appointment, Room
from agenda.models.schedules import Modality
from agenda.recurrence import instant
from agenda.rules import Day, Freq, Rule
from agenda.wording import WEEKDAYS
from agenda.zones import typed_over
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.ids import uuid7
from coordination.dossiers.forms import TidyForm

KIND = Appointment.Kind
AGREED, ASKED, DONE = "convenu", "demande", "fait"
HOW = [
    (AGREED, "C’est convenu : l’heure est prise pour tous"),
    (ASKED, "À confirmer par les participants"),
    (DONE, "Passage déjà fait, dans les 31 derniers jours"),
]
ONCE, DAILY = "", "jour"
EVERY = [
    (ONCE, "Ne se répète pas"), (DAILY, "Chaque jour"), ("1", "Chaque semaine"), ("2", "Une semaine sur deux"),
    ("3", "Toutes les 3 semaines"), ("4", "Toutes les 4 semaines"),
]  # fmt: skip
MOST_TIMES = 366
THIS, FOLLOWING = "celle-ci", "suivantes"
ONE_AT_A_TIME = "« Celle-ci et les suivantes » ne change pas cela : changez cette occurrence seulement."
SCOPES = [(THIS, "Cette occurrence seulement"), (FOLLOWING, "Celle-ci et les suivantes")]
SECOND_HOUR = "Cette nuit-là, l’horloge recule et une heure passe deux fois : c’est la seconde, à l’heure d’hiver."


class EventForm(FoldingForm):
    """One event. `members`: (id, name) of who may be invited; `kinds`: those whose rubric may be written.

    `appointment`: the one that is changed, whose series and state are not asked again; `attends`: who is invited to
    it.
    """

    kind = forms.ChoiceField(label="Nature", widget=forms.RadioSelect)
    title = forms.CharField(
        label="Titre", max_length=120, required=False, help_text="Quelques mots : « Pansement », « Bilan »."
    )
    service_type = forms.ChoiceField(label="Type", required=False)
    day = DayField(label="Jour")
    starts = HourField(label="De", required=False)
    ends = HourField(label="À", required=False)
    last_day = DayField(label="Dernier jour", required=False, help_text="S’il finit un autre jour.")
    all_day = forms.BooleanField(label="Toute la journée", required=False)
    zone = forms.ChoiceField(label="Fuseau horaire", choices=zones.CHOICES)
    person = forms.BooleanField(label="La personne accompagnée", required=False)
    me = forms.BooleanField(label="Vous", required=False)
    members = forms.MultipleChoiceField(
        label="Membres du cercle de soins", required=False, widget=forms.CheckboxSelectMultiple
    )
    how = forms.ChoiceField(label="Où en est ce rendez-vous", choices=HOW, widget=forms.RadioSelect)
    every = forms.ChoiceField(label="Répétition", choices=EVERY, required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label="Jours de la semaine", coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(number, day.capitalize()) for number, day in enumerate(WEEKDAYS)],
        help_text="Sans choix, le jour de la première fois.",
    )  # fmt: skip
    until = DayField(label="Jusqu’au", required=False)
    times = forms.IntegerField(
        label="Ou nombre de fois", min_value=1, max_value=MOST_TIMES, required=False,
        error_messages={"invalid": "Écrivez un nombre.", "min_value": "Une fois au moins.",
                        "max_value": f"{MOST_TIMES} fois au plus."},
    )  # fmt: skip
    modality = forms.ChoiceField(label="Modalité", choices=[("", "Non précisée"), *Modality.choices], required=False)
    place = forms.CharField(label="Lieu", max_length=300, required=False)
    video_url = forms.URLField(
        label="Lien de visioconférence", max_length=300, required=False, assume_scheme="https",
        error_messages={"invalid": "Cette adresse n’est pas celle d’une page : elle commence par https://."},
    )  # fmt: skip
    room = RoomField()
    reason = forms.CharField(
        label="Motif", max_length=500, required=False,
        help_text="Lu par ceux qui voient ce rendez-vous. Jamais dans un e-mail.",
    )  # fmt: skip
    comment = forms.CharField(label="Commentaire", max_length=2000, required=False, widget=forms.Textarea)
    on_behalf = forms.BooleanField(
        label="Saisi au nom de la personne", required=False,
        help_text="Elle ou un proche vous l’a dit : tous ceux qui lisent son agenda le voient.",
    )  # fmt: skip
    scope = forms.ChoiceField(label="Ce qui change", choices=SCOPES, widget=forms.RadioSelect)
    creation_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args, members: Iterable[tuple[str, str]], kinds: Iterable[str], own_member: str = "",
        appointment: Appointment | None = None, attends: Mapping[str, Any] = {}, rooms: Iterable[Room] = (),
        minutes: Mapping[str, int] = {}, initial: dict | None = None, **kwargs,
    ) -> None:  # fmt: skip
        said = said_of(appointment) if appointment else new_event()
        super().__init__(*args, initial=said | attends | (initial or {}), **kwargs)
        self.appointment, self.attends = appointment, attends
        wanted = set(kinds)
        self.fields["kind"].choices = [choice for choice in KIND.choices if choice[0] in wanted]
        self.minutes = {one.code: minutes.get(one.code, one.minutes) for one in service_types.every().values()}
        types = [
            (one.code, f"{one.label}, {duration(self.minutes[one.code])}") for one in service_types.every().values()
        ]
        self.fields["service_type"].choices = [("", "Non précisé"), *types]
        if appointment is None and not self.is_bound and not initial:
            # What the page needs to propose an end (static/js/durations.js): never over one that somebody typed.
            self.fields["service_type"].widget.attrs["data-durations"] = json.dumps(self.minutes)
        self._offer_rooms(rooms)
        self.fields["day"].error_messages["required"] = "Indiquez le jour."
        self.fields["members"].error_messages["invalid_choice"] = NotInTheCircle.message
        # One’s own line is « Vous ».
        self.fields["members"].choices = [one for one in members if one[0] != own_member]
        gone = (
            ("how", "every", "weekdays", "until", "times", "on_behalf", "creation_key")
            if appointment
            else ("version",)
        )
        if not (appointment and appointment.series_id and not appointment.detached):
            gone += ("scope",)
        for name in gone:
            del self.fields[name]
        if appointment and _in_second_hour(appointment):
            self.fields["day"].help_text = SECOND_HOUR

    def usual(self) -> dict:
        return new_event()

    def _offer_rooms(self, rooms: Iterable[Room]) -> None:
        """Offer these, and the one that the event has, be it withdrawn since or of another structure."""
        found = {room.pk: room for room in rooms}
        own = self.appointment.room if self.appointment else None
        if own is not None:
            found.setdefault(own.pk, own)
        if found or self.data.get("room"):
            self.fields["room"].offer(found.values())
        else:
            del self.fields["room"]

    @property
    def follows(self) -> bool:
        return self.cleaned_data.get("scope") == FOLLOWING

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("kind") in AWAY:
            self._leave_out_what_is_hidden(cleaned)
        self._end_by_type(cleaned)
        if not cleaned.get("all_day"):
            for name in ("starts", "ends"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, "Indiquez l’heure.")
        if cleaned.get("all_day") and cleaned.get("kind") not in (*AWAY, None):
            self.add_error("all_day", "Seule une absence ou une hospitalisation dure toute la journée.")
        self._check_repetition(cleaned)
        if self.appointment and cleaned.get("scope") == FOLLOWING:
            self._check_what_follows(self.appointment, cleaned)
        if not self.errors:
            self._read_moment(cleaned)
        return cleaned

    def _leave_out_what_is_hidden(self, cleaned: dict) -> None:
        """An absence is of the person alone: what was chosen before, and is not shown any more, is neither kept nor
        refused (static/css/agenda.css, `.not-away`)."""
        for name, empty in (("service_type", ""), ("members", [])):
            self.errors.pop(name, None)
            cleaned[name] = empty

    def _check_what_follows(self, appointment: Appointment, cleaned: dict) -> None:
        """Refuse what « Celle-ci et les suivantes » does not change: nothing typed is dropped without a word."""
        if cleaned.get("zone") != appointment.zone:
            self.add_error("zone", "Le fuseau horaire d’une série ne change pas : changez cette occurrence seulement.")
        stays = {"kind": appointment.kind, "all_day": appointment.all_day, "room": appointment.room}
        if cleaned.get("kind") not in AWAY:
            stays |= {name: self.attends.get(name, False) for name in ("person", "me")}
            # Those who are not offered, gone or hidden, stay whatever is ticked.
            offered = {value for value, _ in self.fields["members"].choices}
            stays["members"] = {pk for pk in self.attends.get("members", ()) if pk in offered}
        for name, value in stays.items():
            if name not in self.fields or name in self.errors:
                continue
            said = set(cleaned["members"]) if name == "members" else cleaned.get(name)
            if said != value:
                self.add_error(name, ONE_AT_A_TIME)

    def _end_by_type(self, cleaned: dict) -> None:
        """Without an end, a type lasts what « Réglages » says of it, else what it usually does."""
        minutes = self.minutes.get(cleaned.get("service_type") or "")
        if minutes and cleaned.get("starts") and cleaned.get("ends") is None and "ends" not in self.errors:
            end = dt.datetime.combine(cleaned.get("day") or timezone.localdate(), cleaned["starts"])
            end += dt.timedelta(minutes=minutes)
            cleaned["ends"] = end.time()
            if cleaned.get("day") and end.date() != cleaned["day"]:
                cleaned["last_day"] = cleaned.get("last_day") or end.date()

    def _check_repetition(self, cleaned: dict) -> None:
        if not cleaned.get("every"):
            return
        if cleaned.get("until") and cleaned.get("times"):
            self.add_error("times", "Dites un dernier jour ou un nombre de fois, pas les deux.")
        if cleaned.get("how") in (ASKED, DONE):
            self.add_error("every", "Ce qui se répète est convenu d’avance : choisissez « C’est convenu ».")

    def _read_moment(self, cleaned: dict) -> None:
        """Put what the clock says beside what was typed: `local_starts`, `local_ends`."""
        first, last = cleaned["day"], cleaned["last_day"] or cleaned["day"]
        if cleaned["all_day"]:
            starts, ends = (dt.datetime.combine(day, dt.time()) for day in (first, last + dt.timedelta(days=1)))
        else:
            starts, ends = dt.datetime.combine(first, cleaned["starts"]), dt.datetime.combine(last, cleaned["ends"])
        for name, moment in (("starts", starts), ("ends", ends)):
            try:
                zones.require_hour(moment, cleaned["zone"])
            except DomainError as refusal:
                self.add_error("day" if cleaned["all_day"] else name, str(refusal))
        cleaned["local_starts"], cleaned["local_ends"] = starts, ends

    def facts(self) -> Facts:
        """Return what the action takes, on the clock that was chosen."""
        said = self.cleaned_data
        starts_at, ends_at = self._instants()
        return Facts(
            starts_at=starts_at, ends_at=ends_at, room=said.get("room"), **{name: said[name] for name in _WRITTEN}
        )

    def _instants(self) -> tuple[dt.datetime, dt.datetime]:
        """Return when it begins and ends: of an hour that exists twice the first, unless it was in the second."""
        said, was = self.cleaned_data, self.appointment
        starts, ends, zone = said["local_starts"], said["local_ends"], ZoneInfo(said["zone"])
        if was is None or was.starts_at is None or was.ends_at is None or was.zone != said["zone"]:
            return instant(starts, zone), instant(ends, zone)
        starts_at = typed_over(starts, was.starts_at, zone)
        in_second = bool(starts_at.astimezone(zone).fold)
        return starts_at, typed_over(ends, was.ends_at, zone, later=in_second)

    @property
    def keeps_its_time(self) -> bool:
        """Whether an event is left at the time it was shown at."""
        was = self.appointment
        return was is not None and self._instants() == (was.starts_at, was.ends_at)

    def who(self) -> Who:
        said = self.cleaned_data
        members = [UUID(pk) for pk in said["members"]]
        return Who(members, me=said["me"], person=said["person"], room=said.get("room"))

    def rule(self) -> Rule | None:
        """Return how it repeats, None when it does not."""
        said = self.cleaned_data
        if not said.get("every"):
            return None
        end: dict[str, Any] = {"count": said["times"]} if said["times"] else {"until": said["until"]}
        if said["every"] == DAILY:
            return Rule(Freq.DAILY, **end)
        days = tuple(Day(number) for number in sorted(said["weekdays"]))
        return Rule(Freq.WEEKLY, interval=int(said["every"]), by_day=days, **end)

    def first_time(self) -> tuple[dt.datetime, dt.datetime]:
        """Return what the clock says the first time: on the first of the chosen weekdays."""
        said = self.cleaned_data
        starts, ends = said["local_starts"], said["local_ends"]
        if said.get("every") in (ONCE, DAILY, None) or not said["weekdays"]:
            return starts, ends
        shift = dt.timedelta(days=min((number - starts.weekday()) % 7 for number in said["weekdays"]))
        return starts + shift, ends + shift


# The columns that the form writes as they are typed.
_WRITTEN = (
    "kind", "zone", "all_day", "service_type", "title", "reason", "comment", "modality", "place", "video_url",
)  # fmt: skip


def new_event() -> dict:
    """Return what a new form proposes: the next hour; nobody is invited in advance but who writes and the person."""
    start, end = _next_hour(timezone.now(), ZoneInfo(settings.TIME_ZONE))
    return {
        "kind": KIND.APPOINTMENT.value, "day": start.date(), "starts": start.time(),
        "ends": end.time() if end.date() == start.date() else dt.time(23, 59),
        "zone": settings.TIME_ZONE, "person": True, "me": True, "how": AGREED, "creation_key": uuid7(),
    }  # fmt: skip


def _next_hour(now: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return what the clock says at the next hour to come, and an hour later.

    Of an hour that exists twice a form means the first: while the second runs, that one has gone by.
    """
    for ahead in range(1, 4):
        local = (now + dt.timedelta(hours=ahead)).astimezone(zone)
        start = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        if instant(start, zone) > now:
            break
    return start, (instant(start, zone) + dt.timedelta(hours=1)).astimezone(zone).replace(tzinfo=None)


def said_of(appointment: Appointment) -> dict:
    """Return what the form shows of an event."""
    said = {name: getattr(appointment, name) for name in _WRITTEN}
    said |= {"version": appointment.version, "scope": THIS, "room": appointment.room}
    if appointment.starts_at is None:
        return said
    starts, ends = local(appointment.starts_at, appointment.zone), local(appointment.ends_at, appointment.zone)
    last = ends - dt.timedelta(minutes=1) if appointment.all_day else ends
    said |= {"day": starts.date(), "last_day": last.date() if last.date() != starts.date() else None}
    return said | ({} if appointment.all_day else {"starts": starts.time(), "ends": ends.time()})


def _in_second_hour(appointment: Appointment) -> bool:
    """Whether it begins or ends in the second of two same hours."""
    edges = (appointment.starts_at, appointment.ends_at)
    return any(local(edge, appointment.zone).fold for edge in edges if edge)


def duration(minutes: int) -> str:
    """Return "45 minutes", "1 heure", "1 h 30"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} minutes"
    return f"{hours}\u00a0h\u00a0{rest:02}" if rest else plural(hours, "heure")


class CancelForm(TidyForm):
    """« Annuler »: why, and how much of a series."""

    NAMES = TidyForm.NAMES | {"cancel_reason": "reason"}
    reason = forms.ChoiceField(label="Motif", choices=[("", "Choisir"), *Appointment.CancelReason.choices])
    note = forms.CharField(label="Précision", max_length=300, required=False)
    scope = forms.ChoiceField(label="Ce qui est annulé", choices=SCOPES, widget=forms.RadioSelect)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, repeats: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].error_messages["required"] = "Indiquez pourquoi ce rendez-vous est annulé."
        if not repeats:
            del self.fields["scope"]


class ConsentForm(TidyForm):
    """The day the person agreed, or took it back: `seen` is the agreement that the page showed, which ends; none, and
    one is noted."""

    on = AgendaDateField(label="Le")
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
