"""The file active: which rows, in which order, counted how far.

Pages are by key: the address holds the id of the row one comes from, never its name, and the thousandth
page costs what the first does. Nothing is counted beyond COUNTED.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import reduce
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from coordination.common.pagination import BoundedCount
from coordination.common.prepared import Prepared, read_first
from coordination.dossiers import panels
from coordination.dossiers.models import Dossier, Visit
from coordination.dossiers.search import Wanted
from habilitations import access, published
from habilitations.access import ANOTHER, GRANTED, HIMSELF, OWN, STRUCTURE
from habilitations.acting_lists import said_of_others
from habilitations.matrix import Matrix
from habilitations.rubriques import Action, Niveau, Rubrique

PER_PAGE = 25
COUNTED = 500
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

# What an emergency access opens is not told here by what the profession opens: it stands on its own page.
VIEWS = {"mes": OWN, "structure": STRUCTURE, "remplacements": ANOTHER, "tous": GRANTED}
OPEN_STATES = "ouverts"
ALL_STATES = "tous"
MINE, NOBODY = "moi", "aucun"
# {sort: ((column, descending)...)}; the id makes every order total.
ORDERS = {
    "nom": (("sort_name", False), ("id", False)),
    "statut": (("status", False), ("sort_name", False), ("id", False)),
    "nouveau": (("changed_at", True), ("id", True)),
}


@dataclass(frozen=True)
class Reader:
    """Who reads the list, and what his profession lets him read in any dossier. Two SQL statements to make."""

    user: object
    matrix: Matrix
    profile: str
    # Whether he may be acting for somebody: what that opens is long to look for, and most people act for nobody.
    acts: bool = True

    @classmethod
    def of(cls, user) -> Reader:
        hat, matrix = access.hat_of(user), published.current()
        profile = matrix.profile_of(hat.profession, hat.fonction)
        return cls(user=user, matrix=matrix, profile=profile, acts=getattr(user, "acts_for_others", True))

    def can_read(self, rubrique: Rubrique) -> bool:
        return self.matrix.level(self.profile, rubrique) >= Niveau.LECTURE

    def follows(self, rubrique: Rubrique) -> bool:
        """Say whether he is told what changes in a rubric: of the reduced circle, nobody is (rule 7)."""
        whole = rubrique is not Rubrique.CERCLE or not self.matrix.reads_reduced_circle(self.profile)
        return whole and self.can_read(rubrique)

    @property
    def may_create(self) -> bool:
        return self.matrix.may(self.profile, Action.CREATE_DOSSIER)

    @property
    def sees_names(self) -> bool:
        """A list names people: who may not read the identity rubric gets none (rule 1)."""
        return self.can_read(Rubrique.IDENTITE)


@dataclass(frozen=True)
class Filters:
    """What the address of the list says. Anything unreadable is the default."""

    vue: str = ""  # the address names no tab: FileActive.settled() chooses it
    statut: str = OPEN_STATES
    motif: str = ""
    territoire: str = ""
    referent: str = ""
    modifies: bool = False
    tri: str = "nom"
    apres: UUID | None = None
    avant: UUID | None = None
    page: int = 1

    @classmethod
    def read(cls, data) -> Filters:
        """Return the filters of a query string or a posted form (a QueryDict)."""
        page = data.get("page", "")
        return cls(
            vue=_among(data.get("vue"), VIEWS, ""),
            statut=_among(data.get("statut"), [OPEN_STATES, ALL_STATES, *Dossier.Status.values], OPEN_STATES),
            motif=_among(data.get("motif"), Dossier.Motif.values, ""),
            territoire=(data.get("territoire") or "")[:3] if (data.get("territoire") or "").isalnum() else "",
            referent=_referent(data.get("referent")),
            modifies=data.get("modifies") == "1",
            tri=_among(data.get("tri"), [*ORDERS, *(f"-{key}" for key in ORDERS)], "nom"),
            apres=_uuid(data.get("apres")),
            avant=_uuid(data.get("avant")),
            page=int(page) if page.isdecimal() and len(page) < 6 else 1,
        )

    def query(self, **changes) -> str:
        """Return the query string of these filters, changed, without what is the default; "" or "?…"."""
        wanted, default = replace(self, **changes), Filters()
        pairs = [
            (name, "1" if value is True else value)
            for name in self.__dataclass_fields__
            if (value := getattr(wanted, name)) != getattr(default, name)
        ]
        return "?" + urlencode(pairs) if pairs else ""

    def first_page(self) -> Filters:
        return replace(self, apres=None, avant=None, page=1)


@dataclass(frozen=True)
class Counts:
    """The numbers of the page, each bounded: tabs, rows of the list, changed ones."""

    tabs: dict[str, BoundedCount] = field(default_factory=dict)
    rows: BoundedCount = field(default_factory=lambda: BoundedCount(0, False))
    changed: BoundedCount = field(default_factory=lambda: BoundedCount(0, False))

    def of_tab(self, vue: str) -> BoundedCount:
        """Return the number of a tab, zero for one that was not counted."""
        return self.tabs.get(vue, BoundedCount(0, False))


@dataclass(frozen=True)
class Rows:
    """One page of dossiers, and the ids from which the neighbours start."""

    dossiers: list[Dossier]
    first: int = 0
    before: UUID | None = None
    after: UUID | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.dossiers) - 1 if self.dossiers else 0


@dataclass(frozen=True)
class FileActive:
    """The list of one reader under some filters, and perhaps a search."""

    reader: Reader
    filters: Filters
    wanted: Wanted = field(default_factory=Wanted)

    def settled(self) -> tuple[FileActive, Counts]:
        """Return the list on the tab to show, with its numbers.

        The tab of the address; when it names none, one's own dossiers, or those of the structure or of whom one acts
        for, for who has only these. One SQL statement, a second one in that last case.
        """
        if self.filters.vue:
            return self, self.counts()
        own = replace(self, filters=replace(self.filters, vue="mes"))
        counts = own.counts()
        vue = next((vue for vue in ("mes", "structure", "remplacements") if counts.of_tab(vue).value), "mes")
        if vue == "mes":
            return own, counts
        other = replace(self, filters=replace(self.filters, vue=vue))
        return other, other.counts()

    def matching(self) -> QuerySet[Dossier]:
        """Return the dossiers of the list, in no order."""
        rows = self._open_to_reader(VIEWS.get(self.filters.vue, OWN))
        rows = _of_status(rows, self.filters.statut)
        if self.filters.motif:
            rows = rows.filter(motif=self.filters.motif)
        if self.filters.territoire:
            rows = rows.filter(commune_code__startswith=self.filters.territoire)
        if (referent := self._of_referent()) is not None:
            # What his own profession tells of a circle, he is told only where he enters by himself.
            rows = rows.filter(referent)
            if VIEWS.get(self.filters.vue, OWN) not in (OWN, STRUCTURE):
                rows = rows.filter(id__in=access.dossiers_of(self.reader.user, through=HIMSELF))
        return rows.wanted(self.wanted)

    def changed(self) -> QuerySet[Dossier]:
        return self._dated(self.matching()).filter(changed_at__gt=F("seen_at"))

    def page(self) -> Rows:
        """Return one page. One SQL statement, two when the address says where it starts."""
        if not self.reader.sees_names:
            return Rows([])
        plain = self._is_usual and self.filters == self.filters.first_page()
        read = _pages.instances(*self._shape(), **self._values()) if plain else list(self.rows())
        return self._turned(read, backwards=self.filters.avant is not None)

    def rows(self) -> QuerySet[Dossier]:
        """Return the rows of the page, and one more to know whether it is the last."""
        order = _order(self.filters.tri)
        if self.filters.avant is not None:
            order = tuple((name, not down) for name, down in order)
        rows = self._beyond_cursor(self._listed(), order).order_by(*_ordering(order))
        return self._marked(rows).defer(*_NOT_LISTED)[: PER_PAGE + 1]

    def everything(self, limit: int) -> list[Dossier]:
        """Return the first rows of the whole list, for an export."""
        if not self.reader.sees_names:
            return []
        rows = self._marked(self._listed()).order_by(*_ordering(_order(self.filters.tri)))
        return list(rows.defer(*_NOT_LISTED)[:limit])

    def counts(self) -> Counts:
        """Return every number of the page in one SQL statement."""
        if not self.reader.sees_names:
            return Counts({vue: BoundedCount(0, False) for vue in VIEWS})
        read = _counts.tuples(*self._shape(), **self._values())[0] if self._is_usual else self.numbers().get()
        said = [BoundedCount(min(number, COUNTED), number > COUNTED) for number in read]
        rows, changed = said[len(self._tabs) :]
        return Counts(dict(zip(self._tabs, said, strict=False)), changed if self.filters.modifies else rows, changed)

    def numbers(self) -> QuerySet:
        """Return one row: the tabs in their order, the rows of the list, the changed ones."""
        tabs = [_of_status(self._open_to_reader(VIEWS[vue]), OPEN_STATES) for vue in self._tabs]
        wanted = (*tabs, self.matching(), self.changed())
        return (
            get_user_model().objects.filter(pk=self.reader.user.pk).values_list(*(_bounded(rows) for rows in wanted))
        )

    def referents(self) -> list[tuple[str, str]]:
        """Return the choices of the filter « Référent », found among the first open dossiers of the tab."""
        told, today = panels.filter_of("referent"), timezone.localdate()
        if told is None or not self.reader.sees_names or not told.is_told(self.reader):
            return []
        shape = *self._reader_shape, Filters(vue=self.filters.vue)
        return told.choices(_referents.tuples(*shape, user_id=self.reader.user.pk, today=today))

    def referents_found(self, today: dt.date) -> QuerySet:
        """Return the lines of `referents`, not read."""
        through = VIEWS[self.filters.vue]
        rows = _of_status(self._open_to_reader(through if through in (OWN, STRUCTURE) else HIMSELF), OPEN_STATES)
        return panels.filter_of("referent").found(self.reader, rows.values("pk")[:COUNTED], today)

    @property
    def _is_usual(self) -> bool:
        """Say whether the statement is one of the few that everybody asks, whose values alone change."""
        return self.wanted.is_usual and not self.filters.referent

    def _of_referent(self):
        told = panels.filter_of("referent") if self.filters.referent else None
        return told.condition(self.reader, self.filters.referent) if told else None

    @property
    def _reader_shape(self) -> tuple[tuple[int, int], str, bool]:
        return self.reader.matrix.edition, self.reader.profile, self.reader.acts

    def _shape(self) -> tuple[tuple[int, int], str, bool, Filters]:
        """What makes the statements of a list; the rest is its values."""
        return *self._reader_shape, self.filters.first_page()

    def _values(self) -> dict:
        """Whose list it is, and what he looks for."""
        return {"user_id": self.reader.user.pk, **self.wanted.values}

    @property
    def _tabs(self) -> list[str]:
        """The tabs that are counted."""
        return [vue for vue, through in VIEWS.items() if self.reader.acts or through != ANOTHER]

    def _listed(self) -> QuerySet[Dossier]:
        return self.changed() if self.filters.modifies else self._dated(self.matching())

    def _open_to_reader(self, through: str) -> QuerySet[Dossier]:
        if through == GRANTED and not self.reader.acts:
            through = HIMSELF
        return Dossier.objects.filter(id__in=read_first(access.dossiers_of(self.reader.user, through=through)))

    def _marked(self, rows: QuerySet[Dossier]) -> QuerySet[Dossier]:
        """Add `acting`, for whom the reader enters each dossier, where some are entered for another."""
        if not self.reader.acts or VIEWS.get(self.filters.vue, OWN) in (OWN, STRUCTURE):
            return rows
        himself = access.dossiers_of(self.reader.user, through=HIMSELF)
        return rows.annotate(acting=said_of_others(self.reader.user, himself=himself))

    def _dated(self, rows: QuerySet[Dossier]) -> QuerySet[Dossier]:
        """Add `changed_at`, by others and readable, and `seen_at`, the reader's last visit."""
        found = [
            Coalesce(expression, EPOCH, output_field=DateTimeField())
            for expression in panels.activity(self.reader.user, self.reader.follows)
        ]
        changed = Greatest(*found) if len(found) > 1 else [*found, Value(EPOCH, output_field=DateTimeField())][0]
        visit = Visit.objects.filter(user=self.reader.user, dossier=OuterRef("pk")).values("seen_at")
        return rows.annotate(changed_at=changed, seen_at=Coalesce(Subquery(visit), EPOCH))

    def _beyond_cursor(self, rows: QuerySet[Dossier], order) -> QuerySet[Dossier]:
        cursor = self.filters.avant or self.filters.apres
        if cursor is None:
            return rows
        # Looked for among what the reader may open: an order says something of a name.
        start = (
            self._dated(self._open_to_reader(GRANTED)).filter(pk=cursor).values_list(*(n for n, _ in order)).first()
        )
        return rows if start is None else rows.filter(_after(order, start))

    def _turned(self, read: list[Dossier], *, backwards: bool) -> Rows:
        more, shown = len(read) > PER_PAGE, read[:PER_PAGE]
        if not shown:
            return Rows([])
        if backwards:
            shown.reverse()
        page = self.filters.page if self.filters.avant or self.filters.apres else 1
        return Rows(
            dossiers=shown,
            first=(page - 1) * PER_PAGE + 1,
            before=shown[0].pk if (more if backwards else self.filters.apres) else None,
            after=shown[-1].pk if (backwards or more) else None,
        )


