"""The API as an OpenAPI document, made from what the rooms declare, for tools that do not read FHIR's own statement.

FHIR's CapabilityStatement (`capability.py`) is the reference. This document says less of the content: the schemas give
the elements of base R4 and their types, not the profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.conf import settings

from coordination.fhir import capability, patching, primitives, registry
from coordination.fhir.formats.elements import Element, codes, elements
from coordination.fhir.negotiation import JSON, XML
from coordination.fhir.registry import CREATE, DELETE, HISTORY, HISTORY_OF_TYPE, PATCH, READ, SEARCH, UPDATE, VREAD
from coordination.fhir.search import asking

Json = dict[str, Any]
VERSION: Final = "3.0.3"
# What any call may be answered, whatever it asks.
_ALWAYS: Final = (400, 401, 403, 404, 406, 429, 503)
_WITH_BODY: Final = (409, 412, 413, 415, 422)
_SAID: Final[Mapping[int, str]] = {
    200: "Done.",
    201: "Created: the header Location names it.",
    204: "Done: it is there no more.",
    304: "Not changed since the version named (If-None-Match).",
    400: "The request cannot be understood.",
    401: "Nobody known calls: an access token is expected.",
    403: "The caller, or the professional it acts for, may not do this.",
    404: "Unknown, or not to be known by this caller.",
    406: "Neither JSON nor XML was accepted.",
    409: "It is here already, or held by somebody else.",
    412: "The version named (If-Match) or copied (meta) is not the current one, or several answer to If-None-Exist.",
    413: "The body is too large.",
    415: "The body is neither JSON nor XML, or not in UTF-8.",
    422: "Readable, and against the profile or a rule: `expression` points to the element.",
    429: "Too many calls: the header Retry-After says when to come back.",
    500: "A transaction that failed: nothing was stored (CI-SIS « Gestion du Cercle de Soins », flux 1c).",
    503: "Others write the same just now, or what the server stands on is away: Retry-After says when to come back.",
}
# Elements left out of the schemas: they may hold anything, or themselves.
_OPEN: Final = frozenset({"contained", "extension", "modifierExtension", "text"})
_LOOPS: Final = frozenset({("Identifier", "assigner")})
_LETTERS: Final = (
    ("c", CREATE, "create"), ("r", READ, "read"), ("u", UPDATE, "update"), ("d", DELETE, "delete"),
    ("s", SEARCH, "search"),
)  # fmt: skip
_JSON_TYPES: Final[Mapping[str, str]] = {
    "boolean": "boolean", "integer": "integer", "unsignedInt": "integer", "positiveInt": "integer",
    "decimal": "number",
}  # fmt: skip
_LOWEST: Final[Mapping[str, int]] = {"unsignedInt": 0, "positiveInt": 1}


def document(base: str) -> Json:
    """Return the OpenAPI document of this installation; `base` is the address of its API."""
    schemas: dict[str, Json] = {}
    for name in (*registry.types(), "Bundle", "OperationOutcome", "CapabilityStatement"):
        _add(name, schemas)
    paths: dict[str, Json] = {
        "/metadata": {"get": _operation("capabilities", "What this server does", "CapabilityStatement", (200, 406))},
        "/": {"post": _transaction()},
    }
    paths["/metadata"]["get"]["security"] = []
    for name in registry.types():
        paths.update(_of_type(name))
    return {
        "openapi": VERSION,
        "info": {
            "title": "Coordination : API FHIR",
            "version": settings.VERSION,
            "description": capability.DOCUMENTATION,
        },
        "servers": [{"url": base}],
        "security": [{"software": []}, {"person": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security(base)},
    }


def _security(base: str) -> Json:
    scopes = dict(_scope(name) for name in registry.types())
    flow = {"tokenUrl": f"{base}/oauth/token", "scopes": scopes}
    return {
        "software": {"type": "oauth2", "flows": {"clientCredentials": flow}},
        "person": {"type": "http", "scheme": "bearer", "description": "A personal token, made in « Mon compte »."},
    }


def _scope(name: str) -> tuple[str, str]:
    """Return the widest scope of a type, and what it lets do."""
    offered = {code for provider in registry.for_type(name) for code in provider.interactions}
    may = {letter: word for letter, code, word in _LETTERS if code in offered}
    return f"system/{name}.{''.join(may)}", f"{', '.join(may.values()).capitalize()} {name}."


# ---- Paths -------------------------------------------------------------------------------------------------------


def _of_type(name: str) -> dict[str, Json]:
    offered = {code for provider in registry.for_type(name) for code in provider.interactions}
    found: dict[str, Json] = {f"/{name}": {}, f"/{name}/{{id}}": {"parameters": [_ID]}}
    of_type, of_id = found[f"/{name}"], found[f"/{name}/{{id}}"]
    if SEARCH in offered:
        of_type["get"] = _operation(f"search{name}", f"Search {name}", "Bundle", _reading(), _criteria(name))
        found[f"/{name}/_search"] = {"post": _search_by_post(name)}
    if CREATE in offered:
        parameters = [*_WRITTEN, _header("If-None-Exist", "Do nothing when this search finds one.")]
        of_type["post"] = _operation(
            f"create{name}", f"Create a {name}", name, (200, 201, *_ALWAYS, *_WITH_BODY), parameters, body=name
        )
        of_type["post"]["responses"]["201"]["links"] = _links(name, offered)
    if any(provider.conditional_update for provider in registry.for_type(name)):
        parameters = [*_WRITTEN, *_criteria(name), _header("If-Match", "The version that was read.")]
        of_type["put"] = _operation(
            f"updateMatching{name}", f"Replace the {name} that answers a search, or create it", name,
            (200, 201, *_ALWAYS, *_WITH_BODY), parameters, body=name,
        )  # fmt: skip
    of_id["get"] = _operation(
        f"read{name}", f"Read a {name}", name, (200, 304, *_ALWAYS),
        [_query("_elements", "Only these elements."), _header("If-None-Match", "The version already known.")],
    )  # fmt: skip
    if UPDATE in offered:
        parameters = [*_WRITTEN, _header("If-Match", "The version that was read: another one answers 412.")]
        of_id["put"] = _operation(
            f"update{name}", f"Replace a {name}", name, (200, *_ALWAYS, *_WITH_BODY), parameters, body=name
        )
    found.update(_versions(name, offered))
    of_id |= _changes(name, offered)
    if name == "Patient":
        found["/Patient/{id}/$everything"] = {
            "parameters": [_ID],
            "get": _operation(
                "everything",
                "All that the caller may read of a person",
                "Bundle",
                _reading(),
                [_query("_type", "Only resources of these types, by commas.")],
            ),
        }
    return found


def _changes(name: str, offered: Iterable[str]) -> Json:
    """Return the operations PATCH and DELETE of a type that offers them."""
    found: Json = {}
    version = _header("If-Match", "The version that was read: another one answers 412.")
    if PATCH in offered:
        operation = _operation(
            f"patch{name}", f"Change some elements of a {name}", name, (200, *_ALWAYS, *_WITH_BODY),
            [*_WRITTEN, version],
        )  # fmt: skip
        step = {
            "type": "object",
            "properties": {"op": {"type": "string", "enum": sorted(patching.OPERATIONS)}, "path": {"type": "string"}},
            "required": ["op", "path"],
        }
        schema = {"type": "array", "items": step, "maxItems": patching.MOST_OPERATIONS}
        operation["requestBody"] = {"required": True, "content": {patching.MEDIA: {"schema": schema}}}
        found["patch"] = operation
    if DELETE in offered:
        statuses = (204, *_ALWAYS, 409, 412)
        found["delete"] = _operation(f"delete{name}", f"Take away a {name} of one's own", name, statuses, [version])
    return found


def _links(name: str, offered: Iterable[str]) -> Json:
    """What the id that was just given serves for."""
    operations = [f"read{name}"]
    operations += [f"update{name}"] if UPDATE in offered else []
    operations += [f"historyOf{name}"] if HISTORY in offered else []
    operations += ["everything"] if name == "Patient" else []
    return {one: {"operationId": one, "parameters": {"id": "$response.body#/id"}} for one in operations}


def _versions(name: str, offered: Iterable[str]) -> dict[str, Json]:
    pages = [_query("_since", "Only what is later than this moment."), _query("_count", "How many in a page.")]
    found: dict[str, Json] = {}
    if HISTORY_OF_TYPE in offered:
        operation = _operation(f"history{name}", f"Versions of every {name}", "Bundle", _reading(), pages)
        found[f"/{name}/_history"] = {"get": operation}
    if HISTORY in offered:
        operation = _operation(f"historyOf{name}", f"Versions of a {name}", "Bundle", _reading(), pages)
        found[f"/{name}/{{id}}/_history"] = {"parameters": [_ID], "get": operation}
    if VREAD in offered:
        operation = _operation(f"vread{name}", f"Read one version of a {name}", name, _reading())
        found[f"/{name}/{{id}}/_history/{{version}}"] = {"parameters": [_ID, _VERSION], "get": operation}
    return found


def _reading() -> tuple[int, ...]:
    return (200, *_ALWAYS)


def _transaction() -> Json:
    statuses = (200, *_ALWAYS, *_WITH_BODY, 500)
    return _operation("transaction", "Create or update a circle and its members, all or nothing", "Bundle", statuses,
                      _WRITTEN, body="Bundle")  # fmt: skip


def _search_by_post(name: str) -> Json:
    summary = f"Search {name}, criteria in the body: the documented way, no log keeps it"
    operation = _operation(f"search{name}ByPost", summary, "Bundle", (*_reading(), 413, 415))
    properties = {parameter["name"]: parameter["schema"] for parameter in _criteria(name)}
    schema = {"type": "object", "properties": properties}
    operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    return operation


def _operation(
    id: str, summary: str, answer: str, statuses: Iterable[int], parameters: Iterable[Json] = (), body: str = ""
) -> Json:
    said: Json = {
        "operationId": id,
        "summary": summary,
        "parameters": [_FORMAT, _ACTING, *parameters],
        "responses": {str(status): _response(status, answer) for status in sorted(set(statuses))},
    }
    if body:
        said["requestBody"] = {"required": True, "content": _content(body)}
    return said


def _response(status: int, answer: str) -> Json:
    if status in (204, 304):
        return {"description": _SAID[status]}
    # `Prefer: return=minimal` answers nothing, `return=OperationOutcome` an outcome.
    names = [answer, "OperationOutcome"] if status < 300 else ["OperationOutcome"]
    return {"description": _SAID[status], "content": _content(*names)}


def _content(*names: str) -> Json:
    schemas = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {JSON: {"schema": schema}, XML: {"schema": {"type": "string"}}}


# ---- Parameters --------------------------------------------------------------------------------------------------


def _parameter(place: str, name: str, description: str, **schema: Any) -> Json:
    said: Json = {"name": name, "in": place, "schema": {"type": "string", **schema}}
    if description:
        said["description"] = description
    if place == "path":
        said["required"] = True
    return said


def _query(name: str, description: str = "", **schema: Any) -> Json:
    return _parameter("query", name, description, **schema)


def _header(name: str, description: str, **schema: Any) -> Json:
    return _parameter("header", name, description, **schema)


_ID: Final = _parameter("path", "id", "", pattern=r"^[A-Za-z0-9\-.]{1,64}$")
_VERSION: Final = _parameter("path", "version", "", pattern=r"^[A-Za-z0-9\-.]{1,64}$")
_FORMAT: Final = _query("_format", "json or xml, whatever Accept says.", enum=["json", "xml"])
_ACTING: Final = _header("Acting-Professional", "The professional a software acts for: national identifier.")
_WRITTEN: Final = (
    _header("Prefer", "return=minimal, return=representation, return=OperationOutcome; handling=strict."),
    _header("Idempotency-Key", "Names the call: the same one sent again does nothing twice."),
    _header("Duplicate-Reason", "Why this person or member is not the one it looks like."),
)


def _criteria(name: str) -> list[Json]:
    """The search parameters of a type; their modifiers and chains are in the CapabilityStatement and in FHIR."""
    found = [_query("_id")]
    for key, param in sorted(asking.params_of(name).items()):
        found.append(_query(key, param.documentation or param.type))
    return [*found, *(_query(key) for key in sorted(asking.RESULT - {"_format"}))]


# ---- Schemas -----------------------------------------------------------------------------------------------------


def _add(name: str, schemas: dict[str, Json]) -> None:
    """Add the schema of a type, and those of the types of its elements."""
    if name in schemas:
        return
    said: Json = {"type": "object"}
    schemas[name] = said
    properties: Json = {}
    for element in elements(name).values():
        if element.name not in _OPEN and (name, element.name) not in _LOOPS:
            properties[element.name] = _element(element, schemas)
    if "implicitRules" in properties:
        # A resource, not a type of its elements.
        properties = {"resourceType": {"type": "string", "enum": [name]}, **properties}
        said["required"] = ["resourceType"]
    said["properties"] = properties


def _element(element: Element, schemas: dict[str, Json]) -> Json:
    if element.primitive:
        schema: Json = _primitive(element)
    elif element.type == "Resource":
        schema = {"type": "object"}
    else:
        _add(element.type, schemas)
        schema = {"$ref": f"#/components/schemas/{element.type}"}
    return {"type": "array", "items": schema, "minItems": 1} if element.many else schema


def _primitive(element: Element) -> Json:
    said: Json = {"type": _JSON_TYPES.get(element.type, "string")}
    if element.codes:
        said["enum"] = sorted(codes(element.codes))
    if element.type in _LOWEST:
        said["minimum"] = _LOWEST[element.type]
    if element.type == "string" and not element.codes:
        said["maxLength"] = primitives.MAX_STRING
    return said
