"""Slot: cut at each search from agendas, their availabilities and what is taken (agenda.md §3.4, §7.2)."""

import datetime as dt
from urllib.parse import quote, urlencode

import pytest
from django.utils import timezone

from agenda.actions.received import replace_busy
from agenda.fhir.cutting import SlotId, parse_slot_id
from agenda.models import Occupation
from coordination.common.ids import uuid7
from coordination.partners import known
from tests.agenda import factories as planned
from tests.agenda import fhir_world as world
from tests.agenda.fhir_world import at, created, lasting, morning, of, range_, rrule, schedule, search
from tests.agenda.test_fhir_schedules import api, nurse, nurse_api, structure  # noqa: F401 - the same world
from tests.fhir.api import Api, link, matches, read
from tests.partners.factories import PartnerFactory

pytestmark = pytest.mark.django_db
SYSTEM = "http://testserver/fhir"


def taken(user, start, end, *, kind=Occupation.Kind.APPOINTMENT):
    return Occupation.objects.create(
        key=user.attachment.professional.pk, kind=kind, source=uuid7(), starts_at=start, ends_at=end,
        exclusive=kind == Occupation.Kind.APPOINTMENT,
    )  # fmt: skip


def found(api, **criteria):  # noqa: F811
    """Return [(status, start)] of the slots a search finds, in order."""
    bundle = search(api, f"Slot?{urlencode(criteria, doseq=True)}")
    return [(one["status"], dt.datetime.fromisoformat(one["start"])) for one in matches(bundle)]


def agenda(api, nurse, *more, **fields):  # noqa: F811
    return created(api.post("Schedule", morning(nurse, *more, **fields)))


@pytest.mark.req("GAP-43", "GAP-45", "GAP-57", "GAP-58", "GAP-29")
def test_openings_are_cut_by_the_duration_of_the_service(api, nurse):  # noqa: F811
    assert search(api, "Slot?status=free").get("entry") is None
    made = agenda(api, nurse)
    bundle = search(api, "Slot?status=free")
    assert "total" not in bundle
    slots = matches(bundle)
    assert [dt.datetime.fromisoformat(one["start"]) for one in slots] == [at(9), at(9, 30), at(10), at(10, 30)]
    for one in slots:
        assert one["schedule"] == {"reference": f"Schedule/{made['id']}"}
        assert one["serviceType"][0]["coding"] == [{"system": world.SERVICES, "code": "1", "display": "suivi"}]
        assert dt.datetime.fromisoformat(one["end"]).tzinfo is not None
        assert len(one["id"]) <= 64


@pytest.mark.req("GAP-46", "GAP-38", "GAP-39")
def test_what_is_taken_is_busy_and_what_is_closed_is_no_slot(api, nurse):  # noqa: F811
    agenda(api, nurse, range_(at(10), at(10, 30), kind="busy-unavailable", identifier="non"))
    taken(nurse, at(9, 40), at(9, 50))
    assert found(api) == [("free", at(9)), ("busy", at(9, 30)), ("free", at(10, 30))]
    assert found(api, status="free") == [("free", at(9)), ("free", at(10, 30))]
    assert found(api, status="busy") == [("busy", at(9, 30))]
    assert found(api, **{"status:not": "busy"}) == [("free", at(9)), ("free", at(10, 30))]
    assert found(api, status="busy-tentative") == []


@pytest.mark.req("GAP-38")
def test_an_absence_leaves_what_is_booked(api, nurse):  # noqa: F811
    made = agenda(api, nurse)
    taken(nurse, at(9), at(9, 30))
    away = range_(at(8), at(12), kind="busy-unavailable", identifier="non")
    answer = api.put(f"Schedule/{made['id']}", made | {"extension": [*made["extension"], away]})
    assert answer.status_code == 200
    assert found(api) == [("busy", at(9))]
    assert Occupation.objects.filter(kind=Occupation.Kind.APPOINTMENT).count() == 1


