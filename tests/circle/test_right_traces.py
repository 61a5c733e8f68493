"""Every change of what a member may do is a line of the journal, told apart from other writings (SEC-9)."""

import datetime as dt

import pytest

from circle import actions
from circle.models import Period
from habilitations.models import Trace
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-9")]


def rights(entry):
    lines = Trace.objects.of_dossier(entry.dossier.pk).filter(action="habilitation")
    return list(lines.values_list("reason", "object_id", "rubrique"))


def test_granted_suspended_refused_withdrawn_removed_and_back(entry):
    user = make.account(make.DOCTOR)
    member = make.add(entry, user.attachment.professional, wanted="non")
    assert rights(entry) == []
    actions.set_habilitation(entry, member, "oui")
    actions.set_habilitation(entry, member, "non")
    refusal = {"refused_on": dt.date(2026, 1, 2), "collected": "oral", "comment": ""}
    actions.record_refusal(entry, member, refusal=refusal)
    withdrawal = {"withdrawn_on": dt.date(2026, 2, 2), "collected": "oral"}
    actions.set_habilitation(entry, member, "oui", withdrawal=withdrawal)
    actions.remove_member(entry, member, reason=Period.EndReason.values[0])
    actions.undo_removal(entry, member)
    said = [
        "Non habilité → Habilité", "Habilité → Non habilité", "Non habilité → Refus du patient",
        "Refus du patient → Habilité", "Habilité → Non habilité", "Non habilité → Habilité",
    ]  # fmt: skip
    assert rights(entry) == [(words, member.pk, "cercle") for words in said]


def test_somebody_without_access_who_leaves_changes_no_right(entry):
    member = make.add(entry, wanted="non")
    actions.remove_member(entry, member, reason=Period.EndReason.values[0])
    assert rights(entry) == []
