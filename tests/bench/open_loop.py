"""A load that does not wait for its answers: `python -m tests.bench.open_loop URL[,PATH...] RATE SECONDS HEADER...`.

People do not stop coming because the page is slow. RATE a second are asked at equal intervals, whatever is answered;
0 asks anew as soon as one of 16 is answered, which is how the most that is served is found. Prints, as JSON, the
moment, the duration and the status of each: 0 for no answer (refused by the system, cut, or none in PATIENCE seconds).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

PATIENCE = 10.0
TOGETHER = 16
Asked = tuple[float, float, int]


class _Answer(asyncio.Protocol):
    """One request on its own connection, as the web server closes it after each answer."""

    def __init__(self, request: bytes, done: asyncio.Future[int]) -> None:
        self.request, self.done, self.status = request, done, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.status = self.status or int(data[9:12])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(self.status)


async def _ask(address: tuple[str, int], request: bytes, began: float, told: list[Asked]) -> None:
    loop = asyncio.get_running_loop()
    at, done = loop.time(), loop.create_future()
    transport = None
    try:
        async with asyncio.timeout(PATIENCE):
            transport, _ = await loop.create_connection(lambda: _Answer(request, done), *address)
            status = await done
    except OSError:  # TimeoutError is one
        status = 0
    finally:
        if transport:
            transport.abort()
    told.append((at - began, loop.time() - at, status))


async def load(address: tuple[str, int], requests: Iterator[bytes], rate: float, seconds: float) -> list[Asked]:
    """Ask for so long and return what each request met."""
    loop = asyncio.get_running_loop()
    began, told = loop.time(), []

    async def again() -> None:
        while loop.time() - began < seconds:
            await _ask(address, next(requests), began, told)

    if not rate:
        await asyncio.gather(*(again() for _ in range(TOGETHER)))
        return told
    asking = []
    for number in range(int(rate * seconds)):
        if (early := began + number / rate - loop.time()) > 0:
            await asyncio.sleep(early)
        asking.append(asyncio.create_task(_ask(address, next(requests), began, told)))
    await asyncio.gather(*asking)
    return told


def main(urls: str, rate: str, seconds: str, *headers: str) -> None:
    url, *turns = urls.split(",")
    parts = urlsplit(url)
    rest = "\r\n".join(["HTTP/1.1", f"Host: {parts.netloc}", *headers, "Connection: close", "", ""])
    paths = turns or [parts.path + (f"?{parts.query}" if parts.query else "")]
    requests = itertools.cycle([f"GET {path} {rest}".encode() for path in paths])
    address = (parts.hostname or "", parts.port or 80)
    print(json.dumps(asyncio.run(load(address, requests, float(rate), float(seconds)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
