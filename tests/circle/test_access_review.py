"""« Revue des accès » of a dossier: what sleeps is proposed, closed or kept in one click, and asked again later."""

import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from circle import actions, reviewing
from circle.models import Member
from coordination.dossiers.models import Dossier
from habilitations import usage
from habilitations.access import Access
from habilitations.errors import GrantNotAllowed, NotOpen, OwnHabilitation
from habilitations.models import AccessKept, AccessReview, Consent, DataProtectionOfficer, Habilitation, Trace
from habilitations.rubriques import Action, Niveau, Rubrique
from tests.accounts.factories import UserFactory
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


def ago(days):
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def nurse(entry):
    """A nurse who was granted a year ago and has never come."""
    return member_of(entry, family_name="SPÉCIMEN", given_name="Inès")


def member_of(entry, *, since=400, **person):
    user = make.account(**person)
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    Habilitation.objects.filter(pk=user.member.habilitation_id).update(state_at=ago(since))
    return user


def come(user, entry, days, outcome="ok", *, habilitation=None):
    row = habilitation or user.member.habilitation_id
    Trace.objects.bulk_create([
        Trace(at=ago(days), dossier_id=entry.dossier.pk, actor_id=user.pk, actor_name="X", habilitation_id=row,
              action="lecture", outcome=outcome)
    ])  # fmt: skip


def url(name, entry, *args):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, *args])


def text_of(answer):
    said = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " ")
    return " ".join(said.split())


def asleep(entry):
    return [line.row.family_name for line in reviewing.lines_of(entry) if line.sleeps]


# ---- what sleeps -----------------------------------------------------------------------------------


def test_a_grant_sleeps_when_nobody_came_by_it_for_months(entry, nurse):
    assert asleep(entry) == ["SPÉCIMEN"]
    come(nurse, entry, 300)
    assert asleep(entry) == ["SPÉCIMEN"]
    come(nurse, entry, 10, outcome="refus")
    assert asleep(entry) == ["SPÉCIMEN"], "what was refused is no use of it"
    come(nurse, entry, 20)
    assert asleep(entry) == []
    line = next(one for one in reviewing.lines_of(entry) if one.row.user_id == nurse.pk)
    assert timezone.localdate(line.used_at) == timezone.localdate(ago(20))


def test_a_recent_grant_does_not_sleep_nor_one_that_is_not_open(entry):
    member_of(entry, since=20)
    waiting = make.add(entry, wanted="oui")
    assert waiting.habilitation.state == "attente"
    assert asleep(entry) == []


def test_how_many_months_is_a_setting(settings, entry, nurse):
    come(nurse, entry, 100)
    assert asleep(entry) == []
    settings.ACCESS_UNUSED_MONTHS = 3
    assert asleep(entry) == ["SPÉCIMEN"]
    settings.ACCESS_UNUSED_MONTHS = 0
    assert asleep(entry) == []


def test_the_use_of_a_structure_is_that_of_its_delegates(entry):
    user = make.account()
    house = make.legal_structure(user)
    member = make.add_house(entry, house, wanted="oui")
    Habilitation.objects.filter(pk=member.habilitation_id).update(state_at=ago(400))
    assert [line.sleeps for line in reviewing.lines_of(entry) if line.row.id == member.pk] == [True]
    come(user, entry, 5, habilitation=member.habilitation_id)
    assert [line.sleeps for line in reviewing.lines_of(entry) if line.row.id == member.pk] == [False]


def test_a_discreet_member_is_not_reviewed_by_who_may_not_know_of_him(entry, nurse):
    actions.set_discreet(entry, nurse.member, True)
    social = make.account("99", make.COORDINATOR)
    make.add(entry, social.attachment.professional, wanted="oui")
    actions.limit_access(
        entry, Member.objects.get(habilitation__user=social), ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None
    )  # fmt: skip
    assert "SPÉCIMEN" not in asleep(make.entry_of(social, entry))
    assert "SPÉCIMEN" in asleep(entry)


@pytest.mark.parametrize(
    ("months", "today", "found"),
    [
        (6, dt.date(2026, 8, 31), dt.date(2026, 2, 28)), (6, dt.date(2026, 3, 5), dt.date(2025, 9, 5)),
        (12, dt.date(2024, 2, 29), dt.date(2023, 2, 28)), (0, dt.date(2026, 3, 5), dt.date(2026, 3, 5)),
    ],
)  # fmt: skip
def test_months_before(months, today, found):
    assert usage.months_before(months, today=today) == found


