"""What the code of one page shows of the RGAA, criterion by criterion, without a browser.

`faults(html)` gives what is wrong as (criterion, sentence). It sees what the server wrote: colours, focus and what
scripts add are looked at in tests/front and tests/system.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "area", "source", "col", "wbr", "track", "embed"})
# Of what is not in the product, and would ask criteria that the sheet calls not applicable.
ABSENT = {
    "img": "1.1", "area": "1.1", "map": "1.1", "canvas": "1.1", "iframe": "2.1", "frame": "2.1", "video": "4.1",
    "audio": "4.1", "object": "4.8", "embed": "4.8", "blockquote": "9.4", "q": "9.4", "marquee": "13.8",
    "blink": "13.8",
}  # fmt: skip
PRESENTATION = frozenset({"font", "center", "big", "tt", "strike", "basefont", "u", "b", "i"})
LOOKS = frozenset({"align", "bgcolor", "background", "border", "cellpadding", "cellspacing", "valign", "style"})
REFERENCES = ("aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "for", "form")
FIELDS = frozenset({"input", "select", "textarea"})
BUTTONS = frozenset({"submit", "button", "reset", "image"})
# What a field that must be typed in one way says beside it.
FORMAT = re.compile(r"jj/mm/aaaa|\w@|\d\S? (chiffres|caractères)|en minutes|https?://|Par exemple")


# A name that any link could have.
VAGUE = frozenset({
    "ici", "cliquez ici", "cliquer ici", "en savoir plus", "lire la suite", "suite", "retour", "lien", "voir", "plus",
    "détail", "détails", "ouvrir", "télécharger", "page",
})  # fmt: skip


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    parent: Node | None
    children: list[Node | str] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""

    def walk(self) -> Iterator[Node]:
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    def all(self, *tags: str) -> list[Node]:
        return [node for node in self.walk() if node.tag in tags]

    def above(self) -> Iterator[Node]:
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def text(self) -> str:
        """Return the words that a screen reader would say of it: what is hidden from it is left out."""
        said = []
        for child in self.children:
            if isinstance(child, str):
                said.append(child)
            elif child.get("aria-hidden") != "true" and "hidden" not in child.attributes:
                said.append(child.get("aria-label") or child.text())
        return re.sub(r"\s+", " ", "".join(said)).strip()

    def __str__(self) -> str:
        told = " ".join(f'{name}="{self.attributes[name]}"' for name in ("id", "name", "class") if self.get(name))
        return f"<{self.tag} {told}> « {self.text()[:40]} »"


class Tree(HTMLParser):
    """The page as a tree, and what is wrong in how it is written."""

    def __init__(self, html: str):
        super().__init__()
        self.root = self.here = Node("", {}, None)
        self.doctype, self.badly = "", []
        self.feed(html)
        self.close()
        self.badly += [f"<{node.tag}> is never closed" for node in (self.here, *self.here.above()) if node.tag]

    def handle_decl(self, decl):
        self.doctype = decl

    def handle_starttag(self, tag, attrs):
        if twice := [name for name, count in Counter(name for name, _ in attrs).items() if count > 1]:
            self.badly.append(f"<{tag}> says {twice} twice")
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.here = self.here.parent

    def handle_endtag(self, tag):
        if self.here.tag == tag:
            self.here = self.here.parent
        else:
            self.badly.append(f"</{tag}> closes <{self.here.tag}>, line {self.getpos()[0]}")

    def handle_data(self, data):
        self.here.children.append(data)


def faults(tree: Tree) -> list[tuple[str, str]]:
    """Return [(criterion, what is wrong)] of a whole page."""
    looks = (
        _document,
        _languages,
        _written,
        _runs_together,
        _absent,
        _shown_only,
        _titles,
        _landmarks,
        _lists,
        _tables,
        _names,
        _fields,
        _formats,
        _groups,
        _sent_alone,
        _keys,
    )
    return [fault for look in looks for fault in look(tree)]


def _document(tree):
    if tree.doctype.lower() != "doctype html":
        yield "8.1", f"doctype « {tree.doctype} »"
    for html in tree.root.all("html"):
        if html.get("lang") != "fr":
            yield "8.3", f"lang « {html.get('lang')} »"
    titles = [title for head in tree.root.all("head") for title in head.all("title")]
    if len(titles) != 1:
        yield "8.5", f"{len(titles)} titles"
    for title in titles:
        page, dash, product = title.text().rpartition(" – ")
        if not (page.strip() and dash and product.strip()):
            yield "8.6", f"title « {title.text()} »"


def _languages(tree):
    for node in tree.root.walk():
        if node.tag != "html" and "lang" in node.attributes:
            yield "8.7", f"a change of language, which the sheet says there is none of: {node}"
        if "dir" in node.attributes:
            yield "8.10", f"a change of direction, which the sheet says there is none of: {node}"


def _written(tree):
    for said in tree.badly:
        yield "8.2", said
    ids = Counter(node.attributes["id"] for node in tree.root.walk() if "id" in node.attributes)
    for name, count in ids.items():
        if count > 1 or not name or " " in name:
            yield "8.2", f"id « {name} », {count} times"
    for node in tree.root.walk():
        for name in REFERENCES:
            for wanted in node.get(name).split():
                if wanted not in ids:
                    yield "8.2", f"{name}=« {wanted} » finds nothing: {node}"


# In the line of the words around them, when no style sheet says otherwise.
IN_LINE = frozenset({"a", "abbr", "b", "code", "em", "kbd", "small", "span", "strong", "time"})
WORD = re.compile(r"\w", re.UNICODE)


def _runs_together(tree):
    """Without style sheets, or read aloud, words are told apart by what is written between them: a space."""
    for node in tree.root.all("body"):
        for one in (node, *node.walk()):
            for before, after in pairwise(one.children):
                tags = {child.tag for child in (before, after) if isinstance(child, Node)}
                if not tags or tags - IN_LINE:
                    continue
                ends, begins = _raw(before)[-1:], _raw(after)[:1]
                if WORD.match(ends) and WORD.match(begins):
                    yield "10.3", f"« {_raw(before)[-20:]} » runs into « {_raw(after)[:20]} »: {one}"


def _raw(child):
    """Return the text as it is written, whoever it is hidden from."""
    return child if isinstance(child, str) else "".join(_raw(one) for one in child.children)


def _absent(tree):
    for node in tree.root.walk():
        if node.tag in ABSENT:
            yield ABSENT[node.tag], f"the sheet says there is none: {node}"
        if node.get("role") == "img" and not node.get("aria-label"):
            yield "1.1", f"an image without a name: {node}"
        if node.tag == "svg" and node.get("aria-hidden") != "true" and node.get("role") != "img":
            yield "1.2", f"a drawing that is not hidden: {node}"
        if node.tag in PRESENTATION or LOOKS & set(node.attributes):
            yield "10.1", f"made for its look: {node} {sorted(LOOKS & set(node.attributes))}"
        if node.tag == "meta" and node.get("http-equiv").lower() == "refresh":
            yield "13.1", "the page goes elsewhere by itself"
        if node.get("target") not in ("", "_self"):
            yield "13.2", f"opens a window: {node}"


# What would be told by its colour, its shape or its side of the screen.
SHOWN = re.compile(
    r"\b(à|de) (droite|gauche)\b|ci-contre|\ben (rouge|vert|bleu|gris|orange|jaune|gras)\b"
    r"|\b(bouton|bandeau|icône|pastille|carré|rond|case)s? (rouge|vert|bleu|gris|orange|jaune|rond)(e|s|es)?\b",
    re.I,
)


def _shown_only(tree):
    for main in tree.root.all("main"):
        for one in (main, *main.walk()):
            for words in (child for child in one.children if isinstance(child, str)):
                if found := SHOWN.search(words):
                    yield "10.9", f"told by how it looks, « {found[0]} »: {one}"


def _titles(tree):
    levels = [(int(node.tag[1]), node) for node in tree.root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    if [level for level, _ in levels].count(1) != 1 or levels[0][0] != 1:
        yield "9.1", f"headings {[level for level, _ in levels]}"
    for (before, _), (after, node) in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            yield "9.1", f"from h{before} to {node}"
    for _, node in levels:
        if not node.text():
            yield "9.1", f"an empty heading: {node}"


def _landmarks(tree):
    bodies = tree.root.all("body")
    outer = {tag: [node for node in tree.root.all(tag) if not _inside(node, "main", "article", "section")]
             for tag in ("header", "main", "footer")}  # fmt: skip
    for tag, found in outer.items():
        if len(found) != 1:
            yield "9.2", f"{len(found)} {tag}"
    navs = Counter(node.get("aria-label") for node in tree.root.all("nav"))
    for label, count in navs.items():
        if not label or count > 1:
            yield "12.6", f"nav « {label} », {count} times"
    for body in bodies:
        first = next((node for node in body.walk() if node.tag in ("a", "button", *FIELDS, "summary")), None)
        if first is None or first.get("href") != "#contenu" or not first.text():
            yield "12.7", f"the first stop is {first}"
    if not any(node.get("id") == "contenu" for node in tree.root.all("main")):
        yield "12.7", "the way past the bar leads nowhere"


def _inside(node, *tags):
    return any(one.tag in tags for one in node.above())


def _lists(tree):
    for node in tree.root.walk():
        inside = [child.tag for child in node.children if isinstance(child, Node)]
        words = "".join(child for child in node.children if isinstance(child, str)).strip()
        if node.tag in ("ul", "ol") and node.get("role") != "presentation":
            if set(inside) - {"li", "template", "script"} or words:
                yield "9.3", f"a list holds {sorted(set(inside))}: {node}"
        if node.tag == "li" and node.parent.tag not in ("ul", "ol", "menu"):
            yield "9.3", f"an item out of a list: {node}"
        if node.tag in ("dt", "dd") and not _inside(node, "dl"):
            yield "9.3", f"a term out of a list: {node}"
        if node.tag == "p" and not inside and not words and not (node.get("id") or node.get("role") or _waits(node)):
            yield "8.9", f"an empty paragraph: {node}"


def _waits(node):
    """Return whether a script or an answer writes there."""
    return any(name.startswith("data-") for name in node.attributes)


def _tables(tree):
    for table in tree.root.all("table"):
        if table.get("role") in ("presentation", "none"):
            yield "5.3", f"made for its look: {table}"
        if not (any(one.text() for one in table.all("caption")) or table.get("aria-label")):
            yield "5.4", f"a table without a title: {table}"
        heads = table.all("th")
        if not heads:
            yield "5.6", f"a table without a head: {table}"
        for head in heads:
            if head.get("scope") not in ("row", "col", "rowgroup", "colgroup"):
                yield "5.7", f"a head of nothing: {head}"


def _names(tree):
    for node in tree.root.walk():
        if node.get("aria-hidden") == "true" or any(one.get("aria-hidden") == "true" for one in node.above()):
            continue
        criterion = {"a": "6.2", "button": "11.9", "summary": "7.1"}.get(node.tag)
        if criterion and not (node.get("aria-label") or node.get("aria-labelledby") or node.text()):
            yield criterion, f"without words: {node}"
        if node.tag == "a" and (node.get("aria-label") or node.text()).casefold().strip(" .…") in VAGUE:
            yield "6.1", f"a link that says nothing out of its place: {node}"
        seen, called = node.text(), re.sub(r"\s+", " ", node.get("aria-label"))
        if criterion and called and seen and seen.casefold() not in called.casefold():
            yield "6.1" if node.tag == "a" else "11.9", f"« {seen} » is called « {called} »"


def _fields(tree):
    labels: dict[str, str] = {}
    for label in tree.root.all("label"):
        labels[label.get("for")] = label.text()
    for node in _typed(tree):
        if not (labels.get(node.get("id")) or node.get("aria-label") or node.get("aria-labelledby")):
            yield "11.1", f"without a label: {node}"


def labels(tree: Tree) -> Iterator[tuple[Node, str]]:
    """Yield (field, the words of its label) of what somebody fills, without « (facultatif) » and its format."""
    said = {label.get("for"): label.text() for label in tree.root.all("label")}
    for node in _typed(tree):
        if words := node.get("aria-label") or said.get(node.get("id")):
            yield node, re.sub(r"\s*\([^)]*\)", "", words)


def _formats(tree):
    """What is said of how to type it stays in sight: it is not in the field, which empties it."""
    words = {label.get("for"): label.text() for label in tree.root.all("label")}
    by_id = {node.get("id"): node for node in tree.root.walk() if node.get("id")}
    for node in _typed(tree):
        # What a file may weigh is known before it is sent (RGESN 4.11).
        if node.get("type") == "file":
            told = [by_id[name].text() for name in node.get("aria-describedby").split() if name in by_id]
            if not re.search(r"\d\s[KM]o\b", " ".join(told)):
                yield "11.10", f"what it may weigh is not said: {node}"
        ways = node.get("type") == "email" or node.get("inputmode") in ("email", "tel", "numeric")
        if not ways and not re.search(r"\bdate\b", node.get("class")):
            continue
        told = [by_id[name].text() for name in node.get("aria-describedby").split() if name in by_id]
        told += [one.text() for group in node.above() if group.tag == "fieldset" for one in group.all("legend")[:1]]
        if not FORMAT.search(" ".join([words.get(node.get("id"), ""), *told])):
            yield "11.10", f"what to type is not said: {node}"


def _sent_alone(tree):
    """A form that a change sends says so before what is changed."""
    for form in tree.root.all("form"):
        if "data-auto-submit" not in form.attributes:
            continue
        is_told = False
        for node in form.walk():
            is_told |= node.tag == "p" and "La page se recharge" in node.text()
            sends = node.tag == "select" or node.get("type") in ("checkbox", "radio")
            if (sends or re.search(r"\bdate\b", node.get("class"))) and not is_told:
                yield "7.4", f"sent by a change without a word: {node}"


def _typed(tree):
    """Return the fields that somebody fills."""
    return [
        node for node in tree.root.all(*FIELDS)
        if node.get("type") not in BUTTONS | {"hidden"} and "hidden" not in node.attributes
    ]  # fmt: skip


def _groups(tree):
    choices: Counter[tuple[int, str]] = Counter()
    for node in _typed(tree):
        if node.get("type") in ("radio", "checkbox") and node.get("name") and not _grouped(node):
            choices[next((id(one) for one in node.above() if one.tag == "form"), 0), node.get("name")] += 1
    for (_, name), count in choices.items():
        if count > 1:
            yield "11.5", f"{count} choices « {name} » without a group"
    for group in tree.root.all("fieldset"):
        inside = [child for child in group.children if isinstance(child, Node)]
        if not inside or inside[0].tag != "legend" or not inside[0].text():
            yield "11.6", f"a group without a title: {group}"
    for options in tree.root.all("optgroup"):
        if not options.get("label"):
            yield "11.8", f"a group of options without a title: {options.parent}"


def _grouped(node):
    return any(
        one.tag in ("fieldset", "table", "ul")
        or (one.get("role") in ("group", "radiogroup") and (one.get("aria-label") or one.get("aria-labelledby")))
        for one in node.above()
    )


def _keys(tree):
    for node in tree.root.walk():
        if node.get("tabindex") not in ("", "0", "-1"):
            yield "12.8", f"tabindex {node.get('tabindex')}: {node}"
        if "accesskey" in node.attributes:
            yield "12.10", f"accesskey {node.get('accesskey')}: {node}"
