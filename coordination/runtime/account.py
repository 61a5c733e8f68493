"""The system user the servers run as.

An ordinary user runs them as himself. PostgreSQL refuses to run as root, so root lends it to an
unprivileged user, in folders that user can already reach: no parent folder is ever opened wider.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from coordination.runtime.problems import Problem

SYSTEM_HOME = Path("/var/lib/coordination")
OWN_USER = "coordination-db"


@dataclass(frozen=True)
class Account:
    """A user to become; `None` fields mean: stay who we are."""

    uid: int | None = None
    gid: int | None = None

    def options(self) -> dict:
        """Arguments for subprocess: become this user, with no other group."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)

    def can(self, right: str, path: Path) -> bool:
        """Ask the kernel, as that user: `right` is r or x as in test(1)."""
        if self.uid is None:
            return True
        # cwd: the caller's own folder may be closed to that user.
        return subprocess.run(["/usr/bin/test", f"-{right}", str(path)], cwd="/", **self.options()).returncode == 0


def server_account() -> Account:
    """Ourselves, or for root the user `postgres`, else one made for the purpose."""
    if os.geteuid() != 0:
        return Account()
    for name in ("postgres", OWN_USER):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return _make_account()


def _make_account() -> Account:
    command = ["useradd", "--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", OWN_USER]
    if not shutil.which("useradd"):
        raise Problem("PostgreSQL does not run as root and useradd is missing. Run this as an ordinary user.")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"The user {OWN_USER} could not be made for PostgreSQL: {done.stderr.strip()}")
    entry = pwd.getpwnam(OWN_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def reachable_folder(account: Account, wanted: Path) -> Path:
    """`wanted` if the account can walk to it, else its twin under /var/lib (root only).

    A pointer file beside the wanted folder says where the data went.
    """
    if account.can("x", wanted.parent):
        return wanted
    twin = _system_folder("data", str(wanted.parent)) / wanted.name
    pointer = wanted.parent / f"{wanted.name}.moved-to"
    pointer.write_text(f"{twin}\n")
    return twin


def reachable_programs(account: Account, package: Path, wanted: Path) -> Path:
    """`wanted`, a folder of programs inside `package`, or a copy of the package the account can run."""
    if account.can("x", wanted) and account.can("r", wanted):
        return wanted
    copy = _system_folder("programs", f"{package}:{package.stat().st_mtime_ns}") / package.name
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(package, draft, symlinks=True)
        _readable_by_all(draft)
        os.replace(draft, copy)
    return copy / wanted.relative_to(package)


def _system_folder(kind: str, key: str) -> Path:
    """A folder of root's own under /var/lib: others walk through it, nobody else writes in it."""
    folder = SYSTEM_HOME / kind / hashlib.sha256(key.encode()).hexdigest()[:12]
    for part in (SYSTEM_HOME, SYSTEM_HOME / kind, folder):
        part.mkdir(exist_ok=True)
        # Apart from its making, of which the umask takes away: under 077 nobody would walk through it.
        part.chmod(0o711)
    return folder


def _readable_by_all(folder: Path) -> None:
    """Public programs from a public wheel; the copy is root's, so nobody else may change them."""
    for parent, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
