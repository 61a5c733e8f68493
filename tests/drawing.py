"""What is drawn of the variants of a test when the whole suite is run (docs/decisions: what is asked at each change).

A test marked `drawn(n)` has more variants than one run needs: n of them are asked, drawn by the seed of the run, so
that runs meet all of them in time and `--randomly-seed=…` draws the same again. Who names a file or a
folder, or says `FULL=1`, has them all.
"""

import os
import random
from pathlib import Path


def left_out(config, items):
    """Return the items of this run that are not asked."""
    if os.environ.get("FULL") or [Path(named).name for named in config.args] != config.getini("testpaths"):
        return []
    variants = {}
    for item in items:
        if marker := item.get_closest_marker("drawn"):
            variants.setdefault((item.nodeid.partition("[")[0], marker.args[0]), []).append(item)
    found = []
    for (name, count), asked in variants.items():
        # The same in each worker, whatever the order in which they collected.
        asked.sort(key=lambda item: item.nodeid)
        chance = random.Random(f"{config.getoption('randomly_seed', 0)} {name}")
        kept = chance.sample(asked, min(count, len(asked)))
        found += [item for item in asked if item not in kept]
    return found
