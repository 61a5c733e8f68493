"""The one walk of the suite over every page as a browser draws it: each is opened once, every look is asked of it.

A look that is added to LOOKS is asked of every page of the product, at its own size, in the same walk: what is long is
opening pages, not looking at them. Its test reads `drawn.wrong(found, name)`.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from tests import axe
from tests.bench import weights
from tests.front.policy import WATCH
from tests.front.rendering import Handler
from tests.rgaa import apart, tree, weighing

# Text that its own box cuts, where the reader can neither scroll nor see the rest.
CUT = """() => [...document.querySelectorAll('body *')].filter((one) => {
  if (!one.checkVisibility({visibilityProperty: true}) || one.clientWidth <= 1) return false;
  if (one.closest('.visually-hidden, [aria-hidden=true], svg')) return false;
  if (![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) return false;
  const style = getComputedStyle(one);
  const hides = (said) => said === 'hidden' || said === 'clip';
  return (hides(style.overflowX) && one.scrollWidth > one.clientWidth + 1)
    || (hides(style.overflowY) && one.scrollHeight > one.clientHeight + 1);
}).map((one) => `cut: ${one.tagName} in ${one.parentElement.className} « ${one.textContent.trim().slice(0, 30)} »`)"""
# Words that stand on other words: a line of text that meets a line of another element which is neither around it nor
# in it. What is laid over the page on purpose (menus, sticky heads, notices) is left out.
OVER = """() => {
  const lines = [];
  const apart = '.visually-hidden, .skip-link, [aria-hidden=true], svg, option, .menu-list, .toasts, dialog, thead';
  const seen = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (seen.nextNode()) {
    const one = seen.currentNode.parentElement;
    if (!seen.currentNode.textContent.trim()) continue;
    if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true}) || one.closest(apart)) continue;
    let laid = false;
    for (let up = one; up; up = up.parentElement)
      laid ||= ['sticky', 'fixed'].includes(getComputedStyle(up).position) || getComputedStyle(up).clipPath !== 'none';
    if (laid) continue;
    const range = document.createRange();
    range.selectNodeContents(seen.currentNode);
    for (const box of range.getClientRects()) if (box.width > 2 && box.height > 2) lines.push([box, one]);
  }
  lines.sort((a, b) => a[0].top - b[0].top);
  const found = [];
  for (let i = 0; i < lines.length; i++) {
    const [a, one] = lines[i];
    for (let j = i + 1; j < lines.length && lines[j][0].top < a.bottom; j++) {
      const [b, other] = lines[j];
      if (one.contains(other) || other.contains(one)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // The boxes of two lines of tight text touch: a third of a line is words on words.
      if (wide > 2 && high > Math.min(a.height, b.height) / 3)
        found.push(`« ${one.textContent.trim().slice(0, 25)} » on « ${other.textContent.trim().slice(0, 25)} »`);
    }
  }
  return found.slice(0, 3);
}"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What makes a page wider than its window, where it is narrow enough to be told.
CULPRITS = """() => [...document.querySelectorAll('body *')].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > document.documentElement.clientWidth + 1
    && getComputedStyle(one).position !== 'absolute';
}).slice(0, 3).map((one) => `${one.tagName}.${one.className}`)"""
# What a reader may set (WCAG 1.4.12). By the object model: the content policy refuses a style sheet that is not ours.
SPACED = """() => document.querySelectorAll('body, body *').forEach((one) => {
  one.style.setProperty('line-height', '1.5', 'important');
  one.style.setProperty('letter-spacing', '.12em', 'important');
  one.style.setProperty('word-spacing', '.16em', 'important');
  if (one.tagName === 'P') one.style.setProperty('margin-bottom', '2em', 'important');
})"""
TWICE = "() => document.documentElement.style.setProperty('font-size', '200%')"
ONCE = "() => document.documentElement.style.removeProperty('font-size')"

Look = Callable[[Any], list[str]]


@dataclass(frozen=True)
class Size:
    width: int
    height: int


PHONE, TABLET, DESKTOP = Size(390, 844), Size(820, 1180), Size(1280, 900)


