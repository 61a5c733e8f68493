"""A browser in which an act is done on the page where its form stands, and timed from its last gesture to the answer.

From a click, or Enter, to the first paint of the page that answers, redirect included; from the request of a fragment
to the frame after it was put in place. A field that looks for what is typed waits for the next letter (100 to 400 ms)
before it asks: that wait is a choice, and is not in the time.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench import servers, weights
from tests.bench.deeds import CLICK, ENTER, LEAVE, PAGE, PIECE, TYPE, Act, Scene, every

SIZE = (1366, 900)
# Seconds for an answer, and for a fragment that a field just filled asks for.
PATIENCE, SETTLES = 10.0, 0.45
# Milliseconds between two keys; letters typed in each field, fields of a page, when typing itself is watched.
KEY, LETTERS, FIELDS = 30, "abcdefg", 6
WATCH = """
if (location.protocol.startsWith("http")) {
  const at = (moment) => performance.timeOrigin + moment;
  const armed = () => sessionStorage.getItem("armed");
  const began = () => Number(sessionStorage.getItem("began"));
  const tell = (said) => { sessionStorage.clear(); window.answered(said); };
  for (const type of ["click", "keydown"]) {
    addEventListener(type, (event) => { if (armed()) sessionStorage.setItem("began", at(event.timeStamp)); }, true);
  }
  if (armed() === "page" && began()) {
    const start = began();
    new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach((paint) => {
      const [way] = performance.getEntriesByType("navigation");
      tell({took: at(paint.startTime) - start, act: way.redirectEnd - way.redirectStart,
            page: way.responseStart - Math.max(way.fetchStart, way.redirectEnd),
            drawn: paint.startTime - way.responseStart, status: way.responseStatus, redirects: way.redirectCount});
    })).observe({type: "paint", buffered: true});
  }
  let asked = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (armed() === "piece") asked = {xhr: event.detail.xhr, moment: performance.now()};
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (armed() !== "piece" || asked?.xhr !== event.detail.xhr) return;
    const {moment} = asked, {status} = event.detail.xhr;
    asked = null;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => tell({took: performance.now() - moment, status, redirects: 0});
      channel.port2.postMessage(0);
    });
  });
  window.typing = {long: 0, key: 0};
  new PerformanceObserver((list) => list.getEntries().forEach((task) => {
    window.typing.long = Math.max(window.typing.long, task.duration);
  })).observe({type: "longtask"});
  new PerformanceObserver((list) => list.getEntries().forEach((one) => {
    if (one.name.startsWith("key")) window.typing.key = Math.max(window.typing.key, one.duration);
  })).observe({type: "event", durationThreshold: 16});
}
"""
# Fills the form of a button (or of a field), and says what is wrong with it.
FILL = """
([pattern, words, box, values]) => {
  const to = (button) => new URL(button.getAttribute("formaction") || button.form.getAttribute("action") || "",
                                 location.href).pathname;
  const sends = (button) => button.form && button.form.getAttribute("method") === "post" && button.type === "submit"
    && !button.form.matches("[role=search]") && new RegExp(pattern).test(to(button))
    && button.textContent.includes(words);
  const field = box ? document.querySelector(box) : null;
  const button = box ? null : [...document.querySelectorAll("button")].find(sends);
  if (!field && !button) return {wrong: box ? `no field ${box}` : `no button sends to ${pattern}`};
  const form = (field ?? button).form, missing = [];
  const tell = (one) => ["input", "change"].forEach((name) => one.dispatchEvent(new Event(name, {bubbles: true})));
  const take = (select, value) => {
    const options = [...select.options];
    const found = options.find((one) => one.value === value) ?? options.find((one) => one.value && !one.selected)
      ?? options.find((one) => one.value);
    if (found) { select.value = found.value; tell(select); }
  };
  for (const [name, value] of Object.entries(values)) {
    const held = form.elements.namedItem(name);
    if (!held) { missing.push(name); continue; }
    const many = held instanceof RadioNodeList ? [...held] : [held];
    if (["radio", "checkbox"].includes(many[0].type)) {
      const wanted = value === "*" ? [many.find((one) => !one.checked && one.value !== "autre")]
        : many.filter((one) => [].concat(value).includes(one.value));
      wanted.filter((one) => one && !one.checked).forEach((one) => { one.checked = true; tell(one); });
    } else if (held.tagName === "SELECT") take(held, value);
    else if (held.value !== value) { held.value = value; tell(held); }
  }
  if (button) {
    form.querySelectorAll("select[required]").forEach((select) => select.value || take(select, ""));
    form.querySelectorAll("[role=radiogroup][aria-required=true]").forEach((group) => {
      const radios = [...group.querySelectorAll("input[type=radio]")];
      if (radios.some((one) => one.checked && one.name === radios[0].name)) return;
      radios[0].checked = true;
      tell(radios[0]);
    });
  }
  const live = Object.keys(values).length > 0 && form.querySelector("[hx-post], [hx-get]") !== null;
  return {wrong: missing.length ? `no field ${missing.join(", ")}` : "", live};
}
"""
# The button again: what is typed may have drawn it anew. What hides it is opened.
PRESS = """
([pattern, words]) => {
  const to = (button) => new URL(button.getAttribute("formaction") || button.form.getAttribute("action") || "",
                                 location.href).pathname;
  const button = [...document.querySelectorAll("button")].find((one) => one.form && one.type === "submit"
    && one.form.getAttribute("method") === "post" && !one.form.matches("[role=search]")
    && new RegExp(pattern).test(to(one)) && one.textContent.includes(words));
  for (let folded = button?.closest("details"); folded; folded = folded.parentElement.closest("details")) {
    folded.open = true;
  }
  button?.setAttribute("data-timed", "");
}
"""
REFUSED = """
() => document.querySelector("[data-error-summary], main > .message-refus:first-child")?.textContent
  .replace(/\\s+/g, " ").trim() ?? ""
