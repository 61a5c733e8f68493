"""Each class that a page names has a rule, and each rule a page that names it: what has neither is left from a change.

Read in the sources: pages drawn would say nothing of what they show on some days only.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

from coordination.runtime.places import ROOT

STATIC = Path(settings.STATICFILES_DIRS[0])
TEMPLATES = Path(engines["jinja2"].template_dirs[0])
# Classes without a rule, and why they are named all the same.
HOOKS: dict[str, str] = {}
NAME = r"-?[A-Za-z_][\w-]*"
SPOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
LITERAL = re.compile(r"\"([^\"]*)\"|'([^']*)'")
INSIDE = r"\([^()]*\)"
# What is compared, or looked up, is no class.
COMPARED = re.compile(r"""(?:==|!=)\s*(?:"[^"]*"|'[^']*')|\bin\s*\([^)]*\)|\[(?:"[^"]*"|'[^']*')\]""")


def ruled(*paths):
    """The classes that style sheets have a rule for."""
    css = "".join(re.sub(r"/\*.*?\*/|url\([^)]*\)", "", path.read_text(), flags=re.DOTALL) for path in paths)
    return set(re.findall(rf"\.({NAME})", re.sub(r"\{[^{}]*\}", "{}", css)))


def values(source):
    """The class attributes of a template, with their expressions, which have quotes of their own."""
    for found in re.finditer(r'(?<=\s)class="', source):
        end = found.end()
        while source[end] != '"':
            closing = {"{{": "}}", "{%": "%}"}.get(source[end : end + 2])
            end = source.index(closing, end) + 2 if closing else end + 1
        yield source[found.end() : end]


def words(text):
    """The classes that an expression says, those of a condition or of a call left out."""
    said = text if text.startswith("{") else re.sub(INSIDE, "", text)
    return [word for one in LITERAL.findall(COMPARED.sub("", said)) for word in "".join(one).split()]


def named(source):
    """The classes that a template names, and the beginnings of those that it puts together (« tag- »)."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    said = []
    for value in values(source):
        said += SPOKEN.sub(lambda one: "\0" if one[0].startswith("{{") else " ", value).split()
        # What completes a beginning is no class by itself.
        whole = [one[0] for one in SPOKEN.finditer(value) if not value[: one.start()].endswith("-")]
        said += [word for one in whole for word in words(one)]
    given = (r"\bcls=(\"[^\"]*\"|'[^']*')", rf"icon\([^,()]+,\s*((?:[^()]|{INSIDE})*)\)", r"\bset css = ([^%]*)%\}")
    for pattern in given:
        said += [word for one in re.findall(pattern, source) for word in words(one)]
    for one in re.findall(r"block (?:main|body)_class %\}([^{]*)\{%", source):
        said += one.split()
    pieces = {piece for word in said for piece in word.split("\0") if piece}
    return {one for one in pieces if not one.endswith("-")}, {one for one in pieces if one.endswith("-")}


def of_templates():
    found, begun = {}, set()
    for path in TEMPLATES.rglob("*.html"):
        classes, beginnings = named(path.read_text())
        begun |= beginnings
        for one in classes:
            found.setdefault(one, set()).add(str(path.relative_to(TEMPLATES)))
    return found, begun


def of_scripts():
    """The classes that our scripts give."""
    source = "".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    given = re.findall(r"className = (\"[^\"]*\"|`[^`]*`)|classList\.\w+\((\"[^\"]*\")", source)
    return {word for one in given for word in re.sub(r"\$\{.*?\}(?=`|\s|\$)", " ", "".join(one)).strip('"`').split()}


@pytest.fixture(scope="module")
def sheets():
    return ruled(*(STATIC / "css").glob("*.css"))


def test_each_class_of_a_template_has_a_rule(sheets):
    there = sheets | ruled(STATIC / "vendor/bootstrap/bootstrap.min.css")
    found, begun = of_templates()
    assert len(found) > 200, "templates are read"
    assert {name: where for name, where in found.items() if name not in there | HOOKS.keys()} == {}
    assert {one for one in begun if not any(name.startswith(one) for name in there)} == set()
    assert {one for one in of_scripts() if not one.endswith("-")} - there - HOOKS.keys() == set()


def test_each_rule_is_for_a_class_that_somebody_names(sheets):
    found, begun = of_templates()
    scripts = "".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    drawn = [path.read_text() for path in (ROOT / "coordination/common").glob("*.py")]
    # A macro says some in its own words: any word of a template will do.
    said = "".join(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL) for path in TEMPLATES.rglob("*.html"))
    said += scripts + "".join(one for one in drawn if 'class="' in one)
    there = found.keys() | set(re.findall(NAME, said))
    begun |= set(re.findall(rf"{NAME}-(?=[\"'`$\s{{])", said))
    assert {one for one in sheets - there if not one.startswith(tuple(begun))} == set()


def test_each_exception_is_needed():
    assert HOOKS.keys() - of_templates()[0].keys() - of_scripts() == set(), "named by nobody any more"


@pytest.mark.parametrize(
    ("source", "classes", "beginnings"),
    [
        ('<p class="one two">', {"one", "two"}, set()),
        ('<p class="one{{ " two" if x == "three" }}">', {"one", "two"}, set()),
        ('<p class="m-{{ x or "none" }}{{ " here" if y }}">', {"here"}, {"m-"}),
        ('<p class="one{% if x %} two{% endif %}">', {"one", "two"}, set()),
        ('{{ icon(entry.icon, "picto picto-" ~ ("info" if x else "att")) }}', {"picto"}, {"picto-"}),
        ('{{ field(form.x, cls="w-1-3") }}{# <p class="never"> #}', {"w-1-3"}, set()),
    ],
)
def test_how_they_are_read(source, classes, beginnings):
    assert named(source) == (classes, beginnings)
