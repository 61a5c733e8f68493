"""The Ecoindex of a page (PERF-16): where it stands among the pages of the web, from 0 to 100, 100 the lightest.

The bounds of the twentieths are those published by the Collectif conception numérique responsable (cnumr), drawn from
500,000 pages of HTTP Archive (github.com/cnumr/ecoindex_reference, ecoindex_reference.json); so are the weights (3 for
the elements, 2 for the requests, 1 for the bytes) and the grades. Elements inside a drawing (SVG) do not count.
"""

from __future__ import annotations

from itertools import pairwise

ELEMENTS = (0, 47, 75, 159, 233, 298, 358, 417, 476, 537, 603, 674, 753, 843, 949, 1076, 1237, 1459, 1801, 2479,
            594601)  # fmt: skip
REQUESTS = (0, 2, 15, 25, 34, 42, 49, 56, 63, 70, 78, 86, 95, 105, 117, 130, 147, 170, 205, 281, 3920)
KILOBYTES = (0, 1.37, 144.7, 319.53, 479.46, 631.97, 783.38, 937.91, 1098.62, 1265.47, 1448.32, 1648.27, 1876.08,
             2142.06, 2465.37, 2866.31, 3401.59, 4155.73, 5400.08, 8037.54, 223212.26)  # fmt: skip
GRADES = ((80, "A"), (70, "B"), (55, "C"), (40, "D"), (25, "E"), (10, "F"))
# What a page counts, in a browser.
COUNT = "document.querySelectorAll('*').length - document.querySelectorAll('svg *').length"


def score(elements: int, requests: int, kilobytes: float) -> float:
    """Return the Ecoindex of a page with so many elements, asked with so many requests and kilobytes."""
    weighed = 3 * _rank(ELEMENTS, elements) + 2 * _rank(REQUESTS, requests) + _rank(KILOBYTES, kilobytes)
    return 100 - 5 * weighed / 6


def grade(score: float) -> str:
    """Return the letter of an Ecoindex: A above 80."""
    return next((letter for bound, letter in GRADES if score > bound), "G")


def _rank(bounds: tuple[float, ...], value: float) -> float:
    """Return how many twentieths of the pages are lighter, the one a value is in counted as far as it goes."""
    for rank, (low, high) in enumerate(pairwise(bounds)):
        if value < high:
            return rank + (value - low) / (high - low)
    return len(bounds) - 1
