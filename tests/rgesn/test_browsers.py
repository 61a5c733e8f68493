"""The oldest browsers that pages are written for are said, and nothing newer is written (RGESN 2.4)."""

import re

import pytest

from tests.rgesn.sheet import ROOT

pytestmark = pytest.mark.req("PERF-17")
STATIC = ROOT / "static"
CSS = "".join(file.read_text() for file in sorted((STATIC / "css").glob("*.css")))
JS = "".join(file.read_text() for file in sorted((STATIC / "js").glob("*.js")))
# What pages need of a browser, and from which version of Chrome, Firefox and Safari (MDN) it has it.
NEEDED = {
    "@container": (105, 110, 16.0), ":has(": (105, 121, 15.4), "color-mix(": (111, 113, 16.2),
    "subgrid": (117, 71, 16.0), ".showModal(": (37, 98, 15.4),
    ".at(": (92, 90, 15.4), "??=": (85, 79, 14.0), "?.": (80, 74, 13.1),
}  # fmt: skip
# What a browser passes over without harm: a field that grows, what is for pages without script.
SPARED = {"field-sizing", "(scripting"}
RULES = {"@container", "@font-face", "@media", "@page", "@supports"}
FUNCTIONS = {
    "attr", "calc", "circle", "color-mix", "env", "fit-content", "format", "inset", "linear-gradient", "max", "min",
    "minmax", "repeat", "repeating-linear-gradient", "rgb", "rotate", "scale", "selector", "translate", "translateX",
    "translateY", "url", "var", "clamp",
}  # fmt: skip
PSEUDO = {":has(", ":is(", ":not(", ":nth-child(", ":nth-last-child(", ":nth-of-type(", ":where("}


def test_nothing_newer_is_written():
    """A rule, a function or a selector that nobody looked up is a fault here, until its versions are."""
    plain = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", CSS, flags=re.DOTALL)
    assert set(re.findall(r"@[a-z-]+", plain)) <= RULES
    selectors = " ".join(said for said in re.findall(r"([^{};]+)\{", plain) if "@" not in said)
    assert {f"{name}(" for name in re.findall(r"(:[a-z-]+)\(", selectors)} <= PSEUDO
    values = " ".join(re.findall(r"[{;]\s*[\w-]+:([^;}{]*)", plain))
    assert set(re.findall(r"([a-zA-Z-]+)\(", values)) <= FUNCTIONS
    assert [name for name in (*NEEDED, *SPARED) if name not in CSS + JS] == [], "no longer used"


def test_the_declaration_says_from_which_versions(client, db):
    chrome, firefox, safari = (max(versions) for versions in zip(*NEEDED.values(), strict=True))
    text = client.get("/ecoconception/").content.decode().replace("&nbsp;", " ").replace("\u00a0", " ")
    assert f"Chrome ou Edge {chrome}, Firefox {firefox}, Safari {str(safari).replace('.', ',')}" in text
