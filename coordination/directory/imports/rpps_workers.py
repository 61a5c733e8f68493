"""Reading a big activity file with several processes, for its first load.

The lines are cut into pieces at the end of a person; forked processes turn them into rows, in order. They
inherit the connection to the database and never touch it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeAlias

from coordination.directory.errors import FileRefused
from coordination.directory.imports.rpps_first import FirstLoad, Rows
from coordination.directory.imports.rpps_lines import ActivityParser, Block, last_person_start, person_key
from coordination.directory.imports.rpps_places import Ends
from coordination.directory.imports.sources import Source, chunks

# A pipe: tasks one way, what they gave the other.
Line: TypeAlias = "Connection[Any, Any]"
# Below this size the processes cost more than they bring.
BIG_FILE = 20_000_000
MOST_WORKERS = 4
WAITING_PIECES = 4
GIVES_WAY = 10


@dataclass(slots=True)
class Piece:
    """What one piece of the file gave."""

    rows: list[Rows] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    zeros: tuple[int, int] = (0, 0)
    in_order: bool = True
    first: bytes = b""
    last: bytes = b""
    size: int = 0
    lines: int = 0


def worker_count(size: int) -> int:
    """Number of processes worth starting for a file of `size` bytes; 1 means none."""
    if size < BIG_FILE or multiprocessing.current_process().daemon:
        return 1
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def pieces(source: Source, header: str, encoding: str, first: FirstLoad, workers: int) -> Generator[Piece]:
    """Yield what each piece gave, in the order of the file; with one worker, read here.

    Raises FileRefused when a reading process was killed (out of memory, most likely), and what its reading raises.
    """
    if workers < 2:
        reader = _Reader(header, source.name, encoding, first)
        for task in _cut(source):
            yield reader.read(*task)
        return
    processes = _Processes(workers, _Reader(header, source.name, encoding, first))
    waiting: deque[Future[Piece]] = deque()
    try:
        for task in _cut(source):
            waiting.append(processes.read(task))
            # Never more pieces waiting than a few for each process: memory is counted.
            if len(waiting) >= workers * WAITING_PIECES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (EOFError, OSError) as error:
        if not processes.lost:
            raise
        raise FileRefused(
            f"Un processus qui lisait {source.name} a été arrêté, sans doute faute de mémoire. "
            "Rien n'a été modifié : libérez de la mémoire, puis relancez."
        ) from error
    finally:
        processes.end()


class _Processes:
    """Forked processes, each at the other end of a pipe of its own, and for each a thread that waits for its answer.

    Neither multiprocessing.Pool nor ProcessPoolExecutor: their processes share one pipe of answers, which the parent
    holds open too, so that it waits for ever for the rest of what a killed process was writing. Here only the child
    holds its end, and a process that ends is the end of what is read from it.
    """

    def __init__(self, workers: int, reader: _Reader) -> None:
        context = multiprocessing.get_context("fork")
        self.idle: SimpleQueue[Line] = SimpleQueue()
        self.lost = False
        self.processes = []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, reader), daemon=True)
            process.start()
            theirs.close()
            self.processes.append(process)
            self.idle.put(ours)
        self.threads = ThreadPoolExecutor(workers)

    def read(self, task: tuple[int, bytes]) -> Future[Piece]:
        return self.threads.submit(self._read, task)

    def _read(self, task: tuple[int, bytes]) -> Piece:
        line = self.idle.get()
        try:
            line.send(task)
            answer = line.recv()
        except (EOFError, OSError):
            self.lost = True
            raise
        finally:
            self.idle.put(line)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """End every process, at work or not: what is left to read is wanted no more."""
        for process in self.processes:
            process.kill()
        self.threads.shutdown(cancel_futures=True)
        for process in self.processes:
            process.join()
            self.idle.get().close()


def _serve(line: Line, reader: _Reader) -> None:
    """Answer each task until the parent goes away: the life of a reading process."""
    # People who search meanwhile come first.
    os.nice(GIVES_WAY)
    while True:
        try:
            task = line.recv()
        except EOFError:
            return
        try:
            answer: Piece | Exception = reader.read(*task)
        except Exception as error:  # noqa: BLE001 - raised again by who asked
            answer = error
        line.send(answer)


def _cut(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, lines), each time up to the end of a person."""
    number = 2
    with source.open() as file:
        for text in chunks(file, last_person_start):
            yield number, text
            number += text.count(b"\n")


class _Reader:
    """One process's parser: what it has seen of the structures stays from piece to piece."""

    def __init__(self, header: str, name: str, encoding: str, first: FirstLoad) -> None:
        self.encoding, self.first = encoding, first
        self.piece = Piece()
        self.parser = ActivityParser(header, name, self._refuse, self)

    def _refuse(self, number: int, reason: str) -> None:
        self.piece.refusals.append((number, reason))

    def ends(self, ends: Ends) -> tuple[list[str], dict[int, str]]:
        return self.first.ends(ends)

    def rows(self, block: Block) -> str:
        self.piece.rows.append(self.first.rows(block))
        return ""

    def read(self, number: int, text: bytes) -> Piece:
        lines = text.removesuffix(b"\n").split(b"\n")
        numbered = list(enumerate(lines, number))
        if text.startswith(b"\n") or b"\n\n" in text:
            # Blank lines say nothing, not even whose turn it is.
            numbered = [pair for pair in numbered if pair[1]]
            lines = [line for _, line in numbered] or [b""]
        piece = self.piece = Piece(first=person_key(lines[0]), last=person_key(lines[-1]), lines=len(lines))
        piece.size = len(text)
        parser = self.parser
        parser.begin()
        parser.read(numbered, self.encoding)
        piece.held, piece.in_order = set(parser.held), parser.in_order
        piece.zeros = (parser.zeros_kept, parser.zeros_lost)
        return piece
