"""Appointment through the API: the acts of the screens, seen at once on screen, and the reverse (GAP-62 to 91)."""

import json
import uuid

import pytest

from agenda.actions import appointments as actions
from agenda.actions.attending import Who
from agenda.fhir.appointment_codes import HL7_REASONS
from agenda.models import Appointment, Occupation, Participation, Room
from coordination.outbox.models import Message
from tests.agenda import factories
from tests.agenda.factories import HOUR, at
from tests.agenda.fhir_made import GAP, SYSTEM, created, patient, professional, put, row, sent
from tests.circle import factories as make
from tests.fhir.api import Api, issues, read
from tests.fhir.packages import folder

pytestmark = pytest.mark.django_db
STATUS = Appointment.Status


@pytest.fixture
def api(client, entry):
    return Api.of(client, entry.user)


@pytest.fixture
def colleague(entry):
    member = factories.member(entry)
    Message.objects.all().delete()
    return member


def user_of(member):
    return member.habilitation.user


def told():
    return sorted(Message.objects.values_list("kind", "to"))


# ---- Creation ------------------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-69", "GAP-71", "GAP-7", "AGD-14")
def test_a_booked_one_is_taken_and_shown(api, client, entry, colleague):
    answer = api.post("Appointment", sent(entry, professional(colleague.professional_id), description="Soins"))
    assert answer.status_code == 201
    made = read(answer)
    assert answer["Location"].endswith(f"/Appointment/{made['id']}/_history/{made['meta']['versionId']}")
    kept = row(made)
    assert (kept.status, kept.title, kept.only_warns) == (STATUS.BOOKED, "Soins", True)
    people = Participation.objects.filter(appointment=kept)
    assert {(one.key, one.status) for one in people} == {
        (entry.dossier.pk, "accepted"), (colleague.professional_id, "accepted"),
    }  # fmt: skip
    # It occupies the time of the professional and refuses nothing.
    assert set(Occupation.objects.filter(source=kept.pk).values_list("kind", "exclusive")) == {("recu", False)}
    assert told() == [("agenda.invited", user_of(colleague).email)]
    assert made["meta"]["profile"] == [f"{GAP}gap-fr-appointment"]
    client.force_login(entry.user)
    page = client.get(f"/dossiers/{entry.dossier.pk}/agenda/")
    assert "Soins" in page.content.decode()


@pytest.mark.req("GAP-70", "GAP-80")
def test_a_proposed_one_asks(api, entry, colleague):
    resource = sent(entry, professional(colleague.professional_id, "needs-action"), status="proposed")
    made = created(api, resource)
    assert row(made).status == STATUS.PROPOSED and made["status"] == "proposed"
    assert not Occupation.objects.filter(source=made["id"]).exists()
    assert told() == [("agenda.asked", user_of(colleague).email)]
    # Who asks is the one the call acts for: one, and the same on screen.
    assert row(made).organizer == entry.user


@pytest.mark.req("GAP-85", "GAP-81")
def test_what_is_asked_is_confirmed_here_and_read_there(api, client, entry, colleague):
    made = created(api, sent(entry, professional(colleague.professional_id, "needs-action"), status="proposed"))
    his = Api.of(client, user_of(colleague))
    mine = read(his.get(f"Appointment/{made['id']}"))
    for one in mine["participant"]:
        one["status"] = "accepted"
    assert put(his, mine)["status"] == "booked"
    assert read(api.get(f"Appointment/{made['id']}"))["status"] == "booked"
    # Confirmed here: it is a booking of this house, that nobody books over.
    assert Occupation.objects.get(source=made["id"], key=colleague.professional_id).exclusive
    kinds = {kind for kind, _ in told()}
    assert "agenda.confirmed" in kinds


@pytest.mark.req("GAP-85")
def test_a_refusal_is_read_there(api, client, entry, colleague):
    made = created(api, sent(entry, professional(colleague.professional_id, "needs-action"), status="proposed"))
    his = Api.of(client, user_of(colleague))
    mine = read(his.get(f"Appointment/{made['id']}"))
    for one in mine["participant"]:
        if "Patient" not in one["actor"]["reference"]:
            one["status"] = "declined"
    put(his, mine)
    seen = read(api.get(f"Appointment/{made['id']}"))
    assert {one["status"] for one in seen["participant"] if "Patient" not in one["actor"]["reference"]} == {"declined"}


