"""Everything under /annuaire/. The text of a search is never in an address."""

from django.urls import path

from coordination.directory import views

app_name = "directory"

urlpatterns = [
    path("", views.professionals, name="professionals"),
    path("structures/", views.structures, name="structures"),
    path("structures/creer/", views.create_structure, name="create_structure"),
    path("structures/<uuid:structure_id>/", views.structure, name="structure"),
    path("structures/<uuid:structure_id>/fusionner/", views.merge, name="merge_structure"),
    path("professionnels/<uuid:professional_id>/", views.professional, name="professional"),
]