@pytest.mark.req("GAP-47")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["ge{9:30}", "le{10:00}"], [(9, 30), (10, 0)]),
        (["gt{9:30}", "lt{10:30}"], [(10, 0)]),
        (["ge{9:30}", "lt{10:00}"], [(9, 30)]),
        (["eq{9:30}"], [(9, 30)]),
        (["ne{9:30}", "lt{10:30}"], [(9, 0), (10, 0)]),
        (["{9:30},{10:30}"], [(9, 30), (10, 30)]),
        (["sa{10:00}"], [(10, 30)]),
        (["eb{9:30}"], [(9, 0)]),
    ],
)
def test_a_search_is_bounded_by_the_start(api, nurse, said, expected):  # noqa: F811
    agenda(api, nurse)
    for hour, minute in ((9, 0), (9, 30), (10, 0), (10, 30)):
        name = f"{{{hour}:{minute:02}}}"
        said = [one.replace(name, at(hour, minute).isoformat()) for one in said]
    assert [start for _, start in found(api, start=said)] == [at(*one) for one in expected]


def test_a_day_is_all_that_begins_in_it(api, nurse):  # noqa: F811
    agenda(api, nurse)
    assert len(found(api, start=[f"ge{world.day()}", f"le{world.day()}"])) == 4
    assert found(api, start=f"gt{world.day()}") == []
    assert api.get("Slot?start=hier").status_code == 400


@pytest.mark.req("GAP-48", "GAP-49")
def test_a_slot_is_found_again_by_its_identifier(api, nurse):  # noqa: F811
    made = agenda(api, nurse)
    first, second, *_ = matches(search(api, "Slot"))
    said = second["identifier"][0]
    assert matches(search(api, f"Slot?identifier={quote(said['system'] + '|' + said['value'])}")) == [second]
    assert matches(search(api, f"Slot?_id={first['id']},{second['id']}")) == [first, second]
    answer = api.get(f"Slot/{second['id']}")
    assert read(answer) == second
    assert api.get(f"Slot/{second['id']}", If_None_Match=answer["ETag"]).status_code == 304
    # Another range comes, the rule stays: the same slot.
    more = range_(at(14), at(15), identifier="plage-2")
    changed = api.put(f"Schedule/{made['id']}", made | {"extension": [*made["extension"], more], "comment": "X"})
    assert changed.status_code == 200
    assert read(api.get(f"Slot/{second['id']}"))["start"] == second["start"]


@pytest.mark.req("GAP-33", "GAP-49", "GAP-27")
def test_a_slot_that_is_no_more_is_unknown(api, nurse):  # noqa: F811
    made = agenda(api, nurse)
    [slot, *_] = matches(search(api, "Slot"))
    assert api.put(f"Schedule/{made['id']}", made | {"extension": [lasting()]}).status_code == 200
    assert api.get(f"Slot/{slot['id']}").status_code == 404
    assert found(api) == []
    for wrong in ("0", "a-b", "zz-zz-zz", "1-0-1", uuid7(), "x" * 64, f"{'z' * 26}-0-1", "A-0-1"):
        assert api.get(f"Slot/{wrong}").status_code == 404, wrong


def test_ids_say_what_they_are_and_back():
    one = SlotId(uuid7(), uuid7(), dt.datetime(2199, 12, 31, 23, 59))
    assert parse_slot_id(str(one)) == one
    assert len(str(one)) <= 64
    alone = SlotId(uuid7(), None, dt.datetime(2026, 3, 29, 2, 30))
    assert parse_slot_id(str(alone)) == alone
    assert parse_slot_id(f"0{one}") is None


@pytest.mark.req("GAP-24")
def test_an_agenda_of_several_needs_them_all(client, api, nurse, structure):  # noqa: F811
    _, other = world.software(client, structure)
    body = schedule(*of(nurse), *of(other), extensions=[range_(at(9), at(10)), lasting()])
    created(api.post("Schedule", body))
    taken(nurse, at(9), at(9, 30))
    assert found(api) == [("busy", at(9)), ("free", at(9, 30))]
    taken(other, at(9, 30), at(10))
    assert found(api, status="free") == []


