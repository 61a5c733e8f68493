"""What people do in the product, act by act: who, on which page its form stands, what is typed there (PERF-20).

Each round of tests/bench/acts.py does them in this order, in a dossier where nobody has acted: what an act makes, a
later one changes or ends. `tests/test_bench_acts.py` refuses an address that takes a POST and is neither here nor
excused by name (`excused`).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

# The first choice that is not made yet, whatever it is: of a list, of radios, of boxes.
ANY = "*"
# How the last gesture is made: a button is clicked; a text is typed and Enter pressed, or left to be looked for; a
# field is left with Tab.
CLICK, ENTER, TYPE, LEAVE = "click", "enter", "type", "leave"
# What answers: another page after a redirect, the page that the form itself answers, a fragment.
PAGE, SAME, PIECE = "page", "same", "piece"
Ids = dict[str, Any]


@dataclass
class Scene:
    """One round. `kept`: what its acts made, for those after them; an account there may act by its name."""

    world: Any
    place: Any
    number: int
    people: Mapping[str, Any]
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def entry(self):
        return self.place.entry

    def user(self, who: str):
        return self.kept[who] if who in self.kept else self.people[who]

    def day(self, ahead: int = 0) -> str:
        """Return a day as one types it."""
        return f"{timezone.localdate() + dt.timedelta(days=ahead):%d/%m/%Y}"

    def iso(self, ahead: int = 0) -> str:
        """Return a day as the calendar of a browser writes it."""
        return f"{timezone.localdate() + dt.timedelta(days=ahead):%Y-%m-%d}"

    def word(self, salt: str = "") -> str:
        """Return a name that looks like no other: one that does is asked about, which is another act."""
        chance = random.Random(f"{self.number} {salt}")
        return "".join(chance.choice("bdfglmnprstv") + chance.choice("aeiou") for _ in range(5)).capitalize()

    def email(self, salt: str) -> str:
        return f"{self.word(salt).lower()}@ms-exemple.example"

    def phone(self, salt: str, start: str = "05 36 49") -> str:
        chance = random.Random(f"{self.number} {salt}")
        return f"{start} {chance.randrange(30, 98):02} {chance.randrange(10, 99):02}"


TODAY = Scene.day


def _nothing(scene: Scene) -> None:
    return None


@dataclass(frozen=True)
class Act:
    """`on`: the route of the page where its form stands, its own without one. `says`: {field: what is typed, or a
    function of the scene}. `before`: makes what the act needs; returns the ids of the addresses. `any_of`: parts of
    the address of the form that are whatever the page shows. `first`: acts that lead to the page, not timed.
    `words`: some of the button, where several send to one address. `box`: the field of the gesture (CSS).
    """

    route: str
    who: str = "coordinator"
    says: Mapping[str, Any] = field(default_factory=dict)
    on: str = ""
    query: Callable[[Scene], str] = lambda scene: ""
    before: Callable[[Scene], Ids | None] = _nothing
    any_of: tuple[str, ...] = ()
    first: tuple[Act, ...] = ()
    words: str = ""
    by: str = CLICK
    box: str = ""
    typed: str = ""
    answer: str = PAGE
    called: str = ""

    @property
    def name(self) -> str:
        return f"{self.route} ({self.called})" if self.called else self.route

    @property
    def page(self) -> str:
        return self.on or self.route

    def said(self, scene: Scene) -> dict[str, Any]:
        """Return {field: what is typed}. Under "", a function gives fields whose names only the scene knows."""
        found = {name: value(scene) if callable(value) else value for name, value in self.says.items()}
        return found | found.pop("", {})


def searched(route: str, typed: str, box: str = "main [role=combobox]", **more: Any) -> Act:
    """A text typed in a field that looks for it by itself."""
    return Act(route, by=TYPE, box=box, typed=typed, answer=PIECE, **more)


def every() -> tuple[Act, ...]:
    """Return the acts, in the order of a round."""
    from tests.bench.deeds import administration, agenda, beside, circle, dossier, joining

    return (
        *dossier.ACTS, *circle.ACTS, *joining.ACTS, *agenda.ACTS, *beside.ACTS, *administration.ACTS, *dossier.LAST,
    )  # fmt: skip


def measured() -> set[str]:
    """Return the names of the routes that an act of the list sends something to."""
    return {act.route for act in every()}


def unaccounted(taking: set[str]) -> tuple[set[str], set[str]]:
    """Return, of the routes that take a POST, those neither done nor excused; and what is named for nothing."""
    from tests.bench.deeds.excused import EXCUSED

    excused = {name for names in EXCUSED.values() for name in names}
    done = measured()
    return taking - done - excused, (done | excused) - taking | (done & excused)
