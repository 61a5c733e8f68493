"""Every change of what accounts may do. The rules are in the modules; callers import from here."""

from habilitations.actions.drafts import (
    discard_draft,
    edit_draft,
    import_draft,
    publish_alone,
    publish_draft,
    rebase_draft,
    refuse_publication,
    request_publication,
    restore_version,
    withdraw_request,
)
from habilitations.actions.limits import set_limits
from habilitations.actions.matrix import publish_matrix
from habilitations.actions.members import (
    activate_waiting,
    bind_account,
    bind_professional,
    end_habilitation,
    grant_creator,
    open_habilitation,
    release_account,
    reopen_habilitation,
    request_habilitation,
    set_state,
    stop_waiting,
)
from habilitations.actions.officers import end_officer, name_officer
from habilitations.actions.professions import change_profession, end_profession, vouch_profession
from habilitations.actions.questions import answer_why, ask_why
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
    "answer_why",
    "ask_access",
    "ask_why",
    "bind_account",
    "bind_professional",
    "change_profession",
    "close_structure",
    "count_contradictions",
    "discard_draft",
    "edit_draft",
    "end_administrator",
    "end_delegate",
    "end_habilitation",
    "end_officer",
    "end_profession",
    "grant_creator",
    "import_draft",
    "kept_structures",
    "name_administrator",
    "name_officer",
    "open_habilitation",
    "open_structure",
    "publish_alone",
    "publish_draft",
    "publish_matrix",
    "rebase_draft",
    "record_refusal",
    "refuse_publication",
    "release_account",
    "reopen_habilitation",
    "request_habilitation",
    "request_publication",
    "restore_version",
    "same_structures",
    "set_limits",
    "set_state",
    "stop_waiting",
    "vouch_profession",
    "withdraw_refusal",
    "withdraw_request",
]
