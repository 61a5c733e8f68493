"""What is always true of time, of what waits to leave, of the directory."""

from __future__ import annotations

import uuid

from django.utils import timezone

from agenda.actions import consents as agenda_consents
from agenda.actions import feeds, rooms
from agenda.actions.appointments import Facts, create_appointment
from agenda.actions.attending import Who
from agenda.models import (
    AgendaConsent,
    Answer,
    Appointment,
    Feed,
    Occupation,
    Participation,
    Proposal,
    Room,
    Schedule,
    Series,
)
from coordination.directory.models import AttachmentOffer, Professional, Structure
from coordination.fhir.models import Replay
from coordination.outbox.models import Job, Message
from coordination.partners import actions as partners
from coordination.partners.models import Relay, RelayedId
from habilitations.actions import name_administrator
from tests.agenda import factories as events
from tests.circle import factories as make
from tests.invariants.attacks import Attack, Invariant, changes, inserts
from tests.invariants.world import DAY, HOUR, World
from tests.outbox.factories import MessageFactory


def occupation(key, i: int = 0, **fields) -> Occupation:
    starts = events.at(10) + i * HOUR / 60
    said = {"key": key, "kind": "rendez_vous", "source": uuid.uuid4(), "exclusive": True, "recurrence_id": ""}
    return Occupation(**said | {"starts_at": starts, "ends_at": starts + HOUR} | fields)


def time_taken_twice(w: World) -> Attack:
    """Each begins a minute after the one before: all overlap."""
    key = uuid.uuid4()
    return inserts(lambda i: occupation(key, i), Occupation.objects.filter(key=key))


def time_taken_twice_by_the_act(w: World) -> Attack:
    entry = w.entry()
    member, starts = events.member(entry), events.at(10)
    facts = Facts(kind="rendez_vous", starts_at=starts, ends_at=starts + HOUR, zone="Europe/Paris")
    return Attack(
        lambda _: create_appointment(entry, facts, Who([member.pk]), creation_key=uuid.uuid4()),
        Appointment.objects.filter(dossier=entry.dossier),
    )


def of_a_time(*, given=None, **values):
    def attack(w: World) -> Attack:
        row = occupation(uuid.uuid4(), **given or {})
        row.save()
        return changes(Occupation.objects.filter(pk=row.pk), **values)

    return attack


def time_counted_twice(w: World) -> Attack:
    key, source = uuid.uuid4(), uuid.uuid4()
    return inserts(lambda _: occupation(key, source=source, exclusive=False), Occupation.objects.filter(key=key))


def agenda_twice(w: World) -> Attack:
    user = w.user()
    return inserts(lambda _: Schedule(key=user.pk, user=user), Schedule.objects.filter(user=user))


def of_an_appointment(**values):
    def attack(w: World) -> Attack:
        row = w.appointment()
        row.save()
        return changes(Appointment.objects.filter(pk=row.pk), **values)

    return attack


def appointment_received_twice(w: World) -> Attack:
    dossier, name = w.dossier(), {"identifier_system": "urn:oid:1.2.3", "identifier_value": "A-1"}
    return inserts(lambda _: w.appointment(dossier, **name), Appointment.objects.filter(dossier=dossier))


def appointment_sent_twice(w: World) -> Attack:
    dossier, key = w.dossier(), uuid.uuid4()
    return inserts(lambda _: w.appointment(dossier, creation_key=key), Appointment.objects.filter(dossier=dossier))


def appointment_sent_twice_by_the_act(w: World) -> Attack:
    """The second one is answered with what the first one made."""
    entry, key = w.entry(), uuid.uuid4()
    member, starts = events.member(entry), events.at(11)
    facts = Facts(kind="rendez_vous", starts_at=starts, ends_at=starts + HOUR, zone="Europe/Paris")
    return Attack(
        lambda _: create_appointment(entry, facts, Who([member.pk]), creation_key=key),
        Appointment.objects.filter(creation_key=key), allowed=32,
    )  # fmt: skip


def occurrence_twice(w: World) -> Attack:
    said = {"starts": "2026-12-01T10:00", "ends": "2026-12-01T11:00", "zone": "Europe/Paris", "rule": "FREQ=DAILY"}
    series = Series.objects.create(dossier=w.dossier(), created_by=w.author, **said)
    return inserts(
        lambda _: w.appointment(series.dossier, series=series, recurrence_id="2026-12-01T10:00"),
        Appointment.objects.filter(series=series),
    )


def participant(appointment: Appointment, key) -> Participation:
    return Participation(dossier_id=appointment.dossier_id, appointment=appointment, key=key)


