"""Agendas exchanged with a partner: pushed as they change, asked of it, each change once (GAP-92 to 98)."""

import datetime as dt
import json
import uuid
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from agenda.actions import answering, openings, schedules, series
from agenda.actions import appointments as actions
from agenda.actions.attending import Who
from agenda.actions.openings import When
from agenda.fhir import availability
from agenda.models import Appointment, Occupation, Participation, ReceivedTime
from agenda.relays import asking, kinds, leaving
from agenda.rules import Freq, Rule
from circle.actions import leaving as leaving_
from coordination.fhir import checking
from coordination.fhir.models import Kept
from coordination.outbox import doorbell
from coordination.partners import actions as partners
from coordination.partners import client, known, relaying
from coordination.partners.models import Relay, State
from habilitations import actions as actions_
from habilitations.models import Trace
from tests.agenda import factories
from tests.agenda.factories import HOUR, at
from tests.agenda.fhir_made import SYSTEM, created, professional, put, sent
from tests.circle import factories as make
from tests.fhir import callers
from tests.fhir.api import Api
from tests.partners.factories import PartnerFactory, RelayFactory
from tests.partners.standin import StandIn

pytestmark = pytest.mark.django_db
OURS = "http://127.0.0.1:8000/fhir/identifiants/"


@pytest.fixture(autouse=True)
def _fresh_process():
    for forget in (client._tokens.clear, known.forget, doorbell.listen_again):
        forget()
    yield
    for forget in (client._tokens.clear, known.forget, doorbell.listen_again):
        forget()


@pytest.fixture
def standin():
    with StandIn().running() as running:
        yield running


@pytest.fixture
def entry(matrix, house):
    """The entry of a coordinator of a structure in the dossier she opened."""
    user = make.account(make.NURSE, make.COORDINATOR, structure=house, vouched=False)
    actions_.vouch_profession(
        user, profession=make.NURSE, fonction=make.COORDINATOR, structure=house, how="annuaire", by=None,
        national_id=user.attachment.professional.national_id, professional=user.attachment.professional,
    )  # fmt: skip
    return make.open_circle(user)


@pytest.fixture
def partner(standin, entry):
    made = PartnerFactory.of(standin, name="Agenda en ligne")
    made.structures.add(entry.access.hat.structure_id)
    return made


@pytest.fixture
def colleague(entry):
    return factories.member(entry)


def planned(entry, *members, starts=None):
    starts = starts or at()
    facts = actions.Facts(
        kind="rendez_vous", starts_at=starts, ends_at=starts + HOUR, zone="Europe/Paris", title="Point"
    )
    who = Who([one.pk for one in members], me=True, person=True)
    return actions.create_appointment(entry, facts, who, creation_key=uuid.uuid4())


def waiting(kind=kinds.APPOINTMENT):
    return Relay.objects.filter(kind=kind, state=State.EN_ATTENTE)


def do(relay, state=State.FAIT):
    relaying.relay(relay.pk)
    relay.refresh_from_db()
    assert relay.state == state, relay.last_error
    return relay


def answers(standin, type_name="Appointment", id="leur-1", status=200, **said):
    standin.says(status, {"resourceType": type_name, "id": id, "meta": {"versionId": "1"}, **said})


# ---- Pushed --------------------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-93", "GAP-98", "AGD-14")
def test_an_event_of_the_screens_goes_to_the_partner(standin, partner, entry, colleague):
    made = planned(entry, colleague)
    answers(standin, status=201)
    do(waiting().get())
    [call] = standin.calls
    assert call.method == "PUT" and urlsplit(call.path).path == "/fhir/Appointment"
    assert parse_qs(urlsplit(call.path).query) == {"identifier": [f"{OURS}rendez-vous|{made.pk}"]}
    assert call.headers["acting-professional"].endswith(entry.access.hat.national_id)
    said = json.loads(call.body)
    assert (said["status"], said["description"]) == ("booked", "Point") and "id" not in said
    named = [one["actor"].get("identifier", {}).get("value") for one in said["participant"]]
    assert colleague.professional.national_id in named and str(entry.dossier.pk) in named
    # No id of ours leads anywhere there.
    assert not any("reference" in one["actor"] for one in said["participant"])
    exported = Trace.objects.filter(dossier_id=entry.dossier.pk, action="export")
    assert [one.reason for one in exported] == ["Envoi au partenaire Agenda en ligne"]


