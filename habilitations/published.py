"""The published matrix, read once per version and process.

A version never changes once published, so its number is the cache key; which number is current is
asked of the database with each decision (schema truth 10: no right cached without its version).
"""

from functools import lru_cache

from django.db.models import Max

from habilitations.matrix import Matrix
from habilitations.models import ActionRight, MatrixRow, MatrixVersion, ProfileRule
from habilitations.rubriques import Niveau, Scope

NOTHING_PUBLISHED = Matrix(number=0)


@lru_cache(maxsize=8)
def _load(number: int) -> Matrix:
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
    return Matrix(number=number, levels=levels, actions=actions, profiles=profiles)


def matrix(number: int | None) -> Matrix:
    """Return a published version; a matrix that grants nothing when there is none."""
    return _load(number) if number else NOTHING_PUBLISHED


def current() -> Matrix:
    """Return the version in force (one SQL statement)."""
    return matrix(MatrixVersion.objects.aggregate(number=Max("number"))["number"])


def forget() -> None:
    """Drop what this process remembers; for tests, where version numbers are used again."""
    _load.cache_clear()