def test_each_kind_of_appointment_has_its_slots(api, nurse):  # noqa: F811
    agenda(api, nurse, lasting(60, code="2", display="bilan"))
    assert len(found(api)) == 6
    assert len(found(api, **{"service-type": f"{world.SERVICES}|2"})) == 2
    assert len(found(api, **{"service-type": "1"})) == 4
    assert found(api, **{"service-type": "urn:x|1"}) == []


def test_slots_of_an_agenda(api, nurse):  # noqa: F811
    made = agenda(api, nurse, identifier=[{"system": "urn:oid:1.2.3.4", "value": "A1"}])
    other = created(api.post("Schedule", schedule(*of(nurse), extensions=[range_(at(14), at(15)), lasting()])))
    for said in (f"schedule={made['id']}", f"schedule=Schedule/{made['id']}", "schedule:identifier=A1",
                 f"schedule={SYSTEM}/Schedule/{made['id']}", "schedule.identifier=A1"):  # fmt: skip
        slots = matches(search(api, f"Slot?{said}"))
        assert {one["schedule"]["reference"] for one in slots} == {f"Schedule/{made['id']}"}, said
    assert len(found(api, schedule=f"{made['id']},{other['id']}")) == len(found(api)) == 6
    assert len(found(api, **{"schedule:missing": "false"})) == 6
    assert found(api, **{"status:missing": "true"}) == []
    assert found(api, schedule="autre") == []


def test_an_agenda_that_offers_nothing_in_particular_has_slots_of_half_an_hour(api, nurse):  # noqa: F811
    created(api.post("Schedule", schedule(*of(nurse), extensions=[range_(at(9), at(10))])))
    slots = matches(search(api, "Slot"))
    assert len(slots) == 2
    assert all("serviceType" not in one for one in slots)


@pytest.mark.req("GAP-60", "GAP-68")
def test_a_busy_slot_says_neither_why_nor_who(client, api, nurse, entry):  # noqa: F811
    agenda(api, nurse)
    member = planned.member(entry, nurse)
    planned.appointment(entry, member, starts=at(9), minutes=30, title="CANARI-MOTIF")
    stranger, _ = world.software(client, world.structure())
    [busy] = matches(search(stranger, "Slot?status=busy&_include=Slot:schedule"))
    assert busy["start"] == at(9).isoformat()
    assert set(busy) == {
        "resourceType",
        "id",
        "meta",
        "identifier",
        "serviceType",
        "schedule",
        "status",
        "start",
        "end",
    }
    told = stranger.get("Slot?_include=Slot:schedule&_include=Schedule:actor").content.decode()
    assert "CANARI" not in told
    assert str(entry.dossier.pk) not in told


def test_what_is_over_is_not_free(api, nurse):  # noqa: F811
    start = timezone.now().replace(second=0, microsecond=0) - dt.timedelta(minutes=90)
    made = range_(start, start + dt.timedelta(hours=4))
    created(api.post("Schedule", schedule(*of(nurse), extensions=[made, lasting()])))
    assert all(start >= timezone.now() for _, start in found(api))


@pytest.mark.req("GAP-59")
def test_pages_follow_one_another(api, nurse):  # noqa: F811
    daily = range_(at(9), at(12), rule=rrule("DAILY", count=10), identifier="jours")
    created(api.post("Schedule", schedule(*of(nurse), extensions=[daily, lasting(20)])))
    whole = [one["id"] for one in matches(search(api, "Slot?_count=200"))]
    assert len(whole) == 90
    paged, address = [], "Slot?_count=7"
    while address:
        bundle = search(api, address)
        page = [one["id"] for one in matches(bundle)]
        assert 0 < len(page) <= 7
        paged += page
        address = link(bundle, "next")
        if len(paged) == 7:
            # What comes meanwhile neither repeats nor hides another.
            taken(nurse, at(9), at(9, 20))
    assert paged == whole
    assert api.get("Slot?_count=7&inconnu=x").status_code == 200
    assert api.get("Slot?inconnu=x", Prefer="handling=strict").status_code == 400


