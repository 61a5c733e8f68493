"""The programs of others that Java runs: built by Maven, and HAPI's JPA server for as long as somebody asks."""

import os
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

PARTNER = Path(__file__).resolve().parent / "partner"
# No outside program is waited for longer, in seconds: a first build brings two hundred megabytes.
BUILD = 420
OPENING, CLOSING = 600, 60
# What Maven and npm say of a repository that cannot be reached.
OUT_OF_REACH = re.compile(
    r"Could not (resolve|transfer)|[Uu]nknown host|Connection (refused|reset|timed out)|No route to host"
    r"|Network is unreachable|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH"
)


class Missing(Exception):
    """What is needed is not on this machine, nor where it is fetched from."""


def absent():
    """Return the names of what is not on this machine, of what building and running them needs."""
    return [name for name in ("java", "mvn") if not shutil.which(name)]


def classpath(home):
    """Compile a module; return what `java -cp` needs. Raises Missing when what it is made of is out of reach."""
    command = ["mvn", "-B", "-ntp", "compile", "dependency:build-classpath", "-Dmdep.outputFile=target/classpath"]
    done = run(command, BUILD, cwd=home, said="Maven Central")
    if done.returncode:
        raise AssertionError(f"{home.name} does not build:\n{done.stdout[-4000:]}")
    return f"{home / 'target/classes'}:{(home / 'target/classpath').read_text().strip()}"


def run(command, seconds, *, said, cwd=None):
    """Run a program that fetches what it needs from `said`; raise Missing when that cannot be reached or is silent."""
    try:
        done = subprocess.run(command, cwd=cwd, timeout=seconds, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise Missing(f"{said} does not answer: {command[0]} was given {seconds} seconds") from None
    if done.returncode and OUT_OF_REACH.search(done.stdout + done.stderr):
        raise Missing(f"{said} is out of reach")
    return done


@contextmanager
def partner(libraries, *, heap, **variables):
    """Yield the address of a Gestionnaire that is not ours, HAPI's JPA server (its classpath given).

    Its database is in memory unless `variables` name one (Storage.java). It ends when its standard input closes,
    whatever becomes of this process. Raises RuntimeError when it does not open.
    """
    process = subprocess.Popen(
        ["java", f"-Xmx{heap}", "-cp", libraries, "partner.Partner"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env=os.environ | variables,
    )  # fmt: skip
    too_long = threading.Timer(OPENING, process.kill)
    reader = threading.Thread(target=lambda: [None for _ in process.stdout], daemon=True)
    try:
        too_long.start()
        port = next((line.split()[1] for line in process.stdout if line.startswith("listening")), "")
        too_long.cancel()
        if not port:
            raise RuntimeError("the partner did not open")
        # Whatever it says afterwards must not fill the pipe.
        reader.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        too_long.cancel()
        process.stdin.close()
        try:
            process.wait(CLOSING)
        except subprocess.TimeoutExpired:
            process.kill()
        if reader.ident:
            reader.join()
        process.stdout.close()
