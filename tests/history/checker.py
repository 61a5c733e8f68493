"""Says whether a history of acts done at once could have happened, had they been done one after the other (REL-10).

Pure: it is given what each client asked, when it began, when it was answered, and what the journal says; it knows
neither Django nor the product. The method is that of Jepsen's checkers: an act took effect at one instant between its
beginning and its answer; what was answered must be explained by some choice of these instants. Each check here is a
condition that every possible order keeps, so that what it reports is wrong whatever the order was.

A *register* is anything that has one value at a time: whether an account may enter a dossier, who holds a role, what
a sheet says, when an event is. Values of one register that replace one another are told apart by whoever records
them (no two writes of a sheet say the same): a value names the act that wrote it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Value = Hashable
DONE, REFUSED, LOST = "done", "refused", "lost"
# What the journal says of an act that was done.
OK = "ok"


@dataclass(frozen=True)
class Op:
    """One act of one client.

    `outcome`: DONE, REFUSED (nothing was changed), LOST (never answered: it may have been done or not). `reads`,
    `writes`: {register: value}. `replaced`: {register: the value it was decided on}, of writes that are refused when
    somebody wrote meanwhile; None for what did not exist. `alone`: {what: those seen in it}, of what holds one at
    most. `chain`, `action`: where the journal keeps its line and under which word; "" for none. `tells`: what the
    product's own history says of it once done.
    """

    id: str
    client: str
    kind: str
    began: float
    ended: float
    outcome: str = DONE
    reads: Mapping[str, Value] = field(default_factory=dict)
    writes: Mapping[str, Value] = field(default_factory=dict)
    replaced: Mapping[str, Value] = field(default_factory=dict)
    alone: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    chain: str = ""
    action: str = ""
    tells: tuple[str, ...] = ()

    @property
    def latest(self) -> float:
        """The last instant when it may have taken effect."""
        return math.inf if self.outcome == LOST else self.ended


@dataclass(frozen=True)
class Line:
    """One line of the journal: its place in its chain, the act that wrote it, the word for it, its outcome."""

    chain: str
    seq: int
    op: str
    action: str
    outcome: str = OK


@dataclass(frozen=True)
class Anomaly:
    """`what`: the kind of anomaly; `about`: the register or chain; `acts`: the acts that cannot all have happened."""

    what: str
    about: str
    acts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.about} ({', '.join(self.acts)})"


STALE, LOST_UPDATE, TWO, UNTOLD = "read of what no longer was", "lost update", "two at once", "untold"
NO_LINE, TWO_LINES, GHOST, HOLE, DISORDER = (
    "no line of the journal", "two lines for one act", "a line of no act", "a line is missing", "lines out of order",
)  # fmt: skip


def anomalies(ops: Iterable[Op], lines: Iterable[Line] = (), *, told: Iterable[str] | None = None) -> list[Anomaly]:
    """Return everything in a history that no order of its acts explains; [] when it is sound.

    `told`: what the product's own history says, as `Op.tells` does; None when it is not looked at.
    """
    acts = list(ops)
    found = [*stale_reads(acts), *lost_updates(acts), *two_at_once(acts)]
    journal = list(lines)
    if journal:
        found += journal_anomalies(acts, journal)
    if told is not None:
        found += untold(acts, told)
    return found


# ---- what was read -------------------------------------------------------------------------------


def stale_reads(acts: list[Op]) -> Iterator[Anomaly]:
    """Find reads of a value that had been replaced, in answered acts, before they began; or that nobody had written.

    Among them, the read that succeeds after an acknowledged revocation, and the refusal after an acknowledged grant.
    """
    writes: dict[str, list[Op]] = defaultdict(list)
    for op in acts:
        if op.outcome != REFUSED:
            for register in op.writes:
                writes[register].append(op)
    for op in acts:
        if op.outcome != LOST:
            for register, value in op.reads.items():
                if (against := _against(op, register, value, writes[register])) is not None:
                    yield Anomaly(STALE, f"{register} = {value!r}", against)


def _against(read: Op, register: str, value: Value, writes: list[Op]) -> tuple[str, ...] | None:
    """Return the acts that make a read impossible, None for one that some order explains.

    A write explains it that began before the read ended, and after which no other was both begun and answered before
    the read began.
    """
    since, by = -math.inf, ""
    for other in writes:
        before = other.outcome == DONE and other.ended < read.began and other.writes[register] != value
        if before and other.began > since:
            since, by = other.began, other.id
    for write in writes:
        if write.writes[register] == value and write.began < read.ended and write.latest >= since:
            return None
    return (read.id, by) if by else (read.id,)


# ---- what was written ----------------------------------------------------------------------------


def lost_updates(acts: list[Op]) -> Iterator[Anomaly]:
    """Find writes done on a value that another had replaced: each register is one chain of values.

    Two acts that replaced the same value; an act that replaced what nobody wrote; and, where the last value is read
    (`last_reads`), an acknowledged write from which no chain of others leads to it.
    """
    chains: dict[str, list[Op]] = defaultdict(list)
    blind: set[str] = set()
    for op in acts:
        if op.outcome != REFUSED:
            for register in op.writes:
                if register in op.replaced:
                    chains[register].append(op)
                else:
                    blind.add(register)
    last = last_reads(acts)
    for register, writes in chains.items():
        done = [op for op in writes if op.outcome == DONE]
        yield from _forks(register, done)
        yield from _out_of_nowhere(register, done, writes)
        if register in last and register not in blind:
            yield from _not_in_the_end(register, done, writes, last[register])


def last_reads(acts: list[Op]) -> dict[str, Value]:
    """Return {register: value} of the reads that began once every write of it was answered; one of each."""
    until: dict[str, float] = defaultdict(lambda: -math.inf)
    for op in acts:
        if op.outcome != REFUSED:
            for register in op.writes:
                until[register] = max(until[register], op.latest)
    return {
        register: value for op in acts if op.outcome == DONE for register, value in op.reads.items()
        if op.began > until[register]
    }  # fmt: skip


def _forks(register: str, done: list[Op]) -> Iterator[Anomaly]:
    first: dict[Value, Op] = {}
    for op in done:
        other = first.setdefault(op.replaced[register], op)
        if other is not op:
            yield Anomaly(LOST_UPDATE, f"{register}: {op.replaced[register]!r} replaced twice", (other.id, op.id))


def _out_of_nowhere(register: str, done: list[Op], writes: list[Op]) -> Iterator[Anomaly]:
    known = {op.writes[register] for op in writes} | {None}
    for op in done:
        if op.replaced[register] not in known:
            yield Anomaly(LOST_UPDATE, f"{register}: {op.replaced[register]!r}, that nobody wrote", (op.id,))


def _not_in_the_end(register: str, done: list[Op], writes: list[Op], last: Value) -> Iterator[Anomaly]:
    made_by = {op.writes[register]: op for op in writes}
    value, reached = last, set()
    while value in made_by and made_by[value].id not in reached:
        op = made_by[value]
        reached.add(op.id)
        value = op.replaced[register]
    for op in done:
        if op.id not in reached:
            yield Anomaly(LOST_UPDATE, f"{register}: {op.writes[register]!r} leads not to {last!r}", (op.id,))


def two_at_once(acts: list[Op]) -> Iterator[Anomaly]:
    """Find what was seen to hold more than one where one at most may be: two coordinators, two bookings of an hour."""
    for op in acts:
        for what, seen in op.alone.items():
            if op.outcome == DONE and len(seen) > 1:
                yield Anomaly(TWO, f"{what}: {sorted(map(str, seen))}", (op.id,))


# ---- what was noted ------------------------------------------------------------------------------


def journal_anomalies(acts: list[Op], lines: list[Line]) -> Iterator[Anomaly]:
    """Find acts without their line, lines without their act, holes, and lines that no order of the acts explains."""
    known = {op.id: op for op in acts}
    told = Counter((line.op, line.chain, line.action) for line in lines if line.outcome == OK)
    for op in acts:
        count = told[op.id, op.chain, op.action]
        if op.outcome == DONE and op.chain and count == 0:
            yield Anomaly(NO_LINE, f"{op.kind} in {op.chain}", (op.id,))
        if count > 1:
            yield Anomaly(TWO_LINES, f"{op.kind} in {op.chain}", (op.id,))
    for line in lines:
        op = known.get(line.op)
        if op is None or (line.outcome == OK and op.outcome == REFUSED):
            yield Anomaly(GHOST, f"{line.chain} {line.seq}, {line.action}", (line.op,))
    chains: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        chains[line.chain].append(line)
    for chain, of_it in chains.items():
        yield from _chain_anomalies(chain, sorted(of_it, key=lambda line: line.seq), known)


def _chain_anomalies(chain: str, lines: list[Line], known: Mapping[str, Op]) -> Iterator[Anomaly]:
    latest: Op | None = None
    for before, line in zip([None, *lines], lines, strict=False):
        if before is not None and line.seq != before.seq + 1:
            yield Anomaly(HOLE, f"{chain}, between {before.seq} and {line.seq}")
        op = known.get(line.op)
        if op is None:
            continue
        # A line written after that of an act which had not begun yet when this one was answered.
        if latest is not None and op.outcome == DONE and op.ended < latest.began:
            yield Anomaly(DISORDER, f"{chain} {line.seq}", (op.id, latest.id))
        if latest is None or op.began > latest.began:
            latest = op


def untold(acts: list[Op], told: Iterable[str]) -> Iterator[Anomaly]:
    """Find what was done and is not in the product's own history, or is there and was never done."""
    said = Counter(told)
    sure = Counter(what for op in acts if op.outcome == DONE for what in op.tells)
    maybe = Counter(what for op in acts if op.outcome == LOST for what in op.tells)
    for what in sorted(set(said) | set(sure)):
        if not sure[what] <= said[what] <= sure[what] + maybe[what]:
            yield Anomaly(UNTOLD, f"{what}: {sure[what]} times, told {said[what]}")
