"""Schedule: agendas that software declares and changes (agenda.md §3.2, §3.3)."""

import datetime as dt
from copy import deepcopy

import pytest

from agenda import finding, spans, waiting
from agenda.models import Absence, Occupation, Opening, OpenTime, Room, Schedule, ScheduleActor
from agenda.rules import Freq, Rule
from coordination.directory.models import Activity, Attachment
from coordination.fhir import attempts, interactions
from coordination.fhir.outcomes import VersionConflict
from tests.agenda import factories as planned
from tests.agenda import fhir_world as world
from tests.agenda.fhir_world import at, created, lasting, morning, of, range_, rrule, schedule
from tests.circle import factories as make
from tests.fhir.api import Api, issues, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def structure(db):
    return world.structure()


@pytest.fixture
def nurse_api(client, structure, matrix):
    return world.software(client, structure)


@pytest.fixture
def api(nurse_api):
    return nurse_api[0]


@pytest.fixture
def nurse(nurse_api):
    return nurse_api[1]


@pytest.mark.req("GAP-20", "GAP-7", "GAP-25", "GAP-29", "GAP-98")
def test_an_agenda_is_created_and_read_back(api, nurse):
    sent = morning(
        nurse, identifier=[{"system": "urn:oid:1.2.3.4", "value": "agenda-1"}], comment="Cabinet du centre",
        planningHorizon={"start": "2020-01-01", "end": "2199-01-01"},
    )  # fmt: skip
    answer = api.post("Schedule", sent)
    made = created(answer)
    assert answer["Location"].endswith(f"/fhir/Schedule/{made['id']}/_history/{made['meta']['versionId']}")
    again = read(api.get(f"Schedule/{made['id']}"))
    for name, value in sent.items():
        assert again[name] == value, name
    row = Schedule.objects.get(pk=made["id"])
    assert row.key == nurse.attachment.professional.pk
    assert OpenTime.objects.filter(key=row.key).count() == 1


def test_whoever_sends_no_identifier_is_given_one(api, nurse):
    made = created(api.post("Schedule", morning(nurse)))
    assert made["identifier"][0]["value"] == made["id"]


@pytest.mark.req("GAP-21", "GAP-22", "GAP-23", "GAP-35", "GAP-36")
@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"actor": []}, "Schedule.actor"),
        ({"serviceType": [{"text": "x"}]}, "Schedule.serviceType"),
        ({"specialty": [{"coding": [{"system": world.R38, "code": "ZZ99"}]}]}, "Schedule.specialty[0]"),
        ({"specialty": [{"text": "Médecine"}]}, "Schedule.specialty[0]"),
        ({"planningHorizon": {"start": "2026-02-01", "end": "2026-01-01"}}, "Schedule.planningHorizon"),
    ],
)
def test_what_the_profile_refuses(api, nurse, changed, where):
    sent = morning(nurse) | changed
    answer = api.post("Schedule", {name: value for name, value in sent.items() if value})
    assert answer.status_code in (400, 422)
    assert where in {at for _, _, at in issues(answer)}
    assert not Schedule.objects.filter(user=None).exists()


@pytest.mark.req("GAP-35")
@pytest.mark.parametrize("name", ["type", "start", "end", "identifier"])
def test_an_availability_says_all_that_it_must(api, nurse, name):
    said = range_(at(9), at(11))
    said["extension"] = [one for one in said["extension"] if one["url"] != name]
    answer = api.post("Schedule", schedule(*of(nurse), extensions=[said]))
    assert answer.status_code == 422
    assert "Schedule.extension[0].extension" in {at for _, _, at in issues(answer)}


