"""What commands ask by a number: a structure."""

from django.core.management.base import CommandError
from django.db.models import Q

from coordination.common.identifiers import clean_identifier
from coordination.directory.models import Structure


def structure(number: str) -> Structure:
    """Return the open structure of this FINESS or SIRET number. Raises CommandError."""
    digits = clean_identifier(number)
    # Without a number of its own a structure cannot be named without mistake.
    found = Structure.objects.active().filter(Q(finess=digits) | Q(siret=digits))[:2] if digits else []
    if len(found) != 1:
        raise CommandError("Aucune structure ouverte, ou plusieurs, avec le numéro donné par --structure.")
    return found[0]
