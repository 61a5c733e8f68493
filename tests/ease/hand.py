"""Somebody's hand on the product, counted: with a mouse, with a finger, or with the keyboard alone.

The same task is given to each (tests/ease/tasks.py). A hand waits as somebody would, after the keystroke-level model
of Card, Moran and Newell (1980): `Pace` says for how long, `AT_ONCE` does not wait at all. What is counted does not
depend on the pace.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

# A page has fewer stops than this; more would be a loop that never reaches what is looked for.
STOPS = 120
# Fields further away than this are pointed at rather than reached with Tab.
NEAR = 2
# Of a screen that is scrolled, what one still has before the eyes.
KEPT = 0.7
HELD = "(e) => e === document.activeElement || e.contains(document.activeElement)"
ABOVE = """(e) => { const box = e.getBoundingClientRect();
  const over = e.closest('.topbar') ? 0 : (document.querySelector('.topbar')?.getBoundingClientRect().bottom ?? 0);
  return box.top < Math.min(over, innerHeight / 3) ? box.top - innerHeight / 2
    : box.bottom > innerHeight ? box.bottom - innerHeight / 2 : 0; }"""


@dataclass(frozen=True)
class Pace:
    """Seconds that somebody takes: a key, a decision, a move of the pointer, a press, from the keys to the mouse."""

    key: float = 0.2
    think: float = 1.35
    point: float = 1.1
    press: float = 0.2
    home: float = 0.4
    scroll: float = 0.6


HUMAN = Pace()
AT_ONCE = Pace(0, 0, 0, 0, 0, 0)


@dataclass
class Tally:
    """What a task took. `clicks` are on what acts or chooses, `fields` only put the cursor somewhere."""

    clicks: int = 0
    fields: int = 0
    keys: int = 0
    scrolls: int = 0
    screens: int = 1
    seconds: float = 0.0


@dataclass
class Hand:
    """A mouse on a desk, or a finger on a phone (`finger`)."""

    page: object
    pace: Pace = AT_ONCE
    finger: bool = False
    patient: bool = True
    """Whether it really waits; else what it would have waited is added to its seconds."""
    tally: Tally = field(default_factory=Tally)
    on_keys: bool = False

    name = "souris"

    def __post_init__(self) -> None:
        self.page.on("framenavigated", self._moved)

    def _moved(self, frame) -> None:
        if frame == self.page.main_frame:
            self.tally.screens += 1

    def begins(self) -> None:
        """Start counting: what came before is somebody else's."""
        self.tally, self.on_keys = Tally(), False
        self._began, self._waited = time.monotonic(), 0.0

    def ends(self, shown) -> Tally:
        """Stop counting once what the task makes is on the screen; return what it took."""
        shown.first.wait_for()
        self.tally.seconds = time.monotonic() - self._began + (0 if self.patient else self._waited)
        return self.tally

    # ---- gestures ----

    def press(self, target) -> None:
        """Press a link, a button, an option, or choose a radio."""
        target = self._seen(target)
        self._aim(target)
        self.tally.clicks += 1
        self._tap(target)

    def write(self, target, text: str) -> None:
        """Type in a field."""
        target = self._seen(target)
        if not target.evaluate(HELD) and not (not self.finger and self.on_keys and self._tabbed(target)):
            self._aim(target)
            self.tally.fields += 1
            self._tap(target)
        self._types(target, text)

    def pick(self, target, words) -> None:
        """Open a drop-down list and take a line of it: two presses, which no browser lets a script see."""
        target = self._seen(target)
        self._aim(target)
        self._wait(self.pace.press + self.pace.think + self.pace.point + self.pace.press)
        self.tally.clicks += 2
        target.select_option(label=_line(target, words))

    # ---- how ----

    def _seen(self, target):
        target = target.first
        target.wait_for()
        return target

    def _aim(self, target) -> None:
        """Look for it, scrolling as much as it takes, and put the pointer there."""
        self._wait(self.pace.think)
        self._to_mouse()
        away = target.evaluate(ABOVE)
        if away:
            height = self.page.viewport_size["height"] * KEPT
            for _ in range(max(1, round(abs(away) / height))):
                self.tally.scrolls += 1
                self._wait(self.pace.scroll)
            # Asked of whichever stands there at that moment: htmx may draw a button again while one scrolls to it.
            target.evaluate("one => one.scrollIntoView({ block: 'nearest' })")
        self._wait(self.pace.point)

    def _tap(self, target) -> None:
        self._wait(self.pace.press)
        target.tap() if self.finger else target.click()

    def _types(self, target, text: str) -> None:
        if not self.on_keys and not self.finger:
            self._wait(self.pace.home)
        self.on_keys = True
        self._wait(self.pace.think)
        self.tally.keys += len(text)
        self._waited += len(text) * self.pace.key
        target.press_sequentially(text, delay=self._delay, timeout=30_000)

    def _tabbed(self, target) -> bool:
        """Return whether the field was reached with Tab from the one before; else the focus goes back where it was."""
        kept = self.page.evaluate_handle("document.activeElement")
        for done in range(1, NEAR + 1):
            self.page.keyboard.press("Tab")
            if target.evaluate(HELD):
                self.tally.keys += done
                self._wait(done * self.pace.key)
                return True
        kept.as_element().focus()
        return False

    def _to_mouse(self) -> None:
        if self.on_keys and not self.finger:
            self._wait(self.pace.home)
        self.on_keys = False

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        if seconds and self.patient:
            self.page.wait_for_timeout(seconds * 1000)

    @property
    def _delay(self) -> float:
        return self.pace.key * 1000 if self.patient else 0