BAD = {
    "ends before it starts": range_(at(11), at(9)),
    "ends when it starts": range_(at(9), at(9)),
    "no frequency": range_(at(9), at(11), rule={"url": "rrule", "extension": [{"url": "count", "valueInteger": 2}]}),
    "another frequency": range_(at(9), at(11), rule=rrule("FORTNIGHTLY")),
    "never falls": range_(at(9), at(11), rule=rrule("YEARLY", byMonth=[2], byMonthDay=[30])),
    "ten thousand times": range_(at(9), at(9, 5), rule=rrule("MINUTELY")),
    "over before it begins": range_(at(9), at(11), rule=rrule("DAILY", until="2020-01-01")),
    "a count and an end": range_(at(9), at(11), rule=rrule("DAILY", until="2030-01-01", count=3)),
    "no such weekday": range_(at(9), at(11), rule=rrule(byDay=["XX"])),
    "midnight by the hour": range_(at(9), at(11), rule=rrule(byHour=[0])),
    "no such zone": range_(at(9), at(11), tz="Europe/Nulle-Part"),
    "a month": range_("2027-01", "2027-02"),
    "no offset": range_("2027-01-04T09:00:00", "2027-01-04T11:00:00"),
    "more than a year": range_("2027-01-04", "2028-06-04"),
    "another kind": range_(at(9), at(11), kind="busy"),
    "an hour that exists twice": range_("2027-10-31T02:30:00+01:00", "2027-10-31T04:00:00+01:00"),
    "a leap second": range_("2027-01-04T09:00:60+01:00", "2027-01-04T11:00:00+01:00"),
}


@pytest.mark.req("GAP-36")
@pytest.mark.parametrize("what", sorted(BAD))
def test_bad_availabilities_are_pointed_to_and_nothing_is_kept(api, nurse, what):
    answer = api.post("Schedule", schedule(*of(nurse), extensions=[lasting(), BAD[what]]))
    assert answer.status_code in (400, 422), answer.content
    assert any(at.startswith("Schedule.extension[1]") for _, _, at in issues(answer)), issues(answer)
    assert not Schedule.objects.exists()
    assert not Opening.objects.exists()


@pytest.mark.parametrize("minutes", [0, 1, 4, 721, -5])
def test_a_duration_that_is_none_is_refused(api, nurse, minutes):
    answer = api.post("Schedule", schedule(*of(nurse), extensions=[lasting(minutes)]))
    assert answer.status_code in (400, 422)
    assert any(at.startswith("Schedule.extension[0]") for _, _, at in issues(answer))


@pytest.mark.req("GAP-11")
def test_what_no_column_holds_is_given_back(api, nurse):
    reason = {"valueCodeableConcept": {"text": "formation"}}
    sent = morning(
        nurse,
        range_(at(9, days=8), at(10, days=8), kind="busy-unavailable", identifier="abs", unavailabilityReason=reason,
               created={"valueDateTime": "2026-01-02T10:00:00+01:00"}, priority={"valueInteger": 3}),
        {"url": "https://exemple.fr/couleur", "valueString": "bleu"},
        serviceCategory=[{"text": "Soins"}], specialty=[{"coding": [{"system": world.R38, "code": "SM54"}]}],
        language="fr",
    )  # fmt: skip
    made = created(api.post("Schedule", sent))
    assert {name: made[name] for name in sent} == sent


def test_why_somebody_is_away_is_told_to_nobody_else(client, api, nurse, structure):
    reason = {"valueCodeableConcept": {"text": "CANARI-MALADIE"}}
    away = range_(at(9), at(10), kind="busy-unavailable", unavailabilityReason=reason)
    made = created(api.post("Schedule", schedule(*of(nurse), extensions=[away])))
    other, _ = world.software(client, world.structure())
    assert "CANARI-MALADIE" in api.get(f"Schedule/{made['id']}").content.decode()
    told = other.get(f"Schedule/{made['id']}")
    assert told.status_code == 200
    assert "CANARI-MALADIE" not in told.content.decode()


