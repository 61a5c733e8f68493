"""The planted faults still fit the product, and the suite catches those that this run draws (SECT-20).

`make planted` plants them all and writes docs/planted-faults.md.
"""

import pytest
from django.conf import settings

from coordination.runtime.places import ROOT
from tests.planted import page
from tests.planted.faults import Fault, Moved, faults, wanted
from tests.planted.planting import BROKEN, CAUGHT, MISSED, copied, judged, planted

pytestmark = pytest.mark.req("SECT-20")
FAULTS = faults()
# Those that `make planted` saw caught, as they are written: what was seen stays seen.
SEEN = [one for one in FAULTS if page.is_caught(one)]


def test_the_list_is_what_is_asked():
    assert len(FAULTS) >= 60
    for what in ("id", "breaks"):
        said = [getattr(one, what) for one in FAULTS]
        assert len(set(said)) == len(said), f"two faults with the same {what}"
    places = [(one.file, one.find, one.put) for one in FAULTS]
    assert len(set(places)) == len(places)
    assert {one.file.split("/")[0] for one in FAULTS} >= {"agenda", "circle", "coordination", "habilitations"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.id)
def test_each_fault_can_still_be_planted(fault):
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    changed = fault.planted(text)
    assert changed != text
    if fault.file.endswith(".py"):
        compile(changed, fault.file, "exec")
    assert fault.tests
    for test in fault.tests:
        file, name = test.partition("::")[0], test.rpartition("::")[2] if "::" in test else ""
        assert (ROOT / file).exists(), f"{test}: no such file"
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_a_fault_whose_text_moved_is_said():
    fault = Fault("moved", "manage.py", "is no line of this file", "", "nothing", ("tests/test_demo.py",))
    with pytest.raises(Moved, match="stands 0 times"):
        fault.planted("def main(): ...")
    with pytest.raises(Moved, match="stands 2 times"):
        Fault("twice", "manage.py", "def", "", "nothing", ()).planted("def one(): ...\ndef two(): ...")


def test_the_page_says_each_fault_as_the_list_does():
    """A fault written again since the last `make planted` has no verdict: the page must not say that it has one."""
    said = page.kept()
    assert list(said) == [one.id for one in FAULTS], "make planted"
    assert [said[one.id][0] for one in FAULTS] == [one.breaks for one in FAULTS], "make planted"
    missed = [id for id, (_, by, *_) in said.items() if by != page.NOT_RUN and not page.names_a_test(by)]
    assert len(missed) <= len(FAULTS) - wanted(len(FAULTS)), missed


# ---- Those of this run ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy():
    with copied() as folder:
        yield folder


def _suffix():
    """Return what names the database of this process, which does nothing with it meanwhile."""
    return settings.DATABASES["default"]["NAME"].removeprefix("test_coordination").removeprefix("_")


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.drawn(1)
@pytest.mark.parametrize("fault", SEEN, ids=lambda one: one.id)
def test_a_planted_fault_is_caught(fault, copy, django_db_setup):
    with planted(copy, fault):
        verdict = judged(copy, fault.tests, suffix=_suffix())
    assert verdict.said == CAUGHT, f"{fault.id}: {verdict.said}: {fault.breaks}\n{verdict.output}"


# ---- That the judge can say no ----------------------------------------------------------------------------------

# Asks no database.
ALONE = ("tests/common/test_escaping.py",)


@pytest.mark.slow
@pytest.mark.once
def test_a_fault_that_no_test_sees_or_that_starts_nothing_is_not_caught(copy):
    file = "coordination/common/escaping.py"
    harmless = Fault("harmless", file, "this is a fifth of its time", "this is long", "nothing", ALONE)
    with planted(copy, harmless):
        assert judged(copy, harmless.tests, suffix="none").said == MISSED
    absurd = Fault("absurd", file, "def escaped(", "def escaped_no_more(", "everything", ALONE)
    with planted(copy, absurd):
        assert judged(copy, absurd.tests, suffix="none").said == BROKEN
    assert (copy / file).read_bytes() == (ROOT / file).read_bytes()
