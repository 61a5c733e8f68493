"""A refusal is recorded in whatever state the dossier is, and nothing else is: it only closes (SEC-5)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import SameOneHabilitated
from circle.models import Change, Member
from circle.views import drawing
from circle.views.pages import links_of
from coordination.dossiers import door
from coordination.dossiers.errors import DossierIsReadOnly
from coordination.dossiers.models import Dossier
from habilitations.access import to_dossier
from habilitations.actions import withdraw_refusal
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.models import Habilitation, Refusal, Trace
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-5")]
STATES = [{"status": "clos", "closing_reason": "fin"}, {"status": "pause"}]


def today():
    return timezone.localdate()


@pytest.fixture
def doctor():
    return make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def member(entry, doctor):
    return make.add(entry, doctor.attachment.professional, role="PCP", wanted="oui")


@pytest.fixture(params=STATES, ids=["closed", "paused"])
def read_only(request, entry, member):
    Dossier.objects.filter(pk=entry.dossier.pk).update(**request.param)
    return door.look(entry.user, entry.dossier.pk)


@pytest.fixture
def visit(client, entry):
    client.force_login(entry.user)

    def go(method, name, member, data=None):
        return getattr(client, method)(reverse(f"circle:{name}", args=[entry.dossier.pk, member.pk]), data or {})

    return go


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("'", "’").replace("&#39;", "'")


def test_a_refusal_is_recorded_from_the_sheet_and_closes_the_access(read_only, member, doctor, visit):
    assert to_dossier(doctor, read_only.dossier.pk) is not None
    assert reverse("circle:record_refusal", args=[read_only.dossier.pk, member.pk]) in text_of(
        visit("get", "member", member)
    )
    assert "ferme l’accès" in text_of(visit("get", "record_refusal", member))
    assert visit("post", "record_refusal", member, {}).status_code == 422
    said = {"refused_on": f"{today():%d/%m/%Y}", "collected": "oral", "comment": "Par téléphone"}
    assert visit("post", "record_refusal", member, said).status_code == 303
    assert Habilitation.objects.get(members=member).state == "refus"
    assert Refusal.objects.get().comment == "Par téléphone"
    assert to_dossier(doctor, read_only.dossier.pk) is None
    assert Change.objects.filter(member=member, kind="habilitation", after="refus").exists()
    trace = Trace.objects.of_dossier(read_only.dossier.pk).filter(action="écriture").last()
    assert (trace.outcome, trace.object_id) == ("ok", member.pk)
    # Once recorded, it is no longer offered, and the page says so instead of failing.
    assert "/refus/noter/" not in text_of(visit("get", "member", member))
    assert visit("get", "record_refusal", member).status_code in (302, 303)


def test_everything_else_stays_read_only(read_only, member, visit):
    for name in ("edit_member", "change_role", "habilitation", "remove", "withdraw_refusal"):
        assert visit("get", name, member).status_code == 403
        assert visit("post", name, member, {"habilitation": "refus"}).status_code == 403
    with pytest.raises((LevelMissing, DossierIsReadOnly)):
        actions.set_habilitation(read_only, member, "refus", refusal={"refused_on": today(), "collected": "oral"})


def test_a_refusal_is_not_withdrawn_there(read_only, member, visit):
    actions.record_refusal(read_only, member, refusal={"refused_on": today(), "collected": "oral"})
    row = Habilitation.objects.get(members=member)
    with pytest.raises(NotAllowed):
        withdraw_refusal(row, by=read_only.user, access=read_only.access, withdrawn_on=today(), collected="oral")
    said = {"withdrawn_on": f"{today():%d/%m/%Y}", "collected": "oral"}
    assert visit("post", "withdraw_refusal", member, said).status_code == 403
    row.refresh_from_db()
    assert row.state == "refus"


@pytest.mark.parametrize("profession", ["35", "36"])
def test_who_records_no_refusal_in_an_open_dossier_records_none_in_a_closed_one(entry, member, client, profession):
    """Reading the circle, or having the right in name only, is not enough."""
    helper = make.account(profession)
    make.add(entry, helper.attachment.professional, wanted="oui")
    Dossier.objects.filter(pk=entry.dossier.pk).update(**STATES[0])
    client.force_login(helper)
    assert client.post(reverse("circle:record_refusal", args=[entry.dossier.pk, member.pk]), {}).status_code in (
        403,
        404,
    )
    with pytest.raises(NotAllowed):
        actions.record_refusal(
            make.entry_of(helper, entry), member, refusal={"refused_on": today(), "collected": "oral"}
        )


def test_a_member_not_shown_or_gone_is_a_404(entry, member, read_only, visit):
    other = make.open_circle(make.coordinator())
    assert visit("get", "record_refusal", make.add(other)).status_code == 404
    member.periods.update(ends_on=today(), end_reason="fin")
    assert visit("get", "record_refusal", member).status_code == 404


@pytest.fixture
def typed(entry, member):
    """The doctor again, typed by hand while the dossier was open."""
    return make.by_hand(
        entry, family_name="TESTARD", given_name="Paul", profession=make.DOCTOR, mobile="06 39 98 20 55",
        creation_key=member.pk, duplicate_reason="Vu au domicile",
    )  # fmt: skip


def states(*members):
    return [Habilitation.objects.get(members=member).state for member in members]


def said(**more):
    return {"refused_on": f"{today():%d/%m/%Y}", "collected": "oral"} | more


def test_the_same_person_habilitated_elsewhere_is_not_left_reading(typed, member, read_only, doctor, visit):
    assert "TESTARD Paul. Médecin" in text_of(visit("get", "record_refusal", typed))
    answer = visit("post", "record_refusal", typed, said())
    assert answer.status_code == 422
    assert "Accès ouvert ou demandé pour TESTARD Paul." in text_of(answer)
    with pytest.raises(SameOneHabilitated):
        actions.record_refusal(read_only, typed, refusal={"refused_on": today(), "collected": "oral"})
    assert states(typed, member) == ["non", "oui"]
    assert visit("post", "record_refusal", typed, said(aussi=str(member.pk))).status_code == 303
    assert states(typed, member) == ["refus", "refus"]
    assert to_dossier(doctor, read_only.dossier.pk) is None


def test_somebody_else_is_told_apart(typed, member, read_only, visit):
    assert visit("post", "record_refusal", typed, said(duplicate_reason="Son fils")).status_code == 303
    assert states(typed, member) == ["refus", "oui"]
    typed.refresh_from_db()
    assert typed.duplicate_reason == "Son fils"


def test_who_enters_through_a_structure_is_pointed_out(entry, doctor, client):
    make.add_house(entry, make.legal_structure(doctor, name="SSIAD DU TEST"), wanted="oui")
    said = {"family_name": "TESTARD", "given_name": "Paul", "profession": make.DOCTOR}
    typed = make.by_hand(entry, **said, duplicate_reason="Vu au domicile")
    Dossier.objects.filter(pk=entry.dossier.pk).update(**STATES[0])
    client.force_login(entry.user)
    page = text_of(client.get(reverse("circle:record_refusal", args=[entry.dossier.pk, typed.pk])))
    assert "TESTARD Paul entre dans le dossier par SSIAD DU TEST." in page
    assert reverse("circle:link", args=[entry.dossier.pk, typed.pk]) not in page


def test_in_an_open_dossier_the_page_is_that_of_the_habilitation(entry, member, visit):
    answer = visit("get", "record_refusal", member)
    assert answer.url == reverse("circle:habilitation", args=[entry.dossier.pk, member.pk]) + "?reponse=refus"
    # Sent just as the dossier was opened again, it is noted all the same.
    assert visit("post", "record_refusal", member, said()).status_code == 303
    assert states(member) == ["refus"]


def test_no_act_on_a_refusal_is_offered_that_would_not_be_done(read_only, member):
    actions.record_refusal(read_only, member, refusal={"refused_on": today(), "collected": "oral"})
    row = Member.objects.row(read_only, member.pk)
    assert drawing.access_acts(row, read_only, links_of(read_only.dossier.pk, member.pk)) == []
