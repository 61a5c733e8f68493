"""The one file of a backup: a tar of the dump's files, and last its manifest, which says what they must be.

Written beside its place and renamed once complete, so that a file of that name is a whole one; the manifest is last,
so that a copy cut short has none.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from coordination.runtime.places import open_private, write_down
from coordination.runtime.problems import Problem, explain_os_error

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 1 << 20
NOT_WHOLE = "{name} is not a whole backup of Coordination: {why}. Nothing was changed."


def write(target: Path, folder: Path, manifest: dict[str, Any]) -> None:
    """Make the file of a dump, whole or not at all; the dump's own files go as they are taken.

    `manifest` is completed with the size and SHA-256 of each. Raises OSError.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    files: dict[str, list[Any]] = {}
    try:
        with open_private(draft, "wb") as out:
            with tarfile.open(fileobj=out, mode="w|") as tar:
                for path in sorted(folder.iterdir()):
                    files[path.name] = [path.stat().st_size, _added(tar, path)]
                    path.unlink()  # the disk holds one and a half times the dump at most
                said = json.dumps({"format": FORMAT, **manifest, "files": files}, indent=1).encode()
                tar.addfile(_entry(MANIFEST, len(said)), io.BytesIO(said))
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    write_down(target.parent)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _added(tar: tarfile.TarFile, path: Path) -> str:
    with path.open("rb") as source:
        read = _Hashed(source)
        tar.addfile(_entry(path.name, path.stat().st_size), read)
    return read.digest.hexdigest()


class _Hashed:
    """A file whose content is hashed as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self.source.read(size)
        self.digest.update(piece)
        return piece


class Backup:
    """A backup opened to be restored."""

    def __init__(self, path: Path, tar: tarfile.TarFile, manifest: dict[str, Any]) -> None:
        self.path, self.tar, self.manifest = path, tar, manifest

    @property
    def size(self) -> int:
        """Bytes of the dump's files."""
        return sum(size for size, _ in self.manifest["files"].values())

    def extract(self, folder: Path) -> None:
        """Put the dump's files in a folder, each being what the manifest says. Raises Problem, OSError."""
        for name, (size, digest) in self.manifest["files"].items():
            if Path(name).name != name:
                raise _damaged(self.path, "it names files elsewhere")
            try:
                source = self.tar.extractfile(name)
                with (folder / name).open("wb") as out:
                    found = _copied(source, out) if source else (-1, "")
            except (KeyError, tarfile.TarError, EOFError):
                found = (-1, "")
            if found != (size, digest):
                raise _damaged(self.path, "a part of it was changed or damaged")


def _copied(source: IO[bytes], out: IO[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := source.read(_PIECE):
        size += len(piece)
        digest.update(piece)
        out.write(piece)
    return size, digest.hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Open the file of a backup and read its manifest. Raises Problem."""
    try:
        tar = tarfile.open(path, "r:")
    except FileNotFoundError:
        raise Problem(f"{path} does not exist: make restore FROM=the file of a backup.") from None
    except tarfile.TarError:
        raise _damaged(path, "its content does not read") from None
    except OSError as error:
        raise explain_os_error(error) from error
    with tar:
        yield Backup(path, tar, _manifest(path, tar))


def _manifest(path: Path, tar: tarfile.TarFile) -> dict[str, Any]:
    try:
        source = tar.extractfile(MANIFEST)
        manifest = json.loads(source.read()) if source else {}
    except (KeyError, ValueError, tarfile.TarError):
        raise _damaged(path, "its manifest, which is its end, is missing") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _damaged(path, "it was made by another version of this command")
    return manifest


def _damaged(path: Path, why: str) -> Problem:
    return Problem(NOT_WHOLE.format(name=path.name, why=why))
