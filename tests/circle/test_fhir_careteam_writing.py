"""The circle written by a software: the rules of the screens, the same rows, and nothing lost of what was sent."""

import copy
import datetime as dt
import random
import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions
from circle.circles import Circle
from circle.errors import CircleExists
from circle.fhir import codes
from circle.models import Change, Member, Period, RoleHolding
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.dossiers.models import Dossier
from coordination.fhir.outcomes import Invalid, Unknown, VersionConflict
from habilitations.actions import grant_creator
from habilitations.errors import NotAllowed
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteam, careteams, circle_id, references, sound
from tests.dossiers.factories import DossierFactory

TODAY = timezone.localdate


def iso():
    return TODAY().isoformat()


def put(entry, resource, *, user=None, expected=None):
    one = caller(user or entry.user)
    careteams().update(one, uuid.UUID(resource["id"]), resource, expected=expected)
    return careteam(entry, user)


def with_participant(resource, reference, *, start="", end=None, role=()):
    added = {"member": {"reference": reference}, "period": {"start": start or iso()} | ({"end": end} if end else {})}
    if role:
        added["role"] = [{"coding": [{"system": system, "code": code}]} for system, code in role]
    return resource | {"participant": [*resource.get("participant", []), added]}


def days_ago(count):
    return (TODAY() - dt.timedelta(days=count)).isoformat()


def present(entry):
    return Member.objects.filter(dossier_id=entry.dossier.pk, periods__isnull=False, periods__ends_on=None)


