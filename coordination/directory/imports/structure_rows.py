"""Merge of structures that a file describes one by one: FINESS (all generations), regional complements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import date, datetime

from django.utils import timezone

from coordination.directory.imports import completion
from coordination.directory.imports.runs import Counts, Load
from coordination.directory.imports.staging import copy, copy_line, execute, hash64, hold, new_id, scalar, temporary


@dataclass(slots=True)
class StructureRow:
    """One structure as its file tells it. `source_key` is its key when it has no FINESS number."""

    kind: str
    finess: str
    name: str
    search_name: str
    finess_ej: str = ""
    siren: str = ""
    siret: str = ""
    source_key: str = ""
    short_name: str = ""
    category: str = ""
    legal_status: str = ""
    address: str = ""
    postal_code: str = ""
    town: str = ""
    commune_code: str = ""
    phone: str = ""
    phone_as_given: str = ""
    email: str = ""
    mss_address: str = ""
    manager_name: str = ""
    opened_on: date | None = None
    closed_on: date | None = None
    closed: bool = False


# Column -> its type in the directory: longer values are cut, as FINESS itself does with names.
_COLUMNS = {
    "kind": "varchar(2)", "finess": "varchar(9)", "name": "varchar(200)", "search_name": "varchar(300)",
    "finess_ej": "varchar(9)", "siren": "varchar(9)", "siret": "varchar(14)", "source_key": "varchar(60)",
    "short_name": "varchar(80)", "category": "varchar(4)", "legal_status": "varchar(4)", "address": "varchar(300)",
    "postal_code": "varchar(10)", "town": "varchar(80)", "commune_code": "varchar(5)", "phone": "varchar(20)",
    "phone_as_given": "varchar(40)", "email": "varchar(254)", "mss_address": "varchar(254)",
    "manager_name": "varchar(120)", "opened_on": "date",
}  # fmt: skip
# What a file may leave empty without erasing what another source knows.
_KEPT = {"finess", "phone", "email", "mss_address", "manager_name", "legal_status", "opened_on"}

# Files that describe the same rows must not cease each other's: the legacy CSV holds no legal entity.
ALL_KINDS = ("ej", "eg", "oi")


def stage(rows: Iterable[StructureRow]) -> None:
    """COPY the rows into the table `stage`; the first of two rows with the same key is kept."""
    typed = ", ".join(f"{name} {kind.replace('varchar', 'text').split('(')[0]}" for name, kind in _COLUMNS.items())
    execute(f"CREATE TEMP TABLE stage (n bigint, {typed}, closed_on date, closed boolean, hash bigint) ON COMMIT DROP")
    copy("stage", _lines(rows))
    execute("CREATE INDEX stage_finess ON stage (finess)")
    execute("DELETE FROM stage s USING stage b WHERE s.finess = b.finess AND s.finess <> '' AND b.n < s.n")
    execute(
        "DELETE FROM stage s USING (SELECT source_key, min(n) AS n FROM stage WHERE source_key <> ''"
        " GROUP BY source_key) b WHERE s.source_key = b.source_key AND s.n <> b.n"
    )
    execute("ANALYZE stage")


def _lines(rows: Iterable[StructureRow]) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        values = astuple(row)
        written = _copied_columns(row)
        content = hash64(repr(values).encode())
        yield copy_line([number, *written, row.closed_on, "t" if row.closed else "f", content])


def _copied_columns(row: StructureRow) -> list:
    return [getattr(row, name) for name in _COLUMNS]


def merge(load: Load, source: str, *, kinds: tuple[str, ...] = ALL_KINDS) -> Counts:
    """Bring `stage` into the directory as rows of `source`; only rows of `kinds` cease when the file lacks them.

    A row found by its FINESS number is taken over, whoever wrote it first: its identity stays, circles keep
    their link. Else it is found by its key, which it had before it was given a number. A regional complement only
    fills what FINESS leaves empty.
    """
    now = timezone.now()
    # Counted before: FINESS loaded a minute ago would seem one row, and what has ceased a search for each.
    execute("ANALYZE directory_structure (id, source, kind, finess, source_key, ceased_at)")
    temporary(
        "found",
        "SELECT s.n, coalesce(f.id, k.id) AS id,"
        " coalesce(f.source, k.source) AS source FROM stage s"
        " LEFT JOIN directory_structure f ON f.finess = s.finess AND f.finess <> '' AND s.finess <> ''"
        " LEFT JOIN directory_structure k ON k.source_key = s.source_key AND k.source_key <> ''"
        "  AND s.source_key <> ''",
    )
    # Before the new rows come in: they are not among those found.
    ceased = _cease_missing(load, source, kinds, now)
    new = _insert(source, load, now)
    changed = _update(source, load, now)
    completion.lend_addresses("SELECT id, phone, name FROM changed_structures")
    completion.lend_structure_mailboxes("SELECT id FROM changed_structures")
    return Counts(new, changed, ceased)


def _cease_missing(load: Load, source: str, kinds: tuple[str, ...], now: datetime) -> int:
    """Mark ceased what the file describes no more, save what a refused line was about."""
    mine = "t.source = %s AND t.kind = ANY(%s) AND t.ceased_at IS NULL"
    params = [source, list(kinds)]
    hold(load.held)
    temporary(
        "gone",
        "SELECT t.id FROM directory_structure t LEFT JOIN found f ON f.id = t.id LEFT JOIN held n ON n.key = t.finess"
        f" LEFT JOIN held k ON k.key = t.source_key WHERE {mine} AND f.id IS NULL AND n.key IS NULL AND k.key IS NULL",
        params,
    )
    closing = scalar(
        f"SELECT count(*) FROM directory_structure t JOIN found f USING (id) JOIN stage s USING (n) WHERE {mine}"
        " AND s.closed",
        params,
    )
    known = scalar(f"SELECT count(*) FROM directory_structure t WHERE {mine}", params)  # noqa: S608 - our constants
    load.check_gone(scalar("SELECT count(*) FROM gone") + closing, known, "structures")
    if not load.may_cease():
        return 0
    return execute(
        "UPDATE directory_structure t SET ceased_at = %s, content_hash = NULL FROM gone WHERE gone.id = t.id", [now]
    )


def _insert(source: str, load: Load, now: object) -> int:
    names = ", ".join(_COLUMNS)
    cast = ", ".join(f"s.{name}::{kind}" for name, kind in _COLUMNS.items())
    return execute(
        f"INSERT INTO directory_structure (id, source, {names}, technical_id, sector, ceased_at, seen_on,"
        f" content_hash, created_at) SELECT {new_id('s.n')}, %s, {cast}, '', '',"
        " CASE WHEN s.closed THEN coalesce(s.closed_on::timestamptz, %s) END, %s, s.hash, %s"
        " FROM stage s JOIN found f USING (n) WHERE f.id IS NULL",
        [source, now, load.day, now],
    )


def _update(source: str, load: Load, now: object) -> int:
    own = ", ".join(f"{name} = {_value(name, kind)}" for name, kind in _COLUMNS.items())
    # With what they lent until now.
    execute("CREATE TEMP TABLE changed_structures (id uuid, phone text, name text) ON COMMIT DROP")
    execute(
        "INSERT INTO changed_structures SELECT t.id, t.phone, t.name FROM directory_structure t"
        " JOIN found f USING (id) JOIN stage s USING (n)"
        " WHERE (f.source IN (%(source)s, 'partenaire') OR %(source)s = 'finess')"
        " AND (t.source <> %(source)s OR t.content_hash IS DISTINCT FROM s.hash)",
        {"source": source},
    )
    execute("ANALYZE changed_structures")
    count = execute(
        f"UPDATE directory_structure t SET source = %s, {own}, ceased_at = CASE WHEN s.closed THEN"
        " coalesce(t.ceased_at, s.closed_on::timestamptz, %s) END, seen_on = %s, content_hash = s.hash"
        " FROM found f JOIN stage s USING (n) WHERE t.id = f.id AND t.id IN (SELECT id FROM changed_structures)",
        [source, now, load.day],
    )
    if source != "finess":
        count += execute(
            "UPDATE directory_structure t SET phone = coalesce(nullif(t.phone, ''), s.phone),"
            " email = coalesce(nullif(t.email, ''), s.email),"
            " manager_name = coalesce(nullif(t.manager_name, ''), s.manager_name::varchar(120)) FROM found f"
            " JOIN stage s USING (n) WHERE t.id = f.id AND f.source <> %s AND ((t.phone = '' AND s.phone <> '')"
            " OR (t.email = '' AND s.email <> '') OR (t.manager_name = '' AND s.manager_name <> ''))",
            [source],
        )
    return count


# Found by its number, a row may be told under the key that another one has kept from before.
_FREE_KEY = (
    "CASE WHEN s.source_key = '' OR EXISTS (SELECT 1 FROM directory_structure o"
    " WHERE o.source_key = s.source_key AND o.source_key <> '' AND o.id <> t.id) THEN t.source_key"
    " ELSE s.source_key::varchar(60) END"
)


def _value(name: str, kind: str) -> str:
    if name == "source_key":
        return _FREE_KEY
    if name not in _KEPT:
        return f"s.{name}::{kind}"
    if kind == "date":
        return f"coalesce(s.{name}, t.{name})"
    return f"coalesce(nullif(s.{name}, ''), t.{name})::{kind}"