@pytest.mark.req("GAP-93", "GAP-97")
def test_a_change_goes_once_more_and_the_same_never(standin, partner, entry):
    made = planned(entry)
    answers(standin)
    do(waiting().get())
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    actions.cancel_appointment(entry, made.pk, reason="personne")
    assert waiting().count() == 1
    answers(standin)
    do(waiting().get())
    assert json.loads(standin.calls[-1].body)["status"] == "cancelled"
    partners.leave_relays([partner], kind=kinds.APPOINTMENT, object_id=made.pk, by=entry.user)
    do(waiting().get())
    assert len(standin.calls) == 2


@pytest.mark.req("GAP-93", "GAP-97")
def test_each_occurrence_of_a_series_goes_and_what_follows_goes_again(partner, entry):
    day = at().date()
    starts, ends = (dt.datetime.combine(day, dt.time(hour)) for hour in (10, 11))
    facts = actions.Facts(kind="intervention", starts_at=at(10), ends_at=at(11), zone="Europe/Paris", title="Toilette")
    rule = Rule(Freq.WEEKLY, count=4)
    first = series.create_series(
        entry, facts, Who(me=True), starts=starts, ends=ends, rule=rule, creation_key=uuid.uuid4()
    )
    rows = list(Appointment.objects.filter(series=first.series).order_by("starts_at"))
    assert set(waiting().values_list("object_id", flat=True)) == {row.pk for row in rows}
    Relay.objects.all().delete()
    later = starts.replace(hour=15) + dt.timedelta(days=7)
    series.move_following(entry, rows[1].pk, starts=later, ends=later + HOUR)
    assert set(waiting().values_list("object_id", flat=True)) == {row.pk for row in rows[1:]}
    Relay.objects.all().delete()
    series.cancel_following(entry, rows[2].pk, reason="personne")
    assert set(waiting().values_list("object_id", flat=True)) == {row.pk for row in rows[2:]}


@pytest.mark.req("GAP-97")
def test_what_fails_is_tried_again_then_seen(standin, partner, entry):
    planned(entry)
    standin.says(503)
    relay = do(waiting().get(), state=State.EN_ATTENTE)
    assert relay.last_status == 503 and relay.attempts == 1
    Relay.objects.update(next_attempt_at=relay.created_at)
    standin.says(422, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "business-rule"}]})
    relay = do(relay, state=State.ECHEC)
    assert "business-rule" in relay.last_error
    partners.retry_relay(relay, by=None)
    answers(standin)
    do(relay)


@pytest.mark.req("GAP-96")
def test_what_a_partner_sends_is_not_sent_back_to_it(client, standin, partner, entry, colleague):
    house = make.StructureFactory()
    user, number = callers.professional(house, profession=make.NURSE, fonction=make.COORDINATOR)
    factories.member(entry, user)
    software, secret = callers.connect(house, scopes=["system/Appointment.crus"])
    partner.software = software
    partner.save()
    partner.structures.add(house)
    another = PartnerFactory.of(standin, name="Autre agenda")
    another.structures.add(house)
    theirs = Api(client, callers.acting(callers.token_of(client, software, secret), number))
    Relay.objects.all().delete()
    created(theirs, sent(entry, professional(user.attachment.professional_id)))
    assert [one.partner for one in waiting()] == [another]


@pytest.mark.req("GAP-96")
def test_an_echo_is_recognised(client, standin, partner, entry, colleague):
    """What left from here and comes back as it is changes nothing, and goes nowhere."""
    made = planned(entry, colleague)
    answers(standin)
    do(waiting().get())
    echo = json.loads(standin.calls[-1].body)
    mine = Api.of(client, entry.user)
    answer = mine.put(
        f"Appointment?identifier={unquote(urlsplit(standin.calls[-1].path).query).partition('=')[2]}", echo
    )
    assert answer.status_code == 200, answer.content
    assert Appointment.objects.count() == 1
    before = Appointment.objects.get(pk=made.pk).version
    assert before == made.version
    for relay in waiting():
        do(relay)
    assert len(standin.calls) == 1


