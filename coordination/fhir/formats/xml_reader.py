"""XML read into the same dictionaries as JSON, refused at the first thing that FHIR R4 does not define.

The definitions say what repeats and what is a number or a boolean. A value of the wrong form stays as it was written:
validation says so with the same words for both formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from coordination.fhir.formats import narrative
from coordination.fhir.formats.elements import Element, elements, resource_types
from coordination.fhir.formats.expat_safe import Forbidden, parser
from coordination.fhir.formats.strict_json import MAX_DEPTH, decimal_of
from coordination.fhir.outcomes import Unreadable

FHIR = "http://hl7.org/fhir"
_SCHEMA_LOCATION = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_INTEGERS = frozenset({"integer", "unsignedInt", "positiveInt"})
_BOOLEANS = {"true": True, "false": False}


def read(body: bytes) -> dict[str, Any]:
    """Return the resource of this body.

    Raises Unreadable, with the line and the element: not UTF-8, not well formed, a document type or an entity, another
    namespace, an element or an attribute that R4 does not define, text between elements, more than MAX_DEPTH levels.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"Le corps n’est pas en UTF-8 (octet {error.start}).") from None
    return _Reader(body).read()


@dataclass(slots=True)
class _Frame:
    """An element being read: the type that says what may come in it, and what came."""

    name: str
    type: str
    element: Element | None = None
    value: dict[str, Any] = field(default_factory=dict)
    # Of a primitive: what its attribute said.
    said: str | None = None
    # `contained`, `entry.resource`: an envelope around exactly one resource.
    envelope: bool = False


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.parser = parser()
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.frames: list[_Frame] = []
        self.resource: dict[str, Any] = {}
        self.div: _Div | None = None

    def read(self) -> dict[str, Any]:
        try:
            self.parser.Parse(self.body, True)
        except Forbidden as error:
            raise self._unreadable(str(error)) from None
        except expat.ExpatError as error:
            raise Unreadable(f"Le XML ne se lit pas : ligne {error.lineno}, colonne {error.offset + 1}.") from None
        return self.resource

    def _unreadable(self, sentence: str) -> Unreadable:
        return Unreadable(f"{sentence} (ligne {self.parser.CurrentLineNumber})", expression=self._path())

    def _path(self) -> str:
        steps = []
        for above, frame in zip([None, *self.frames], self.frames, strict=False):
            place = ""
            if above is not None and frame.element is not None and frame.element.many:
                already = max(len(above.value.get(frame.name, ())), len(above.value.get(f"_{frame.name}", ())))
                place = f"[{already}]"
            if above is None or not above.envelope:
                steps.append(frame.name + place)
        return ".".join(steps)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            raise self._unreadable(f"Un document FHIR est en UTF-8 ; celui-ci dit être en {encoding[:40]}.")

    # ---- Events ----------------------------------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self.div is not None:
            self.div.start(namespace, tag, attributes)
            if self.div.depth + len(self.frames) > MAX_DEPTH:
                raise self._unreadable(f"La ressource a plus de {MAX_DEPTH} niveaux.")
            return
        if len(self.frames) >= MAX_DEPTH:
            raise self._unreadable(f"La ressource a plus de {MAX_DEPTH} niveaux.")
        if namespace == narrative.XHTML and self._may_hold_div(tag):
            self.div = _Div(self.parser.CurrentByteIndex)
            self.div.start(namespace, tag, attributes)
            return
        if namespace != FHIR:
            raise self._unreadable(f"L’élément {tag[:60]} n’est pas de l’espace de noms {FHIR}.")
        self._open(tag, attributes)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        above = self.frames[-1] if self.frames else None
        if above is None or above.envelope:
            if tag not in resource_types() or (above is not None and above.value):
                raise self._unreadable(f"{tag[:60]} n’est pas une ressource de FHIR R4 attendue ici.")
            frame = _Frame(tag, tag, value={"resourceType": tag})
        else:
            element = elements(above.type).get(tag)
            if element is None or element.type == "xhtml":
                raise self._unreadable(f"L’élément {tag[:60]} n’existe pas ici.")
            inside = "Element" if element.primitive else element.type
            frame = _Frame(tag, inside, element, envelope=element.type == "Resource")
        self.frames.append(frame)
        self._attributes(frame, attributes)

    def _attributes(self, frame: _Frame, attributes: dict[str, str]) -> None:
        for name, said in attributes.items():
            if frame.element is None:
                if name != _SCHEMA_LOCATION:
                    raise self._unreadable(f"Une ressource n’a pas d’attribut {name[:60]}.")
            elif name == "value" and frame.element.primitive:
                frame.said = said
            elif (name == "id" and not frame.envelope) or (name == "url" and frame.type == "Extension"):
                frame.value[name] = said
            else:
                raise self._unreadable(f"L’attribut {name[:60]} n’existe pas ici.")

    def _end(self, name: str) -> None:
        if self.div is not None:
            self.div.end(name.rpartition(" ")[2])
            if self.div.depth == 0:
                self.frames[-1].value["div"] = self.div.text(self.body, self.parser.CurrentByteIndex)
                self.div = None
            return
        frame = self.frames[-1]
        if frame.element is None:
            self._end_resource(frame)
            return
        if frame.element.primitive and frame.said is None and not frame.value:
            raise self._unreadable(f"L’élément {frame.name} est vide.")
        if frame.envelope and not frame.value:
            raise self._unreadable(f"L’élément {frame.name} ne contient pas de ressource.")
        above = self.frames[-2].value
        if not frame.element.many and (frame.name in above or f"_{frame.name}" in above):
            raise self._unreadable(f"L’élément {frame.name} est donné deux fois.")
        self.frames.pop()
        (_put_primitive if frame.element.primitive else _put_complex)(above, frame, frame.element)

    def _end_resource(self, frame: _Frame) -> None:
        _tidy(frame.value)
        self.frames.pop()
        if self.frames:
            self.frames[-1].value = frame.value
        else:
            self.resource = frame.value

    def _text(self, text: str) -> None:
        if self.div is not None:
            self.div.say(text)
        elif text.strip(" \t\r\n"):
            raise self._unreadable("Du texte se trouve entre les éléments.")

    def _may_hold_div(self, tag: str) -> bool:
        above = self.frames[-1] if self.frames else None
        return tag == "div" and above is not None and above.type == "Narrative" and "div" not in above.value


