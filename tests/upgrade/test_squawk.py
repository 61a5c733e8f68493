"""No migration holds up those who work, or breaks the version that serves meanwhile: squawk's rules (REL-14).

What it finds in the migrations of before is in accepted.toml, each with its reason; anything else is red, and so is an
acceptance of what is found no longer.
"""

import os
import tomllib
from pathlib import Path

import pytest

from coordination.runtime.places import ROOT
from tests.upgrade.migrations_sql import OURS, Written, findings, written

FULL = bool(os.environ.get("FULL"))

ACCEPTED = tomllib.loads(Path(__file__).with_name("accepted.toml").read_text())
NEVER = {one["rule"] for one in ACCEPTED["never"]}
pytestmark = pytest.mark.req("REL-14")


@pytest.mark.once
@pytest.mark.django_db
def test_nothing_new_is_found_in_a_migration(tmp_path):
    """Those written since the recorded point; FULL=1: all of them, and what is accepted is found."""
    migrations = written(None if FULL else ACCEPTED["recorded"])
    found = {(one.migration, one.rule): one.said for one in findings(migrations, tmp_path, never=NEVER)}
    accepted = {(name, rule) for one in ACCEPTED["accepted"] for name in one["in"] for rule in one["rules"]}
    assert {key: found[key] for key in set(found) - accepted} == {}
    if FULL:
        assert len(migrations) >= 80
        assert accepted - set(found) == set(), "accepted, and found no longer"


def test_the_recorded_point_is_of_migrations_that_are_there():
    """An app without a line, or with a name of nothing, would have none of its migrations read."""
    on_disk = {}
    for path in [*ROOT.glob("*/migrations/[0-9]*.py"), *ROOT.glob("coordination/*/migrations/[0-9]*.py")]:
        on_disk.setdefault(path.parent.parent.name, set()).add(path.stem)
    assert set(on_disk) == OURS == set(ACCEPTED["recorded"])
    assert {app: name for app, name in ACCEPTED["recorded"].items() if name not in on_disk[app]} == {}


def test_each_acceptance_has_its_reason_and_its_day():
    for one in [*ACCEPTED["never"], *ACCEPTED["accepted"]]:
        assert len(one["why"]) > 40 and one["on"].year >= 2026, one


# What squawk exists for: each of these would stop a product at work, or the version that still serves.
DANGERS = {
    'ALTER TABLE "circle_member" ADD COLUMN "x" integer NOT NULL;': "adding-required-field",
    'CREATE INDEX "x" ON "circle_member" ("family_name");': "require-concurrent-index-creation",
    'ALTER TABLE "circle_member" ALTER COLUMN "note" TYPE varchar(10);': "changing-column-type",
    'ALTER TABLE "circle_member" RENAME COLUMN "note" TO "x";': "renaming-column",
    'ALTER TABLE "circle_member" DROP COLUMN "note";': "ban-drop-column",
    'ALTER TABLE "circle_member" ADD CONSTRAINT "x" CHECK ("version" > 0);': "constraint-missing-not-valid",
    'ALTER TABLE "circle_member" ALTER COLUMN "note" SET NOT NULL;': "adding-not-nullable-field",
}


@pytest.mark.parametrize("sql", DANGERS, ids=DANGERS.values())
def test_a_planted_danger_is_found(tmp_path, sql):
    found = findings([Written("circle.9999_planted", sql, atomic=True)], tmp_path, never=NEVER)
    assert DANGERS[sql] in {one.rule for one in found}
    assert {one.migration for one in found} == {"circle.9999_planted"}


def test_an_index_made_aside_in_a_transaction_is_found(tmp_path):
    """PostgreSQL refuses it; outside, nothing is wrong with it."""
    sql = 'CREATE INDEX CONCURRENTLY "x" ON "circle_member" ("family_name");'
    inside = findings([Written("circle.9999_planted", sql, atomic=True)], tmp_path, never=NEVER)
    assert "ban-concurrent-index-creation-in-transaction" in {one.rule for one in inside}
    outside = findings([Written("circle.9999_planted", sql, atomic=False)], tmp_path, never=NEVER)
    assert "ban-concurrent-index-creation-in-transaction" not in {one.rule for one in outside}


def test_squawk_that_fails_does_not_pass_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.upgrade.migrations_sql.POSTGRESQL", "not a version")
    with pytest.raises(AssertionError, match="squawk failed"):
        findings([Written("circle.9999_planted", "SELECT 1;", atomic=True)], tmp_path)


def test_nothing_is_found_in_what_is_safe(tmp_path):
    sql = 'ALTER TABLE "circle_member" ADD COLUMN "x" bigint DEFAULT 1 NOT NULL;'
    assert findings([Written("circle.9999_planted", sql, atomic=True)], tmp_path, never=NEVER) == []


def test_a_lock_that_nothing_bounds_is_found(tmp_path):
    """Outside of a transaction, `manage.py migrate` bounds no lock."""
    sql = 'ALTER TABLE "circle_member" ADD COLUMN "x" bigint;'
    found = findings([Written("circle.9999_planted", sql, atomic=False)], tmp_path, never=NEVER)
    assert [one.rule for one in found] == ["require-lock-timeout"]