def participant_twice(w: World) -> Attack:
    appointment, key = w.appointment(), uuid.uuid4()
    appointment.save()
    return inserts(lambda _: participant(appointment, key), Participation.objects.filter(appointment=appointment))


def proposal(w: World) -> Proposal:
    appointment = w.appointment()
    appointment.save()
    return Proposal(
        dossier_id=appointment.dossier_id, appointment=appointment, starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )  # fmt: skip


def time_proposed_twice(w: World) -> Attack:
    first = proposal(w)
    said = {"dossier_id": first.dossier_id, "appointment": first.appointment, "ends_at": first.ends_at}
    return inserts(
        lambda _: Proposal(**said, starts_at=first.starts_at), Proposal.objects.filter(appointment=first.appointment)
    )


def answer_twice(w: World) -> Attack:
    asked = proposal(w)
    asked.save()
    who = participant(asked.appointment, uuid.uuid4())
    who.save()
    said = {"dossier_id": asked.dossier_id, "proposal": asked, "participation": who}
    return inserts(
        lambda i: Answer(**said, choice="oui" if i % 2 else "non"), Answer.objects.filter(proposal=asked)
    )  # fmt: skip


def room_twice(w: World) -> Attack:
    house = w.structure()
    return inserts(lambda _: Room(structure=house, name="Salle 1"), Room.objects.filter(structure=house))


def room_twice_by_the_act(w: World) -> Attack:
    house, user = w.structure(), make.account()
    name_administrator(house, user, by=w.administrator)
    return Attack(
        lambda _: rooms.add_room(house.pk, by=user, name="Salle 1"), Room.objects.filter(structure=house)
    )  # fmt: skip


def feed_twice(w: World) -> Attack:
    user = w.user()
    return inserts(lambda _: Feed(user=user, token_digest=uuid.uuid4().hex * 2), Feed.objects.filter(user=user))


def feed_twice_by_the_act(w: World) -> Attack:
    user = w.user()
    return Attack(lambda _: feeds.open_feed(user, level="occupe"), Feed.objects.filter(user=user))


def agreed_twice(w: World) -> Attack:
    dossier, today = w.dossier(), timezone.localdate()
    return inserts(
        lambda _: AgendaConsent(dossier=dossier, given_on=today, recorded_by=w.author),
        AgendaConsent.objects.filter(dossier=dossier, withdrawn_at=None),
    )


def agreed_twice_by_the_act(w: World) -> Attack:
    entry, today = w.entry(), timezone.localdate()
    return Attack(
        lambda _: agenda_consents.record_consent(entry, on=today), AgendaConsent.objects.filter(dossier=entry.dossier)
    )


def letter_with_the_number_of_another(w: World) -> Attack:
    letters = [MessageFactory.build(message_id=f"<{w.author.pk}@essai.example>") for _ in range(32)]
    return inserts(lambda i: letters[i], Message.objects.filter(message_id=letters[0].message_id))


def of_a_letter(**values):
    return lambda w: changes(Message.objects.filter(pk=MessageFactory().pk), **values)


def done_and_given_up(w: World) -> Attack:
    job = Job.objects.create(kind="essai", ref=uuid.uuid4(), done_at=timezone.now())
    return changes(Job.objects.filter(pk=job.pk), given_up_at=timezone.now())


def asked_of_a_partner_twice(w: World) -> Attack:
    said = {"partner": w.partner(), "kind": "essai", "object_id": uuid.uuid4(), "asked_by": w.author}
    return inserts(lambda _: Relay(**said), Relay.objects.filter(partner=said["partner"]))


def asked_of_a_partner_twice_by_the_act(w: World) -> Attack:
    partner, about = w.partner(), uuid.uuid4()
    return Attack(
        lambda _: partners.ask_relay(partner, kind="essai", object_id=about, by=w.author),
        Relay.objects.filter(partner=partner),
    )


def known_twice_at_a_partner(w: World) -> Attack:
    said = {"partner": w.partner(), "resource_type": "CareTeam", "local_id": uuid.uuid4()}
    return inserts(lambda i: RelayedId(**said, remote_id=str(i)), RelayedId.objects.filter(local_id=said["local_id"]))


def number_of_another(w: World) -> Attack:
    number = f"8{uuid.uuid4().int % 10**11:011}"
    rows = [make.ProfessionalFactory.build(national_id=number) for _ in range(32)]
    return inserts(lambda i: rows[i], Professional.objects.filter(national_id=number))