def test_what_may_say_anything_is_told_to_who_sent_it(client, api, nurse):
    """An agenda is read by all: its narrative, what it contains and foreign extensions may name anybody."""
    told = {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">CANARI-TEXTE</div>'}
    extension = {"url": "https://exemple.fr/note", "valueString": "CANARI-EXTENSION"}
    inside = [{"resourceType": "Patient", "id": "p", "name": [{"family": "CANARI-CONTENU"}]}]
    sent = morning(nurse, extension, text=told, contained=inside)
    sent["actor"][0]["extension"] = [{"url": "https://exemple.fr/qui", "valueReference": {"reference": "#p"}}]
    made = created(api.post("Schedule", sent))
    other, _ = world.software(client, world.structure())
    address = f"Schedule/{made['id']}"
    own = api.get(address).content.decode()
    assert all(word in own for word in ("CANARI-TEXTE", "CANARI-EXTENSION", "CANARI-CONTENU"))
    answer = other.get(address)
    assert answer.status_code == 200 and "CANARI" not in answer.content.decode()
    assert len(read(answer)["extension"]) == 2


@pytest.mark.req("GAP-26", "GAP-31", "GAP-32", "GAP-33")
def test_availabilities_are_added_changed_and_removed(api, nurse):
    made = created(api.post("Schedule", morning(nurse)))
    address = f"Schedule/{made['id']}"
    more = range_(at(14), at(16), identifier="plage-2")
    changed = made | {"extension": [*made["extension"], more]}
    answer = api.put(address, changed)
    assert answer.status_code == 200, answer.content
    assert Opening.objects.count() == OpenTime.objects.count() == 2
    kept = Opening.objects.get(starts__endswith="T09:00").pk
    shorter = [range_(at(9), at(10)), lasting(30)]
    assert api.put(address, changed | {"extension": shorter}).status_code == 200
    [left] = OpenTime.objects.all()
    assert (left.opening_id, left.ends_at) == (kept, at(10))


@pytest.mark.req("GAP-41")
def test_the_same_sent_again_changes_nothing(api, nurse):
    made = created(
        api.post("Schedule", morning(nurse, range_(at(9), at(11), identifier="r", rule=rrule(byDay=["MO", "TH"]))))
    )
    address = f"Schedule/{made['id']}"
    rows = list(OpenTime.objects.order_by("pk").values_list("pk", flat=True))
    # As a client that keeps no identifier of ours sends it, then as it was read.
    bare = {name: value for name, value in made.items() if name not in ("identifier", "meta")}
    assert api.put(address, bare).status_code == 200
    before = read(api.get(address))
    for body in (bare, made, before):
        assert api.put(address, body).status_code == 200
        assert read(api.get(address)) == before
    assert list(OpenTime.objects.order_by("pk").values_list("pk", flat=True)) == rows


@pytest.mark.req("GAP-42")
def test_a_stale_write_is_refused(api, nurse):
    answer = api.post("Schedule", morning(nurse))
    made = created(answer)
    address, stale = f"Schedule/{made['id']}", answer["ETag"]
    assert api.put(address, made | {"comment": "A"}, If_Match=stale).status_code == 200
    assert api.put(address, made | {"comment": "B"}, If_Match=stale).status_code == 412
    assert read(api.get(address))["comment"] == "A"


@pytest.mark.req("GAP-24")
def test_an_agenda_of_several_is_nobodys_own(api, nurse, structure, client):
    _, other = world.software(client, structure)
    made = created(
        api.post("Schedule", schedule(*of(nurse), *of(other), extensions=[range_(at(9), at(11)), lasting()]))
    )
    row = Schedule.objects.get(pk=made["id"])
    assert row.key == row.pk
    assert set(row.actors.values_list("key", flat=True)) == {
        nurse.attachment.professional.pk, other.attachment.professional.pk,
    }  # fmt: skip


@pytest.mark.req("GAP-28")
def test_an_unknown_actor_is_refused(api):
    nobody = "0188d2a4-0000-7000-8000-00000000dead"
    answer = api.post("Schedule", schedule(f"Practitioner/{nobody}"))
    assert answer.status_code == 422
    assert ("error", "not-found", "Schedule.actor[0]") in issues(answer)


@pytest.mark.req("GAP-28")
def test_a_logical_reference_is_who_has_the_identifier(api, nurse):
    someone = nurse.attachment.professional
    logical = {
        "type": "Practitioner",
        "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": someone.national_id},
    }
    made = created(api.post("Schedule", {"resourceType": "Schedule", "actor": [logical]}))
    assert made["actor"] == [logical]
    assert Schedule.objects.get(pk=made["id"]).key == someone.pk


