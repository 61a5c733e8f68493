"""Invented professionals of the directory with their place, their account, and circles to put them in."""

import datetime as dt
import uuid

import factory
from django.utils import timezone

from circle import actions
from coordination.directory.models import Activity, Attachment, Professional, Source, Structure
from coordination.dossiers import door
from coordination.dossiers.errors import DossierUnknown
from habilitations.actions import open_structure, vouch_profession
from habilitations.models import Delegate, VouchedProfession
from tests.accounts.factories import UserFactory
from tests.dossiers.factories import StructureFactory

DOCTOR, NURSE, PHARMACIST, SOCIAL, ROLE_ONLY = "10", "60", "21", "41", "99"
COORDINATOR = "330"
# The same as the form sends it.
TEAM_POSTED = {"rests_on": "reconnue", "rests_since": "02/11/2026"}
TRAITS = {"birth_given_names": "Jeanne", "sex": "female", "birth_date": dt.date(1941, 3, 14)}

__all__ = ["StructureFactory", "UserFactory"]


class ProfessionalFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Professional

    source = Source.RPPS
    national_id = factory.Sequence(lambda n: f"8997{n:08}")
    civility = "MME"
    family_name = factory.Sequence(lambda n: f"FACTICE{n}")
    given_name = "Sonia"
    search_family = factory.LazyAttribute(lambda o: o.family_name.lower())
    search_given = factory.LazyAttribute(lambda o: o.given_name.lower())


class ActivityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Activity

    professional = factory.SubFactory(ProfessionalFactory)
    natural_key = factory.Sequence(lambda n: n)
    profession = NURSE
    town = "Carmaux"
    postal_code = "81400"
    phone = "+33536491021"
    search_family = factory.SelfAttribute("professional.search_family")
    search_given = factory.SelfAttribute("professional.search_given")


def listed(profession=NURSE, fonction="", structure=None, **person):
    """Return a professional of the directory with one place of practice, without an account."""
    someone = ProfessionalFactory(**person)
    ActivityFactory(
        professional=someone,
        profession=profession,
        fonction=fonction,
        structure=structure,
        structure_name=structure.name if structure else "",
    )
    return someone


def account(profession=NURSE, fonction="", structure=None, vouched=True, **person):
    """Return the account of a professional of the directory; its professional is `user.attachment.professional`."""
    someone = listed(profession, fonction, structure, **person)
    user = UserFactory(family_name=someone.family_name, given_name=someone.given_name)
    Attachment.objects.create(user=user, professional=someone, structure=structure)
    if vouched:
        vouch(user, profession, fonction, structure)
    return user


def vouch(user, profession=NURSE, fonction="", structure=None):
    vouch_profession(
        user,
        profession=profession,
        fonction=fonction,
        structure=structure,
        how=VouchedProfession.How.ADMINISTRATOR,
        by=None,
        professional=user.attachment.professional,
    )


def coordinator(**person):
    """Return the account of a coordinator who is a nurse: the widest profile."""
    return account(NURSE, COORDINATOR, **person)


def open_circle(by, **details):
    """Open a dossier by its screen's action; return the door's entry of its creator."""
    traits = TRAITS | {"birth_name": f"EXEMPLE{uuid.uuid4().hex[:8]}"}
    dossier = actions.open_dossier(
        by=by, creation_key=uuid.uuid4(), traits=traits, contacts={}, motif="domicile", **details
    )
    return door.look(by, dossier.pk)


def entry_of(user, entry):
    """Return another account's entry in the same dossier."""
    return door.look(user, entry.dossier.pk)


def team(**details):
    """Return on what an answer « oui » rests: in the équipe de soins since today, the person informed."""
    today = timezone.localdate()
    return {"ground": "reconnue", "starts_on": today, "informed_on": today} | details


def carried(wanted, details):
    return {"rests": team()} | details if wanted == "oui" else details


def entry_of_or_none(user, entry):
    """Return the same, None for who may not come in."""
    try:
        return entry_of(user, entry)
    except DossierUnknown:
        return None


def add(entry, professional=None, *, role="PROV", wanted="non", **details):
    """Add a professional of the directory; a new nurse by default, in the équipe de soins when habilitated."""
    return actions.add_professional(
        entry,
        professional=professional or listed(),
        role=role,
        wanted=wanted,
        creation_key=details.pop("creation_key", None) or uuid.uuid4(),
        **carried(wanted, details),
    )


def relative(entry, *, role="CAREGIVER", creation_key=None, **fields):
    said = {"family_name": "MODÈLE", "given_name": "Karim", "mobile": "06 39 98 20 55", "relation": "DAUC"} | fields
    return actions.add_person(entry, fields=said, role=role, creation_key=creation_key or uuid.uuid4())


def by_hand(entry, *, role="PROV", creation_key=None, duplicate_reason="", **fields):
    said = {"family_name": "SPÉCIMEN", "given_name": "Inès", "profession": NURSE, "phone": "05 36 49 10 40"} | fields
    return actions.add_manual_professional(
        entry, fields=said, role=role, creation_key=creation_key or uuid.uuid4(), duplicate_reason=duplicate_reason
    )


def legal_structure(*delegates, **fields) -> Structure:
    """Return a « personne morale » structure with these accounts as delegates."""
    structure = StructureFactory(**fields)
    open_structure(structure, by=None)
    for user in delegates:
        Delegate.objects.create(structure=structure, user=user, started_by=user)
    return structure


def add_house(entry, structure=None, *, role="", wanted="non", **details):
    return actions.add_structure(
        entry,
        structure=structure or StructureFactory(),
        role=role,
        wanted=wanted,
        creation_key=uuid.uuid4(),
        **carried(wanted, details),
    )
