"""What clients sent, read ahead for many resources at once, is what each would have asked by itself."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.fhir import keeping

pytestmark = [pytest.mark.django_db, pytest.mark.req("PERF-11")]
OWNER = "client:x"


@pytest.fixture
def ids():
    """Of one everybody is told, of another a partner alone, of a third each his own; nothing of the last."""
    ids = [uuid.uuid4() for _ in range(4)]
    for type_name in ("Practitioner", "PractitionerRole"):
        keeping.keep(type_name, ids[0], {"gender": "female", "language": type_name})
        keeping.keep(type_name, ids[1], {"gender": "male", "language": type_name}, owner=OWNER)
        for owner in ("", OWNER, "client:another"):
            keeping.keep(type_name, ids[2], {"gender": "other", "language": owner or "fr"}, owner=owner)
    return ids


def asked(ids, memo):
    return [
        keeping.kept(type_name, ids, owner, memo=memo)
        for type_name in ("Practitioner", "PractitionerRole")
        for owner in ("", OWNER)
    ]


def test_the_same_is_told(ids):
    alone, memo = asked(ids, {}), {}
    with keeping.reading_ahead(memo, OWNER) as ahead:
        ahead.read(frozenset({"Practitioner", "PractitionerRole"}), frozenset(ids))
        with CaptureQueriesContext(connection) as captured:
            assert asked(ids, memo) == alone
    assert len(captured) == 0
    assert [len(one) for one in alone] == [2, 2, 2, 2]


def test_what_was_not_read_is_asked(ids):
    memo = {}
    with keeping.reading_ahead(memo, OWNER) as ahead:
        ahead.read(frozenset({"Practitioner"}), frozenset(ids[:1]))
        assert ahead.unread("Practitioner", ids) == ids[1:] and ahead.unread("PractitionerRole", ids) == ids
        assert asked(ids, memo) == asked(ids, {})


def test_it_is_forgotten_for_a_call_that_goes_on(ids):
    memo = {}
    with keeping.reading_ahead(memo, OWNER) as ahead:
        ahead.read(frozenset({"Practitioner"}), frozenset(ids))
    assert memo == {}
    keeping.keep("Practitioner", ids[0], {"gender": "unknown"})
    assert keeping.kept("Practitioner", ids, memo=memo)[ids[0]].content == {"gender": "unknown"}