# ---- Nothing changes --------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-32")
def test_sending_what_was_read_changes_nothing(entry):
    make.add(entry, make.listed(make.DOCTOR), role="PCP")
    make.relative(entry, role="NOK")
    make.add(entry, discreet=True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    for reader in (entry.user, social):
        read = careteam(entry, reader)
        changes = Change.objects.count()
        again = put(entry, copy.deepcopy(read), user=reader)
        assert again == read
        assert Change.objects.count() == changes


# ---- Who comes in, who leaves -----------------------------------------------------------------------------------


@pytest.mark.req("CDS-32", "CDS-33", "CDS-34")
def test_a_professional_sent_is_a_member_of_the_screens(entry):
    nurse = make.listed()
    activity = nurse.activities.get()
    read = careteam(entry)
    after = put(entry, with_participant(read, f"PractitionerRole/{activity.pk}", start=days_ago(3)))
    member = Member.objects.get(professional=nurse)
    assert (member.kind, member.activity, member.habilitation.state) == ("annuaire", activity, "non")
    assert member.roles.get().role == "PROV"
    assert Period.objects.get(member=member).starts_on == TODAY() - dt.timedelta(days=3)
    assert member.changes.filter(kind=Change.Kind.ADDED).exists()
    assert after["meta"]["versionId"] == "2"
    assert after["meta"]["lastUpdated"] > read["meta"]["lastUpdated"]
    # What was sent comes back as it was sent: no role was said.
    assert after["participant"][-1] == {
        "member": {"reference": f"PractitionerRole/{activity.pk}"}, "period": {"start": days_ago(3)},
    }  # fmt: skip


@pytest.mark.req("CDS-71")
def test_who_is_not_named_leaves_and_stays_written(entry):
    member = make.add(entry)
    read = careteam(entry)
    kept = [p for p in read["participant"] if not p["member"]["reference"].endswith(str(member.activity_id))]
    after = put(entry, read | {"participant": kept})
    period = Period.objects.get(member=member)
    assert (period.ends_on, period.end_reason) == (TODAY(), "fin")
    member.habilitation.refresh_from_db()
    assert member.habilitation.ended_at is not None
    own = next(p for p in after["participant"] if p["member"]["reference"].endswith(str(member.activity_id)))
    assert own["period"] == {"start": iso(), "end": iso()}
    # Left out again, now that he has gone: nothing more.
    assert put(entry, after | {"participant": kept})["participant"] == after["participant"]


def test_a_day_of_leaving_that_is_behind_is_kept(entry):
    member = make.add(entry, starts_on=TODAY() - dt.timedelta(days=20))
    read = careteam(entry)
    for one in read["participant"]:
        if one["member"]["reference"].endswith(str(member.activity_id)):
            one["period"]["end"] = days_ago(5)
    put(entry, read)
    assert Period.objects.get(member=member).ends_on == TODAY() - dt.timedelta(days=5)


@pytest.mark.req("CDS-26")
def test_past_stays_come_in_at_their_dates(entry):
    house = make.StructureFactory()
    name = f"Organization/{house.pk}"
    read = careteam(entry)
    wanted = with_participant(read, name, start=days_ago(400), end=days_ago(300))
    wanted = with_participant(wanted, name, start=days_ago(200), end=days_ago(100))
    put(entry, wanted)
    member = Member.objects.get(structure=house)
    assert list(member.periods.order_by("starts_on").values_list("starts_on", "ends_on")) == [
        (TODAY() - dt.timedelta(days=400), TODAY() - dt.timedelta(days=300)),
        (TODAY() - dt.timedelta(days=200), TODAY() - dt.timedelta(days=100)),
    ]
    assert member.habilitation.ended_at is not None
    # He comes back.
    put(entry, with_participant(careteam(entry), name, start=iso()))
    member.habilitation.refresh_from_db()
    assert member.habilitation.ended_at is None
    assert member.periods.count() == 3


@pytest.mark.req("CDS-71")
def test_a_past_stay_left_aside_is_still_told(entry):
    member = make.add(entry, starts_on=TODAY() - dt.timedelta(days=20))
    actions.remove_member(entry, member, reason="fin")
    make.add(entry, member.professional)
    read = careteam(entry)
    own = [p for p in read["participant"] if p["member"]["reference"].endswith(str(member.activity_id))]
    own[1]["member"]["display"] = "De retour"
    after = put(entry, read | {"participant": [read["participant"][0], own[1]]})
    periods = [p["period"] for p in after["participant"] if p["member"]["reference"].endswith(str(member.activity_id))]
    assert sorted(periods, key=str) == sorted([{"start": days_ago(20), "end": iso()}, {"start": iso()}], key=str)
    assert after["participant"][1] == own[1]


def test_a_stay_that_is_over_is_not_begun_again_by_an_old_copy(entry):
    member = make.relative(entry)
    old = careteam(entry)
    actions.remove_member(entry, member, reason="fin")
    circle_id(entry)
    with pytest.raises(Invalid) as refused:
        put(entry, old | {"meta": {}})
    assert refused.value.issues[0].expression == "CareTeam.participant[1].period.end"
    assert not present(entry).filter(pk=member.pk).exists()


@pytest.mark.parametrize(
    ("period", "element"),
    [
        ({"start": "2031-01-01"}, "period.start"),
        ({"start": iso(), "end": "9999-12-31"}, "period.end"),
        ({"start": iso(), "end": "2099-01-01"}, "period.end"),
    ],
)
def test_an_absurd_future_is_refused(entry, period, element):
    house = make.StructureFactory()
    read = with_participant(careteam(entry), f"Organization/{house.pk}")
    read["participant"][-1]["period"] = period
    with pytest.raises(Invalid) as refused:
        put(entry, read)
    assert refused.value.issues[0].expression == f"CareTeam.participant[1].{element}"


def test_an_unknown_member_is_refused_where_it_stands(entry):
    for name in (f"Organization/{uuid.uuid4()}", f"RelatedPerson/{uuid.uuid4()}", "PractitionerRole/x", "Patient/1"):
        with pytest.raises(Invalid) as refused:
            put(entry, with_participant(careteam(entry), name))
        assert refused.value.issues[0].expression == "CareTeam.participant[1].member"


def test_a_relative_of_another_dossier_is_unknown(entry, coordinator):
    other = make.relative(make.open_circle(coordinator))
    with pytest.raises(Invalid):
        put(entry, with_participant(careteam(entry), f"RelatedPerson/{other.pk}"))


# ---- Roles --------------------------------------------------------------------------------------------------------


def role_of(member):
    return RoleHolding.objects.on_day(TODAY()).get(member=member).role


@pytest.mark.req("CDS-25", "CDS-30")
def test_roles_are_read_and_those_of_others_are_kept(entry):
    doctor = make.listed(make.DOCTOR)
    name = f"PractitionerRole/{doctor.activities.get().pk}"
    own = [("http://exemple.test/roles", "chef")]
    after = put(entry, with_participant(careteam(entry), name, role=own))
    member = Member.objects.get(professional=doctor)
    assert role_of(member) == "PROV"
    assert after["participant"][-1]["role"][0]["coding"] == [{"system": own[0][0], "code": "chef"}]
    after["participant"][-1]["role"] = [{"coding": [{"system": codes.R259, "code": "PCP"}]}]
    after = put(entry, after)
    assert role_of(member) == "PCP"
    relative = make.relative(entry)
    read = careteam(entry)
    read["participant"][-1]["role"] = [{"coding": [{"system": codes.R260, "code": "QUAL"}]}]
    after = put(entry, read)
    assert role_of(relative) == "NOK"
    assert after["participant"][-1]["role"][0]["coding"][0]["code"] == "QUAL"


def test_a_unique_role_held_by_another_is_refused_where_it_stands(entry):
    make.add(entry, make.listed(make.DOCTOR), role="PCP")
    other = make.listed(make.DOCTOR)
    wanted = with_participant(
        careteam(entry), f"PractitionerRole/{other.activities.get().pk}", role=[(codes.R259, "PCP")]
    )
    with pytest.raises(Invalid) as refused:
        put(entry, wanted)
    assert refused.value.issues[0].expression == "CareTeam.participant[2].role"


def test_two_members_exchange_a_unique_role_in_one_call(entry):
    one = make.add(entry, make.listed(make.DOCTOR), role="PCP")
    two = make.add(entry, make.listed(make.DOCTOR), role="PROV")
    read = careteam(entry)
    first, second = read["participant"][1:]
    first["role"], second["role"] = second["role"], first["role"]
    put(entry, read)
    assert (role_of(one), role_of(two)) == ("PROV", "PCP")


def test_a_planned_hand_over_is_read_and_stays(entry):
    member = make.add(entry)
    make.relative(entry)
    day = TODAY() + dt.timedelta(days=9)
    first = Member.objects.filter(dossier_id=entry.dossier.pk).order_by("created_at").first()
    actions.hand_over_role(entry, role="REFERENT", from_member=first, to_member=member, starts_on=day)
    read = careteam(entry)
    read["note"] = [{"text": "Une remarque"}]
    held = sorted(RoleHolding.objects.values_list("member", "role", "starts_on", "ends_on"), key=str)
    put(entry, read)
    assert sorted(RoleHolding.objects.values_list("member", "role", "starts_on", "ends_on"), key=str) == held


def test_what_a_screen_changed_since_comes_out_and_the_rest_stays_as_sent(entry):
    nurse = make.listed()
    name = f"PractitionerRole/{nurse.activities.get().pk}"
    read = with_participant(careteam(entry), name)
    read["participant"][-1]["member"]["display"] = "Infirmière du matin"
    read["participant"][-1]["extension"] = [{"url": "http://exemple.test/x", "valueString": "à garder"}]
    read["category"] = [{"coding": [{"system": "http://loinc.org", "code": "LA27976-2"}]}]
    read["text"] = {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Infirmière du matin</div>',
    }
    after = put(entry, read)
    assert after["text"] == read["text"]
    assert after["participant"] == read["participant"]
    assert after["category"] == read["category"]
    member = Member.objects.get(professional=nurse)
    actions.change_role(entry, member, role="REFERENT", handover={"starts_on": TODAY(), "new_role": ""})
    after = careteam(entry)
    own = [p for p in after["participant"] if p["member"]["reference"] == name]
    assert [p["role"][0]["coding"][-1]["code"] for p in own] == ["REFERENT"]
    # What was written of the circle in words is no more true.
    assert "text" not in after
    assert after["category"] == read["category"]


# ---- Rights -------------------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-6")
def test_the_rights_of_the_screens(entry):
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    hidden = make.add(entry, discreet=True)
    read = careteam(entry, social)
    # He does not see the discreet one, whom leaving out does not touch; nor may he name him.
    read = put(entry, read | {"note": [{"text": "Vu"}]}, user=social)
    assert present(entry).filter(pk=hidden.pk).exists()
    with pytest.raises(Invalid):
        put(entry, with_participant(read, f"PractitionerRole/{hidden.activity_id}"), user=social)
    with pytest.raises(Unknown):
        put(entry, read, user=make.account())
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, role="PROV", wanted="oui")
    seen = careteam(entry, nurse)
    with pytest.raises(NotAllowed):
        put(entry, seen | {"participant": seen["participant"][1:]}, user=nurse)


