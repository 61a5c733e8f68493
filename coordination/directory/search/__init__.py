"""The one search box of the directory.

    results = search("echantillon carmaux", near="81000")
    results.professionals.results, results.professionals.total, results.structures.results

Nothing typed is kept, logged or put in an address.
"""

from coordination.directory.search.engine import find_similar, search, structures
from coordination.directory.search.results import (
    Group,
    ProfessionalResult,
    SearchResults,
    StructureResult,
    profession_label,
    trade,
)

__all__ = [
    "Group",
    "ProfessionalResult",
    "SearchResults",
    "StructureResult",
    "find_similar",
    "profession_label",
    "search",
    "structures",
    "trade",
]