@pytest.mark.req("PERF-3")
def test_last_uses_read_an_index_however_long_the_journal(entry, nurse):
    """One probe a grant: no partition of the journal is read from end to end, none of the months to come is opened."""
    come(nurse, entry, 40)
    with CaptureQueriesContext(connection) as captured:
        usage.last_uses([nurse.member.habilitation_id])
    assert len(captured) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "habilitation_id" in plan
    assert "Seq Scan" not in plan
    assert plan.count("Index Scan") <= 15


# ---- one click each --------------------------------------------------------------------------------


def test_closing_is_one_click_and_opens_again(client, entry, nurse):
    client.force_login(entry.user)
    page = client.get(url("review", entry))
    assert "Proposés à la fermeture" in text_of(page)
    assert "Dernier usage : aucun depuis le" in text_of(page)
    answer = client.post(url("close_access", entry, nurse.member.pk))
    assert (answer.status_code, answer.url) == (303, url("review", entry))
    assert Habilitation.objects.get(pk=nurse.member.habilitation_id).state == "non"
    assert "SPÉCIMEN" not in text_of(client.get(url("review", entry)))
    actions.set_habilitation(entry, nurse.member, "oui")
    assert make.entry_of(nurse, entry)
    assert "SPÉCIMEN" not in asleep(entry), "opened again today"


def test_keeping_is_a_dated_fact_that_comes_back(client, entry, nurse):
    client.force_login(entry.user)
    assert client.post(url("keep_access", entry, nurse.member.pk)).status_code == 303
    kept = AccessKept.objects.get()
    assert (kept.by, kept.habilitation_id) == (entry.user, nurse.member.habilitation_id)
    assert asleep(entry) == []
    page = text_of(client.get(url("review", entry)))
    assert f"Gardé le {timezone.localdate():%d/%m/%Y}" in page
    AccessKept.objects.update(at=ago(190))
    assert asleep(entry) == ["SPÉCIMEN"]
    traced = Trace.objects.of_dossier(entry.dossier.pk).filter(action="habilitation", object_id=nurse.member.pk)
    assert traced.last().reason == "Accès gardé à la revue"


def test_what_is_no_longer_open_is_not_kept_and_nobody_keeps_his_own(entry, nurse):
    own = Member.objects.get(habilitation__user=entry.user)
    with pytest.raises(OwnHabilitation):
        actions.keep_access(entry, own)
    with pytest.raises(OwnHabilitation):
        actions.close_access(entry, own)
    actions.close_access(entry, nurse.member)
    with pytest.raises(NotOpen):
        actions.keep_access(entry, nurse.member)


@pytest.mark.req("SEC-1")
def test_only_who_may_grant(client, entry, nurse):
    client.force_login(nurse)
    assert client.get(url("review", entry)).status_code == 403
    for name, args in (("close_access", [nurse.member.pk]), ("keep_access", [nurse.member.pk]), ("finish_review", [])):
        assert client.post(url(name, entry, *args)).status_code == 403
    with pytest.raises(GrantNotAllowed):
        actions.keep_access(make.entry_of(nurse, entry), Member.objects.get(habilitation__user=entry.user))
    assert "revue/" not in client.get(url("list", entry)).content.decode()
    client.force_login(entry.user)
    assert url("review", entry) in client.get(url("list", entry)).content.decode()


@pytest.mark.req("PERF-3")
def test_the_page_costs_as_many_statements_for_thirty_as_for_three(client, entry):
    client.force_login(entry.user)
    counted = []
    for more in (3, 27):
        for _ in range(more):
            member_of(entry)
        client.get(url("review", entry))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("review", entry)).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 13, counted


# ---- the file, and what is to do -------------------------------------------------------------------


def test_the_file_says_the_reference_of_the_dossier_and_not_whose_it_is(client, entry, nurse):
    client.force_login(entry.user)
    answer = client.get(url("export_review", entry))
    sheet = load_workbook(io.BytesIO(answer.content)).active
    cells = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    assert str(entry.dossier.pk) in cells[0][0]
    assert next(row for row in cells if "SPÉCIMEN" in row[0])[5] == "Oui"
    said = " ".join(" ".join(row) for row in cells)
    assert entry.dossier.birth_name not in said
    assert Trace.objects.of_dossier(entry.dossier.pk).filter(action="export").exists()


def test_a_review_is_due_each_quarter_and_leaves_when_it_is_over(client, settings, entry):
    client.force_login(entry.user)
    assert "Revues des accès à faire" not in text_of(client.get("/a-faire/")), "a new dossier"
    Dossier.objects.update(created_at=ago(120))
    page = client.get("/a-faire/")
    assert "Accès jamais revus." in text_of(page)
    assert url("review", entry) in page.content.decode()
    assert client.post(url("finish_review", entry)).status_code == 303
    assert "Revues des accès à faire" not in text_of(client.get("/a-faire/"))
    assert "Dernière revue le" in text_of(client.get(url("review", entry)))
    AccessReview.objects.update(at=ago(100))
    assert "Dernière revue le" in text_of(client.get("/a-faire/"))
    settings.ACCESS_REVIEW_MONTHS = 0
    assert "Revues des accès à faire" not in text_of(client.get("/a-faire/"))