UNKNOWN_PERSONS = {
    "by her INS": {"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "2550699999"}},
    "of another server": {"reference": "https://ailleurs.example/fhir/Patient/1"},
    "elsewhere, by its type": {"reference": "urn:uuid:0188d2a4-0000-7000-8000-00000000dead", "type": "Patient"},
    "a relative": {"type": "RelatedPerson", "identifier": {"system": "urn:x:y", "value": "1"}},
    "a relative of another server": {"reference": "https://ailleurs.example/fhir/RelatedPerson/1"},
    "of no type": {"reference": "https://ailleurs.example/quelqu-un"},
    "said a professional, by an INS": {
        "type": "Practitioner", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "255069999999934"},
    },
}  # fmt: skip


@pytest.mark.req("GAP-28")
@pytest.mark.parametrize("who", UNKNOWN_PERSONS)
def test_a_person_who_is_none_of_ours_is_in_no_agenda(api, nurse, who):
    """An agenda is public: her name and her number would be."""
    actor = UNKNOWN_PERSONS[who] | {"display": "CANARI Jeanne"}
    sent = morning(nurse)
    answer = api.post("Schedule", sent | {"actor": [*sent["actor"], actor]})
    assert answer.status_code == 422, answer.content
    assert ("error", "not-found", "Schedule.actor[2]") in issues(answer)
    assert not Schedule.objects.exists()


@pytest.mark.req("GAP-28", "GAP-5")
def test_a_person_whose_dossier_is_closed_is_unknown(api, entry):
    from django.conf import settings

    number = {"system": settings.FHIR_IDENTIFIER_SYSTEM_PATIENT, "value": str(entry.dossier.pk)}
    answer = api.post("Schedule", {"resourceType": "Schedule", "actor": [{"type": "Patient", "identifier": number}]})
    assert answer.status_code == 422 and ("error", "not-found", "Schedule.actor[0]") in issues(answer)


@pytest.mark.parametrize("type_name", ["Patient", "RelatedPerson", ""])
def test_one_kept_before_it_was_refused_is_its_owners(client, api, type_name):
    """Rows of before: whoever declared it alone reads it, and its slots."""
    colleague = {"type": "Practitioner", "identifier": {"system": "urn:x:y", "value": "1"}, "display": "CANARI"}
    sent = {"resourceType": "Schedule", "actor": [colleague], "extension": [range_(at(9), at(11)), lasting(30)]}
    made = created(api.post("Schedule", sent))
    other, _ = world.software(client, world.structure())
    address, slots = f"Schedule/{made['id']}", f"Slot?schedule={made['id']}"
    assert other.get(address).status_code == 200 and len(read(other.get(slots))["entry"]) == 4
    ScheduleActor.objects.update(type=type_name)
    assert other.get(address).status_code == 404
    assert not read(other.get(slots)).get("entry")
    assert "CANARI" not in other.get("Schedule").content.decode()
    assert api.get(address).status_code == 200 and len(read(api.get(slots))["entry"]) == 4


@pytest.mark.req("GAP-5")
def test_nobody_declares_the_time_of_somebody_elses_structure(client, api):
    _, stranger = world.software(client, world.structure())
    answer = api.post("Schedule", morning(stranger))
    assert answer.status_code == 403
    assert not Schedule.objects.exists()


@pytest.mark.req("GAP-5")
def test_the_right_is_asked_again_when_ranges_change(api, structure):
    """A professional declared while he worked there, who has left since: nothing more is said of his time."""
    left = make.account(structure=structure)
    made = created(api.post("Schedule", morning(left)))
    Attachment.objects.filter(user=left).update(structure=None)
    Activity.objects.filter(professional=left.attachment.professional).update(structure=None)
    address = f"Schedule/{made['id']}"
    said = read(api.put(address, made | {"comment": "Encore"}))
    assert said["comment"] == "Encore"
    later = range_(at(9), at(12))
    more = range_(at(14), at(16), identifier="plage-2")
    for ranges in ([later, lasting()], [*said["extension"], more]):
        answer = api.put(address, said | {"extension": ranges})
        assert answer.status_code == 403, answer.content
    assert [(one.starts_at, one.ends_at) for one in OpenTime.objects.all()] == [(at(9), at(11))]
    assert api.put(address, said | {"extension": [lasting()]}).status_code == 200
    assert not OpenTime.objects.exists()


