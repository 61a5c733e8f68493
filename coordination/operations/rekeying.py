"""Writing the encrypted columns again under the current key, so that a former one can be forgotten (SECT-25)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model

from agenda.models import OwnCalendar
from coordination.accounts.models import Draft
from coordination.common import cipher
from coordination.partners.models import Partner

# Held locked together while they are written: some thousandths of a second.
AT_ONCE = 500
# Who read a row before it was written again may put back what he had read: such rows are found by another pass.
PASSES = 10
# What allauth keeps encrypted of a second factor, among what it keeps.
_FACTOR_SECRETS = ("secret", "seed")
_FACTOR_LISTS = ("migrated_codes",)


class Sealed(NamedTuple):
    """One encrypted column: what is in it, and how its value is written again."""

    label: str
    model: type[Model]
    field: str
    renewed: Callable[[Any], Any]


def _text(value: str) -> str:
    return cipher.renewed(value) if value and not cipher.is_current(value) else value


def _factor(data: dict[str, Any]) -> dict[str, Any]:
    single = {name: _text(data[name]) for name in _FACTOR_SECRETS if name in data}
    lists = {name: [_text(one) for one in data[name]] for name in _FACTOR_LISTS if name in data}
    return data | single | lists


# A test walks the columns of the models, and wants each encrypted one here.
SEALED = (
    Sealed("brouillons", Draft, "content", _text),
    Sealed("secrets des partenaires", Partner, "secret_sealed", _text),
    Sealed("adresses de calendriers", OwnCalendar, "address_sealed", _text),
    Sealed("mots de passe de calendriers", OwnCalendar, "password_sealed", _text),
    Sealed("seconds facteurs", Authenticator, "data", _factor),
)


class Rekeyed(NamedTuple):
    """What was done of one column: how often a row was written again, rows that no key opens, left as they are."""

    label: str
    number: int
    unreadable: int


def rekey_all() -> Iterator[Rekeyed]:
    """Write again what the current key does not open, in every encrypted column, some hundreds of rows at a time.

    While the product serves: a row is locked the time of being written, and read by either key meanwhile. A second
    factor is saved by allauth without a lock, whole, as it was read: passes follow until one finds nothing to write.
    A request begun before the last one may still end after it, so a later call must find nothing before a key goes.
    """
    for sealed in SEALED:
        yield Rekeyed(sealed.label, *_rekey(sealed))


def _rekey(sealed: Sealed) -> tuple[int, int]:
    written = 0
    for _ in range(PASSES):
        number, unreadable = _pass(sealed)
        written += number
        if not number:
            break
    return written, unreadable


def _pass(sealed: Sealed) -> tuple[int, int]:
    number = unreadable = 0
    last = None
    rows = sealed.model._default_manager.order_by("pk")
    while True:
        with transaction.atomic():
            batch = rows.filter(pk__gt=last) if last is not None else rows
            found = list(batch.select_for_update(of=("self",)).only("pk", sealed.field)[:AT_ONCE])
            if not found:
                return number, unreadable
            renewed = {row: _renew(row, sealed) for row in found}
            changed = [row for row in found if renewed[row]]
            sealed.model._default_manager.bulk_update(changed, [sealed.field])
        last = found[-1].pk
        number, unreadable = number + len(changed), unreadable + list(renewed.values()).count(None)


def _renew(row: Model, sealed: Sealed) -> bool | None:
    """Put the new value in the row; return whether it is another one, None when no key opens the former."""
    before = getattr(row, sealed.field)
    try:
        setattr(row, sealed.field, sealed.renewed(before))
    except ValueError:
        return None
    return bool(getattr(row, sealed.field) != before)
