"""References inside a resource: found, rewritten when a Bundle gives the real ids (CDS-39)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from coordination.fhir.literal import relative
from coordination.fhir.registry import Resource


def each(value: Any, at: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield (Reference, FHIRPath) for each element of a resource that has a `reference`, contained ones included."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value, f"{at}.reference"
        for name, one in value.items():
            yield from each(one, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from each(one, f"{at}[{number}]")


def literal(reference: str, base: str) -> tuple[str, str] | None:
    """Return (type, id) of a reference to this server, relative or absolute; None for anything else."""
    return relative(reference.removeprefix(f"{base}/") if base else reference)


def at_home(resource: Resource, base: str) -> Resource:
    """Return a copy whose references to this server are relative; what is at another server stays as it is."""

    def change(said: str) -> str | None:
        local = literal(said, base) if said.startswith(f"{base}/") else None
        return "/".join(local) if local else None

    return rewritten(resource, change)


def rewritten(resource: Resource, change: Callable[[str], str | None]) -> Resource:
    """Return a copy with each reference changed by `change`: None leaves it, "" takes it away and says so in words."""

    def again(value: Any) -> Any:
        if isinstance(value, dict):
            copy = {name: again(one) for name, one in value.items()}
            if isinstance(said := copy.get("reference"), str) and (new := change(said)) is not None:
                copy["reference"] = new
                if not new:
                    del copy["reference"]
                    copy.setdefault("display", "Ressource qui n’est pas gardée ici")
            return copy
        return [again(one) for one in value] if isinstance(value, list) else value

    return again(resource)
