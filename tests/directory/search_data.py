"""A small invented directory for the search tests."""

import itertools
from datetime import date

from django.db import connection
from django.utils import timezone

from coordination.common.text import fold
from coordination.directory.models import Activity, Professional, Source, Structure
from coordination.directory.search import vocabulary

_numbers = itertools.count(1)


def person(
    family, given, *, profession="60", town="Carmaux", postal_code="81400", commune="81060", structure=None, **more
):
    """Create a professional with one activity and return the activity."""
    number = next(_numbers)
    rpps = more.pop("rpps", f"10888{number:06d}")
    of_person = {k: more.pop(k) for k in ("civility", "mss_address", "adeli") if k in more}
    ceased = timezone.now() if more.pop("ceased", False) else None
    professional = more.pop("professional", None) or Professional.objects.create(
        source=Source.RPPS if rpps else Source.LOCAL,
        national_id=f"8{rpps}" if rpps else "",
        rpps=rpps,
        family_name=family,
        given_name=given,
        search_family=fold(family),
        search_given=fold(given),
        ceased_at=ceased,
        seen_on=date(2026, 11, 18),
        **of_person,
    )
    return Activity.objects.create(
        professional=professional,
        structure=structure,
        structure_name=structure.name if structure else more.pop("structure_name", ""),
        natural_key=number,
        profession=profession,
        category=more.pop("category", "C"),
        town=town,
        postal_code=postal_code,
        commune_code=commune,
        search_family=fold(family),
        search_given=fold(given),
        ceased_at=ceased,
        seen_on=date(2026, 11, 18),
        **more,
    )


def house(name, *, town="Carmaux", postal_code="81400", commune="81060", category="500", **more):
    """Create a structure."""
    return Structure.objects.create(
        source=more.pop("source", Source.FINESS),
        phone=more.pop("phone", "+33536491030"),
        name=name,
        search_name=fold(f"{name} {more.get('short_name', '')}"),
        town=town,
        postal_code=postal_code,
        commune_code=commune,
        category=category,
        seen_on=date(2026, 11, 18),
        **more,
    )


def learn():
    """Rewrite the vocabulary, as the end of a load does."""
    with connection.cursor() as cursor:
        vocabulary.refresh(cursor)
    vocabulary.forget()
