"""French sentences shown to people have one apostrophe, ’: in templates, in Python, in the labels of the code lists.

Left out: what a terminal shows (commands, imports, runtime), the columns of national files, invented data, migrations.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from coordination.common import nomenclatures

ROOT = Path(__file__).parents[1]
ROOMS = ("agenda", "circle", "coordination", "habilitations")
NOT_SCREENS = {"migrations", "management", "imports", "generator", "runtime", "demo"}
# An elision: « l'accès », « d'{name} », « aujourd'hui ».
STRAIGHT = re.compile(
    r"(?<![\w’'])(l|d|n|s|c|j|m|t|qu|jusqu|lorsqu|puisqu|aujourd|quelqu|presqu)'(?=[^\W\d_]|[{«&])", re.I
)
COMMENT = re.compile(r"\{#.*?#\}", re.S)
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))
MODULES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if not NOT_SCREENS & set(path.relative_to(ROOT).parts)
)


def docstrings(source):
    """Return the lines where a docstring begins: they are for who reads the code."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(ast.parse(source)) if isinstance(node, holders) and node.body]
    return {body[0].lineno for body in bodies if isinstance(body[0], ast.Expr)}


def straight_in(source):
    """Return the literals of a module that hold a straight apostrophe, docstrings left out."""
    told = docstrings(source)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    literals = [token for token in tokens if token.type == tokenize.STRING and token.start[0] not in told]
    return [(token.start[0], token.string) for token in literals if STRAIGHT.search(token.string)]


def test_a_straight_one_is_found():
    assert straight_in('"""Docstring d\'ici."""\nx = f"l\'accès d\'{name}"\n') == [(2, "f\"l'accès d'{name}\"")]
    assert straight_in('x = "un nom d’O\'Brien"\n') == []
    assert len(MODULES) > 200
    assert len(TEMPLATES) > 130


def test_sentences_of_python():
    found = {path.relative_to(ROOT).as_posix(): straight_in(path.read_text()) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_templates_and_mails():
    found = {path.name: STRAIGHT.findall(COMMENT.sub("", path.read_text())) for path in TEMPLATES}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("kind", sorted(nomenclatures.KINDS))
def test_labels_of_the_code_lists(kind):
    for concept in nomenclatures.concepts(kind):
        assert not STRAIGHT.search(" ".join((concept.label, concept.feminine, concept.short)))
    assert not any(STRAIGHT.search(label) for _, label in nomenclatures.choices(kind, common_only=False))


def test_scripts():
    for path in (ROOT / "static" / "js").glob("*.js"):
        words = [said for said in re.findall(r"[\"`]([^\"`\n]*)[\"`]", path.read_text()) if STRAIGHT.search(said)]
        assert words == [], path.name
