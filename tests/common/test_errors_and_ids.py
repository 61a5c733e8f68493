from __future__ import annotations

from uuid import UUID

from coordination.common.errors import DomainError
from coordination.common.ids import uuid7


class RoleAlreadyHeld(DomainError):
    code = "role_already_held"
    message = "{holder} tient déjà ce rôle."
    field = "role"


def test_sentence_is_filled_from_the_context():
    error = RoleAlreadyHeld(holder="Dr Exemple")
    assert (str(error), error.code, error.field) == ("Dr Exemple tient déjà ce rôle.", "role_already_held", "role")
    assert error.context == {"holder": "Dr Exemple"}


def test_a_missing_place_does_not_break_the_sentence():
    assert str(RoleAlreadyHeld(other=1)) == "… tient déjà ce rôle."


def test_message_and_field_may_be_given():
    error = DomainError("Une phrase { avec accolade.", field="nom")
    assert (str(error), error.message, error.field) == ("Une phrase { avec accolade.",) * 2 + ("nom",)
    assert DomainError.field is None
    assert str(DomainError()) == "Cette action n’est pas possible."


def test_uuid7_are_standard_and_ordered():
    ids = [uuid7() for _ in range(1000)]
    assert all(type(i) is UUID and i.version == 7 for i in ids)
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
