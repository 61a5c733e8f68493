"""The published matrix, read once per version and process.

A version never changes once published, so its number is the cache key; which number is current is
asked of the database with each decision (schema truth 10: no right cached without its version). The
names of profiles and rubrics, and what is withdrawn, have their own number, asked in the same statement.
"""

from functools import lru_cache

from coordination.common.statements import rows as run
from habilitations import catalog as catalogs
from habilitations.catalog import SHIPPED, Catalog, Entry, Profile
from habilitations.matrix import Matrix
from habilitations.models import ActionRight, CatalogProfile, CatalogRubric, MatrixRow, ProfileRule
from habilitations.rubriques import Niveau, Rubric, Scope

# The two numbers, as one column of any statement: [version, last change of the catalogue].
EDITION = (
    "ARRAY[(SELECT max(number) FROM habilitations_matrixversion)::bigint,"
    " (SELECT max(number) FROM habilitations_catalogchange)]"
)


@lru_cache(maxsize=16)
def _load(number: int, catalog_number: int) -> Matrix:
    catalog = _catalog(catalog_number)
    if not number:
        return Matrix(number=0, catalog=catalog)
    levels: dict[str, dict[str, Niveau]] = {}
    for profile, rubrique, niveau in MatrixRow.objects.filter(version__number=number).values_list(
        "profile", "rubrique", "niveau"
    ):
        levels.setdefault(profile, {})[rubrique] = Niveau(niveau)
    actions: dict[str, dict[str, Scope]] = {}
    for profile, action, scope in ActionRight.objects.filter(version__number=number).values_list(
        "profile", "action", "scope"
    ):
        actions.setdefault(profile, {})[action] = Scope(scope)
    profiles = {
        (profession, fonction): profile
        for profession, fonction, profile in ProfileRule.objects.filter(version__number=number).values_list(
            "profession", "fonction", "profile"
        )
    }
    return Matrix(number=number, levels=levels, actions=actions, profiles=profiles, catalog=catalog)


@lru_cache(maxsize=8)
def _catalog(number: int) -> Catalog:
    """Read the rows over what the product is shipped with: a profile it brings later is there before any row of it."""
    if not number:
        return SHIPPED
    ranks = {code: (rank, code) for rank, code in enumerate(SHIPPED.profiles, start=1)}
    profiles = dict(SHIPPED.profiles)
    for row in CatalogProfile.objects.all():
        profiles[row.code] = Profile(row.code, row.label, row.gathers, row.reduced, row.closed_at is not None)
        ranks[row.code] = (row.rank, row.code)
    entries = dict(SHIPPED.entries)
    for row in CatalogRubric.objects.order_by("created_at", "code"):
        known = SHIPPED.find(row.code)
        entries[row.code] = Entry(
            Rubric(row.code) if known is None else known, row.label, row.short or row.label, row.group, row.icon,
            row.rank, row.description, row.withdrawn_at is not None,
        )  # fmt: skip
    in_order = {code: profiles[code] for code in sorted(profiles, key=ranks.__getitem__)}
    return Catalog(number=number, profiles=in_order, entries=entries)


def read(number: int | None, catalog_number: int | None) -> Matrix:
    """Return a version, empty when there is none, with the names of a moment. No SQL once this process has both."""
    found = _load(number or 0, catalog_number or 0)
    catalogs.keep_last(found.catalog)
    return found


def matrix(number: int | None) -> Matrix:
    """Return a version with the names last read by this process, which has asked for `current` or `catalog`."""
    return read(number, catalogs.last().number)


def current() -> Matrix:
    """Return the version in force (one SQL statement)."""
    return read(*run(f"SELECT {EDITION}", [])[0][0])  # noqa: S608 - our own names


def catalog() -> Catalog:
    """Return the profiles and rubrics as they are now (one SQL statement)."""
    return current().catalog


def forget() -> None:
    """Drop what this process remembers; for tests, where version numbers are used again."""
    _load.cache_clear()
    _catalog.cache_clear()
    catalogs.keep_last(SHIPPED)
