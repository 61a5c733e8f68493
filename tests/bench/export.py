"""The export of the circles of a structure, in a process of its own: how fast, and how much memory it takes at most.

`python -m tests.bench.export HEADERS` (JSON) prints what one export took; `measured` runs it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from wsgiref.util import setup_testing_defaults

from tests.bench import servers

GOAL = 5_000
# What a process may take more when circles are ten or a hundred times as many: what it keeps is bounded, not constant.
FLAT = 1.2
KB = 1024


def measured(environment: Mapping[str, str], headers: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return {resources, bytes, seconds, first: seconds before the first line, peak: bytes}."""
    command = [sys.executable, "-m", "tests.bench.export", json.dumps(dict(headers))]
    done = subprocess.run(command, cwd=servers.ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def figures(few: dict[str, float], many: dict[str, float]) -> list[dict]:
    """Return the figures of two exports, of few circles and of many."""
    rate, grown = many["resources"] / many["seconds"], many["peak"] / few["peak"]
    return [
        {
            "name": f"Export of a structure ({many['resources']:.0f} resources)",
            "value": f"{rate:.0f} resources/s, first line after {many['first'] * 1000:.0f} ms",
            "ratio": None,
            "yardstick": f"{many['bytes'] / many['seconds'] / KB / KB:.1f} MB/s",
            "goal": f"≥ {GOAL} /s",
            "ok": rate >= GOAL,
        },
        {
            "name": f"Memory of that export, beside that of a smaller one ({few['resources']:.0f} resources)",
            "value": f"{many['peak'] / KB / KB:.0f} MB at most",
            "ratio": grown,
            "yardstick": f"{few['peak'] / KB / KB:.0f} MB",
            "goal": f"≤ {FLAT} ×",
            "ok": grown <= FLAT,
        },
    ]


def main(headers: str) -> None:
    from coordination.wsgi import application

    environ = {"PATH_INFO": "/fhir/$export", "HTTP_X_FORWARDED_PROTO": "https"}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in json.loads(headers).items()}
    setup_testing_defaults(environ)
    environ["HTTP_HOST"] = servers.HOST
    told: list[str] = []
    started = time.perf_counter()
    first, lines, size = 0.0, 0, 0
    for part in application(environ, lambda status, headers, error=None: told.append(status)):
        first = first or time.perf_counter() - started
        lines += part.count(b"\n")
        size += len(part)
    seconds = time.perf_counter() - started
    if not told[0].startswith("200"):
        raise RuntimeError(told[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KB
    print(json.dumps({"resources": lines, "bytes": size, "seconds": seconds, "first": first, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
