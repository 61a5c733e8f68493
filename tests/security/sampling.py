"""What of the tables is asked: every cell with `FULL=1`, else what tells two profiles apart, and a draw of the rest.

Two profiles owed the same answers by every line of the table are one class: the first is asked everything, each other
one a part, drawn again at each run (`--randomly-seed` draws it again). That the product gives two profiles of one
class the same levels and rights is compared without a draw, cell by cell, in test_second_engine.py.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

FULL = bool(os.environ.get("FULL"))
# Of what the others of a class are asked, in the short form.
SHARE = 6


def classes(profiles: Iterable[str], owed: Callable[[str], object]) -> list[list[str]]:
    """Return the profiles gathered by what they are owed, in their order."""
    found: dict[object, list[str]] = {}
    for profile in profiles:
        found.setdefault(owed(profile), []).append(profile)
    return list(found.values())


def asked(
    profiles: Iterable[str], owed: Callable[[str], object], routes: Mapping[str, tuple]
) -> Iterator[tuple[str, Mapping[str, tuple]]]:
    """Yield (profile, routes to ask as it)."""
    for first, *others in classes(profiles, owed):
        yield first, routes
        for profile in others:
            yield profile, part_of(routes)


def part_of(routes: Mapping[str, tuple]) -> Mapping[str, tuple]:
    """Return some routes drawn by chance; all of them in the full form."""
    if FULL:
        return routes
    names = random.sample(sorted(routes), max(1, len(routes) // SHARE))
    return {name: routes[name] for name in names}


def few(things: Sequence, count: int) -> Sequence:
    """Return this many of them, drawn by chance; all of them in the full form."""
    return things if FULL else random.sample(things, count)
