"""Several people pasted at once, looked for in the circle and in the directory: what will become of each line.

Nothing is said of accounts: an address that has one reads like an address that has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from circle import duplicates, roles
from circle.lines import MemberRow
from circle.models import Member
from circle.several import Line
from coordination.common.french import date_fr, rpps_fr
from coordination.common.nomenclatures import synonyms
from coordination.common.text import fold, person_name, town_name
from coordination.directory.models import Activity
from coordination.directory.search import profession_label

# Who a line is: an activity of the directory, or one of these.
BY_HAND, PRESENT, NOBODY = "main", "membre", "rien"
# Workplaces of namesakes shown for one line.
SHOWN = 8
# Of a common name there may be many more than anybody reads.
READ = 400
# A name found while the line was being added, where nobody can say here why it is somebody else.
ALIKE = "Une personne de ce nom ou d’un nom voisin est connue. Si c’est une autre, ajoutez-la par la recherche."
# A name may only look like that of a member.
SOMEBODY_ELSE = "Nom voisin : si c’est quelqu’un d’autre, ajoutez cette personne par la recherche."


class Place(NamedTuple):
    """A professional of the directory who has the name of a line, at one place of work."""

    id: str
    professional_id: UUID
    profession: str
    fonction: str
    structure: str
    said: str


@dataclass(frozen=True)
class Arrival:
    """One line and what may be done of it. `guess`: the answer proposed, "" when somebody has to choose."""

    line: Line
    said: str
    places: tuple[Place, ...] = ()
    member_id: UUID | None = None
    guess: str = ""
    is_open: bool = True

    @property
    def trade(self) -> str:
        """The profession and the role understood: everyday words were read, the eye checks."""
        role = roles.label(self.line.role)
        # « Médecin traitant » says the doctor, « Coordonnateur de parcours » who has no other profession.
        by_role = self.line.role == roles.PCP or (bool(role) and self.line.profession == synonyms.BY_ROLE)
        return ", ".join(filter(None, ["" if by_role else profession_label(self.line.profession), role]))

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Return (value, words) of who it may be; none when nothing will be done."""
        if not self.is_open:
            return []
        nothing = (NOBODY, "Ne rien faire")
        if self.member_id:
            return [(PRESENT, "Inviter ce membre"), nothing]
        found = [(place.id, place.said) for place in self.places]
        by_hand = "Aucune de ces personnes : saisir à la main" if found else "Saisir à la main"
        return [*([] if self.guess else [("", "Choisir")]), *found, (BY_HAND, by_hand), nothing]

    def place(self, choice: str) -> Place | None:
        return next((place for place in self.places if place.id == choice), None)


def of_lines(entry, lines: Iterable[Line], *, may_grant: bool) -> list[Arrival]:
    """Return what may become of each line. Three SQL statements, whatever their number.

    Only members this reader may see (rule 7).
    """
    lines = list(lines)
    present, past = list(Member.objects.rows(entry)), list(Member.objects.rows(entry, past=True))
    places = _places_of({_name(line) for line in lines if not line.error})
    return [_arrival(line, present, past, places.get(_name(line), []), may_grant) for line in lines]


def _arrival(line: Line, present, past, places: list[Place], may_grant: bool) -> Arrival:
    if line.error:
        return _closed(line, line.error)
    listed = {place.professional_id for place in places if _is_trade(place, line)}
    alike = duplicates.named_alike(present, line.family_name, line.given_name)
    same = [row for row in present if row.professional_id in listed] or alike
    if same:
        found = _member(line, same[0], may_grant)
        is_near = not found.is_open and fold(same[0].name) != fold(f"{line.family_name} {line.given_name}")
        return replace(found, said=f"{found.said} {SOMEBODY_ELSE}") if is_near else found
    if any(row.kind == roles.MANUAL for row in duplicates.named_alike(past, line.family_name, line.given_name)):
        return _closed(line, "Quelqu’un de ce nom a quitté le cercle : ajoutez cette personne par la recherche.")
    shared = next((row.name for row in present if line.email in (row.email, row.mss_address)), "")
    warning = f" Même adresse que {shared}, membre du cercle." if shared else ""
    if not places:
        return Arrival(line, f"Pas dans l’annuaire à ce nom.{warning}", guess=BY_HAND)
    places = sorted(places, key=lambda place: not _is_trade(place, line))
    guess = _guess(line, places)
    said = "Trouvé dans l’annuaire : à vérifier." if guess else "Plusieurs réponses de l’annuaire : à choisir."
    return Arrival(line, f"{said}{warning}", places=tuple(places[:SHOWN]), guess=guess)


def _closed(line: Line, why: str) -> Arrival:
    return Arrival(line, why, is_open=False)


def _member(line: Line, row: MemberRow, may_grant: bool) -> Arrival:
    """Say what of somebody who is already in the circle: invited only when he waits for nothing but a letter."""
    if row.state == "refus":
        return _closed(line, f"{row.name} : un refus du patient est noté, personne n’est invité.")
    if row.invited:
        return _closed(line, f"{row.name} est déjà dans le cercle, et déjà invité à le rejoindre.")
    waits = row.state == "attente" or row.requested
    if row.kind not in roles.PROFESSIONALS or row.user_id is not None or not (waits or may_grant):
        return _closed(line, f"{row.name} est déjà dans le cercle depuis le {date_fr(row.starts_on)}.")
    return Arrival(line, f"{row.name} est déjà dans le cercle, sans invitation.", member_id=row.id, guess=PRESENT)


def _name(line: Line) -> tuple[str, str]:
    return fold(line.family_name), fold(line.given_name)


def _places_of(names: set[tuple[str, str]]) -> dict[tuple[str, str], list[Place]]:
    """Return the open workplaces of those who have one of these folded names."""
    rows = Activity.objects.active().filter(professional__ceased_at=None).of_names(names)
    found: dict[tuple[str, str], list[Place]] = {name: [] for name in names}
    for activity in rows.select_related("professional").order_by("search_family", "search_given", "pk")[:READ]:
        found[activity.search_family, activity.search_given].append(_place(activity))
    return found


def _place(activity: Activity) -> Place:
    person = activity.professional
    trade = profession_label(activity.profession, activity.speciality, fonction=activity.fonction)
    number = f"RPPS {rpps_fr(person.rpps)}" if person.rpps else ""
    town = town_name(activity.town)
    facts = (person_name(person.family_name, person.given_name), trade, activity.structure_name, town, number)
    return Place(
        id=str(activity.pk), professional_id=person.pk, profession=activity.profession, fonction=activity.fonction,
        structure=fold(activity.structure_name), said=", ".join(filter(None, facts)),
    )  # fmt: skip


def _is_trade(place: Place, line: Line) -> bool:
    """Say whether somebody practises there what the line says: who is told by his role has it as a function."""
    return place.profession == line.profession or (line.role != "" and line.role in (place.profession, place.fonction))


def _guess(line: Line, places: list[Place]) -> str:
    """Return the only person of this name and trade, at the structure typed if it is one of his; "" otherwise."""
    likely = [place for place in places if _is_trade(place, line)]
    if len({place.professional_id for place in likely}) != 1:
        return ""
    house = fold(line.structure)
    here = [place for place in likely if house and house in place.structure]
    return (here or likely)[0].id