@pytest.mark.req("GAP-5")
def test_a_personal_token_declares_its_owners_time_only(client, structure, nurse):
    """A nurse’s own program does not close the agenda of a colleague of her structure."""
    colleague = make.account(structure=structure)
    room = Room.objects.create(structure=structure, name="Salle bleue")
    own = Api.of(client, nurse, scopes=("user/Schedule.cruds",))
    away = range_(at(9), at(11), kind="busy-unavailable")
    for actors in (of(colleague), (*of(nurse), *of(colleague)), (f"Location/{room.pk}",)):
        answer = own.post("Schedule", schedule(*actors, extensions=[away]))
        assert answer.status_code == 403, answer.content
    assert not Occupation.objects.exists()
    created(own.post("Schedule", morning(nurse)))


@pytest.mark.req("GAP-5")
def test_another_software_reads_and_changes_nothing(client, api, nurse, structure):
    made = created(api.post("Schedule", morning(nurse)))
    other, _ = world.software(client, structure)
    address = f"Schedule/{made['id']}"
    assert other.get(address).status_code == 200
    assert other.put(address, made | {"comment": "X"}).status_code == 403
    assert other.ask("DELETE", address).status_code == 403
    reads_only, _ = world.software(client, structure, scopes=("system/Schedule.rs",))
    assert reads_only.put(address, made).status_code == 403
    assert reads_only.ask("DELETE", address).status_code == 403


@pytest.mark.req("GAP-91")
def test_the_official_example_is_accepted(api):
    from tests.fhir import packages

    example = packages.resource("ans.fhir.fr.gap/examples/Schedule-example.json")
    made = created(api.post("Schedule", example))
    for name, value in example.items():
        if name not in ("id", "meta"):
            assert made[name] == value, name


@pytest.mark.req("GAP-37", "GAP-95")
def test_a_year_of_mornings_is_one_extension(api, nurse):
    yearly = range_(at(9), at(12), rule=rrule("WEEKLY", byDay=["MO", "WE", "FR"], count=60))
    made = created(api.post("Schedule", schedule(*of(nurse), extensions=[yearly])))
    assert len(made["extension"]) == 1
    assert Opening.objects.count() == 1
    assert OpenTime.objects.count() in (60, 61)


@pytest.mark.req("GAP-30")
def test_nothing_is_open_outside_of_the_horizon(api, nurse):
    ends = at(10)
    made = created(
        api.post("Schedule", morning(nurse, planningHorizon={"start": at(9, 30).isoformat(), "end": ends.isoformat()}))
    )
    [time] = OpenTime.objects.all()
    assert (time.starts_at, time.ends_at) == (at(9, 30), ends)
    assert api.put(f"Schedule/{made['id']}", made | {"planningHorizon": {"end": "2020-01-01"}}).status_code == 200
    assert not OpenTime.objects.exists()
    body = {name: value for name, value in made.items() if name != "planningHorizon"}
    assert api.put(f"Schedule/{made['id']}", body).status_code == 200
    assert OpenTime.objects.get().ends_at == at(11)


def test_an_agenda_set_aside_is_open_never(api, nurse):
    made = created(api.post("Schedule", morning(nurse, active=False)))
    assert not OpenTime.objects.exists()
    assert api.put(f"Schedule/{made['id']}", made | {"active": True}).status_code == 200
    assert OpenTime.objects.count() == 1


@pytest.mark.req("GAP-38")
def test_whole_days_away_take_the_days_whole(api, nurse):
    first, last = world.day(8), world.day(9)
    away = range_(first.isoformat(), last.isoformat(), kind="busy-unavailable", identifier="conges")
    made = created(api.post("Schedule", morning(nurse, away)))
    assert away in made["extension"]
    [taken] = Occupation.objects.all()
    assert taken.key == nurse.attachment.professional.pk
    assert taken.ends_at - taken.starts_at >= dt.timedelta(hours=47)
    assert Absence.objects.count() == 1


