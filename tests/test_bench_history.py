"""What `make bench` keeps of its runs: a rise is seen, a part run leaves the rest, each goal has its row."""

import dataclasses

import pytest

from tests.bench import __main__ as bench
from tests.bench import history, performance, written


def line(ratio=2.0, day=1, **changed):
    given = {
        "at": f"2026-11-{day:02}T08:00:00Z", "commit": "abc1234", "size": history.SHORT, "cores": 2,
        "machine": history.QUIET, "module": "pages", "figure": "Circle page (p50 3 ms)", "value": "4 ms",
        "ratio": ratio, "yardstick": "hello", "goal": "≤ 8 ×", "kept": "yes",
    }  # fmt: skip
    return history.Line(**given | changed)


BEFORE = [line(2.0, 1), line(9.0, 2), line(2.2, 3)]  # the median, not the mean: one mad run changes nothing


@pytest.mark.parametrize(
    ("ratio", "risen"), [(2.2, False), (2.2 * 1.14, False), (2.2 * 1.16, True), (4.4, True), (1.0, False)]
)
def test_a_planted_rise_is_seen_and_marked(ratio, risen):
    now = line(ratio, 4)
    change = history.worse_by(now, BEFORE)
    assert history.has_risen(change) is risen
    drawn = written.table([written.cells(now, change)])
    assert ("▲" in drawn) is risen
    assert (written.RED in written.in_red(drawn)) is risen


def test_of_at_least_it_is_the_fall_that_is_a_rise():
    before = [line(1.0, 1, goal="≥ 1.0 ×")]
    assert history.has_risen(history.worse_by(line(0.8, 2, goal="≥ 1.0 ×"), before))
    assert not history.has_risen(history.worse_by(line(1.5, 2, goal="≥ 1.0 ×"), before))


@pytest.mark.parametrize(
    "changed",
    [{"ratio": None}, {"machine": history.BUSY}, {"cores": 4}, {"size": history.NATIONAL}, {"module": "search"},
     {"figure": "Home"}],
)  # fmt: skip
def test_what_is_not_the_same_is_compared_with_nothing(changed):
    assert history.worse_by(dataclasses.replace(line(9.0, 4), **changed), BEFORE) is None


def test_a_busy_run_is_no_measure_for_those_after_it():
    before = [line(2.0, 1), *(line(9.0, day, machine=history.BUSY) for day in (2, 3))]
    assert history.has_risen(history.worse_by(line(4.0, 4), before))


def test_the_same_figure_whatever_it_counted():
    now = line(4.4, 4, figure="Circle page (p50 7 ms, 3 of 9 cancelled)")
    assert history.has_risen(history.worse_by(now, BEFORE))
    assert line(figure="Circle, 12 members").key != line(figure="Circle, 30 members").key


def test_a_machine_with_work_to_do_is_busy(monkeypatch):
    monkeypatch.delenv("BUSY", raising=False)
    assert [history.machine_of(load, 2) for load in (0.2, 1.8)] == [history.QUIET, history.BUSY]
    monkeypatch.setenv("BUSY", "1")
    assert history.machine_of(0.0, 2) == history.BUSY


def test_lines_are_read_as_they_were_written(tmp_path):
    there = tmp_path / "history.csv"
    assert history.read(there) == []
    first, second = [line(figure='a "b", c | d'), line(None, 1)], [line(3.5, 2)]
    history.append(there, first)
    history.append(there, second)
    assert history.read(there) == [*first, *second]
    there.write_text("at,figure\n")
    with pytest.raises(ValueError, match=r"history\.csv"):
        history.read(there)


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """The folder of the pages, in another place; the modules of the bench played by two that measure nothing."""
    monkeypatch.setattr(bench, "DOCS", tmp_path)
    monkeypatch.setattr(bench, "HISTORY", tmp_path / "bench-history.csv")
    monkeypatch.setattr(bench, "_measure", lambda names, full: ([played[name]] for name in names))
    played = {"pages": line(2.0, 1), "search": line(1.0, 1, module="search", figure="Search")}
    return tmp_path, played


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    return bench.main()


def test_a_run_of_some_modules_leaves_the_rows_of_the_others(docs, monkeypatch, capsys):
    there, played = docs
    assert run(monkeypatch, "pages", "search") == 0
    (there / "bench.md").write_text((there / "bench.md").read_text() + "\nA note.\n")
    played["pages"] = line(3.0, 2)
    assert run(monkeypatch, "pages") == 1, "a rise fails"
    page = (there / "bench.md").read_text()
    assert "| Search " in page
    assert "3.00 ×" in page
    assert "2.00 ×" not in page
    assert page.endswith("\nA note.\n")
    assert "- 2026-11-02, abc1234: pages\n- 2026-11-01, abc1234: search\n" in page
    assert "▲ +50 %" in page
    assert "▲ +50 %" in capsys.readouterr().out
    assert "▲ 1" in (there / "performance.md").read_text()


def test_without_a_report_nothing_is_kept(docs, monkeypatch, capsys):
    there, _ = docs
    assert run(monkeypatch, "pages", "--no-report") == 0
    assert not list(there.iterdir())


def test_a_busy_machine_is_said_on_the_page(docs, monkeypatch, capsys):
    there, played = docs
    played["pages"] = line(2.0, 1, machine=history.BUSY)
    run(monkeypatch, "pages")
    assert "busy machine" in (there / "bench.md").read_text()
    assert "busy machine" in (there / "performance.md").read_text()


def test_each_goal_has_its_row_and_what_is_not_measured_says_so():
    goals = performance.read()
    assert [goal.name for goal in goals] == [f"PERF-{number}" for number in range(1, 22)]
    assert {module for goal in goals for module, _ in goal.figures} <= set(bench.MODULES)
    page = performance.page(goals, [line(kept="NO")], bench.PAGES)
    rows = {cells[1].strip(): cells for row in page.split("\n") if len(cells := row.split("|")) == 8}
    assert rows["PERF-1"][3].strip() == "NO"
    assert {name for name, cells in rows.items() if cells[3].strip() == performance.NOT_MEASURED} == {
        f"PERF-{number}" for number in range(2, 22)
    }
    assert all(goal.figures or goal.elsewhere for goal in goals), "a goal without figures says why"


def test_the_pages_are_what_the_history_says():
    """Nobody wrote a figure by hand."""
    lines = history.read(bench.HISTORY)
    assert (bench.DOCS / "performance.md").read_text() == performance.page(performance.read(), lines, bench.PAGES)
