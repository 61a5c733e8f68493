"""Words that a stored message does not hold, put in when it is sent: a personal link is written nowhere.

The room that queues such a message registers a filler for its kind, in its `AppConfig.ready`:

    @filling.filler("circle.invitation")
    def fill(message: Message) -> str: ...   # what replaces PLACE; NothingToSend when the mail has lost its reason
"""

from collections.abc import Callable
from typing import NamedTuple

from coordination.outbox.models import Message

# Stands in the stored bodies where the word will be. Nobody types it.
PLACE = "[[lien-personnel]]"

Filler = Callable[[Message], str]
_fillers: dict[str, Filler] = {}


class NothingToSend(Exception):
    """The mail has lost its reason since it was queued; the sentence is what the list of mails shows."""


class Enclosed(NamedTuple):
    """Another version of a mail, for programs: its media type with what qualifies it (« text/calendar; method=… »)."""

    content: str
    subtype: str


Encloser = Callable[[Message], Enclosed]
_enclosers: dict[str, Encloser] = {}


def encloser(kind: str) -> Callable[[Encloser], Encloser]:
    """Register what makes the version for programs of a kind, when the mail leaves. Raises ValueError as `filler`."""

    def register(function: Encloser) -> Encloser:
        if _enclosers.setdefault(kind, function) is not function:
            raise ValueError(f"Two enclosers for the message kind {kind!r}.")
        return function

    return register


def enclosed(message: Message) -> Enclosed | None:
    """Return the version for programs of a mail, if its kind has one. Raises NothingToSend."""
    enclose = _enclosers.get(message.kind)
    return enclose(message) if enclose else None


def filler(kind: str) -> Callable[[Filler], Filler]:
    """Register the decorated function for `kind`. Raises ValueError when the kind is taken by another one."""

    def register(function: Filler) -> Filler:
        if _fillers.setdefault(kind, function) is not function:
            raise ValueError(f"Two fillers for the message kind {kind!r}.")
        return function

    return register


def bodies(message: Message) -> tuple[str, str]:
    """Return the text and the HTML as they leave. Raises NothingToSend, and what the filler raises."""
    fill = _fillers.get(message.kind)
    if fill is None:
        return message.text, message.html
    word = fill(message)
    return message.text.replace(PLACE, word), message.html.replace(PLACE, word)