def finess_of_another(w: World) -> Attack:
    number = f"{uuid.uuid4().int % 10**9:09}"
    rows = [make.StructureFactory.build(finess=number) for _ in range(32)]
    return inserts(lambda i: rows[i], Structure.objects.filter(finess=number))


def place_offered_twice(w: World) -> Attack:
    said = {"structure": w.structure(), "user": w.user(), "offered_by": w.author, "profession": "60"}
    return inserts(
        lambda i: AttachmentOffer(
            **said, email="Neuf@ms.example" if i % 2 else "neuf@ms.example", family_name="N", given_name="L"
        ),
        AttachmentOffer.objects.filter(structure=said["structure"]),
    )


def call_made_twice(w: World) -> Attack:
    key = uuid.uuid4().hex
    return inserts(lambda i: Replay(owner="essai", key=key, digest=f"{i:064}"), Replay.objects.filter(key=key))


INVARIANTS = [
    Invariant("Personne n’est réservé à deux endroits en même temps.", ("nobody_booked_twice",), time_taken_twice,
              time_taken_twice_by_the_act),
    Invariant("Un temps pris finit après son début.", ("occupation_ends_after_it_starts",),
              of_a_time(ends_at=events.at(9))),
    Invariant("Seul un créneau proposé a une échéance.", ("only_holds_let_go",),
              of_a_time(expires_at=timezone.now() + DAY)),
    Invariant("Un temps n’est compté qu’une fois pour ce qui le prend.", ("occupation_once_per_source",),
              time_counted_twice),
    Invariant("Un compte n’a qu’un agenda.", ("one_schedule_per_account",), agenda_twice),
    Invariant("Un rendez-vous pris a un jour et une heure.", ("appointment_taken_has_a_time",),
              of_an_appointment(starts_at=None, ends_at=None)),
    Invariant("Un rendez-vous annulé a un motif, et lui seul.", ("only_the_cancelled_say_why",),
              of_an_appointment(status="cancelled")),
    Invariant("Un rendez-vous reçu deux fois d’un logiciel n’est qu’une fois dans l’agenda.",
              ("appointment_identifier_once",), appointment_received_twice),
    Invariant("Un rendez-vous envoyé plusieurs fois n’est enregistré qu’une fois.", ("appointment_created_once",),
              appointment_sent_twice, appointment_sent_twice_by_the_act),
    Invariant("Une série n’écrit qu’une fois chaque occurrence.", ("occurrence_once_per_series",), occurrence_twice),
    Invariant("Une personne ne participe qu’une fois à un rendez-vous.", ("participant_once_per_appointment",),
              participant_twice),
    Invariant("Un créneau n’est proposé qu’une fois pour une réunion.", ("proposal_once_per_meeting",),
              time_proposed_twice),
    Invariant("On ne répond qu’une fois à un créneau proposé.", ("one_answer_per_proposal",), answer_twice),
    Invariant("Deux salles d’une structure n’ont pas le même nom.", ("room_once_per_structure",), room_twice,
              room_twice_by_the_act),
    Invariant("Un agenda n’a qu’une adresse d’abonnement.", ("one_feed_per_account",), feed_twice,
              feed_twice_by_the_act),
    Invariant("L’accord de la personne pour l’agenda partagé n’est noté qu’une fois.",
              ("one_agenda_consent_at_a_time",), agreed_twice, agreed_twice_by_the_act),
    Invariant("Deux courriels n’ont pas le même numéro.", ("outbox_message_message_id_key",),
              letter_with_the_number_of_another, is_told=False),
    Invariant("Un courriel envoyé a une date d’envoi, et lui seul.", ("message_sent_has_a_date",),
              of_a_letter(state="envoye")),
    Invariant("Un travail est fait ou abandonné, pas les deux.", ("job_done_or_given_up",), done_and_given_up),
    Invariant("La même demande n’attend qu’une fois chez un partenaire.", ("relay_waits_once",),
              asked_of_a_partner_twice, asked_of_a_partner_twice_by_the_act),
    Invariant("Une ressource n’a qu’un identifiant chez un partenaire.", ("relayed_once_per_partner",),
              known_twice_at_a_partner),
    Invariant("Un identifiant national n’est que d’un professionnel.", ("professional_national_id_unique",),
              number_of_another),
    Invariant("Un numéro FINESS n’est que d’une structure.", ("structure_finess_unique",), finess_of_another),
    Invariant("Une place dans une structure n’est offerte qu’une fois à la même adresse.",
              ("attachment_offered_once",), place_offered_twice),
    Invariant("Un appel qui se nomme n’est reçu qu’une fois.", ("fhir_replay_once",), call_made_twice),
]  # fmt: skip
