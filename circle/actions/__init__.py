"""Every change of a circle. The rules are in the modules; callers import from here.

Lock order, the same everywhere: the dossier's row first (one writer of a circle at a time), then the role
settings (advisory, shared), then members, habilitations and the rest.
"""

from circle.actions.adding import (
    add_manual_professional,
    add_manual_structure,
    add_person,
    add_professional,
    add_structure,
    open_dossier,
)
from circle.actions.assigning import call_off_plan, change_role, hand_over_role, set_unique_role
from circle.actions.editing import link_to_directory, set_discreet, set_habilitation, update_member
from circle.actions.joining import join_doubles
from circle.actions.leaving import remove_member, undo_removal
from circle.actions.limiting import answer_request, extend_access, limit_access
from circle.actions.refusing import record_refusal

__all__ = [
    "add_manual_professional",
    "add_manual_structure",
    "add_person",
    "add_professional",
    "add_structure",
    "answer_request",
    "call_off_plan",
    "change_role",
    "extend_access",
    "hand_over_role",
    "join_doubles",
    "limit_access",
    "link_to_directory",
    "open_dossier",
    "record_refusal",
    "remove_member",
    "set_discreet",
    "set_habilitation",
    "set_unique_role",
    "undo_removal",
    "update_member",
]
