"""One member of a circle as the database tells it, in one text, and what is made of it once per process.

A list of thirty members has fifteen hundred values. Read one by one they cost more than the page around them; in one
text each, they are read once, and a member who has not changed since is not read again: the text, his period and his
roles hold all that his row depends on, but for the version of the matrix, which is in the key (schema truth 10).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import orjson

from circle import names, roles
from circle.wording import RESTED, AccessWords, Facts, Invited, Rests, access_in_words
from coordination.common import nomenclatures
from coordination.common.french import date_fr
from coordination.common.text import fold, initials, person_name
from coordination.directory.search.results import profession_label
from habilitations import published
from habilitations.grants import CLOSED_BY_THE_PERSON

# Some fifteen megabytes per process, and a hundred circles.
KEPT = 4_096
_SHAPES = {roles.STRUCTURE: "structure", roles.PERSON: "relative"}


@dataclass(frozen=True, slots=True, eq=False)
class MemberRow:
    """One member on one day. Names and words are ready to show; phones are E.164.

    The same text gives the same object: what is drawn of a row is kept by the object, without comparing its fields.

    `access` is None in the reduced circle, where `name` is the function and only the phones are given.
    `role_unique` asks for a tag; `next_role` is a hand-over to come, from `next_role_on`; `role_key` sorts the roles.
    `invited`: an invitation waits for his answer. `is_merged`: the directory found the structure to be another entry
    of its own.
    """

    id: UUID
    kind: str
    version: int
    name: str
    sort_name: str
    family_name: str
    given_name: str
    civility: str
    feminine: bool
    shape: str
    profession_code: str
    fonction_code: str
    profession: str
    second: str
    relation: str
    relation_code: str
    structure_name: str
    address: str
    postal_code: str
    town: str
    role_code: str
    role: str
    role_unique: bool
    role_since: dt.date | None
    next_role: str
    next_role_on: dt.date | None
    phone: str
    mobile: str
    email: str
    mss_address: str
    unlisted: bool
    description: str
    access: AccessWords | None
    state: str
    can_sign_in: bool
    requested: bool
    invited: bool
    discreet: bool
    ceased: bool
    seen_on: dt.date | None
    starts_on: dt.date
    ends_on: dt.date | None
    professional_id: UUID | None
    activity_id: UUID | None
    structure_id: UUID | None
    user_id: UUID | None
    is_merged: bool
    is_reduced: bool
    initials: str
    role_key: str
    # « Absent jusqu’au 12/12/2026, remplacé par … »; "" when he is not.
    absence: str

    @property
    def phones(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.phone, self.mobile)))

    @property
    def is_professional(self) -> bool:
        return self.kind in roles.PROFESSIONALS

    @property
    def has_access(self) -> bool:
        return self.access is not None and self.access.is_open


# Members, their roles, what is reduced for them, what the person closes (looked for where she closed something), their
# absences, their periods: reads by the dossier in one statement, put together by `gathered`. Joined in SQL, lists as
# short as these make the server compare each line of one with each line of the other.
STATEMENT = f"""
WITH q AS MATERIALIZED (
    SELECT %s::date AS day, %s::uuid AS dossier, %s::uuid AS member, %s::boolean AS discreet
)
SELECT 'member', m.id, h.id, NULL::date, NULL::date, false, json_build_array(
    m.id, m.kind, m.version, m.discreet, m.unlisted, m.relation, m.description,
    coalesce(p.family_name, s.name, m.family_name), coalesce(p.given_name, m.given_name),
    coalesce(p.civility, m.civility), p.search_family || ' ' || p.search_given, s.search_name,
    coalesce(a.profession, m.profession), a.speciality, coalesce(a.fonction, ''), s.category,
    coalesce(nullif(m.structure_name, ''), a.structure_name, ''),
    coalesce(nullif(m.address, ''), a.address, s.address, ''),
    coalesce(nullif(m.postal_code, ''), a.postal_code, s.postal_code, ''),
    coalesce(nullif(m.town, ''), a.town, s.town, ''),
    coalesce(nullif(m.phone, ''), nullif(a.phone, ''), nullif(p.phone, ''), s.phone, ''), m.mobile,
    coalesce(nullif(m.email, ''), nullif(a.email, ''), nullif(p.email, ''), s.email, ''),
    coalesce(nullif(a.mss_address, ''), nullif(p.mss_address, ''), s.mss_address, ''),
    coalesce(p.ceased_at, a.ceased_at, s.ceased_at) IS NOT NULL, coalesce(a.seen_on, p.seen_on, s.seen_on),
    m.professional_id, m.activity_id, m.structure_id, a.structure_id,
    added.merged_into_id IS NOT NULL,
    h.id, h.user_id, h.state, h.state_at, h.requested_at IS NOT NULL, u.is_active, v.profession, v.fonction,
    r.refused_on,
    CASE WHEN h.state = 'non' THEN (
        SELECT c.before FROM habilitations_statechange c WHERE c.habilitation_id = h.id
        ORDER BY c.at DESC, c.id DESC LIMIT 1
    ) END,
    m.structure_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM habilitations_legalstructure l WHERE l.structure_id = m.structure_id AND l.closed_at IS NULL
    ),
    CASE WHEN m.structure_id IS NOT NULL AND h.state = 'oui' THEN ARRAY(
        SELECT ARRAY[coalesce(dv.profession, ''), coalesce(dv.fonction, '')] FROM habilitations_delegate d
        LEFT JOIN habilitations_vouchedprofession dv ON dv.user_id = d.user_id AND dv.ended_at IS NULL
        WHERE d.structure_id = m.structure_id AND d.ended_at IS NULL
    ) END,
    h.access_until, coalesce(h.access_until < q.day, false),
    rests.ground, rests."end", rests.ended_on, rests.last_day, coalesce(rests.last_day < q.day, false),
    CASE WHEN h.user_id IS NULL AND (h.state = 'attente' OR h.requested_at IS NOT NULL) THEN (
        SELECT json_build_array(i.sent_at, i.accepted_at, i.expires_at <= now()) FROM circle_invitation i
        WHERE i.dossier_id = q.dossier AND i.member_id = m.id AND i.refused_at IS NULL AND i.revoked_at IS NULL
            AND i.declined_at IS NULL
        ORDER BY i.sent_at DESC LIMIT 1
    ) END)::text
