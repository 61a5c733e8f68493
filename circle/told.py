"""A circle as the database tells it: one statement, and its lines put together by member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from habilitations.grants import CLOSED_BY_THE_PERSON

# Members, their roles, what is reduced for them, what the person closes (looked for where she closed something), their
# absences, what is planned of their presence, the state of the circle, their periods: reads by the dossier in one
# statement, put together by `gathered`. Joined in SQL, lists as short as these make the server compare each line of
# one with each line of the other.
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
SELECT CASE WHEN t.period_id IS NULL THEN 'coming' ELSE 'leaving' END, t.member_id, t.id, t.starts_on, t.ends_on,
    t.hindrance <> '', t.role
FROM q JOIN circle_plannedstay t ON t.dossier_id = q.dossier AND t.closed_at IS NULL
UNION ALL
SELECT 'circle', NULL, NULL, NULL, c.ends_on, false, c.status
FROM q JOIN circle_circle c ON c.dossier_id = q.dossier AND (c.status <> 'active' OR c.ends_on IS NOT NULL)
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


class Plan(NamedTuple):
    """What is planned of a presence: its end, or a stay to come; `is_hindered` when its day could not be kept."""

    id: UUID
    starts_on: dt.date
    ends_on: dt.date | None
    is_hindered: bool
    role: str


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
    leaving: Plan | None


def gathered(lines: Iterable[tuple]) -> list[Told]:
    """Put together the lines of one circle: for each member his last period, his role, and the nearest one to come.

    A member with no period yet on the day asked is not there: see `to_come`.
    """
    members: list[tuple[UUID, UUID, str]] = []
    stays: dict[UUID, Stay] = {}
    held: dict[UUID, Role] = {}
    planned: dict[UUID, Role] = {}
    reduced: dict[UUID, list[str]] = {}
    away: dict[UUID, Absence] = {}
    leaving: dict[UUID, Plan] = {}
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
        elif what == "leaving":
            leaving[member_id] = Plan(habilitation_id, starts_on, ends_on, exclusive, said)
        elif what == "held":
            held[member_id] = Role(said, exclusive, starts_on)
        elif what == "planned" and (member_id not in planned or starts_on < planned[member_id].starts_on):
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
            leaving.get(id),
        )  # fmt: skip
        for id, row_id, text in members
        if id in stays
    ]


def to_come(lines: Iterable[tuple]) -> list[tuple[str, Plan]]:
    """Return (text of `member_of`, plan) of those who are to come in, in the order of their days."""
    lines = list(lines)
    texts = {member_id: said for what, member_id, *_, said in lines if what == "member"}
    plans = [(member_id, Plan(*plan)) for what, member_id, *plan in lines if what == "coming"]
    shown = [(texts[member_id], plan) for member_id, plan in plans if member_id in texts]
    return sorted(shown, key=lambda one: (one[1].starts_on, one[1].id))


def _weightier(known: Absence | None, absence: Absence) -> Absence:
    """Return, of two absences on one day, the one that says who stands in; then the longer one."""
    weights = [(bool(one.stand_in), one.until, one.stand_in, one) for one in (known, absence) if one]
    return max(weights)[-1]


def _end(stay: Stay) -> tuple[dt.date, dt.date]:
    return stay.starts_on, stay.ends_on or dt.date.max