def fits(page) -> list[str]:
    """Nothing goes past the window nor is cut by its own box."""
    wide = page.evaluate(WIDE)
    past = [f"{wide} px too wide: {page.evaluate(CULPRITS)}"] if wide > 1 else []
    return [*past, *page.evaluate(CUT)]


def stands_apart(page) -> list[str]:
    """The same, and no words stand on others."""
    return [*fits(page), *page.evaluate(OVER)]


def twice_the_text(page) -> list[str]:
    page.evaluate(TWICE)
    found = stands_apart(page)
    page.evaluate(ONCE)
    return found


def spaced(page) -> list[str]:
    page.evaluate(SPACED)
    return fits(page)


def told(page) -> list[str]:
    """What a screen reader is told: names, headings, landmarks."""
    return tree.faults(tree.of(page))


# Looks that are asked at one of the three sizes, drawn for each page by the seed of the run; at all three by FULL=1.
# axe, the longest, is asked of half of the pages each time: those of the stories are asked by the stories too.
BY_SIZE: Mapping[str, Look] = {"axe": axe.violations, "tree": told}
SIZES = (PHONE, TABLET, DESKTOP)
# {name: (size, look)}, in this order: the last leaves the page as it found it not.
LOOKS: Mapping[str, tuple[Size, Look]] = {
    "narrow": (Size(320, 640), fits),
    "edges": (DESKTOP, apart.edges),
    "links": (DESKTOP, apart.links),
    # A window of 1280 pixels whose reader zooms to 200 %.
    "zoomed": (Size(640, 450), stands_apart),
    "twice": (DESKTOP, twice_the_text),
    "spaced": (DESKTOP, spaced),
}


def walk(pages: Mapping[str, str], browser, *, seed: int) -> dict[tuple[str, str], list[str]]:
    """Return {(page, look): what is wrong}: `pages` {path: HTML} drawn from a server of them and of our files."""
    chance, full, found = random.Random(seed), bool(os.environ.get("FULL")), {}
    server = _served(pages)
    context = browser.new_context(viewport=_as_dict(DESKTOP), locale="fr-FR", reduced_motion="reduce")
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    # What the policy of contents refuses is told there too.
    page.add_init_script(WATCH)
    page.add_init_script(weights.WATCH_SHIFTS)
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in sorted(pages):
        page.goto(f"http://127.0.0.1:{server.server_port}{path}", wait_until="load")
        found[path, "moved"] = weighing.moved(page)
        found[path, "weighed"] = weighing.heavy(page, pages[path], path)
        for size in SIZES if full else [chance.choice(SIZES)]:
            page.set_viewport_size(_as_dict(size))
            for name, look in BY_SIZE.items():
                if name == "axe" and not full and chance.random() < 0.5:
                    continue
                found[path, name] = found.get((path, name), []) + [f"{size.width}: {one}" for one in look(page)]
        for name, (size, look) in LOOKS.items():
            page.set_viewport_size(_as_dict(size))
            found[path, name] = look(page)
        found[path, "console"], said[:] = list(said), []
    context.close()
    server.shutdown()
    server.server_close()
    return found


def wrong(found: Mapping[tuple[str, str], list[str]], look: str, *, known: Collection[str] = ()) -> str:
    """Return what one look found, page by page: nothing when all is well. `known`: pages whose faults are said."""
    said = {path: faults for (path, name), faults in found.items() if name == look and faults}
    return "\n".join(f"{path}: {faults}" for path, faults in said.items() if path not in known)


def _as_dict(size: Size) -> dict[str, int]:
    return {"width": size.width, "height": size.height}


def _served(pages: Mapping[str, str]) -> ThreadingHTTPServer:
    class Drawn(Handler):
        def do_GET(self):
            if self.path in pages:
                self.answer(pages[self.path].encode(), "text/html; charset=utf-8")
            elif self.path.startswith("/static/"):
                super().do_GET()
            else:
                self.answer(b"", "text/html")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drawn)
    server.daemon_threads, server.posts = True, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
