"""A browser in which somebody does the ten tasks, one after the other, and what each of them took."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.ease.hand import Hand, Keyboard, Pace, Tally
from tests.ease.stage import Place
from tests.ease.tasks import TASKS, Task

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
# Milliseconds from an act to what it shows: the first paint of a page, a piece put in place by htmx.
ANSWERS = """
new PerformanceObserver((list) => list.getEntries().forEach((one) => {
  if (one.name === "first-contentful-paint") window.answered("page", one.startTime);
})).observe({type: "paint", buffered: true});
const asked = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => asked.set(event.detail.xhr, performance.now()));
document.addEventListener("htmx:afterSettle", (event) => {
  const began = asked.get(event.detail.xhr);
  if (began) window.answered("piece", performance.now() - began);
});
"""


@dataclass
class Done:
    """What each task took, by its key, and how long the product took to answer: {"page" or "piece": [ms]}."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    answers: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "piece": []})


def all_of_them(
    browser, address: str, place: Place, name: str, pace: Pace, shots: Path | None = None, *, patient: bool = True
) -> Done:
    """Do the ten tasks with a hand: « souris », « doigt » or « clavier ». `shots`: where to keep each end state."""
    finger = name == "doigt"
    context = browser.new_context(
        base_url=address,
        locale="fr-FR",
        timezone_id="Europe/Paris",
        viewport=PHONE if finger else DESKTOP,
        has_touch=finger,
        is_mobile=finger,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    done, page = Done(), context.new_page()
    page.expose_binding("answered", lambda _, kind, ms: done.answers[kind].append(ms))
    page.add_init_script(ANSWERS)
    _signs_in(page, place)
    kind = Keyboard if name == Keyboard.name else Hand
    hand = kind(page, pace=pace, finger=finger, patient=patient)
    try:
        for task in TASKS:
            done.tallies[task.key] = _done(hand, task, place, shots)
    finally:
        context.close()
    return done


def _done(hand: Hand, task: Task, place: Place, shots: Path | None) -> Tally:
    start = task.start if task.start.startswith("/") else f"/dossiers/{place.dossier_id}/{task.start}"
    hand.page.goto(start)
    hand.page.locator("h1").wait_for()
    hand.begins()
    try:
        tally = hand.ends(task.do(hand, place))
    except Exception as fault:
        said = hand.page.locator("main").inner_text()[:600]
        fault.add_note(f"{task.key}, {hand.name}: {hand.tally} at {hand.page.url}\n{said}")
        raise
    if shots:
        hand.page.screenshot(path=shots / f"{task.key}-{'phone' if hand.finger else hand.name}.png")
    return tally


def _signs_in(page, place: Place) -> None:
    page.goto("/compte/connexion/")
    page.get_by_label("Adresse e-mail").fill(place.email)
    page.locator("input[type=password]").fill(place.password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/compte/connexion" not in url)