def test_a_discreet_member_does_not_leave(standin, partner, entry):
    hidden = factories.member(entry, discreet=True)
    made = factories.appointment(entry, hidden, with_person=True)
    partners.leave_relays([partner], kind=kinds.APPOINTMENT, object_id=made.pk, by=entry.user)
    answers(standin)
    do(waiting().get())
    told = standin.calls[-1].body.decode()
    assert hidden.professional.national_id not in told and hidden.professional.family_name not in told


def test_who_lost_the_right_sends_nothing(standin, partner, entry, colleague):
    made = factories.appointment(entry, colleague)
    outside = make.account()
    partners.leave_relays([partner], kind=kinds.APPOINTMENT, object_id=made.pk, by=outside)
    do(waiting().get(), state=State.ECHEC)
    assert standin.calls == []


def test_nothing_is_left_for_another_structure(partner, entry):
    partner.structures.clear()
    planned(entry)
    assert not Relay.objects.exists()


@pytest.fixture
def second(standin, colleague):
    """The partner of the structure where the colleague works, in the circle by her alone."""
    house = make.StructureFactory()
    colleague.activity = make.ActivityFactory(professional=colleague.professional, structure=house)
    colleague.save(update_fields=["activity"])
    made = PartnerFactory.of(standin, name="Autre maison")
    made.structures.add(house)
    return made


def of(partner):
    return waiting().filter(partner=partner)


def test_a_structure_out_of_the_circle_is_told_it_is_over_and_nothing_else(standin, partner, second, entry, colleague):
    made = planned(entry, colleague)
    answers(standin, id="chez-eux")
    do(of(second).get())
    leaving_.remove_member(entry, colleague, reason="fin")
    answers(standin, id="chez-eux")
    do(of(second).get())
    said = json.loads(standin.calls[-1].body)
    assert checking.require_sound(said) == []
    assert said["status"] == "cancelled" and said["identifier"][0]["value"] == str(made.pk)
    number = colleague.professional.national_id
    assert [one["actor"]["identifier"]["value"] for one in said["participant"]] == [number]
    assert said.keys() == {"resourceType", "meta", "identifier", "status", "participant"}
    # What changes later concerns it no more.
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    calls = len(standin.calls)
    for relay in of(second):
        do(relay)
    assert len(standin.calls) == calls
    # Back in the circle, she finds it again there.
    leaving_.undo_removal(entry, colleague)
    answers(standin, id="chez-eux")
    do(of(second).get())
    assert json.loads(standin.calls[-1].body)["status"] == "booked"


def test_what_waits_when_a_member_leaves_does_not_leave(standin, partner, second, entry, colleague):
    planned(entry, colleague)
    leaving_.remove_member(entry, colleague, reason="fin")
    do(of(second).get())
    assert standin.calls == []


def test_who_declined_has_the_event_called_off_at_his_structure(standin, partner, second, entry, colleague):
    made = planned(entry, colleague)
    answers(standin)
    do(of(second).get())
    answering.decline_appointment(make.entry_of(colleague.habilitation.user, entry), made.pk)
    answers(standin)
    do(of(second).get())
    assert json.loads(standin.calls[-1].body)["status"] == "cancelled"
    # The other structure sees who declined.
    answers(standin)
    do(of(partner).get())
    assert json.loads(standin.calls[-1].body)["status"] != "cancelled"


def test_what_took_place_is_not_called_off(standin, partner, second, entry, colleague):
    made = planned(entry, colleague)
    answers(standin)
    do(of(second).get())
    past = at(days=-3)
    Appointment.objects.filter(pk=made.pk).update(starts_at=past, ends_at=past + HOUR, status="fulfilled")
    leaving_.remove_member(entry, colleague, reason="fin")
    partners.leave_relays([second], kind=kinds.APPOINTMENT, object_id=made.pk, by=entry.user)
    do(of(second).get())
    assert len(standin.calls) == 1


