"""A right closed while somebody's act was waiting behind: the act finds it closed (SECT-7, SEC-4)."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Member
from coordination.accounts.models import User
from habilitations.models import Consent, Trace
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.waiting import PATIENCE, until_somebody_waits

REFUSAL = {"refused_on": dt.date(2026, 1, 1), "collected": "oral", "comment": ""}


@pytest.fixture
def entry(transactional_db):
    publish_default_matrix()
    return make.open_circle(make.coordinator())


@pytest.fixture
def doctor(entry):
    doctor = make.account(make.DOCTOR)
    doctor.member = make.add(entry, doctor.attachment.professional, wanted="oui")
    return doctor


def note_a_refusal(entry, doctor):
    actions.set_habilitation(entry, doctor.member, "refus", refusal=REFUSAL)


def withdraw_the_consent(entry, doctor):
    actions.end_consent(entry, doctor.member, end="retrait", ended_on=timezone.localdate(), collected="oral")


def oppose_the_whole_dossier(entry, doctor):
    actions.record_opposition(entry, rubrique="", refused_on=timezone.localdate(), collected="oral")


def see_the_consent_expire(entry, doctor):
    consent = {"ground": "accord", "collected": "oral", "last_day": timezone.localdate()}
    actions.record_consent(entry, doctor.member, **make.team(**consent))
    Consent.objects.filter(ground="accord").update(
        starts_on=dt.date(2026, 1, 1), last_day=timezone.localdate() - dt.timedelta(days=1)
    )


def suspend(entry, doctor):
    User.objects.filter(pk=doctor.pk).update(is_active=False, suspended_at=timezone.now())


def pause_the_dossier(entry, doctor):
    type(entry.dossier).objects.filter(pk=entry.dossier.pk).update(status="pause")


@pytest.mark.req("SECT-7", "SEC-4")
@pytest.mark.parametrize(
    ("close", "answer"),
    [
        (note_a_refusal, 404),
        (withdraw_the_consent, 404),
        (see_the_consent_expire, 404),
        (oppose_the_whole_dossier, 404),
        (suspend, 404),
        (pause_the_dossier, 403),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_an_act_that_waited_behind_a_revocation_is_refused(entry, doctor, close, answer):
    address = reverse("circle:add_manually", args=[entry.dossier.pk, "aidant"])
    client, answers = Client(), []
    client.force_login(doctor)
    typed = {
        "family_name": "TARDIVE", "given_name": "Rose", "relation": "DAUC", "role": "CAREGIVER",
        "mobile": "06 39 98 20 55", "starts_on": f"{timezone.localdate():%d/%m/%Y}",
        "creation_key": "0190b6a0-0000-7000-8000-000000000001",
    }  # fmt: skip

    def act():
        answers.append(client.post(address, typed).status_code)
        connection.close()

    waiting = threading.Thread(target=act)
    with transaction.atomic():
        entry.trace("écriture", rubrique="cercle")
        close(entry, doctor)
        waiting.start()
        until_somebody_waits()
    waiting.join(PATIENCE)
    assert answers == [answer]
    assert not Member.objects.filter(dossier=entry.dossier, family_name="TARDIVE").exists()
    last = Trace.objects.of_dossier(entry.dossier.pk).filter(actor_id=doctor.pk).last()
    assert (last.action, last.outcome) == ("écriture", "refus")