FROM q
JOIN circle_member m ON m.dossier_id = q.dossier
JOIN habilitations_habilitation h ON h.dossier_id = q.dossier AND h.id = m.habilitation_id
LEFT JOIN directory_professional p ON p.id = m.professional_id
LEFT JOIN directory_activity a ON a.id = m.activity_id
LEFT JOIN directory_structure added ON added.id = m.structure_id
LEFT JOIN directory_structure chosen ON chosen.id = added.merged_into_id
LEFT JOIN directory_structure s ON s.id = coalesce(chosen.merged_into_id, chosen.id, added.id)
LEFT JOIN accounts_user u ON u.id = h.user_id
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = h.user_id AND v.ended_at IS NULL
LEFT JOIN habilitations_refusal r ON r.dossier_id = q.dossier AND r.habilitation_id = h.id AND r.withdrawn_at IS NULL
LEFT JOIN habilitations_consent rests
    ON rests.dossier_id = q.dossier AND rests.habilitation_id = h.id AND rests.replaced_at IS NULL
WHERE (q.discreet OR NOT m.discreet) AND (q.member IS NULL OR m.id = q.member)
UNION ALL
SELECT CASE WHEN ro.starts_on > q.day THEN 'planned' ELSE 'held' END, ro.member_id, NULL, ro.starts_on, ro.ends_on,
    ro.exclusive, ro.role
FROM q JOIN circle_roleholding ro ON ro.dossier_id = q.dossier
WHERE ro.ends_on IS NULL OR (ro.ends_on > q.day AND ro.ends_on > ro.starts_on)
UNION ALL
SELECT 'ceiling', NULL, c.habilitation_id, NULL, NULL, false, c.rubrique || '=' || c.niveau
FROM q JOIN habilitations_ceiling c ON c.dossier_id = q.dossier AND c.lifted_at IS NULL
UNION ALL
SELECT 'ceiling', NULL, h.id, NULL, NULL, false, closed.line
FROM q JOIN habilitations_habilitation h ON h.dossier_id = q.dossier
LEFT JOIN habilitations_consent rests
    ON rests.dossier_id = q.dossier AND rests.habilitation_id = h.id AND rests.replaced_at IS NULL
