"""How the names of dossiers are looked for and compared."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Lookup

from coordination.common.text import fold

KEY_LENGTH = 150


@CharField.register_lookup
class HasWord(Lookup):
    """`search_name__has_word="dup"`: one of the words begins so; the column has a blank before each of them.

    As `contains` with that blank, but for the word, which goes to the statement as it is: the statement can be kept
    (common.prepared). A folded word holds no sign that LIKE reads (common.text.fold).
    """

    lookup_name = "has_word"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, before = self.process_lhs(compiler, connection)
        word, after = self.process_rhs(compiler, connection)
        return f"{column} LIKE '%% ' || {word} || '%%'", [*before, *after]


def name_key(name: str) -> str:
    """Return a name as names are compared: folded, then cut as the column, since folding opens œ and ß into two."""
    return fold(name)[:KEY_LENGTH]