def test_what_is_hidden_from_an_author_is_not_lost_by_him(entry):
    hidden = make.add(entry, discreet=True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    read = careteam(entry)
    read["note"] = [{"text": "Le docteur caché passe le mardi."}]
    read["participant"][1]["member"]["display"] = "Le docteur caché"
    assert read["participant"][1]["member"]["reference"].endswith(str(hidden.activity_id))
    put(entry, read)
    seen = careteam(entry, social)
    assert "caché" not in str(seen)
    put(entry, seen | {"telecom": [{"system": "phone", "value": "0536490000"}]}, user=social)
    after = careteam(entry)
    assert after["note"] == read["note"]
    assert "Le docteur caché" in str(after["participant"])
    assert after["telecom"]


@pytest.mark.req("CDS-6", "SEC-4")
def test_why_the_circle_is_there_and_what_it_is_called_are_not_told_to_all(entry):
    """The reason is of the medical rubric; a name that somebody gave may be the one of a discreet member."""
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    read = put(entry, careteam(entry) | {"name": "Autour du docteur caché", "reasonCode": [{"text": "Diabète"}]})
    assert careteam(entry, social)["name"] == "Autour du docteur caché"
    hidden = make.add(entry, discreet=True)
    seen = careteam(entry, social)
    assert seen["name"] == f"Cercle de soins de {entry.dossier.full_name}"
    assert "reasonCode" not in seen
    assert "Diabète" not in str(careteams().version(caller(social), circle_id(entry), read["meta"]["versionId"]))
    put(entry, seen | {"telecom": [{"system": "phone", "value": "0536490000"}]}, user=social)
    after = careteam(entry)
    assert (after["name"], after["reasonCode"]) == (read["name"], read["reasonCode"])
    assert f"PractitionerRole/{hidden.activity_id}" in references(after)


@pytest.mark.req("CDS-6")
def test_a_managing_structure_is_told_without_words_to_who_does_not_see_everybody(entry):
    """What calls it may name a discreet member; the reference itself stays, and nothing is lost by this reader."""
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    house = f"Organization/{make.StructureFactory().pk}"
    named = [{"reference": house, "display": "Cabinet du docteur caché"}, {"display": "Chez le docteur caché"}]
    put(entry, careteam(entry) | {"managingOrganization": named})
    assert careteam(entry, social)["managingOrganization"] == named
    make.add(entry, discreet=True)
    seen = careteam(entry, social)
    assert seen["managingOrganization"] == [{"reference": house}]
    put(entry, seen | {"telecom": [{"system": "phone", "value": "0536490000"}]}, user=social)
    assert careteam(entry)["managingOrganization"] == named
    put(entry, careteam(entry, social) | {"managingOrganization": []}, user=social)
    assert careteam(entry)["managingOrganization"] == named[1:]


# ---- The circle itself --------------------------------------------------------------------------------------------


@pytest.mark.req("CDS-35")
def test_a_stale_version_changes_nothing(entry):
    read = careteam(entry)
    make.relative(entry)
    careteam(entry)
    with pytest.raises(VersionConflict):
        put(entry, read, expected="1")
    assert present(entry).count() == 2


@pytest.mark.req("CDS-35")
def test_a_copy_of_an_old_version_removes_nobody_who_came_meanwhile(entry):
    """Without If-Match: what the body itself says of its version, when that version is ours."""
    read = careteam(entry)
    assert read["meta"]["versionId"] == "1"
    make.relative(entry)
    circle_id(entry)
    changed = read | {"telecom": [{"system": "phone", "value": "0536490000"}]}
    with pytest.raises(VersionConflict):
        put(entry, changed)
    with pytest.raises(VersionConflict):
        put(entry, changed | {"meta": {"versionId": "1"}})
    assert present(entry).count() == 2
    # The number of another server, which is no version of ours; nothing said of it at all.
    for language, meta in (
        ("fr", {"versionId": "1", "lastUpdated": "2020-02-02T10:00:00Z"}), ("en", {"versionId": "deux"}),
    ):  # fmt: skip
        after = put(entry, careteam(entry) | {"meta": meta, "language": language})
    assert present(entry).count() == 2
    assert put(entry, changed | {"meta": {}})["participant"] != after["participant"]
    assert present(entry).count() == 1


@pytest.mark.req("CDS-72")
def test_a_circle_ends_and_changes_state(entry, client):
    read = careteam(entry)
    after = put(entry, read | {"status": "inactive", "period": read["period"] | {"end": iso()}})
    assert (after["status"], after["period"]["end"]) == ("inactive", iso())
    circle = Circle.objects.get(dossier_id=entry.dossier.pk)
    assert (circle.status, circle.ends_on, circle.starts_on, circle.name) == ("inactive", TODAY(), None, "")
    assert present(entry).count() == 1
    client.force_login(entry.user)
    page = f"/dossiers/{entry.dossier.pk}/cercle/historique/"
    assert f"Cercle de soins terminé le {date_fr(TODAY())}." in client.get(page).text
    put(entry, after | {"status": "active", "period": read["period"]})
    assert "Cercle de soins terminé" not in client.get(page).text


@pytest.mark.req("CDS-67", "CDS-68", "CDS-69")
def test_each_version_is_given_back_as_it_was(entry):
    first = careteam(entry)
    second = put(entry, first | {"status": "suspended"})
    third = put(entry, second | {"name": "Autour de Jeanne", "status": "active"})
    id = circle_id(entry)
    one = caller(entry.user)
    assert careteams().version(one, id, "1") == first
    assert careteams().version(one, id, "2") == second
    lines = careteams().history(one, id, since=None, before=None, count=10)
    assert [(method, sound(said)) for _, method, said in lines] == [("PUT", third), ("PUT", second), ("POST", first)]
    page = careteams().history(one, None, since=None, before=lines[0][0], count=1)
    assert [said for _, _, said in page] == [second]
    at = third["meta"]["lastUpdated"]
    recent = careteams().history(one, id, since=dt.datetime.fromisoformat(at), before=None, count=10)
    assert [said["meta"]["versionId"] for _, _, said in recent] == ["3"]


def new_circle(dossier, **more):
    return {
        "resourceType": "CareTeam",
        "identifier": [{"system": "http://exemple.test/cercles", "value": "1"}],
        "status": "active",
        "name": "Cercle de soins de Mme Exemple",
        "subject": {"reference": f"Patient/{dossier.pk}"},
        "period": {"start": "2025-01-12"},
    } | more


@pytest.fixture
def alone(coordinator):
    """A dossier opened by FHIR: its author is inside, and nobody is in the circle."""
    dossier = DossierFactory(created_by=coordinator)
    grant_creator(dossier.pk, coordinator, by=coordinator, professional=coordinator.attachment.professional)
    return dossier


@pytest.mark.req("CDS-22", "CDS-31", "CDS-36")
def test_the_first_post_makes_the_circle_and_the_second_is_refused(alone, coordinator):
    house = make.StructureFactory()
    own = coordinator.attachment.professional.activities.get()
    sent = new_circle(alone, participant=[
        {"member": {"reference": f"Organization/{house.pk}"}, "period": {"start": "2025-01-12"}},
        {"member": {"reference": f"PractitionerRole/{own.pk}"}},
    ])  # fmt: skip
    key = uuid.uuid4()
    one = caller(coordinator)
    id = careteams().create(one, copy.deepcopy(sent), key=key)
    read = sound(careteams().read(one, id))
    sent["participant"][1]["period"] = {"start": iso()}
    assert {name: value for name, value in read.items() if name in sent} == sent
    assert read["meta"]["versionId"] == "1"
    member = Member.objects.get(dossier=alone, professional=coordinator.attachment.professional)
    # Inside already: his place keeps the access he had.
    assert member.habilitation.state == "oui"
    assert careteams().create(caller(coordinator), copy.deepcopy(sent), key=key) == id
    with pytest.raises(CircleExists) as refused:
        careteams().create(caller(coordinator), copy.deepcopy(sent), key=uuid.uuid4())
    assert refused.value.status == 409


def test_a_post_for_somebody_unknown_is_refused_like_for_somebody_hidden(entry):
    stranger = make.account()
    said = []
    for dossier in (Dossier(pk=uuid.uuid4()), entry.dossier):
        with pytest.raises(Invalid) as refused:
            careteams().create(caller(stranger), new_circle(dossier), key=uuid.uuid4())
        said.append([issue.to_dict() for issue in refused.value.issues])
    assert said[0] == said[1]


@pytest.mark.req("CDS-36")
def test_a_circle_begun_on_screen_is_the_one_of_the_person(entry):
    circle_id(entry)
    with pytest.raises(CircleExists) as refused:
        careteams().create(caller(entry.user), new_circle(entry.dossier), key=uuid.uuid4())
    assert refused.value.status == 409


def test_what_was_kept_of_screens_is_still_there(entry):
    """A circle made on screen comes out, goes in changed, and the screens show the same members."""
    member = make.add(entry)
    assert f"PractitionerRole/{member.activity_id}" in references(careteam(entry))
    house = make.StructureFactory()
    put(entry, with_participant(careteam(entry), f"Organization/{house.pk}", role=[(codes.R260, "PROV")]))
    rows = Member.objects.rows(entry)
    assert {row.kind for row in rows} == {"annuaire", "structure"}
    assert next(row for row in rows if row.kind == "structure").role == ""


def test_whatever_is_sent_is_held_or_refused(entry):
    """Sixty circles put together at random: each is refused by a rule, or read back saying what it said."""
    rng = random.Random(7)
    house, doctor, nurse = make.StructureFactory(), make.listed(make.DOCTOR), make.listed()
    relative = make.relative(entry)
    names = [
        f"Organization/{house.pk}", f"PractitionerRole/{doctor.activities.get().pk}",
        f"PractitionerRole/{nurse.activities.get().pk}", f"RelatedPerson/{relative.pk}",
    ]  # fmt: skip
    said = [(codes.R259, "PCP"), (codes.R260, "PROV"), (codes.R260, "NOK"), (codes.R260, "ECON"), ("x", "y")]
    held = refused = 0
    for _ in range(60):
        wanted = careteam(entry)
        own = [p for p in wanted["participant"] if p["member"]["reference"] not in names or rng.random() < 0.6]
        wanted["participant"] = own
        for name in rng.sample(names, rng.randint(0, 3)):
            start = rng.randint(-40, 0)
            end = rng.choice([None, None, rng.randint(start, 0), rng.randint(0, 5)])
            wanted = with_participant(
                wanted, name, start=days_ago(-start), end=None if end is None else days_ago(-end),
                role=rng.sample(said, rng.randint(0, 1)),
            )  # fmt: skip
        sent = copy.deepcopy(wanted)
        try:
            with transaction.atomic():
                after = put(entry, wanted)
        except (DomainError, Invalid):
            refused += 1
            continue
        held += 1
        missing = [one for one in sent.get("participant", []) if one not in after["participant"]]
        assert missing == []
    assert held >= 10 <= refused


def test_the_statements_of_a_first_post_are_few_for_each_member(alone, coordinator):
    counts = []
    for members in (2, 12):
        dossier = DossierFactory(created_by=coordinator)
        grant_creator(dossier.pk, coordinator, by=coordinator, professional=coordinator.attachment.professional)
        people = [make.listed() for _ in range(members)]
        participants = [
            {"member": {"reference": f"PractitionerRole/{one.activities.get().pk}"}, "period": {"start": iso()}}
            for one in people
        ]
        with CaptureQueriesContext(connection) as captured:
            careteams().create(caller(coordinator), new_circle(dossier, participant=participants), key=uuid.uuid4())
        counts.append(len(captured))
    assert (counts[1] - counts[0]) / 10 <= 12
