"""Search while many people type (quality goal PERF-7): 50 requests a second, some of them dropped by the next letter.

The requests leave at their hour whether the ones before are answered or not, as those of people do, and each is timed
from that hour: a server that falls behind shows in the figures. One in five is cancelled as the browser does it, by
closing the connection. Seeded, bounded, on this machine.
"""

from __future__ import annotations

import random
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

RATE = 50
SECONDS, FULL_SECONDS = 12, 60
CANCELLED_SHARE = 0.2
# What a browser waits before the next letter drops the request.
PATIENCE = 0.002
P99_GOAL = 100
SEED = 17
SHORTEST = 2


@dataclass
class Answers:
    """Of each request answered: the hour it left, counted from the start, and the seconds it took."""

    times: list[tuple[float, float]] = field(default_factory=list)
    cancelled: int = 0
    failed: int = 0
    waiting: int = 0
    most_waiting: int = 0


def run(texts: Sequence[str], address: tuple[str, int], request: Callable[[str], bytes], full: bool) -> list[dict]:
    """Return the figures; `request` gives the bytes that ask for a text."""
    seconds = FULL_SECONDS if full else SECONDS
    answers = _type(texts, address, request, seconds)
    took = sorted(duration for _, duration in answers.times)
    p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    early = [duration for hour, duration in answers.times if hour < seconds / 3]
    late = [duration for hour, duration in answers.times if hour > 2 * seconds / 3]
    growth = statistics.median(late) / statistics.median(early)
    asked = len(answers.times) + answers.cancelled + answers.failed
    return [
        {
            "name": f"Search under {RATE} typed requests/s, p99"
            f" (p50 {p50:.1f} ms, {answers.cancelled} of {asked} cancelled)",
            "value": f"{p99:.1f} ms",
            "ratio": None,
            "yardstick": "",
            "goal": f"≤ {P99_GOAL} ms",
            "ok": p99 <= P99_GOAL and not answers.failed,
        },
        {
            "name": f"The same, last third against the first, p50 (at most {answers.most_waiting} waiting)",
            "value": f"{statistics.median(late) * 1000:.1f} ms",
            "ratio": growth,
            "yardstick": f"first third {statistics.median(early) * 1000:.1f} ms",
            "goal": "≤ 1.5 ×",
            "ok": growth <= 1.5 and answers.waiting == 0,
        },
    ]


def typed(texts: Sequence[str], draw: random.Random) -> Iterator[str]:
    """Yield what a box asks for while people type these texts, from the second letter, some of them at once."""
    people = [_letters(draw.choice(texts)) for _ in range(8)]
    while True:
        who = draw.randrange(len(people))
        asked = next(people[who], None)
        if asked is None:
            people[who] = _letters(draw.choice(texts))
        else:
            yield asked


def _letters(text: str) -> Iterator[str]:
    return (text[:size] for size in range(SHORTEST, len(text) + 1) if text[size - 1] != " ")


def _type(texts: Sequence[str], address: tuple[str, int], request: Callable[[str], bytes], seconds: int) -> Answers:
    draw, answers, lock = random.Random(SEED), Answers(), threading.Lock()
    asked = typed(texts, draw)
    start, threads = time.perf_counter(), []
    for number in range(seconds * RATE):
        hour = number / RATE
        time.sleep(max(0.0, start + hour - time.perf_counter()))
        cancel = draw.random() < CANCELLED_SHARE
        thread = threading.Thread(
            target=_ask, args=(address, request(next(asked)), start, hour, cancel, answers, lock)
        )
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(30)
    return answers


def _ask(
    address: tuple[str, int],
    sent: bytes,
    start: float,
    hour: float,
    cancel: bool,
    answers: Answers,
    lock: threading.Lock,
) -> None:
    with lock:
        answers.waiting += 1
        answers.most_waiting = max(answers.most_waiting, answers.waiting)
    answered = b""
    try:
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(sent)
            if cancel:
                time.sleep(PATIENCE)
            else:
                answered = connection.recv(65536)
                while connection.recv(65536):
                    pass
    except OSError:
        answered = b""
    with lock:
        answers.waiting -= 1
        if cancel:
            answers.cancelled += 1
        elif b" 200 " in answered[:16]:
            answers.times.append((hour, time.perf_counter() - start - hour))
        else:
            answers.failed += 1
