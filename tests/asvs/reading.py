"""The product's own sources, read for what they must not hold."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("coordination", "circle", "agenda", "habilitations", "deploy")


class Read(NamedTuple):
    calls: tuple[tuple[str, str, ast.Call], ...]
    imported: tuple[tuple[str, str], ...]


@cache
def paths() -> tuple[Path, ...]:
    """Return the modules of the product; migrations run once, and are read by Django's own checks."""
    found = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return tuple(path for path in found if "migrations" not in path.parts)


@cache
def _read() -> Read:
    """One pass over all the sources: it costs seconds, each process does it once."""
    called, brought = [], []
    for file in paths():
        path = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called.append((path, _dotted(node.func), node))
            elif isinstance(node, ast.Import):
                brought += [(path, name.name) for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                brought += [(path, f"{node.module}.{name.name}") for name in node.names]
    return Read(tuple(called), tuple(brought))


def calls() -> tuple[tuple[str, str, ast.Call], ...]:
    """Return (path, name of what is called, the call) of every call; "….run" for what is called on an answer."""
    return _read().calls


def imported() -> tuple[tuple[str, str], ...]:
    """Return (path, module or module.name) of every import."""
    return _read().imported


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "…"


@cache
def scripts() -> dict[str, str]:
    """Return {path: text without comments} of our own scripts."""
    return {
        str(path.relative_to(ROOT)): re.sub(r"/\*.*?\*/|(?m:^|\s)//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        for path in sorted((ROOT / "static/js").glob("*.js"))
    }


@cache
def templates() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "templates").rglob("*.html"))}


@cache
def locked() -> frozenset[str]:
    """Return the names of the packages that are installed in production."""
    text = (ROOT / "requirements.lock").read_text()
    return frozenset(
        name.lower() for name in re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==", text, re.MULTILINE)
    )
