"""Nobody is booked twice: the database says it, whoever asks at the same moment."""

import threading
import uuid

import pytest
from django.db import connection, transaction

from agenda.actions import taking
from agenda.actions.taking import Taken, clashes, let_go, let_go_expired, take_many, take_time
from agenda.errors import TimeTaken
from agenda.models import Occupation
from tests.agenda.factories import HOUR, at

pytestmark = pytest.mark.django_db


def take(key, starts, *, exclusive=True, source=None, **said):
    source = source or uuid.uuid4()
    take_time(source, [Taken(key, exclusive)], starts, starts + HOUR, **said)
    return source


def test_the_same_time_is_not_taken_twice():
    key = uuid.uuid4()
    take(key, at(10))
    with pytest.raises(TimeTaken):
        take(key, at(10, 30))
    take(key, at(11))
    assert Occupation.objects.filter(key=key).count() == 2


@pytest.mark.req("GAP-71")
def test_two_carers_at_once_are_normal_for_the_person():
    key = uuid.uuid4()
    take(key, at(10), exclusive=False)
    take(key, at(10), exclusive=False)
    assert clashes([key], at(10), at(11)).count() == 2


def test_what_is_taken_again_gives_back_what_it_took():
    key = uuid.uuid4()
    source = take(key, at(10))
    take(key, at(10, 30), source=source)
    [row] = Occupation.objects.filter(source=source)
    assert row.starts_at == at(10, 30)
    take_time(source, [], at(10), at(11))
    assert not Occupation.objects.filter(source=source).exists()


def test_several_times_are_taken_all_or_none():
    key = uuid.uuid4()
    take(key, at(10, days=9))
    wanted = [(uuid.uuid4(), [Taken(key, True)], at(10, days=d), at(11, days=d)) for d in (7, 8, 9)]
    with pytest.raises(TimeTaken):
        take_many(wanted)
    assert Occupation.objects.filter(key=key).count() == 1


def test_a_hold_lets_go_by_itself_when_its_term_has_come():
    key = uuid.uuid4()
    kind = Occupation.Kind.HOLD
    take(key, at(10), kind=kind, expires_at=at(10, days=-1))
    assert not clashes([key], at(10), at(11)).exists()
    take(key, at(10))
    assert let_go_expired() == 0
    assert Occupation.objects.get(key=key).kind == Occupation.Kind.APPOINTMENT


def test_let_go_gives_back_each_of_them():
    key = uuid.uuid4()
    sources = [take(key, at(hour)) for hour in (9, 11)]
    assert let_go(*sources) == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_swap_their_times_at_once_are_told_and_nothing_breaks(monkeypatch):
    key, first, second = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    with transaction.atomic():
        take_time(first, [Taken(key, True)], at(10), at(11))
        take_time(second, [Taken(key, True)], at(14), at(15))
    both, let = threading.Barrier(2, timeout=30), taking.let_go_expired
    # Each has given its own time back, and waits for the other’s.
    monkeypatch.setattr(taking, "let_go_expired", lambda keys: (both.wait(), let(keys)))
    answers = []

    def move(source, hour):
        try:
            with transaction.atomic():
                take_time(source, [Taken(key, True)], at(hour), at(hour + 1))
            answers.append("")
        except Exception as refusal:
            answers.append(type(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=said) for said in ((first, 14), (second, 10))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert TimeTaken in answers and set(answers) <= {TimeTaken, ""}
    assert Occupation.objects.count() == 2


@pytest.mark.req("GAP-81")
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_for_one_slot_give_one_booking_and_49_clear_refusals():
    key, people = uuid.uuid4(), [uuid.uuid4() for _ in range(50)]
    start = threading.Barrier(50, timeout=60)
    answers = []

    def book(other):
        start.wait()
        try:
            with transaction.atomic():
                take_time(uuid.uuid4(), [Taken(other, True), Taken(key, True)], at(10), at(11))
            answers.append("")
        except TimeTaken as refusal:
            answers.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=book, args=(other,)) for other in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers.count("") == 1
    assert answers.count("Ce créneau vient d’être pris : choisissez-en un autre.") == 49
    # Nothing of the refused ones is left.
    assert Occupation.objects.count() == 2