@pytest.mark.req("GAP-92", "GAP-95")
def test_an_agenda_goes_with_its_rules(standin, partner, entry):
    user = entry.user
    schedule = schedules.schedule_of(user)
    starts = at(9).replace(tzinfo=None)
    openings.add_opening(schedule, by=user, when=When(starts, starts + dt.timedelta(hours=3), Rule(Freq.WEEKLY)))
    assert waiting(kinds.SCHEDULE).count() == 1
    standin.does(_echo(standin))
    do(waiting(kinds.SCHEDULE).get())
    [call] = standin.calls
    assert call.headers["if-none-exist"].startswith("identifier=")
    said = json.loads(call.body)
    ranges = [one for one in said["extension"] if one["url"].endswith("availability-time")]
    assert len(ranges) == 1 and any(part["url"] == "rrule" for part in ranges[0]["extension"])
    openings.remove_opening(schedule, schedule.openings.get().pk, by=user)
    standin.does(_echo(standin))
    do(waiting(kinds.SCHEDULE).get())
    assert standin.calls[-1].method == "PUT" and standin.calls[-1].path.endswith("/Schedule/leur-9")


def test_why_somebody_is_away_never_leaves(standin, partner, entry):
    """Neither what he wrote on his screen, nor what his own program sent: the partner reads when, and no more."""
    user = entry.user
    schedule = schedules.schedule_of(user)
    starts = at(9).replace(tzinfo=None)
    openings.add_absence(schedule, by=user, when=When(starts, starts + dt.timedelta(hours=3)), label="CANARI-MALADIE")
    standin.does(_echo(standin))
    do(waiting(kinds.SCHEDULE).get())
    body = standin.calls[-1].body
    assert b"busy-unavailable" in body and b"CANARI-MALADIE" not in body


def test_words_that_others_sent_do_not_leave():
    """An extension may hold anything, a name included; of an agenda, those of its ranges are what it is made of."""
    named = [{"url": "https://ailleurs.example/nom", "valueString": "CANARI"}]
    reason = {"url": "unavailabilityReason", "valueCodeableConcept": {"text": "CANARI"}}
    range_ = {"url": availability.AVAILABILITY, "extension": [{"url": "type"}, reason]}
    said = {"meta": {"profile": ["p"]}, "extension": [*named, range_], "comment": "Matin"}
    told = leaving.leaving({"resourceType": "Schedule", "id": "1"} | said, {}, {})
    assert told["extension"] == [{"url": availability.AVAILABILITY, "extension": [{"url": "type"}]}]
    told = leaving.leaving({"resourceType": "Appointment", "id": "1"} | said | {"extension": named}, {}, {})
    assert "extension" not in told and told["comment"] == "Matin"


def _echo(standin):
    """The partner keeps what it is sent, and answers it."""

    def act(handler):
        body = json.loads(standin.heard[-1].body)
        raw = json.dumps(body | {"id": "leur-9", "meta": {"versionId": "1"}}).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/fhir+json")
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    return act


# ---- Fetched -------------------------------------------------------------------------------------------------------