"""
# Marks the fields of a page that a script reads, so many at most; returns how many.
WITH_SCRIPT = """
(most) => {
  const read = "form[data-draft], form[role=search], [data-combobox], [data-matrix-tools], [hx-post]";
  const found = [...document.querySelectorAll("input, textarea")].filter((one) =>
    ["text", "search", "textarea"].includes(one.type) && one.offsetParent && !one.readOnly && !one.disabled
    && one.closest(read)).slice(0, most);
  found.forEach((one, rank) => one.setAttribute("data-watched", rank));
  return found.length;
}
"""


class NotDoneError(Exception):
    """The act was refused, or nothing answered: its time would be that of something else."""


@dataclass(frozen=True)
class Answer:
    """Milliseconds: all of it; of a page, what the act took, the page after it, and drawing."""

    took: float
    act: float = 0
    page: float = 0
    drawn: float = 0


@dataclass(frozen=True)
class Typed:
    """What typing in the fields of a page met: the longest task, and the longest from a key to its paint (ms)."""

    route: str
    fields: int
    long: float
    key: float


class Hand:
    """Somebody at a desk. Whoever acts, it is the same browser: what it keeps of one page serves the next."""

    def __init__(self, browser, address: str) -> None:
        # Playwright runs a loop in this thread, and what an act needs is made here, by Django.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        self._address, self._heard = address, []
        self._context = weights.context_of(browser, "", SIZE)
        self._context.set_default_timeout(PATIENCE * 1000)
        self._page = self._context.new_page()
        self._page.expose_binding("answered", lambda _, said: self._heard.append(said))
        self._page.add_init_script(WATCH)
        self._cookies: dict[Any, str] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._scene: Scene | None = None

    def does(self, act: Act, scene: Scene) -> Answer:
        """Do an act of a scene. Raises NotDoneError when it was not done."""
        ids = self._ids(act, scene)
        self._opens(act, scene, ids)
        for step in act.first:
            self._acts(step, scene, ids)
        said = self._acts(act, scene, ids)
        return Answer(*(float(said.get(name, 0)) for name in ("took", "act", "page", "drawn")))

    def types(self, act: Act, scene: Scene) -> Typed | None:
        """Type in each field of the page of an act that a script reads; None when it has none, or is there no more."""
        answer = self._opens(act, scene, self._ids(act, scene), strict=False)
        boxes = self._page.evaluate(WITH_SCRIPT, FIELDS) if answer == 200 else 0
        for rank in range(boxes):
            self._page.locator(f"[data-watched='{rank}']").press_sequentially(LETTERS, delay=KEY)
        if not boxes:
            return None
        self._page.wait_for_timeout(300)
        seen = self._page.evaluate("window.typing")
        return Typed(act.page, boxes, seen["long"], seen["key"])

    def _ids(self, act: Act, scene: Scene) -> dict[str, Any]:
        if scene is not self._scene:
            self._begins(scene)
        return self._known[act.route] | (act.before(scene) or {})

    def _begins(self, scene: Scene) -> None:
        """Begin a round: everybody has just signed in, and nothing of its dossier has changed."""
        from tests.security import routes

        self._scene = scene
        self._cookies.clear()
        known = routes.ids_of(scene.world, scene.place)
        self._known = {
            act.route: known | routes.OWN_IDS.get(act.route, lambda *_: {})(scene.world, scene.place)
            for act in every()
        }

    def _opens(self, act: Act, scene: Scene, ids: Mapping[str, Any], *, strict: bool = True) -> int:
        user = None if act.who == "nobody" else scene.user(act.who)
        key = user and user.pk
        if key not in self._cookies:
            self._cookies[key] = servers.signed_in(user) if user else ""
        weights.sign_in(self._context, self._cookies[key])
        answer = self._page.goto(self._address + _address(act.page, ids) + act.query(scene))
        status = answer.status if answer else 0
        # A link that no longer serves is shown with 410, and may be asked again.
        if strict and status not in (200, 410):
            raise NotDoneError(f"{act.page} answered {status}")
        return status

    def _acts(self, act: Act, scene: Scene, ids: Mapping[str, Any]) -> dict:
        page, pattern = self._page, _pattern(act, ids)
        box = "" if act.by == CLICK else act.box
        found = page.evaluate(FILL, [pattern, act.words, box, act.said(scene)])
        if found["wrong"]:
            raise NotDoneError(found["wrong"])
        if found["live"]:
            page.wait_for_timeout(SETTLES * 1000)
        self._heard.clear()
        kind = "piece" if act.answer == PIECE else "page"
        if act.by == CLICK:
            page.evaluate(PRESS, [pattern, act.words])
        page.evaluate("(kind) => { sessionStorage.clear(); sessionStorage.setItem('armed', kind); }", kind)
        self._gesture(act)
        said = self._answer()
        refused = page.evaluate(REFUSED) if kind == "page" else ""
        if said["status"] >= 400 and said["status"] != 410 or refused:
            raise NotDoneError(f"{said['status']} {refused[:200]}")
        if act.answer == PAGE and not said["redirects"]:
            raise NotDoneError("the form was shown again")
        return said

    def _gesture(self, act: Act) -> None:
        if act.by == CLICK:
            self._page.locator("[data-timed]").click()
            return
        box = self._page.locator(act.box).first
        if act.typed:
            box.press_sequentially(act.typed, delay=KEY)
        if act.by in (ENTER, LEAVE):
            box.press({ENTER: "Enter", LEAVE: "Tab"}[act.by])
        assert act.by in (ENTER, LEAVE, TYPE), act.by

    def _answer(self) -> dict:
        until = time.monotonic() + PATIENCE
        while not self._heard:
            if time.monotonic() > until:
                raise NotDoneError("nothing answered")
            self._page.wait_for_timeout(5)
        return self._heard[0]


def _address(route: str, ids: Mapping[str, Any]) -> str:
    from tests.security import routes

    return routes.address(route, routes.parts_of(route), ids)


def _pattern(act: Act, ids: Mapping[str, Any]) -> str:
    """Return what the address is like that the form sends to."""
    nobody = "00000000-0000-0000-0000-00000000abcd"
    sent = _address(act.route, dict(ids) | dict.fromkeys(act.any_of, nobody))
    return f"^{re.escape(sent).replace(re.escape(nobody), '[^/]+')}$"
