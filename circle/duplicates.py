"""Is the person being typed already known, in this circle or in the directory?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

from circle import roles
from circle.lines import MemberRow
from circle.models import Member
from coordination.accounts.models import User
from coordination.common.text import fold
from coordination.directory.search import ProfessionalResult, find_similar
from habilitations.models import Delegate, Habilitation

# Of 100: one letter in ten may differ, names in either order. Below, brothers and sisters look alike.
ALIKE = 90
SAME_NAME = "Même nom."


@dataclass(frozen=True)
class Known:
    """`in_circle`: (row, why) of members, present or gone; `in_directory`: results of the directory's search."""

    in_circle: tuple[tuple[MemberRow, str], ...] = ()
    in_directory: tuple[ProfessionalResult, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.in_circle or self.in_directory)


def find(
    entry,
    *,
    family_name: str,
    given_name: str,
    phones: Iterable[str] = (),
    email: str = "",
    profession: str = "",
    town: str = "",
    with_directory: bool = True,
) -> Known:
    """Return who may be the person typed: nearly the same name, or the same phone or e-mail (E.164, lower case).

    Only members this reader may see (rule 7). Two SQL statements, and the directory's search.
    """
    contacts = {*phones, email} - {""}
    wanted = fold(f"{family_name} {given_name}")
    members = [*Member.objects.rows(entry), *Member.objects.rows(entry, past=True)]
    alike = ((row, _why(row, wanted, contacts)) for row in members if row.shape != "structure" and not row.is_reduced)
    directory = ()
    if with_directory and family_name and given_name:
        found = find_similar(family_name, given_name, profession=profession or None, town=town or None)
        # The search also offers namesakes with another first name: they are not a double of the person typed.
        directory = tuple(person for person in found if _same_name(wanted, person))
    return Known(tuple((row, why) for row, why in alike if why), directory)


def typed_namesakes(entry, professional) -> tuple[MemberRow, ...]:
    """Return the hand-entered members, present or gone, who have the name of a professional of the directory.

    Only those this reader may see (rule 7). Two SQL statements.
    """
    found = find(entry, family_name=professional.family_name, given_name=professional.given_name, with_directory=False)
    return tuple(row for row, why in found.in_circle if row.kind == roles.MANUAL and why.startswith(SAME_NAME))


def awaited(entry) -> list[Member]:
    """Return whom software has sent and the circle has not named yet."""
    return list(Member.objects.filter(dossier_id=entry.dossier.pk, kind=roles.PERSON, periods=None))


def is_among(people: Iterable[Member], family_name: str, given_name: str) -> bool:
    """Say whether one of these people has nearly this name."""
    wanted = fold(f"{family_name} {given_name}")
    return any(_same_name(wanted, one) for one in people)


def named_alike(rows: Iterable[MemberRow], family_name: str, given_name: str) -> list[MemberRow]:
    """Return the people, among these members, who have nearly this name."""
    wanted = fold(f"{family_name} {given_name}")
    return [row for row in rows if row.shape != "structure" and not row.is_reduced and _same_name(wanted, row)]


def refused_namesakes(member: Member) -> list[Member]:
    """Return the hand-entered members of the dossier, hidden ones included, of this name and under a refusal.

    What the person refused to somebody typed by hand stands for the directory's entry of the same human being.
    """
    if member.kind != roles.DIRECTORY:
        return []
    wanted = fold(f"{member.professional.family_name} {member.professional.given_name}")
    refused = Member.objects.filter(
        dossier_id=member.dossier_id, kind=roles.MANUAL, habilitation__state=Habilitation.State.REFUS
    ).exclude(pk=member.pk)
    return [typed for typed in refused if _same_name(wanted, typed)]


def opened_namesakes(entry, member: Member) -> list[tuple[MemberRow, str]]:
    """Return (row, why) of the members of the directory who may be this hand-entered one and have or await an access.

    A refusal noted on what somebody typed would close nothing: the same human being goes on reading under the other
    entry. Nearly the same name, or the same phone or e-mail; only those this reader may see (rule 7).
    """
    if member.kind != roles.MANUAL:
        return []
    found = find(
        entry,
        family_name=member.family_name,
        given_name=member.given_name,
        phones=(member.phone, member.mobile),
        email=member.email,
        with_directory=False,
    )
    opened = (Habilitation.State.OUI, Habilitation.State.ATTENTE)
    return [
        (row, why)
        for row, why in found.in_circle
        if row.kind == roles.DIRECTORY and row.ends_on is None and (row.state in opened or row.requested)
    ]


def delegate_namesakes(member: Member) -> list[Delegate]:
    """Return the delegates through whom a habilitated structure of the circle enters, of a hand-entered member's name.

    They are no members: what concerns the human being is said by linking the hand-entered one to the directory.
    """
    if member.kind != roles.MANUAL:
        return []
    wanted = fold(f"{member.family_name} {member.given_name}")
    granted = Habilitation.objects.granting().filter(dossier_id=member.dossier_id, structure__isnull=False)
    delegates = Delegate.objects.current().filter(structure__in=granted.values("structure"))
    return [d for d in delegates.select_related("user", "structure") if _same_name(wanted, d.user)]


def _same_name(wanted: str, person: MemberRow | ProfessionalResult | Member | User) -> bool:
    return fuzz.token_sort_ratio(wanted, fold(f"{person.family_name} {person.given_name}")) >= ALIKE


def _why(row: MemberRow, wanted: str, contacts: set[str]) -> str:
    gone = " A quitté le cercle." if row.ends_on else ""
    if _same_name(wanted, row):
        return f"{SAME_NAME}{gone}"
    if contacts & {row.phone, row.mobile, row.email}:
        return f"Même moyen de contact.{gone}"
    return ""
