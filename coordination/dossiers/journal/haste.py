"""How many dossiers somebody had opened in the minutes before each of some moments: « beaucoup de dossiers »."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from coordination.common.statements import rows
from habilitations.traces import OWN_FEED
from habilitations.unusual import Limits

# An opening counts from its time to the next one of the same dossier, or until the minutes are over: the sum of these
# beginnings and ends is the number of dossiers, each once. One pass for all the lines of a page, over the spans that
# matter: a count by line reads the same openings again for each.
_HASTE = """
WITH come AS (
    SELECT line.actor_id, line.at,
        least(
            lead(line.at) OVER (PARTITION BY line.actor_id, line.dossier_id ORDER BY line.at),
            line.at + make_interval(mins => %(minutes)s)
        ) AS until
    FROM unnest(%(people)s::uuid[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
        AS span (actor_id, begins, ends)
    JOIN habilitations_trace AS line
        ON line.actor_id = span.actor_id AND line.at > span.begins AND line.at <= span.ends
        AND line.software <> %(feed)s
), step AS (
    SELECT actor_id, at, 1 AS more FROM come
    UNION ALL SELECT actor_id, until, -1 FROM come
    UNION ALL SELECT *, 0 FROM unnest(%(asked)s::uuid[], %(moments)s::timestamptz[])
)
SELECT actor_id, at, dossiers
FROM (SELECT actor_id, at, more, sum(more) OVER (PARTITION BY actor_id ORDER BY at) AS dossiers FROM step) AS counted
WHERE more = 0"""


def dossiers_lately(asked: Iterable[tuple[UUID | None, dt.datetime]], limits: Limits) -> dict[tuple, int]:
    """Return, for each (person, moment) asked, how many dossiers the person had opened in the minutes before.

    The moment counts, the one `many_minutes` earlier does not. {} when the rule is off. One SQL statement at most.
    """
    sure = sorted((actor_id, at) for actor_id, at in asked if actor_id)
    if not (sure and limits.many):
        return {}
    spans = _spans(sure, dt.timedelta(minutes=limits.many_minutes))
    return {
        (actor_id, at): dossiers
        for actor_id, at, dossiers in rows(
            _HASTE,
            {
                "minutes": limits.many_minutes,
                # A calendar program opens all of them at once, by itself.
                "feed": OWN_FEED,
                "people": [person for person, _, _ in spans],
                "begins": [begins for _, begins, _ in spans],
                "ends": [ends for _, _, ends in spans],
                "asked": [actor_id for actor_id, _ in sure],
                "moments": [at for _, at in sure],
            },
        )
    }


def _spans(asked: list[tuple[UUID, dt.datetime]], width: dt.timedelta) -> list[tuple[UUID, dt.datetime, dt.datetime]]:
    """Return the (person, begins, ends) of these moments and of the time before them, joined where they overlap."""
    spans: list[tuple[UUID, dt.datetime, dt.datetime]] = []
    for person, at in asked:
        begins = at - width
        if spans and spans[-1][0] == person and begins <= spans[-1][2]:
            begins = spans.pop()[1]
        spans.append((person, begins, at))
    return spans
