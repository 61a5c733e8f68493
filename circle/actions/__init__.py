"""Every change of a circle. The rules are in the modules; callers import from here.

Lock order, the same everywhere: the dossier's row first (one writer of a circle at a time), then the role
settings (advisory, shared), then members, habilitations and the rest.
"""

from circle.actions.accepting import (
    accept_invitation,
    accept_with_new_account,
    ask_for_new_link,
    confirm_invitee,
    decline_invitee,
    may_refuse,
    note_opening,
    refuse_invitation,
    send_to_address,
)
from circle.actions.adding import (
    add_manual_professional,
    add_manual_structure,
    add_person,
    add_professional,
    add_structure,
    open_dossier,
)
from circle.actions.assigning import call_off_plan, change_role, hand_over_role, set_unique_role
from circle.actions.closing import tell_end_of_care
from circle.actions.consenting import end_consent, record_consent, record_opposition, withdraw_opposition
from circle.actions.editing import (
    invite_present,
    link_to_directory,
    read_as,
    set_discreet,
    set_habilitation,
    update_member,
)
from circle.actions.foreseeing import call_off_stay, carry_out_plans, plan_departure
from circle.actions.gathering import bring_in
from circle.actions.inviting import (
    close_answered,
    copy_link,
    invite_colleague,
    invite_member,
    remind_due,
    remind_invitation,
    resend_invitation,
    revoke_invitation,
    tell_undelivered,
)
from circle.actions.joining import join_doubles
from circle.actions.leaving import remove_member, undo_removal
from circle.actions.limiting import answer_request, extend_access, limit_access
from circle.actions.receiving import receive_persons, update_received
from circle.actions.refusing import record_refusal
from circle.actions.reviewing import close_access, finish_review, keep_access, restore_access
from circle.actions.secretaries import record_secretary_consent, withdraw_secretary_consent
from circle.actions.sleeping import close_sleeping, tell_sleeping
from circle.actions.writing import write_circle

__all__ = [
    "accept_invitation",
    "accept_with_new_account",
    "add_manual_professional",
    "add_manual_structure",
    "add_person",
    "add_professional",
    "add_structure",
    "answer_request",
    "ask_for_new_link",
    "bring_in",
    "call_off_plan",
    "call_off_stay",
    "carry_out_plans",
    "change_role",
    "close_access",
    "close_answered",
    "close_sleeping",
    "confirm_invitee",
    "copy_link",
    "decline_invitee",
    "end_consent",
    "extend_access",
    "finish_review",
    "hand_over_role",
    "invite_colleague",
    "invite_member",
    "invite_present",
    "join_doubles",
    "keep_access",
    "limit_access",
    "link_to_directory",
    "may_refuse",
    "note_opening",
    "open_dossier",
    "plan_departure",
    "receive_persons",
    "record_consent",
    "record_opposition",
    "record_refusal",
    "record_secretary_consent",
    "refuse_invitation",
    "read_as",
    "remind_due",
    "remind_invitation",
    "remove_member",
    "resend_invitation",
    "restore_access",
    "revoke_invitation",
    "send_to_address",
    "set_discreet",
    "set_habilitation",
    "set_unique_role",
    "tell_end_of_care",
    "tell_sleeping",
    "tell_undelivered",
    "undo_removal",
    "update_member",
    "update_received",
    "withdraw_opposition",
    "withdraw_secretary_consent",
    "write_circle",
]
