"""The one error of this room: a sentence that says what to do."""

import errno
import re


class Problem(Exception):
    """Shown as it is to the person at the terminal, without a traceback."""


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
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return Problem(FULL_DISK.format(where="seen by " + program))
    library = re.search(r"error while loading shared libraries: ([\w.+-]+)", output)
    if library:
        name = library.group(1)
        return Problem(
            f"{program} needs the system library {name}, which is not installed. "
            f"Install the package that holds it (find it with: apt-cache search {name.split('.so')[0]}), "
            "or install the server itself: sudo apt-get install postgresql redis-server"
        )
    if "could not map anonymous shared memory" in output or "Cannot allocate memory" in output:
        return Problem(f"{program} could not get the memory it needs. Stop other programs, then try again.")
    last = "\n".join(output.strip().splitlines()[-5:]) or "(it said nothing)"
    return Problem(f"{program} did not start. It said:\n{last}\nThe whole log: {log}")