class Keyboard(Hand):
    """The same without a mouse: Tab, the arrows, Enter, the space bar, the first letters of a list."""

    name = "clavier"

    def press(self, target) -> None:
        target = self._seen(target)
        self._wait(self.pace.think)
        if key := target.get_attribute("data-shortcut"):
            return self._key(key)
        role = target.get_attribute("role") or target.get_attribute("type") or ""
        if role == "option":
            self._down_to(target)
            return self._key("Enter")
        if role == "radio":
            return self._choose(target)
        self._reach(target)
        self._key("Enter")

    def write(self, target, text: str) -> None:
        target = self._seen(target)
        self._wait(self.pace.think)
        if not target.evaluate(HELD):
            self._reach(target)
        self._types(target, text)

    def pick(self, target, words) -> None:
        target = self._seen(target)
        self._wait(self.pace.think)
        self._reach(target)
        line = _line(target, words)
        if line[0].isascii():
            self._key(line[0])
        for _ in range(STOPS):
            if target.evaluate("(e) => e.selectedOptions[0]?.label.trim()") == line:
                return
            self._key("ArrowDown")
        raise AssertionError(f"« {line} » is not reached by its letter and the arrows")

    def _types(self, target, text: str) -> None:
        self.tally.keys += len(text)
        self._waited += len(text) * self.pace.key
        self.page.keyboard.type(text, delay=self._delay)

    def _reach(self, target) -> None:
        if self.page.evaluate("document.activeElement === document.body") and target.evaluate(
            "(e) => !!e.closest('#contenu')"
        ):
            # « Aller au contenu »: the first stop of each page.
            self._key("Tab", "Enter")
        for _ in range(STOPS):
            if target.evaluate("(e) => e === document.activeElement"):
                return
            self._key("Tab")
        raise AssertionError(f"not reached by Tab: {target}")

    def _choose(self, radio) -> None:
        group = radio.evaluate("(e) => e.name")
        for _ in range(STOPS):
            if self.page.evaluate("document.activeElement.name") == group:
                break
            self._key("Tab")
        for _ in range(STOPS):
            if radio.evaluate("(e) => e === document.activeElement"):
                break
            self._key("ArrowDown")
        if not radio.is_checked():
            self._key("Space")

    def _down_to(self, option) -> None:
        for _ in range(STOPS):
            if option.get_attribute("aria-selected") == "true":
                return
            self._key("ArrowDown")
        raise AssertionError("the option is not reached by the arrows")

    def _key(self, *names: str) -> None:
        for name in names:
            self._wait(self.pace.key)
            self.tally.keys += 1
            self.page.keyboard.press(name)


def _line(target, words) -> str:
    """Return the line of a drop-down list that begins with some words, as it is written."""
    lines = [line.strip() for line in target.locator("option").all_text_contents()]
    found = next((line for line in lines if re.match(re.escape(words), line)), None)
    assert found, f"« {words} » is not in the list: {lines}"
    return found
