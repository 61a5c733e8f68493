"""One member of a circle as the database tells it, in one text, and what is made of it once per process.

A list of thirty members has fifteen hundred values. Read one by one they cost more than the page around them; in one
text each, they are read once, and a member who has not changed since is not read again: the text, his period and his
roles hold all that his row depends on, but for the version of the matrix, which is in the key (schema truth 10).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import orjson

from circle import names, roles
from circle.told import Absence, Plan, Role, Stay
from circle.wording import RESTED, AccessWords, Facts, Invited, Rests, access_in_words
from coordination.common import nomenclatures
from coordination.common.french import date_fr
from coordination.common.text import fold, initials, person_name, town_name
from coordination.directory.search.results import profession_label
from habilitations import published

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
    # The day he is to leave; `is_kept`: it has come, and he could not.
    leaves_on: dt.date | None
    is_kept: bool
    plan_id: UUID | None

    @property
    def phones(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.phone, self.mobile)))

    @property
    def is_professional(self) -> bool:
        return self.kind in roles.PROFESSIONALS

    @property
    def has_access(self) -> bool:
        return self.access is not None and self.access.is_open


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
    leaving: Plan | None = None,
) -> MemberRow:
    """Return the member told by the lines of STATEMENT.

    `edition` is that of the matrix in force; `state_then` his state on a past day, None for today;
    `ceilings` what is reduced for him, as "medical=0"; `absence` the one under way that day; `leaving` his departure.
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
    town = town_name(town)
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
        leaves_on=leaving.ends_on if leaving else None,
        is_kept=leaving is not None and leaving.is_hindered,
        plan_id=leaving.id if leaving else None,
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
