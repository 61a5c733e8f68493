"""What the person at the terminal sees while a file loads: a bar, or a line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import TextIO

BAR = 24
QUIET_SECONDS = 5.0


class Progress:
    """Silent when `stream` is None; a bar on a terminal; one line every few seconds elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self._tty = bool(stream and stream.isatty())
        self._phase, self._total = "", 0
        self._started = self._shown = time.monotonic()

    def phase(self, name: str, total: int = 0) -> None:
        """Begin a step; `total` is what `advance` counts towards (bytes), 0 when it cannot be told."""
        self._phase, self._total = name, total
        self._started = time.monotonic()
        self._shown = 0.0
        self.advance(0)

    def advance(self, done: int, rows: int = 0) -> None:
        if self.stream is None:
            return
        now = time.monotonic()
        if self._shown and now - self._shown < (0.2 if self._tty else QUIET_SECONDS):
            return
        self._shown = now
        text = f"{self._phase}{self._figures(done, rows, now - self._started)}"
        self.stream.write(f"\r{text:<78}" if self._tty else f"{text}\n")
        self.stream.flush()

    def close(self) -> None:
        if self._tty and self.stream is not None:
            self.stream.write("\n")

    def _figures(self, done: int, rows: int, seconds: float) -> str:
        if not self._total or not done:
            return " …"
        share = min(done / self._total, 1.0)
        filled = round(share * BAR)
        left = seconds / share - seconds if share else 0
        rate = f", {rows / seconds:,.0f} lignes/s".replace(",", " ", 1) if rows and seconds else ""
        return f" [{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%}{rate}, reste {_duration(left)}"


def terminal() -> Progress:
    """Return the progress that a command shows, on its error stream."""
    return Progress(sys.stderr)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60:02d} s"
