"""Where everything lives: `.data/<profile>/`, with a state file only its owner can read.

Three profiles: `run` keeps its data, `test` is disposable, `bench` measures and is as durable as `run`. They may live
at the same time.
"""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]


def data_root() -> Path:
    """`.data` in the checkout, or the folder named by DATA_DIR."""
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").resolve()


@dataclass(frozen=True)
class Place:
    """The folder of one profile."""

    profile: str
    root: Path = field(default_factory=data_root)

    @property
    def folder(self) -> Path:
        return self.root / self.profile

    @property
    def disposable(self) -> bool:
        return self.profile == "test"

    def make(self) -> None:
        """Create the folders. Root lets the server's user walk through (x), never read or list."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        for folder in (self.root, self.folder):
            if not folder.exists():
                folder.mkdir(mode=mode, parents=True)
                folder.chmod(mode)

    def remember(self) -> "State":
        return State(self.folder / "state.json")


class State:
    """What must survive between two commands: passwords, ports, process numbers. Mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.values: dict = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            self.values = {}

    def section(self, name: str) -> dict:
        return self.values.setdefault(name, {})

    def save(self) -> None:
        """Replace the file in one gesture; mkstemp creates it readable by its owner alone."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".state-")
        with os.fdopen(handle, "w") as file:
            json.dump(self.values, file)
        os.replace(name, self.path)


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file that only its owner may read: locks and logs stand in folders others can walk through."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def write_down(folder: Path) -> None:
    """Put on the disk the names of a folder: a file renamed or linked there is not found again before."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def new_password() -> str:
    """Hexadecimal: needs no quoting in SQL, in a URL or in a configuration file."""
    return secrets.token_hex(24)
