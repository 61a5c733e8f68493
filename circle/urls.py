"""Everything under /dossiers/<dossier>/cercle/. Each view passes the dossier's door (tests/test_architecture.py)."""

from django.urls import path

from circle.views import (
    adding,
    by_hand,
    directory_member,
    exporting,
    gathering,
    inviting,
    leaving,
    limits,
    listing,
    rights,
    role,
    sheet,
    structures,
    todo,
)

app_name = "circle"

MEMBER = "membres/<uuid:member_id>/"

urlpatterns = [
    path("", listing.members, name="list"),
    path("fiche.pdf", exporting.print_sheet, name="print_sheet"),
    path("liste.xlsx", exporting.export_list, name="export_list"),
    path("demandes/<uuid:request_id>/", todo.answer_request, name="answer_request"),
    path("historique/", leaving.circle_history, name="history"),
    path("ajouter/", adding.add, name="add"),
    path("ajouter/professionnel/<uuid:target_id>/", directory_member.add_professional, name="add_professional"),
    path("ajouter/professionnel/<uuid:target_id>/apercu/", directory_member.preview, name="preview"),
    path("ajouter/professionnel/<uuid:target_id>/lettre/", directory_member.preview_letter, name="preview_letter"),
    path("ajouter/manuellement/<slug:kind>/", by_hand.add_manually, name="add_manually"),
    path("ajouter/manuellement/<slug:kind>/ressemblances/", by_hand.lookalikes, name="lookalikes"),
    path("ajouter/plusieurs/", gathering.invite_several, name="invite_several"),
    path("ajouter/plusieurs/verifier/", gathering.check_several, name="check_several"),
    path("structures/ajouter/", structures.add_structure, name="add_structure"),
    path("structures/ajouter/manuellement/", structures.add_structure_manually, name="add_structure_manually"),
    path("structures/<uuid:structure_id>/ajouter/", structures.choose_structure, name="choose_structure"),
    path(MEMBER, sheet.member, name="member"),
    path(MEMBER + "modifier/", sheet.edit, name="edit_member"),
    path(MEMBER + "role/", role.change_role, name="change_role"),
    path(MEMBER + "role/annuler/", role.call_off_plan, name="call_off_plan"),
    path(MEMBER + "discret/", sheet.discreet, name="discreet"),
    path(MEMBER + "habilitation/", rights.habilitation, name="habilitation"),
    path(MEMBER + "habilitation/apercu/", rights.preview, name="preview_habilitation"),
    path(MEMBER + "habilitation/demander/", rights.request_habilitation, name="request"),
    path(MEMBER + "inviter/", inviting.invite_member, name="invite_member"),
    path(MEMBER + "habilitation/reduire/", limits.limits, name="limits"),
    path(MEMBER + "habilitation/prolonger/", limits.extend, name="extend"),
    path(MEMBER + "refus/noter/", rights.record_refusal, name="record_refusal"),
    path(MEMBER + "refus/retirer/", rights.withdraw_refusal, name="withdraw_refusal"),
    path(MEMBER + "relier/", leaving.link, name="link"),
    path(MEMBER + "reunir/", leaving.join, name="join"),
    path(MEMBER + "retirer/", leaving.remove, name="remove"),
    path(MEMBER + "retirer/annuler/", leaving.undo_removal, name="undo_removal"),
    path(MEMBER + "contact.vcf", exporting.export_vcard, name="export_vcard"),
    path(MEMBER + "historique/", leaving.member_history, name="member_history"),
]
