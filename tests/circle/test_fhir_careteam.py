"""The circle read as a CareTeam: what the screens hold, for whom may see it."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions
from circle.models import Member
from coordination.dossiers.models import Dossier
from coordination.fhir.outcomes import Unknown
from habilitations.errors import LevelMissing
from habilitations.models import Trace
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id, close_transaction, references, sound

TODAY = timezone.localdate
NAMES = ("MARTIN", "DURAND", "PETIT", "MOREAU", "SIMON", "LEFEBVRE", "ROUX", "GIRARD", "FONTAINE")


def roles_of(resource):
    return [
        [(one["system"].rsplit("/", 1)[-1], one["code"]) for role in p.get("role", []) for one in role["coding"]]
        for p in resource["participant"]
    ]


@pytest.mark.req("CDS-66")
def test_a_circle_made_on_screen_is_a_careteam(entry):
    nurse = make.add(entry)
    relative = make.relative(entry, role="NOK")
    house = make.add_house(entry, role="PHARMACIE")
    read = careteam(entry)
    assert read["status"] == "active"
    assert read["name"] == f"Cercle de soins de {entry.dossier.full_name}"
    assert read["subject"]["reference"] == f"Patient/{entry.dossier.pk}"
    assert read["identifier"][0]["value"] == read["id"]
    assert read["period"] == {"start": TODAY().isoformat()}
    assert references(read)[1:] == [
        f"PractitionerRole/{nurse.activity_id}",
        f"RelatedPerson/{relative.pk}",
        f"Organization/{house.structure_id}",
    ]
    assert read["meta"]["versionId"] == "1"


@pytest.mark.req("CDS-25", "CDS-30")
def test_roles_have_the_codes_of_the_guide(entry):
    make.add(entry, make.listed(make.DOCTOR), role="PCP")
    make.add(entry, role="313")
    make.relative(entry, role="NOK")
    make.relative(entry, role="AIDANT_PRINCIPAL", family_name="TÉMOIN")
    make.add_house(entry, role="PHARMACIE")
    said = roles_of(careteam(entry))[1:]
    assert said == [
        [("TRE-R259-HL7ParticipationFunction", "PCP")],
        [("TRE-R260-HL7RoleClass", "AGNT"), ("TRE-R85-RolePriseCharge", "313")],
        [("TRE-R260-HL7RoleClass", "NOK")],
        [("TRE-R260-HL7RoleClass", "CAREGIVER"), ("roles", "AIDANT_PRINCIPAL")],
        [("roles", "PHARMACIE")],
    ]


@pytest.mark.req("CDS-26", "CDS-71")
def test_who_left_and_came_back_and_changed_role_is_there_as_many_times(entry):
    member = make.add(entry, starts_on=TODAY() - dt.timedelta(days=30))
    actions.remove_member(entry, member, reason="fin")
    make.add(entry, member.professional, role="PROV")
    actions.hand_over_role(
        entry, role="REFERENT", from_member=first_of(entry), to_member=member, starts_on=TODAY() + dt.timedelta(days=9)
    )
    own = [p for p in careteam(entry)["participant"] if p["member"]["reference"].endswith(str(member.activity_id))]
    days = [(p["period"]["start"], p["period"].get("end")) for p in own]
    today, later = TODAY().isoformat(), (TODAY() + dt.timedelta(days=9)).isoformat()
    assert days == [((TODAY() - dt.timedelta(days=30)).isoformat(), today), (today, later), (later, None)]


def first_of(entry):
    return Member.objects.filter(dossier_id=entry.dossier.pk).order_by("created_at").first()


def test_the_state_of_the_dossier_weighs_on_the_circle(entry):
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="pause", status_on=TODAY())
    assert careteam(entry)["status"] == "suspended"
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin", status_on=TODAY())
    read = careteam(entry)
    assert (read["status"], read["period"]["end"]) == ("inactive", TODAY().isoformat())


@pytest.mark.req("CDS-6")
def test_who_may_not_see_a_discreet_member_does_not_read_him(entry):
    hidden = make.add(entry, discreet=True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    assert f"PractitionerRole/{hidden.activity_id}" in references(careteam(entry))
    assert f"PractitionerRole/{hidden.activity_id}" not in references(careteam(entry, social))
    old = careteams().version(caller(social), circle_id(entry), "1")
    assert f"PractitionerRole/{hidden.activity_id}" not in references(sound(old))


def test_an_outsider_knows_of_no_circle(entry, coordinator):
    stranger = make.account(make.NURSE)
    id = circle_id(entry)
    with pytest.raises(Unknown):
        careteams().read(caller(stranger), id)
    with pytest.raises(Unknown):
        careteams().read(caller(stranger), entry.dossier.pk)
    assert careteams().load(caller(stranger), [id]) == {}
    assert not careteams().rows(caller(stranger)).exists()
    assert careteams().history(caller(stranger), None, since=None, before=None, count=10) == []


def test_a_member_without_the_level_is_told_so(entry):
    """A profession that the matrix gives nothing to: inside, and no rubric is open."""
    student = make.account(make.NURSE, "346")
    make.add(entry, student.attachment.professional, role="AGNT", wanted="oui")
    id = circle_id(entry)
    with pytest.raises(LevelMissing):
        careteams().read(caller(student), id)
    assert careteams().load(caller(student), [id]) == {}
    assert not careteams().rows(caller(student)).exists()


@pytest.mark.req("SEC-9")
def test_one_call_traces_a_circle_once(entry):
    id = circle_id(entry)
    before = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
    one = caller(entry.user)
    careteams().load(one, [id])
    careteams().load(one, [id])
    careteams().read(one, id)
    assert Trace.objects.filter(dossier_id=entry.dossier.pk).count() == before + 1


def test_statements_do_not_grow_with_members_nor_circles(coordinator):
    entries = [make.open_circle(coordinator) for _ in range(4)]
    for rank, entry in enumerate(entries):
        for name in NAMES[: rank * 3]:
            make.relative(entry, family_name=name)
    close_transaction()
    ids = list(careteams().rows(caller(coordinator)).values_list("pk", flat=True))
    counts = []
    for asked in (ids[:1], ids):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(careteams().load(caller(coordinator), asked)) == len(asked)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5


@pytest.mark.req("PEERS-RULE-7")
def test_the_reduced_circle_tells_no_end_that_is_planned(entry):
    helper = make.account("350")
    make.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    contact = make.relative(entry, role="ECON")
    actions.plan_departure(entry, contact, on=TODAY() + dt.timedelta(days=9), reason="fin")
    (said,) = [one for one in careteam(entry, helper)["participant"] if "prévenir" in one["member"].get("display", "")]
    assert "period" not in said
    assert "end" in str([one["period"] for one in careteam(entry)["participant"]])
