"""Speaking to the database of an address: for backups, which know tables and nothing of the product."""

import os
from collections.abc import Mapping

import psycopg
from psycopg.pq import Conninfo

from coordination.runtime.problems import Problem

# What a row looks like as text depends on these: said, so that two servers write the same (contents.py).
SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "search_path": "public",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # The second wall (habilitations/second_wall.py) shows its rows to who says for whom he reads.
    "coordination.actor": "system:backup",
}
# Of PostgreSQL's own tools: what they refuse by themselves (`row_security` off) would be the wall itself.
DECLARED = {"coordination.actor": SETTINGS["coordination.actor"]}
BEHIND_THE_WALL = "--enable-row-security"
# Another rule than the wall's might hide rows from us: a backup without them would look whole.
_OTHER_RULES = """
SELECT c.relname FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relrowsecurity AND (
    p.polname IS DISTINCT FROM 'declared' OR NOT p.polpermissive OR p.polcmd <> '*'
    OR pg_get_expr(p.polqual, p.polrelid) NOT LIKE '%current_setting(''coordination.actor''%'
)
LIMIT 1"""


def connect(url: str) -> psycopg.Connection:
    """Open a connection, each statement being its own transaction. Raises Problem when nobody answers."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        # Its message names the host and the role, never the password; the cause first, then a question.
        raise Problem(f"The database does not answer. {str(error).strip().splitlines()[0]}") from None
    except psycopg.ProgrammingError:
        raise Problem("DATABASE_URL is not an address of PostgreSQL: postgres://user:password@host/name") from None
    for name, value in SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
    if hidden := connection.execute(_OTHER_RULES).fetchone():
        connection.close()
        raise Problem(f"A rule of the database that is not ours may hide rows of the table {hidden[0]}.")
    return connection


def environment_of(url: str, options: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which PostgreSQL's own tools find this database: a password is on no command line.

    What the address does not say is that of the environment (PGSSLROOTCERT, PGPASSFILE), as for `connect`. `options`:
    settings of the server for these sessions, beside those of the address or of PGOPTIONS.
    """
    known = {one.envvar.decode(): one.val.decode() for one in Conninfo.parse(url.encode()) if one.val and one.envvar}
    found = os.environ | {"LC_ALL": "C.UTF-8"} | known
    said = [f"-c {name}={value}" for name, value in (DECLARED | dict(options or {})).items()]
    return found | {"PGOPTIONS": " ".join([found.get("PGOPTIONS", ""), *said]).strip()}


def major_of(connection: psycopg.Connection) -> int:
    """The major version of the server: 18."""
    return connection.info.server_version // 10000
