"""Callers and rows for the tests of the directory in FHIR."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

from coordination.common.text import fold
from coordination.directory.fhir.organizations import Organizations
from coordination.directory.fhir.people import Practitioners, Roles, RolesWithoutActivity
from coordination.directory.models import Source, Structure
from coordination.fhir import profiles, validation
from coordination.fhir.callers import Caller
from coordination.fhir.search import asking
from coordination.fhir.search.conditions import narrowed
from tests.accounts.factories import UserFactory

ORGANIZATIONS, PRACTITIONERS, ROLES, ALONE = Organizations(), Practitioners(), Roles(), RolesWithoutActivity()


def caller(owner="client:hopital"):
    """Return a caller whose profession lets him make somebody known (tests/fhir shows who may not)."""
    held = SimpleNamespace(may=lambda action: True)
    return Caller(user=UserFactory(), owner=owner, scopes=frozenset({"system/*.cruds"}), memo={"held": held})


def structure(name="EHPAD LES ESSAIS", *, source=Source.FINESS, **fields):
    short = fields.get("short_name", "")
    return Structure.objects.create(
        name=name, source=source, search_name=fold(f"{name} {short}"), phone="+33536490002", **fields
    )


def checked(resource):
    """Return the resource once the base R4 model, R4 itself and its profiles have accepted it."""
    name = resource["resourceType"]
    getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name).model_validate(resource)
    wrong = [issue for issue in (*validation.check(resource), *profiles.check(resource)) if issue.is_error]
    assert not wrong, wrong
    return resource


def found(provider, who, **criteria):
    """Return the ids that a search of this provider finds."""
    pairs = [(name.replace("__", ":"), value) for name, value in criteria.items()]
    asked = asking.read(provider.type, pairs, strict=True)
    return set(narrowed(provider, who, asked.criteria).values_list("pk", flat=True))
