"""« Référent » in the filters of Patients: by id, as this reader may know it, at a constant cost."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions
from circle.models import Member
from coordination.dossiers.models import Dossier
from tests.circle import factories as make
from tests.dossiers.factories import habilitation
from tests.habilitations.acting_data import consent, secretary, stand_in

pytestmark = pytest.mark.django_db
LIST = "/dossiers/"


def names(response):
    text = response.content.decode()
    return sorted(part.split("<")[0].split(">")[1].split()[0] for part in text.split("data-row-link")[1:])


def options(response):
    select = response.content.decode().split('id="id_referent"')[1].split("</select>")[0]
    return [part.split("<")[0].split(">")[1] for part in select.split("<option")[1:]]


def follow(user, *dossiers):
    for dossier in dossiers:
        habilitation(dossier, "oui", user=user, state_by=user)


@pytest.fixture
def three(coordinator, client):
    """Mine, a colleague's, and one without référent; the reader opens all three."""
    other = make.coordinator(family_name="SPÉCIMEN", given_name="Inès")
    mine, hers, nobody = make.open_circle(coordinator), make.open_circle(other), make.open_circle(other)
    actions.change_role(nobody, Member.objects.get(dossier=nobody.dossier), role="")
    follow(coordinator, hers.dossier, nobody.dossier)
    for rank, entry in enumerate((mine, hers, nobody)):
        Dossier.objects.filter(pk=entry.dossier.pk).update(birth_name="ABC"[rank], sort_name="abc"[rank])
    client.force_login(coordinator)
    return mine, hers, nobody


def id_of(user):
    return user.attachment.professional.pk


def test_each_choice_keeps_its_dossiers(client, three):
    _, hers, _ = three
    assert options(client.get(LIST)) == [
        "Tous les référents", "Moi, référent du parcours", "Sans référent", "SPÉCIMEN Inès",
    ]  # fmt: skip
    assert names(client.get(LIST)) == ["A", "B", "C"]
    assert names(client.get(LIST + "?referent=moi")) == ["A"]
    assert names(client.get(LIST + f"?referent={id_of(hers.user)}")) == ["B"]
    assert names(client.get(LIST + "?referent=aucun")) == ["C"]
    assert names(client.get(LIST + f"?referent={uuid.uuid4()}")) == []
    assert names(client.get(LIST + "?referent=n%27importe")) == ["A", "B", "C"]


def test_the_address_holds_an_id_and_no_name(client, three):
    _, hers, _ = three
    answer = client.post(LIST, {"q": "", "referent": str(id_of(hers.user))})
    assert answer.url == f"{LIST}?referent={id_of(hers.user)}"
    page = client.get(answer.url).content.decode()
    assert f'value="{id_of(hers.user)}" selected' in page
    assert re.search(rf"export\.xlsx\?(vue=mes&amp;)?referent={id_of(hers.user)}", page)


def test_the_search_and_the_counts_follow(client, three):
    assert "1\xa0dossier<" in client.get(LIST + "?referent=moi").content.decode()
    assert names(client.post(LIST, {"q": "exemple", "referent": "moi"})) == ["A"]


def test_a_hand_over_to_come_is_not_today_s(client, three):
    mine, hers, _ = three
    taker = make.add(mine, make.listed(family_name="FACTICE"))
    tomorrow = timezone.localdate() + timezone.timedelta(days=1)
    actions.hand_over_role(
        mine, role="REFERENT", from_member=Member.objects.get(dossier=mine.dossier, habilitation__user=mine.user),
        to_member=taker, starts_on=tomorrow,
    )  # fmt: skip
    assert names(client.get(LIST + "?referent=moi")) == ["A"]
    assert names(client.get(LIST + f"?referent={taker.professional_id}")) == []


