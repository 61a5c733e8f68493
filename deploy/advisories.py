"""`make advisories`: what is known against the packages that are pinned (SECT-17), from a dated copy kept here.

The Python Packaging Advisory Database (https://github.com/pypa/advisory-database, CC-BY 4.0) is copied, for the names
of the lock files, into `advisories.json` with the day of its last change; `make advisories FROM=<its repository>`
copies it again. Not asked of the package index: one that mirrors another may answer that nothing is known of anything,
and whoever believes it is green for ever. Nothing here asks a network by itself.

Three things make it red: a pinned version that an advisory names, a pinned name that was not looked up, and, for a
release, a copy older than thirty days. The suite asks the first two: it must not turn red by itself one morning.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "deploy" / "advisories.json"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-local.lock", "requirements-installer.lock")
OLDEST = dt.timedelta(days=30)
# An advisory that holds nothing against this product: {id: why}.
ACCEPTED: dict[str, str] = {}
PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?==(?P<version>[\w.+!-]+)( ; [^#]+?)?( --hash=sha256:[0-9a-f]{64})+"
)


class NotPinned(Exception):
    """A line of a lock file that lets something else in than one version with its hashes."""


class Pin(NamedTuple):
    name: str
    version: str


def pins(text: str) -> Iterator[Pin]:
    """Yield what a lock file pins. Raises NotPinned for a line without one version and the hashes of its files."""
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = PINNED.fullmatch(line.strip())
        if not found:
            raise NotPinned(line.strip()[:100])
        yield Pin(canonicalize_name(found["name"]), found["version"])


def pinned() -> set[Pin]:
    """Return what all the lock files pin."""
    return {pin for name in LOCKS for pin in pins((ROOT / name).read_text())}


def affected(version: str, advisory: Mapping[str, Any]) -> bool:
    """Return whether an advisory names a version: in its list, or between the bounds of a range as OSV means them."""
    if version in advisory["versions"]:
        return True
    asked = Version(version)
    return any(_within(asked, events) for events in advisory["ranges"])


def _within(asked: Version, events: Iterable[Mapping[str, str]]) -> bool:
    # « introduced » before the rest where both name one version, as OSV sorts them.
    bounds = sorted((Version(said), kind != "introduced", kind) for one in events for kind, said in one.items())
    inside = False
    for bound, _, kind in bounds:
        if bound <= asked if kind != "last_affected" else bound < asked:
            inside = kind == "introduced"
    return inside


def wrong(found: Iterable[Pin], copy: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each pinned version that an advisory names, and for each name that was not looked up."""
    said = []
    for pin in sorted(found):
        if pin.name not in copy["asked"]:
            said.append(f"{pin.name} was never looked up: make advisories FROM=<the repository of the advisories>")
        for one in copy["advisories"].get(pin.name, ()):
            if one["id"] not in ACCEPTED and affected(pin.version, one):
                said.append(f"{pin.name} {pin.version}: {', '.join([one['id'], *one['aliases']])}")
    return said


def age(copy: Mapping[str, Any], now: dt.datetime) -> dt.timedelta:
    """Return how long ago the advisories last changed in the copy: what was published since is not known here."""
    return now - dt.datetime.fromisoformat(copy["at"])


def taken(repository: str, names: Iterable[str]) -> dict[str, Any]:
    """Return a copy of what a git repository of the advisories says of these names. Raises CalledProcessError."""
    names = sorted(set(names))
    commit, at = _git(repository, "log", "-1", "--format=%H %cI").split()
    listed = _git(repository, "ls-tree", "-r", "--name-only", "HEAD", "vulns/").splitlines()
    of: dict[str, list[dict[str, Any]]] = {}
    for path in listed:
        name = canonicalize_name(Path(path).parent.name)
        if name in names and (one := _read(_git(repository, "show", f"HEAD:{path}"), name)):
            of.setdefault(name, []).append(one)
    return {"commit": commit, "at": at, "asked": names, "advisories": of}


def _read(text: str, name: str) -> dict[str, Any] | None:
    """Return what is kept of an advisory; None once it is withdrawn."""
    said = yaml.load(text, Loader=_Words)  # noqa: S506 - of a SafeLoader  # nosec B506
    if said.get("withdrawn"):
        return None
    about = [one for one in said["affected"] if canonicalize_name(one["package"]["name"]) == name]
    ranges = [one["events"] for row in about for one in row.get("ranges", []) if one.get("type") != "GIT"]
    alone = sorted({version for row in about if not row.get("ranges") for version in row.get("versions", [])})
    return {"id": said["id"], "aliases": said.get("aliases", []), "ranges": ranges, "versions": alone}


class _Words(yaml.SafeLoader):
    """YAML whose « 5.10 » is the version it says, and no number."""


_Words.yaml_implicit_resolvers = {}


def _git(repository: str, *arguments: str) -> str:
    asked = ["git", "-C", repository, *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - our arguments


def main(arguments: list[str], now: dt.datetime) -> int:
    """`take REPOSITORY` copies; `check` says what is wrong and how old the copy is, 1 when no release may be made."""
    if arguments[:1] == ["take"]:
        copy = taken(arguments[1], {pin.name for pin in pinned()} | {pin.name for pin in KEPT_FOR_TESTS})
        COPY.write_text(json.dumps(copy, indent=1, sort_keys=True) + "\n")
        return 0
    copy = json.loads(COPY.read_text())
    said, old = wrong(pinned(), copy), age(copy, now)
    if old > OLDEST:
        said.append(f"The advisories are {old.days} days old: a release asks for {OLDEST.days} at most.")
    said_well = f"Nothing was known against {len(pinned())} pinned versions {old.days} days ago."
    sys.stdout.write("\n".join([*(said or [said_well]), ""]))
    return 1 if said else 0


# Versions that are vulnerable, looked up with ours: what shows that the check can be red.
KEPT_FOR_TESTS = (
    Pin("jinja2", "2.10"), Pin("django", "4.2.10"), Pin("pyyaml", "5.3"), Pin("urllib3", "1.26.4"),
    Pin("cryptography", "3.1"), Pin("pillow", "9.0.0"),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dt.datetime.now(dt.UTC)))
