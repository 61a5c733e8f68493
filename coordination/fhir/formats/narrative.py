"""The narrative of a resource: an XHTML `div`, of the few elements that FHIR allows, kept letter by letter."""

from __future__ import annotations

import re
from typing import Any, NoReturn
from xml.parsers import expat

from coordination.fhir.formats.expat_safe import Forbidden, parser

XHTML = "http://www.w3.org/1999/xhtml"
# R4 txt-1: chapters 7 to 11 (except section 4 of chapter 9) and 15 of HTML 4.0, links and images.
TAGS = frozenset({
    "a", "abbr", "acronym", "address", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p",
    "pre", "q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "ul", "var",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "abbr", "accesskey", "align", "alt", "axis", "border", "bordercolor", "cellhalign", "cellpadding", "cellspacing",
    "cellvalign", "char", "charoff", "charset", "cite", "class", "colspan", "compact", "coords", "dir", "frame",
    "headers", "height", "href", "hreflang", "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev",
    "rowspan", "rules", "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
    "valign", "value", "vspace", "width",
})  # fmt: skip
XML = "http://www.w3.org/XML/1998/namespace"
_LANG = f"{XML} lang"
_ADDRESSES = frozenset({"href", "src", "cite", "longdesc"})
_BLANK = re.compile(r"[\s\u200b]")
_RUNS = re.compile(r"\s*(javascript|vbscript|data:text)", re.IGNORECASE)


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def escape(text: str) -> str:
    """Return a text as XML writes it."""
    return text.translate(_ESCAPES)


def complaint(div: object) -> str:
    """Return what is wrong with a narrative, in French, or nothing: not a `div`, not XHTML, refused by FHIR, empty."""
    if not isinstance(div, str):
        return "Le texte d’une ressource est un div XHTML."
    seen = _Seen()
    try:
        seen.read(div)
    except (expat.ExpatError, Forbidden, ValueError):
        return "Le texte n’est pas du XHTML bien formé."
    if seen.wrong:
        return f"Le texte contient ce que FHIR refuse : {seen.wrong[:60]}."
    return "" if seen.says else "Le texte est vide."


def embedded(div: object) -> str:
    """Return a narrative to write inside an XML document. Raises ValueError when it is not well formed."""
    if not isinstance(div, str):
        raise ValueError("a narrative is a text")
    try:
        _Seen().read(div)
    except (expat.ExpatError, Forbidden) as error:
        raise ValueError("a narrative that is not well formed") from error
    return div


def stands_alone(div: str) -> bool:
    """Say whether this piece of a document is the whole XHTML of a narrative, its namespace with it."""
    seen = _Seen()
    try:
        seen.read(div)
    except (expat.ExpatError, Forbidden, ValueError):
        return False
    return seen.wrong != "div"


class _Seen:
    """What a narrative holds: the first thing refused, and whether it says anything."""

    def __init__(self) -> None:
        self.wrong = ""
        self.says = False
        self.depth = 0

    def read(self, div: str) -> None:
        reader = parser()
        reader.StartElementHandler = self._start
        reader.EndElementHandler = self._end
        reader.XmlDeclHandler = self._declaration
        reader.CharacterDataHandler = self._text
        reader.Parse(div.encode("utf-8", "strict"), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        namespace, _, tag = name.rpartition(" ")
        if namespace != XHTML or (self.depth == 1 and tag != "div"):
            self.wrong = self.wrong or ("div" if self.depth == 1 else tag)
        elif tag not in TAGS:
            self.wrong = self.wrong or tag
        for attribute, said in attributes.items():
            if attribute not in ATTRIBUTES and attribute != _LANG:
                self.wrong = self.wrong or attribute
            elif attribute in _ADDRESSES and (_RUNS.match(said) or _BLANK.search(said)):
                self.wrong = self.wrong or said
        if tag == "img":
            self.says = True

    def _declaration(self, *said: Any) -> NoReturn:
        raise Forbidden("Un texte n’est pas un document.")

    def _end(self, name: str) -> None:
        self.depth -= 1

    def _text(self, text: str) -> None:
        self.says = self.says or bool(text.strip())