@pytest.mark.req("GAP-71")
def test_one_taken_elsewhere_is_never_refused(api, entry, colleague):
    starts = at()
    factories.appointment(entry, colleague, starts=starts)
    made = created(api, sent(entry, professional(colleague.professional_id), starts=starts))
    assert row(made).status == STATUS.BOOKED
    # And a booking on screen over it is not either.
    factories.appointment(entry, colleague, starts=at(15))
    created(api, sent(entry, professional(colleague.professional_id), starts=at(15)))


@pytest.mark.req("GAP-90", "GAP-65")
def test_a_professional_is_told_as_himself_and_where_he_practises(api, entry, colleague):
    made = created(api, sent(entry, professional(colleague.professional_id)))
    named = [one["actor"]["reference"].partition("/")[0] for one in made["participant"]]
    assert named == ["Patient", "Practitioner", "PractitionerRole"]
    assert len({one["status"] for one in made["participant"]}) == 1
    assert Participation.objects.filter(appointment=made["id"]).count() == 2
    # Sent again as it was read, it is the same.
    assert put(api, made)["meta"]["versionId"] == made["meta"]["versionId"]


def test_the_two_names_of_one_professional_say_the_same(api, entry, colleague):
    both = [
        professional(colleague.professional_id),
        professional(colleague.professional_id, "declined", "PractitionerRole"),
    ]
    answer = api.post("Appointment", sent(entry, *both))
    assert answer.status_code == 422
    assert issues(answer)[0][2] == "Appointment.participant[2].status"


@pytest.mark.req("GAP-11", "GAP-79", "GAP-88", "GAP-89", "GAP-62")
def test_what_screens_do_not_show_is_given_back(api, entry, colleague):
    operator = {
        "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-appointment-operator",
        "valueReference": {"reference": f"Patient/{entry.dossier.pk}"},
    }
    resource = sent(
        entry, professional(colleague.professional_id, period={"start": "2026-01-01"}),
        extension=[operator], priority=5,
        appointmentType={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "ROUTINE"}]},
        supportingInformation=[{"reference": "DocumentReference/ordonnance-1"}, {"reference": "Binary/2"}],
        serviceType=[{"coding": [{"system": "http://example.org/types", "code": "1", "display": "suivi"}]}],
        specialty=[{"coding": [{
            "system": "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale",
            "code": "SM54",
        }]}],
        comment="Apporter l’ordonnance", created="2026-11-02T10:00:00+01:00", patientInstruction="À jeun",
    )  # fmt: skip
    made = created(api, resource)
    for name, value in resource.items():
        if name != "participant":
            assert made[name] == value, name
    assert resource["participant"][1] in made["participant"]
    again = read(api.get(f"Appointment/{made['id']}"))
    assert again == made


def test_without_an_identifier_it_has_ours(api, entry):
    made = created(api, sent(entry, identifier=None))
    assert made["identifier"][0]["value"] == made["id"]
    assert read(api.get(f"Appointment?identifier={made['id']}"))["total"] == 1


@pytest.mark.req("GAP-91", "GAP-75", "GAP-77")
def test_the_example_of_the_guide_is_accepted(api, entry, colleague):
    """Its references lead to another server: they are made those of resources of ours."""
    home = folder()
    if home is None:
        pytest.skip("no FHIR packages here")
    for package, name in (
        ("ans.fhir.fr.gap", "Appointment-example-req-appointment.json"),
        ("hl7.fhir.fr.core", "Appointment-FRCoreAppointmentExample.json"),
    ):
        text = (home / package / "examples" / name).read_text()
        base = "https://exampleserver.org/fhir/"
        text = text.replace(f"{base}Patient/1", f"Patient/{entry.dossier.pk}")
        text = text.replace(f"{base}PractitionerRole/1", f"PractitionerRole/{colleague.professional_id}")
        text = text.replace(f"{base}Practitioner/1", f"Practitioner/{colleague.professional_id}")
        example = json.loads(text)
        made = created(api, example)
        assert made["status"] == "proposed" and "start" not in made
        for element in ("identifier", "slot", "requestedPeriod", "minutesDuration", "extension", "priority"):
            assert made[element] == example[element], element
        assert row(made).status == STATUS.PROPOSED


@pytest.mark.req("GAP-77")
def test_a_request_for_a_moment_lasts_what_it_says(api, entry, colleague):
    starts = at(9, 15)
    resource = sent(
        entry, professional(colleague.professional_id, "needs-action"), status="proposed", start=None, end=None,
        requestedPeriod=[{"start": starts.isoformat()}], minutesDuration=15,
    )  # fmt: skip
    kept = row(created(api, resource))
    assert (kept.starts_at, kept.ends_at - kept.starts_at) == (starts, HOUR / 4)


