"""What the browser tells a screen reader of a page (CDP, Accessibility.getFullAXTree), and what is wrong in it.

Names are those that the browser computes, from labels, texts and attributes as they are drawn at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Take the focus, and are no control: what a script moves the focus to, and what scrolls.
NO_CONTROL = frozenset({
    "RootWebArea", "main", "heading", "alert", "generic", "paragraph", "region", "group", "section", "table", "list",
    "grid", "log", "status", "form", "search", "navigation", "note", "LayoutTable", "DescriptionList",
})  # fmt: skip
# The items of a closed list are told by the list, the cells of a grid by its heads.
OPTIONS = frozenset({"gridcell", "option", "MenuListOption", "MenuListPopup", "listbox"})
# Fields that the browser makes of several parts, whose names are its own.
DRAWN_BY_THE_BROWSER = frozenset({"Date", "DateTime", "InputTime"})
# What sets two controls of one name apart for who hears them: the group, the form or the part of the page they are in.
SETS_APART = frozenset({"group", "radiogroup", "form", "search", "navigation", "region", "dialog", "article"})
# Names of one word that say an act and not what it is done to: in a row, they are all alike.
BARE = frozenset({
    "modifier", "supprimer", "retirer", "voir", "ouvrir", "annuler", "révoquer", "relancer", "terminer", "renvoyer",
    "télécharger", "autres actions", "détail", "détails", "arrêter", "reprendre", "abandonner",
    "répondre",
})  # fmt: skip
ROWS = frozenset({"row", "listitem"})


def of(page) -> list[dict[str, Any]]:
    """Return the nodes of the accessibility tree of a page of Playwright."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return nodes


def faults(nodes: list[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong: landmarks, order of headings, names of what is acted upon."""
    tree = _Tree(nodes)
    return [*_landmarks(tree), *_headings(tree), *_names(tree)]


class _Tree:
    def __init__(self, nodes: list[Mapping[str, Any]]) -> None:
        self._by_id = {node["nodeId"]: node for node in nodes}
        self.told = [node for node in nodes if not node.get("ignored")]

    def above(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        while parent := self._by_id.get(node.get("parentId", "")):
            yield parent
            node = parent


def _role(node: Mapping[str, Any]) -> str:
    return node.get("role", {}).get("value", "")


def _name(node: Mapping[str, Any]) -> str:
    return " ".join(str(node.get("name", {}).get("value", "")).split())


def _said(node: Mapping[str, Any], wanted: str) -> Any:
    return next((one["value"].get("value") for one in node.get("properties", []) if one["name"] == wanted), None)


def _landmarks(tree: _Tree) -> Iterator[str]:
    mains = [node for node in tree.told if _role(node) == "main"]
    if len(mains) != 1:
        yield f"{len(mains)} main landmarks"


def _headings(tree: _Tree) -> Iterator[str]:
    levels = [(_said(node, "level"), _name(node)) for node in tree.told if _role(node) == "heading"]
    if [level for level, _ in levels].count(1) != 1 or levels[0][0] != 1:
        yield f"headings {[level for level, _ in levels]}"
    for (before, _), (after, name) in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            yield f"from level {before} to « {name} », level {after}"
    for level, name in levels:
        if not name:
            yield f"an empty heading of level {level}"


def _names(tree: _Tree) -> Iterator[str]:
    heard: dict[tuple[str, str, str], str] = {}
    for node in tree.told:
        role, name = _role(node), _name(node)
        if not _said(node, "focusable") or role in NO_CONTROL | OPTIONS:
            continue
        if not name:
            yield f"a {role} without a name"
            continue
        inside = [one for one in tree.above(node) if not one.get("ignored")]
        if any(_role(one) in DRAWN_BY_THE_BROWSER for one in inside):
            continue
        if name.casefold() in BARE and any(_role(one) in ROWS for one in inside):
            yield f"{role} « {name} » does not say of what"
        context = " / ".join(_name(one) for one in inside if _role(one) in SETS_APART and _name(one))
        # Two links of one name may lead to one place; anything else of one name is two things.
        target = str(_said(node, "url") or node["nodeId"])
        if heard.setdefault((role, name.casefold(), context), target) != target:
            yield f"two {role}s « {name} » in « {context} »"
