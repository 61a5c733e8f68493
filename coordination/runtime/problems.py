"""The one error of this room: a sentence that says what to do."""

import errno
import re
import shutil
from pathlib import Path

from coordination.runtime.places import open_private


class Problem(Exception):
    """Shown as it is to the person at the terminal, without a traceback."""


# One segment of PostgreSQL's log: with less, it stops.
NO_ROOM = 16 * 1024 * 1024
FULL_DISK_SIGNS = r"No space left on device|Disk quota exceeded|\bDiskFull\b|could not write init file"
FULL_DISK = "The disk is full ({where}). Free about 1 GB there, then run the same command again; nothing is lost."


def explain_os_error(error: OSError) -> Problem:
    """Turn the usual system errors into a sentence; the others keep the system's own words."""
    where = error.filename or "the project's folder"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Problem(FULL_DISK.format(where=where))
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Problem(
            f"{where} belongs to another user (was the first run made as root?). "
            "Run as that user, or move the .data folder aside."
        )
    if error.errno == errno.EROFS:
        return Problem(f"{where} is on a read-only disk. Set DATA_DIR to a folder that can be written.")
    return Problem(f"The system refused: {error}.")


def explain_server_output(program: str, output: str, log: str) -> Problem:
    """Read what a server said before it stopped, and say it for a person.

    `program` is its name, `output` the end of its log, `log` where the whole log is.
    """
    last = "\n".join(output.strip().splitlines()[-5:]) or "(it said nothing)"
    return _usual_cause(program, output) or Problem(f"{program} did not start. It said:\n{last}\nThe whole log: {log}")


def explain_tool_output(tool: str, output: str) -> Problem:
    """Read what a tool of PostgreSQL said before it failed, and say it for a person."""
    if refused := re.search(r"permission denied for (?:table|sequence|schema) (\S+)", output):
        return Problem(
            f"{tool}: the role of DATABASE_URL may not read {refused.group(1)}. Where the journal has a role of its "
            "own (deploy/journal-role.sql), backups are made as coordination_backup: docs/operations-backup.md."
        )
    lines = output.strip().splitlines()
    # The cause comes first: after it, the statement and what those beside it were stopped by.
    cause = next((number for number, line in enumerate(lines) if " error: " in line), max(0, len(lines) - 5))
    told = "\n".join(lines[cause : cause + 5]) or "(it said nothing)"
    return _usual_cause(tool, output) or Problem(f"{tool} failed. It said:\n{told}")


def explain_command_output(purpose: str, output: str, folder: Path) -> Problem:
    """Read what a Django command said before it failed, and say it for a person, without its traceback.

    `purpose` names the work ("Bringing the database up to date"), `output` is its error stream, `folder` where the
    data are. What is not understood is kept whole in a file of that folder, and its last words are given.
    """
    known = full_disk(folder) or _usual_cause("The database", output)
    if known:
        return known
    log = folder / "failure.log"
    with open_private(log, "w") as kept:
        kept.write(output)
    return Problem(f"{purpose} failed. It said:\n{_last_words(output)}\nThe whole of it: {log}")


def full_disk(folder: Path) -> Problem | None:
    """The sentence when `folder` has no room left: a server that this stopped tells its clients nothing of it."""
    return Problem(FULL_DISK.format(where=folder)) if shutil.disk_usage(folder).free < NO_ROOM else None


def _last_words(output: str) -> str:
    """The exception and its message, below the last frame of a traceback; the last lines when there is none."""
    lines = output.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    below = [line for line in lines[frames[-1] :] if not line.startswith(" ")] if frames else lines
    return "\n".join(below[-5:]) or "(it said nothing)"


def _usual_cause(program: str, output: str) -> Problem | None:
    """What a person can mend: the memory, the disk, a missing library."""
    # Its message ends with "No space left on device" when it is a segment of shared memory that does not fit.
    if re.search(r"could not (map anonymous|resize) shared memory|Cannot allocate memory", output):
        return Problem(f"{program} could not get the memory it needs. Stop other programs, then try again.")
    if re.search(FULL_DISK_SIGNS, output):
        file = re.search(r"No space left on device: '([^']+)'", output)
        return Problem(FULL_DISK.format(where=file.group(1) if file else f"seen by {program}"))
    library = re.search(r"error while loading shared libraries: ([\w.+-]+)", output)
    if library:
        name = library.group(1)
        return Problem(
            f"{program} needs the system library {name}, which is not installed. "
            f"Install the package that holds it (find it with: apt-cache search {name.split('.so')[0]}), "
            "or install the server itself: sudo apt-get install postgresql redis-server"
        )
    return None