def test_a_nurse_has_no_review_to_do(client, entry, nurse):
    Dossier.objects.update(created_at=ago(120))
    client.force_login(nurse)
    assert "Revues des accès" not in text_of(client.get("/a-faire/"))


@pytest.mark.req("PERF-3")
def test_what_is_to_do_costs_as_many_statements_for_ten_dossiers_as_for_one(client, coordinator):
    client.force_login(coordinator)
    counted = []
    for more in (1, 9):
        for _ in range(more):
            make.open_circle(coordinator)
        Dossier.objects.update(created_at=ago(120))
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/a-faire/").status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 13, counted


def test_the_officer_has_one_file_for_every_dossier_by_reference(client, entry, nurse):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=entry.user)
    path = "/dossiers/journaux/acces-sans-usage.xlsx"
    assert nurse.member.habilitation_id and len(usage.asleep_everywhere()) == 1
    client.force_login(officer)
    assert path in client.get("/dossiers/journaux/").content.decode()
    rows = list(load_workbook(io.BytesIO(client.get(path).content)).active.values)
    assert rows[2][:3] == (str(entry.dossier.pk), "SPÉCIMEN Inès", "Infirmier")
    assert entry.dossier.birth_name not in str(rows)
    actions.keep_access(entry, nurse.member)
    assert usage.asleep_everywhere() == []
    for user in (entry.user, nurse):
        client.force_login(user)
        assert client.get(path).status_code == 404


def test_the_grants_of_a_closed_account_are_not_in_the_file(entry, nurse):
    """Nobody comes in by them; of one suspended, who comes back, they are."""
    nurse.is_active, nurse.suspended_at = False, timezone.now()
    nurse.save()
    assert len(usage.asleep_everywhere()) == 1
    nurse.closed_at = timezone.now()
    nurse.save()
    assert usage.asleep_everywhere() == []


def test_the_file_of_the_officer_and_the_page_of_a_dossier_agree(settings, entry, nurse):
    house = make.legal_structure(make.account())
    member = make.add_house(entry, house, wanted="oui")
    Habilitation.objects.filter(pk=member.habilitation_id).update(state_at=ago(400))
    # Habilitated, and nothing rests on it: it opens nothing, and does not sleep.
    resting_on_nothing = make.add(entry, make.account().attachment.professional, wanted="oui", rests=None)
    Habilitation.objects.filter(pk=resting_on_nothing.habilitation_id).update(state_at=ago(400))
    for days in (300, 20):
        come(nurse, entry, days)
        told = {one.structure or one.family_name for one in usage.asleep_everywhere()}
        assert told == {line.row.name if line.row.shape == "structure" else line.row.family_name
                        for line in reviewing.lines_of(entry) if line.sleeps}  # fmt: skip
    settings.ACCESS_UNUSED_MONTHS = 0
    assert usage.asleep_everywhere() == []


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize(
    "end",
    [
        {"end": "fin", "ended_on": dt.date(2026, 1, 5), "ended_at": dt.datetime(2026, 1, 5, tzinfo=dt.UTC)},
        {"last_day": dt.date(2026, 1, 5)},
    ],
    ids=["ended", "over"],
)
def test_a_grant_that_rests_on_nothing_any_more_sleeps_nowhere(entry, nurse, end):
    """It opens nothing: neither the page, nor the file, nor the task of the night counts it."""
    row = nurse.member.habilitation_id
    assert [line.opened_at for line in usage.asleep_everywhere()] and asleep(entry)
    assert row in dict(usage.unused_since(timezone.localdate()))
    Consent.objects.filter(habilitation=row).update(starts_on=dt.date(2025, 1, 5), **end)
    assert (asleep(entry), usage.asleep_everywhere()) == ([], [])
    assert row not in dict(usage.unused_since(timezone.localdate()))
    assert usage.uses_of([nurse.pk]) == {}


@pytest.mark.req("SEC-2")
def test_the_file_asks_the_right_to_print_like_every_other(client, entry, monkeypatch):
    client.force_login(entry.user)
    assert url("export_review", entry) in client.get(url("review", entry)).text
    may = Access.may
    monkeypatch.setattr(
        Access, "may", lambda access, wanted, structure_id=None: wanted != Action.PRINT and may(
            access, wanted, structure_id=structure_id
        ),
    )  # fmt: skip
    assert client.get(url("export_review", entry)).status_code == 403
    assert url("export_review", entry) not in client.get(url("review", entry)).text