CROSS JOIN LATERAL ({CLOSED_BY_THE_PERSON.format(user="h.user_id")}) closed (line)
WHERE EXISTS (SELECT 1 FROM habilitations_opposition o WHERE o.dossier_id = q.dossier AND o.withdrawn_at IS NULL)
    OR EXISTS (
        SELECT 1 FROM habilitations_consent c
        WHERE c.dossier_id = q.dossier AND c.replaced_at IS NULL AND cardinality(c.rubriques) > 0
    )
UNION ALL
SELECT 'absence', NULL, h.id, a.first_day, a.last_day, a.accepted_at IS NOT NULL,
    CASE WHEN a.accepted_at IS NOT NULL THEN trim(u.family_name || ' ' || u.given_name) END
FROM q JOIN habilitations_habilitation h ON h.dossier_id = q.dossier
JOIN habilitations_actingfor a ON a.principal_id = h.user_id AND a.kind = 'remplacement' AND a.ended_at IS NULL
    AND q.day BETWEEN a.first_day AND a.last_day
LEFT JOIN accounts_user u ON u.id = a.substitute_id
UNION ALL
SELECT 'stay', p.member_id, NULL, p.starts_on, p.ends_on, false, NULL
FROM q JOIN circle_period p ON p.dossier_id = q.dossier AND p.starts_on <= q.day
"""  # noqa: S608 - our own names


class Stay(NamedTuple):
    starts_on: dt.date
    ends_on: dt.date | None


class Role(NamedTuple):
    code: str
    exclusive: bool
    starts_on: dt.date


class Absence(NamedTuple):
    """Until when, and who stands in: "" when nobody has accepted."""

    until: dt.date
    stand_in: str


class Told(NamedTuple):
    """What the lines of STATEMENT say of one member: `text` is that of `member_of`."""

    habilitation_id: UUID
    text: str
    stay: Stay
    role: Role | None
    planned: Role | None
    ceilings: tuple[str, ...]
    absence: Absence | None


def gathered(lines: Iterable[tuple]) -> list[Told]:
    """Put together the lines of one circle: for each member his last period, his role, and the nearest one to come.

    A member with no period yet on the day asked is not there.
    """
    members: list[tuple[UUID, UUID, str]] = []
    stays: dict[UUID, Stay] = {}
    held: dict[UUID, Role] = {}
    planned: dict[UUID, Role] = {}
    reduced: dict[UUID, list[str]] = {}
    away: dict[UUID, Absence] = {}
    for what, member_id, habilitation_id, starts_on, ends_on, exclusive, said in lines:
        if what == "member":
            members.append((member_id, habilitation_id, said))
        elif what == "stay":
            stay, last = Stay(starts_on, ends_on), stays.get(member_id)
            stays[member_id] = stay if last is None else max(last, stay, key=_end)
        elif what == "ceiling":
            reduced.setdefault(habilitation_id, []).append(said)
        elif what == "absence":
            away[habilitation_id] = _weightier(away.get(habilitation_id), Absence(ends_on, said or ""))
        elif what == "held":
            held[member_id] = Role(said, exclusive, starts_on)
        elif member_id not in planned or starts_on < planned[member_id].starts_on:
            planned[member_id] = Role(said, exclusive, starts_on)
    return [
        Told(
            row_id,
            text,
            stays[id],
            held.get(id),
            planned.get(id),
            tuple(sorted(reduced.get(row_id, ()))),
            away.get(row_id),
        )  # fmt: skip
        for id, row_id, text in members
        if id in stays
    ]


def _weightier(known: Absence | None, absence: Absence) -> Absence:
    """Return, of two absences on one day, the one that says who stands in; then the longer one."""
    weights = [(bool(one.stand_in), one.until, one.stand_in, one) for one in (known, absence) if one]
    return max(weights)[-1]


def _end(stay: Stay) -> tuple[dt.date, dt.date]:
    return stay.starts_on, stay.ends_on or dt.date.max


@lru_cache(maxsize=KEPT)
def member_of(
    text: str,
    stay: Stay,
    held: Role | None,
    planned: Role | None,
    edition: tuple[int, int],
    state_then: str | None = None,
    ceilings: tuple[str, ...] = (),
    absence: Absence | None = None,
) -> MemberRow:
    """Return the member told by the lines of STATEMENT.

    `edition` is that of the matrix in force; `state_then` his state on a past day, None for today;
    `ceilings` what is reduced for him, as "medical=0"; `absence` the one under way that day.
    """
    (
        id, kind, version, discreet, unlisted, relation, description,
        family, given, civility, search_person, search_structure,
        profession_code, speciality, fonction, category,
        workplace, address, postal_code, town, phone, mobile, email, mss,
        ceased, seen_on, professional_id, activity_id, structure_id, activity_structure_id,
        is_merged,
        habilitation_id, user_id, state, state_at, requested, account_open, hat_profession, hat_fonction,
        refused_on, state_before, can_sign_in, delegates, access_until, is_over,
        ground, ground_end, ground_ended_on, ground_until, ground_is_over, last_invitation,
    ) = orjson.loads(text)  # fmt: skip
    invited = _invited(*last_invitation) if last_invitation and not state_then else None
    feminine = civility in names.FEMININE
    is_structure = kind == roles.STRUCTURE
    if is_structure:
        name, profession = family, nomenclatures.label("categorie_etablissement", category) or ""
    else:
        name = person_name(family, given)
        profession = profession_label(profession_code, speciality or "", feminine=feminine, fonction=fonction)
    relation_label = nomenclatures.label("relation", relation, feminine=feminine) or "" if relation else ""
    facts = Facts(
        kind=kind,
        state=state_then or state,
        state_on=_moment(state_at),
        state_before=None if state_then else state_before,
        feminine=feminine,
        refused_on=_day(refused_on),
        has_account=user_id is not None,
        account_open=bool(account_open),
        vouched=(hat_profession, hat_fonction) if hat_profession else None,
        declared=(profession_code, fonction),
        can_sign_in=can_sign_in,
        delegates=delegates or (),
        ceilings=ceilings,
        until=_day(access_until),
        is_over=is_over,
        # Of a past day only the state is known: what it rested on is told for today.
        rests=RESTED
        if state_then
        else Rests(ground or "", ground_end or "", _day(ground_ended_on), _day(ground_until), ground_is_over),
        invited=invited,
    )
    role = roles.label(held.code, feminine=feminine, profession=profession) if held else ""
    return MemberRow(
        id=UUID(id),
        kind=kind,
        version=version,
        name=name,
        sort_name=search_person or search_structure or fold(name),
        family_name=family,
        given_name=given or "",
        civility=civility or "",
        feminine=feminine,
        shape=_SHAPES.get(kind, "person"),
        profession_code=profession_code or "",
        fonction_code=fonction,
        profession=profession,
        second=", ".join(filter(None, (profession or relation_label, workplace, town))),
        relation=relation_label,
        relation_code=relation,
        structure_name=workplace,
        address=address,
        postal_code=postal_code,
        town=town,
        role_code=held.code if held else "",
        role=role,
        role_unique=held is not None and held.exclusive,
        role_since=held.starts_on if held else None,
        next_role=roles.label(planned.code, feminine=feminine, profession=profession) if planned else "",
        next_role_on=planned.starts_on if planned else None,
        phone=phone,
        mobile=mobile,
        email=email,
        mss_address=mss,
        unlisted=unlisted,
        description=description,
        access=access_in_words(facts, published.read(*edition)),
        state=facts.state,
        can_sign_in=can_sign_in,
        requested=requested,
        invited=invited is not None and invited.waits,
        discreet=discreet,
        ceased=ceased,
        seen_on=_day(seen_on),
        starts_on=stay.starts_on,
        ends_on=stay.ends_on,
        professional_id=_id(professional_id),
        activity_id=_id(activity_id),
        structure_id=_id(structure_id or activity_structure_id),
        user_id=_id(user_id),
        is_merged=is_merged,
        is_reduced=False,
        initials="" if is_structure else initials(family, given),
        role_key=fold(role),
        absence=_absence(absence, feminine) if absence else "",
    )


def _absence(absence: Absence, feminine: bool) -> str:
    e = "e" if feminine else ""
    stand_in = f", remplacé{e} par {absence.stand_in}" if absence.stand_in else ""
    return f"Absent{e} jusqu’au {date_fr(absence.until)}{stand_in}"


def _day(said: str | None) -> dt.date | None:
    return dt.date.fromisoformat(said) if said else None


def _moment(said: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(said) if said else None


def _invited(sent: str, accepted: str | None, is_expired: bool) -> Invited:
    return Invited(dt.datetime.fromisoformat(sent), _moment(accepted), is_expired)


def _id(said: str | None) -> UUID | None:
    return UUID(said) if said else None
