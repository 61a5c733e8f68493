"""Searching appointments: every parameter of the guide, and nobody finds what he may not read (GAP-61 to 68)."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agenda.fhir import appointment_entries, entries
from agenda.models import AgendaConsent, Appointment
from coordination.fhir import keeping, validation
from coordination.fhir.callers import Caller
from habilitations.actions import record_opposition
from habilitations.models import Trace
from tests.agenda import factories
from tests.agenda.factories import at
from tests.agenda.fhir_made import SYSTEM, created, found, professional, put, sent
from tests.circle import factories as make
from tests.fhir import callers
from tests.fhir.api import Api, link, matches, read
from tests.fhir.capturing import not_judged  # noqa: F401 - a fixture
from tests.fhir.samples import sample

pytestmark = pytest.mark.django_db
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"


@pytest.fixture
def api(client, entry):
    return Api.of(client, entry.user)


@pytest.fixture
def colleague(entry):
    return factories.member(entry)


def iso(moment):
    return moment.isoformat().replace("+", "%2B")


@pytest.mark.req("GAP-61", "GAP-62", "GAP-63")
def test_every_parameter_of_the_guide(api, entry, colleague):
    one = created(api, sent(
        entry, professional(colleague.professional_id), number="un", starts=at(9), priority=5,
        description="Évaluation à domicile", comment="Apporter le bilan", created="2026-01-05T09:00:00+01:00",
        serviceType=[{"coding": [{"system": "http://example.org/types", "code": "1"}]}],
        supportingInformation=[{"reference": "DocumentReference/ordonnance-1"}],
        specialty=[{"coding": [{"system": R38, "code": "SM54"}]}],
    ))["id"]  # fmt: skip
    two = created(api, sent(entry, number="deux", starts=at(9, days=9), priority=1))["id"]
    both = {one, two}
    expected = {
        f"identifier={SYSTEM}|un": {one}, "identifier=un": {one}, f"identifier={SYSTEM}|": both,
        "identifier=ailleurs|un": set(), "status=booked": both, "status=cancelled": set(),
        "status:not=cancelled": both, "service-type=1": {one}, "service-type=http://example.org/types|1": {one},
        "priority=5": {one}, "priority=x": set(), "description=evaluation": {one}, "description=apporter": {one},
        "description:contains=domicile": {one}, "description=domicile": set(),
        "supporting-info=DocumentReference/ordonnance-1": {one}, "supporting-info=Binary/1": set(),
        "created=2026-01-05": {one}, "created=ge2026-02-01": {two}, "created=lt2026-02-01": {one},
        f"date=ge{iso(at(9))}&date=le{iso(at(10))}": {one}, f"start=gt{iso(at(9))}": {two},
        f"start=ge{iso(at(9))}&start=lt{iso(at(9, days=9))}": {one}, f"start=lt{iso(at(9))}": set(),
        f"date={at(9):%Y-%m-%d}": {one}, f"specialty={R38}|SM54": {one}, "part-status=accepted": both,
        f"_id={one}": {one}, f"_lastUpdated=ge{timezone.localdate()}": both, "_lastUpdated=lt2026-01-01": set(),
    }  # fmt: skip
    assert {query: found(api, query) for query in expected} == expected


@pytest.mark.req("GAP-64", "GAP-65")
def test_chains_to_who_attends(api, entry, colleague):
    relative = make.relative(entry)
    about = sent(entry, professional(colleague.professional_id), professional(relative.pk, type_name="RelatedPerson"))
    one = created(api, about)["id"]
    other = make.open_circle(entry.user)
    two = created(api, sent(other))["id"]
    number = colleague.professional.national_id
    rpps = "urn:oid:1.2.250.1.71.4.2.1"
    expected = {
        f"patient={entry.dossier.pk}": {one}, f"patient=Patient/{other.dossier.pk}": {two},
        f"actor=Patient/{entry.dossier.pk}": {one},
        f"patient.identifier={entry.dossier.pk}": {one}, f"actor:Patient.identifier={other.dossier.pk}": {two},
        f"practitioner.identifier={rpps}|{number}": {one}, f"actor:Practitioner.identifier={number}": {one},
        "practitioner.identifier=899700000000": set(),
        f"practitioner={colleague.professional_id}": {one},
        f"actor:PractitionerRole={colleague.activity_id}": {one},
        f"actor:PractitionerRole={colleague.professional_id}": set(),
        f"actor:RelatedPerson.identifier={relative.pk}": {one},
        f"actor:Patient.family={entry.dossier.birth_name}": {one},
    }  # fmt: skip
    assert {query: found(api, query) for query in expected} == expected


@pytest.mark.req("GAP-64")
def test_by_the_ins_once_it_is_qualified(api, entry):
    one = created(api, sent(entry))["id"]
    matricule, oid = "241039934117255", "1.2.250.1.213.1.4.8"
    dossier = entry.dossier
    type(dossier).objects.filter(pk=dossier.pk).update(ins_matricule=matricule, ins_oid=oid, identity_status="PROV")
    assert found(api, f"patient.identifier=urn:oid:{oid}|{matricule}") == set()
    type(dossier).objects.filter(pk=dossier.pk).update(identity_status="QUAL")
    assert found(api, f"patient.identifier=urn:oid:{oid}|{matricule}") == {one}


@pytest.mark.req("GAP-66", "GAP-61")
def test_includes(api, entry, colleague):
    created(api, sent(entry, professional(colleague.professional_id)))
    bundle = read(api.get("Appointment?_include=Appointment:actor&_include=Appointment:patient"))
    assert bundle["type"] == "searchset"
    brought = {one["resource"]["resourceType"]: one["search"]["mode"] for one in bundle["entry"]}
    assert brought == {
        "Appointment": "match", "Patient": "include", "Practitioner": "include", "PractitionerRole": "include",
    }  # fmt: skip
    assert not any("request" in one or "response" in one for one in bundle["entry"])


@pytest.mark.req("GAP-66")
@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("patient", {"Patient"}), ("practitioner", {"Practitioner"}), ("location", set()),
        ("actor", {"Patient", "Practitioner", "PractitionerRole"}), ("actor:PractitionerRole", {"PractitionerRole"}),
    ],
)  # fmt: skip
def test_an_include_brings_the_types_of_its_parameter_only(api, entry, colleague, name, types):
    """All who attend are at one path, and each parameter is about some of them."""
    created(api, sent(entry, professional(colleague.professional_id)))
    bundle = read(api.get(f"Appointment?_include=Appointment:{name}"))
    brought = {one["resource"]["resourceType"] for one in bundle["entry"] if one["search"]["mode"] == "include"}
    assert brought == types


def test_a_subset_has_what_every_appointment_must_have(api, entry):
    made = created(api, sent(entry, description="Bilan"))
    for address in ("Appointment", f"Appointment/{made['id']}"):
        said = read(api.get(f"{address}?_elements=description"))
        one = matches(said)[0] if said["resourceType"] == "Bundle" else said
        assert set(one) == {"resourceType", "id", "meta", "description", "status", "participant", "start", "end"}
        assert one["meta"]["tag"][-1]["code"] == "SUBSETTED"
        assert not [issue for issue in validation.check(one) if issue.code == "required"]


@pytest.mark.req("GAP-61")
def test_pages(api, entry):
    ids = {created(api, sent(entry, starts=at(8 + hour)))["id"] for hour in range(5)}
    page = read(api.get("Appointment?_count=2&_sort=date"))
    assert page["total"] == 5
    seen = [one["id"] for one in matches(page)]
    while following := link(page, "next"):
        page = read(api.get(following))
        seen += [one["id"] for one in matches(page)]
    assert set(seen) == ids and len(seen) == 5


def test_unknown_parameters(api, entry):
    assert api.get("Appointment?inconnu=1").status_code == 200
    assert api.get("Appointment?inconnu=1", Prefer="handling=strict").status_code == 400
    assert api.get("Appointment?date=hier").status_code == 400


@pytest.mark.req("GAP-68")
def test_one_trace_for_each_dossier_told(api, entry):
    created(api, sent(entry))
    created(api, sent(entry, starts=at(14)))
    other = make.open_circle(entry.user)
    created(api, sent(other))
    # A dossier of which nothing is told.
    make.open_circle(entry.user)
    before = Trace.objects.count()
    read(api.get("Appointment"))
    traces = Trace.objects.order_by("at")[before:]
    assert sorted((one.dossier_id, one.rubrique, one.action) for one in traces if one.dossier_id) == sorted(
        (pk, "agenda", "lecture") for pk in (entry.dossier.pk, other.dossier.pk)
    )


def test_the_statements_do_not_grow(api, entry, colleague):
    created(api, sent(entry, professional(colleague.professional_id)))
    query = "Appointment?_include=Appointment:actor&practitioner.identifier=" + colleague.professional.national_id
    read(api.get(query))
    with CaptureQueriesContext(
        connection,
    ) as few:
        read(api.get(query))
    for hour in range(6):
        other = factories.member(entry)
        created(api, sent(entry, professional(colleague.professional_id), professional(other.professional_id),
                          starts=at(10 + hour)))  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        bundle = read(api.get(query))
    assert len(matches(bundle)) == 7
    assert len(many) == len(few), [one["sql"][:150] for one in many]


# ---- Who may know --------------------------------------------------------------------------------------------------


def agree(entry, withdrawn=False):
    now = timezone.now()
    AgendaConsent.objects.create(
        dossier=entry.dossier, given_on=timezone.localdate(), recorded_by=entry.user,
        withdrawn_at=now if withdrawn else None, withdrawn_on=timezone.localdate() if withdrawn else None,
    )  # fmt: skip


@pytest.mark.req("GAP-68", "AGD-11", "AGD-12")
def test_what_another_structure_plans_needs_her_consent(api, client, entry, house):
    other = make.account(make.NURSE, structure=house)
    factories.member(entry, other)
    theirs = factories.appointment(entry, structure_id=house.pk, created_by=other, organizer=other)
    address = f"Appointment/{theirs.pk}"
    assert api.get(address).status_code == 404
    assert found(api, "") == set()
    agree(entry)
    assert api.get(address).status_code == 200 and found(api, "") == {str(theirs.pk)}
    AgendaConsent.objects.update(withdrawn_at=timezone.now(), withdrawn_on=timezone.localdate())
    assert api.get(address).status_code == 404 and found(api, "") == set()


@pytest.mark.req("GAP-68")
def test_outside_and_unknown_are_told_alike(api, client, entry):
    made = created(api, sent(entry))
    outside = Api.of(client, make.account())
    unknown = outside.get("Appointment/0188d2a4-0000-7000-8000-00000000dead")
    hidden = outside.get(f"Appointment/{made['id']}")
    assert (hidden.status_code, hidden.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
    assert found(outside, "") == set()
    refused = outside.put(f"Appointment/{made['id']}", made)
    assert refused.status_code == 404
    answer = outside.post("Appointment", sent(entry))
    assert answer.status_code == 422


@pytest.mark.req("GAP-68", "SEC-13")
@pytest.mark.parametrize("agenda_first", [True, False])
def test_who_is_only_invited_leaves_a_trace_and_reads_no_agenda(entry, agenda_first):
    """One call that asks for both, as a Bundle does: neither answers for the other."""
    reader = make.account(make.PHARMACIST)
    mine = factories.member(entry, reader)
    event = factories.appointment(entry, mine)
    record_opposition(
        entry.dossier.pk, by=entry.user, access=entry.access, rubrique="agenda", refused_on=timezone.localdate(),
        collected="oral",
    )  # fmt: skip
    caller = Caller(user=reader, owner=f"user:{reader.pk}", scopes=frozenset())
    before = Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=reader.pk).count()
    if agenda_first:
        assert entries.entered(caller, [entry.dossier.pk]) == {}
    told = appointment_entries.seen(caller, [event.pk])
    assert [one for one, _ in told] == [event]
    assert entries.entered(caller, [entry.dossier.pk]) == {}
    assert Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=reader.pk).count() == before + 1


@pytest.mark.req("GAP-5", "GAP-68")
def test_a_software_reads_what_it_sent(client, entry, house):
    """What it sent for a professional of one structure is its own, whoever of the circle it acts for."""
    user, number = callers.professional(house, family_name="AUTRE")
    factories.member(entry, user)
    software, secret = callers.connect(house, scopes=["system/Appointment.crus"])
    other, other_secret = callers.connect(house, scopes=["system/Appointment.crus"], name="Autre logiciel")
    first = Api(client, callers.acting(callers.token_of(client, software, secret), number))
    made = created(first, sent(entry))
    Appointment.objects.filter(pk=made["id"]).update(created_by=entry.user, organizer=entry.user, structure=None)
    second = Api(client, callers.acting(callers.token_of(client, other, other_secret), number))
    assert first.get(f"Appointment/{made['id']}").status_code == 200 and found(first, "") == {made["id"]}
    assert second.get(f"Appointment/{made['id']}").status_code == 404 and found(second, "") == set()
    assert Appointment.objects.get(pk=made["id"]).received_from == "Logiciel Exemple"


@pytest.mark.req("GAP-68")
def test_a_software_tells_nothing_of_a_discreet_member_by_whom_it_sent(client, entry, house):
    """Rule 7: the same software, acting for who may not know him, neither reads, finds nor changes what he planned."""
    hidden, number = callers.professional(house)
    other, other_number = callers.professional(house, make.SOCIAL)
    factories.member(entry, hidden, discreet=True)
    factories.member(entry, other)
    assert not make.entry_of(other, entry).access.sees_discreet_members
    software, secret = callers.connect(house, scopes=["system/Appointment.crus"])
    token = callers.token_of(client, software, secret)
    his, theirs = (Api(client, callers.acting(token, one)) for one in (number, other_number))
    made = created(his, sent(entry, description="CANARI-DISCRET", number="d1"))
    address = f"Appointment/{made['id']}"
    assert his.get(address).status_code == 200 and found(his, "") == {made["id"]}
    assert theirs.get(address).status_code == 404 and found(theirs, "") == set()
    assert theirs.put(address, made | {"description": "X"}).status_code == 404
    assert Appointment.objects.get(pk=made["id"]).title == "CANARI-DISCRET"


@pytest.mark.req("GAP-68", "REL-7", "GAP-82")
def test_a_number_says_nothing_of_an_event_that_is_not_shown(client, entry, house):
    """Who may write and does not see is answered as for a number that nobody has, and finds his own again."""
    other = make.account(make.NURSE, structure=house)
    factories.member(entry, other)
    theirs = factories.appointment(
        entry, structure_id=house.pk, created_by=other, organizer=other, identifier_system=SYSTEM,
        identifier_value="leur-rdv",
    )  # fmt: skip
    own = Api.of(client, entry.user)
    assert own.get(f"Appointment/{theirs.pk}").status_code == 404
    resource = sent(entry, number="leur-rdv")
    made = created(own, resource)
    assert made["identifier"] == resource["identifier"]
    assert created(own, resource)["id"] == made["id"]
    assert own.post("Appointment", resource | {"description": "autre"}).status_code == 409
    where = f"Appointment?identifier={SYSTEM}|leur-rdv"
    changed = own.put(where, resource | {"description": "Soins"})
    assert changed.status_code == 200 and read(changed)["id"] == made["id"]
    assert read(changed)["identifier"] == resource["identifier"]
    assert found(own, f"identifier={SYSTEM}|leur-rdv") == {made["id"]}
    assert Appointment.objects.count() == 2


@pytest.mark.req("GAP-5")
def test_without_the_scope_nothing(client, entry):
    poor = Api.of(client, entry.user, scopes=("user/Patient.rs",))
    assert poor.get("Appointment").status_code == 403
    assert poor.post("Appointment", sent(entry)).status_code == 403
    reader = Api.of(client, entry.user, scopes=("user/Appointment.rs",))
    assert reader.post("Appointment", sent(entry)).status_code == 403
    assert client.get("/fhir/Appointment").status_code == 401


def test_a_discreet_member_is_neither_told_nor_found(client, entry):
    hidden = factories.member(entry, discreet=True)
    reader = make.account(make.SOCIAL)
    factories.member(entry, reader)
    made = factories.appointment(entry, hidden, with_person=True)
    agree(entry)
    his = Api.of(client, reader)
    assert not make.entry_of(reader, entry).access.sees_discreet_members
    shown = read(his.get(f"Appointment/{made.pk}"))
    assert str(hidden.professional_id) not in str(shown)
    assert found(his, f"practitioner={hidden.professional_id}") == set()


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.usefixtures("not_judged")
def test_nor_by_what_was_sent_beside_him(client, entry):
    """Whose free time it took, a resource inside: what may name who attends goes to who sees them all."""
    hidden = factories.member(entry, discreet=True)
    reader = make.account(make.SOCIAL)
    factories.member(entry, reader)
    made, plain = (
        factories.appointment(entry, hidden, with_person=True),
        factories.appointment(entry, with_person=True),
    )
    agree(entry)
    slot = [{"reference": f"Slot/{hidden.professional_id}-1"}]
    inside = [{"resourceType": "Practitioner", "id": "p", "name": [{"family": "SECRET"}]}]
    for one in (made, plain):
        keeping.keep("Appointment", one.pk, {"slot": slot, "contained": inside})
    his, hers = Api.of(client, reader), Api.of(client, entry.user)
    shown = his.get(f"Appointment/{made.pk}").content.decode()
    assert "SECRET" not in shown and str(hidden.professional_id) not in shown
    assert found(his, f"slot={slot[0]['reference']}") == {str(plain.pk)}
    assert found(hers, f"slot={slot[0]['reference']}") == {str(made.pk), str(plain.pk)}
    assert "SECRET" in his.get(f"Appointment/{plain.pk}").content.decode()
    # Sent back without what he is not told, it stays.
    put(his, read(his.get(f"Appointment/{made.pk}")) | {"comment": "Avec son dossier"})
    assert "SECRET" in hers.get(f"Appointment/{made.pk}").content.decode()


def worlds(entry, house):
    """Events of every kind in a dossier: of whom, of which structure, in whose name, who is invited."""
    reader = make.account(make.NURSE, structure=house)
    mine = factories.member(entry, reader)
    other = make.account(make.NURSE)
    theirs = factories.member(entry, other)
    hidden = make.account(make.NURSE, structure=make.StructureFactory())
    factories.member(entry, hidden, discreet=True)
    KIND = Appointment.Kind
    for number, (kind, structure, author, behalf, invited) in enumerate([
        (KIND.APPOINTMENT, house, other, False, ()), (KIND.APPOINTMENT, None, other, False, ()),
        (KIND.APPOINTMENT, None, other, True, ()), (KIND.MEETING, house, other, False, ()),
        (KIND.MEETING, None, other, False, (mine,)), (KIND.VISIT, None, reader, False, (theirs,)),
        (KIND.APPOINTMENT, make.StructureFactory(), other, False, (mine,)),
        (KIND.APPOINTMENT, None, hidden, False, ()), (KIND.APPOINTMENT, house, hidden, False, (mine,)),
    ]):  # fmt: skip
        factories.appointment(
            entry, *invited, kind=kind, structure_id=structure.pk if structure else None, created_by=author,
            organizer=author, on_behalf=behalf, starts=at(8) + dt.timedelta(hours=number), taken=False,
        )  # fmt: skip
    return reader


@pytest.mark.req("GAP-68")
@pytest.mark.parametrize("agreed", [True, False])
def test_a_search_finds_what_the_screens_show(client, entry, house, agreed):
    reader = worlds(entry, house)
    if agreed:
        agree(entry)
    his = Api.of(client, reader)
    seen = Appointment.objects.visible_to(make.entry_of(reader, entry))
    shown = {str(pk) for pk in seen.values_list("pk", flat=True)}
    assert 0 < len(shown) < Appointment.objects.count() + agreed
    assert found(his, "") == shown
    read_one = {str(pk) for pk in Appointment.objects.values_list("pk", flat=True)
                if his.get(f"Appointment/{pk}").status_code == 200}  # fmt: skip
    assert read_one == shown


@pytest.mark.req("GAP-65", "GAP-66")
@pytest.mark.parametrize("name", ["Device", "Location", "HealthcareService"])
def test_places_services_and_equipment_attend(api, entry, name):
    thing = read(api.post(name, sample(name)))
    assert thing["resourceType"] == name, thing
    number = thing["identifier"][0]["value"]
    made = created(api, sent(entry, professional(thing["id"], type_name=name)))
    assert f"{name}/{thing['id']}" in {one["actor"].get("reference") for one in made["participant"]}
    assert found(api, f"actor:{name}.identifier={number}") == {made["id"]}
    assert found(api, f"actor:{name}.identifier=autre") == set()
    if name == "Location":
        assert found(api, f"location.identifier={number}") == {made["id"]}
    bundle = read(api.get(f"Appointment?_include=Appointment:actor:{name}"))
    assert {one["resource"]["resourceType"] for one in bundle["entry"]} == {"Appointment", name}
