"""What the circle tells elsewhere: home page of the dossier, identity strip, file active. One statement each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from circle import history, roles
from circle.lines import MemberRow
from circle.models import Change, Member
from circle.names import Person, name_of, shown_person
from circle.rows import READ
from circle.wording import ATTENTE, kinship
from coordination.common.addresses import address
from coordination.common.french import plural
from coordination.common.prepared import Prepared
from coordination.common.statements import rows as run
from coordination.dossiers.panels import Card, News, Summary
from habilitations import published
from habilitations.access import dossiers_closed_to
from habilitations.grants import CLOSED_TO
from habilitations.rubriques import Niveau, Rubrique

# The roles one looks for first on the home page.
FIRST_ROLES = (roles.PCP, roles.MAIN_CAREGIVER, roles.NOK)
NEWS_SHOWN = 10
NO_NUMBER = "Numéro non communiqué"
# An addition with a hand-over and an answer: most acts write fewer.
LINES_OF_AN_ACT = 4

# Who reads is decided in the same statement: his vouched profession and the current matrix come with each line.
_REFERENTS = f"""
SELECT v.profession, v.fonction, {published.EDITION}, ro.dossier_id,
    m.discreet,
    CASE WHEN m.discreet THEN {CLOSED_TO.format(dossier="ro.dossier_id", user="v.user_id", rubrique="medical")} END,
    m.family_name, m.given_name, m.civility, p.family_name, p.given_name, p.civility
FROM circle_roleholding ro
JOIN circle_member m ON m.id = ro.member_id
LEFT JOIN directory_professional p ON p.id = m.professional_id
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = %s AND v.ended_at IS NULL
WHERE ro.dossier_id = ANY(%s) AND ro.role = 'REFERENT' AND ro.starts_on <= %s
    AND (ro.ends_on IS NULL OR ro.ends_on > %s)
ORDER BY ro.starts_on, ro.id
"""  # noqa: S608 - our own names
_CHANGES = f"""
SELECT v.profession, v.fonction, {published.EDITION}, c.dossier_id,
    {CLOSED_TO.format(dossier="c.dossier_id", user="seen.user_id", rubrique="medical")}, count(*),
    count(*) FILTER (
        WHERE NOT m.discreet AND NOT EXISTS (SELECT 1 FROM circle_member x WHERE x.id = c.other_id AND x.discreet)
    )
FROM circle_change c
JOIN circle_member m ON m.id = c.member_id
JOIN dossiers_visit seen ON seen.dossier_id = c.dossier_id AND seen.user_id = %s
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = seen.user_id AND v.ended_at IS NULL
WHERE c.dossier_id = ANY(%s) AND c.by_id IS DISTINCT FROM %s AND c.at > seen.seen_at
GROUP BY c.dossier_id, seen.user_id, v.profession, v.fonction
"""  # noqa: S608 - our own names


def url_of(dossier_id: UUID) -> str:
    return address("circle:list", dossier_id)


def referents(user, dossier_ids: Sequence[UUID], for_another: frozenset[UUID] = frozenset()) -> dict[UUID, Summary]:
    """Return who is the référent of each dossier, for the file active; none discreet where he acts for another."""
    today = timezone.localdate()
    lines = run(_REFERENTS, [user.pk, tuple(dossier_ids), today, today]) if dossier_ids else []
    found = {}
    for profession, fonction, edition, dossier_id, discreet, closed, *names in lines:
        sees_circle, sees_discreet = _reader(profession, fonction, edition)
        seen = sees_discreet and not closed and dossier_id not in for_another
        if sees_circle and (not discreet or seen):
            found[dossier_id] = Summary(main=_named(None, *names)[0])
    return found


def news_counts(user, dossier_ids: Sequence[UUID], for_another: frozenset[UUID] = frozenset()) -> dict[UUID, Summary]:
    """Return how many changes others made in each circle since the reader's last visit."""
    asked = [user.pk, tuple(dossier_ids), user.pk]
    found = {}
    for profession, fonction, edition, dossier_id, closed, every, plain in run(_CHANGES, asked) if dossier_ids else []:
        sees_circle, sees_discreet = _reader(profession, fonction, edition)
        count = every if sees_discreet and not closed and dossier_id not in for_another else plain
        if sees_circle and count:
            found[dossier_id] = Summary(main=f"{plural(count, 'changement')} dans le cercle", changed=True)
    return found


