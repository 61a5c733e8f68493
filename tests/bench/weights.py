"""What a browser downloads: first view, next pages, requests, layout shifts (PERF-14, design README §9).

Chromium on the product as production serves it. Bytes are those of the network, headers included; what the browser
already holds is not asked again and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import servers

FIRST_KB, FIRST_REQUESTS = 130, 12
NEXT_KB, NEXT_REQUESTS = 25, 3
SHIFT = 0.02
SIZES = ((1366, 900), (390, 844))
KB = 1000
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) window.shifts += one.value; })
  .observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Visit:
    """One page opened: bytes and requests on the network, sum of the layout shifts."""

    bytes: int = 0
    requests: int = 0
    shift: float = 0.0
    compressed: bool = True


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from coordination.runtime import chromium
    from tests.bench import town

    program = chromium.find()
    if not program:
        return [_figure("Weights", "no Chromium on this machine", "a browser", False)]
    with servers.database(lambda: town.build(dossiers=200)) as there, servers.product() as (address, _):
        cookie = servers.signed_in(there.reader)
        dossier = f"/dossiers/{there.entry.dossier.pk}/"
        firsts = {"Sign-in": ("/compte/connexion/", ""), "Patients": ("/dossiers/", cookie),
                  "circle": (f"{dossier}cercle/", cookie)}  # fmt: skip
        nexts = ["/dossiers/", dossier, f"{dossier}cercle/", f"{dossier}cercle/ajouter/", f"{dossier}identite/",
                 "/annuaire/", "/annuaire/structures/", "/compte/", "/dossiers/creer/"]  # fmt: skip
        with browser_of(program) as browser:
            cold = {name: _visits(browser, address, cookie, [path])[0] for name, (path, cookie) in firsts.items()}
            warm = [visit for size in SIZES for visit in _visits(browser, address, cookie, nexts, size)[1:]]
    return [*_firsts(cold), *_nexts(nexts[1:], warm), *_all([*cold.values(), *warm])]


def _firsts(cold: dict[str, Visit]) -> Iterator[dict]:
    for name, visit in cold.items():
        kept = visit.bytes <= FIRST_KB * KB and visit.requests <= FIRST_REQUESTS
        said = f"{visit.bytes / KB:.0f} KB, {visit.requests} requests"
        yield _figure(f"First view, {name}", said, f"≤ {FIRST_KB} KB, ≤ {FIRST_REQUESTS}", kept)


def _nexts(paths: list[str], warm: list[Visit]) -> Iterator[dict]:
    heaviest = max(range(len(warm)), key=lambda rank: warm[rank].bytes)
    visit, most = warm[heaviest], max(visit.requests for visit in warm)
    kept = visit.bytes <= NEXT_KB * KB and most <= NEXT_REQUESTS
    said = f"{visit.bytes / KB:.1f} KB (page {heaviest % len(paths) + 1} of {len(paths)}), {most} requests at most"
    yield _figure("Next page, the heaviest", said, f"≤ {NEXT_KB} KB, ≤ {NEXT_REQUESTS}", kept)


def _all(visits: list[Visit]) -> Iterator[dict]:
    worst = max(visit.shift for visit in visits)
    yield _figure("Layout shift, the worst page, desktop and phone", f"{worst:.3f}", f"< {SHIFT}", worst < SHIFT)
    packed = all(visit.compressed for visit in visits)
    yield _figure("Pages and text files compressed", "yes" if packed else "no", "all", packed)


def _figure(name: str, value: str, goal: str, kept: bool) -> dict:
    return {"name": name, "value": value, "ratio": None, "yardstick": None, "goal": goal, "ok": kept}


# --- Browser --------------------------------------------------------------------------------------


@contextmanager
def browser_of(program: str) -> Iterator:
    """Open the Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def context_of(browser, cookie: str, size: tuple[int, int], **more):
    """Return a context that has never been here, in which who has this cookie is signed in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="fr-FR",
        extra_http_headers=dict([servers.THROUGH_TLS]),
        **more,
    )
    sign_in(context, cookie)
    return context


def sign_in(context, cookie: str) -> None:
    """Give a browser these cookies and no other."""
    context.clear_cookies()
    # Secure cookies: Chromium gives them to this machine's own address without TLS too.
    kept = [pair.split("=", 1) for pair in cookie.split("; ") if pair]
    context.add_cookies([{"name": name, "value": value, "url": f"https://{servers.HOST}/"} for name, value in kept])


def _visits(browser, address: str, cookie: str, paths: list[str], size=SIZES[0]) -> list[Visit]:
    """Open pages one after the other in a browser that has never been here."""
    context = context_of(browser, cookie, size)
    page = context.new_page()
    page.add_init_script(WATCH_SHIFTS)
    network = Network(context.new_cdp_session(page))
    visits = []
    for path in paths:
        network.visit = visit = Visit()
        answer = page.goto(address + path, wait_until="networkidle")
        if answer is None or answer.status != 200 or page.url != address + path:
            raise RuntimeError(f"{path} answered {answer and answer.status}, {page.url}")
        visit.shift = page.evaluate("window.shifts")
        visits.append(visit)
    context.close()
    return visits


class Network:
    """Counts for the visit of the moment what comes from the network."""

    TEXT = ("text/html", "text/css", "text/javascript", "image/svg+xml")

    def __init__(self, session) -> None:
        self.visit, self.held = Visit(), set()
        session.on("Network.requestServedFromCache", lambda event: self.held.add(event["requestId"]))
        session.on("Network.responseReceived", self.received)
        session.on("Network.loadingFinished", self.finished)
        session.send("Network.enable")

    def received(self, event: dict) -> None:
        answer = event["response"]
        if answer.get("fromDiskCache"):
            self.held.add(event["requestId"])
        elif answer["mimeType"] in self.TEXT:
            said = {name.lower(): value for name, value in answer["headers"].items()}
            if said.get("content-encoding") not in ("gzip", "br") and int(said.get("content-length", 0)) > KB:
                self.visit.compressed = False

    def finished(self, event: dict) -> None:
        if event["requestId"] not in self.held:
            self.visit.bytes += round(event["encodedDataLength"])
            self.visit.requests += 1
