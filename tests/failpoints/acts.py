"""Every act of the product that writes, found by reading the `actions` of every room (REL-5).

An act opens a transaction, by itself or by a helper of its module. What opens none is a part of others: it is cut
where they are.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType

from django.apps import apps

ROOMS = ("agenda", "circle", "coordination", "habilitations")


def modules() -> Iterator[ModuleType]:
    """Return the modules of actions of our rooms, imported."""
    for config in apps.get_app_configs():
        if config.name.split(".")[0] not in ROOMS or importlib.util.find_spec(f"{config.name}.actions") is None:
            continue
        package = importlib.import_module(f"{config.name}.actions")
        yield package
        for found in pkgutil.walk_packages(getattr(package, "__path__", []), f"{package.__name__}."):
            yield importlib.import_module(found.name)


def acts() -> dict[str, Callable]:
    """Return the acts by name, `circle.actions.adding.add_person`."""
    found = {}
    for module in modules():
        opening = opening_a_transaction(ast.parse(inspect.getsource(module)))
        for name, value in vars(module).items():
            if name in opening and not name.startswith("_") and value.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = value
    return dict(sorted(found.items()))


def opening_a_transaction(tree: ast.Module) -> set[str]:
    """Return the functions of a module that open a transaction, by themselves or by another one of it."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    opening = {name for name, node in functions.items() if _says_atomic(node)}
    while True:
        through = {name for name, node in functions.items() if opening & _called(node)} - opening
        if not through:
            return opening
        opening |= through


def _says_atomic(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "atomic" for node in ast.walk(function))


def _called(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
