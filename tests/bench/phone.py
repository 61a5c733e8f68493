"""A phone of 2018 on a slow network (PERF-15), and the Ecoindex (PERF-16): every page, opened for the first time.

Chromium with its processor four times slower, 150 ms for each answer and 1.6 Mbit/s, as Lighthouse says « slow 4G »;
nothing is kept from one page to the next. The machine that measures is also the server: its cores are not those of a
phone, and the figures are of this machine, divided by four. Pages with little on them are walked all (tests/security);
those that a busy circle fills are opened as `weights` does.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import ecoindex, every_page, servers, weights
from tests.bench.every_page import Open

SIZE = (390, 844)
SLOWER = 4
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
LCP, INP, SHIFT, BLOCKED = 1500, 100, 0.02, 100
ELEMENTS, REQUESTS, KILOBYTES = 600, 12, 150
# Pages over a goal that are named in the report.
NAMED = 12
WATCH = """
window.seen = {lcp: 0, shift: 0, blocked: 0, inp: 0};
const watch = (type, add, more) =>
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({type, buffered: true, ...more});
watch("largest-contentful-paint", (one) => { seen.lcp = one.startTime; });
watch("layout-shift", (one) => { if (!one.hadRecentInput) seen.shift += one.value; });
watch("longtask", (one) => { seen.blocked += Math.max(0, one.duration - 50); });
watch("event", (one) => { if (one.interactionId) seen.inp = Math.max(seen.inp, one.duration); },
  {durationThreshold: 16});
"""


@dataclass(frozen=True)
class Seen:
    """What a page took: milliseconds, but for `shift`; then what it weighs."""

    name: str
    lcp: float
    inp: float
    shift: float
    blocked: float
    elements: int
    requests: int
    kilobytes: float

    @property
    def ecoindex(self) -> float:
        return ecoindex.score(self.elements, self.requests, self.kilobytes)


_over: list[str] = []


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from coordination.runtime import chromium
    from tests.bench import town

    program = chromium.find()
    if not program:
        return [_figure("Phone of 2018", "no Chromium on this machine", "a browser", False)]
    with servers.database(every_page.build) as world, servers.product() as (address, _):
        pages = every_page.found(world, address)
        seen = _opened(program, address, pages)
    with servers.database(lambda: town.build(dossiers=200)) as there, servers.product() as (address, _):
        cookie = servers.signed_in(there.reader)
        circle = f"/dossiers/{there.entry.dossier.pk}/cercle/"
        busy = [Open("a list of 200 dossiers", "/dossiers/", cookie), Open("a circle of thirty", circle, cookie)]
        seen += _opened(program, address, busy)
    _over.clear()
    return [*_timed(seen), *_weighed(seen)]


def notes(full: bool) -> str:
    """Return which pages are over which goal, the furthest first."""
    return "\n".join(["Pages over a goal, the furthest first:", "", *_over]) if _over else "No page is over a goal."


def _timed(seen: list[Seen]):
    yield _worst(seen, "Largest paint", "lcp", lambda one: one.lcp, LCP, "ms")
    yield _worst(seen, "Answer to a key or a tap", "inp", lambda one: one.inp, INP, "ms")
    yield _worst(seen, "Layout shift", "shift", lambda one: one.shift, SHIFT, "")
    yield _worst(seen, "Blocked time", "blocked", lambda one: one.blocked, BLOCKED, "ms")


def _weighed(seen: list[Seen]):
    yield _worst(seen, "Elements", "elements", lambda one: one.elements, ELEMENTS, "")
    yield _worst(seen, "Requests", "requests", lambda one: one.requests, REQUESTS, "")
    yield _worst(seen, "Weight of a first view", "kilobytes", lambda one: one.kilobytes, KILOBYTES, "kB")
    below = sorted((one for one in seen if ecoindex.grade(one.ecoindex) != "A"), key=lambda one: one.ecoindex)
    _name("Ecoindex", below, lambda one: f"{one.ecoindex:.0f}")
    worst = min(seen, key=lambda one: one.ecoindex)
    said = f"{len(seen) - len(below)} of {len(seen)}; median {statistics.median(one.ecoindex for one in seen):.0f}, "
    said += f"worst {worst.ecoindex:.0f} {ecoindex.grade(worst.ecoindex)} ({worst.name})"
    yield _figure("Ecoindex A, first view", said, "all", not below)


def _worst(seen: list[Seen], name: str, key: str, of: Callable[[Seen], float], goal: float, unit: str) -> dict:
    values = sorted(map(of, seen))
    digits = 3 if goal < 1 else 0
    over = sorted((one for one in seen if of(one) > goal), key=of, reverse=True)
    _name(name, over, lambda one: f"{of(one):.{digits}f}")
    middle = f"median {statistics.median(values):.{digits}f}, {len(seen) - len(over)} of {len(seen)} pages within"
    return _figure(f"{name}, the worst page ({middle})", f"{values[-1]:.{digits}f} {unit}".strip(),
                   f"≤ {goal} {unit}".strip(), not over)  # fmt: skip


def _name(name: str, over: list[Seen], said: Callable[[Seen], str]) -> None:
    if over:
        more = f" and {len(over) - NAMED} more" if len(over) > NAMED else ""
        _over.append(f"* {name}: {', '.join(f'{one.name} {said(one)}' for one in over[:NAMED])}{more}")


def _figure(name: str, value: str, goal: str, kept: bool) -> dict:
    return {"name": name, "value": value, "ratio": None, "yardstick": None, "goal": goal, "ok": kept}


# --- Browser --------------------------------------------------------------------------------------


def _opened(program: str, address: str, pages: list[Open]) -> list[Seen]:
    with weights.browser_of(program) as browser:
        return [seen for page in pages if (seen := _open(browser, address, page))]


def _open(browser, address: str, asked: Open) -> Seen:
    """Open a page in a browser that has never been here, then touch it."""
    context = weights.context_of(browser, asked.cookie, SIZE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.add_init_script(WATCH)
    session = context.new_cdp_session(page)
    network = weights.Network(session)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    session.send("Network.emulateNetworkConditions", NETWORK)
    answer = page.goto(address + asked.path, wait_until="networkidle", timeout=60_000)
    if answer is None or answer.status != 200:
        raise RuntimeError(f"{asked.name} answered {answer and answer.status}")
    elements = page.evaluate(ecoindex.COUNT)
    visit = network.visit
    requests, kilobytes = visit.requests, visit.bytes / weights.KB
    _touch(page)
    seen = page.evaluate("window.seen")
    context.close()
    return Seen(asked.name, seen["lcp"], seen["inp"], seen["shift"], seen["blocked"], elements, requests, kilobytes)


def _touch(page) -> None:
    """Tap the page, open and close each menu in sight, type two letters in the first field, go on with Tab."""
    # What holds the page, where nothing answers: a title may be drawn for screen readers only.
    page.locator("main").first.tap(position={"x": 2, "y": 2})
    for menu in page.locator("details > summary:visible").all()[:3]:
        menu.tap()
        page.wait_for_timeout(100)
        page.keyboard.press("Escape")
    box = page.locator("main input:visible:is([type=text], [type=search], [type=email], :not([type]))").first
    if box.count():
        box.tap()
        page.keyboard.type("ab", delay=50)
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
