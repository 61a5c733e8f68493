"""A profession confirmed elsewhere while the holder says yes to a structure: the yes comes too late."""

import threading

import pytest
from django.db import connection, transaction

from coordination.directory import actions as directory
from coordination.directory.actions import accounts as actions
from coordination.directory.models import Attachment
from coordination.directory.newcomers import Newcomer
from habilitations.actions import name_administrator
from habilitations.errors import VouchedElsewhere
from habilitations.models import VouchedProfession
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.directory.search_data import house
from tests.waiting import PATIENCE, until_somebody_waits

pytestmark = pytest.mark.req("SEC-18")


def looked_after(name):
    """Return a structure and the person named for it."""
    place, director = house(name), UserFactory()
    name_administrator(place, director, by=UserFactory(administrator=True))
    return place, director


def an_account_of(place):
    user = make.account("35", structure=place, vouched=False)
    return user, user.attachment.professional


def an_account_of_nobody(place):
    return UserFactory(), make.listed("35", structure=place)


def by_its_structure(user, activity, by):
    actions.confirm_in_structure(user, activity, by=by)


def by_an_administrator(user, activity, by):
    directory.confirm_account(user, activity, how=VouchedProfession.How.ADMINISTRATOR, by=by)


@pytest.mark.parametrize(
    ("account", "confirm"),
    [
        (an_account_of, by_its_structure),
        (an_account_of, by_an_administrator),
        (an_account_of_nobody, by_an_administrator),
    ],
    ids=lambda f: f.__name__,
)
def test_a_yes_that_waited_behind_a_confirmation_elsewhere_is_refused(transactional_db, account, confirm):
    (ssiad, director), (ehpad, other) = looked_after("SSIAD EXEMPLE"), looked_after("EHPAD LOINTAIN")
    user, professional = account(ehpad)
    activity = professional.activities.select_related("structure", "professional").get()
    offer = actions.offer_account(ssiad, Newcomer(user.email, "Calque", "Inès", "35"), by=director)
    answers = []

    def accept():
        try:
            answers.append(actions.accept_offer(offer, by=user))
        except Exception as error:
            answers.append(type(error))
        connection.close()

    waiting = threading.Thread(target=accept)
    with transaction.atomic():
        confirm(user, activity, other)
        waiting.start()
        until_somebody_waits()
    waiting.join(PATIENCE)
    assert answers == [VouchedElsewhere]
    assert Attachment.objects.get(user=user).structure == ehpad
    assert VouchedProfession.objects.current().get(user=user).structure == ehpad
