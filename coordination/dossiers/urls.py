"""Everything under /dossiers/. A dossier's own URLs all pass its door (tests/test_architecture.py)."""

from django.urls import path

from coordination.dossiers.gate import GatedPattern
from coordination.dossiers.views import (
    creation,
    emergency,
    export,
    home,
    identity,
    journal,
    listing,
    officer,
    questions,
    status,
    suggestions,
)
from habilitations.emergency import is_on

app_name = "dossiers"


def when_on(route, view, name):
    """Return an address of « Accès d’urgence »: unknown, like any other, where the installation does not have it."""
    return GatedPattern(is_on, route, view, name)


urlpatterns = [
    path("<uuid:dossier_id>/", home.home, name="home"),
    path("", listing.file_active, name="list"),
    path("ouvrir/", listing.open_dossier, name="open"),
    path("export.xlsx", listing.export_xlsx, name="export"),
    path("journaux/", officer.journals, name="journals"),
    path("journaux/acces-sans-usage.xlsx", officer.export_asleep, name="export_asleep"),
    path("creer/", creation.create, name="create"),
    path("creer/ressemblances/", creation.lookalikes, name="lookalikes"),
    path("propositions/communes/", suggestions.towns, name="towns"),
    path("propositions/lieux-de-naissance/", suggestions.birth_places, name="birth_places"),
    path("propositions/structures/", suggestions.structures, name="structures"),
    when_on("acces-urgence/", emergency.open_emergency, name="emergency"),
    when_on("acces-urgence/revue/", emergency.officer_reviews, name="emergencies"),
    when_on("acces-urgence/revue/<uuid:emergency_id>/", emergency.officer_reviews, name="officer_review"),
    path("<uuid:dossier_id>/vu/", home.mark_seen, name="seen"),
    path("<uuid:dossier_id>/acces/", home.my_access, name="access"),
    path("<uuid:dossier_id>/acces/<slug:rubrique>/demander/", home.ask_access, name="ask_access"),
    path("<uuid:dossier_id>/identite/", identity.show, name="identity"),
    path("<uuid:dossier_id>/identite/modifier/", identity.edit, name="edit_identity"),
    path("<uuid:dossier_id>/coordonnees/modifier/", identity.edit_contacts, name="edit_contacts"),
    path("<uuid:dossier_id>/dossier.fhir.json", export.export_fhir, name="export_fhir"),
    path("<uuid:dossier_id>/statut/", status.status, name="status"),
    when_on("<uuid:dossier_id>/urgence/", emergency.ban, name="emergency_ban"),
    when_on("<uuid:dossier_id>/urgence/interdire/", emergency.forbid, name="forbid_emergency"),
    when_on("<uuid:dossier_id>/urgence/permettre/", emergency.allow, name="allow_emergency"),
    when_on("<uuid:dossier_id>/urgence/quitter/", emergency.leave, name="leave_emergency"),
    when_on("<uuid:dossier_id>/urgences/<uuid:emergency_id>/", emergency.show_emergency, name="show_emergency"),
    when_on("<uuid:dossier_id>/urgences/<uuid:emergency_id>/relire/", emergency.review, name="review_emergency"),
    path("<uuid:dossier_id>/journal/", journal.journal, name="journal"),
    path("<uuid:dossier_id>/journal/imprimer/", journal.print_journal, name="journal_print"),
    path("<uuid:dossier_id>/journal/journal.xlsx", journal.export_journal, name="journal_export"),
    path("<uuid:dossier_id>/journal/<uuid:trace_id>/pourquoi/", questions.ask, name="ask_why"),
]
