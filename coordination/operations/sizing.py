"""What so many dossiers take: rows, bytes, writes, processors (SCALE-1, SCALE-16).

What there is and what is done come from data/sizing.toml, what a row weighs from a database (measuring.py). A table
grows with something that is counted (its driver: a dossier, a member, a line of the journal); for one of these it has
as many rows as in the database measured.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coordination.operations.measuring import Measures, Table

INPUTS = Path(__file__).with_name("data") / "sizing.toml"
YEAR = 365
# Of every installation, whatever the dossiers: no part of what one of them costs.
SHARED = frozenset({"reference", "settings"})
# Its rows do not follow anything.
FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Scenario:
    """So many dossiers, of which `active` are worked on in the year."""

    key: str
    says: str
    dossiers: int
    active: int
    accounts: int
    activities: int


@dataclass(frozen=True, slots=True)
class Driver:
    """What makes tables grow; one of `scenario` and `from_acts` names where its number is, or rates give it."""

    table: str
    per_dossier: float = 0
    per_year: float = 0
    kept_days: int = YEAR
    scenario: str = ""
    from_acts: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Tables held together by one key. `grow`: {driver: tables}."""

    name: str
    says: str
    key: str
    grow: Mapping[str, tuple[str, ...]]

    def tables(self) -> Iterator[tuple[str, str]]:
        """Yield (table, driver)."""
        for driver, tables in self.grow.items():
            for table in tables:
                yield table, driver


@dataclass(frozen=True, slots=True)
class Act:
    """What is done `per_year` times on an active dossier; `line` of `file` measured it: so many a second, or in ms."""

    says: str
    per_year: int
    file: str
    line: str
    date: dt.date
    rate: float = 0
    ms: float = 0
    lines: int = 0
    account_lines: int = 0

    def milliseconds(self, cores: int) -> float:
        """Return the time of one processor. A rate was reached on `cores` of them, client included: at most that."""
        return self.ms or 1000 * cores / self.rate


@dataclass(frozen=True, slots=True)
class Planned:
    """Rows of the dossier that the product does not have yet, and their assumed weight in bytes."""

    says: str
    family: str
    per_dossier: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """data/sizing.toml, read. `load`: days, hours, peak, utilisation; `goal`: bytes, seconds (SCALE-16)."""

    scenarios: tuple[Scenario, ...]
    drivers: Mapping[str, Driver]
    families: tuple[Family, ...]
    planned: tuple[Planned, ...]
    acts: tuple[Act, ...]
    load: Mapping[str, float]
    cores: int
    database: Mapping[str, Any]
    goal: Mapping[str, float]

    def seconds_a_year(self) -> float:
        """Return the seconds of one processor that an active dossier takes in a year."""
        return sum(act.per_year * act.milliseconds(self.cores) for act in self.acts) / 1000


@dataclass(slots=True)
class Weight:
    """Rows and bytes of a family: after a year, and what a year adds. `inserted`: rows written in that year."""

    rows: float = 0
    bytes: float = 0
    added: float = 0
    inserted: float = 0

    def add(self, other: Weight) -> None:
        """Put another one's together with this."""
        self.rows += other.rows
        self.bytes += other.bytes
        self.added += other.added
        self.inserted += other.inserted


@dataclass(slots=True)
class Sized:
    """What a scenario takes. `processors`: at the busiest hour; `database`: those of them that PostgreSQL takes."""

    scenario: Scenario
    families: dict[str, Weight] = field(default_factory=dict)
    acts: float = 0
    writes: float = 0
    processors: float = 0
    database: float = 0

    @property
    def whole(self) -> Weight:
        total = Weight()
        for one in self.families.values():
            total.add(one)
        return total

    def bytes_of_one(self) -> float:
        """Return what an active dossier and its year hold of the database, without what every installation has."""
        own = (one.bytes for name, one in self.families.items() if name not in SHARED)
        return sum(own) / self.scenario.active


def read(path: Path = INPUTS) -> Inputs:
    """Return what the file says."""
    said = tomllib.loads(path.read_text())
    families = []
    for name, one in said["family"].items():
        says, key = one.pop("says"), one.pop("key")
        families.append(Family(name, says, key, {driver: tuple(tables) for driver, tables in one.items()}))
    return Inputs(
        scenarios=tuple(Scenario(**one) for one in said["scenario"]),
        drivers={name: Driver(**one) for name, one in said["driver"].items()},
        families=tuple(families),
        planned=tuple(Planned(**one) for one in said["planned"]),
        acts=tuple(Act(**one) for one in said["act"]),
        load=said["load"],
        cores=said["bench"]["cores"],
        database=said["database"],
        goal=said["goal"],
    )


def size(scenario: Scenario, inputs: Inputs, measures: Measures) -> Sized:
    """Return what a scenario takes."""
    sized = Sized(scenario)
    for family in inputs.families:
        weight = sized.families[family.name] = Weight()
        for table, driver in family.tables():
            if measured := measures.tables.get(table):
                weight.add(_grown(measured, driver, scenario, inputs, measures))
    for planned in inputs.planned:
        rows = scenario.dossiers * planned.per_dossier
        sized.families[planned.family].add(Weight(rows, rows * planned.bytes))
    load = inputs.load
    # Of a year at the pace of its busiest hour.
    second = load["peak"] / (load["days"] * load["hours"] * 3600)
    sized.acts = scenario.active * sum(act.per_year for act in inputs.acts) * second
    sized.writes = sized.whole.inserted * second
    sized.processors = scenario.active * inputs.seconds_a_year() * second / load["utilisation"]
    sized.database = sized.processors * inputs.database["share"]
    return sized


def _grown(table: Table, name: str, scenario: Scenario, inputs: Inputs, measures: Measures) -> Weight:
    if name == FIXED:
        return Weight(table.rows, table.bytes)
    driver = inputs.drivers[name]
    counted = measures.tables[driver.table]
    each = table.rows / counted.rows if counted.rows else 0.0
    there = scenario.dossiers * driver.per_dossier
    if driver.scenario:
        there += getattr(scenario, driver.scenario)
    yearly = driver.per_year
    if driver.from_acts:
        yearly += sum(act.per_year * getattr(act, driver.from_acts) for act in inputs.acts)
    written = scenario.active * yearly * each
    rows = there * each + written * min(driver.kept_days / YEAR, 1)
    added = written * table.per_row if driver.kept_days >= YEAR else 0
    return Weight(rows, rows * table.per_row, added, written)


def unmeasured(inputs: Inputs, measures: Measures) -> list[str]:
    """Return the tables that should grow and had no row in the database measured: they count for nothing."""
    return sorted(
        table
        for family in inputs.families
        for table, driver in family.tables()
        if driver != FIXED and not (table in measures.tables and measures.tables[table].rows)
    )
