"""A load without wrk: `python -m tests.bench.client URL[,PATH...] SECONDS CONNECTIONS HEADER...`.

Prints answers per second. Paths are asked for in turn instead of the address's own.
As little as possible between two answers: bytes ready to send, nothing read of the answer but its first line.
"""

import itertools
import socket
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit


def ask_on(address: tuple[str, int], requests: Iterator[bytes], until: float, counts: list[int]) -> None:
    answered = 0
    while time.monotonic() < until:
        # Synchronous gunicorn closes after each answer: a new connection each time, as wrk does.
        with socket.create_connection(address) as connection:
            connection.sendall(next(requests))
            first = connection.recv(65536)
            while connection.recv(65536):
                pass
        if b" 200 " not in first[:16]:
            counts.append(-1)
            return
        answered += 1
    counts.append(answered)


def main(urls: str, seconds: str, connections: str, *headers: str) -> int:
    url, *turns = urls.split(",")
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    rest = "\r\n".join(["HTTP/1.1", f"Host: {parts.netloc}", *headers, "Connection: close", "", ""])
    own = parts.path + (f"?{parts.query}" if parts.query else "")
    requests = [f"GET {path} {rest}".encode() for path in turns or [own]]
    counts: list[int] = []
    started = time.monotonic()
    asking = [
        threading.Thread(target=ask_on, args=(address, itertools.cycle(requests), started + float(seconds), counts))
        for _ in range(int(connections))
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    print(sum(counts) / (time.monotonic() - started))
    return 1 if -1 in counts else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
