"""Everything under /administration/habilitations/, for administrators. No dossier and nobody's name in an address."""

from django.urls import path

from habilitations.views import catalog, drafting, matrix, officers, professions, versions

app_name = "habilitations"

urlpatterns = [
    path("", matrix.levels, name="matrix"),
    path("actions/", matrix.rights, name="rights"),
    path("profils/<str:profile>/", matrix.profile, name="profile"),
    path("colonnes/<str:table>/<str:column>/", matrix.column, name="column"),
    path("brouillon/retablir/", drafting.put_back, name="put_back"),
    path("brouillon/abandonner/", drafting.discard, name="discard"),
    path("brouillon/effet/", drafting.effect, name="effect"),
    path("brouillon/demander/", drafting.ask, name="ask"),
    path("brouillon/reprendre/", drafting.take_back, name="take_back"),
    path("brouillon/reporter/", drafting.carry_over, name="carry_over"),
    path("brouillon/publier/", drafting.publish, name="publish"),
    path("brouillon/refuser/", drafting.refuse, name="refuse"),
    path("versions/", versions.versions, name="versions"),
    path("versions/comparer/", versions.compare, name="compare"),
    path("versions/importer/", versions.import_file, name="import"),
    path("versions/rejouer/", versions.replay_decision, name="replay"),
    path("versions/<int:number>/revenir/", versions.restore, name="restore"),
    path("versions/<int:number>/matrice.xlsx", versions.export_xlsx, name="export_xlsx"),
    path("versions/<int:number>/<str:table>.csv", versions.export_csv, name="export_csv"),
    path("professions/", professions.professions, name="professions"),
    path("professions/ligne/", professions.rule, name="rule"),
    path("catalogue/profils/", catalog.profiles, name="profiles"),
    path("catalogue/profils/nouveau/", catalog.new_profile, name="new_profile"),
    path("catalogue/profils/ligne/<str:profile>/", catalog.edit_profile, name="edit_profile"),
    path("catalogue/profils/ligne/<str:profile>/fermer/", catalog.close_profile, name="close_profile"),
    path("catalogue/profils/ligne/<str:profile>/rouvrir/", catalog.reopen_profile, name="reopen_profile"),
    path("catalogue/rubriques/", catalog.rubrics, name="rubrics"),
    path("catalogue/rubriques/nouvelle/", catalog.new_rubric, name="new_rubric"),
    path("catalogue/rubriques/ligne/<str:rubrique>/", catalog.edit_rubric, name="edit_rubric"),
    path("catalogue/rubriques/ligne/<str:rubrique>/retirer/", catalog.withdraw_rubric, name="withdraw_rubric"),
    path("catalogue/rubriques/ligne/<str:rubrique>/remettre/", catalog.restore_rubric, name="restore_rubric"),
    path("protection-des-donnees/", officers.officers, name="officers"),
    path("protection-des-donnees/<uuid:officer_id>/terminer/", officers.end_officer, name="end_officer"),
    path("voir/", professions.see_as, name="see_as"),
]
