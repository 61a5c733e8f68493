"""Whatever statement an act stops at, all of it is there or nothing, its trace in the journal included (REL-5).

Acts are found by introspection; each is done by one test of the suite, its recipe. `FAULTS=1 make test
ARGS=tests/failpoints`: a few statements of each act, drawn with a seed that is printed; `FULL=1`: every statement of
every act. The suite only asks that each act has its recipe: the rest takes minutes.
"""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict

import pytest
from django.conf import settings

from coordination.runtime.places import ROOT
from tests.failpoints.acts import ROOMS, acts
from tests.failpoints.recipes import recipes
from tests.failpoints.sweeping import PLAN

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.django_db, pytest.mark.req("REL-5")]
FULL = bool(os.environ.get("FULL"))
SEED = os.environ.get("FAILPOINTS_SEED") or str(random.randrange(10**6))
# Acts that are not swept, and why.
NOTED = "what is read is kept whole or not at all, and a failure is noted on the calendar, on purpose"
ASKED = "it writes nothing: it locks what it counts, for the act that asks it"
LEFT_OUT: dict[str, str] = {
    "agenda.actions.own_calendars.refresh_calendar": NOTED,
    "agenda.actions.own_calendars.refresh_while_waited_for": NOTED,
    "habilitations.actions.structures.count_contradictions": ASKED,
}


def test_every_act_has_its_recipe():
    found, known = set(acts()), set(recipes())
    assert len(found) > 200, "acts are not found any more"
    assert found - known - set(LEFT_OUT) == set(), "acts without a recipe: see tests/failpoints/recipes.py"
    assert known - found == set(), "recipes of acts that are no more"
    assert set(LEFT_OUT) <= found - known


@pytest.mark.asvs("v5.0.0-2.3.3")
@pytest.mark.skipif(not (FULL or os.environ.get("FAULTS")), reason="takes minutes: FAULTS=1")
@pytest.mark.timeout(3600 if FULL else 900)
@pytest.mark.parametrize("room", ROOMS)
def test_all_or_nothing_wherever_it_stops(room, tmp_path):
    wanted = {act: test for act, test in recipes().items() if act.startswith(f"{room}.")}
    said, output = _swept(wanted, tmp_path)
    wrong = [f"{act}: {problem}" for act, line in said.items() for problem in line["problems"]]
    total = sum(line["tried"] for line in said.values())
    print(f"{room}: seed {SEED}, {len(said)} acts cut before {total} statements, twice each")  # noqa: T201 - the figures, by -s
    assert not wrong, f"seed {SEED}\n" + "\n".join(wrong)
    assert said.keys() == wanted.keys(), f"not swept: {sorted(wanted.keys() - said.keys())}\n{output}"


def _swept(wanted: dict[str, str], folder) -> tuple[dict[str, dict], str]:
    """Run the recipes with the plugin that sweeps, on the database of this process; return what it says of each."""
    tests = defaultdict(list)
    for act, test in wanted.items():
        tests[test].append(act)
    out, plan = folder / "swept.jsonl", folder / "plan.json"
    out.touch()
    plan.write_text(json.dumps({"recipes": tests, "seed": SEED, "whole": FULL, "out": str(out)}))
    # The database of this process, which does nothing with it meanwhile.
    suffix = settings.DATABASES["default"]["NAME"].removeprefix("test_coordination").removeprefix("_")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:randomly", "-p", "tests.failpoints.sweeping",
         "--show-capture=no", "--tb=short", "--timeout=0", *tests],
        cwd=ROOT, env=os.environ | {PLAN: str(plan), "TEST_DB_SUFFIX": suffix}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    return {line.pop("act"): line for line in map(json.loads, out.read_text().splitlines())}, run.stdout[-3000:]