@pytest.mark.req("PEERS-RULE-7")
def test_a_discreet_referent_is_nobody_for_who_may_not_see_him(client, three):
    _, hers, nobody = three
    helper = make.account(make.SOCIAL)
    follow(helper, hers.dossier, nobody.dossier)
    client.force_login(helper)
    assert names(client.get(LIST + "?referent=aucun")) == ["C"]
    Member.objects.filter(dossier=hers.dossier).update(discreet=True)
    assert names(client.get(LIST + f"?referent={id_of(hers.user)}")) == []
    assert names(client.get(LIST + "?referent=aucun")) == ["B", "C"]
    assert "SPÉCIMEN" not in client.get(LIST).content.decode()


@pytest.mark.req("PEERS-RULE-7")
def test_who_reads_the_reduced_circle_has_no_such_filter(client, three):
    helper = make.account("42")
    follow(helper, three[1].dossier)
    client.force_login(helper)
    page = client.get(LIST + f"?referent={id_of(three[1].user)}")
    assert 'id="id_referent"' not in page.content.decode()
    assert names(page) == names(client.get(LIST))


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("query", ["?referent=moi", "?referent=aucun", "?referent={}"])
def test_the_cost_is_flat(client, coordinator, three, query):
    query = query.format(id_of(three[1].user))
    counted = []
    for more in (0, 3, 30):
        for _ in range(more):
            make.open_circle(coordinator)
        client.get(LIST + query)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST + query)
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12


# ---- the column, of dossiers entered for another ----------------------------------------------------


def column(client, vue="remplacements"):
    """Return the référent shown on the only line of the list, "" when there is none."""
    page = client.get(f"{LIST}?vue={vue}").content.decode()
    (row,) = page.split("<tbody")[1].split("</tbody>")[0].split("<tr")[1:]
    return "EXEMPLE-LARRIEU Maëlle" if "EXEMPLE-LARRIEU Maëlle" in row else ""


@pytest.mark.req("SEC-15")
@pytest.mark.parametrize(
    ("other", "mine", "shown"),
    [
        ((make.DOCTOR, ""), (make.DOCTOR, ""), True),
        (("99", "350"), (make.DOCTOR, ""), False),
        ((make.DOCTOR, ""), ("99", "350"), False),
    ],
)
def test_the_column_tells_who_acts_for_another_what_both_are_told(client, entry, other, mine, shown):
    principal, reader = make.account(*other), make.account(*mine)
    make.add(entry, principal.attachment.professional, wanted="oui")
    stand_in(principal, reader)
    assert make.entry_of(reader, entry).access.sees_whole_circle is shown
    client.force_login(reader)
    assert bool(column(client)) is bool(column(client, "tous")) is shown


@pytest.mark.req("SEC-15")
def test_a_discreet_referent_is_not_told_to_who_acts_for_another(client, entry):
    """What is closed to the other is not known of a list: nobody discreet is told."""
    principal, reader = make.account(make.DOCTOR), make.account(make.DOCTOR)
    make.add(entry, principal.attachment.professional, wanted="oui")
    Member.objects.filter(habilitation__user=entry.user).update(discreet=True)
    stand_in(principal, reader)
    client.force_login(reader)
    assert column(client) == ""


@pytest.mark.req("SEC-15")
def test_a_secretary_is_told_by_the_rubrics_that_go_with_any(client, entry):
    principal, reader = make.account(make.DOCTOR), make.account(make.NURSE)
    make.add(entry, principal.attachment.professional, wanted="oui")
    consent(secretary(principal, reader, "agenda"), entry.dossier)
    client.force_login(reader)
    assert column(client)


@pytest.mark.req("PERF-3")
def test_the_column_costs_as_many_statements_for_ten_as_for_one(client, coordinator):
    reader, counted = make.account(make.DOCTOR), []
    for more in (1, 9):
        for _ in range(more):
            entry, principal = make.open_circle(coordinator), make.account(make.DOCTOR)
            make.add(entry, principal.attachment.professional, wanted="oui")
            stand_in(principal, reader)
        client.force_login(reader)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{LIST}?vue=remplacements").status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1]