@pytest.mark.req("GAP-55", "GAP-44", "GAP-25")
def test_agendas_and_actors_come_beside(api, nurse):  # noqa: F811
    made = agenda(api, nurse)
    bundle = search(api, "Slot?_include=Slot:schedule&_include=Schedule:actor")
    by_mode = {"match": set(), "include": set()}
    for entry in bundle["entry"]:
        by_mode[entry["search"]["mode"]].add((entry["resource"]["resourceType"], entry["resource"]["id"]))
        assert not {"request", "response"} & set(entry)
    assert {name for name, _ in by_mode["match"]} == {"Slot"}
    assert by_mode["include"] == {("Schedule", made["id"]), *(tuple(one.split("/")) for one in of(nurse))}


@pytest.mark.req("GAP-72")
def test_what_is_booked_on_screen_is_busy_at_once(api, nurse, entry):  # noqa: F811
    agenda(api, nurse)
    member = planned.member(entry, nurse)
    planned.appointment(entry, member, starts=at(10), minutes=60)
    assert found(api, status="free") == [("free", at(9)), ("free", at(9, 30))]


@pytest.mark.req("GAP-5")
def test_slots_ask_for_their_scope(client, nurse, structure):  # noqa: F811
    other, _ = world.software(client, structure, scopes=("system/Schedule.rs",))
    assert other.get("Slot").status_code == 403
    assert client.get("/fhir/Slot").status_code == 401


@pytest.mark.req("REL-19")
def test_ten_stays_ten_over_both_changes(api, nurse):  # noqa: F811
    """Each slot of a year of mornings begins on the hour that the rule says, whatever the clock did."""
    year = range_(at(10), at(10, 30), rule=rrule("DAILY", count=390), identifier="an")
    created(api.post("Schedule", schedule(*of(nurse), extensions=[year, lasting()])))
    address, hours = "Slot?_count=200", set()
    while address:
        bundle = search(api, address)
        hours |= {one["start"][11:16] for one in matches(bundle)}
        address = link(bundle, "next")
    assert hours == {"10:00"}


def test_an_agenda_of_the_screens_has_slots(api, nurse):  # noqa: F811
    from agenda.actions.openings import When, add_opening
    from agenda.actions.schedules import schedule_of

    starts = at(9).replace(tzinfo=None)
    add_opening(schedule_of(nurse), by=nurse, when=When(starts, starts + dt.timedelta(hours=1)))
    assert found(api) == [("free", at(9)), ("free", at(9, 30))]
    someone = nurse.attachment.professional
    bundle = search(api, f"Schedule?actor:Practitioner.identifier={someone.national_id}")
    [made] = matches(bundle)
    assert [one["reference"] for one in made["actor"]] == list(reversed(of(nurse)))


@pytest.mark.req("GAP-96")
def test_a_partner_is_not_told_the_time_that_it_told_us(http_of_a_partner, nurse):  # noqa: F811
    theirs, partner = http_of_a_partner
    agenda(theirs, nurse)
    replace_busy(partner.pk, nurse.attachment.professional.pk, [(at(9), at(9, 30))])
    own = Api.of(theirs.client_, nurse)
    assert ("busy", at(9)) in found(own), "anybody else is told"
    assert ("free", at(9)) in found(theirs) and found(theirs, status="busy") == []
    # What is booked here is told to it as to anybody.
    taken(nurse, at(10), at(10, 30))
    assert found(theirs, status="busy") == [("busy", at(10))]


@pytest.fixture
def http_of_a_partner(client, api):  # noqa: F811
    partner = PartnerFactory(software=api.client)
    known.forget()
    api.client_ = client
    yield api, partner
    known.forget()