def bundle(*resources):
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def theirs(id, entry, *others, **said):
    """An appointment as the partner tells it, with the person and the professional under its own ids."""
    resource = sent(entry, *others, **said) | {"id": id}
    resource["participant"] = [
        {"actor": {"reference": "Patient/p1"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/d1", "display": "Dr X"}, "status": "accepted"},
    ]
    return resource


def known_there(entry):
    person = {"resourceType": "Patient", "id": "p1", "identifier": [
        {"system": f"{OURS}patient", "value": str(entry.dossier.pk)},
    ]}  # fmt: skip
    doctor = {"resourceType": "Practitioner", "id": "d1", "identifier": [
        {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": entry.user.attachment.professional.national_id},
    ]}  # fmt: skip
    return person, doctor


@pytest.fixture
def own(partner, entry):
    return schedules.schedule_of(entry.user)


def ask(own, partner, kind):
    partners.leave_relays([partner], kind=kind, object_id=own.pk, by=own.user)
    return do(waiting(kind).get())


@pytest.mark.req("GAP-94", "GAP-98", "AGD-15", "AGD-16")
def test_what_a_partner_took_is_in_both_agendas(standin, partner, entry, own):
    one = theirs("r1", entry, number="leur-rdv", description="Consultation")
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    [call] = standin.calls
    assert call.path == "/fhir/Appointment/_search" and b"practitioner.identifier" not in call.path.encode()
    made = Appointment.objects.get()
    assert (made.identifier_system, made.identifier_value) == (SYSTEM, "leur-rdv")
    assert (made.title, made.received_from, made.structure_id) == ("Consultation", "Agenda en ligne", None)
    assert Participation.objects.filter(appointment=made, user=entry.user).exists()
    assert set(Occupation.objects.filter(source=made.pk).values_list("kind", "exclusive")) == {("recu", False)}
    # What came from there is not sent back, nor written again when nothing changed.
    assert not waiting().exists()
    traces = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    assert Trace.objects.filter(dossier_id=entry.dossier.pk).count() == traces
    standin.says(200, bundle(one | {"status": "cancelled"}, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    assert Appointment.objects.get().status == "cancelled" and Appointment.objects.count() == 1


@pytest.mark.req("GAP-94", "GAP-93")
def test_what_a_partner_had_first_is_read_there_after_it_was_changed_here(standin, partner, entry, own):
    one = theirs("r1", entry, number="leur-rdv", description="Consultation")
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    made = Appointment.objects.get()
    actions.move_appointment(entry, made.pk, starts_at=at(15), ends_at=at(16))
    answers(standin, id="r1")
    do(waiting().get())
    moved = theirs("r1", entry, number="leur-rdv", description="Déplacé", starts=at(9, days=9))
    standin.says(200, bundle(moved, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    made.refresh_from_db()
    assert (made.title, made.starts_at) == ("Déplacé", at(9, days=9))


@pytest.mark.req("GAP-94", "GAP-72")
def test_the_time_of_somebody_unknown_is_taken_and_nothing_more(standin, partner, entry, own):
    _, doctor = known_there(entry)
    stranger = {"resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:oid:1.2.3", "value": "9"}]}
    one = theirs("r1", entry, description="Chimiothérapie de Mme X")
    standin.says(200, bundle(one, stranger, doctor))
    ask(own, partner, kinds.TAKEN_THERE)
    assert not Appointment.objects.exists()
    kept = ReceivedTime.objects.get()
    assert Occupation.objects.get(source=kept.pk).key == own.key
    assert "Chimio" not in str(Kept.objects.get(resource_id=kept.pk).content)


@pytest.mark.req("GAP-96")
def test_what_left_from_here_is_not_fetched(standin, partner, entry, own):
    made = planned(entry)
    answers(standin, id="leur-7")
    do(waiting().get())
    one = theirs("leur-7", entry)
    one["identifier"] = [{"system": f"{OURS}rendez-vous", "value": str(made.pk)}]
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    assert Appointment.objects.count() == 1 and not ReceivedTime.objects.exists()


@pytest.mark.req("GAP-94")
def test_busy_slots_of_a_partner(standin, partner, entry, own):
    slots = [
        {"resourceType": "Slot", "id": f"s{hour}", "status": status, "schedule": {"reference": "Schedule/1"},
         "start": at(hour).isoformat(), "end": at(hour + 1).isoformat()}
        for hour, status in ((9, "busy"), (11, "free"), (14, "busy"))
    ]  # fmt: skip
    standin.says(200, bundle(*slots))
    ask(own, partner, kinds.BUSY_THERE)
    taken = Occupation.objects.filter(key=own.key, kind="recu")
    assert sorted(taken.values_list("starts_at", flat=True)) == [at(9), at(14)]
    # Known already here: it is not counted twice.
    planned(entry, starts=at(9))
    standin.says(200, bundle(*slots))
    ask(own, partner, kinds.BUSY_THERE)
    assert sorted(taken.values_list("starts_at", flat=True)) == [at(14)]
    standin.says(200, bundle())
    ask(own, partner, kinds.BUSY_THERE)
    assert not taken.exists()


def test_every_so_often_all_are_asked(partner, entry, own):
    assert asking.ask_all() == 2
    assert asking.ask_all() == 0, "what waits is not asked twice"


def test_who_has_no_number_is_not_asked_about(partner, entry, own):
    professional_ = entry.user.attachment.professional
    professional_.national_id = ""
    professional_.save()
    assert asking.ask_all() == 0


def test_what_was_asked_gives_way_to_what_is_asked_now(partner, own):
    asking.ask_all()
    one, two = waiting(kinds.TAKEN_THERE).get(), waiting(kinds.BUSY_THERE).get()
    Relay.objects.filter(pk=one.pk).update(state=State.ECHEC)
    old = two.created_at - 2 * asking.KEPT_FOR
    Relay.objects.filter(pk=two.pk).update(state=State.FAIT, done_at=old, created_at=old)
    other = RelayFactory(partner=partner, kind=kinds.APPOINTMENT, asked_by=own.user, state=State.ECHEC)
    assert asking.ask_all() == 2
    assert set(Relay.objects.exclude(state=State.EN_ATTENTE)) == {other}, "what nobody asks again stays to be seen"


def test_an_answer_about_somebody_else_is_not_written(standin, partner, entry, own):
    one = theirs("r9", entry, description="Pas pour lui")
    one["participant"] = one["participant"][:1]
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    assert not Appointment.objects.exists() and not ReceivedTime.objects.exists()


def test_what_was_entered_here_is_not_changed_by_an_answer(standin, partner, entry, own, colleague):
    made = planned(entry, colleague)
    Appointment.objects.filter(pk=made.pk).update(identifier_system=SYSTEM, identifier_value="le-nôtre")
    one = theirs("r9", entry, number="le-nôtre", description="Pris par un autre", status="cancelled")
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    made.refresh_from_db()
    assert (made.status, made.title) == ("booked", "Point") and Appointment.objects.count() == 1


@pytest.mark.req("SEC-13")
def test_what_is_refused_of_an_answer_leaves_its_trace(standin, partner, entry, own):
    one = theirs("r1", entry, description="Trop long", minutes=60 * 30)
    standin.says(200, bundle(one, *known_there(entry)))
    ask(own, partner, kinds.TAKEN_THERE)
    assert not Appointment.objects.exists()
    [told] = Trace.objects.filter(dossier_id=entry.dossier.pk, software=partner.name)
    assert told.outcome != "ok"


def test_what_cannot_be_read_of_an_answer_is_left_aside(standin, partner, entry, own):
    def slot(id, start, end):
        return {"resourceType": "Slot", "id": id, "status": "busy", "start": start, "end": end}

    good = slot("s1", at(9).isoformat(), at(10).isoformat())
    naive = slot("s2", at(11).replace(tzinfo=None).isoformat(), at(12).replace(tzinfo=None).isoformat())
    mixed = slot("s3", at(11).isoformat(), at(12).replace(tzinfo=None).isoformat())
    standin.says(200, bundle(good, naive, mixed, slot("s4", 3, None), slot("s5", "0001-01-01T00:00:00+14:00",
                 "9999-12-31T00:00:00-12:00"), "?", {"id": "s6"}, {"resourceType": "Slot", "id": 7}))  # fmt: skip
    ask(own, partner, kinds.BUSY_THERE)
    assert Occupation.objects.get(key=own.key).starts_at == at(9)
    person, doctor = known_there(entry)
    one = theirs("r1", entry, number="leur-rdv")
    odd = theirs("r2", entry) | {"identifier": ["?"]}
    nobody = theirs("r3", entry) | {"participant": [{"actor": "?"}]}
    standin.says(200, bundle(odd, nobody, one, person, doctor, person | {"id": "p2", "identifier": ["?"]}))
    ask(own, partner, kinds.TAKEN_THERE)
    assert [made.identifier_value for made in Appointment.objects.all()] == ["leur-rdv"]


def test_a_wrong_answer_is_seen(standin, partner, own):
    standin.says(200, {"resourceType": "Patient", "id": "1"})
    partners.leave_relays([partner], kind=kinds.TAKEN_THERE, object_id=own.pk, by=own.user)
    do(waiting(kinds.TAKEN_THERE).get(), state=State.ECHEC)


def test_put_of_a_partner_then_of_a_screen(client, standin, partner, entry, colleague):
    """A change of the screens of what a partner sent goes back to it: that one it has not seen."""
    house = make.StructureFactory()
    user, number = callers.professional(house)
    factories.member(entry, user)
    software, secret = callers.connect(house, scopes=["system/Appointment.crus"])
    partner.software = software
    partner.save()
    partner.structures.add(house)
    theirs_ = Api(client, callers.acting(callers.token_of(client, software, secret), number))
    made = created(theirs_, sent(entry, professional(user.attachment.professional_id), number="a-eux"))
    put(theirs_, made | {"description": "Changé là-bas"})
    assert not waiting().exists()
    his = make.entry_of(user, entry)
    actions.cancel_appointment(his, made["id"], reason="personne")
    answers(standin)
    do(waiting().get())
    assert parse_qs(urlsplit(standin.calls[-1].path).query) == {"identifier": [f"{SYSTEM}|a-eux"]}
