#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or REDIS_URL it uses the embedded services."""

import os
import sys
from contextlib import nullcontext

WITHOUT_SERVICES = {"", "help", "--help", "-h", "version", "--version", "collectstatic"}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.dev")
    from coordination.runtime.console import fail
    from coordination.runtime.problems import Problem
    from coordination.runtime.services import embedded

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    # Production names its own servers, and refuses to start when they are missing.
    own_servers = os.environ["DJANGO_SETTINGS_MODULE"] == "coordination.settings.production"
    try:
        with nullcontext({}) if own_servers or command in WITHOUT_SERVICES else embedded() as variables:
            # Here and not in the settings: importing settings must never start a server.
            os.environ.update(variables)
            from django.core.management import execute_from_command_line

            from coordination.common import declaring

            declaring.declare_process(command)
            execute_from_command_line(sys.argv)
    except Problem as problem:
        return fail(problem)
    except (Exception, KeyboardInterrupt) as error:
        return explain(error)
    return 0


def explain(error: BaseException) -> int:
    """A sentence in the place of a trace, where there is one to say (coordination/common/terminal.py)."""
    from coordination.common import terminal

    said = terminal.sentence(error)
    if said is None or "--traceback" in sys.argv:
        raise error
    print(said, file=sys.stderr, flush=True)
    return terminal.INTERRUPTED_CODE if isinstance(error, KeyboardInterrupt) else 1


if __name__ == "__main__":
    sys.exit(main())
