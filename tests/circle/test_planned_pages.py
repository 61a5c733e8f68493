"""Planned departures and arrivals on screen: planned where one removes, told on the list and the sheet, undone."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Member, PlannedStay
from coordination.common.french import date_fr
from tests.circle import factories as make
from tests.circle.fhir_calls import careteam
from tests.circle.test_fhir_careteam_writing import put, with_participant
from tests.circle.test_planned_stays import days_pass, later, nurse, to_come, today  # noqa: F401 - the same circle

pytestmark = pytest.mark.django_db


def url(entry, name, *args):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, *args])


def page(client, address):
    return client.get(address).text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


def posted(reader, entry, member, **fields):
    said = {"version": Member.objects.get(pk=member.pk).version, "reason": "fin", "note": "Retour à domicile"} | fields
    return reader.post(url(entry, "remove", member.pk), said)


def test_a_departure_is_planned_where_one_removes(reader, entry, nurse):  # noqa: F811
    assert 'value="' + date_fr(today()) + '"' in page(reader, url(entry, "remove", nurse.pk))
    answer = posted(reader, entry, nurse, day=date_fr(later()))
    assert (answer.status_code, answer["Location"]) == (303, url(entry, "list"))
    listed = page(reader, url(entry, "list"))
    assert f"Départ prévu le {date_fr(later())} : SPÉCIMEN Inès. D’ici là, rien ne change." in listed
    assert f'<p class="second">Départ prévu le {date_fr(later())}</p>' in listed
    assert "2 membres, 2 avec accès" in listed
    sheet = page(reader, url(entry, "member", nurse.pk))
    assert f"Départ prévu le {date_fr(later())}." in sheet
    assert "Fin de prise en charge. Retour à domicile." in sheet
    # Changed by the same form, which opens on what was noted.
    again = page(reader, url(entry, "remove", nurse.pk))
    assert f'value="{date_fr(later())}"' in again and 'value="Retour à domicile"' in again
    posted(reader, entry, nurse, day=date_fr(later(3)), note="")
    assert PlannedStay.objects.get().ends_on == later(3)
    answer = reader.post(url(entry, "call_off_stay", PlannedStay.objects.get().pk))
    assert answer["Location"] == url(entry, "member", nurse.pk)
    assert "Le départ prévu est annulé." in page(reader, answer["Location"])
    answer = reader.post(url(entry, "call_off_stay", PlannedStay.objects.get().pk), follow=True)
    assert "n’est plus prévu" in answer.text


@pytest.mark.parametrize("day", ["", "today"])
def test_without_a_day_to_come_it_is_today(reader, entry, nurse, day):  # noqa: F811
    posted(reader, entry, nurse, day=date_fr(today()) if day else "")
    assert nurse.periods.get().ends_on == today()
    assert not PlannedStay.objects.exists()


def test_a_day_that_is_behind_or_never_is_refused(reader, entry, nurse):  # noqa: F811
    for days in (-1, 4_000):
        answer = posted(reader, entry, nurse, day=date_fr(later(days)))
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    assert nurse.periods.current().exists()


def test_who_may_not_remove_sees_the_day_and_no_act(client, entry, nurse):  # noqa: F811
    plan = actions.plan_departure(entry, make.add(entry), on=later(), reason="fin")
    client.force_login(nurse.habilitation.user)
    sheet = page(client, url(entry, "member", plan.member_id))
    assert f"Départ prévu le {date_fr(later())}." in sheet
    assert "Annuler le départ prévu" not in sheet
    assert client.post(url(entry, "call_off_stay", plan.pk)).status_code == 403
    plan.refresh_from_db()
    assert plan.closed_at is None


def test_what_could_not_be_done_is_told_where_it_can_be_mended(reader, entry, nurse):  # noqa: F811
    other = make.coordinator()
    make.add(entry, other.attachment.professional, role="PROV", wanted="oui")
    actions.plan_departure(make.entry_of(other, entry), nurse, on=later(), reason="fin")
    actions.remove_member(entry, Member.objects.get(professional=other.attachment.professional), reason="depart")
    days_pass()
    actions.carry_out_plans()
    assert f"Départ du {date_fr(today())} en attente" in page(reader, url(entry, "list"))
    assert "La personne qui l’avait prévu n’en a plus le droit." in page(reader, url(entry, "member", nurse.pk))


def test_it_waits_in_a_faire_for_who_may_mend_it(reader, entry, nurse):  # noqa: F811
    other = make.coordinator()
    make.add(entry, other.attachment.professional, role="PROV", wanted="oui")
    theirs = make.entry_of(other, entry)
    actions.plan_departure(theirs, nurse, on=later(), reason="fin")
    house = make.StructureFactory(name="SSIAD Maquette")
    read = with_participant(careteam(theirs), f"Organization/{house.pk}", start=later().isoformat())
    put(theirs, read)
    actions.remove_member(entry, Member.objects.get(professional=other.attachment.professional), reason="depart")
    assert "en attente" not in page(reader, "/a-faire/")
    days_pass()
    assert actions.carry_out_plans() == 0
    todo = page(reader, "/a-faire/")
    assert "Départs et arrivées en attente" in todo and "SSIAD Maquette" in todo
    assert f"départ prévu le {date_fr(today())}. La personne qui l’avait prévu n’en a plus le droit." in todo
    assert url(entry, "member", nurse.pk) in todo
    for plan in PlannedStay.objects.waiting():
        reader.post(url(entry, "call_off_stay", plan.pk))
    assert "en attente" not in page(reader, "/a-faire/")


def test_who_is_to_come_is_apart_and_not_counted(reader, entry):
    member = to_come(entry)
    listed = page(reader, url(entry, "list"))
    assert "Arrivées prévues" in listed
    assert f"Arrivée prévue le {date_fr(later())}" in listed
    assert "1 membre, 1 avec accès" in listed
    assert url(entry, "member", member.pk) not in listed
    reader.post(url(entry, "call_off_stay", member.plans.get().pk))
    assert "Arrivées prévues" not in page(reader, url(entry, "list"))


def test_a_discreet_arrival_is_shown_to_who_may_see_it(client, entry):
    member = to_come(entry)
    Member.objects.filter(pk=member.pk).update(discreet=True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(social)
    listed = page(client, url(entry, "list"))
    assert "Arrivées prévues" not in listed and member.structure.name not in listed
    gone, unknown = (client.post(url(entry, "call_off_stay", id), follow=True).text for id in (
        member.plans.get().pk, entry.dossier.pk,
    ))  # fmt: skip
    assert ("n’est plus prévu" in gone) == ("n’est plus prévu" in unknown)
    member.plans.get()
    assert PlannedStay.objects.waiting().exists()


def test_the_list_of_a_day_to_come_is_without_who_leaves_before(reader, entry, nurse):  # noqa: F811
    actions.plan_departure(entry, nurse, on=later(), reason="fin")
    before, after = (page(reader, f"{url(entry, 'list')}?au={date_fr(later(days))}") for days in (8, 9))
    assert "SPÉCIMEN Inès" in before
    assert "SPÉCIMEN Inès" not in after


@pytest.mark.req("CDS-72")
def test_the_state_a_software_said_is_told_on_the_circle(reader, entry):
    assert "Cercle de soins suspendu." not in page(reader, url(entry, "list"))
    read = put(entry, careteam(entry) | {"status": "suspended"})
    assert "Cercle de soins suspendu. Les membres gardent leur place" in page(reader, url(entry, "list"))
    end = (timezone.localdate() + dt.timedelta(days=30)).isoformat()
    put(entry, read | {"status": "active", "period": read["period"] | {"end": end}})
    assert f"Cercle de soins prévu jusqu’au {date_fr(later(30))}." in page(reader, url(entry, "list"))
    assert "jusqu’au" not in page(reader, f"{url(entry, 'list')}?au={date_fr(later(-1))}")


def test_what_is_planned_costs_the_list_no_statement(reader, entry, nurse):  # noqa: F811
    def count():
        with CaptureQueriesContext(connection) as captured:
            page(reader, url(entry, "list"))
        return len(captured)

    count()
    before = count()
    for _ in range(3):
        actions.plan_departure(entry, make.add(entry), on=later(), reason="fin")
    to_come(entry)
    put(entry, careteam(entry) | {"status": "suspended"})
    count()
    assert count() == before


@pytest.mark.req("PEERS-RULE-7")
def test_the_reduced_circle_says_no_departure(client, entry):
    helper = make.account("350")
    make.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    contact = make.relative(entry, role="ECON")
    actions.plan_departure(entry, contact, on=later(), reason="fin", note="Fâché avec la famille")
    client.force_login(helper)
    for address in (url(entry, "member", contact.pk), url(entry, "list")):
        read = page(client, address)
        assert "Personne à prévenir" in read
        assert "Départ" not in read and "Fâché" not in read