class _Div:
    """A narrative being read: the letters of the document when they stand alone, else written again."""

    def __init__(self, begins: int) -> None:
        self.begins = begins
        self.depth = 0
        self.written: list[str] = []

    def start(self, namespace: str, tag: str, attributes: dict[str, str]) -> None:
        if namespace != narrative.XHTML:
            raise Forbidden(f"L’élément {tag[:60]} n’a pas sa place dans le texte.")
        own = {} if self.depth else {"xmlns": namespace}
        said = {**own, **{name.replace(f"{narrative.XML} ", "xml:"): value for name, value in attributes.items()}}
        written = "".join(f' {name}="{narrative.escape(value)}"' for name, value in said.items())
        self.written.append(f"<{tag}{written}>")
        self.depth += 1

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.written.append(f"</{tag}>")

    def say(self, text: str) -> None:
        self.written.append(narrative.escape(text))

    def text(self, body: bytes, ends: int) -> str:
        whole = body[self.begins : body.index(b">", ends) + 1].decode(errors="replace")
        return whole if whole.startswith("<div") and narrative.stands_alone(whole) else "".join(self.written)


def _typed(element: Element, said: str) -> Any:
    """The value as JSON would hold it; as it was written when its form is not that of its type."""
    if element.type == "boolean":
        return _BOOLEANS.get(said, said)
    if element.type in _INTEGERS and _INTEGER.fullmatch(said):
        return int(said)
    if element.type == "decimal" and _DECIMAL.fullmatch(said) and (number := decimal_of(said)) is not None:
        return int(said) if _INTEGER.fullmatch(said) and said != "-0" else number
    return said


def _put_primitive(above: dict[str, Any], frame: _Frame, element: Element) -> None:
    value = None if frame.said is None else _typed(element, frame.said)
    _tidy(frame.value)
    if element.many:
        above.setdefault(frame.name, []).append(value)
        above.setdefault(f"_{frame.name}", []).append(frame.value or None)
        return
    if value is not None:
        above[frame.name] = value
    if frame.value:
        above[f"_{frame.name}"] = frame.value


def _put_complex(above: dict[str, Any], frame: _Frame, element: Element) -> None:
    if not frame.envelope:
        _tidy(frame.value)
    if element.many:
        above.setdefault(frame.name, []).append(frame.value)
    else:
        above[frame.name] = frame.value


def _tidy(value: dict[str, Any]) -> None:
    """Leave out the half of repeated primitives that says nothing: `_given` without extension, or `given`."""
    for name in [name for name, one in value.items() if isinstance(one, list) and not any(o is not None for o in one)]:
        del value[name]
