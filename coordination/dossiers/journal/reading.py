"""Finding the lines of a dossier's journal: filters, pages, and what makes a line worth a question.

Pages go from the newest back, by the rank of the last line shown: the cost of a page does not depend on how many lines
there are. Six SQL statements at most: the lines (twice where few are of lately), the habilitations they name, who had
come before, how many dossiers they opened, the last verification.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Lower, Replace
from django.utils import timezone

from coordination.common.dates import InvalidDate, parse_date
from coordination.common.statements import rows as run
from coordination.common.text import fold
from coordination.dossiers.journal.haste import dossiers_lately
from habilitations import catalog
from habilitations.models import AccessQuestion, Habilitation, JournalCheck, Outcome, StateChange, Trace
from habilitations.traces import OWN_FEED
from habilitations.unusual import Facts, Limits, unusual

PER_PAGE = 50
# « À vérifier seulement » judges so many lines at a time, the newest of what the other filters keep.
JUDGED = 2_000
# Most pages are of the last days: they are looked for there first, in a few months of the journal and not in all of
# them (SCALE-7). A clock may have been put right meanwhile (REL-19): ranks and hours agree but for so long.
LATELY, MARGIN = dt.timedelta(days=61), dt.timedelta(days=2)
HOME = "accueil"
BLOCKED = "refus"
ACTIONS = {
    "lecture": "Lecture", "ecriture": "Écriture", "habilitation": "Habilitation", "recherche": "Recherche",
    "impression": "Impression", "export": "Export", "creation": "Création", "invitation": "Invitation",
    "question": "Question", "urgence": "Accès d’urgence", BLOCKED: "Accès bloqué",
}  # fmt: skip
# What is told of somebody's right: whose, and what changed.
RIGHTS = ("habilitation", "réponse")
# The words of the trace for the word of the form, where they differ.
_WRITTEN = {
    "ecriture": ("écriture",), "creation": ("création",), "habilitation": RIGHTS,
    "invitation": (
        "aperçu", "renvoi", "relance", "lien copié", "annulation", "acceptation", "refus", "confirmation",
        "mise à l’écart",
    ),
    "urgence": ("urgence", "fin d’urgence", "revue d’urgence", "interdiction", "fin d’interdiction"),
}  # fmt: skip
_ACCENTS = "àâäáãçèéêëìîïíñòôöóõùûüúÿ"
_PLAIN = "aaaaaceeeeiiiinooooouuuuy"
# Those that open into two.
_LIGATURES = {"œ": "oe", "æ": "ae"}
_MARKED = _ACCENTS + "".join(_LIGATURES)
# What parts the words of a name, and what one cannot see: « legoff » is looked for like « Le Goff » or « Le-Goff ».
_BLANKS = " -'’ʼ.\u00a0\u202f\u2010\u2011\u2013\u00ad\u200b"
_LONGEST = 100
# Of some lines, those before which the person had not come for so many days. First among the last lines of the
# dossier, where who comes often is found at once; where these do not go back far enough, along what the person did,
# newest first, as far as a line of this dossier. OFFSET 0 keeps that walk on the index of who acted: the one of the
# dossier would be read from end to end for somebody who is new to it. Alone, that walk reads all that somebody did
# elsewhere for a month: 280 ms a page among 200,000 dossiers.
_NEAR = 60
_FIRST = f"""
SELECT asked.seq
FROM unnest(%(seqs)s::bigint[], %(actors)s::uuid[], %(moments)s::timestamptz[]) AS asked (seq, actor_id, at)
CROSS JOIN LATERAL (
    SELECT count(*) AS read, coalesce(bool_or(last.actor_id = asked.actor_id AND last.outcome = 'ok'), false) AS came
    FROM (
        SELECT t.actor_id, t.outcome FROM habilitations_trace t
        WHERE t.dossier_id = %(dossier)s AND t.seq < asked.seq
            AND t.at <= asked.at AND t.at >= asked.at - make_interval(days => %(days)s)
        ORDER BY t.seq DESC LIMIT {_NEAR}
    ) AS last
) AS near
WHERE NOT near.came AND (near.read < {_NEAR} OR NOT EXISTS (
    SELECT 1 FROM (
        SELECT t.dossier_id, t.seq, t.outcome FROM habilitations_trace t
        WHERE t.actor_id = asked.actor_id
            AND t.at <= asked.at AND t.at >= asked.at - make_interval(days => %(days)s)
        ORDER BY t.at DESC OFFSET 0
    ) AS come WHERE come.dossier_id = %(dossier)s AND come.outcome = 'ok' AND come.seq < asked.seq
))"""  # noqa: S608 - a number of ours


@dataclass(frozen=True)
class Filters:
    """What the form asks. All of it is posted: a name typed never stands in an address."""

    who: str = ""
    rubrique: str = ""
    action: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    to_check: bool = False
    before: int | None = None
    # {field: (what was typed, why it is refused)}
    refused: Mapping[str, tuple[str, str]] | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.who or self.rubrique or self.action or self.first or self.last or self.to_check)


@dataclass(frozen=True)
class Line:
    """One line as it is told: the trace, how its author came in, and what is unusual in it."""

    trace: Trace
    opened_at: dt.datetime | None = None
    through: str = ""
    is_maker: bool = False
    # Which member it is about, when the reader may know (see `journal.subjects`); never stored.
    subject: str = ""
    unusual: tuple[str, ...] = ()
    # What was asked of its author, and what he answered (see `journal.questions`).
    question: AccessQuestion | None = None
    # How many lines this one stands for, and the time of the first of them (see `journal.folding`).
    times: int = 1
    first_at: dt.datetime | None = None
    # Why, of each line of one act, in their order; set from the trace.
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.reasons and self.trace.reason:
            object.__setattr__(self, "reasons", (self.trace.reason,))

    @property
    def at(self) -> dt.datetime:
        return timezone.localtime(self.trace.at)


@dataclass(frozen=True)
class Found:
    """One page: its lines, the rank to go on from (None at the end), and how many lines were judged, if any."""

    lines: list[Line]
    next_before: int | None
    judged: int | None = None


def read_filters(said: Mapping[str, str]) -> Filters:
    """Return the filters of a form; an unknown choice is no filter, an unreadable date is refused beside its field."""
    refused: dict[str, tuple[str, str]] = {}

    def day(name: str) -> dt.date | None:
        typed = said.get(name, "").strip()
        try:
            return read_day(typed) if typed else None
        except InvalidDate as refusal:
            refused[name] = (typed[:20], str(refusal))
            return None

    first, last = day("du"), day("au")
    if first and last and last < first:
        refused["au"] = (f"{last:%d/%m/%Y}", "La fin est avant le début.")
        last = None
    rubrique, action, before = said.get("rubrique", ""), said.get("action", ""), said.get("avant", "")
    return Filters(
        who=said.get("qui", "").strip()[:_LONGEST],
        rubrique=rubrique if rubrique == HOME or rubrique in catalog.last().entries else "",
        action=action if action in ACTIONS else "",
        first=first,
        last=last,
        to_check=said.get("verifier") == "1",
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None,
        refused=refused or None,
    )


def read_day(typed: str) -> dt.date:
    """Return a day of a filter. Raises InvalidDate: unreadable, or the last one of the calendar, which has no next."""
    day = parse_date(typed)
    if day == dt.date.max:
        raise InvalidDate
    return day


def find_page(dossier_id: UUID, filters: Filters, *, size: int = PER_PAGE, reader_id: UUID | None = None) -> Found:
    """Return one page of the journal of a dossier, newest first. Five SQL statements at most.

    `reader_id`: who reads; nothing is pointed out to him of what he did himself.
    """
    limits = Limits(**settings.JOURNAL_UNUSUAL)
    asked = JUDGED if filters.to_check else size
    traces = _newest(dossier_id, filters, asked + 1)
    more, traces = len(traces) > asked, traces[:asked]
    lines = _judged(dossier_id, [_line(trace, opened) for trace, opened in _with_ways_in(traces)], limits, reader_id)
    if not filters.to_check:
        return Found(lines, traces[-1].seq if more else None)
    kept = [line for line in lines if line.unusual]
    if len(kept) > size:
        return Found(kept[:size], kept[size - 1].trace.seq, len(traces))
    return Found(kept, traces[-1].seq if more else None, len(traces))


def last_check() -> JournalCheck | None:
    """Return the last verification of the whole journal, None when there was none yet."""
    return JournalCheck.objects.order_by("-at").first()


def matches_name(text: str) -> Q | None:
    """Return the condition on traces annotated by `named`: every word typed is in the name, of who acted or for whom
    he did, or in the structure."""
    found = None
    for word in fold(text).split():
        held = Q(folded_name__contains=word) | Q(folded_structure__contains=word) | Q(folded_other__contains=word)
        found = held if found is None else found & held
    return found


def named(traces: QuerySet) -> QuerySet:
    """Add the names and the structure without case, accents nor blanks, as `matches_name` compares them."""
    return traces.annotate(
        folded_name=folded("actor_name"),
        folded_structure=folded("structure_name"),
        folded_other=folded("on_behalf_of_name"),
    )


def span(traces: QuerySet, first: dt.date | None, last: dt.date | None) -> QuerySet:
    """Keep the lines of these days, local, both included."""
    if first:
        traces = traces.filter(at__gte=_midnight(first))
    if last:
        traces = traces.filter(at__lt=_midnight(last + dt.timedelta(days=1)))
    return traces


def _newest(dossier_id: UUID, filters: Filters, count: int) -> list[Trace]:
    """Return the newest lines that match, by rank. One SQL statement, two where few of them are of lately."""
    matching = _matching(dossier_id, filters)
    if count <= PER_PAGE + 1 and not (filters.first or filters.last or filters.before):
        since = timezone.now() - LATELY
        lately = list(matching.filter(at__gte=since)[:count])
        if len(lately) == count and all(trace.at >= since + MARGIN for trace in lately):
            return lately
    return list(matching[:count])


def _matching(dossier_id: UUID, filters: Filters) -> QuerySet:
    traces = span(Trace.objects.of_dossier(dossier_id).order_by("-seq"), filters.first, filters.last)
    if filters.before is not None:
        traces = traces.filter(seq__lt=filters.before)
    if filters.rubrique:
        traces = traces.filter(rubrique="" if filters.rubrique == HOME else filters.rubrique)
    if filters.action == BLOCKED:
        traces = traces.filter(outcome=Outcome.REFUSED)
    elif filters.action:
        traces = traces.filter(action__in=written(filters.action)).exclude(outcome=Outcome.REFUSED)
    condition = matches_name(filters.who)
    return traces if condition is None else named(traces).filter(condition)


def written(action: str) -> tuple[str, ...]:
    """Return the actions of the traces that a choice of the filter keeps."""
    return _WRITTEN.get(action, (action,))


def folded(column) -> Func:
    """Return an expression: a column, or another expression, without case, accents nor blanks."""
    said = F(column) if isinstance(column, str) else column
    lowered = Lower(Func(said, Value(_MARKED.upper()), Value(_MARKED), function="translate"))
    # What has nothing across from it is taken away.
    plain: Func = Func(
        lowered, Value(_ACCENTS + _BLANKS), Value(_PLAIN), function="translate", output_field=CharField()
    )
    for letter, two in _LIGATURES.items():
        plain = Replace(plain, Value(letter), Value(two))
    return plain


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def _with_ways_in(traces: list[Trace]) -> Iterable[tuple[Trace, dict | None]]:
    """Pair each trace with the opening of the habilitation it names: the last one before it. One SQL statement."""
    wanted = {trace.habilitation_id for trace in traces if trace.habilitation_id}
    openings = (
        # The dossier too: which server (SCALE-4).
        StateChange.objects.filter(
            dossier__in={trace.dossier_id for trace in traces}, habilitation__in=wanted, after=Habilitation.State.OUI
        )
        .order_by("-at")
        .values("habilitation_id", "at", "by_id", "habilitation__user_id", "habilitation__structure__name")
    )
    known: dict[UUID, list[dict]] = {}
    for opening in openings:
        known.setdefault(opening["habilitation_id"], []).append(opening)
    for trace in traces:
        ways = known.get(trace.habilitation_id, [])
        # A dossier and its creator's habilitation are made in one act: the trace may be a moment older.
        yield trace, next((way for way in ways if way["at"] <= trace.at), ways[-1] if ways else None)


def _line(trace: Trace, opened: dict | None) -> Line:
    if opened is None:
        return Line(trace)
    own = opened["habilitation__user_id"] == trace.actor_id
    return Line(
        trace,
        opened["at"],
        "" if own else opened["habilitation__structure__name"] or "",
        # Who made the dossier opened it to himself: that is not somebody new.
        is_maker=own and opened["by_id"] == trace.actor_id,
    )


def _judged(dossier_id: UUID, lines: list[Line], limits: Limits, reader_id: UUID | None) -> list[Line]:
    """Return the lines with what is unusual in each. At most two SQL statements."""
    done = [line for line in lines if _is_done(line) and (reader_id is None or line.trace.actor_id != reader_id)]
    new = {line.trace.seq for line in done if _may_be_new(line, limits)}
    first = _first_ones(dossier_id, [line.trace for line in lines if _is_done(line)], new, limits)
    haste = dossiers_lately({(line.trace.actor_id, line.trace.at) for line in done}, limits)
    facts = {line.trace.seq: _facts(line, first, haste) for line in done}
    return [
        replace(line, unusual=unusual(facts[line.trace.seq], limits)) if line.trace.seq in facts else line
        for line in lines
    ]


def _is_done(line: Line) -> bool:
    """Whether somebody came: a calendar that reads itself at night, all dossiers at once, is nothing unusual."""
    return line.trace.outcome == Outcome.OK and line.trace.software != OWN_FEED


def _may_be_new(line: Line, limits: Limits) -> bool:
    """Say whether the question of a first access is worth asking: `unusual` has the last word."""
    if not limits.new_days or line.is_maker:
        return False
    since = _member_since(line)
    return since is None or line.at - since < dt.timedelta(days=limits.new_days)


def _member_since(line: Line) -> dt.datetime | None:
    somebody_else = line.through or line.trace.on_behalf_of_id
    return None if somebody_else or line.opened_at is None else timezone.localtime(line.opened_at)


def _facts(line: Line, first: set[int], haste: Mapping[tuple, int]) -> Facts:
    return Facts(
        at=line.at,
        is_first=line.trace.seq in first,
        member_since=_member_since(line),
        dossiers=haste.get((line.trace.actor_id, line.trace.at), 0),
    )


def _first_ones(dossier_id: UUID, done: list[Trace], new: set[int], limits: Limits) -> set[int]:
    """Return, of the lines `new`, those before which the person had not come. What `done` shows is not asked again."""
    asked: list[Trace] = []
    last: dict[UUID, dt.datetime] = {}
    lately = dt.timedelta(days=limits.new_days)
    for trace in sorted(done, key=lambda trace: trace.seq):
        before = last.get(trace.actor_id)
        if trace.actor_id and trace.seq in new and (before is None or before < trace.at - lately):
            asked.append(trace)
        last[trace.actor_id] = trace.at
    if not asked:
        return set()
    ranks, people, moments = zip(*((trace.seq, trace.actor_id, trace.at) for trace in asked), strict=True)
    said = {"seqs": ranks, "actors": people, "moments": moments, "days": limits.new_days, "dossier": dossier_id}
    return {seq for (seq,) in run(_FIRST, said)}
