"""Invented people, accounts with a vouched profession, and the dossiers they may open."""

import datetime as dt

import factory
from django.utils import timezone

from coordination.directory.models import Source, Structure
from coordination.dossiers.models import Dossier, Sex
from habilitations.actions import grant_creator, vouch_profession
from habilitations.models import Consent, Delegate, Habilitation, LegalStructure, Refusal, VouchedProfession
from tests.accounts.factories import UserFactory

__all__ = ["DossierFactory", "StructureFactory", "UserFactory", "delegate", "habilitate", "professional"]

NURSE, DOCTOR, HOME_HELP = "60", "10", "42"


class StructureFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Structure

    source = Source.LOCAL
    name = factory.Sequence(lambda n: f"Service Exemple {n}")
    search_name = factory.LazyAttribute(lambda o: o.name.lower())
    phone = "+33536491060"


class DossierFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Dossier

    birth_name = factory.Sequence(lambda n: f"EXEMPLE{n}")
    birth_given_names = "Jeanne Marie"
    first_given_name = "Jeanne"
    sex = Sex.FEMALE
    birth_date = dt.date(1941, 3, 14)
    motif = Dossier.Motif.DOMICILE
    status = Dossier.Status.ACTIF
    status_on = factory.LazyFunction(timezone.localdate)
    town = "Carmaux"
    postal_code = "81400"
    commune_code = "81060"
    created_by = factory.SubFactory(UserFactory)


def professional(profession=NURSE, fonction="", structure=None, **fields):
    """Return an account whose profession is vouched for."""
    user = UserFactory(**fields)
    vouch_profession(
        user, profession=profession, fonction=fonction, structure=structure,
        how=VouchedProfession.How.ADMINISTRATOR, by=None,
    )  # fmt: skip
    return user


def habilitate(user, dossier, state="oui"):
    """Give an account its habilitation in a dossier; any state for the tests of the lists."""
    if state == "oui":
        return grant_creator(dossier.pk, user, by=user)
    return habilitation(dossier, state, user=user, state_by=user)


def habilitation(dossier, state, **details):
    """Make a row in any state, with the refusal that goes with the state "refus", or what a grant rests on."""
    row = Habilitation.objects.create(dossier=dossier, state=state, **details)
    if state in ("oui", "attente"):
        carry(row)
    if state == "refus":
        Refusal.objects.create(
            dossier=dossier, habilitation=row, refused_on=timezone.localdate(), collected=Refusal.Collected.ORAL,
            recorded_by=dossier.created_by,
        )  # fmt: skip
    return row


def carry(row, ground="reconnue", **details):
    """Say on what the sharing with a member rests, as the screen would: in the équipe de soins since today."""
    facts = {"starts_on": timezone.localdate(), "recorded_by": row.dossier.created_by} | details
    return Consent.objects.create(dossier_id=row.dossier_id, habilitation=row, ground=ground, **facts)


def delegate(user, structure, *dossiers):
    """Let an account act for a structure, to which dossiers are open."""
    LegalStructure.objects.get_or_create(structure=structure)
    Delegate.objects.create(structure=structure, user=user, started_by=user)
    for dossier in dossiers:
        habilitation(dossier, "oui", structure=structure, state_by=user)
