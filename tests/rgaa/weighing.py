"""What a first view of a page asks of the network and the browser, and what moves meanwhile (PERF-15, PERF-16)."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.bench import ecoindex, weights

# The files of ours that the page asked for, loaded again or not.
ASKED = "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
ELEMENTS, REQUESTS, KILOBYTES = 600, 12, 150
# More than 600 elements, and how many at most (docs/conformity.md, PERF-16): the two grids of administration. Nothing
# else of their weight is excused.
HEAVY = {"/habilitations.matrix": 1600, "/habilitations.rights": 1150}
# Of one answer, about.
HEADERS = 700
STATIC = Path(settings.STATICFILES_DIRS[0])


def heavy(page: Any, html: str, path: str) -> list[str]:
    """Return what of a first view is over the bounds of PERF-16, compressed as the network carries it.

    A page of HEAVY has its own bound of elements, and is a fault when it no longer needs it.
    """
    files = {name for name in page.evaluate(ASKED) if name.startswith("/static/")}
    weight = len(gzip.compress(html.encode())) + sum(_weight(name) for name in files)
    elements, requests = page.evaluate(ecoindex.COUNT), 1 + len(files)
    kilobytes = (weight + HEADERS * requests) / 1000
    light = path in HEAVY and elements <= ELEMENTS
    said = {f"{elements} elements": elements > HEAVY.get(path, ELEMENTS), "is no longer heavy": light,
            f"{requests} requests": requests > REQUESTS,
            f"{kilobytes:.0f} kB": kilobytes > KILOBYTES}  # fmt: skip
    return [fault for fault, over in said.items() if over]


def moved(page: Any) -> list[str]:
    """Return what shifted since the page was asked for; it was opened under `weights.WATCH_SHIFTS`."""
    shifts = page.evaluate("window.shifts")
    return [f"moves by {shifts:.3f}"] if shifts > weights.SHIFT else []


def _weight(name: str) -> int:
    content = (STATIC / name.removeprefix("/static/")).read_bytes()
    return len(content) if name.endswith(".woff2") else len(gzip.compress(content))
