"""Files as they arrive: plain, gzip or zip, in UTF-8 or Windows-1252, whole or cut.

Everything here streams: a national file is 800 MB and the memory budget of an import 300 MB.
"""

from __future__ import annotations

import codecs
import datetime
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from django.utils import timezone

from coordination.directory.errors import FileRefused

# A quarter of a megabyte: the pieces of a block stay in the processor's cache (measured: a third quicker than 1 MB).
BLOCK = 1 << 18

# A text file holds no control character but tab, line feed and carriage return.
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})
# What Windows-1252 leaves undefined.
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"
_DATE = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)?")

# Ten times the national file: what is more is no directory, and would fill the machine.
MOST_MEMBERS, LARGEST_UNPACKED = 50, 8_000_000_000
TOO_LARGE = "L’archive {name} est trop grande une fois dépliée ; rien n’a été modifié."
DAMAGED = "Le fichier {name} est une archive abîmée ou incomplète. Téléchargez-le de nouveau ; rien n'a été modifié."


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read, possibly inside a zip archive."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        return self.member or self.path.name

    @property
    def written_day(self) -> datetime.date | None:
        """The date written in the name."""
        found = _DATE.search(self.name) or _DATE.search(self.path.name)
        if not found:
            return None
        try:
            return datetime.date(int(found[1]), int(found[2]), int(found[3] or 1))
        except ValueError:
            return None

    @property
    def received_day(self) -> datetime.date:
        """The date of the file on this machine: it says nothing of what the file holds."""
        return timezone.localdate(datetime.datetime.fromtimestamp(self.path.stat().st_mtime, datetime.UTC))

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the uncompressed bytes. Raises FileRefused for an archive that cannot be read to its end."""
        try:
            with self.path.open("rb") as raw, self._unpacked(raw) as file:
                yield file
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise FileRefused(DAMAGED.format(name=self.name)) from error

    @contextmanager
    def _unpacked(self, raw: IO[bytes]) -> Iterator[IO[bytes]]:
        if self.member:
            with zipfile.ZipFile(raw) as archive, archive.open(self.member) as file:
                yield file
        elif raw.read(2) == b"\x1f\x8b":
            raw.seek(0)
            with gzip.open(raw) as packed:
                yield cast("IO[bytes]", packed)
        else:
            raw.seek(0)
            yield raw


def sources(path: Path) -> list[Source]:
    """Return the files that `path` holds: itself, or the members of a zip archive.

    Raises FileRefused when the file is missing, empty, or is a broken archive.
    """
    if not path.is_file():
        raise FileRefused(f"Le fichier {path.name} est introuvable.")
    with path.open("rb") as raw:
        start = raw.read(4)
    if not start:
        raise FileRefused(f"Le fichier {path.name} est vide ; rien n'a été modifié.")
    if start[:2] != b"PK":
        return [Source(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            held = [info for info in archive.infolist() if not info.is_dir()]
            if len(held) > MOST_MEMBERS or sum(info.file_size for info in held) > LARGEST_UNPACKED:
                raise FileRefused(TOO_LARGE.format(name=path.name))
            names = [info.filename for info in held]
    except zipfile.BadZipFile as error:
        raise FileRefused(DAMAGED.format(name=path.name)) from error
    return [Source(path, name) for name in names]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one quick reading tells before anything is written."""

    encoding: str
    bytes: int
    lines: int
    header: str


def inspect(source: Source) -> Inspection:
    """Read the file once: encoding, size, number of lines. Raises FileRefused for what is not text.

    UTF-8 strictly, else Windows-1252 for the whole file (directories.md A.2); UTF-8 spoilt by a few bytes of another
    is neither: read as Windows-1252, every accent of the file would come out wrong.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252 = True, True
    size = lines = 0
    first = last = b""
    with source.open() as file:
        while block := file.read(BLOCK):
            if len(block.translate(None, _CONTROLS)) != len(block):
                raise FileRefused(_not_text(source))
            is_utf8 = is_utf8 and _decodes(utf8, block)
            is_cp1252 = is_cp1252 and len(block.translate(None, _UNDEFINED)) == len(block)
            first = first or block[:20_000]
            last = (last + block)[-1000:]
            size += len(block)
            lines += block.count(b"\n")
    if is_utf8 and not _ends(utf8):
        raise FileRefused(
            f"{source.name} est tronqué : il s'arrête au milieu d'un caractère. Téléchargez-le de nouveau ; rien n'a "
            "été modifié."
        )
    encoding = "utf-8" if is_utf8 else "cp1252"
    if encoding == "cp1252":
        _check_cp1252(source, is_cp1252)
    header = first.split(b"\n", 1)[0].removeprefix(codecs.BOM_UTF8).rstrip(b"\r")
    # Without the blank lines at the end.
    lines += 1 - last[len(last.rstrip()) :].count(b"\n")
    return Inspection(encoding, size, lines, header.decode(encoding, "replace"))


def decoded(header: bytes) -> str:
    """Return a header line, read as the whole file would be."""
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("cp1252", "replace")


# This many more foreign bytes than characters of UTF-8: no need to read the rest.
_ENOUGH = 10_000


def _check_cp1252(source: Source, is_cp1252: bool) -> None:
    """Refuse what is neither one encoding nor the other, in whole or by places."""
    if not is_cp1252:
        raise FileRefused(_not_text(source))
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    with source.open() as file:
        while bad < good + _ENOUGH and (block := file.read(BLOCK)):
            others = re.sub(r"[\x00-\x7f]+", "", utf8.decode(block))
            foreign = others.count("\ufffd")
            good, bad = good + len(others) - foreign, bad + foreign
    if good >= bad:
        raise FileRefused(
            f"{source.name} est en UTF-8 mais {bad} caractères n'en sont pas : le fichier est abîmé ou mélange deux "
            "encodages. Prenez le fichier d'origine ; rien n'a été modifié."
        )


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _ends(decoder: codecs.IncrementalDecoder) -> bool:
    """False when the file stops in the middle of a character."""
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _not_text(source: Source) -> str:
    return (
        f"Le fichier {source.name} n'est pas un texte en UTF-8 ni en Windows-1252 (encodage inconnu ou fichier "
        "abîmé). Rien n'a été modifié."
    )


def blocks(file: IO[bytes], size: int = BLOCK) -> Iterator[list[bytes]]:
    """Yield the lines of the file by blocks, without their ends, the byte-order mark removed."""
    rest = b""
    start = True
    while block := file.read(size):
        if start:
            block, start = block.removeprefix(codecs.BOM_UTF8), False
        if b"\r" in block:
            block = block.replace(b"\r", b"")
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield lines
    if rest:
        yield [rest]


def chunks(file: IO[bytes], last_key: Callable[[bytes], int], size: int = BLOCK) -> Iterator[bytes]:
    """Yield the bytes of whole lines (header first, then by blocks), cut where `last_key` says, without "\\r".

    Whole pieces are quick to hand to another process, which splits them.
    """
    rest = b""
    start = True
    while block := file.read(size):
        if start:
            block = block.removeprefix(codecs.BOM_UTF8)
        if b"\r" in block:
            block = block.replace(b"\r", b"")
        rest += block
        if start:
            header, found, rest = rest.partition(b"\n")
            start = not found
            if start:
                rest = header
                continue
        cut = last_key(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest and not start:
        yield rest


def text_lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield decoded lines one by one, for the smaller files."""
    reader = io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    try:
        for line in reader:
            yield line.rstrip("\r\n")
    finally:
        # The file belongs to whoever opened it.
        reader.detach()