# ---- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-74", "GAP-75", "GAP-76", "GAP-79", "GAP-4")
@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"participant": None}, "Appointment.participant"),
        ({"participant": [{"actor": {"display": "x"}}]}, "Appointment.participant[0].status"),
        ({"participant": [{"status": "accepted"}]}, "Appointment.participant[0]"),
        ({"start": None, "end": None}, "Appointment"),
        ({"end": None}, "Appointment"),
        ({"cancelationReason": {"text": "x"}}, "Appointment.cancelationReason"),
        ({"end": "2020-01-01T10:00:00Z"}, "Appointment.end"),
        ({"minutesDuration": 600}, "Appointment.minutesDuration"),
        ({"specialty": [{"coding": [{"system": "http://example.org/x", "code": "1"}]}]}, "Appointment.specialty[0]"),
        (
            {"extension": [{
                "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-appointment-operator",
                "valueReference": {"reference": "Device/1"},
            }]},
            "Appointment.extension",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(api, entry, changed, where):
    answer = api.post("Appointment", sent(entry, **changed))
    assert answer.status_code in (400, 422), answer.content
    assert where in {at for _, _, at in issues(answer)}
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("name", ["Practitioner", "PractitionerRole", "RelatedPerson", "Patient"])
def test_nobody_unknown_attends(api, entry, name):
    nobody = professional(uuid.uuid4(), type_name=name)
    answer = api.post("Appointment", sent(entry, nobody))
    assert answer.status_code == 422, answer.content
    assert not Appointment.objects.exists()


OTHERS = {
    "by her INS": {"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "2550699999"}},
    "of another server": {"reference": "https://ailleurs.example/fhir/Patient/1"},
    "elsewhere, by its type": {"reference": "urn:uuid:0188d2a4-0000-4000-8000-00000000dead", "type": "Patient"},
}  # fmt: skip


@pytest.mark.req("GAP-75")
@pytest.mark.parametrize("need", ["required", "information-only"])
@pytest.mark.parametrize("who", OTHERS)
def test_another_person_has_no_place_in_her_agenda(api, entry, who, need):
    other = {"actor": OTHERS[who] | {"display": "CANARI"}, "status": "accepted", "required": need}
    answer = api.post("Appointment", sent(entry, other))
    assert answer.status_code == 422, answer.content
    assert ("error", "not-found", "Appointment.participant[1].actor") in issues(answer)
    assert not Appointment.objects.exists()
    made = created(api, sent(entry))
    answer = api.put(f"Appointment/{made['id']}", made | {"participant": [*made["participant"], other]})
    assert answer.status_code == 422 and "CANARI" not in api.get(f"Appointment/{made['id']}").content.decode()


@pytest.mark.req("GAP-87")
def test_nothing_is_deleted(api, entry):
    made = created(api, sent(entry))
    assert api.ask("DELETE", f"Appointment/{made['id']}").status_code == 405


@pytest.mark.req("GAP-80")
def test_somebody_outside_the_circle_is_named_and_his_time_is_his_own(api, client, entry):
    other = make.account()
    made = created(api, sent(entry, professional(other.attachment.professional_id)))
    assert any(str(other.attachment.professional_id) in one["actor"]["reference"] for one in made["participant"])
    assert not Occupation.objects.filter(key=other.attachment.professional_id).exists()
    # Being named opens nothing.
    assert Api.of(client, other).get(f"Appointment/{made['id']}").status_code == 404
    client.force_login(entry.user)
    page = client.get(f"/dossiers/{entry.dossier.pk}/agenda/{made['id']}/").content.decode()
    assert other.attachment.professional.family_name.upper() in page.upper()


def test_a_screen_leaves_there_whom_its_form_cannot_name(api, entry, colleague):
    """Somebody outside the circle is no box of the form: what a page does not offer, it does not take away."""
    other = make.account().attachment.professional
    made = created(api, sent(entry, professional(colleague.professional_id), professional(other.pk)))
    said = row(made)
    facts = actions.Facts(
        kind=said.kind, starts_at=said.starts_at, ends_at=said.ends_at, zone=said.zone, title="Bilan"
    )
    kept = actions.edit_appointment(entry, said.pk, facts, Who([colleague.pk]))
    assert kept.title == "Bilan" and kept.participations.count() == 3
    assert other.family_name in str(kept.participations.values_list("label", flat=True))
    # Whom it offers, it takes away.
    actions.edit_appointment(entry, said.pk, facts, Who())
    assert kept.participations.filter(label="").get().is_the_person


# ---- Update --------------------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-84")
def test_it_moves(api, entry, colleague):
    made = created(api, sent(entry, professional(colleague.professional_id)))
    Message.objects.all().delete()
    later = at(16)
    put(api, made | {"start": later.isoformat(), "end": (later + HOUR).isoformat()})
    kept = row(made)
    assert kept.starts_at == later and kept.sequence == 1
    assert told() == [("agenda.moved", user_of(colleague).email)]
    assert [one.kind for one in kept.changes.order_by("at")] == ["creation", "deplacement"]
    assert Occupation.objects.filter(source=kept.pk, starts_at=later).count() == 2


@pytest.mark.req("GAP-84", "GAP-86")
@pytest.mark.parametrize(
    ("coding", "reason"),
    [
        ({"system": HL7_REASONS, "code": "pat-crs"}, "personne"),
        ({"system": HL7_REASONS, "code": "prov"}, "professionnel"),
        ({"system": "http://example.org/motifs", "code": "9"}, "autre"),
    ],
)  # fmt: skip
def test_it_is_cancelled_and_stays_to_be_read(api, entry, colleague, coding, reason):
    made = created(api, sent(entry, professional(colleague.professional_id)))
    gone = put(api, made | {"status": "cancelled", "cancelationReason": {"coding": [coding]}})
    assert gone["status"] == "cancelled" and gone["cancelationReason"] == {"coding": [coding]}
    assert row(made).cancel_reason == reason
    assert not Occupation.objects.filter(source=made["id"]).exists()
    assert read(api.get(f"Appointment/{made['id']}"))["status"] == "cancelled"
    again = api.put(f"Appointment/{made['id']}", gone | {"status": "booked", "cancelationReason": None})
    assert again.status_code in (400, 422)


@pytest.mark.req("GAP-84")
@pytest.mark.parametrize(("status", "ours"), [("fulfilled", "fulfilled"), ("noshow", "noshow")])
def test_it_is_noted_as_done_or_not_come(api, entry, colleague, status, ours):
    made = created(api, sent(entry, professional(colleague.professional_id), starts=at(days=-1)))
    assert put(api, made | {"status": status})["status"] == status
    assert row(made).status == ours


@pytest.mark.req("GAP-84")
def test_entered_by_mistake_it_is_shown_by_no_list(api, client, entry):
    made = created(api, sent(entry, description="PAR ERREUR"))
    assert put(api, made | {"status": "entered-in-error"})["status"] == "entered-in-error"
    client.force_login(entry.user)
    assert "PAR ERREUR" not in client.get(f"/dossiers/{entry.dossier.pk}/agenda/").content.decode()


@pytest.mark.parametrize("status", ["arrived", "checked-in"])
def test_a_state_finer_than_the_screens_is_given_back(api, entry, status):
    made = created(api, sent(entry))
    assert put(api, made | {"status": status})["status"] == status
    assert row(made).status == STATUS.BOOKED
    assert read(api.get(f"Appointment?status={status}"))["total"] == 1
    assert read(api.get("Appointment?status=booked"))["total"] == 0


@pytest.mark.req("GAP-84")
def test_somebody_joins_and_somebody_leaves(api, entry, colleague):
    made = created(api, sent(entry, professional(colleague.professional_id)))
    other = factories.member(entry)
    Message.objects.all().delete()
    changed = [patient(entry), professional(other.professional_id)]
    put(api, made | {"participant": changed})
    keys = set(Participation.objects.filter(appointment=made["id"]).values_list("key", flat=True))
    assert keys == {entry.dossier.pk, other.professional_id}
    assert told() == sorted([
        ("agenda.invited", user_of(other).email), ("agenda.cancelled", user_of(colleague).email),
    ])  # fmt: skip


def test_another_answers_by_himself(api, client, entry, colleague):
    """Of an event made here, nobody says the answer of somebody who has an account."""
    made = factories.appointment(entry, colleague, status=STATUS.PROPOSED)
    Participation.objects.filter(appointment=made).update(status="needs-action")
    shown = read(api.get(f"Appointment/{made.pk}"))
    for one in shown["participant"]:
        one["status"] = "accepted"
    answer = api.put(f"Appointment/{made.pk}", shown)
    assert answer.status_code == 422
    assert issues(answer)[0][2].endswith(".status")


@pytest.mark.req("GAP-84", "SEC-2")
def test_who_is_only_invited_does_not_say_who_is_indispensable(api, client, entry, colleague):
    pharmacist = make.account(make.PHARMACIST)
    made = factories.appointment(entry, colleague, factories.member(entry, pharmacist), with_person=True)
    his = Api.of(client, pharmacist)
    shown = read(his.get(f"Appointment/{made.pk}"))
    for one in shown["participant"]:
        one["required"] = "optional"
    assert put(his, shown, status=403)["issue"][0]["code"] == "forbidden"
    assert set(made.participations.values_list("need", flat=True)) == {"required"}


def test_who_need_not_come_any_more_is_written_down_and_not_taken(api, entry, colleague):
    made = factories.appointment(entry, colleague, with_person=True)
    shown = read(api.get(f"Appointment/{made.pk}"))
    for one in shown["participant"]:
        if "Patient" not in one["actor"]["reference"]:
            one["required"] = "information-only"
    again = put(api, shown)
    assert not Occupation.objects.filter(source=made.pk, key=colleague.professional_id).exists()
    assert list(made.changes.values_list("kind", "after")) == [("modification", "participants")]
    assert again["meta"]["lastUpdated"] > shown["meta"]["lastUpdated"]
    assert again["meta"]["versionId"] != shown["meta"]["versionId"]


@pytest.mark.parametrize("status", ["tentative", "needs-action", "declined"])
def test_in_a_dossier_in_pause_nobody_answers_not_even_perhaps(api, client, entry, colleague, status):
    made = factories.appointment(entry, colleague, with_person=True)
    Participation.objects.filter(appointment=made).update(status="accepted")
    his = Api.of(client, user_of(colleague))
    shown = read(his.get(f"Appointment/{made.pk}"))
    type(entry.dossier).objects.update(status="pause")
    for one in shown["participant"]:
        if "Patient" not in one["actor"]["reference"]:
            one["status"] = status
    assert 400 <= his.put(f"Appointment/{made.pk}", shown).status_code < 500
    assert made.participations.get(member=colleague).status == "accepted"


def test_one_says_perhaps_and_the_others_are_told_as_from_his_page(api, client, entry, colleague):
    made = factories.appointment(entry, colleague, with_person=True)
    his = Api.of(client, user_of(colleague))
    shown = read(his.get(f"Appointment/{made.pk}"))
    for one in shown["participant"]:
        if "Patient" not in one["actor"]["reference"]:
            one["status"] = "tentative"
    put(his, shown)
    assert made.participations.get(member=colleague).status == "tentative"
    assert Occupation.objects.filter(source=made.pk, key=colleague.professional_id).exists()


@pytest.mark.req("GAP-82", "GAP-83")
def test_conditional_update(api, entry, colleague):
    resource = sent(entry, professional(colleague.professional_id), number="rdv-7")
    where = f"Appointment?identifier={SYSTEM}|rdv-7"
    answer = api.put(where, resource)
    assert answer.status_code == 201 and "Location" in answer.headers
    made = read(answer)
    moved = resource | {"description": "Soins"}
    answer = api.put(where, moved)
    assert answer.status_code == 200 and read(answer)["description"] == "Soins"
    assert Appointment.objects.count() == 1
    # The same again changes nothing.
    before = row(made).version
    assert api.put(where, moved).status_code == 200 and row(made).version == before
    # Another id than the one found.
    wrong = api.put(where, moved | {"id": str(uuid.uuid4())})
    assert wrong.status_code == 400, wrong.content
    # A body that the next call would not find.
    other = api.put(f"Appointment?identifier={SYSTEM}|rdv-8", resource | {"identifier": [{"value": "rdv-9"}]})
    assert other.status_code == 422
    assert Appointment.objects.count() == 1
    assert api.put("Appointment", resource).status_code == 400


@pytest.mark.req("GAP-83")
def test_a_condition_that_several_answer(api, entry):
    created(api, sent(entry, priority=3))
    created(api, sent(entry, priority=3))
    assert api.put("Appointment?priority=3", sent(entry, priority=3)).status_code == 412


def test_no_other_type_has_conditional_updates(api):
    assert api.put("Patient?identifier=1", {"resourceType": "Patient"}).status_code == 405


def test_a_stale_write_changes_nothing(api, entry):
    made = created(api, sent(entry))
    put(api, made | {"description": "Premier"})
    version = f'W/"{made["meta"]["versionId"]}"'
    answer = api.put(f"Appointment/{made['id']}", made | {"description": "Second"}, **{"If-Match": version})
    assert answer.status_code == 412 and row(made).title == "Premier"


@pytest.mark.req("REL-7")
def test_the_same_sent_twice_makes_one(api, entry):
    resource = sent(entry, number="une-fois")
    first = created(api, resource)
    assert created(api, resource)["id"] == first["id"]
    changed = api.post("Appointment", resource | {"description": "autre"})
    assert changed.status_code == 409
    found = api.post("Appointment", resource, **{"If-None-Exist": f"identifier={SYSTEM}|une-fois"})
    assert found.status_code == 200
    assert Appointment.objects.count() == 1


# ---- What the screens do is read there -----------------------------------------------------------------------------


@pytest.mark.req("AGD-15", "GAP-67")
def test_an_event_of_the_screens_is_read(api, entry, colleague):
    made = factories.appointment(entry, colleague, with_person=True, title="Synthèse", comment="Salle 2", place="Ici")
    told_ = read(api.get(f"Appointment/{made.pk}"))
    assert (told_["status"], told_["description"], told_["comment"]) == ("booked", "Synthèse", "Salle 2")
    assert told_["minutesDuration"] == 60
    assert told_["identifier"][0]["value"] == str(made.pk)
    assert {"type": "Location", "display": "Ici"} in [one["actor"] for one in told_["participant"]]
    actions.cancel_appointment(entry, made.pk, reason="refus")
    gone = read(api.get(f"Appointment/{made.pk}"))
    assert gone["status"] == "cancelled"
    assert {one["code"] for one in gone["cancelationReason"]["coding"]} == {"refus", "prov"}


def test_what_a_screen_changes_wins_over_what_was_sent(api, entry, colleague):
    resource = sent(entry, professional(colleague.professional_id), description="Soins", slot=[
        {"reference": "https://ailleurs.example/fhir/Slot/1"},
    ])  # fmt: skip
    made = created(api, resource)
    assert made["slot"] == resource["slot"]
    actions.move_appointment(entry, made["id"], starts_at=at(17), ends_at=at(18))
    told_ = read(api.get(f"Appointment/{made['id']}"))
    assert told_["start"] == at(17).isoformat() and "slot" not in told_
    assert told_["description"] == "Soins"


def test_an_event_without_her_is_about_her_all_the_same(api, entry, colleague):
    made = factories.appointment(entry, colleague)
    [person] = [one for one in read(api.get(f"Appointment/{made.pk}"))["participant"] if one["required"] != "required"]
    assert person["actor"]["reference"] == f"Patient/{entry.dossier.pk}"
    assert person["required"] == "information-only"


def test_an_occurrence_of_a_series_is_one(api, entry, colleague):
    from agenda.models import Series

    series = Series.objects.create(
        dossier=entry.dossier, starts="2027-01-04T10:00", ends="2027-01-04T11:00", zone="Europe/Paris",
        rule="FREQ=WEEKLY", created_by=entry.user,
    )  # fmt: skip
    one, two = (
        factories.appointment(entry, colleague, starts=at(days=days), series=series, recurrence_id=f"r{days}")
        for days in (7, 14)
    )
    first, second = (read(api.get(f"Appointment/{made.pk}")) for made in (one, two))
    assert first["identifier"] != second["identifier"]
    moved = at(12)
    put(api, first | {"start": moved.isoformat(), "end": (moved + HOUR).isoformat()})
    assert row(first).detached and not row(second).detached


def test_a_room_is_told_in_words_and_stays(api, entry, colleague):
    room = Room.objects.create(structure=make.StructureFactory(), name="Salle bleue")
    made = factories.appointment(entry, colleague, with_person=True)
    Participation.objects.create(dossier=entry.dossier, appointment=made, key=room.pk, room=room, status="accepted")
    shown = read(api.get(f"Appointment/{made.pk}"))
    assert {"type": "Location", "display": "Salle bleue"} in [one["actor"] for one in shown["participant"]]
    put(api, shown | {"description": "Ailleurs dit"})
    kept = row(shown)
    assert kept.title == "Ailleurs dit" and kept.place == ""
    assert kept.participations.filter(room=room).exists()
    assert read(api.get("Appointment?location.name=bleue"))["total"] == 0
