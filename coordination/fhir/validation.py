"""Is this a resource of FHIR R4? Every issue points to its element (FHIRPath).

Three judges, in this order. The definitions of R4: elements, cardinalities, types, required codes, targets of
references. The invariants of R4 (`invariants.py`). Then `fhir.resources`, a library made from R4B, on what the first
two accept: where R4B and R4 differ, R4 is right (`secondary.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from coordination.fhir import invariants, literal, primitives, secondary
from coordination.fhir.formats import narrative
from coordination.fhir.formats.elements import Element, codes, elements, required, resource_types
from coordination.fhir.outcomes import ERROR, Issue

Resource = dict[str, Any]
MAX_DEPTH = 60
# Enough to mend a resource; a hostile one does not make a long answer.
MAX_ISSUES = 100


def check(resource: Any) -> list[Issue]:
    """Return what makes this not a resource of FHIR R4, MAX_ISSUES at most; nothing when it is one. Never raises."""
    walk = _Walk()
    try:
        walk.resource(resource, "", 1)
        found = walk.issues or (secondary.check(resource) if isinstance(resource, dict) else [])
    except _Enough:
        found = walk.issues
    return found[:MAX_ISSUES]


def check_envelope(bundle: Resource) -> list[Issue]:
    """Return what makes a Bundle unreadable, whatever its entries hold: their resources are checked one by one."""
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return check(bundle)
    # In place of each resource, one that says nothing: an entry without resource stays one.
    bare = [
        {**entry, "resource": _NOTHING} if isinstance(entry, dict) and "resource" in entry else entry
        for entry in entries
    ]
    return check({**bundle, "entry": bare})


_NOTHING: Resource = {"resourceType": "Parameters", "id": "x"}


class _Enough(Exception):
    pass


@dataclass
class _Walk:
    issues: list[Issue] = field(default_factory=list)

    def say(self, code: str, sentence: str, path: str) -> None:
        self.issues.append(Issue(ERROR, code, sentence, path))
        if len(self.issues) >= MAX_ISSUES:
            raise _Enough

    # ---- Resources -------------------------------------------------------------------------------------------

    def resource(self, value: Any, path: str, depth: int, *, contained: bool = False) -> None:
        if not isinstance(value, dict):
            self.say("structure", "Une ressource est attendue.", path)
            return
        name = value.get("resourceType")
        if not isinstance(name, str) or name not in resource_types():
            self.say("structure", "Ce type de ressource n’existe pas en FHIR R4.", path)
            return
        before = len(self.issues)
        self.object(value, name, path or name, depth, skipped="resourceType")
        # What a contained resource names is contained beside it: it is checked with the one that holds both.
        if len(self.issues) == before and not contained:
            for issue in invariants.of_resource(value, path or name):
                self.say(issue.code, issue.diagnostics, issue.expression)

    # ---- Elements --------------------------------------------------------------------------------------------

    def object(
        self, value: Any, type_name: str, path: str, depth: int, *, skipped: str = "", bare: bool = False
    ) -> None:
        """Check what a type says; `bare`: an id alone is enough, there is a value beside it."""
        if not isinstance(value, dict):
            self.say("structure", "Un objet est attendu.", path)
            return
        if depth > MAX_DEPTH:
            self.say("structure", f"La ressource a plus de {MAX_DEPTH} niveaux.", path)
            return
        if not bare and not any(name != "id" for name in value):
            self.say("invariant", "Cet élément est vide (ele-1).", path)
            return
        known = elements(type_name)
        before = len(self.issues)
        for name in dict.fromkeys(self._names(value, known, path, skipped)):
            self.element(known[name], value, f"{path}.{name}", depth)
        self._whole(value, type_name, path)
        if len(self.issues) == before:
            for issue in invariants.of_type(type_name, value, path):
                self.say(issue.code, issue.diagnostics, issue.expression)

    def _names(self, value: dict[str, Any], known: dict[str, Element], path: str, skipped: str) -> Iterator[str]:
        for key in value:
            name = key.removeprefix("_") if isinstance(key, str) else ""
            element = known.get(name)
            if key == skipped and skipped:
                continue
            if element is None or (key != name and (not element.primitive or element.type == "xhtml")):
                self.say("structure", f"L’élément {str(key)[:60]} n’existe pas ici.", path)
            else:
                yield name

    def _whole(self, value: dict[str, Any], type_name: str, path: str) -> None:
        """What is missing, and choices made twice."""
        for shown, names in required(type_name):
            if not any(name in value or f"_{name}" in value for name in names):
                self.say("required", f"L’élément {shown} est obligatoire.", f"{path}.{shown}")
        chosen: dict[str, str] = {}
        known = elements(type_name)
        for key in value:
            element = known.get(key.removeprefix("_")) if isinstance(key, str) else None
            if element is not None and element.choice:
                other = chosen.setdefault(element.choice, element.name)
                if other != element.name:
                    self.say(
                        "structure", f"Une seule forme de {element.choice} est permise.", f"{path}.{element.name}"
                    )

    def element(self, element: Element, holder: dict[str, Any], path: str, depth: int) -> None:
        value, beside = holder.get(element.name), holder.get(f"_{element.name}")
        # FHIRPath names a choice without its type.
        if element.choice:
            path = f"{path.rpartition('.')[0]}.{element.choice}"
        if not element.many:
            self._one(element, element.name in holder, value, beside, path, depth)
            return
        values, besides = self._list(holder, element.name, path), self._list(holder, f"_{element.name}", path)
        for place in range(max(len(values), len(besides))):
            given = place < len(values)
            second = besides[place] if place < len(besides) else None
            value = values[place] if given else None
            # A place without value holds what is said beside it.
            self._one(
                element, given and (value is not None or second is None), value, second, f"{path}[{place}]", depth
            )

    def _list(self, holder: dict[str, Any], name: str, path: str) -> list[Any]:
        value = holder.get(name, [])
        if not isinstance(value, list):
            self.say("structure", "Une liste est attendue.", path)
            return []
        if name in holder and not value:
            self.say("structure", "Cette liste est vide.", path)
        return value

    def _one(self, element: Element, given: bool, value: Any, beside: Any, path: str, depth: int) -> None:
        if beside is not None:
            self.object(beside, "Element", path, depth + 1, bare=value is not None)
        if not given:
            if beside is None:
                self.say("structure", "Cette valeur est vide.", path)
            return
        if value is None or isinstance(value, list):
            empty = "Cette valeur est vide : en FHIR l’élément est alors absent."
            self.say("structure", "Une seule valeur est permise." if value is not None else empty, path)
        elif element.type == "Resource":
            self.resource(value, path, depth + 1, contained=element.name == "contained")
        elif element.primitive:
            self._primitive(element, value, path)
        else:
            self.object(value, element.type, path, depth + 1)
            if element.type == "Reference" and isinstance(value, dict):
                self._reference(element, value, path)

    def _primitive(self, element: Element, value: Any, path: str) -> None:
        if element.type == "xhtml":
            if wrong := narrative.complaint(value):
                self.say("invalid", wrong, path)
        elif wrong := primitives.complaint(element.type, value):
            self.say("value", wrong, path)
        elif element.codes and element.type == "code" and value not in codes(element.codes):
            self.say("code-invalid", f"Le code {value[:40]} n’est pas de la liste {element.codes}.", path)

    def _reference(self, element: Element, value: dict[str, Any], path: str) -> None:
        said, written = value.get("type"), value.get("reference")
        reached = literal.type_of(written)
        if isinstance(written, str) and not written.startswith("#") and not literal.is_address(written):
            if not reached:
                self.say("value", "Cette référence ne se lit pas : Type/id est attendu.", f"{path}.reference")
            elif reached not in resource_types():
                self.say("value", "Cette référence nomme un type qui n’existe pas.", f"{path}.reference")
        if isinstance(said, str) and said not in resource_types():
            self.say("value", "Un type de ressource de FHIR R4 est attendu.", f"{path}.type")
        named = [one for one in (reached, said) if isinstance(one, str) and one in resource_types()]
        if len(set(named)) == 2:
            self.say("value", "Cette référence dit deux types différents.", f"{path}.type")
        elif named and element.targets and named[0] not in element.targets:
            expected = " ou ".join(element.targets)
            self.say("value", f"Cette référence nomme un {named[0]} ; {expected} est attendu.", f"{path}.reference")
