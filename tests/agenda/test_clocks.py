"""The agenda in a process whose clock says another moment (REL-19): tests/agenda/at_this_moment.py under libfaketime.

The night when an hour is missing, the night when one comes twice (both times), 29 February, the last minutes of a
year. The library is a package of Debian (`libfaketime`): the whole process is deceived, C libraries included, and not
only what Python's `datetime` says.
"""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

MOMENTS = {
    "before the missing hour": "2027-03-28T00:30:00+00:00",
    "after the missing hour": "2027-03-28T01:10:00+00:00",
    "the hour that comes twice, the first": "2027-10-31T00:30:00+00:00",
    "the hour that comes twice, the second": "2027-10-31T01:30:00+00:00",
    "29 February": "2028-02-29T09:10:00+00:00",
    "the end of a year": "2026-12-31T22:45:00+00:00",
}
SCENARIO = Path(__file__).with_name("at_this_moment.py")


def library():
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.mark.req("REL-19")
@pytest.mark.slow
@pytest.mark.once
@pytest.mark.timeout(280)
@pytest.mark.skipif(library() is None, reason="NOT RUN: no libfaketime on this machine (Debian: libfaketime)")
@pytest.mark.drawn(3)
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_agenda_at_another_moment(django_db_setup, moment):
    now = dt.datetime.fromisoformat(moment)
    # The database of this very process, which does nothing meanwhile.
    suffix = settings.DATABASES["default"]["NAME"].removeprefix("test_coordination").strip("_")
    environment = {name: said for name, said in os.environ.items() if not name.startswith("PYTEST_")} | {
        "LD_PRELOAD": str(library()), "FAKETIME": f"@{now:%Y-%m-%d %H:%M:%S}", "TZ": "UTC", "MOMENT": moment,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TEST_DB_SUFFIX": suffix,
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", str(SCENARIO), "-q", "-n0", "-p", "no:cacheprovider"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=270)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
