"""The bars of the rights comb: one per rubric, full for écriture, half for lecture, a floor line for none."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

_STEP = 7
# Level -> (class, top, height).
_BARS = {2: ("e", 0, 15), 1: ("l", 8, 7), 0: ("n", 13, 2)}


def comb_bars(levels: Iterable[int]) -> Markup:
    """Return the SVG shapes of `levels` (0, 1, 2; integer enums will do), one path per level present."""
    return _bars(tuple(int(level) for level in levels))


@lru_cache(maxsize=512)  # few profiles exist, and each appears on many rows
def _bars(levels: tuple[int, ...]) -> Markup:
    paths = []
    for level, (name, y, height) in _BARS.items():
        shapes = "".join(f"M{i * _STEP} {y}h5v{height}h-5z" for i, held in enumerate(levels) if held == level)
        if shapes:
            paths.append(f'<path class="{name}" d="{shapes}"/>')
    return Markup("".join(paths))  # noqa: S704 (numbers only)
