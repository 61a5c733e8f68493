"""Whose time it is: one key for one person, wherever she is met (see agenda/models/schedules.py)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from agenda.models import Participation
from circle.models import Member, Period
from coordination.accounts.models import User
from coordination.directory.models import Attachment


class Attendee(NamedTuple):
    """Whose time is asked for: `user` when somebody has an account, `email` where a personal link may be sent."""

    key: UUID
    member: Member | None = None
    user: User | None = None
    email: str = ""
    # False for the person and for a relative: two carers, or two visits, at once are normal (agenda.md, GAP-71).
    exclusive: bool = True


def key_of_user(user) -> UUID:
    """Return the key of an account: its professional of the directory when it has one. One SQL statement."""
    found = Attachment.objects.of(user).values_list("professional_id", flat=True).first()
    return found or user.pk


def attendees_of(
    members: Iterable[Member], *, me: User | None = None, own_member: Member | None = None
) -> list[Attendee]:
    """Return who these members of one circle are, in their order; then `me`, an account that attends too.

    `own_member`: the member that he is, when he may be shown as one. Two SQL statements whatever their number. A
    structure has no time of its own: it is left out.
    """
    people = [member for member in members if member.kind != Member.Kind.STRUCTURE]
    listed = Q(professional__in=[m.professional_id for m in people if m.professional_id], user__is_active=True)
    attached = Attachment.objects.select_related("user").filter(listed | Q(user=me) if me else listed)
    by_professional = {attachment.professional_id: attachment.user for attachment in attached}
    by_member = dict(_accounts_by_hand(people))
    found = [
        _attendee(member, by_professional.get(member.professional_id) or by_member.get(member.pk)) for member in people
    ]
    if me is not None:
        key = next((pk for pk, user in by_professional.items() if user.pk == me.pk), me.pk)
        if all(one.key != key for one in found):
            found.append(Attendee(key, own_member, me, me.email))
    return found


def address_of(participation: Participation) -> str:
    """Return where somebody without an account is written to today, not on the day he was invited; "" when nowhere.

    An address corrected in the circle or in the directory is the one that counts: a link sent to the former one
    serves no longer (agenda/links.py).
    """
    member = participation.member
    if participation.user_id or member is None:
        return participation.email
    return (member.professional.email if member.professional_id else "") or member.email


def present(people: Iterable[Participation]) -> list[Participation]:
    """Return those still in the circle: of the others nothing is asked, told or taken. One SQL statement."""
    people = list(people)
    members = [one.member_id for one in people if one.member_id]
    there = set(Period.objects.current().filter(member__in=members).values_list("member_id", flat=True))
    return [one for one in people if one.member_id is None or one.member_id in there]


def _attendee(member: Member, user) -> Attendee:
    listed = member.professional
    key = member.professional_id or (user.pk if user else member.pk)
    email = (user.email if user else "") or (listed.email if listed else "") or member.email
    return Attendee(key, member, user, email, exclusive=member.kind != Member.Kind.AIDANT)


def _accounts_by_hand(members: list[Member]):
    """(member, account) of those who are no entry of the directory and hold an account by their habilitation."""
    by_hand = [member.pk for member in members if not member.professional_id]
    rows = Member.objects.filter(pk__in=by_hand, habilitation__user__is_active=True)
    for member in rows.select_related("habilitation__user"):
        yield member.pk, member.habilitation.user
