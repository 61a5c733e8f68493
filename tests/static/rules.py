"""What our own sources must not hold, read without running them (SECT-16): one function a rule, over one module.

semgrep cannot be installed beside this product (it wants another `click` than celery does), and three of these rules
ask what only the code knows: which models belong to a dossier, what is a constant of ours
(docs/decisions/2026-11-30-scanners.md). Each rule has texts that it must flag and texts that it must let pass in
`planted.py`: none is green because it sees nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

SQL = re.compile(r"\b(SELECT\b.+\bFROM|INSERT INTO|UPDATE\b.+\bSET|DELETE FROM|ORDER BY|WHERE)\b", re.DOTALL)
# Where what people type arrives: no statement is written here, they are asked of the models.
DOOR = re.compile(r"(^|/)(views|forms|urls|middleware)(/|\.py$)")
DOORS_AND_FHIR = re.compile(r"(^|/)(views|forms|middleware|fhir)(/|\.py$)")
RUNNING = {"execute", "executemany", "raw", "extra", "RawSQL", "callproc"}
KEYS = {"pk", "id", "pk__in", "id__in"}
COLUMNS_ONLY = {"only", "defer", "select_related", "prefetch_related", "values", "values_list"}
FETCHING = {"get", "first", "last", "get_or_404"}
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*$")


class Module(NamedTuple):
    """A source: its path from the root, and (name, decorators, own nodes) of the module and of each function."""

    path: str
    functions: list[tuple[str, list[ast.expr], list[ast.AST]]]


class Finding(NamedTuple):
    """A rule, and where it is broken: the function (or « module ») stays true when lines move."""

    rule: str
    path: str
    function: str
    line: int


def read(path: str, text: str) -> Module:
    """Return a source, read once for all the rules. An inner function's nodes are its own."""
    todo: list[tuple[str, ast.AST]] = [("module", ast.parse(text))]
    found = []
    while todo:
        name, top = todo.pop()
        own, queue = [], list(ast.iter_child_nodes(top))
        while queue:
            node = queue.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                todo.append((node.name, node))
                queue += node.decorator_list
                continue
            own.append(node)
            queue += ast.iter_child_nodes(node)
        found.append((name, getattr(top, "decorator_list", []), own))
    return Module(path, found)


def dotted(node: ast.AST) -> str:
    """Return « a.b.c » of names and attributes; calls and the rest are left out of the chain."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def last_name(node: ast.AST) -> str:
    return dotted(node).rpartition(".")[2]


# ---- Statements ------------------------------------------------------------------------------------


def sql_composed(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A statement put together with what is not a constant of ours: what people type goes in its parameters."""
    for name, _, nodes in module.functions:
        ours = _made_of_constants(nodes)
        for node in nodes:
            text, parts = _composition(node)
            if text and SQL.search(text) and not all(_is_ours(part, ours) for part in parts):
                yield Finding("sql-composed", module.path, name, node.lineno)


