"""Calls of the API as tests make them: providers asked directly, for somebody; every answer is sound FHIR."""

from copy import deepcopy

from django.db import connection
from fhir.resources.R4B import get_fhir_model_class

from circle.fhir.careteams import CareTeamProvider
from coordination.fhir import registry
from coordination.fhir.callers import Caller

EVERYTHING = frozenset({"system/*.cruds"})


def caller(user, **memo):
    return Caller(user=user, owner="client:x", scopes=EVERYTHING, memo=memo)


def close_transaction():
    """Do what the end of a transaction does: the deferred triggers run."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def sound(resource):
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def circle_id(entry):
    close_transaction()
    return CareTeamProvider().rows(caller(entry.user)).get(dossier_id=entry.dossier.pk).pk


def careteam(entry, user=None):
    """Return the CareTeam of a dossier as an account reads it: a copy, which a test may change."""
    return deepcopy(sound(careteams().read(caller(user or entry.user), circle_id(entry))))


def careteams():
    return registry.by_key("circle.circle")


def references(resource):
    return [one["member"].get("reference") for one in resource.get("participant", [])]
