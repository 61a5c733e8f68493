"""JSON that says one thing only: bytes in, a resource out, or a refusal that says where.

Numbers keep the precision they were sent with: a decimal is read as `Decimal`, and `write` prints it as it was (1.50,
not 1.5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

from coordination.fhir.outcomes import Unreadable

Resource = dict[str, Any]

# Of FHIR's own examples none goes beyond 20.
MAX_DEPTH = 60
# Beyond, a number is an attack on who adds it up, not a measure; and PostgreSQL writes an exponent out in digits.
MAX_DIGITS = 40
MAX_EXPONENT = 999
# Neither XML nor PostgreSQL can hold them; half a surrogate pair is no character.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# What FHIR may call an element; anything else has no place in a FHIRPath.
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]*")


class _Twice(dict[str, Any]):
    """An object that named a key twice; found again by the walk, which knows where."""

    key: str


def read(body: bytes) -> Resource:
    """Return the resource of this body.

    Raises Unreadable as `read_value`, and for what is not an object with a `resourceType`.
    """
    resource = read_value(body)
    if not isinstance(resource, dict):
        raise Unreadable("Le corps n’est pas un objet JSON : une ressource FHIR est attendue.")
    if not isinstance(resource.get("resourceType"), str):
        raise Unreadable("La ressource ne dit pas son type (resourceType).")
    return resource


def read_value(body: bytes) -> Any:
    """Return what this body says, whatever it is.

    Raises Unreadable when it is not UTF-8 (a byte order mark is tolerated), not JSON, deeper than MAX_DEPTH, names a
    key twice, holds what is not a number (NaN) or a character that cannot be written.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"Le corps n’est pas en UTF-8 (octet {error.start}).") from None
    value = _parse(text)
    for complaint in _ambiguities(value):
        raise complaint
    return value


def write(resource: Any) -> bytes:
    """Return the JSON of a resource, decimals as they were read."""
    return orjson.dumps(resource, default=_number)


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value).__name__)


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise Unreadable(f"Le JSON ne se lit pas : ligne {error.lineno}, colonne {error.colno}.") from None
    except RecursionError:
        raise _too_deep() from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    twice = _Twice(made)
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _integer(text: str) -> int | Decimal:
    # Beyond 64 bits it can only be a decimal: validation says whether the element may hold it.
    return int(text) if len(text) < 19 else _decimal(text)


def _decimal(text: str) -> Decimal:
    number = decimal_of(text)
    if number is None:
        raise Unreadable(f"Ce nombre est trop long, trop grand ou trop petit : {text[:MAX_DIGITS]}.")
    return number


def decimal_of(text: str) -> Decimal | None:
    """Return the number that a decimal of FHIR says, None beyond MAX_DIGITS and MAX_EXPONENT."""
    if len(text) > MAX_DIGITS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT else None


def _constant(text: str) -> NoReturn:
    raise Unreadable(f"{text} n’est pas un nombre du JSON.")


def _too_deep() -> Unreadable:
    return Unreadable(f"La ressource a plus de {MAX_DEPTH} niveaux.")


def _ambiguities(resource: Any) -> Iterator[Unreadable]:
    """Yield what is wrong in what was parsed, without recursion: the depth is what is checked."""
    waiting: list[tuple[Any, str, int]] = [(resource, "", 1)]
    while waiting:
        value, path, depth = waiting.pop()
        if isinstance(value, str):
            if UNWRITABLE.search(value):
                yield Unreadable("Ce texte contient un caractère qui ne s’écrit pas.", expression=path)
            continue
        if isinstance(value, dict):
            if isinstance(value, _Twice):
                where = _under(path, value.key)
                yield Unreadable(f"La clé « {value.key[:80]} » est donnée deux fois.", expression=where)
            if any(UNWRITABLE.search(key) for key in value):
                yield Unreadable("Le nom d’un élément contient un caractère qui ne s’écrit pas.", expression=path)
            waiting += [(v, _under(path, k), depth + 1) for k, v in value.items() if isinstance(v, _HOLDS)]
        elif isinstance(value, list):
            waiting += [(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(value) if isinstance(v, _HOLDS)]
        if depth > MAX_DEPTH:
            yield _too_deep()


def _under(path: str, name: str) -> str:
    return f"{path}.{name}".lstrip(".") if _NAME.fullmatch(name) else path


_HOLDS = (dict, list, str)