def _composition(node: ast.AST) -> tuple[str, list[ast.AST]]:
    """Return the literal text of an expression that makes a string, and what it puts in it."""
    if isinstance(node, ast.JoinedStr):
        texts = [one.value for one in node.values if isinstance(one, ast.Constant)]
        return " ".join(texts), [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        if isinstance(node.op, ast.Mod) and not _is_text(node.left):
            return "", []
        return _composed_pair(node.left, node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "replace"):
        if isinstance(node.func.value, ast.Constant) and isinstance(node.func.value.value, str):
            return node.func.value.value, [*node.args, *(one.value for one in node.keywords)]
    return "", []


def _composed_pair(left: ast.AST, right: ast.AST) -> tuple[str, list[ast.AST]]:
    texts, parts = [], []
    for side in (left, right):
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            texts.append(side.value)
        elif isinstance(side, ast.JoinedStr | ast.BinOp):
            text, inner = _composition(side)
            texts.append(text)
            parts += inner
        else:
            parts.append(side)
    return " ".join(texts), parts


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _made_of_constants(nodes: list[ast.AST]) -> set[str]:
    """Return the names of a function that only ever hold texts made of constants of ours."""
    given: dict[str, list[ast.AST]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for one, value in pairs:
                    if isinstance(one, ast.Name):
                        given.setdefault(one.id, []).append(value)
    ours: set[str] = set()
    while more := {name for name, values in given.items() if all(_is_ours(one, ours) for one in values)} - ours:
        ours |= more
    return ours


def _is_ours(node: ast.AST, ours: set[str]) -> bool:
    """Return whether an expression can only be a text of this repository, a number or a quoted name."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name):
        return bool(CONSTANT.match(node.id)) or node.id in ours
    if isinstance(node, ast.Attribute):
        return bool(CONSTANT.match(node.attr)) or node.attr in {"db_table", "column"}
    if isinstance(node, ast.IfExp):
        return _is_ours(node.body, ours) and _is_ours(node.orelse, ours)
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return all(_is_ours(part, ours) for part in _composition(node)[1])
    if isinstance(node, ast.Call):
        return _is_ours_called(node, ours)
    return False


def _is_ours_called(node: ast.Call, ours: set[str]) -> bool:
    name = last_name(node.func)
    if name in {"int", "quote_name", "Identifier"}:
        return True
    if name in {"format", "replace", "join"} and isinstance(node.func, ast.Attribute):
        given = [*node.args, *(one.value for one in node.keywords)]
        return _is_ours(node.func.value, ours) and all(_is_ours_or_each(one, ours) for one in given)
    return False


def _is_ours_or_each(node: ast.AST, ours: set[str]) -> bool:
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        source = node.generators[0]
        names = {one.id for one in ast.walk(source.target) if isinstance(one, ast.Name)}
        return _is_ours(_iterated(source.iter), ours) and _is_ours(node.elt, ours | names)
    return _is_ours(node, ours)


def _iterated(node: ast.AST) -> ast.AST:
    """Return what is gone through: the dictionary of `CONSTANT.items()`."""
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node


def sql_at_the_door(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A statement run where what people type arrives."""
    if DOOR.search(module.path):
        for name, _, nodes in module.functions:
            for node in nodes:
                if isinstance(node, ast.Call) and last_name(node.func) in RUNNING:
                    yield Finding("sql-at-the-door", module.path, name, node.lineno)


# ---- Pages -----------------------------------------------------------------------------------------


def markup_made(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """Something other than a text of ours declared safe to show: it would not be escaped."""
    for name, _, nodes in module.functions:
        for node in nodes:
            if not isinstance(node, ast.Call) or last_name(node.func) not in {"Markup", "mark_safe", "SafeString"}:
                continue
            if node.args and not isinstance(node.args[0], ast.Constant):
                yield Finding("markup-made", module.path, name, node.lineno)


def answer_made(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A page written by hand: its values would not be escaped."""
    for name, _, nodes in module.functions:
        for node in nodes:
            if not isinstance(node, ast.Call) or last_name(node.func) not in {"HttpResponse", "StreamingHttpResponse"}:
                continue
            typed = any(one.arg == "content_type" for one in node.keywords)
            if node.args and not typed and not isinstance(node.args[0], ast.Constant):
                yield Finding("answer-made", module.path, name, node.lineno)


def sent_where_typed(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A redirection to an address that somebody typed or that a link carries."""
    for name, _, nodes in module.functions:
        for node in nodes:
            called = isinstance(node, ast.Call) and last_name(node.func)
            if called not in {"redirect", "HttpResponseRedirect", "HttpResponseClientRedirect"}:
                continue
            read_from = " ".join(dotted(one) for argument in node.args for one in ast.walk(argument))
            if re.search(r"\.(GET|POST|META|headers|COOKIES)\b", read_from):
                yield Finding("sent-where-typed", module.path, name, node.lineno)


# ---- Who may ---------------------------------------------------------------------------------------


def get_unscoped(module: Module, models: frozenset[str]) -> Iterator[Finding]:
    """A row of a dossier fetched by its id alone where requests arrive: of whose dossier is not asked."""
    if not DOORS_AND_FHIR.search(module.path):
        return
    for name, _, nodes in module.functions:
        for node in nodes:
            if isinstance(node, ast.Call) and _fetched(node) in models and not _scoped(node):
                yield Finding("get-unscoped", module.path, name, node.lineno)


def _fetched(node: ast.Call) -> str:
    """Return the model that a call fetches one row of, "" when it does not."""
    if last_name(node.func) == "get_object_or_404" and node.args:
        asked = dotted(node.args[0])
        return asked.partition(".")[0]
    chain = dotted(node.func).split(".")
    fetches = chain[-1] in FETCHING and len(chain) > 2 and chain[1] == "objects"
    return chain[0] if fetches else ""


def _scoped(node: ast.Call) -> bool:
    """Return whether something else than the id is asked, anywhere in the chain of calls."""
    conditions = {one.arg for one in node.keywords}
    todo: list[ast.AST] = [node.func, *node.args]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Call):
            conditions |= {said.arg for said in one.keywords}
            # What a queryset of ours is given positionally says whose: `.of_dossier(entry.dossier)`.
            if one.args and last_name(one.func) not in COLUMNS_ONLY:
                return True
            todo.append(one.func)
        elif isinstance(one, ast.Attribute):
            todo.append(one.value)
    return bool(conditions - KEYS - {None, "flat"})


def entered_elsewhere(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A right asked for, or a dossier fetched, in a view without the door, which is what records the access."""
    if not re.search(r"(^|/)(views|fhir|forms)(/|\.py$)", module.path):
        return
    for name, _, nodes in module.functions:
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            called = dotted(node.func)
            made = called == "Entry" and any(one.arg == "dossier" for one in node.keywords)
            if last_name(node.func) == "to_dossier" or made or called.startswith("Dossier.objects"):
                if not any(isinstance(one, ast.Name) and one.id == "door" for one in nodes):
                    yield Finding("entered-elsewhere", module.path, name, node.lineno)


def looked_without_trace(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """`door.look` leaves no trace of an access that is given: whoever calls it records it or reads nothing."""
    if module.path.endswith("dossiers/door.py"):
        return
    for name, _, nodes in module.functions:
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        if any(re.match(r"(record|trace|tell)|enter(_many)?$", last_name(node.func)) for node in calls):
            continue
        for node in calls:
            if dotted(node.func) in LOOKING:
                yield Finding("looked-without-trace", module.path, name, node.lineno)


LOOKING = {"door.look", "door.look_many", "look", "look_many"}


def open_to_all(module: Module, _models: frozenset[str]) -> Iterator[Finding]:
    """A view taken out of the protection against forged requests."""
    for name, decorators, nodes in module.functions:
        for node in [*decorators, *(one for one in nodes if isinstance(one, ast.Call))]:
            if last_name(node) == "csrf_exempt":
                yield Finding("open-to-all", module.path, name, node.lineno)
        for node in nodes:
            # The mark that the decorator leaves, put by hand.
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "csrf_exempt":
                yield Finding("open-to-all", module.path, name, node.lineno)


RULES: tuple[Callable[[Module, frozenset[str]], Iterator[Finding]], ...] = (
    sql_composed, sql_at_the_door, markup_made, answer_made, sent_where_typed, get_unscoped, entered_elsewhere,
    looked_without_trace, open_to_all,
)  # fmt: skip


def findings(module: Module, models: frozenset[str]) -> set[Finding]:
    """Return what the rules say of a module; `models`: the names of those that belong to a dossier."""
    return {found for rule in RULES for found in rule(module, models)}
