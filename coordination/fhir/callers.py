"""Who calls the API: a software acting for a professional, or a signed-in person's own programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated call.

    `user` is the account whose rights are asked, the acting professional's for a software. `owner` names whose own
    content of directory resources is read and written ("client:<id>", "user:<id>"). `scopes` are SMART v2
    ("system/CareTeam.cruds"). `via` is where the call came from, for the journal. `memo` lasts one request: what
    providers have decided and traced in it.
    """

    user: Any
    owner: str
    scopes: frozenset[str]
    via: Any = None
    name: str = ""
    client_id: str = ""
    # The structure the software belongs to, None for a person's own programs.
    structure_id: Any = None
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    # What is still to be said once a call that failed has been undone, once for each thing: an attempt leaves its
    # trace (SEC-13).
    afterwards: dict[Any, Callable[[], None]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def reading(self) -> str:
        """What the journal calls a reading of this call: all of a person at once is an export."""
        return str(self.memo.get("reading", "lecture"))

    @property
    def is_told(self) -> bool:
        """Say whether this call entered a dossier, whose journal tells it: memo {("entered", rubric): {id: entry}}."""
        entered = (kept for key, kept in self.memo.items() if isinstance(key, tuple) and key[0] == "entered")
        return any(any(kept.values()) for kept in entered)

    def may(self, resource_type: str, letter: str) -> bool:
        """Say whether the scopes let do this: `letter` is one of c, r, u, d, s (SMART App Launch 2.2, scopes)."""
        for scope in self.scopes:
            _, _, asked = scope.partition("/")
            name, _, letters = asked.partition(".")
            if name in ("*", resource_type) and letter in letters:
                return True
        return False
