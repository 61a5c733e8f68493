"""Where a rule of `rules.py` is broken on purpose: how many times in which function, and why that holds.

Nothing typed by a person reaches these statements but as a parameter, nor these texts but escaped; tests hold it where
the reason names one. A line that is no longer true makes the suite red, as a new finding does.
"""

OWN_COLUMNS = "names of our own tables, columns and conditions, given by the functions of this folder; values apart"
OWN_BRANCHES = "branches of the search, written here from constants; the words typed are parameters (test_search_text)"
DRAWN = "drawn a moment before by our own templates, which escape; an id replaces an id"
ESCAPED = "each part is escaped just before, by the line itself"
TO_THE_DOOR = "reads whose dossier it is, nothing else, and goes to the door with it"
BY_THE_DOOR = "whatever is found was entered by the door, or is by its condition; the door traced it"

ACCEPTED: dict[tuple[str, str, str], tuple[int, str]] = {
    ("sql-composed", "coordination/directory/imports/completion.py", "lend_addresses"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/completion.py", "lend_mailboxes"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/completion.py", "lend_structure_mailboxes"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/mssante.py", "_lend"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/mssante.py", "_merge"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/rpps_first.py", "finish"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/rpps_merge.py", "_merge_activities"): (2, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/rpps_merge.py", "_merge_people"): (2, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/rpps_merge.py", "_merge_savoir_faire"): (2, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/rpps_structures.py", "merge_structures"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/savoir_faire.py", "_cease_missing"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/savoir_faire.py", "_merge"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/staging.py", "_is_small"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/structure_rows.py", "_insert"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/imports/structure_rows.py", "_update"): (1, OWN_COLUMNS),
    ("sql-composed", "coordination/directory/search/branches.py", "_branch"): (1, OWN_BRANCHES),
    ("sql-composed", "coordination/directory/search/houses.py", "by_identifiers"): (2, OWN_BRANCHES),
    ("sql-composed", "coordination/directory/search/houses.py", "find"): (3, OWN_BRANCHES),
    ("sql-composed", "coordination/directory/search/people.py", "by_identifiers"): (1, OWN_BRANCHES),
    ("sql-composed", "coordination/directory/search/vocabulary.py", "refresh"): (1, OWN_COLUMNS),
    ("sql-composed", "habilitations/archive.py", "_accounts"): (1, "columns of traces, from their own _meta"),
    ("sql-composed", "habilitations/access.py", "beside"): (1, "columns of the model of dossiers, from its own _meta"),
    ("sql-composed", "habilitations/access.py", "beside_who_calls"): (1, "the same, and a constant of a room"),
    ("markup-made", "circle/views/drawing.py", "_menu_of"): (1, DRAWN),
    ("markup-made", "circle/views/drawing.py", "drawn_coming"): (1, DRAWN),
    ("markup-made", "circle/views/drawing.py", "drawn_row"): (1, DRAWN),
    ("markup-made", "coordination/common/comb.py", "_bars"): (1, "numbers only"),
    ("markup-made", "coordination/common/context.py", "with_form_field"): (1, DRAWN),
    ("markup-made", "coordination/common/french.py", "nbsp"): (1, "what was safe stays so: only spaces change"),
    ("markup-made", "coordination/directory/search/options.py", "marked"): (1, ESCAPED),
    ("markup-made", "coordination/directory/search/options.py", "of_professional"): (1, ESCAPED),
    ("markup-made", "coordination/directory/search/options.py", "of_structure"): (1, ESCAPED),
    ("markup-made", "coordination/dossiers/strip.py", "rubrics_html"): (1, DRAWN),
    ("answer-made", "coordination/common/error_pages.py", "_page"): (1, DRAWN),
    ("answer-made", "coordination/common/error_pages.py", "unavailable"): (1, DRAWN),
    ("get-unscoped", "agenda/fhir/appointments.py", "_place_of"): (1, TO_THE_DOOR),
    ("get-unscoped", "circle/fhir/careteams.py", "_dossier_of"): (1, TO_THE_DOOR),
    ("get-unscoped", "circle/views/leaving.py", "_planned_initial"): (1, "the plan of a row that this dossier gave"),
    ("get-unscoped", "coordination/dossiers/views/emergency.py", "officer_reviews"): (
        1, "the officer reviews emergencies across dossiers, by a reference and no identity"),
    ("get-unscoped", "coordination/dossiers/views/questions.py", "_answered"): (
        1, "the question was found a moment before among those put to who answers"),
    ("entered-elsewhere", "agenda/fhir/actors.py", "__init__"): (1, "which ids exist, of people that entries enter"),
    ("entered-elsewhere", "circle/views/invitations.py", "invitation_list"): (
        2, "which dossiers one sees, as a condition on one’s own invitations; their page enters by the door"),
    ("entered-elsewhere", "coordination/dossiers/fhir/managing.py", "managed"): (1, BY_THE_DOOR),
    ("entered-elsewhere", "coordination/dossiers/fhir/patients.py", "rows"): (1, BY_THE_DOOR),
    ("entered-elsewhere", "coordination/dossiers/fhir/finding.py", "keys_numbered"): (
        1, "keys of a subquery, of which the statement keeps those that `access.dossier_ids` lets the caller enter",
    ),
    ("entered-elsewhere", "coordination/dossiers/fhir/patients.py", "has"): (
        1, "whether an id may be created: told alike of the forbidden and of the absent (test_refused_everywhere)"),
    ("entered-elsewhere", "circle/views/invited.py", "_back_to"): (
        1, "where the link of who accepted leads: the page it chooses enters by the door, and traces"),
    ("entered-elsewhere", "coordination/dossiers/views/emergency.py", "_is_inside"): (
        1, "asks whether one is inside already, before an emergency that is traced either way"),
    ("looked-without-trace", "agenda/fhir/appointment_entries.py", "_looked"): (
        1, "its callers trace what they tell, once a dossier (`_trace`)"),
    ("looked-without-trace", "agenda/relays/sending.py", "_content"): (
        1, "the entry goes with the content, and the sending traces it"),
    ("looked-without-trace", "coordination/demo/events.py", "_enter"): (1, "invented people, never in production"),
    ("open-to-all", "habilitations/views/oauth.py", "token"): (
        1, "a program without cookies: its secret is in the request, no browser sends it by itself"),
}  # fmt: skip
