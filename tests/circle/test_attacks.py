"""What a hostile or unlucky sequence of acts meets: a French sentence, never a database error, never a wider right."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import DateNotPossible
from circle.models import RoleHolding
from coordination.directory.actions import create_local_structure, merge_structure
from coordination.directory.models import Attachment
from habilitations.access import to_dossier
from habilitations.errors import AlreadyHabilitated, OwnHabilitation, RefusalStands
from habilitations.models import Habilitation, Trace
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
REFUSAL = {"refused_on": dt.date(2026, 1, 1), "collected": "oral", "comment": ""}


def days_from_now(days):
    return timezone.localdate() + dt.timedelta(days=days)


@pytest.mark.req("SEC-2")
def test_nobody_takes_back_his_own_access_through_his_structure(entry):
    """Removed in person, still inside as a delegate: undoing his own removal would be habilitating himself."""
    someone = make.coordinator()
    member = make.add(entry, someone.attachment.professional, wanted="oui")
    make.add_house(entry, make.legal_structure(someone), wanted="oui")
    actions.remove_member(entry, member, reason="fin")
    inside = make.entry_of(someone, entry)
    assert inside.access.through_structure
    with pytest.raises(OwnHabilitation):
        actions.undo_removal(inside, member)
    actions.undo_removal(entry, member)
    member.habilitation.refresh_from_db()
    assert member.habilitation.state == "oui"


@pytest.mark.parametrize("again", ["undo", "add"])
def test_an_account_with_another_open_habilitation_is_told_in_french(entry, again):
    someone = make.account()
    first = someone.attachment.professional
    member = make.add(entry, first, wanted="oui")
    actions.remove_member(entry, member, reason="fin")
    second = make.listed()
    Attachment.objects.filter(user=someone).update(professional=second)
    make.add(entry, second, wanted="oui")
    Attachment.objects.filter(user=someone).update(professional=first)
    with pytest.raises(AlreadyHabilitated, match="déjà membre"):
        actions.undo_removal(entry, member) if again == "undo" else make.add(entry, first)
    assert Habilitation.objects.open().filter(dossier=entry.dossier, user=someone).count() == 1


@pytest.mark.req("SEC-5")
def test_a_refusal_to_a_structure_stands_for_the_one_it_was_merged_into(entry):
    delegate = make.account()
    local = create_local_structure(by=entry.user, name="FOYER EXEMPLE", phone="+33536491030")
    national = make.legal_structure(delegate)
    refused = make.add_house(entry, local, wanted="refus", refusal=REFUSAL)
    actions.remove_member(entry, refused, reason="fin")
    merge_structure(local, national, by=entry.user)
    with pytest.raises(RefusalStands, match="01/01/2026"):
        make.add_house(entry, national, wanted="oui")
    assert to_dossier(delegate, entry.dossier.pk) is None


def test_the_middle_of_two_planned_handovers_may_leave(entry):
    """First holder until day 5, second until day 20, then the third: the first goes on until day 20."""
    first = make.add(entry, make.listed(make.DOCTOR), role="PCP")
    second, third = (make.add(entry, make.listed(make.DOCTOR)) for _ in range(2))
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=days_from_now(5))
    actions.hand_over_role(entry, role="PCP", from_member=second, to_member=third, starts_on=days_from_now(20))
    actions.remove_member(entry, second, reason="fin")
    held = RoleHolding.objects.from_day(timezone.localdate()).filter(dossier=entry.dossier, role="PCP")
    assert [(h.member_id, h.starts_on, h.ends_on) for h in held.order_by("starts_on")] == [
        (first.pk, timezone.localdate(), days_from_now(20)),
        (third.pk, days_from_now(20), None),
    ]
    assert list(first.roles.from_day(days_from_now(20)).values_list("role", "starts_on")) == [
        ("PROV", days_from_now(20))
    ]


@pytest.mark.parametrize("day", [dt.date(9999, 12, 31), dt.date(1, 1, 1)])
def test_a_year_mistyped_is_refused(entry, day):
    with pytest.raises(DateNotPossible):
        make.add(entry, make.listed(make.DOCTOR), role="PCP", starts_on=day)


def test_a_rule_the_page_did_not_foresee_is_a_sentence_and_a_failure_in_the_journal(entry, client):
    """Somebody removed the member while the menu was open: the door answers, not a server error."""
    member = make.add(entry)
    actions.remove_member(entry, member, reason="fin")
    client.force_login(entry.user)
    answer = client.post(reverse("circle:discreet", args=[entry.dossier.pk, member.pk]), {"discret": "1"})
    assert answer.status_code == 409
    assert "plus dans le cercle de soins" in answer.content.decode()
    assert Trace.objects.of_dossier(entry.dossier.pk).last().outcome == "echec"
