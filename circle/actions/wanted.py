"""What a software asks of a circle, and what is to be done for each member. The acts are in `applying`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from circle import roles
from circle.errors import ParticipantRefused
from circle.models import Member
from circle.participants import Difference, NotKept, Piece, Stay, is_under_way
from coordination.common.errors import DomainError
from habilitations.errors import NotAllowed


@dataclass(frozen=True)
class Target:
    """Whom a participant names: a professional where he practises, a structure, or a member entered by hand."""

    kind: str
    professional: Any = None
    activity: Any = None
    structure: Any = None
    member_id: UUID | None = None
    # Of somebody entered by hand.
    typed_profession: str = ""
    # The role of who is given none: a relative's own (RelatedPerson.relationship).
    role: str = ""

    @property
    def key(self) -> tuple[str, UUID | None]:
        one = self.professional or self.structure
        return self.kind, one.pk if one else self.member_id

    @property
    def profession(self) -> str:
        return self.activity.profession if self.activity else self.typed_profession

    @property
    def usual_role(self) -> str:
        return self.role or roles.usual(self.kind, self.profession, self.activity.fonction if self.activity else "")


@dataclass(frozen=True)
class Asked:
    """One participant: whom, from when to when (None: since he is there), in which role (None: nothing is said)."""

    target: Target
    starts_on: dt.date | None
    ends_on: dt.date | None
    role: str | None
    # How it named him, to give it back.
    reference: str = ""


@dataclass(frozen=True)
class Said:
    """What is asked of the circle itself. Blank and None: as the circle says by itself."""

    status: str
    name: str = ""
    identifier: tuple[str, str] = ("", "")
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    managing: tuple[UUID, ...] = ()
    # The resource as it was sent; its participants are those asked, in order.
    sent: dict[str, Any] = field(default_factory=dict)
    # (participant, how it was read) of what others sent and its author may not see: kept as it was.
    retained: tuple[tuple[dict[str, Any], list[Any]], ...] = ()
    retained_stands: tuple[tuple[str, Any], ...] = ()


@dataclass
class Change:
    """What is to be done for one member. `rank`: his first participant."""

    rank: int
    target: Target
    pieces: list[Piece]
    difference: Difference
    stays: Sequence[Stay]
    member: Member | None

    @property
    def enters_now(self) -> bool:
        today = timezone.localdate()
        return any(is_under_way(stay, today) for stay in self.difference.enters)

    @property
    def there(self) -> Member:
        assert self.member is not None
        return self.member


@contextmanager
def about(rank: int) -> Iterator[None]:
    """Say of which participant a rule spoke. What the author may not do is said as it is."""
    try:
        yield
    except (NotAllowed, ParticipantRefused):
        raise
    except NotKept as refusal:
        raise ParticipantRefused(refusal.said, rank=rank, element=refusal.element) from None
    except DomainError as refusal:
        element = "role" if refusal.field == "role" else "member"
        raise ParticipantRefused(refusal.message, rank=rank, element=element, issue=refusal.issue) from None