def test_the_clock_of_another_territory_is_kept(api, nurse):
    from zoneinfo import ZoneInfo

    reunion = ZoneInfo("Indian/Reunion")
    made = created(
        api.post("Schedule", schedule(*of(nurse), extensions=[range_(at(9, zone=reunion), at(11, zone=reunion))]))
    )
    assert Schedule.objects.get(pk=made["id"]).zone == "Indian/Reunion"
    assert Opening.objects.get().starts.endswith("T09:00")


@pytest.mark.req("GAP-40")
def test_what_is_booked_stays_and_somebody_is_told(client, api, nurse, entry):
    made = created(api.post("Schedule", morning(nurse)))
    planned.appointment(entry, planned.member(entry, nurse), starts=at(9), minutes=30)
    assert api.put(f"Schedule/{made['id']}", made | {"extension": [lasting()]}).status_code == 200
    assert Occupation.objects.filter(kind=Occupation.Kind.APPOINTMENT).count() == 1
    assert "hors des disponibilités" in [one.title for one in waiting.of(nurse)][-1]
    client.force_login(nurse)
    page = client.get("/a-faire/").content.decode()
    assert "Un rendez-vous est hors des disponibilités" in page
    # Covered again: there is nothing to look at any more.
    assert api.put(f"Schedule/{made['id']}", made).status_code == 200
    assert not [one for one in waiting.of(nurse) if "hors" in one.title]


@pytest.mark.req("GAP-40")
def test_whoever_has_no_account_is_told_by_the_organiser(client, entry, structure):
    api, _ = world.software(client, structure)
    someone = make.listed(structure=structure)
    made = created(api.post("Schedule", schedule(f"Practitioner/{someone.pk}", extensions=[range_(at(9), at(11))])))
    member = make.add(entry, someone)
    planned.appointment(entry, member, starts=at(9), minutes=30)
    assert api.ask("DELETE", f"Schedule/{made['id']}").status_code == 204
    assert [one for one in waiting.of(entry.user) if "hors des disponibilités" in one.title]


# Made at the time of the test: a run that goes over midnight is not of the day of the import.
OPERATIONS = {
    "add": lambda: [{"op": "add", "path": "/extension/-", "value": range_(at(14), at(15), identifier="plage-2")}],
    "replace": lambda: [{"op": "replace", "path": "/extension/0", "value": range_(at(10), at(11))}],
    "remove": lambda: [{"op": "remove", "path": "/extension/0"}],
}
PATCH = "application/json-patch+json"


@pytest.mark.req("GAP-34")
@pytest.mark.parametrize(
    ("operation", "expected"), [("add", [(9, 11), (14, 15)]), ("replace", [(10, 11)]), ("remove", [])]
)
def test_a_patch_does_what_a_put_does(api, nurse, operation, expected):
    made = created(api.post("Schedule", morning(nurse)))
    answer = api.ask("PATCH", f"Schedule/{made['id']}", OPERATIONS[operation](), media=PATCH)
    assert answer.status_code == 200, answer.content
    times = OpenTime.objects.order_by("starts_at").values_list("starts_at", "ends_at")
    assert list(times) == [(at(first), at(last)) for first, last in expected]


