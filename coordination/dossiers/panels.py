"""What higher rooms tell of a dossier on its home page and in the file active.

The floors forbid the dossier to know the circle or the agenda: they register here, and each answer is
one query whatever the number of dossiers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from habilitations.rubriques import Rubrique


@dataclass(frozen=True)
class Summary:
    """One line about one dossier in a list: `main` in bold, `detail` under it, `urgent` for a tag."""

    main: str = ""
    detail: str = ""
    changed: bool = False


@dataclass(frozen=True)
class Card:
    """The card of one rubric on the home page: a template and what it is given."""

    rubrique: Rubrique
    title: str
    template: str
    url: str
    facts: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """One filter of the file active, told by a higher room; the reader is the `file_active.Reader` of the list.

    `is_told(reader)` says whether this reader has it. `found(reader, dossier_ids, today)` returns the queryset of what
    is found among some dossiers, `choices(lines)` makes (value, label) pairs of its lines. `condition(reader, value)`
    returns an expression about the dossier OuterRef("pk"); None when the value says nothing to this reader, and the
    list is then not filtered. A value is shown in the address: an id, never a name.
    """

    is_told: Callable[[object], bool]
    found: Callable[[object, object, object], object]
    choices: Callable[[list[tuple]], list[tuple[str, str]]]
    condition: Callable[[object, str], object | None]


@dataclass(frozen=True)
class News:
    """One line of « Depuis votre dernière visite »."""

    at: object
    icon: str
    sentence: str
    detail: str = ""


# {name: provider}. A list provider gets (user, [dossier ids], those of them entered for another) and returns
# {dossier id: Summary}.
_list_columns: dict[str, Callable[[object, Sequence[UUID], frozenset[UUID]], dict[UUID, Summary]]] = {}
# {rubric: provider}. A card provider gets the door's Entry and returns a Card.
_cards: dict[Rubrique, Callable[[object], Card]] = {}
# {name: provider}. An activity provider gets (user, can_read) and returns an expression giving, for the dossier
# OuterRef("pk"), when someone else last changed what the user may read; or None when he may read nothing of it.
_activity: dict[str, Callable[[object, Callable[[Rubrique], bool]], object | None]] = {}
_filters: dict[str, Filter] = {}
# A news provider gets (entry, since) and returns a list of News the reader may see.
_news: list[Callable[[object, object], list[News]]] = []
# Rubrics that have a page: {rubric: function(dossier_id) -> url}.
_pages: dict[Rubrique, Callable[[UUID], str]] = {}
# {fact name: provider} shown in the identity strip: (entry) -> text or "".
_strip: dict[str, Callable[[object], str]] = {}


def register_list_column(name: str, provider) -> None:
    """Offer one column of the file active: "referent", "news" or "rendezvous"; one SQL statement per call."""
    _list_columns[name] = provider


def register_activity(name: str, provider) -> None:
    """Say when a dossier last changed: sorts and filters the file active by what is new."""
    _activity[name] = provider


def register_filter(name: str, told: Filter) -> None:
    """Offer one filter of the file active: "referent"."""
    _filters[name] = told


def register_card(rubrique: Rubrique, provider) -> None:
    """Offer the card of a rubric on the home page."""
    _cards[rubrique] = provider


def register_news(provider) -> None:
    """Offer lines of « Depuis votre dernière visite »; the same provider once."""
    if provider not in _news:
        _news.append(provider)


def register_page(rubrique: Rubrique, url_of) -> None:
    """Say that a rubric has a page; the others are « Pas encore disponible »."""
    _pages[rubrique] = url_of


def register_strip_fact(name: str, provider) -> None:
    """Offer a fact of the identity strip; one SQL statement on every page of a dossier."""
    _strip[name] = provider


def list_columns(
    user, dossier_ids: Sequence[UUID], for_another: frozenset[UUID] = frozenset()
) -> dict[str, dict[UUID, Summary]]:
    """Return what each column says of these dossiers. `for_another`: those of them entered for somebody who reads the
    whole circle there; what is closed to him is not known, and nothing that may be closed is told."""
    return {name: provider(user, dossier_ids, for_another) for name, provider in _list_columns.items()}


def has_list_column(name: str) -> bool:
    """Say whether a room offers this column: without one the list does not draw it."""
    return name in _list_columns


def filter_of(name: str) -> Filter | None:
    """Return the filter of this name, None while no room offers it."""
    return _filters.get(name)


def activity(user, can_read: Callable[[Rubrique], bool]) -> list:
    """Return the expressions of `register_activity` that concern this reader."""
    found = [provider(user, can_read) for provider in _activity.values()]
    return [expression for expression in found if expression is not None]


def card(entry, rubrique: Rubrique) -> Card | None:
    """Return the card of a rubric for who has entered, None for a room not built yet."""
    provider = _cards.get(rubrique)
    return provider(entry) if provider else None


def news(entry, since) -> list[News]:
    """Return what every room tells since a moment, the newest first."""
    found = [line for provider in _news for line in provider(entry, since)]
    return sorted(found, key=lambda line: line.at, reverse=True)


def page_url(rubrique: Rubrique, dossier_id: UUID) -> str | None:
    """Return the address of the page of a rubric, None while it has none."""
    url_of = _pages.get(rubrique)
    return url_of(dossier_id) if url_of else None


def strip_facts(entry) -> dict[str, str]:
    """Return the facts that rooms put in the identity strip, by name."""
    return {name: provider(entry) for name, provider in _strip.items()}
