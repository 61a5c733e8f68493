"""The second of two who change one thing: both texts in front of him, and his next sending is done knowingly (REL-11).

A draft keeps the version it was typed on: taken up again, it is compared with what others saved since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django import forms

from coordination.common.errors import DomainError

MANY = (list, tuple, set)
TO_CHOOSE = "Choisir"


def keep_conflict(form: forms.BaseForm, refusal: DomainError, sentence: str = "") -> None:
    """Note that somebody saved first; `sentence` is what is told of it, that of the refusal by default."""
    form.conflict = sentence or str(refusal)  # type: ignore[attr-defined]


def both_texts(
    form: forms.BaseForm, version: int | str | None, stored: Callable[[], forms.BaseForm] | None = None, *,
    said_in: str = "version",
) -> dict[str, Any]:  # fmt: skip
    """Return what the page says of a conflict: {"conflict", "differences"}, empty when there is none.

    `version`: the one stored now, which the form then holds in its field `said_in`: sent again, it takes the place of
    the other's.
    `stored`: makes the same form, not bound, of what is stored now; None where what is typed is not stored as such.
    """
    conflict = getattr(form, "conflict", "")
    if not conflict:
        return {"conflict": "", "differences": []}
    form.data = form.data.copy()
    form.data[said_in] = "" if version is None else str(version)
    return {"conflict": conflict, "differences": _differences(form, stored()) if stored else []}


def status_of(form: forms.BaseForm) -> int:
    """Return the HTTP status of a page of form: shown, refused, or second of two."""
    if getattr(form, "conflict", ""):
        return 409
    return 422 if form.is_bound else 200


def _differences(form: forms.BaseForm, theirs: forms.BaseForm) -> list[dict[str, str]]:
    lines = []
    for mine in form:
        name, field = mine.name, mine.field
        # A password is shown to nobody, not even to who typed it.
        if mine.is_hidden or name not in theirs.fields or isinstance(field.widget, forms.PasswordInput):
            continue
        yours, stored = _in_words(field, mine.value()), _in_words(field, theirs[name].value())
        if yours != stored and field.has_changed(theirs.get_initial_for_field(field, name), mine.data):
            lines.append({"label": str(mine.label), "yours": yours, "theirs": stored})
    return lines


def _in_words(field: forms.Field, value: Any) -> str:
    """Return a value as its form shows it."""
    if isinstance(field, forms.BooleanField):
        return "oui" if value else "non"
    if hasattr(field, "choices"):
        labels = dict(_labels(field.choices))
        codes = [code for code in (value if isinstance(value, MANY) else [value]) if code not in (None, "")]
        if not codes:
            # Nothing chosen may be an answer with its words; « Choisir » is none.
            none = labels.get("", "")
            return "" if none.startswith(TO_CHOOSE) else none
        return ", ".join(labels.get(str(field.prepare_value(code)), "") for code in codes)
    shown = field.widget.format_value(value)
    return "" if shown is None else str(shown)


def _labels(choices: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for code, label in choices:
        if isinstance(label, MANY):
            # A group of the list: (its title, its choices).
            yield from _labels(label)
        else:
            yield str(code), str(label)