@pytest.mark.req("GAP-34", "GAP-42")
@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([], 200),
        ({}, 400),
        (["x"], 400),
        ([{"op": "remove"}], 400),
        ([{"op": [], "path": "/active"}], 400),
        ([{"op": {}, "path": "/active"}], 400),
        ([{"op": "remove", "path": "/extension/9"}], 400),
        ([{"op": "remove", "path": "extension"}], 400),
        ([{"op": "replace", "path": "/nulle/part", "value": 1}], 400),
        ([{"op": "test", "path": "/active", "value": False}], 400),
        ([{"op": "copy", "from": "/extension", "path": "/extension/-"}], 400),
        ([{"op": "add", "path": "", "value": []}], 400),
        ([{"op": "add", "path": "/inconnu", "value": 1}], 400),
        ([{"op": "add", "path": "/serviceType", "value": [{"text": "x"}]}], 422),
        ([{"op": "remove", "path": "/actor"}], 400),
        ([{"op": "replace", "path": "/id", "value": "autre"}], 400),
        ([{"op": "add", "path": "/active", "value": True}] * 201, 400),
    ],
)
def test_a_patch_that_cannot_be_done_does_nothing(api, nurse, operations, status):
    made = created(api.post("Schedule", morning(nurse)))
    before = read(api.get(f"Schedule/{made['id']}"))
    answer = api.ask("PATCH", f"Schedule/{made['id']}", operations, media=PATCH)
    assert answer.status_code == status, answer.content
    if status != 200:
        issues(answer)
    assert read(api.get(f"Schedule/{made['id']}")) == before


@pytest.mark.req("GAP-34")
@pytest.mark.parametrize(("said", "times", "status"), [(False, 1, 200), (True, 1, 412), (False, 9, 412)])
def test_a_patch_that_another_one_overtook_is_done_on_what_stands(api, nurse, monkeypatch, said, times, status):
    """Who named no version is asked nothing: his operations are done on what the other one left (CDS-35 otherwise)."""
    made = created(api.post("Schedule", morning(nurse)))
    calls, done = [], interactions.writing.update

    def overtaken(*args, **details):
        calls.append(details["expected"])
        if len(calls) <= times:
            raise VersionConflict
        return done(*args, **details)

    monkeypatch.setattr(interactions.writing, "update", overtaken)
    match = {"If_Match": f'W/"{made["meta"]["versionId"]}"'} if said else {}
    answer = api.ask("PATCH", f"Schedule/{made['id']}", OPERATIONS["remove"](), media=PATCH, **match)
    assert answer.status_code == status, answer.content
    assert len(calls) == (1 if said else 2 if status == 200 else attempts.MOST)
    assert OpenTime.objects.exists() is (status != 200)


def test_a_patch_is_of_json_and_of_agendas(api, nurse):
    made = created(api.post("Schedule", morning(nurse)))
    address = f"Schedule/{made['id']}"
    assert api.ask("PATCH", address, OPERATIONS["remove"](), media="application/fhir+json").status_code == 415
    assert api.ask("PATCH", address, b"[", media=PATCH).status_code == 400
    assert api.ask("PATCH", address, OPERATIONS["remove"](), media=PATCH, If_Match='W/"autre"').status_code == 412
    assert api.ask("PATCH", of(nurse)[1], OPERATIONS["remove"](), media=PATCH).status_code == 405
    assert api.ask("PATCH", "Slot/1-0-1", OPERATIONS["remove"](), media=PATCH).status_code == 405


@pytest.mark.req("GAP-1", "GAP-2", "GAP-3", "GAP-87")
def test_the_statement_says_what_is_done(client, db):
    said = read(client.get("/fhir/metadata"))
    assert [one for one in said["instantiates"] if "/gap/" in one] == [
        "https://interop.esante.gouv.fr/ig/fhir/gap/CapabilityStatement/GAP-GestionnaireAgenda",
        "https://interop.esante.gouv.fr/ig/fhir/gap/CapabilityStatement/GAP-GestionnaireRessources",
    ]
    of_type = {one["type"]: one for one in said["rest"][0]["resource"]}
    offered = {name: {code["code"] for code in one["interaction"]} for name, one in of_type.items()}
    assert {"create", "update", "patch", "delete", "read", "search-type"} <= offered["Schedule"]
    assert offered["Slot"] == {"read", "search-type"}
    for name in ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Location", "HealthcareService",
                 "Organization", "Device"):  # fmt: skip
        assert {"create", "update", "delete"} <= offered[name], name
    assert {"start", "schedule", "status", "identifier"} <= {one["name"] for one in of_type["Slot"]["searchParam"]}
    assert "searchRevInclude" not in of_type["Slot"]
    assert "Slot:schedule" not in of_type["Schedule"].get("searchRevInclude", [])


