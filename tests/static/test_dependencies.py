"""What we depend on is pinned with its hashes, looked up, and nothing is known against it (SECT-17, SEC-27)."""

import datetime as dt
import json
import subprocess

import pytest

from deploy import advisories
from deploy.advisories import Pin, affected, pins, wrong

pytestmark = pytest.mark.req("SECT-17", "SEC-27")
HASH = "--hash=sha256:" + "0" * 64
COPY = json.loads(advisories.COPY.read_text())


@pytest.mark.parametrize("name", advisories.LOCKS)
def test_every_line_of_a_lock_file_is_one_version_with_its_hashes(name):
    assert list(pins((advisories.ROOT / name).read_text()))


@pytest.mark.parametrize(
    "line",
    [
        "jinja2==3.1.6",
        f"jinja2>=3.1 {HASH}",
        f"jinja2==3.* {HASH}",
        f"jinja2 {HASH}",
        f"jinja2 @ git+https://forge.example/jinja2 {HASH}",
        "-e ../jinja2",
        "--index-url https://index.example/simple",
        "https://files.example/jinja2-3.1.6.whl",
        "jinja2==3.1.6 --hash=md5:00",
    ],
)
def test_a_line_that_lets_something_else_in_is_refused(line):
    good = f"# made by uv\ndjango==5.2.19 ; python_version >= '3.11' \\\n    {HASH} \\\n    {HASH}\n"
    assert list(pins(good)) == [Pin("django", "5.2.19")]
    with pytest.raises(advisories.NotPinned):
        list(pins(good + line))


def test_nothing_is_known_against_what_is_pinned_and_everything_was_looked_up():
    found = advisories.pinned()
    assert len(found) > 100
    assert wrong(found, COPY) == []


@pytest.mark.parametrize("pin", advisories.KEPT_FOR_TESTS, ids=lambda pin: pin.name)
def test_a_planted_vulnerable_version_turns_it_red(pin):
    (first, *_) = wrong({*advisories.pinned(), pin}, COPY)
    assert first.startswith(f"{pin.name} {pin.version}: PYSEC-") and "CVE-" in first


def test_a_planted_name_that_nobody_looked_up_turns_it_red():
    (only,) = wrong({*advisories.pinned(), Pin("never-heard-of", "1.0")}, COPY)
    assert only.startswith("never-heard-of was never looked up")


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("0.9", False), ("1.0", True), ("1.4.9", True), ("1.5", False), ("1.10", False), ("2.0rc1", False),
        ("2.0", True), ("2.3", True), ("2.3.1", False), ("3.0", False), ("3.7", True), ("4.0.dev1", True),
    ],
)  # fmt: skip
def test_bounds_are_read_as_osv_says(version, named):
    ranges = [
        [{"introduced": "1.0"}, {"fixed": "1.5"}],
        [{"last_affected": "2.3"}, {"introduced": "2.0"}],
        [{"introduced": "3.6"}],
    ]
    assert affected(version, {"versions": [], "ranges": ranges}) is named


def test_a_version_named_alone_is_found():
    assert affected("1.0.post1", {"versions": ["1.0.post1"], "ranges": []})
    assert affected("1.0", {"versions": [], "ranges": [[{"introduced": "0"}]]})


@pytest.mark.parametrize(("days", "code"), [(0, 0), (29, 0), (31, 1), (400, 1)])
def test_a_release_asks_for_a_recent_copy_and_says_how_old_it_is(capsys, days, code):
    now = dt.datetime.fromisoformat(COPY["at"]) + dt.timedelta(days=days)
    assert advisories.main(["check"], now) == code
    assert f"{days} days" in capsys.readouterr().out


def test_a_release_with_a_known_fault_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(advisories, "pinned", lambda: {Pin("jinja2", "2.10")})
    assert advisories.main(["check"], dt.datetime.fromisoformat(COPY["at"])) == 1
    assert "jinja2 2.10: PYSEC-" in capsys.readouterr().out


ADVISORY = """id: PYSEC-2026-1
aliases: [CVE-2026-0001]
affected:
- package: {ecosystem: PyPI, name: Jinja2}
  ranges:
  - {type: GIT, repo: x, events: [{introduced: "0"}, {fixed: abc}]}
  - {type: ECOSYSTEM, events: [{introduced: "0"}, {fixed: 5.10}]}
  versions: ["5.1"]
"""


def test_a_copy_is_made_of_a_repository(tmp_path):
    for name, said in {
        "jinja2/PYSEC-2026-1.yaml": ADVISORY,
        "jinja2/PYSEC-2026-2.yaml": ADVISORY + "withdrawn: 2026-01-01T00:00:00Z\n",
        "other/PYSEC-2026-3.yaml": ADVISORY,
    }.items():
        (tmp_path / "vulns" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "vulns" / name).write_text(said)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x.example"]
    for asked in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *asked], check=True)
    copy = advisories.taken(str(tmp_path), ["jinja2", "django"])
    (kept,) = copy["advisories"]["jinja2"]
    assert kept["id"] == "PYSEC-2026-1" and copy["asked"] == ["django", "jinja2"] and "other" not in copy["advisories"]
    assert kept["ranges"] == [[{"introduced": "0"}, {"fixed": "5.10"}]], "5.10 is a version, not a number"
    assert wrong({Pin("jinja2", "5.9"), Pin("django", "1.0")}, copy) == ["jinja2 5.9: PYSEC-2026-1, CVE-2026-0001"]
    assert advisories.age(copy, dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