def last_activity(user, can_read) -> Subquery | None:
    """Return when someone else last changed the circle, for the order of the file active."""
    if not can_read(Rubrique.CERCLE):
        return None
    changes = Change.objects.filter(dossier=OuterRef("pk")).exclude(by=user)
    plain = Q(member__discreet=False) & (Q(other=None) | Q(other__discreet=False))
    if not can_read(Rubrique.MEDICAL):
        changes = changes.filter(plain)
    else:
        changes = changes.filter(plain | ~Q(dossier__in=dossiers_closed_to(user, Rubrique.MEDICAL)))
    return Subquery(changes.order_by("-at").values("at")[:1])


def news(entry, since) -> list[News]:
    """Return what others changed in the circle since a moment, newest first, that this reader may see."""
    access = entry.access
    if not (access.can_read(Rubrique.CERCLE) and access.sees_whole_circle):
        return []
    asked = {"dossier_id": entry.dossier.pk, "since": since, "user_id": entry.user.pk}
    lines = [_line(*row) for row in _changes.tuples(access.sees_discreet_members, **asked)]
    return [
        News(at=act[-1].at, icon=history.ICONS[act[0].kind], sentence=history.tell([line.told for line in act]))
        for act in history.acts_of(lines)[:NEWS_SHOWN]
    ]


class _Line(NamedTuple):
    """A line of the history as `history.acts_of` puts lines together, and what it tells."""

    kind: str
    at: dt.datetime
    by_id: UUID | None
    member_id: UUID
    other_id: UUID | None
    told: history.Told


def _changes_by_others(sees_discreet: bool, *, dossier_id, since, user_id) -> QuerySet:
    """The last lines written by others, as values: seven objects for each line would cost more than the page."""
    rows = Change.objects.filter(dossier=dossier_id, at__gt=since).exclude(by=user_id)
    rows = rows if sees_discreet else rows.without_discreet()
    return rows.order_by("-at", "-id").values_list(
        "kind", "at", "by_id", "member_id", "other_id", "subject", "before", "after",
        "by__family_name", "by__given_name", "on_behalf_of__family_name", "on_behalf_of__given_name",
        *_names_of("member"), *_names_of("other"),
    )[: NEWS_SHOWN * LINES_OF_AN_ACT]  # fmt: skip


def _names_of(member: str) -> list[str]:
    """What `Member.display_name` and `is_feminine` read."""
    own = ("structure__name", "family_name", "given_name", "civility")
    listed = ("professional__family_name", "professional__given_name", "professional__civility")
    return [f"{member}__{name}" for name in (*own, *listed)]


_changes = Prepared(_changes_by_others, one_plan=True)


def _line(kind, at, by_id, member_id, other_id, subject, before, after, *names) -> _Line:
    author, principal = (" ".join(filter(None, pair)) for pair in (names[:2], names[2:4]))
    (member, feminine), (other, _) = _named(*names[4:11]), _named(*names[11:])
    told = history.Told(
        kind=kind, who=history.who(author, principal), member=member, feminine=feminine,
        subject=subject, before=before, after=after, other=other,
    )  # fmt: skip
    return _Line(kind, at, by_id, member_id, other_id, told)


def _named(house, family, given, civility, listed_family, listed_given, listed_civility) -> tuple[str, bool]:
    """Return the name of a member, and whether words about him are feminine, as those about a structure are."""
    typed, listed = Person(family, given, civility), Person(listed_family, listed_given, listed_civility)
    return name_of(house, listed, typed), house is not None or shown_person(listed, typed).is_feminine


