"""One unmistakable word per text field of a dossier, and who may read it (SECT-5).

The table says, for every free text and every name, which readers are owed it. A text field without a line fails
(test_canaries.py), as does a line without a field. Words are letters only, so that any field takes one; the third
letter says which dossier it was planted in.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.utils import timezone
from pypdf import PdfReader

from agenda.models import Appointment, CalendarInvitation, Participation
from circle import actions
from circle.circles import keep_version
from circle.models import Invitation, Member
from coordination.dossiers.actions import change_status, update_identity
from coordination.dossiers.models import Dossier
from habilitations.models import (
    AccessQuestion,
    AccessRequest,
    EmergencyAccess,
    EmergencyBan,
    EmergencyReview,
    Refusal,
    Trace,
)
from tests.circle import factories as make
from tests.security import world as w
from tests.security.expected import Who

LETTERS = dict(zip(w.SITUATIONS, "abcdefghijklmno", strict=True))
INS = {situation: f"2{41 + rank}0381999012" for rank, situation in enumerate(w.SITUATIONS)}
Reads = Callable[[Who], bool]


def identity(who: Who) -> bool:
    return who.level("identite") >= 1


def circle(who: Who) -> bool:
    """The whole circle; the reduced one gives functions and phones, no name and no word (rule 7)."""
    return who.sees_whole_circle


def reads_circle(who: Who) -> bool:
    return who.level("cercle") >= 1


def discreet(who: Who) -> bool:
    return who.sees_whole_circle and who.level("medical") >= 1


def grants(who: Who) -> bool:
    """Who may answer a request, and who asked (here, nobody of the table)."""
    return circle(who) and who.may("habiliter")


def journal(who: Who) -> bool:
    return who.level("journal") >= 1 and who.level("medical") >= 1 and who.may("lire_journal")


def agenda(who: Who) -> bool:
    """What the person told, an appointment and a meeting; what others plan without her consent is told to them alone
    (tests/agenda)."""
    return who.level("agenda") >= 1 or who.level("reunions") >= 1


def notes(who: Who) -> bool:
    """Who writes down what the person says: « Consentements et refus »."""
    return circle(who) and who.notes_refusals


def nobody(who: Who) -> bool:
    """Kept, and shown by no page to any of these readers: a page that would show it fails, and is decided here."""
    return False


# {(model, field): (word, who reads it)}; the model "circle.Member" is a relative whom all the circle sees,
# "discreet" a member whom only readers of the medical rubric see.
TABLE: dict[tuple[str, str], tuple[str, Reads]] = {
    ("dossiers.Dossier", "birth_name"): ("naissance", identity),
    ("dossiers.Dossier", "birth_given_names"): ("prenoms", identity),
    ("dossiers.Dossier", "first_given_name"): ("premier", identity),
    ("dossiers.Dossier", "used_name"): ("utilise", identity),
    ("dossiers.Dossier", "used_given_name"): ("usuel", identity),
    ("dossiers.Dossier", "birth_place"): ("lieu", identity),
    ("dossiers.Dossier", "email"): ("courrielpersonne", identity),
    ("dossiers.Dossier", "address"): ("adressepersonne", identity),
    ("dossiers.Dossier", "town"): ("villepersonne", identity),
    ("dossiers.Dossier", "status_note"): ("precision", nobody),
    ("dossiers.Dossier", "duplicate_reason"): ("homonyme", identity),
    ("dossiers.IdentityVersion", "birth_name"): ("ancien", identity),
    ("dossiers.IdentityVersion", "birth_given_names"): ("anciensprenoms", identity),
    ("dossiers.IdentityVersion", "first_given_name"): ("ancienpremier", nobody),
    ("dossiers.IdentityVersion", "used_name"): ("ancienutilise", identity),
    ("dossiers.IdentityVersion", "used_given_name"): ("ancienusuel", identity),
    ("dossiers.IdentityVersion", "birth_place"): ("ancienlieu", identity),
    ("dossiers.IdentityVersion", "reason"): ("remplacement", identity),
    ("dossiers.StatusChange", "note"): ("etat", identity),
    ("circle.Member", "family_name"): ("proche", circle),
    ("circle.Member", "given_name"): ("prenomproche", circle),
    ("circle.Member", "email"): ("courrielproche", circle),
    ("circle.Member", "address"): ("adresseproche", circle),
    ("circle.Member", "town"): ("villeproche", circle),
    ("circle.Member", "structure_name"): ("structureproche", circle),
    ("circle.Member", "description"): ("description", circle),
    ("circle.Member", "duplicate_reason"): ("doublon", nobody),
    ("discreet", "family_name"): ("discrete", discreet),
    ("discreet", "given_name"): ("prenomdiscret", discreet),
    ("discreet", "email"): ("courrieldiscret", discreet),
    ("discreet", "address"): ("adressediscrete", discreet),
    ("discreet", "town"): ("villediscrete", discreet),
    ("discreet", "structure_name"): ("structurediscrete", discreet),
    ("discreet", "description"): ("mention", discreet),
    ("discreet", "duplicate_reason"): ("doublondiscret", nobody),
    # Told by « Exporter le dossier (FHIR) »: a name that somebody gave may be a member's, hidden or not.
    ("circle.Circle", "name"): ("nomducercle", discreet),
    ("circle.Circle", "identifier_system"): ("systemeducercle", reads_circle),
    ("circle.Circle", "identifier_value"): ("numeroducercle", reads_circle),
    ("circle.Period", "end_note"): ("depart", nobody),
    ("circle.PlannedStay", "note"): ("departprevu", circle),
    ("circle.PlannedStay", "hindrance"): ("empechement", circle),
    ("circle.Change", "before"): ("avant", circle),
    ("circle.Change", "after"): ("apres", circle),
    ("circle.Change", "subject"): ("sujet", circle),
    ("circle.Invitation", "family_name"): ("invitee", circle),
    ("circle.Invitation", "given_name"): ("prenominvitee", circle),
    ("circle.Invitation", "email"): ("courrielinvitee", circle),
    ("circle.Invitation", "message"): ("message", nobody),
    ("circle.Invitation", "structure_name"): ("inviteur", nobody),
    ("circle.Invitation", "declared_name"): ("declare", nobody),
    ("circle.Invitation", "refusal_reason"): ("ecarte", grants),
    ("agenda.Appointment", "title"): ("titre", agenda),
    ("agenda.Appointment", "reason"): ("motif", agenda),
    ("agenda.Appointment", "comment"): ("commentaire", agenda),
    ("agenda.Appointment", "place"): ("endroit", agenda),
    ("agenda.Appointment", "minutes"): ("compterendu", agenda),
    ("agenda.Appointment", "identifier_system"): ("systemedurendezvous", nobody),
    ("agenda.Appointment", "identifier_value"): ("numerodurendezvous", nobody),
    ("agenda.Appointment", "received_from"): ("recude", nobody),
    # Of an event that is cancelled only.
    ("agenda.Appointment", "cancel_note"): ("annulation", nobody),
    ("agenda.Participation", "comment"): ("motdit", agenda),
    ("agenda.Participation", "email"): ("courrielparticipant", nobody),
    ("agenda.Participation", "actor"): ("acteur", nobody),
    ("agenda.Participation", "label"): ("nomdetiers", lambda who: agenda(who) and circle(who)),
    ("agenda.CalendarInvitation", "email"): ("courrielcalendrier", nobody),
    # Of an event that is moved only.
    ("agenda.AppointmentChange", "before"): ("heureavant", nobody),
    ("agenda.AppointmentChange", "after"): ("heureapres", agenda),
    ("habilitations.Refusal", "comment"): ("refus", circle),
    ("habilitations.AccessQuestion", "answer"): ("explication", journal),
    ("habilitations.Consent", "proof"): ("preuve", notes),
    ("habilitations.Opposition", "comment"): ("opposition", notes),
    ("habilitations.Opposition", "lifted_why"): ("levee", nobody),
    # « Accès d’urgence » is off: its pages are not there. On, who may habilitate reads these (tests/dossiers).
    ("habilitations.EmergencyAccess", "detail"): ("malaise", nobody),
    ("habilitations.EmergencyReview", "comment"): ("relecture", nobody),
    ("habilitations.EmergencyBan", "comment"): ("interdite", nobody),
    ("habilitations.AccessRequest", "reason"): ("demande", grants),
    ("habilitations.AccessRequest", "answer"): ("reponse", nobody),
}
# Codes of a list, national identifiers of a list, numbers: no word can be planted. The INS and the phones are,
# apart (INS, `Planted.numbers`).
NOT_WORDS = {
    "birth_place_code", "ins_matricule", "ins_oid", "phone", "mobile", "postal_code", "commune_code", "civility",
    "profession", "fonction", "relation", "role", "declared_rpps", "declared_profession",
    "action", "rubrique", "information_version",
    # Which software sent it, and a state of FHIR.
    "sender", "finer_status",
    # A clock, a type of a list, the hours and the rule of a series; a link, which is an address by itself.
    "zone", "service_type", "starts", "ends", "rule", "recurrence_id", "video_url",
    # Columns of search and order, never shown: a copy of the names, filled with them.
    "search_birth_name", "search_name", "sort_name",
}  # fmt: skip
FAMILY = ("dossiers", "circle", "habilitations", "agenda")


# What a field must look like, for whoever judges what the API writes: tests/conformance.
SHAPES = {"email": "{}@exemple.fr", "identifier_system": "https://exemple.fr/{}"}


def text_fields() -> Iterator[tuple[str, str]]:
    """Yield (model, field) for every free text of a row that belongs to a dossier."""
    for model in apps.get_models():
        label = model._meta.app_label
        about = model.__name__ == "Dossier" or any(field.name == "dossier" for field in model._meta.fields)
        if label not in FAMILY or not about or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                yield f"{label}.{model.__name__}", field.name


@dataclass(frozen=True)
class Planted:
    """What was planted in one dossier: {word: who reads it}."""

    situation: str
    words: dict[str, Reads]

    def met(self, squeezed: str) -> set[str]:
        """Return the words of this dossier in a text that was squeezed."""
        if f"zq{LETTERS[self.situation]}" not in squeezed and INS[self.situation] not in squeezed:
            return set()
        return {word for word in self.words if word in squeezed}

    def leaked(self, squeezed: str, who: Who) -> set[str]:
        """Return those that this reader is not owed."""
        return {word for word in self.met(squeezed) if not self.words[word](who)}

    def owed(self, squeezed: str, who: Who) -> set[str]:
        """Return the words that are there, and rightly."""
        return {word for word in self.met(squeezed) if self.words[word](who)}


def squeeze(text: str) -> str:
    return re.sub(r"[\s.]|&nbsp;|&#160;", "", text).lower()


def prepare(entry) -> None:
    """Put in a dossier a row of each kind that holds a text, while it may be written."""
    relative = make.relative(entry, role="CAREGIVER")
    actions.plan_departure(entry, relative, on=timezone.localdate() + dt.timedelta(days=30), reason="fin")
    hidden = make.by_hand(entry, family_name="CACHÉE", duplicate_reason="Une autre personne")
    actions.set_discreet(entry, hidden, True)
    traits = {"first_given_name": "Jeanne", "used_given_name": "Jeannette"}
    update_identity(entry.dossier, by=entry.user, version=entry.dossier.version, traits=traits)
    change_status(entry.dossier, by=entry.user, access=entry.access, status="actif")
    entry.dossier.refresh_from_db()
    # What the end of a transaction does, which comes after these tests.
    keep_version(entry.dossier.pk)
    entry.trace("lecture", rubrique="cercle")
    line = Trace.objects.of_dossier(entry.dossier.pk).filter(actor_id=entry.user.pk).last()
    AccessQuestion.objects.create(
        dossier=entry.dossier, trace_id=line.pk, trace_at=line.at, action="lecture", user=entry.user,
        asked_by=make.UserFactory(),
    )  # fmt: skip
    _emergency(entry)
    event = Appointment.objects.filter(dossier=entry.dossier, starts_at__isnull=False).first()
    # Somebody of no circle, whom a software named.
    Participation.objects.create(dossier=entry.dossier, appointment=event, key=uuid.uuid4())
    CalendarInvitation.objects.create(
        dossier=entry.dossier, appointment=event, user=entry.user, email=entry.user.email, method="REQUEST",
        sequence=0, starts_at=event.starts_at, ends_at=event.ends_at, zone=event.zone, answer="accepted",
    )  # fmt: skip


def _emergency(entry) -> None:
    """An emergency access of somebody outside the table, reviewed, then forbidden."""
    now = timezone.now()
    opened = EmergencyAccess.objects.create(
        dossier=entry.dossier, user=make.UserFactory(), reason="vitale", detail="Malaise",
        opened_at=now - dt.timedelta(hours=3), ends_at=now - dt.timedelta(hours=1),
    )  # fmt: skip
    EmergencyReview.objects.create(dossier=entry.dossier, emergency=opened, by=entry.user, verdict="justifie")
    EmergencyBan.objects.create(
        dossier=entry.dossier, said_on=timezone.localdate(), collected="oral", recorded_by=entry.user
    )


def plant(place: w.Place, situation: str) -> Planted:
    """Write a word of its own in each text field of the rows of a dossier."""
    dossier, letter = place.dossier.pk, LETTERS[situation]
    rows = {
        "dossiers.Dossier": Dossier.objects.filter(pk=dossier),
        "circle.Member": Member.objects.filter(dossier=dossier, kind="aidant"),
        "discreet": Member.objects.filter(dossier=dossier, discreet=True, kind="manuel"),
        "circle.Invitation": Invitation.objects.filter(dossier=dossier),
        # One of them: its name in other software is its own.
        "agenda.Appointment": Appointment.objects.filter(
            pk=Appointment.objects.filter(dossier=dossier).exclude(kind="reunion").values("pk")[:1]
        ),
        "habilitations.Refusal": Refusal.objects.filter(dossier=dossier),
        "habilitations.AccessRequest": AccessRequest.objects.filter(dossier=dossier),
    }
    words: dict[str, Reads] = {}
    planted: dict[str, dict[str, object]] = {}
    for (model, name), (word, reads) in TABLE.items():
        made = f"zq{letter}{word}zq"
        field = (Member if model == "discreet" else apps.get_model(model))._meta.get_field(name)
        planted.setdefault(model, {})[name] = SHAPES.get(field.name, "{}").format(made)
        words[made] = reads
    # A reason is that of a refusal.
    planted["circle.Invitation"] |= {"refused_at": timezone.now()}
    planted["habilitations.AccessQuestion"] |= {"answered_at": timezone.now()}
    for model, values in planted.items():
        found = rows.get(model)
        if found is None:
            found = apps.get_model(model).objects.filter(dossier=dossier)
            if model == "circle.Change":
                # What is told of a discreet member is that member's.
                found = found.exclude(member__discreet=True)
        assert found.update(**values), f"nothing to plant in {model}"
    name = f"zq{letter}naissancezq"
    found = Dossier.objects.filter(pk=dossier)
    found.update(search_name=f" {name}", sort_name=name, search_birth_name=name)
    words[INS[situation]] = identity
    Dossier.objects.filter(pk=dossier).update(
        ins_matricule=f"{INS[situation]}00", ins_oid="1.2.250.1.213.1.4.8", identity_status="QUAL"
    )
    keep_version(dossier)
    place.dossier.refresh_from_db()
    return Planted(situation, words)


def text_of(answer) -> str:
    """Return all that a reader can read of an answer: a page, a spreadsheet, a PDF, a contact."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    kind = answer.headers.get("Content-Type", "")
    if body.startswith(b"%PDF"):
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if body.startswith(b"PK") and "sheet" in kind:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return " ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return body.decode("utf-8", "replace")


ADDRESSES = re.compile(r'(?:href|src|action|formaction|hx-[a-z]+|data-[a-z-]*url|id|name)="([^"]*)"')
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def where_nothing_may_be(answer, text: str) -> str:
    """Return what goes further than the page: addresses, title and headers; a mail or a phone to call is not one."""
    addresses = [a for a in ADDRESSES.findall(text) if not a.startswith(("mailto:", "tel:"))]
    return " ".join([*TITLE.findall(text), *addresses, *answer.headers.values()])
