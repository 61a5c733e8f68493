"""How the names and the birth dates of dossiers are looked for and compared."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

from django.db.models import CharField, Lookup, Q

from coordination.common.dates import Precision
from coordination.common.text import fold

KEY_LENGTH = 150


@CharField.register_lookup
class HasWord(Lookup):
    """`search_name__has_word="dup"`: one of the words begins so; the column has a blank before each of them.

    Blanks between its letters do not count: "legoff" is LE GOFF, "dherve" D'HERVÉ, "jeanpierre" Jean-Pierre. The word
    goes to the statement as it is, which can be kept (common.prepared); its pattern is made once, in a subquery of its
    own. A folded word holds no sign that a pattern reads (common.text.fold).
    """

    lookup_name = "has_word"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, before = self.process_lhs(compiler, connection)
        word, after = self.process_rhs(compiler, connection)
        return f"{column} ~ (SELECT ' ' || regexp_replace({word}, '(.)', '\\1 ?', 'g'))", [*before, *after]


def name_key(name: str) -> str:
    """Return a name as the column keeps it: folded, then cut, since folding opens œ and ß into two."""
    return fold(name)[:KEY_LENGTH]


def same_name(name: str) -> str:
    """Return a name as two of them are compared: LE GOFF and LEGOFF are one."""
    return name_key(name).replace(" ", "")


def perhaps_born(date: dt.date, precision: str) -> Q:
    """Return the condition of a birth date that may be this one, whose unknown part is filled as common/dates.py does.

    A complete one is looked for by the three or four dates it may have been stored as: the index answers.
    """
    year = Q(birth_date__range=(date.replace(month=1, day=1), date.replace(month=12, day=31)))
    if precision == Precision.YEAR:
        return year
    vague = Q(birth_date_precision=Precision.YEAR)
    if precision == Precision.MONTH:
        last = date.replace(day=calendar.monthrange(date.year, date.month)[1])
        return Q(birth_date__range=(date.replace(day=1), last)) | (vague & year)
    of_the_month = Q(birth_date=date.replace(day=1), birth_date_precision=Precision.MONTH)
    # The year alone, or the day and the year.
    stored = (date.replace(month=12, day=31), date.replace(month=1))
    return Q(birth_date=date) | of_the_month | (vague & Q(birth_date__in=stored))