def test_two_ranges_of_one_identifier_are_refused(api, nurse):
    answer = api.post("Schedule", schedule(*of(nurse), extensions=[range_(at(9), at(10)), range_(at(14), at(15))]))
    assert answer.status_code == 422
    assert "Schedule.extension[1]" in {at for _, _, at in issues(answer)}


def test_the_same_call_twice_makes_one_agenda(api, nurse):
    for _ in range(2):
        assert api.post("Schedule", morning(nurse), Idempotency_Key="une-fois").status_code in (200, 201)
    assert Schedule.objects.count() == 1
    same = deepcopy(morning(nurse))
    found = api.post("Schedule", same | {"identifier": [{"system": "urn:x:y", "value": "7"}]})
    assert found.status_code == 201
    again = api.post("Schedule", same, If_None_Exist="identifier=urn:x:y|7")
    assert again.status_code == 200
    assert Schedule.objects.count() == 2


@pytest.mark.req("AGD-18", "AGD-17")
def test_what_software_declares_is_read_by_who_looks_for_a_common_time(api, nurse, entry):
    member = planned.member(entry, nurse)
    people = finding.invited(entry, {member.pk: True}, person=False)
    window = at(0), at(0, days=9)

    def opens():
        return next(one for one in finding.agendas(entry, people, window) if one.key == member.professional_id).opens

    assert opens() is None
    away = range_(at(10), at(10, 30), kind="busy-unavailable", identifier="non")
    made = created(api.post("Schedule", morning(nurse, away)))
    assert [(spans.at(start), spans.at(end)) for start, end in opens()] == [(at(9), at(11))]
    assert api.put(f"Schedule/{made['id']}", made | {"active": False}).status_code == 200
    assert not opens()


@pytest.mark.req("GAP-95", "GAP-26")
def test_the_agenda_of_a_page_is_changed_by_its_owners_software(api, nurse, client, structure):
    from agenda.actions.openings import When, add_absence, add_opening
    from agenda.actions.schedules import change_settings, schedule_of

    row = schedule_of(nurse)
    change_settings(row, by=nurse, zone="Europe/Paris", minutes={"consultation": 30}, mails_invitations=False)
    starts = at(9).replace(tzinfo=None)
    when = When(starts, starts + dt.timedelta(hours=2), Rule(Freq.WEEKLY))
    add_opening(row, by=nurse, when=when)
    away = dt.datetime.combine(world.day(20), dt.time())
    add_absence(row, by=nurse, when=When(away, away + dt.timedelta(days=2)), label="CANARI-CONGES", all_day=True)
    said = world.sound(read(api.get(f"Schedule/{row.pk}")))
    kinds = [
        {one["url"]: one for one in extension["extension"]} for extension in said["extension"]
        if extension["url"].endswith("availability-time")
    ]  # fmt: skip
    assert [one["type"]["valueCoding"]["code"] for one in kinds] == ["free", "busy-unavailable"]
    assert kinds[0]["rrule"]["extension"][0]["valueCoding"]["code"] == "WEEKLY"
    assert "CANARI-CONGES" in str(said)
    times = OpenTime.objects.count()
    rows = set(Opening.objects.values_list("pk", flat=True))
    assert api.put(f"Schedule/{row.pk}", said).status_code == 200
    more = range_(at(14), at(15), identifier="plage-fhir")
    answer = api.put(f"Schedule/{row.pk}", said | {"extension": [*said["extension"], more]})
    assert answer.status_code == 200, answer.content
    assert OpenTime.objects.count() == times + 1
    assert rows < set(Opening.objects.values_list("pk", flat=True))
    assert Absence.objects.get().label == "CANARI-CONGES"
    # Another professional of the same software reads it, without why, and does not write it.
    other, _ = world.software(client, structure)
    told = other.get(f"Schedule/{row.pk}")
    assert "CANARI" not in told.content.decode()
    assert other.put(f"Schedule/{row.pk}", read(told)).status_code == 403
    assert api.ask("DELETE", f"Schedule/{row.pk}").status_code == 403
    assert api.put(f"Schedule/{row.pk}", said | {"actor": said["actor"][:1]}).status_code == 422
