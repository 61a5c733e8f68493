"""Every situation of an account in a dossier, one dossier each: what the two engines are compared on (SECT-8).

Memberships, days, ceilings and delegations are crossed whole. What the person grants and opposes, who acts for
another and emergencies are crossed with what they meet: `_of_grounds`, `_of_oppositions`, `_of_others`,
`_of_emergencies`. To add a fact that decides: one more field of Case, its values in `cases`, its rows in `filling.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

BEFORE, TODAY, AFTER = -1, 0, 1
# Who stands for the structure: today, no longer, or for one that is no longer a « personne morale ».
STANDS, STOOD, SHUT = "stands", "stood", "shut"
CEILINGS = ((), (("medical", 0),), (("liaison", 1),), (("medical", 0), ("liaison", 1)))
HOUSE_CEILINGS = ((), (("medical", 1),), (("liaison", 0), ("plan", 1)))


@dataclass(frozen=True)
class Ground:
    """On what a membership rests. `last_day` is counted from today; `end`: withdrawn by the person, or over."""

    last_day: int | None = None
    end: str = ""
    rubrics: tuple[str, ...] = ()
    # Another fact has taken its place, and none stands now.
    replaced: bool = False


TEAM, MISSING, WITHDRAWN, OVER = Ground(), None, Ground(end="retrait"), Ground(end="fin")
LIMITED = Ground(rubrics=("medical", "liaison"))
GROUNDS = (
    TEAM, MISSING, WITHDRAWN, OVER, LIMITED, Ground(BEFORE), Ground(TODAY), Ground(AFTER), Ground(replaced=True),
    Ground(end="retrait", replaced=True), Ground(end="retrait", rubrics=("plan",)),
    Ground(end="fin", rubrics=("plan",)),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One membership: its state, whether it ended, its last day counted from today, what is reduced, its ground."""

    state: str
    ended: bool = False
    last_day: int | None = None
    ceilings: tuple[tuple[str, int], ...] = ()
    rests: Ground | None = TEAM


@dataclass(frozen=True)
class Opposed:
    """What the person opposes, and to whom; no rubric is the whole dossier, which spares some accounts.

    `whom`: everybody, "own", "house", "other", or a membership of before ("former", "other's former").
    """

    rubric: str = ""
    whom: str = ""
    spares: tuple[str, ...] = ()
    withdrawn: bool = False


WHOLE, MEDICAL = Opposed(), Opposed("medical")
OPPOSITIONS = (
    WHOLE, Opposed(withdrawn=True), Opposed(spares=("own",)), Opposed(spares=("other",)),
    Opposed(spares=("own", "other")), MEDICAL, Opposed("plan"), Opposed("medical", withdrawn=True),
    *(Opposed("medical", whom) for whom in ("own", "house", "former", "other", "other's former")),
    Opposed("medical", "own", withdrawn=True),
)  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One way of acting for another, the same in every dossier: kind, days counted from today, what became of it."""

    kind: str = "remplacement"
    first: int = -5
    last: int | None = 5
    profession: str = "10"
    accepted: bool = True
    ended: bool = False
    # What became of the other: his account, his profession.
    active: bool = True
    vouched: bool = True
    rubrics: tuple[str, ...] = ()


CHOSEN = ("identite", "cercle", "liaison", "medical", "journal")
STAND_IN, NURSE = Way(), Way(profession="60", last=20)
SECRETARY = Way("secretariat", last=None, rubrics=CHOSEN)
WAYS = (
    STAND_IN, NURSE, SECRETARY, Way(first=TODAY, last=TODAY), Way(last=BEFORE), Way(first=AFTER), Way(accepted=False),
    Way(ended=True), Way(active=False), Way(vouched=False), Way(profession="26"),
    Way("secretariat", last=TODAY, rubrics=CHOSEN[:3]), Way("secretariat", last=BEFORE, rubrics=CHOSEN),
    Way("secretariat", first=AFTER, last=None, rubrics=CHOSEN),
)  # fmt: skip
GIVEN, TAKEN_BACK, NEVER = "given", "taken back", "never"


@dataclass(frozen=True)
class Other:
    """For whom the account may act here, by which membership of his; the person's consent to a secretary."""

    way: Way
    row: Row
    agreed: str = GIVEN


@dataclass(frozen=True)
class Case:
    own: Row | None
    house: Row | None
    delegation: str = STANDS
    opposed: Opposed | None = None
    others: tuple[Other, ...] = ()
    emergency: str = ""


