"""Everything under /dossiers/. A dossier's own URLs all pass its door (tests/test_architecture.py)."""

from django.urls import path

from coordination.dossiers.views import (
    creation,
    home,
    identity,
    journal,
    listing,
    officer,
    questions,
    status,
    suggestions,
)

app_name = "dossiers"

urlpatterns = [
    path("", listing.file_active, name="list"),
    path("ouvrir/", listing.open_dossier, name="open"),
    path("export.xlsx", listing.export_xlsx, name="export"),
    path("journaux/", officer.journals, name="journals"),
    path("creer/", creation.create, name="create"),
    path("creer/ressemblances/", creation.lookalikes, name="lookalikes"),
    path("propositions/communes/", suggestions.towns, name="towns"),
    path("propositions/lieux-de-naissance/", suggestions.birth_places, name="birth_places"),
    path("propositions/structures/", suggestions.structures, name="structures"),
    path("<uuid:dossier_id>/", home.home, name="home"),
    path("<uuid:dossier_id>/vu/", home.mark_seen, name="seen"),
    path("<uuid:dossier_id>/acces/", home.my_access, name="access"),
    path("<uuid:dossier_id>/acces/<slug:rubrique>/demander/", home.ask_access, name="ask_access"),
    path("<uuid:dossier_id>/identite/", identity.show, name="identity"),
    path("<uuid:dossier_id>/identite/modifier/", identity.edit, name="edit_identity"),
    path("<uuid:dossier_id>/coordonnees/modifier/", identity.edit_contacts, name="edit_contacts"),
    path("<uuid:dossier_id>/statut/", status.status, name="status"),
    path("<uuid:dossier_id>/journal/", journal.journal, name="journal"),
    path("<uuid:dossier_id>/journal/imprimer/", journal.print_journal, name="journal_print"),
    path("<uuid:dossier_id>/journal/journal.xlsx", journal.export_journal, name="journal_export"),
    path("<uuid:dossier_id>/journal/<uuid:trace_id>/pourquoi/", questions.ask, name="ask_why"),
]
