"""The sheets of the directory: one person with all workplaces, one structure with its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db import connection

from coordination.common import nomenclatures
from coordination.common.text import town_name
from coordination.directory.models import Activity, Attachment, Professional, SavoirFaire, Source, Structure
from coordination.directory.search.results import profession_label

PER_PAGE = 25
NATIONAL = "Annuaire national"


@dataclass(frozen=True, slots=True)
class Workplace:
    """One situation d'exercice, in words."""

    profession: str
    fonction: str
    mode: str
    structure_id: UUID | None
    structure_name: str
    address: str
    postal_code: str
    town: str
    phone: str
    email: str
    mss_address: str
    ceased: bool
    seen_on: date | None


@dataclass(frozen=True, slots=True)
class ProfessionalSheet:
    """What the page of a person shows."""

    professional: Professional
    professions: tuple[str, ...]
    specialities: tuple[str, ...]
    workplaces: tuple[Workplace, ...]
    mss_addresses: tuple[str, ...]
    has_account: bool
    is_local: bool
    origin: str


@dataclass(frozen=True, slots=True)
class StructureSheet:
    """What the page of a structure shows. `next_after` is the cursor of the following people, None at the end."""

    structure: Structure
    category: str
    town: str
    people: tuple[Person, ...]
    next_after: UUID | None
    is_first_page: bool
    is_local: bool
    origin: str


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the people of a structure."""

    activity_id: UUID
    professional_id: UUID
    family_name: str
    given_name: str
    profession: str
    fonction: str
    phone: str
    has_account: bool
    ceased: bool


def of_professional(professional_id: UUID) -> ProfessionalSheet | None:
    """Return the sheet of a person, None when there is nobody. Four statements whatever the number of workplaces."""
    person = Professional.objects.filter(pk=professional_id).first()
    if person is None:
        return None
    feminine = person.civility in ("MME", "MLLE")
    rows = list(Activity.objects.listed().filter(professional=person).select_related("structure"))
    rows.sort(key=lambda a: (a.ceased_at is not None, a.town, a.structure_name))
    known = SavoirFaire.objects.filter(professional=person, ceased_at=None).values_list("code", flat=True)
    labels = (nomenclatures.label("savoir_faire", code) for code in known)
    boxes = [person.mss_address, *(a.mss_address for a in rows)]
    return ProfessionalSheet(
        professional=person,
        professions=tuple(dict.fromkeys(filter(None, (_profession(a, feminine) for a in rows)))),
        specialities=tuple(sorted(filter(None, labels))),
        workplaces=tuple(_workplace(a, feminine) for a in rows if a.structure_id or a.town or a.structure_name),
        mss_addresses=tuple(dict.fromkeys(filter(None, boxes))),
        has_account=Attachment.objects.filter(professional=person).exists(),
        is_local=person.source == Source.LOCAL,
        origin={Source.LOCAL: "Créé pour la coordination", Source.PARTNER: "Reçu d’un partenaire"}.get(
            Source(person.source), NATIONAL
        ),
    )


def of_structure(structure_id: UUID, *, after: UUID | None = None) -> StructureSheet | None:
    """Return the sheet of a structure and PER_PAGE of its people after the activity `after`. Two statements."""
    structure = Structure.objects.filter(pk=structure_id).first()
    if structure is None:
        return None
    people = _people(structure_id, after)
    shown = tuple(people[:PER_PAGE])
    return StructureSheet(
        structure=structure,
        category=nomenclatures.label("categorie_etablissement", structure.category) or "",
        town=town_name(structure.town),
        people=shown,
        next_after=shown[-1].activity_id if len(people) > PER_PAGE else None,
        is_first_page=after is None,
        is_local=structure.source == Source.LOCAL,
        origin=Source(structure.source).label if structure.source in (Source.LOCAL, Source.PARTNER) else NATIONAL,
    )


# The cursor is the id of the last activity shown: its names are looked up here, they must not be in an address.
_PEOPLE = """
SELECT a.id, a.professional_id, p.family_name, p.given_name, a.profession, a.speciality, a.fonction, p.civility,
       a.phone, t.id IS NOT NULL, a.ceased_at IS NOT NULL OR p.ceased_at IS NOT NULL
  FROM directory_activity a
  JOIN directory_professional p ON p.id = a.professional_id
  LEFT JOIN directory_attachment t ON t.professional_id = p.id
 WHERE a.structure_id = ANY(ARRAY(SELECT s.id FROM directory_structure s WHERE s.id = %(structure)s
                                     OR s.merged_into_id = %(structure)s))
   AND a.category <> 'E' AND a.partner = ''
   AND (%(after)s::uuid IS NULL OR (a.ceased_at IS NOT NULL, a.search_family, a.search_given, a.id) >
        (SELECT l.ceased_at IS NOT NULL, l.search_family, l.search_given, l.id
           FROM directory_activity l WHERE l.id = %(after)s))
 ORDER BY a.ceased_at IS NOT NULL, a.search_family, a.search_given, a.id
 LIMIT %(most)s
"""


def _people(structure_id: UUID, after: UUID | None) -> Sequence[Person]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"structure": structure_id, "after": after, "most": PER_PAGE + 1})
        return [_person(row) for row in cursor.fetchall()]


def _person(row: tuple) -> Person:
    id_, professional_id, family, given, profession, speciality, fonction, civility, phone, account, ceased = row
    feminine = civility in ("MME", "MLLE")
    return Person(
        activity_id=id_,
        professional_id=professional_id,
        family_name=family,
        given_name=given,
        profession=profession_label(profession, speciality, feminine=feminine, fonction=fonction),
        fonction=nomenclatures.label("fonction", fonction, feminine=feminine) or "",
        phone=phone,
        has_account=account,
        ceased=ceased,
    )


def _profession(activity: Activity, feminine: bool) -> str:
    return profession_label(activity.profession, activity.speciality, feminine=feminine, fonction=activity.fonction)


def _workplace(activity: Activity, feminine: bool) -> Workplace:
    structure = activity.structure
    found = Workplace(
        profession=_profession(activity, feminine),
        fonction=nomenclatures.label("fonction", activity.fonction, feminine=feminine) or "",
        mode=nomenclatures.label("mode_exercice", activity.mode) or "",
        structure_id=activity.structure_id,
        structure_name=activity.structure_name,
        address=activity.address,
        postal_code=activity.postal_code,
        town=town_name(activity.town),
        phone=activity.phone,
        email=activity.email,
        mss_address=activity.mss_address,
        ceased=activity.ceased_at is not None,
        seen_on=activity.seen_on,
    )
    if structure is None or not structure.merged_into_id:
        return found
    # The practice was merged: the link leads to what replaces it, the entry keeps its own words.
    return replace(found, structure_id=structure.merged_into_id)