RUNNING, PAST, LEFT = "running", "past", "left"
OUI = Row("oui")
# The memberships that meet what the person says: none, closed ones, one that grants, whole or less.
MET = (
    None, Row("non"), Row("non", ceilings=CEILINGS[1]), Row("refus"), Row("refus", ended=True), OUI,
    Row("oui", ended=True), Row("oui", ceilings=CEILINGS[3]), Row("oui", rests=LIMITED), Row("oui", rests=MISSING),
    Row("oui", rests=WITHDRAWN), Row("oui", ended=True, rests=WITHDRAWN), Row("non", rests=LIMITED),
)  # fmt: skip
HOUSES = (None, OUI, Row("oui", rests=LIMITED), Row("oui", rests=WITHDRAWN), Row("non", rests=LIMITED), Row("refus"))


def cases() -> Iterator[Case]:
    """Return each case once."""
    yield from dict.fromkeys(
        case for part in (_of_rows, _of_grounds, _of_oppositions, _of_others, _of_emergencies) for case in part()
    )


def _of_rows() -> Iterator[Case]:
    """Every own row × every row of a structure × what is reduced in each × who stands for it."""
    own = [None, *_rows(("non", "attente", "oui", "refus"), (None, BEFORE, TODAY, AFTER), CEILINGS)]
    houses = [(None, STANDS)]
    houses += [(row, STANDS) for row in _rows(("non", "oui"), (None, BEFORE, TODAY), HOUSE_CEILINGS)]
    houses += [(Row("oui", ceilings=reduced), why) for why in (STOOD, SHUT) for reduced in HOUSE_CEILINGS[:2]]
    houses.append((Row("refus"), STANDS))
    for mine, (house, delegation) in product(own, houses):
        yield Case(mine, house, delegation)


def _rows(states, last_days, ceilings) -> list[Row]:
    rows = [Row(*said) for said in product(states, (False, True), last_days, ceilings)]
    # The last day of a membership that has ended says nothing more: one of each is kept.
    return [row for row in rows if not row.ended or row.last_day is None]


def _of_grounds() -> Iterator[Case]:
    """Each ground of one's own membership × of a structure's."""
    for state, ended, rests, house in product(("oui", "non"), (False, True), GROUNDS, HOUSES[:5]):
        yield Case(Row(state, ended=ended, rests=rests), house)
    for rests, own in product(GROUNDS, MET):
        yield Case(own, Row("oui", rests=rests))


def _of_oppositions() -> Iterator[Case]:
    for opposed, own, house in product(OPPOSITIONS, MET, HOUSES[:3]):
        if (opposed.whom != "own" or own) and (opposed.whom != "house" or house) and "other" not in opposed.whom:
            yield Case(own, house, opposed=opposed)


def _of_others() -> Iterator[Case]:
    """Each way × each membership of the other; then what the account has itself, and what the person opposes."""
    rows = [row for row in MET if row] + [Row("oui", last_day=BEFORE), Row("oui", last_day=TODAY)]
    for way, row in product(WAYS, rows):
        yield Case(None, None, others=(Other(way, row),))
    for agreed in (TAKEN_BACK, NEVER):
        yield Case(None, None, others=(Other(SECRETARY, OUI, agreed),))
    for way, row, own, house in product((STAND_IN, SECRETARY), (OUI, MET[7]), MET, (None, OUI)):
        yield Case(own, house, others=(Other(way, row),))
    for way, opposed, own in product((STAND_IN, SECRETARY), OPPOSITIONS, (None, Row("non"))):
        if opposed.whom not in ("house", "own") or opposed.whom == "own" and own:
            yield Case(own, None, opposed=opposed, others=(Other(way, OUI),))
    # Of two, the one that is preferred, and the one that lasts longest.
    for first, second, last_day in product(WAYS[:3], WAYS[:3], (None, TODAY)):
        if first is not second:
            yield Case(None, None, others=(Other(first, Row("oui", last_day=last_day)), Other(second, OUI)))


def _of_emergencies() -> Iterator[Case]:
    for ended, own, house in product((RUNNING, PAST, LEFT), MET, (None, *HOUSES[1:])):
        yield Case(own, house, emergency=ended)
    # What was refused to a structure that has left since, or that enters dossiers no more.
    gone = (Row("refus", ended=True), Row("non", ended=True, rests=WITHDRAWN), Row("non", ended=True))
    for house, delegation in product((*gone, Row("refus"), Row("oui", rests=WITHDRAWN)), (STANDS, STOOD, SHUT)):
        yield Case(None, house, delegation, emergency=RUNNING)
    for opposed, own in product(OPPOSITIONS, (None, Row("non"))):
        if opposed.whom in ("", "former") or opposed.whom == "own" and own:
            yield Case(own, None, opposed=opposed, emergency=RUNNING)
    for way, row in product((STAND_IN, SECRETARY), (OUI, Row("non"), Row("refus"))):
        yield Case(None, None, others=(Other(way, row),), emergency=RUNNING)
