"""The state "refus" without a standing refusal, or a refusal beside another state: the database keeps neither.

Attacked in SQL, past every action, and by two connections that each write half of the act.
"""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from circle import actions
from coordination.common.constraints import sentence_of
from habilitations.models import Habilitation, Refusal
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = pytest.mark.req("SEC-5")
RULE = "Le refus du patient et l'habilitation de ce membre se contredisent"
INSERT = (
    "INSERT INTO habilitations_refusal (id, dossier_id, habilitation_id, refused_on, collected, comment, recorded_at,"
    " recorded_by_id, withdrawn_collected) SELECT gen_random_uuid(), dossier_id, id, current_date, 'oral', '', now(),"
    " state_by_id, '' FROM habilitations_habilitation WHERE id = %s"
)
STATE = "UPDATE habilitations_habilitation SET state = %s WHERE id = %s"
WITHDRAW = (
    "UPDATE habilitations_refusal SET withdrawn_at = now(), withdrawn_on = current_date WHERE habilitation_id = %s"
)
STAND_AGAIN = "UPDATE habilitations_refusal SET withdrawn_at = NULL, withdrawn_on = NULL WHERE habilitation_id = %s"
ERASE = "DELETE FROM habilitations_refusal WHERE habilitation_id = %s"


def sql(*statements):
    with connection.cursor() as cursor:
        for statement, *values in statements:
            cursor.execute(statement, values)


def commits(*statements):
    """Say whether the database keeps these statements as one act."""
    told = None
    try:
        with transaction.atomic():
            sql(*statements, ("SET CONSTRAINTS ALL IMMEDIATE",), ("SET CONSTRAINTS ALL DEFERRED",))
    except IntegrityError as error:
        told = sentence_of(error)
    assert told is None or told.startswith(RULE)
    return told is None


def refuse(entry, member):
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    return actions.set_habilitation(entry, member, "refus", refusal=refusal).habilitation.pk


@pytest.fixture
def granted(entry):
    return make.add(entry, make.account().attachment.professional, wanted="oui").habilitation.pk


@pytest.fixture
def refused(entry):
    return refuse(entry, make.add(entry))


@pytest.mark.django_db
def test_a_state_without_a_refusal(granted):
    assert not commits((STATE, "refus", granted))
    assert not commits((INSERT, granted))
    assert commits((INSERT, granted), (STATE, "refus", granted))
    assert commits((STATE, "non", granted), (WITHDRAW, granted))
    # In the other order too: only the end of the act counts.
    assert commits((STATE, "refus", granted), (STATE, "non", granted))


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["non", "attente", "oui"])
def test_a_refusal_that_stands_beside_another_state(entry, granted, state):
    assert commits((INSERT, granted), (STATE, "refus", granted))
    assert not commits((STATE, state, granted))
    assert not commits((WITHDRAW, granted))
    assert not commits((ERASE, granted))
    assert commits((WITHDRAW, granted), (STATE, state, granted))
    assert not commits((STAND_AGAIN, granted))


@pytest.mark.django_db
def test_a_refusal_moved_to_another_member(entry, granted, refused):
    move = "UPDATE habilitations_refusal SET habilitation_id = %s WHERE habilitation_id = %s"
    assert not commits((move, granted, refused))
    assert not commits((move, granted, refused), (STATE, "refus", granted))
    assert commits((move, granted, refused), (STATE, "refus", granted), (STATE, "non", refused))


@pytest.mark.django_db
def test_a_refusal_of_another_dossier_counts_for_nothing(entry, refused):
    elsewhere = make.open_circle(entry.user)
    assert not commits(
        ("UPDATE habilitations_refusal SET dossier_id = %s WHERE habilitation_id = %s", elsewhere.dossier.pk, refused)
    )


@pytest.mark.django_db
def test_a_member_born_refused(entry):
    born = (
        "INSERT INTO habilitations_habilitation (id, dossier_id, state, state_at) VALUES (gen_random_uuid(), %s,"
        " 'refus', now())"
    )
    assert not commits((born, entry.dossier.pk))


@pytest.mark.django_db
def test_it_stands_when_the_member_has_left(entry, refused):
    member = Habilitation.objects.get(pk=refused).members.get()
    actions.remove_member(entry, member, reason="fin")
    assert not commits((STATE, "non", refused))


@pytest.mark.django_db(transaction=True)
def test_a_user_who_meets_it_reads_a_sentence(client, monkeypatch):
    """No act of the product can: this one forgets the refusal on purpose, and is undone."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    member = make.add(entry)

    def forget(*args, **kwargs):
        sql((STATE, "refus", member.habilitation_id))

    monkeypatch.setattr(actions, "set_discreet", forget)
    client.force_login(entry.user)
    answer = client.post(f"/dossiers/{entry.dossier.pk}/cercle/membres/{member.pk}/discret/")
    assert answer.status_code == 409
    assert RULE in answer.content.decode().replace("&#39;", "'")
    assert Habilitation.objects.get(pk=member.habilitation_id).state == "non"


# ---- Two connections ------------------------------------------------------------------------------

HALVES = {
    # (what stands before, what each of the two connections writes alone)
    "one grants while the other refuses": (False, [[STATE, "oui"]], [[INSERT], [STATE, "refus"]]),
    "one writes the refusal, the other the state": (False, [[STATE, "refus"]], [[INSERT]]),
    "one withdraws, the other moves the state": (True, [[WITHDRAW]], [[STATE, "non"]]),
    "one withdraws wholly, the other refuses again": (True, [[WITHDRAW], [STATE, "non"]], [[STATE, "refus"]]),
    "one withdraws wholly, the other adds a refusal": (True, [[WITHDRAW], [STATE, "non"]], [[INSERT]]),
    "one withdraws wholly, the other erases": (True, [[WITHDRAW], [STATE, "non"]], [[ERASE]]),
    "two refuse at once": (False, [[INSERT], [STATE, "refus"]], [[INSERT], [STATE, "refus"]]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("one_after_the_other", [False, True])
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("case", HALVES)
def test_two_connections_never_leave_a_contradiction(case, isolation, one_after_the_other):
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    member = make.add(entry, make.account().attachment.professional, wanted="oui")
    stands, *sides = HALVES[case]
    if stands:
        refuse(entry, member)
    start, first_is_over = threading.Barrier(2, timeout=60), threading.Event()

    def write(statements, rank):
        try:
            with transaction.atomic():
                sql((f"SET TRANSACTION ISOLATION LEVEL {isolation}",), ("SELECT count(*) FROM habilitations_refusal",))
                # Both have taken their view of the tables: whatever follows is decided on it.
                start.wait()
                if rank and one_after_the_other:
                    first_is_over.wait(timeout=20)
                sql(*((statement, *values, member.habilitation_id) for statement, *values in statements))
        except DatabaseError:
            pass
        finally:
            connection.close()
            if not rank:
                first_is_over.set()

    threads = [threading.Thread(target=write, args=[side, rank]) for rank, side in enumerate(sides)]
    [thread.start() for thread in threads]
    [thread.join(timeout=20) for thread in threads]
    refused = Habilitation.objects.get(pk=member.habilitation_id).state == "refus"
    assert Refusal.objects.filter(habilitation=member.habilitation_id, withdrawn_at=None).count() == refused