def strip_referent(entry) -> dict[str, str] | None:
    """Return {"label", "name"} of the référent for the identity strip; None when there is none to show.

    Told from the members when the page has read them, else in one SQL statement.
    """
    if not entry.access.sees_whole_circle:
        return None
    if READ in entry.read:
        holders = [row for row in entry.read[READ] if row.role_code == roles.REFERENT]
        holder = min(holders, key=lambda row: row.role_since, default=None)
        return _referent(holder.name, holder.feminine) if holder else None
    today = timezone.localdate()
    asked = [entry.user.pk, (entry.dossier.pk,), today, today]
    for _, _, _, _, discreet, _, *names in run(_REFERENTS, asked):
        if entry.access.sees_discreet_members or not discreet:
            return _referent(*_named(None, *names))
    return None


def _referent(name: str, feminine: bool) -> dict[str, str]:
    return {"label": roles.label(roles.REFERENT, feminine=feminine), "name": name}


def card(entry) -> Card:
    """Return the card of the home page.

    facts: count (None in the reduced circle), holders [{label, name, phone, unlisted}] (name "" when nobody holds the
    role; in the reduced circle, whose labels are functions, "" or that no number is given), sentence
    ("4 membres ont accès, 1 refus du patient.").
    """
    rows = Member.objects.rows(entry)
    facts = _whole(rows) if entry.access.sees_whole_circle else _reduced(rows)
    return Card(
        rubrique=Rubrique.CERCLE,
        title=Rubrique.CERCLE.label,
        template="circle/_card.html",
        url=url_of(entry.dossier.pk),
        facts=facts,
    )


def _whole(rows: list[MemberRow]) -> dict:
    held = {row.role_code: row for row in rows if row.role_code in FIRST_ROLES}
    holders = [_holder(code, held.get(code)) for code in FIRST_ROLES]
    return {"count": len(rows), "holders": holders, "sentence": _sentence(rows)}


def _holder(code: str, row: MemberRow | None) -> dict:
    if row is None:
        return {"label": roles.label(code), "name": "", "phone": "", "unlisted": False}
    kin = kinship(row.relation_code, row.relation)
    name = ", ".join(filter(None, (row.name, kin)))
    return {"label": row.role, "name": name, "phone": row.mobile or row.phone, "unlisted": row.unlisted}


def _reduced(rows: list[MemberRow]) -> dict:
    # An unlisted number is not given in the reduced circle: somebody is there all the same.
    phones = [(row.name, row.mobile or row.phone) for row in rows]
    holders = [
        {"label": label, "name": "" if phone else NO_NUMBER, "phone": phone, "unlisted": False}
        for label, phone in phones
    ]
    return {"count": None, "holders": holders, "sentence": ""}


def _sentence(rows: list[MemberRow]) -> str:
    opened = sum(row.has_access for row in rows)
    # Said as the list of the circle says it: who is closed by an opposition to the whole dossier waits for nothing.
    waiting = sum(row.access is not None and row.access.value == ATTENTE for row in rows)
    refused = sum(row.state == "refus" for row in rows)
    said = [f"{plural(opened, 'membre')} {'ont' if opened > 1 else 'a'} accès"]
    if waiting:
        said.append(f"{plural(waiting, 'accès', 'accès')} en attente")
    if refused:
        said.append(f"{plural(refused, 'refus', 'refus')} du patient")
    return f"{', '.join(said)}."


def _reader(profession: str | None, fonction: str | None, edition: list[int | None]) -> tuple[bool, bool]:
    """Return (sees the whole circle, sees discreet members) for the reader of a list."""
    matrix = published.read(*edition)
    profile = matrix.profile_of(profession or "", fonction or "")
    reads = matrix.level(profile, Rubrique.CERCLE) >= Niveau.LECTURE and not matrix.reads_reduced_circle(profile)
    return reads, matrix.level(profile, Rubrique.MEDICAL) >= Niveau.LECTURE
