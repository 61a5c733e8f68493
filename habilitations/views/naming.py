"""Naming somebody one knows: an account found by its exact address or its exact name, never by a part of it.

One sentence stands for every account that cannot be named (none, shut, no confirmed profession): what is answered
does not tell which. Each search is counted and traced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from allauth.core import ratelimit
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from coordination.accounts.models import User
from habilitations import wording
from habilitations.models import VouchedProfession
from habilitations.traces import record_account, via_request

# More people of one name than this are not told apart by a name: their address does.
MOST = 5


@dataclass
class Search:
    """What was typed and whom it names. `refusal`: the answer to give instead, when too many were asked."""

    typed: str = ""
    people: list[dict] = field(default_factory=list)
    refusal: HttpResponse | None = None

    @property
    def missed(self) -> bool:
        return bool(self.typed) and not self.people


def look_for(request: HttpRequest, *, vouched: bool = False) -> Search:
    """Return whom the text posted as "q" names; `vouched` keeps those whose profession is confirmed.

    Three SQL statements at most, whoever is found.
    """
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    if not typed:
        return Search()
    if too_many := ratelimit.consume_or_429(request, action="naming"):
        return Search(typed, refusal=too_many)
    found = list(_nameable(vouched).exactly(typed).order_by("email")[:MOST])
    hats = {row.user_id: row for row in VouchedProfession.objects.current().filter(user__in=found)}
    people = [described(user, hats.get(user.pk)) for user in found if user.pk != request.user.pk]
    record_account(
        user=request.user, action="recherche", object_kind="compte", count=len(people), via=via_request(request)
    )
    return Search(typed, people)


def chosen(request: HttpRequest, *, vouched: bool = False) -> User | None:
    """Return the account whose button was pressed, None when none was. Raises Http404 for one that was not offered."""
    said = request.POST.get("compte")
    if not said:
        return None
    try:
        found = _nameable(vouched).active().filter(pk=UUID(said)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def described(user: User, hat: VouchedProfession | None) -> dict:
    """Return a person as the lists of « Administration » show one."""
    trade = wording.trade(hat.profession, hat.fonction) if hat else "Profession non confirmée"
    return {
        "id": user.pk, "name": user.get_full_name(), "email": user.email,
        "trade": ", ".join(filter(None, (trade, hat.structure_name if hat else ""))),
    }  # fmt: skip


def _nameable(vouched: bool) -> QuerySet:
    if not vouched:
        return User.objects.all()
    return User.objects.filter(pk__in=VouchedProfession.objects.current().values("user_id"))
