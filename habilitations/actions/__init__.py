"""Every change of what accounts may do. The rules are in the modules; callers import from here."""

from habilitations.actions.limits import set_limits
from habilitations.actions.matrix import publish_matrix
from habilitations.actions.members import (
    activate_waiting,
    bind_professional,
    end_habilitation,
    grant_creator,
    open_habilitation,
    reopen_habilitation,
    request_habilitation,
    set_state,
)
from habilitations.actions.professions import change_profession, end_profession, vouch_profession
from habilitations.actions.refusals import record_refusal, withdraw_refusal
from habilitations.actions.requests import answer_request, ask_access
from habilitations.actions.structures import (
    add_delegate,
    close_structure,
    count_contradictions,
    end_administrator,
    end_delegate,
    name_administrator,
    open_structure,
)
from habilitations.kin import kept_structures, same_structures

__all__ = [
    "activate_waiting",
    "add_delegate",
    "answer_request",
    "ask_access",
    "bind_professional",
    "change_profession",
    "close_structure",
    "count_contradictions",
    "end_administrator",
    "end_delegate",
    "end_habilitation",
    "end_profession",
    "grant_creator",
    "kept_structures",
    "name_administrator",
    "open_habilitation",
    "open_structure",
    "publish_matrix",
    "record_refusal",
    "reopen_habilitation",
    "request_habilitation",
    "same_structures",
    "set_limits",
    "set_state",
    "vouch_profession",
    "withdraw_refusal",
]
