"""A trace that cannot be written makes the act fail, whatever the page (SEC-13); rights given elsewhere are traced."""

import re
import uuid

import pytest
from django.db import DatabaseError, connection

from circle.models import Member
from habilitations import actions as do
from habilitations import traces
from habilitations.models import AccountTrace, VouchedProfession
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import StructureFactory
from tests.test_architecture import DOSSIER_PREFIX, routes

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    make.add(entry, wanted="non")
    return entry


def addresses(entry):
    """Every address of the dossier, with the ids of what exists in it."""
    member = Member.objects.filter(dossier_id=entry.dossier.pk).order_by("-created_at").first()
    known = {"dossier_id": entry.dossier.pk, "member_id": member.pk, "kind": "professionnel"}
    for path, _, _ in routes():
        if path.startswith(DOSSIER_PREFIX):
            yield re.sub(r"<\w+:(\w+)>", lambda m: str(known.get(m[1], uuid.uuid4())), path)


def broken(*args, **kwargs):
    raise DatabaseError("the journal is full")


@pytest.mark.asvs("v5.0.0-16.5.3")
@pytest.mark.req("SEC-13", "SECT-10")
def test_no_page_answers_when_the_journal_cannot_be_written(client, entry, monkeypatch):
    client.force_login(entry.user)
    client.raise_request_exception = False
    asked = [*addresses(entry), "/dossiers/", "/dossiers/export.xlsx"]
    answered = [path for path in asked if client.get(path).status_code == 200]
    assert len(answered) >= 20, "the walk found too few pages to prove anything"
    monkeypatch.setattr(traces, "write", broken)
    shown = {path: status for path in answered if (status := client.get(path).status_code) != 500}
    assert shown == {}


@pytest.mark.asvs("v5.0.0-16.5.3")
@pytest.mark.req("SEC-13")
def test_no_write_is_kept_when_the_journal_cannot_be_written(client, entry, monkeypatch):
    client.force_login(entry.user)
    client.raise_request_exception = False
    before = {table: count(table) for table in written()}
    monkeypatch.setattr(traces, "write", broken)
    status = {path: client.post(path, {"status": "pause"}).status_code for path in addresses(entry)}
    assert set(status.values()) <= {500, 404, 405}
    assert {table: count(table) for table in written()} == before


def written():
    wanted = ("circle_", "dossiers_", "habilitations_habilitation", "habilitations_refusal")
    return [name for name in connection.introspection.table_names() if name.startswith(wanted)]


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own tables
        return cursor.fetchone()[0]


@pytest.mark.req("SEC-9")
def test_rights_given_outside_a_dossier_are_traced():
    administrator, user, house = UserFactory(administrator=True), UserFactory(), StructureFactory()
    do.open_structure(house, by=administrator)
    delegate = do.add_delegate(house, user, by=administrator)
    do.end_delegate(delegate, by=administrator)
    do.end_delegate(delegate, by=administrator)
    do.close_structure(house, by=administrator)
    how = VouchedProfession.How.ADMINISTRATOR
    do.vouch_profession(user, profession="60", how=how, by=administrator)
    do.change_profession(user, profession="10", fonction="", how=how, by=administrator)
    do.end_profession(user, by=administrator)
    said = AccountTrace.objects.filter(actor_id=administrator.pk).order_by("at")
    assert list(said.values_list("action", "object_id")) == [
        ("personne morale", house.pk), ("délégation", user.pk), ("fin de délégation", user.pk),
        ("fin personne morale", house.pk), ("profession", user.pk), ("fin de profession", user.pk),
        ("profession", user.pk), ("fin de profession", user.pk),
    ]  # fmt: skip
