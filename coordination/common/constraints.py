"""What the database refused, in the sentence its constraint was given."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db import IntegrityError


def sentence_of(error: IntegrityError) -> str | None:
    """Return the French sentence of the constraint that was broken; None when it has none of its own.

    Two sources: the `violation_error_message` of the models, and what our own triggers raise.
    """
    told = getattr(error.__cause__, "diag", None)
    if told is None:
        return None
    if told.source_function == "exec_stmt_raise":
        return told.message_primary
    return _sentences().get(told.constraint_name)


@cache
def _sentences() -> dict[str, str]:
    return {
        constraint.name: str(constraint.violation_error_message)
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_message != constraint.default_violation_error_message
    }
