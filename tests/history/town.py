"""Two dossiers, sixteen accounts who are in both, and what they do there: drawn by chance, told to the history."""

from __future__ import annotations

import datetime as dt
import random
import re
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from agenda.actions.appointments import Facts, create_appointment, move_appointment
from agenda.actions.attending import Who
from agenda.actions.consents import record_consent
from agenda.actions.merging import merge_appointments
from agenda.models import Appointment, AppointmentChange, Participation
from circle import actions as circle
from circle.models import Change, Member, RoleHolding
from circle.roles import REFERENT
from coordination.accounts.models import User
from habilitations.models import TraceHead
from habilitations.rubriques import Rubrique
from tests.agenda.factories import HOUR, at
from tests.circle import factories as make
from tests.history.recording import Client, History, Said, enters
from tests.invariants.attacks import READ_COMMITTED, SERIALIZABLE, say

CLIENTS, COORDINATORS = 16, 4
PATIENCE = 240
# Few of each, so that clients meet.
HOURS, NEWCOMERS = 4, 2
TEXT = re.compile(r"FICHE-[A-Z]{32}")
MOVED, MERGED = AppointmentChange.Kind.MOVED, AppointmentChange.Kind.MERGED
JOINED = "joined"


def text() -> str:
    """Return a name that no sheet ever had, in letters, as names are."""
    return "FICHE-" + uuid.uuid4().hex.translate(str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP"))


def when(version: int, starts_at: dt.datetime) -> str:
    return f"{version} at {starts_at.astimezone(dt.UTC):%d %H:%M}"


def coordinators(dossier: uuid.UUID) -> frozenset[uuid.UUID]:
    """Return who holds the one role today."""
    today = RoleHolding.objects.on_day(timezone.localdate()).filter(dossier=dossier, role=REFERENT)
    return frozenset(today.values_list("member_id", flat=True))


class Town:
    """The people and the two dossiers of one history. Made in the thread that writes for good."""

    def __init__(self, history: History) -> None:
        self.users = [make.coordinator() for _ in range(COORDINATORS)]
        self.users += [make.account(make.DOCTOR if i % 2 else make.NURSE) for i in range(CLIENTS - COORDINATORS)]
        self.members: dict[tuple[uuid.UUID, int], Member] = {}
        self.newcomers = [make.listed() for _ in range(NEWCOMERS)]
        self.hours = [at(9 + 2 * i) for i in range(HOURS)]
        entries = [make.open_circle(user) for user in self.users[:2]]
        for entry in entries:
            self._settle(entry, history)
        self.dossiers = [entry.dossier.pk for entry in entries]
        self.marks = dict(TraceHead.objects.filter(dossier_id__in=self.dossiers).values_list("dossier_id", "seq"))

    def _settle(self, entry, history: History) -> None:
        record_consent(entry, on=timezone.localdate())
        dossier = entry.dossier.pk
        for i, user in enumerate(self.users):
            known = Member.objects.filter(dossier=dossier, professional=user.attachment.professional).first()
            self.members[dossier, i] = known or make.add(entry, user.attachment.professional, wanted="oui")
            history.was_there(enters(dossier, user.pk), True)
        history.was_there(f"coordinator {dossier}", coordinators(dossier))

    def cookie_of(self, user: User) -> tuple[str, str]:
        browser = Browser()
        browser.force_login(user)
        return settings.SESSION_COOKIE_NAME, browser.cookies[settings.SESSION_COOKIE_NAME].value


class Actor:
    """One client who does so many acts, on what it last saw: often too late, as people are."""

    def __init__(self, client: Client, town: Town, rank: int, chance: random.Random) -> None:
        self._client, self._town, self._rank, self._chance = client, town, rank, chance
        self._sheets: dict[uuid.UUID, tuple[uuid.UUID, int, str]] = {}
        self._events: dict[uuid.UUID, tuple[uuid.UUID, int, dt.datetime]] = {}
        self._acts: dict[Callable[[uuid.UUID], object], int] = {
            self.look: 4, self.read_page: 4, self.join: 1, self.enter_relative: 2, self.write: 5, self.lead: 2,
            self.book: 3, self.move: 4, self.merge: 2,
        }  # fmt: skip
        if rank < COORDINATORS:
            self._acts |= {self.let_in: 6, self.shut_out: 6}

    def do(self, count: int) -> None:
        for _ in range(count):
            [act] = self._chance.choices([*self._acts], [*self._acts.values()])
            act(self._chance.choice(self._town.dossiers))

    # ---- reading ---------------------------------------------------------------------------------

    def look(self, dossier: uuid.UUID) -> None:
        """See everything of a dossier, and remember it."""

        def view(entry, said: Said) -> None:
            for pk, name, version in Member.objects.filter(dossier=dossier, kind="aidant").values_list(
                "pk", "family_name", "version"
            ):
                said.reads[f"sheet {pk}"] = name
                self._sheets[pk] = dossier, version, name
            said.reads[f"coordinator {dossier}"] = said.alone[f"coordinator {dossier}"] = coordinators(dossier)
            self._see_events(dossier, said)
            for someone in self._town.newcomers:
                there = Member.objects.filter(dossier=dossier, professional=someone).values_list("pk", flat=True)
                said.alone[f"member {someone.pk}"] = frozenset(there)

        self._client.act("look", dossier, Rubrique.CERCLE, view, writes=False)

    def _see_events(self, dossier: uuid.UUID, said: Said) -> None:
        for pk, version, starts_at, into in Appointment.objects.filter(dossier=dossier).values_list(
            "pk", "version", "starts_at", "merged_into"
        ):
            said.reads[f"event {pk}"] = JOINED if into else when(version, starts_at)
            self._events[pk] = dossier, version, starts_at
        busy: dict[str, set] = {}
        live = Participation.objects.filter(
            appointment__dossier__in=self._town.dossiers, appointment__status="booked", appointment__merged_into=None,
            member__kind="annuaire",
        )  # fmt: skip
        for key, starts_at, pk in live.values_list("key", "appointment__starts_at", "appointment_id"):
            busy.setdefault(f"time of {key} at {starts_at}", set()).add(pk)
        said.alone.update({what: frozenset(seen) for what, seen in busy.items()})

    def read_page(self, dossier: uuid.UUID) -> None:
        path = self._chance.choice(["cercle", "agenda"])
        self._client.page(path, dossier, f"/dossiers/{dossier}/{path}/", lambda page: frozenset(TEXT.findall(page)))

    # ---- the circle ------------------------------------------------------------------------------

    def join(self, dossier: uuid.UUID) -> None:
        someone = self._chance.choice(self._town.newcomers)

        def add(entry, _) -> None:
            circle.add_professional(
                entry, professional=someone, role="PROV", wanted="non", creation_key=uuid.uuid4()
            )  # fmt: skip

        self._client.act("join", dossier, Rubrique.CERCLE, add, writes=True)

    def enter_relative(self, dossier: uuid.UUID) -> None:
        fields = {"family_name": text(), "given_name": "Inès", "relation": "DAUC", "mobile": "06 39 98 20 55"}

        def add(entry, said: Said) -> None:
            made = circle.add_person(
                entry, fields=fields, role="CAREGIVER", creation_key=uuid.uuid4(),
                duplicate_reason="Une autre personne",
            )  # fmt: skip
            said.wrote(f"sheet {made.pk}", made.family_name, over=None)

        self._client.act("join", dossier, Rubrique.CERCLE, add, writes=True)

    def write(self, _) -> None:
        if not self._sheets:
            return
        pk, (dossier, version, before) = self._chance.choice([*self._sheets.items()])
        wanted = text()

        def edit(entry, said: Said) -> None:
            made = circle.update_member(entry, Member(pk=pk), version=version, fields={"family_name": wanted})
            said.wrote(f"sheet {pk}", made.family_name, over=before)
            said.tells = (f"sheet {pk} {made.family_name}",)

        self._client.act("write", dossier, Rubrique.CERCLE, edit, writes=True)

    def lead(self, dossier: uuid.UUID) -> None:
        """Give the one role to somebody, whoever holds it."""
        member = self._town.members[dossier, self._chance.randrange(CLIENTS)]
        handover = {"starts_on": timezone.localdate(), "new_role": "PROV"}

        def give(entry, said: Said) -> None:
            circle.change_role(entry, member, role=REFERENT, handover=handover)
            said.writes[f"coordinator {dossier}"] = frozenset({member.pk})

        self._client.act("lead", dossier, Rubrique.CERCLE, give, writes=True)

    def let_in(self, dossier: uuid.UUID) -> None:
        self._answer("grant", dossier, "oui", rests=make.team(), withdrawal=_collected("withdrawn_on"))

    def shut_out(self, dossier: uuid.UUID) -> None:
        if self._chance.random() < 0.5:
            self._answer("revoke", dossier, "refus", refusal=_collected("refused_on", comment=""))
        else:
            self._answer("revoke", dossier, "non", withdrawal=_collected("withdrawn_on"))

    def _answer(self, kind: str, dossier: uuid.UUID, wanted: str, **details) -> None:
        rank = self._chance.randrange(COORDINATORS, CLIENTS)
        member = self._town.members[dossier, rank]

        def answer(entry, said: Said) -> None:
            state = circle.set_habilitation(entry, member, wanted, **details).habilitation.state
            assert state == wanted, f"{wanted} answered, {state} written"
            said.writes[enters(dossier, self._town.users[rank].pk)] = wanted == "oui"

        self._client.act(kind, dossier, Rubrique.CERCLE, answer, writes=True)

    # ---- the agenda ------------------------------------------------------------------------------

    def book(self, dossier: uuid.UUID) -> None:
        member = self._town.members[dossier, self._chance.randrange(CLIENTS)]
        starts = self._chance.choice(self._town.hours)
        facts = Facts(kind="rendez_vous", starts_at=starts, ends_at=starts + HOUR, zone="Europe/Paris", place="Ici")

        def create(entry, said: Said) -> None:
            made = create_appointment(entry, facts, Who([member.pk]), creation_key=uuid.uuid4())
            said.wrote(f"event {made.pk}", when(made.version, made.starts_at), over=None)

        self._client.act("book", dossier, Rubrique.AGENDA, create, writes=True)

    def move(self, _) -> None:
        if not self._events:
            return
        pk, (dossier, version, before) = self._chance.choice([*self._events.items()])
        starts = self._chance.choice([hour for hour in self._town.hours if hour != before])

        def change(entry, said: Said) -> None:
            made = move_appointment(entry, pk, starts_at=starts, ends_at=starts + HOUR, version=version)
            said.wrote(f"event {pk}", when(made.version, made.starts_at), over=when(version, before))
            said.tells = (f"event {pk} {MOVED}",)

        self._client.act("move", dossier, Rubrique.AGENDA, change, writes=True)

    def merge(self, dossier: uuid.UUID) -> None:
        """Join two events of the same hour, whoever entered them; those of one source are refused."""
        by_hour: dict[dt.datetime, list[uuid.UUID]] = {}
        for pk, (of, _, starts_at) in self._events.items():
            if of == dossier:
                by_hour.setdefault(starts_at, []).append(pk)
        several = [pks for pks in by_hour.values() if len(pks) > 1]
        if not several:
            return
        kept_id, other_id = self._chance.sample(self._chance.choice(several), 2)

        def join(entry, said: Said) -> None:
            kept = merge_appointments(entry, kept_id, other_id)
            other = Appointment.objects.get(pk=other_id)
            # It was decided on both as they were, one version before.
            said.wrote(f"event {kept_id}", when(kept.version, kept.starts_at),
                       over=when(kept.version - 1, kept.starts_at))  # fmt: skip
            said.wrote(f"event {other_id}", JOINED, over=when(other.version - 1, other.starts_at))
            said.tells = (f"event {kept_id} {MERGED}", f"event {other_id} {MERGED}")

        self._client.act("merge", dossier, Rubrique.AGENDA, join, writes=True)


def _collected(day: str, **details) -> dict:
    return {day: timezone.localdate(), "collected": "oral", **details}


def told(town: Town) -> list[str]:
    """Return what the product's own history says was changed."""
    edits = Change.objects.filter(dossier__in=town.dossiers, kind=Change.Kind.EDITED, after__startswith="FICHE-")
    moves = AppointmentChange.objects.filter(dossier__in=town.dossiers, kind__in=[MOVED, MERGED])
    sheets = [f"sheet {pk} {after}" for pk, after in edits.values_list("member_id", "after")]
    return sheets + [f"event {pk} {kind}" for pk, kind in moves.values_list("appointment_id", "kind")]


def play(town: Town, history: History, seed: int, *, acts: int, isolation: str = READ_COMMITTED) -> None:
    """Have every client do its acts at once, each in a thread with its connection; then look at both dossiers."""
    again = isolation == SERIALIZABLE
    clients = [Client(f"client {i}", user, history, again=again) for i, user in enumerate(town.users)]
    for client in clients:
        client.sign_in(town.cookie_of(client.user))
    actors = [Actor(one, town, i, random.Random(f"{seed} {i}")) for i, one in enumerate(clients)]
    start = threading.Barrier(CLIENTS)

    def run(actor: Actor) -> None:
        try:
            say(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}")
            start.wait(PATIENCE)
            actor.do(acts)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, actors, timeout=PATIENCE))
    for dossier in town.dossiers:
        actors[0].look(dossier)