def _list_of(
    edition: tuple[int, int], profile: str, acts: bool, filters: Filters, *, user_id: UUID, **typed
) -> FileActive:
    reader = Reader(user=get_user_model()(pk=user_id), matrix=published.read(*edition), profile=profile, acts=acts)
    return FileActive(reader, filters, Wanted.of(**typed))


# What everybody asks many times a day: the ORM takes longer to write these statements than the server to answer.
_pages = Prepared(lambda *shape, **values: _list_of(*shape, **values).rows(), one_plan=True)
_counts = Prepared(lambda *shape, **values: _list_of(*shape, **values).numbers(), one_plan=True)
_referents = Prepared(
    lambda *shape, user_id, today: _list_of(*shape, user_id=user_id).referents_found(today), one_plan=True
)

# Not shown in a list: what is not read cannot leak into one.
_NOT_LISTED = (
    "ins_matricule", "ins_oid", "phone", "mobile", "email", "address", "duplicate_reason", "status_note",
    "search_name",
)  # fmt: skip


def _of_status(rows: QuerySet[Dossier], statut: str) -> QuerySet[Dossier]:
    if statut == ALL_STATES:
        return rows
    return rows.exclude(status=Dossier.Status.CLOS) if statut == OPEN_STATES else rows.filter(status=statut)


def _order(tri: str):
    order = ORDERS[tri.removeprefix("-")]
    return tuple((name, not down) for name, down in order) if tri.startswith("-") else order


def _ordering(order) -> list[str]:
    return [f"-{name}" if down else name for name, down in order]


def _after(order, start) -> Q:
    """Return the rows strictly after `start`: (a > x) or (a = x and b > y) or…"""
    clauses, same = [], Q()
    for (name, down), value in zip(order, start, strict=True):
        clauses.append(same & Q(**{f"{name}__{'lt' if down else 'gt'}": value}))
        same &= Q(**{name: value})
    return reduce(Q.__or__, clauses)


def _bounded(rows: QuerySet[Dossier]):
    """Return the number of rows as an expression that stops counting just after COUNTED."""
    ids = ArraySubquery(rows.order_by().values("pk")[: COUNTED + 1])
    return Func(ids, function="CARDINALITY", output_field=IntegerField())


def _among(value: str | None, known, default: str) -> str:
    return value if value in known else default


def _referent(value: str | None) -> str:
    """Return "moi", "aucun", or the id of a professional as it is written in an address."""
    if value in (MINE, NOBODY):
        return value
    found = _uuid(value)
    return str(found) if found else ""


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
