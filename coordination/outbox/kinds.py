"""What the screens call a kind of letter: the room that sends it says so beside its code, in its `AppConfig.ready`.

kinds.declare({"circle.undelivered": "Invitation non distribuée"})
"""

from collections.abc import Mapping

# What a library sends through Django, without saying what it is (see `backend`).
LIBRARY = "library"
_names: dict[str, str] = {}


class UndeclaredKind(LookupError):
    """A letter that nobody named: « Files d’attente » would show its code."""


def declare(names: Mapping[str, str]) -> None:
    """Name kinds, {code: words of the screens}. Raises ValueError when a code has other words already."""
    for kind, name in names.items():
        if _names.setdefault(kind, name) != name:
            raise ValueError(f"Two names for the message kind {kind!r}.")


def require(kind: str) -> None:
    """Raise UndeclaredKind unless a room named this kind."""
    if kind not in _names:
        raise UndeclaredKind(kind)


def declared() -> dict[str, str]:
    """Return {code: name} of every kind."""
    return dict(_names)


def name_of(kind: str) -> str:
    """Return the name of a kind; its code for a row written by another version, which nobody here names."""
    return _names.get(kind, kind)
