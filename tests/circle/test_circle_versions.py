"""The versions of a circle: written by the database at the end of what changed it, whoever did it."""

import datetime as dt
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from circle import actions
from circle.circles import Circle, CircleVersion, facts_of, keep_version
from circle.models import Period, RoleHolding
from coordination.dossiers.models import Dossier
from tests.circle import factories as make


def close_transaction():
    """Do what the end of a transaction does: the deferred triggers run."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def circle_of(entry):
    return Circle.objects.get(dossier_id=entry.dossier.pk)


def last_facts(entry):
    circle = circle_of(entry)
    return CircleVersion.objects.get(circle=circle, number=circle.version).facts


@pytest.mark.req("CDS-33")
def test_a_circle_is_there_with_its_first_member_and_each_act_is_one_version(entry):
    close_transaction()
    circle = circle_of(entry)
    assert (circle.version, circle.status) == (1, "active")
    make.add(entry)
    close_transaction()
    circle.refresh_from_db()
    # A member, his stay and his role: one act, one version.
    assert circle.version == 2
    assert len(last_facts(entry)["members"]) == 2
    before = circle.changed_at
    close_transaction()
    circle.refresh_from_db()
    assert (circle.version, circle.changed_at) == (2, before)


def test_two_acts_of_one_transaction_are_seen_after_each_other(entry):
    close_transaction()
    make.add(entry)
    keep_version(entry.dossier.pk)
    assert circle_of(entry).version == 2
    member = make.relative(entry)
    close_transaction()
    assert circle_of(entry).version == 3
    actions.remove_member(entry, member, reason="fin")
    close_transaction()
    assert circle_of(entry).version == 4
    with transaction.atomic():
        actions.undo_removal(entry, member)
        close_transaction()
        assert circle_of(entry).version == 5
        transaction.set_rollback(True)
    assert circle_of(entry).version == 4
    actions.undo_removal(entry, member)
    close_transaction()
    assert circle_of(entry).version == 5


def test_what_a_careteam_does_not_say_makes_no_version(entry):
    member = make.relative(entry)
    close_transaction()
    version = circle_of(entry).version
    actions.update_member(entry, member, version=member.version, fields={"mobile": "06 39 98 20 66"})
    Dossier.objects.filter(pk=entry.dossier.pk).update(phone="+33536490000")
    close_transaction()
    assert circle_of(entry).version == version


def test_the_state_of_the_dossier_and_its_structure_make_one(entry):
    close_transaction()
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="pause", status_on=timezone.localdate())
    close_transaction()
    assert circle_of(entry).version == 2
    assert last_facts(entry)["state"] == ["pause", timezone.localdate().isoformat()]
    Dossier.objects.filter(pk=entry.dossier.pk).update(referent_structure=make.StructureFactory())
    close_transaction()
    assert circle_of(entry).version == 3


def test_the_past_of_a_stay_makes_one(entry):
    close_transaction()
    period = Period.objects.get(dossier_id=entry.dossier.pk)
    Period.objects.filter(pk=period.pk).update(starts_on=period.starts_on - dt.timedelta(days=3))
    close_transaction()
    assert circle_of(entry).version == 2


@pytest.mark.req("CDS-71")
def test_a_version_is_never_written_again(entry):
    close_transaction()
    version = CircleVersion.objects.get(dossier_id=entry.dossier.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        CircleVersion.objects.filter(pk=version.pk).update(number=7)


@pytest.mark.req("CDS-36")
def test_the_database_refuses_a_second_circle(entry):
    close_transaction()
    with pytest.raises(IntegrityError), transaction.atomic():
        Circle.objects.create(dossier_id=entry.dossier.pk, changed_at=timezone.now())


def test_what_versions_say_goes_back_to_what_it_was_and_comes_again(entry):
    """Migration 0013 and its reverse, on a circle with a member who left and came back, and roles."""
    member = make.add(entry, make.listed(make.DOCTOR), role="PCP")
    for stays in (Period, RoleHolding):
        stays.objects.filter(member=member).update(starts_on=dt.date(2026, 1, 12))
    actions.remove_member(entry, member, reason="fin")
    make.add(entry, member.professional, role="PROV")
    make.relative(entry)
    close_transaction()
    now = {version.pk: version.facts for version in CircleVersion.objects.all()}
    operations = import_module("circle.migrations.0013_facts_in_lists").Migration.operations
    with connection.schema_editor(atomic=False) as editor:
        # Rows of this very transaction: their keys are looked at again, at once.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for operation in reversed(operations):
            operation.database_backwards("circle", editor, None, None)
        # What the function of then says is what the last version says.
        assert last_facts(entry) == facts_of(entry.dossier.pk)
        assert {len(told) for told in last_facts(entry)["members"]} == {7}
        for operation in operations:
            operation.database_forwards("circle", editor, None, None)
    assert {version.pk: version.facts for version in CircleVersion.objects.all()} == now
