"""A member is of one dossier: what keeps his stays and roles apart need not name the dossier.

Each constraint is an index (GiST) that began with the dossier. Asked for a member alone, PostgreSQL thought it as
good as the plain index of members, and read it whole at each member: 8 ms instead of 0.03 among 10,000 circles, and
an export that was ten times slower. An index is made anew under a lock of its table: some seconds for 100,000 stays.
"""

import django.contrib.postgres.constraints
from django.db import migrations, models

import circle.stays

DAYS = (circle.stays.DateRange(models.F("starts_on"), models.F("ends_on")), "&&")
# (model, name, what the refusal says, of which rows).
CONSTRAINTS = (
    ("period", "member_periods_do_not_overlap", "Ce membre est déjà présent à ces dates.", None),
    ("roleholding", "member_holds_one_role_at_a_time", "Ce membre tient déjà un rôle à ces dates.", None),
    (
        "plannedstay", "planned_stays_do_not_overlap", "Une présence est déjà prévue à ces dates pour ce membre.",
        models.Q(closed_at=None),
    ),
)  # fmt: skip


def _anew(model, name, said, condition):
    constraint = django.contrib.postgres.constraints.ExclusionConstraint(
        name=name, expressions=[("member", "="), DAYS], condition=condition, violation_error_message=said
    )
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AddConstraint(model_name=model, constraint=constraint),
    ]


class Migration(migrations.Migration):
    dependencies = [("circle", "0015_first_versions")]

    operations = [operation for one in CONSTRAINTS for operation in _anew(*one)]
